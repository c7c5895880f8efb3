{{ published_table('pub_resources') }}
