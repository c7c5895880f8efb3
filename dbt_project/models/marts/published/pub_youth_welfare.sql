{{ published_table('pub_youth_welfare') }}
