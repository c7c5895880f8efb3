"""Which figures of registers are protected, and how: one place that SQL, suppressor, attacker, checks and texts ask.

Belongs here: declarations → what is rounded and how few are few. Does not belong here: which figures stay hidden
beside that (expectations.disclosure), how few are few in a city (its configuration, `confidentiality`).
"""

from __future__ import annotations

from expectations.catalogue.base import LEAST_PER_BASE
from expectations.catalogue.model import Catalogue, Indicator, Measure
from expectations.catalogue.registers import Register


def least_denominator(base: int) -> int:
    """The least rounded denominator of which a rate is published: 30 at base 5, 60 at base 10."""
    return LEAST_PER_BASE * base


def counts_people(measure: Measure, register: Register) -> bool:
    """Does a measure count people: single records about people, or a number that the register declares to count them?"""
    assert measure.register_ is not None
    column = measure.register_.counted_column
    if column is not None and measure.register_.count.startswith("sum:"):
        return not register.personal and register.column(column).counts_people is True
    return register.personal


def rounding_of(catalogue: Catalogue, measure: Measure) -> int:
    """To what multiples a measure is rounded for publication; 1: it is published exact.

    What one person more would change is rounded, whatever its unit is called: everything made of records about people,
    and every number of a register that counts people. Official tables carry their offices' own protection.
    """
    if measure.register_ is None or measure.unrounded is not None:
        return 1
    register = catalogue.registers[measure.register_.register_]
    return register.rounding if register.personal or counts_people(measure, register) else 1


def is_count(catalogue: Catalogue, measure: Measure) -> bool:
    """Is it a number of people, so that parts and totals bound one another? Lesson hours of pupils are protected and none."""
    return measure.register_ is not None and counts_people(
        measure, catalogue.registers[measure.register_.register_]
    )


def is_protected(catalogue: Catalogue, indicator: Indicator) -> bool:
    """Is any term of an indicator rounded for publication?"""
    return any(rounding_of(catalogue, measure) > 1 for measure in catalogue.measures_of(indicator))
