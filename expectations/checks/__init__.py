"""The checks that decide publication: one file, one check, one docstring.

A check knows its scopes from the catalogue before it sees any data, so that the gate can tell a
check that found nothing wrong from one that never ran. `CHECKS` is the whole list.
"""

from expectations.checks import (
    additivity,
    arrival,
    continuity,
    corrections,
    coverage,
    integrity,
    reconciliation,
    revision,
    schema,
    valid_range,
)
from expectations.checks.base import Check, Subject

CHECKS: list[Check] = [
    arrival.CHECK,
    revision.CHECK,
    integrity.CHECK,
    schema.CHECK,
    valid_range.CHECK,
    additivity.CHECK,
    continuity.CHECK,
    coverage.CHECK,
    corrections.CHECK,
    reconciliation.CHECK,
]

__all__ = ["CHECKS", "Check", "Subject"]
