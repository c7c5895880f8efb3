"""The city's registers: read at the door, pseudonymised, kept in the vault, counted for the mart.

files, databases → text in batches; door → checks, then typed rows without anybody's name; vault →
single records behind 0700; counts → the declared aggregations, the only thing that leaves it.
"""
