{{ published_table('pub_adult_education') }}
