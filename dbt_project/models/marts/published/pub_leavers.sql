{{ published_table('pub_leavers') }}
