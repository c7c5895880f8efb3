"""Additivity: do the parts of a measure make up its total?

What: every measure with a declared `additivity`, per area, period and remaining cells. Cells
that are unknown (`x`, `.`, missing) leave room upwards; "darunter" cells are never added; where
persons may stand in several parts, the total lies between the largest part and the sum.
When it matters: a shifted column, a doubled row, a total of another year.
How to resolve: compare the cells named with the official table; declared roundings and later
corrections of a Land belong into the measure's `rounded_in` and `tolerance_share`.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Additivity, Measure
from expectations.checks.base import Check, Subject, Words, both, by_category, land_of, one_number, place
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

TOLERATED_SHARE = 0.02
"""So many groups outside the exact areas may disagree (corrections after the fact) and warn."""

_WORDS = Words("additivity")


def _rules(catalogue: Catalogue, table: str) -> list[tuple[Measure, Additivity]]:
    measures = {
        measure.id: measure
        for indicator in catalogue.indicators_of(table)
        for measure in catalogue.measures_of(indicator)
    }
    return [(m, rule) for _, m in sorted(measures.items()) for rule in m.additivity if rule.parts]


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return [f"{measure.id}/{rule.breakdown}" for measure, rule in _rules(catalogue, table)]


def disagreements(rows: pd.DataFrame, rule: Additivity, breakdowns: list[str]) -> pd.DataFrame:
    """One row per area, period and remaining cells that has a total and parts.

    Columns: total, parts (their sum), unknown (number of parts without a value), wrong.
    """
    others = [b for b in breakdowns if b != rule.breakdown]
    keys = ["area_code", "period_end", "period_label", *others]
    # One number stands for a group's area, period and other cells.
    group = one_number(rows, keys)
    is_total = ((rows[rule.breakdown] == TOTAL) & rows["value"].notna()).to_numpy()
    is_part = rows[rule.breakdown].isin(rule.parts).to_numpy()
    grouped = rows.loc[is_part, "value"].groupby(group[is_part], sort=False)
    summary = pd.DataFrame(
        {"parts": grouped.sum(min_count=1), "known": grouped.count(), "largest": grouped.max()}
    )
    found = rows.loc[is_total, [*keys, "value"]].rename(columns={"value": "total"})
    beside = summary.reindex(group[is_total]).set_axis(found.index)
    found = found.join(beside)[(beside["known"] > 0).to_numpy()].reset_index(drop=True)
    found["unknown"] = len(rule.parts) - found["known"]
    state = land_of(found)
    exact = by_category(
        found["area_code"], lambda codes: codes.str.startswith(tuple(rule.exact_in)), missing=False
    )
    base = pd.Series(0.0, index=found.index)
    for land, rounding in rule.rounded_in.items():
        rounded = state == land
        if rounding.since is not None:
            rounded &= pd.to_datetime(found["period_end"]) >= pd.Timestamp(rounding.since)
        base = base.mask(rounded, float(rounding.base))
    allowed = rule.tolerance_share * found["total"] + base * (len(rule.parts) + 1) / 2
    allowed = allowed.where(~exact, 0.0)
    found["exact"] = exact
    difference = found["parts"] - found["total"]
    if rule.rule == "double_counted":
        low = (found["total"] < found["largest"] - allowed) & (found["known"] > 0)
        high = (difference < -allowed) & (found["unknown"] == 0)
        found["wrong"] = low | high
    else:
        complete = found["unknown"] == 0
        found["wrong"] = (complete & (difference.abs() > allowed)) | (~complete & (difference > allowed))
    return found


def _run(subject: Subject, scope: str) -> Verdict:
    measure_id, breakdown = scope.split("/")
    measure = subject.catalogue.measures[measure_id]
    rule = next(r for r in measure.additivity if r.breakdown == breakdown)
    rows = subject.measures[subject.measures["measure_id"] == measure_id]
    names = list(subject.catalogue.breakdowns)
    found = disagreements(rows, rule, names) if len(rows) else pd.DataFrame()
    if found.empty:
        return _WORDS.without_values(subject, scope, told=subject.is_told(measure=measure_id))
    wrong = found[found["wrong"]]
    others = [b for b in names if b != breakdown]
    label = subject.catalogue.breakdowns[breakdown].label
    worst = wrong.sort_values(["exact", "period_end"], ascending=False)
    examples = [
        said(
            "{place}: {parts} ≠ {total}",
            "{place}: {parts} ≠ {total}",
            place=place(row, subject.catalogue, others),
            parts=row["parts"],
            total=row["total"],
        )
        for _, row in worst.head(4).iterrows()
    ]
    share = len(wrong) / len(found)
    newest = found["period_end"] == found["period_end"].max()
    # Tonight's news, and the home municipality, are not lost among the years of all others.
    fresh = newest & found["wrong"]
    at_home = wrong["area_code"] == subject.home_area
    expected = f"parts make up the total in {len(found)} groups"
    many = fresh.sum() > max(TOLERATED_SHARE * newest.sum(), 2)
    if wrong["exact"].any() or at_home.any() or share > TOLERATED_SHARE or many:
        status = Status.FAIL
    else:
        status = Status.WARN if len(wrong) else Status.PASS
    if status is Status.PASS:
        return _WORDS.say(
            subject,
            scope,
            status,
            observed=expected,
            expected=expected,
            **both(
                "{measure}, Gliederung {breakdown}: Teile und Summe stimmen überein ({n:Fall|Fälle} geprüft).",
                "{measure}, breakdown {breakdown}: parts and total agree ({n:case|cases} checked).",
                measure=measure.label,
                breakdown=label,
                n=len(found),
            ),
        )
    return _WORDS.say(
        subject,
        scope,
        status,
        observed=f"{len(wrong)} of {len(found)} groups disagree",
        expected=expected,
        **both(
            "{measure}, Gliederung {breakdown}: In {wrong} von {n} Fällen ergeben die Teile nicht die Summe: {examples}.",
            "{measure}, breakdown {breakdown}: in {wrong} of {n} cases the parts do not make up the total: {examples}.",
            measure=measure.label,
            breakdown=label,
            wrong=len(wrong),
            n=len(found),
            examples=listed(examples),
        ),
    )


CHECK = Check("additivity", _scopes, _run)
