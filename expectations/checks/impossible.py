"""Impossible combinations: does somebody stand in a cell that can't exist?

What: combinations of cells that a measure declares `impossible` (a seventh grade of a primary school) have no value above zero.
When it matters: a shifted column fills cells that have no pupils in any year.
How to resolve: compare the order of columns with the official table; if the combination exists after all, remove the declaration.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, listed, place
from expectations.verdict import Status, Verdict

_WORDS = Words("impossible")


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    measures = {m.id: m for i in catalogue.indicators_of(table) for m in catalogue.measures_of(i)}
    return sorted(name for name, measure in measures.items() if measure.impossible)


def _run(subject: Subject, scope: str) -> Verdict:
    measure = subject.catalogue.measures[scope]
    rows = subject.measures[subject.measures["measure_id"] == scope]
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.without_values(subject, scope, told=subject.is_told(measure=scope))
    wrong: list[str] = []
    count = 0
    for combination in measure.impossible:
        chosen = rows["value"].fillna(0) > 0
        for name, cells in combination.items():
            chosen &= rows[name].isin(cells)
        hits = rows[chosen]
        count += len(hits)
        wrong += [f"{place(row, subject.names)}: {row['value']:g}" for _, row in hits.head(4).iterrows()]
    expected = "nobody in a cell that can't exist"
    if wrong:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"{count} values: {listed(wrong)}", expected=expected,
            de=f"{measure.label.de}: {count} Werte in Zellen, die es nicht geben kann: {listed(wrong)}.",
            en=f"{measure.label.en}: {count} values in cells that can't exist: {listed(wrong)}.",
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"0 of {len(rows)}", expected=expected,
        de=f"{measure.label.de}: keine unmögliche Zelle besetzt.",
        en=f"{measure.label.en}: no impossible cell is filled.",
    )  # fmt: skip


CHECK = Check("impossible", _scopes, _run)
