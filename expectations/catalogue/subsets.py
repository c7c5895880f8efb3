"""Which measures count some of the people that another counts: what every reader of the declarations may conclude.

Belongs here: declarations → pairs of measures. Does not belong here: what follows for single counts
(expectations.disclosure.release).
"""

from __future__ import annotations

import itertools

from expectations.catalogue.model import Alignment, Catalogue, Kind, Measure
from expectations.catalogue.registers import Term


def subset_measures(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(part, whole): in the same area, period and cells nobody is counted in the part who is not in the whole.

    Two that count the same people by different breakdowns are a pair both ways. It follows from what measures of one
    register ask for, and from shares: their numerator is of their denominator.
    """
    counted = {name: m for name, m in catalogue.measures.items() if m.register_ is not None}
    pairs = {(a, b) for a, b in itertools.permutations(counted, 2) if _asks_for_more(counted[a], counted[b])}
    for indicator in catalogue.indicators.values():
        if indicator.kind is not Kind.SHARE or indicator.alignment is not Alignment.SAME_PERIOD:
            continue
        for numerator, denominator in indicator.formulas.values():
            if denominator is None or not (_is_plain(numerator) and _is_plain(denominator)):
                continue
            part, whole = numerator.measure, denominator.measure
            if part != whole and {part, whole} <= set(counted) and numerator.where == denominator.where:
                pairs.add((part, whole))
    return sorted(pairs)


def _is_plain(term: Term) -> bool:
    return not term.plus and not term.less


def _asks_for_more(part: Measure, whole: Measure) -> bool:
    """Of one register, counted alike, and whatever the whole asks for the part asks for, too."""
    one, other = part.register_, whole.register_
    assert one is not None
    assert other is not None
    if (one.register_, one.count) != (other.register_, other.count) or one.count.startswith("sum"):
        return False
    if one.area and other.area and one.area != other.area:
        return False
    if any(one.by[name] != other.by[name] for name in set(one.by) & set(other.by)):
        return False
    return all(
        column in one.where and set(one.wanted(column)) <= set(other.wanted(column)) for column in other.where
    )
