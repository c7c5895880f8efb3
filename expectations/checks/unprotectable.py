"""Unprotectable: was there a way to protect the people counted, other than to hide everything about them?

What: the counts of one measure and period that are told together are either protected one by one, or, where no way was
found, all hidden; then every figure made of them is named.
When it matters: nothing leaks, but a table that was good yesterday would go out as dots.
How to resolve: `int_confidential_count.problem` in the candidate says why. Totals that do not fit their parts: ask whoever
keeps the register. Told before and not to be taken back: correct nothing, waive it until the period is no longer shown.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import Found, Subject, found, prepared, row_check
from expectations.checks.disclosure import from_people, rows_among
from expectations.wording import Language, day


def _find(subject: Subject) -> Found:
    chosen = {i.id for i in subject.indicators if from_people(i, subject.catalogue)}
    judged = prepared(subject)
    judged = judged[judged["indicator_id"].isin(chosen)]
    broken = judged.iloc[:0].assign(why="")
    if subject.unprotected is not None and not subject.unprotected.empty:
        broken = judged[rows_among(subject, judged, subject.unprotected)]
        why = ", ".join(sorted(set(subject.unprotected["why"])))
        broken = broken.assign(why=why)
    return found(judged, broken, _words)


def _words(row: pd.Series) -> Text:
    """The measures and periods that could not be protected, days as each language writes them."""

    def dated(language: Language) -> str:
        return re.sub(
            r"\d{4}-\d{2}-\d{2}", lambda m: day(dt.date.fromisoformat(m[0]), language), str(row["why"])
        )

    return Text(de=dated("de"), en=dated("en"))


CHECK = row_check(
    "unprotectable",
    _find,
    applies=from_people,
    right=Text(de="jede Zahl für sich geschützt", en="every count protected for itself"),
    wrong=Text(de="nur zu schützen, indem alles geheim bleibt", en="protected only by hiding everything"),
)
