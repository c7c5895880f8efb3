"""Compute: raw snapshots and the catalogue into a private candidate database, then dbt."""
