"""Publish: a release directory, written whole and switched atomically."""
