"""Coverage: do all areas that must have a value have one, in every period, the home city first?

What: per level and period since `coverage.since`, the number of areas with a value against the
number before and after (districts merge for good, a Land does not vanish for a year); the home
municipality's newest period must have its total and every cell that half of its peers have. A past period
that the office did not publish for a whole level is named and does not hold the table.
A newest period that waits for another table of the formula (one has delivered, the other not yet) is named, too.
When it matters: a Land missing from a delivery, a city that fell out of a table.
How to resolve: see whether the office has not delivered (then lower the expectation with a
reason) or the file was cut.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from expectations.catalogue.availability import LEVELS
from expectations.catalogue.base import RANGE
from expectations.catalogue.model import TOTAL, Indicator, Text
from expectations.catalogue.registers import HOME_LEVEL
from expectations.checks.base import (
    NEIGHBOURS_WITHIN_DAYS,
    Check,
    Subject,
    Words,
    both,
    has_figure,
    indicator_scopes,
    one_number,
    place,
)
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

_WORDS = Words("coverage")

_COLUMNS = [
    "area_code", "area_level", "period_end", "period_label", "value", "status", "rounded_to", "source", "series_break_before",
]  # fmt: skip
"""What is looked at beside the cells; every further column would be copied for every indicator."""


def _run(subject: Subject, scope: str) -> Verdict:
    indicator = subject.catalogue.indicators[scope]
    rows = subject.values(indicator)
    if indicator.id not in subject.told and subject.frame is not None and not has_figure(rows).any():
        return _nothing_yet(subject, scope)
    if not has_figure(rows).any():
        return _WORDS.not_built(subject, scope)
    # Inside the city a value may be hidden, and where nobody lives there is none.
    names = list(subject.catalogue.breakdowns)
    rows = rows.loc[rows["area_level"].isin(indicator.levels), [*_COLUMNS, *names]]
    # What we hide ourselves, publish as a range, or can't relate because hardly anybody is there, is there; what an office
    # hides is not.
    ours = rows["status"].isin(["confidential", "not_applicable"]) & rows["rounded_to"].notna()
    ours |= rows["status"] == RANGE
    rows = rows.assign(value=rows["value"].where(~ours, 0.0))
    if rows["value"].notna().sum() == 0:
        return _WORDS.not_built(subject, scope)
    rows, awaited = _without_unfinished_period(rows)
    ends, of_row = _distinct(rows["period_end"])
    rows = rows.assign(year=pd.to_datetime(pd.Series(ends)).dt.year.to_numpy()[of_row])
    if indicator.coverage.since:
        rows = rows[rows["year"] >= indicator.coverage.since]
    totals = _expected_cells(rows, indicator, names)
    thin, absent = _thin_periods(totals, subject, scope)
    problems = [*thin, *_home_gaps(rows, subject, indicator, names)]
    expected = (
        f"{indicator.coverage.min_share:.0%} of the areas of every level and "
        f"{subject.home_area} in its newest period"
    )
    if problems:
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL,
            observed=listed(problems).en,
            expected=expected,
            **both(
                "{label}: Werte fehlen: {problems}.",
                "{label}: values are missing: {problems}.",
                label=indicator.label,
                problems=listed(problems),
            ),
        )
    gaps: list[str | Text] = [*absent, *awaited, *(str(year) for year in _missing_years(totals))]
    undivided = _totals_only(rows, subject, scope)
    if gaps or undivided:
        years = listed([*gaps, *undivided], most=12)
        return _WORDS.say(
            subject,
            scope,
            Status.WARN,
            observed=f"no values for {years.en}",
            expected="an unbroken series",
            **both(
                "{label}: keine Werte für {years}.",
                "{label}: there are no values for {years}.",
                label=indicator.label,
                years=years,
            ),
        )
    count = totals["area_code"].nunique()
    return _WORDS.say(
        subject,
        scope,
        Status.PASS,
        observed=f"{count} areas, {totals['period_end'].nunique()} periods",
        expected=expected,
        **both(
            "{label}: {n:Gebiet|Gebiete} vollständig.",
            "{label}: {n:area|areas} complete.",
            label=indicator.label,
            n=count,
        ),
    )


def _without_unfinished_period(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The rows less a newest period in which nobody has a value because a table behind the indicator is not there yet.

    That is a gap until it comes, and says nothing against what stands. A table that did deliver and has no figure is
    no such reason.
    """
    ends = sorted(_distinct(rows["period_end"])[0])
    newest = rows[rows["period_end"] == ends[-1]]
    if len(ends) < 2 or newest["value"].notna().any():
        return rows, []
    awaited = sorted(_tables(rows[rows["period_end"] == ends[-2]]) - _tables(newest))
    if not awaited:
        return rows, []
    label = f"{newest['period_label'].iloc[0]} ({', '.join(awaited)})"
    return rows[rows["period_end"] != ends[-1]], [label]


