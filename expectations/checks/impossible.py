"""Impossible combinations: does somebody stand in a cell that can't exist?

What: combinations of cells that a measure declares `impossible` (a seventh grade of a primary school) have no value above zero.
When it matters: a shifted column fills cells that have no pupils in any year.
How to resolve: compare the order of columns with the official table; if the combination exists after all, remove the declaration.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Text
from expectations.checks.base import Check, Subject, Words, both, place
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

_WORDS = Words("impossible")


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    measures = {m.id: m for i in catalogue.indicators_of(table) for m in catalogue.measures_of(i)}
    return sorted(name for name, measure in measures.items() if measure.impossible)


def _run(subject: Subject, scope: str) -> Verdict:
    measure = subject.catalogue.measures[scope]
    rows = subject.measures[subject.measures["measure_id"] == scope]
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.without_values(subject, scope, told=subject.is_told(measure=scope))
    wrong: list[Text] = []
    count = 0
    for combination in measure.impossible:
        chosen = rows["value"].fillna(0) > 0
        for name, cells in combination.items():
            chosen &= rows[name].isin(cells)
        hits = rows[chosen]
        count += len(hits)
        wrong += [
            said(
                "{place}: {value}",
                "{place}: {value}",
                place=place(row, subject.catalogue),
                value=row["value"],
            )
            for _, row in hits.head(4).iterrows()
        ]
    expected = "nobody in a cell that can't exist"
    if wrong:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{count} values: {listed(wrong).en}", expected=expected,
            **both("{label}: {n:Wert|Werte} in Zellen, die es nicht geben kann: {values}.",
                   "{label}: {n:value|values} in cells that can't exist: {values}.", label=measure.label, n=count, values=listed(wrong)),
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"0 of {len(rows)}", expected=expected,
        de=f"{measure.label.de}: keine unmögliche Zelle besetzt.",
        en=f"{measure.label.en}: no impossible cell is filled.",
    )  # fmt: skip


CHECK = Check("impossible", _scopes, _run)
