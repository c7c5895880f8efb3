"""The checks that decide publication: one file, one check, one docstring.

A check knows its scopes from the catalogue before it sees any data, so that the gate can tell a
check that found nothing wrong from one that never ran. `CHECKS` is the whole list, in the order in which they run; what
a finding means is the catalogue's policy (catalogue/checks).
"""

from importlib import import_module

from expectations.checks.base import Check, Subject

_IN_ORDER = (
    "arrival", "freshness", "refused_delivery", "duplicate_delivery", "shrunken_delivery", "backward_delivery",
    "register_arrival", "shrunken_register", "unmatched_places",
    "integrity", "schema", "types", "keys", "code_lists", "states", "area_codes", "area_names", "encoding", "periods",
    "provenance", "value_or_reason", "sign_misuse", "total_present", "matrix", "coverage",
    "unit", "level", "valid_range", "whole_numbers", "part_of_whole", "subset", "additivity", "double_counting", "impossible",
    "area_sums", "city_sums", "institutions", "distribution_sums", "rate_recomputed", "official_rate", "reconciliation", "comparators",
    "rounding_pattern", "repeated_values",
    "continuity", "unusual_change", "level_shift", "series_break", "decimal_shift", "column_swap", "cell_share", "area_swap", "stale_copy",
    "zero_for_missing",
    "revision", "published_values", "withdrawn_values", "definition", "schema_version", "corrections",
    "disclosure", "unprotectable", "hidden_share", "waiver",
)  # fmt: skip
"""The modules of this folder, one check each."""

CHECKS: list[Check] = [import_module(f"expectations.checks.{name}").CHECK for name in _IN_ORDER]

__all__ = ["CHECKS", "Check", "Subject"]
