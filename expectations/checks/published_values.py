"""Published values: is every figure readers have still what it was, or has somebody declared why not?

What: values of tonight's table against the served release, row by row. A change is explained if a source of the
indicator delivered something else since (what an official table may change of the past is the check `revision`; a register
its newest periods, `revises_periods`), or if its declaration is another one.
When it matters: a change of the code, or of a list nobody thought of, changes figures the council has seen.
How to resolve: read the changed rows in the quality report; if they are right, accept them with a dated waiver.
"""

from __future__ import annotations

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, figure_of, found, prepared, row_check
from expectations.checks.changes import changed_rows, unexplained
from expectations.wording import said


def _find(subject: Subject) -> Found:
    changes = changed_rows(subject)
    rows = prepared(subject)
    both = changes[changes["kind"] == "changed"]
    wrong = both[unexplained(subject, both)]
    return found(
        rows,
        wrong,
        lambda row: said(
            "{before} → {now}", "{before} → {now}", before=figure_of(row, "_before"), now=figure_of(row)
        ),
    )


CHECK = row_check(
    "published_values",
    _find,
    right=Text(
        de="kein veröffentlichter Wert ändert sich ohne erklärten Grund",
        en="no published value changes without a declared reason",
    ),
    wrong=Text(
        de="veröffentlichte Werte ändern sich ohne erklärten Grund",
        en="published values change without a declared reason",
    ),
    compares=True,
)
