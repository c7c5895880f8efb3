{{ published_table('pub_culture_libraries_sport') }}
