"""Series breaks: is every declared break where the data are?

What: every declared break that touches an indicator and lies within its periods is marked in the rows of its first period, and no
row is marked that no declaration explains.
When it matters: a break that is declared and not marked lets a reader compare what can't be compared; a mark without a
declaration switches the checks over time off.
How to resolve: compare the date of the break with the ends of periods (31.07., 31.12., 01.03.).
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, has_figure, prepared, row_check
from expectations.wording import said


def _find(subject: Subject) -> Found:
    rows = prepared(subject)
    marked = rows["series_break_before"].fillna(False).astype(bool)
    explained = pd.Series(False, index=rows.index)
    code = rows["area_code"].astype(str)
    unmarked = []
    for indicator in subject.indicators:
        mine = rows["indicator_id"] == indicator.id
        for entry, shown in subject.catalogue.breaks_of(indicator):
            scope = mine & (code.str.startswith(entry.scope) if entry.scope != "*" else mine)
            from_ = pd.Timestamp(entry.from_)
            cells = pd.Series(True, index=rows.index)
            for name, chosen in shown.items():
                cells &= rows[name].isin(chosen)
            explained |= scope & (rows["end"] >= from_)
            told = scope & cells & has_figure(rows)
            after = rows[told & (rows["end"] >= from_)]
            before = rows[told & (rows["end"] < from_)]
            if len(after) and len(before):
                first = after["end"].min()
                # A cell that has no past has no break.
                here = after[(after["end"] == first) & after["series"].isin(set(before["series"]))]
                if len(here) and not marked.loc[here.index].any():
                    unmarked.append(here.head(1).assign(broken_on=entry.from_))
    stray = rows[marked & ~explained].assign(broken_on=None)
    return found(rows, pd.concat([*unmarked, stray]) if unmarked else stray, _words)


def _words(row: pd.Series) -> Text:
    if pd.isna(row["broken_on"]):
        return Text(de="bezeichnet, aber nicht erklärt", en="marked, but nothing declared")
    return said("Bruch vom {day} nicht bezeichnet", "break of {day} not marked", day=row["broken_on"])


CHECK = row_check(
    "series_break",
    _find,
    right=Text(de="erklärte Brüche sind bezeichnet, und nur sie", en="declared breaks are marked, and only they"),
    wrong=Text(de="Bruch und Bezeichnung stimmen nicht", en="break and mark do not agree"),
)  # fmt: skip
