{{ published_table('pub_all_day') }}
