{{ published_table('pub_vocational') }}
