"""What a figure means, what must hold, and what may be told.

Belongs here: the catalogue, the checks, the suites and the verdict.
Does not belong here: where data come from, when anything runs, how a table is computed.
"""
