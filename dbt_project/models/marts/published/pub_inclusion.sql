{{ published_table('pub_inclusion') }}
