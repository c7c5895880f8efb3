{{ published_table('pub_transitions') }}
