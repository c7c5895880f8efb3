"""Which measures count some of the people that another counts: what every reader of the declarations may conclude.

Belongs here: declarations → pairs of measures. Does not belong here: what follows for single counts
(expectations.disclosure.release).
"""

from __future__ import annotations

import itertools

from expectations.catalogue.model import Catalogue, Measure


def subset_measures(catalogue: Catalogue) -> list[tuple[str, str]]:
    """(part, whole): in the same area, period and cells nobody is counted in the part who is not in the whole.

    Two that count the same people by different breakdowns are a pair both ways. It follows from what measures of one
    register ask for. A share of two registers says no such thing: who gets help may be in one of them only.
    """
    counted = {name: m for name, m in catalogue.measures.items() if m.register_ is not None}
    return sorted(
        (a, b) for a, b in itertools.permutations(counted, 2) if _asks_for_more(counted[a], counted[b])
    )


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
