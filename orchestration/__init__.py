"""When, from where, to whom: collect → compute → confirm → publish.

Belongs here: Dagster, the command line, sources, releases.
Does not belong here: any rule about a figure (expectations/) and any computation (dbt_project/).
"""
