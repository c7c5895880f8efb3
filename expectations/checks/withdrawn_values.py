"""Withdrawn values: has every figure readers have still a row?

What: figures of the served release that tonight's table does not have: the row is gone, or has no value any more.
When it matters: a year that vanishes from a table is noticed by whoever quoted it, not by whoever lost it.
How to resolve: find the source that stopped telling it; if the office withdrew the figure, accept it with a dated waiver.
"""

from __future__ import annotations

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, figure_of, found, prepared, row_check
from expectations.checks.changes import changed_rows, explained_by
from expectations.wording import said


def _find(subject: Subject) -> Found:
    changes = changed_rows(subject)
    gone = changes[changes["kind"] == "withdrawn"]
    # A new declaration may show less; a source that delivered less may not.
    declared = {i.id for i in subject.indicators if (explained_by(subject, i) or "").startswith("definition")}
    wrong = gone[~gone["indicator_id"].isin(declared)]
    return found(
        prepared(subject),
        wrong,
        lambda row: said("{before} → –", "{before} → –", before=figure_of(row, "_before")),
    )


CHECK = row_check(
    "withdrawn_values",
    _find,
    right=Text(de="kein veröffentlichter Wert verschwindet", en="no published value vanishes"),
    wrong=Text(de="veröffentlichte Werte verschwinden", en="published values vanish"),
    compares=True,
)
