{{ published_table('pub_population') }}
