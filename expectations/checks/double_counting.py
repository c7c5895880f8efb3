"""Double counting: has somebody added up what must not be added?

What: measures whose parts may not be summed over a breakdown (a school counts once in each of its types): no total
stands there that is nothing but the sum of its parts, for it would count twice.
When it matters: the office prints `x` for the total on purpose; a sum in its place is a wrong number of schools.
How to resolve: remove the sum; take the true number from the directory of schools.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL
from expectations.checks.base import Check, Subject, Words, both, place
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

_WORDS = Words("double_counting")

_MANY = 0.5


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    measures = {m.id: m for i in catalogue.indicators_of(table) for m in catalogue.measures_of(i)}
    return [
        f"{name}/{rule.breakdown}"
        for name, measure in sorted(measures.items())
        for rule in measure.additivity
        if rule.rule == "none"
    ]


def _run(subject: Subject, scope: str) -> Verdict:
    measure_id, breakdown = scope.split("/")
    label = subject.catalogue.measures[measure_id].label
    rows = subject.measures[subject.measures["measure_id"] == measure_id]
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.without_values(subject, scope, told=subject.is_told(measure=measure_id))
    keys = ["area_code", "period_end", "period_label", *(n for n in subject.names if n != breakdown)]
    parts = rows[(rows[breakdown] != TOTAL) & rows["value"].notna()]
    sums = parts.groupby(keys, observed=True, sort=False)["value"].agg(["sum", "size"])
    positive = parts[parts["value"] > 0].groupby(keys, observed=True, sort=False).size()
    totals = rows[(rows[breakdown] == TOTAL) & rows["value"].notna()].set_index(keys)[["value"]]
    joined = totals.join(sums, how="inner").join(positive.rename("positive"), how="left")
    wrong = joined[(joined["positive"] > 1) & (joined["value"] == joined["sum"])].reset_index()
    groups = len(sums)
    expected = "no total that is the sum of its parts"
    if wrong.empty:
        return _WORDS.say(
            subject, scope, Status.PASS, observed=f"0 of {groups}", expected=expected,
            **both("{label}: nirgends steht eine unzulässige Summe ({n:Fall|Fälle} geprüft).",
                   "{label}: nowhere stands a sum that must not be made ({n:case|cases} checked).", label=label, n=groups),
        )  # fmt: skip
    wrong[breakdown] = TOTAL
    # Offices print such a total here and there, where it happens to be true; a rule of ours makes it everywhere.
    everywhere = len(wrong) > _MANY * int((positive > 1).sum())
    examples = [
        said("{place}: {value}", "{place}: {value}", place=place(row, subject.catalogue), value=row["value"])
        for _, row in wrong.head(4).iterrows()
    ]
    return _WORDS.say(
        subject, scope, Status.FAIL if everywhere else Status.WARN, observed=f"{len(wrong)} of {groups}", expected=expected,
        **both("{label}: {n:Summe|Summen} über Teile, die sich überschneiden: {sums}.",
               "{label}: {n:sum|sums} over parts that count more than once: {sums}.", label=label, n=len(wrong), sums=listed(examples)),
    )  # fmt: skip


CHECK = Check("double_counting", _scopes, _run)