def _tables(rows: pd.DataFrame) -> set[str]:
    """The tables and registers that rows are made of."""
    return {code for codes in rows["source"].dropna().unique() for code in re.split(", | / ", str(codes))}


def _nothing_yet(subject: Subject, scope: str) -> Verdict:
    """What was never told and has no value yet is a gap, and no wrong figure; a figure that is gone is one."""
    label = subject.catalogue.indicators[scope].label
    return _WORDS.say(
        subject,
        scope,
        Status.WARN,
        observed="no value yet",
        expected="a value",
        de=f"{label.de}: noch keine Werte; es fehlt eine Lieferung oder ein gemeinsamer Zeitraum.",
        en=f"{label.en}: no values yet; a delivery or a common period is missing.",
    )


def _thin_periods(totals: pd.DataFrame, subject: Subject, scope: str) -> tuple[list[Text], list[Text]]:
    """Periods with too few areas, and earlier periods a whole level was not published for."""
    coverage = subject.catalogue.indicators[scope].coverage
    known = totals[totals["value"].notna()]
    periods = totals.drop_duplicates("period_end").sort_values("period_end")
    labels = dict(zip(periods["period_end"], periods["period_label"], strict=True))
    problems, absent = [], []
    for level in coverage.levels:
        counts = known[known["area_level"] == level].groupby("period_end")["area_code"].nunique()
        if counts.empty:
            problems.append(said("{level}: kein Gebiet", "{level}: no area", level=LEVELS[level]))
            continue
        counts = counts.reindex(list(labels), fill_value=0)
        for position, (period, count) in enumerate(counts.items()):
            usual = _usual_number(counts, position)
            if count == 0 and position < len(counts) - 1:
                absent.append(
                    said("{label} ({level})", "{label} ({level})", label=labels[period], level=LEVELS[level])
                )
            elif count < coverage.min_share * usual:
                problems.append(
                    said("{level}, {label}: {count} von {usual} Gebieten", "{level}, {label}: {count} of {usual} areas",
                         level=LEVELS[level], label=labels[period], count=int(count), usual=usual)
                )  # fmt: skip
    return problems, absent


def _usual_number(counts: pd.Series, position: int) -> int:
    """The number of areas to expect in a period: reached both before and after it.

    The newest period has no after, so the last one delivered before it counts; the oldest has only
    an after.
    """
    before, after = counts.iloc[:position], counts.iloc[position + 1 :]
    if before.empty or after.empty:
        neighbour = before[before > 0].iloc[-1:] if after.empty else after
        return int(neighbour.max()) if len(neighbour) else int(counts.iloc[position])
    return int(min(before.max(), after.max()))


def _expected_cells(rows: pd.DataFrame, indicator: Indicator, names: list[str]) -> pd.DataFrame:
    """The rows that must have a value: totals, or the cell declared where there is none."""
    wanted = np.ones(len(rows), dtype=bool)
    for name in names:
        wanted &= (rows[name] == indicator.coverage.cells.get(name, TOTAL)).to_numpy()
    return rows[wanted]


