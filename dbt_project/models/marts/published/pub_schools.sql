{{ published_table('pub_schools') }}
