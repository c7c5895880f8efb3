"""The embedded sample: SYNTHETIC files in the offices' true formats, from a fixed seed."""
