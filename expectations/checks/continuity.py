"""Continuity: does a value change more from one period to the next than it believably can?

What: the change between neighbouring periods of every series, with enough cases behind it, and
never across a declared series break.
When it matters: a decimal point lost (14.1 → 141), a column swapped, a break nobody declared.
How to resolve: look at the series named; if the change is real for good, widen the indicator's
`continuity`; if the method changed, declare the break in its measure.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Indicator
from expectations.checks.base import Check, Subject, Words, indicator_scopes, listed, only_totals, place
from expectations.verdict import Status, Verdict

NEIGHBOURS_WITHIN_DAYS = 400
"""Periods further apart than a year and a month are not neighbours."""

_WORDS = Words(
    "continuity",
    "Reihe prüfen: Fehler an der Quelle, oder ein Bruch, der im Katalog zu erklären ist.",
    "Check the series: an error at the source, or a break to be declared in the catalogue.",
)


def jumps(rows: pd.DataFrame, indicator: Indicator, breakdowns: list[str]) -> pd.DataFrame:
    """Every change between neighbouring periods; `wrong` marks those beyond the limit."""
    limits = indicator.continuity
    series = rows[rows["value"].notna()].sort_values("period_end", kind="stable")
    groups = series.groupby(["area_code", *breakdowns], sort=False)
    series = series.assign(
        before=groups["value"].shift(),
        before_end=groups["period_end"].shift(),
        before_denominator=groups["denominator"].shift(),
    )
    gap = (pd.to_datetime(series["period_end"]) - pd.to_datetime(series["before_end"])).dt.days
    pairs = series[
        series["before"].notna() & ~series["series_break_before"] & (gap <= NEIGHBOURS_WITHIN_DAYS)
    ].copy()
    if indicator.kind.needs_denominator:
        cases = pairs[["denominator", "before_denominator"]].min(axis=1)
    else:
        cases = pairs[["value", "before"]].max(axis=1)
    pairs = pairs[cases >= limits.from_denominator]
    change = pairs["value"] - pairs["before"]
    if limits.max_change_points is not None:
        wrong = change.abs() > limits.max_change_points
    else:
        # From zero to many is an infinite change, so it counts against the larger of both.
        smaller = pairs[["value", "before"]].abs().min(axis=1)
        share = change.abs() / smaller.where(change > 0, pairs["before"].abs()).replace(0, np.nan)
        wrong = (share * 100 > (limits.max_change_percent or 0)) | (share.isna() & (change != 0))
    return pairs.assign(wrong=wrong)


def _run(subject: Subject, scope: str) -> Verdict:
    indicator = subject.catalogue.indicators[scope]
    rows = subject.values(indicator)
    if rows.empty or rows["value"].notna().sum() == 0:
        return _WORDS.without_values(subject, scope)
    names = list(subject.catalogue.breakdowns)
    pairs = jumps(rows, indicator, names)
    limits = indicator.continuity
    points = limits.max_change_points
    limit_de = f"{points:g} Punkte" if points is not None else f"{limits.max_change_percent:g} %"
    limit_en = f"{points:g} points" if points is not None else f"{limits.max_change_percent:g} %"
    wrong = pairs[pairs["wrong"]]
    expected = f"at most {limit_en} between neighbouring periods ({len(pairs)} changes)"
    if pairs.empty and rows["period_end"].nunique() == 1:
        return _WORDS.say(
            subject,
            scope,
            Status.PASS,
            observed="one period",
            expected=expected,
            de=f"{indicator.label.de}: erster Zeitraum, noch nichts zu vergleichen.",
            en=f"{indicator.label.en}: the first period, nothing to compare yet.",
        )
    if pairs.empty:
        return _WORDS.say(
            subject,
            scope,
            Status.WARN,
            observed="no neighbouring periods",
            expected=expected,
            de=f"{indicator.label.de}: keine benachbarten Zeiträume, nichts zu vergleichen.",
            en=f"{indicator.label.en}: no neighbouring periods, nothing to compare.",
        )
    if wrong.empty:
        return _WORDS.say(
            subject,
            scope,
            Status.PASS,
            observed="0 beyond the limit",
            expected=expected,
            de=f"{indicator.label.de}: {len(pairs)} Veränderungen, keine über {limit_de}.",
            en=f"{indicator.label.en}: {len(pairs)} changes, none beyond {limit_en}.",
        )
    home = only_totals(wrong[wrong["area_code"] == subject.home_area], names)
    share = len(wrong) / len(pairs)
    fails = not home.empty or share > limits.tolerated_share
    ordered = pd.concat([home, wrong.drop(home.index)])
    examples = [
        f"{place(row, names)}: {row['before']:g} → {row['value']:g}" for _, row in ordered.head(4).iterrows()
    ]
    return _WORDS.say(
        subject,
        scope,
        Status.FAIL if fails else Status.WARN,
        observed=f"{len(wrong)} beyond the limit",
        expected=expected,
        de=f"{indicator.label.de}: {len(wrong)} von {len(pairs)} Veränderungen größer als {limit_de}: "
        f"{listed(examples)}.",
        en=f"{indicator.label.en}: {len(wrong)} of {len(pairs)} changes beyond {limit_en}: {listed(examples)}.",
    )


CHECK = Check("continuity", indicator_scopes, _run)
