{{ published_table('pub_newcomers') }}
