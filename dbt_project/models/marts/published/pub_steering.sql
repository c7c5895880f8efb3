{{ published_table('pub_steering') }}
