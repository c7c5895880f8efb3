{{ published_table('pub_higher_education') }}
