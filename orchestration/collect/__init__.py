"""Collect: bring each source in: unchanged, dated, hashed."""
