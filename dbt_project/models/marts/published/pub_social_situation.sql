{{ published_table('pub_social_situation') }}
