"""Confirm: one gate per published table; every result becomes a verdict row."""