def _home_gaps(rows: pd.DataFrame, subject: Subject, indicator: Indicator, names: list[str]) -> list[Text]:
    """Cells of the home municipality without a value that the other areas of its level have, or had before."""
    if HOME_LEVEL not in indicator.levels:
        return []
    ends = _expected_cells(rows, indicator, names)["period_end"]
    last = ends.max()
    newest = rows[rows["period_end"] == last]
    period = newest["period_label"].iloc[0]
    home = newest[newest["area_code"] == subject.home_area]
    if _expected_cells(home, indicator, names)["value"].notna().sum() == 0:
        return [
            said(
                "{area}, {period}: kein Wert",
                "{area}, {period}: no value",
                area=subject.home_area,
                period=period,
            )
        ]
    # No pupils of a type, no share of them: not applicable is an answer.
    level = newest["area_level"] == home["area_level"].iloc[0]
    earlier = ends[ends < last]
    before = rows.iloc[:0]
    # A column that came empty for everybody is missed by nobody beside it.
    if len(earlier) and last - (earlier := earlier.max()) <= pd.Timedelta(days=NEIGHBOURS_WITHIN_DAYS):
        before = rows[rows["period_end"] == earlier]
    # Cells are told apart by one number each.
    both = pd.concat([newest, before])
    cells = one_number(both, names)
    now, then = cells[: len(newest)], cells[len(newest) :]
    at_home = (newest["area_code"] == subject.home_area).to_numpy()
    answered = (newest["value"].notna() | (newest["status"] == "not_applicable")).to_numpy()
    known = set(now[at_home & answered].tolist())
    usual = _usual_cells(newest, now, level.to_numpy())
    if len(before):
        unbroken = before["value"].notna() & before["series_break_before"].ne(True)
        had = set(then[((before["area_code"] == subject.home_area) & unbroken).to_numpy()].tolist())
        same_level = (before["area_level"] == home["area_level"].iloc[0]).to_numpy()
        earlier_cells = _usual_cells(before, then, same_level) & had & set(now[at_home].tolist())
        usual |= earlier_cells
        # What nobody has any more, though most had it and we did, is gone, whatever sign stands there.
        known -= earlier_cells - set(now[(level & newest["value"].notna()).to_numpy()].tolist())
    missing = usual - known
    if not missing:
        return []
    first = both.assign(cell=cells)[np.isin(cells, list(missing))].drop_duplicates("cell")
    return [
        said(
            "{place}: kein Wert",
            "{place}: no value",
            place=place(
                pd.Series(
                    {
                        **dict(zip(names, cell, strict=True)),
                        "area_code": subject.home_area,
                        "period_label": period,
                    }
                ),
                subject.catalogue,
            ),
        )
        for cell in sorted(first[names].itertuples(index=False, name=None))
    ]


def _usual_cells(rows: pd.DataFrame, cells: np.ndarray, peers: np.ndarray) -> set[int]:
    """The cells that at least half of the areas of `peers` have a value in."""
    areas, of_row = np.unique(one_number(rows, ["area_code"]), return_inverse=True)
    valued = peers & rows["value"].notna().to_numpy()
    kinds, of_cell = np.unique(cells[valued], return_inverse=True)
    pairs = np.unique(of_cell * len(areas) + of_row[valued])
    counts = np.bincount(pairs // max(len(areas), 1), minlength=len(kinds))
    return set(kinds[counts >= 0.5 * len(np.unique(of_row[peers]))].tolist())


def _distinct(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of a column, and which of them each row has. Days are slow to convert and few."""
    codes, values = pd.factorize(column)
    return np.asarray(values), codes


def _totals_only(rows: pd.DataFrame, subject: Subject, scope: str) -> list[Text]:
    """Breakdowns that some periods are not delivered in, though others are."""
    found = []
    for name in subject.catalogue.indicators[scope].breakdowns:
        known = rows[rows["value"].notna()]
        broken_down = set(known.loc[known[name] != TOTAL, "year"])
        missing = sorted(set(known["year"]) - broken_down)
        if missing and broken_down:
            label, span = subject.catalogue.breakdowns[name].label, f"{missing[0]}–{missing[-1]}"
            found.append(
                said(
                    "{span} in der Gliederung {label} ({n:Jahr|Jahre})",
                    "{span} in the breakdown {label} ({n:year|years})",
                    span=span,
                    label=label,
                    n=len(missing),
                )
            )
    return found


def _missing_years(totals: pd.DataFrame) -> list[int]:
    years = set(totals.loc[totals["value"].notna(), "year"])
    return sorted(set(range(min(years), max(years) + 1)) - years) if years else []


CHECK = Check("coverage", indicator_scopes, _run)
