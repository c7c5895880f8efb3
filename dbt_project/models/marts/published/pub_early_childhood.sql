{{ published_table('pub_early_childhood') }}
