"""What a check is given and how it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from expectations import wording
from expectations.catalogue import Catalogue
from expectations.catalogue.base import RANGE
from expectations.catalogue.model import TOTAL, Indicator, Text
from expectations.verdict import Status, Verdict
from expectations.wording import Range, said


@dataclass(frozen=True)
class Revisions:
    """What was changed of an official table since the published table was last let out.

    `undeclared`, `declared`: how many numbers became others or were taken back, by whether the office said so;
    `accepted`: those of the declared ones that a person accepted by the delivery's day. `days`: of the deliveries that
    did it; `cells`: all cells of the newest delivery; `examples`: a few of the changes in words, undeclared ones first.
    """

    undeclared: int = 0
    declared: int = 0
    accepted: int = 0
    days: tuple[str, ...] = ()
    cells: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """What is known of one official table this night.

    `unreadable`: why an accepted snapshot no longer meets the table's contract. `outstanding`: why it
    could not be retrieved. `revisions`: what was changed of what is published. `cells`: how many cells
    the newest delivery has of what the one before it had, too; `cells_before`: how many that one had
    of them. `newly_until`, `told_until`: how far the newest delivery goes, if it was not told yet, and those told. `twins`: two accepted
    deliveries of one state of the data that say different things.
    """

    table_code: str
    snapshots: int
    newest_file: str | None = None
    newest_period_end: pd.Timestamp | None = None
    stand: str | None = None
    refused: list[str] = field(default_factory=list)
    unreadable: str | None = None
    outstanding: list[str] = field(default_factory=list)
    revisions: Revisions | None = None
    cells: int = 0
    cells_before: int | None = None
    newly_until: pd.Timestamp | None = None
    told_until: pd.Timestamp | None = None
    twins: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RegisterState:
    """What is known of one of the city's registers this night.

    `deliveries`: how many are in use. `refused`, `late`: why something did not come in. `growth`: by what share the last
    delivery has more records than the one before it (None: nothing to compare); `without_area`: the share of its records
    whose place is no area. Both are whole percentages of rounded counts: verdicts are read by everybody.
    """

    deliveries: int
    refused: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    growth: float | None = None
    without_area: float = 0.0


@dataclass(frozen=True)
class Told:
    """What readers have of a published table: its rows in the served release, and what they were made by.

    `definitions`: by indicator, the fingerprint of its declaration; `delivered`: the official tables and
    registers that delivered something else since. `schema_version` and `columns`: the contract of those rows.
    """

    rows: pd.DataFrame
    definitions: Mapping[str, str]
    units: Mapping[str, str]
    delivered: frozenset[str]
    schema_version: str
    columns: tuple[str, ...]
    area_names: Mapping[str, str] = field(default_factory=dict)
    content_hash: str = ""
    """Of the rows."""


@dataclass(frozen=True)
class StructuralTest:
    """One structural test of dbt: expected from the manifest, found in the candidate or not."""

    name: str
    status: str | None
    failures: int | None = None


@dataclass(frozen=True)
class CorrectionResult:
    """One declared correction: what the source says now; `seen` is False if it has no such cell."""

    id: str
    seen: bool
    delivered: float | None
    found: float


@dataclass(frozen=True)
class Subject:
    """Everything a check may look at: one published table of the candidate and what it came from.

    `frame` is None if dbt did not build the table. `measures` holds fct_measure of the measures
    behind the table that have rules of their own, `reconciled` those of the home municipality that its reconciliations compare.
    `told`: the indicators that the served release has values of; `before`: its rows of this table.
    `registers`: the registers behind the table. `footnotes`: texts of the sources behind it.
    `verdicts`: what the other checks found, for those that judge their findings; `used_waivers`: those that let
    the served version of the table out. `rated` holds fct_measure of what the published rates compare. `opened`: one
    row per figure by which, with all others of the release and all told before, a small count can be worked out; `unprotected`: one per
    figure that is hidden only because its whole population could not be protected. `parts_of_city`: exact sums over the
    city's areas beside the city's own; `lone_institutions`: schools that only one term of a formula counts.
    """

    table: str
    catalogue: Catalogue
    home_area: str
    today: pd.Timestamp
    frame: pd.DataFrame | None
    measures: pd.DataFrame
    deliveries: dict[str, Delivery]
    tests: list[StructuralTest]
    corrections: dict[str, CorrectionResult]
    reconciled: pd.DataFrame = field(default_factory=pd.DataFrame)
    told: frozenset[str] = frozenset()
    before: Told | None = None
    registers: Mapping[str, RegisterState] = field(default_factory=dict)
    footnotes: tuple[str, ...] = ()
    verdicts: list[Verdict] = field(default_factory=list)
    used_waivers: frozenset[str] = frozenset()
    rated: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"measure_id": []}))
    opened: pd.DataFrame | None = None
    unprotected: pd.DataFrame | None = None
    parts_of_city: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"indicator_id": [], "size": []})
    )
    lone_institutions: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"indicator_id": [], "role": [], "area_code": []})
    )
    memory: dict[str, tuple[Any, frozenset[str]]] = field(default_factory=dict, init=False, repr=False)
    """What a check found of the whole table, kept for its other scopes, and the inputs it was found from."""
    readers: list[set[str]] = field(default_factory=list, init=False, repr=False)
    """Where is noted which inputs are read, while somebody asks (`reading`)."""

    def __getattribute__(self, name: str) -> Any:
        if name in INPUTS:
            for reader in object.__getattribute__(self, "readers"):
                reader.add(name)
        return object.__getattribute__(self, name)

    @contextmanager
    def reading(self) -> Iterator[set[str]]:
        """Notes the names of all inputs that are read meanwhile, also by what `once` remembers."""
        reads: set[str] = set()
        self.readers.append(reads)
        try:
            yield reads
        finally:
            self.readers.pop()

    @property
    def indicators(self) -> list[Indicator]:
        return self.catalogue.indicators_of(self.table)

    def is_told(self, *, table: str | None = None, measure: str | None = None) -> bool:
        """Do readers have a value that an official table, and no other, or a measure stands behind?"""
        if self.frame is None or self.frame.empty:
            return True
        delivered = {code for code, delivery in self.deliveries.items() if delivery.snapshots}
        return any(
            m.id == measure
            or (table in {s.table for s in m.sources} and not delivered & {s.table for s in m.sources})
            for i in self.indicators
            if i.id in self.told
            for m in self.catalogue.measures_of(i)
        )

    def values(self, indicator: Indicator) -> pd.DataFrame:
        """The rows of one indicator; empty if the table was not built."""
        frame = self.frame
        if frame is None:
            return pd.DataFrame()
        of_indicator = self.once("values", _by_indicator)
        return of_indicator.get(indicator.id, frame.iloc[:0])

    def once(self, name: str, find: Callable[[Subject], Any]) -> Any:
        """What `find` says of the whole table, asked once for all scopes."""
        if name not in self.memory:
            with self.reading() as reads:
                found = find(self)
            self.remember(name, found, reads)
        found, inputs = self.memory[name]
        for reader in self.readers:
            reader |= inputs
        return found

    def remember(self, name: str, found: Any, reads: Iterable[str]) -> None:
        """Keep what is known of the whole table already, and the inputs it was found from."""
        self.memory[name] = (found, frozenset(reads))

    @property
    def names(self) -> list[str]:
        """The breakdowns, in the order of their columns."""
        return list(self.catalogue.breakdowns)


INPUTS = frozenset(Subject.__dataclass_fields__) - {"table", "catalogue", "memory", "readers"}
"""What a check may read of a table but its name and the catalogue."""


def _by_indicator(subject: Subject) -> dict[str, pd.DataFrame]:
    assert subject.frame is not None
    groups = subject.frame.groupby("indicator_id", sort=False, observed=True)
    return {str(name): rows for name, rows in groups}


@dataclass(frozen=True)
class Check:
    """One check: its name, its scopes by the catalogue, and what it finds in each.

    `run` answers one scope: FAIL where the rule is broken, WARN where something deserves a look; what that
    means for the table is the catalogue's policy (checks/). A scope it can't judge is NOT_EVALUATED, which
    holds the table. `compares`: the finding is about the difference to the last release, so it is gone with
    the next one and is no news to readers. `is_last`: it judges what the others found.
    """

    name: str
    scopes: Callable[[Catalogue, str], list[str]]
    run: Callable[[Subject, str], Verdict]
    compares: bool = False
    is_last: bool = False


def both(de: str, en: str, **values: Any) -> dict[str, str]:
    """A message in both languages, as `Words.say` takes it; figures and days are written as each language does."""
    text = said(de, en, **values)
    return {"de": text.de, "en": text.en}


@dataclass(frozen=True)
class Words:
    """A check by its name; its `say` makes the verdict. What to do stands in the catalogue (checks/)."""

    check: str

    def say(
        self,
        subject: Subject,
        scope: str,
        status: Status,
        *,
        observed: str,
        expected: str,
        de: str,
        en: str,
    ) -> Verdict:
        return Verdict(
            table=subject.table,
            check=self.check,
            scope=scope,
            status=status,
            observed=observed,
            expected=expected,
            message_de=de,
            message_en=en,
        )

    def not_built(self, subject: Subject, scope: str) -> Verdict:
        """The table or indicator has no rows at all: nothing was evaluated."""
        return self.say(
            subject,
            scope,
            Status.NOT_EVALUATED,
            observed="0 rows",
            expected="at least one row",
            de=f"{scope} hat keine Werte; es gab nichts zu prüfen.",
            en=f"{scope} has no values; there was nothing to check.",
        )

    def without_values(self, subject: Subject, scope: str, *, told: bool | None = None) -> Verdict:
        """Something without any value: what was told before is lost, what is new has not come yet."""
        if subject.frame is None or (scope in subject.told if told is None else told):
            return self.not_built(subject, scope)
        return self.say(
            subject,
            scope,
            Status.PASS,
            observed="no value yet",
            expected="nothing to check before the first value",
            de=f"{scope}: noch keine Werte, also nichts zu prüfen (siehe coverage).",
            en=f"{scope}: no values yet, so nothing to check (see coverage).",
        )


def indicator_scopes(catalogue: Catalogue, table: str) -> list[str]:
    """One scope per published indicator of the table."""
    return [indicator.id for indicator in catalogue.indicators_of(table)]


def table_codes(catalogue: Catalogue, table: str) -> list[str]:
    """One scope per official table behind the published one."""
    return [official.code for official in catalogue.tables_behind(table)]


def registers_behind(catalogue: Catalogue, table: str) -> list[str]:
    """One scope per register that an indicator of the table may come from."""
    behind = {name for i in catalogue.indicators_of(table) for name in catalogue.origins_of(i)}
    return sorted(behind & set(catalogue.registers))


def table_scope(catalogue: Catalogue, table: str) -> list[str]:
    """The table itself."""
    return [table]


def place(row: pd.Series, catalogue: Catalogue, names: Iterable[str] | None = None) -> Text:
    """Area, period and cells of a row, for a message; `names`: the breakdowns the row has, by default all."""
    names = names or catalogue.breakdowns
    labels = [catalogue.cell_label(n, cell) for n in names if (cell := str(row[n])) != TOTAL]
    area, when = str(row["area_code"]), str(row["period_label"])
    return Text(
        de=", ".join([area, wording.period(when, "de"), *(label.de for label in labels)]),
        en=", ".join([area, wording.period(when, "en"), *(label.en for label in labels)]),
    )


def listed(items: list[str], most: int = 3) -> str:
    """The first few of a list of codes, with the number of the others."""
    rest = f" (+{len(items) - most})" if len(items) > most else ""
    return "; ".join(items[:most]) + rest


@dataclass(frozen=True)
class Found:
    """What a check of rows found in a whole table.

    `seen`: by indicator, how many values were judged. `wrong`: the rows that break the rule, with the table's
    columns and `grave`, False where a row only deserves a look. `words`: what to say of a wrong row.
    """

    seen: Mapping[str, int]
    wrong: pd.DataFrame
    words: Callable[[pd.Series], Text] = lambda row: said("{value}", "{value}", value=row["value"])


def found(
    seen: pd.DataFrame | pd.Series,
    wrong: pd.DataFrame,
    words: Callable[[pd.Series], Text],
    grave: Any = True,
) -> Found:
    """`seen`: the rows judged. `words`: what to say of a wrong row; only the rows that are named are asked for."""
    names = seen["indicator_id"] if isinstance(seen, pd.DataFrame) else seen
    counts = names.value_counts()
    wrong = wrong.assign(grave=grave if len(wrong) else [])
    return Found({str(name): int(count) for name, count in counts.items() if count}, wrong, words)


def row_check(
    name: str,
    find: Callable[[Subject], Found],
    *,
    right: Text,
    wrong: Text,
    applies: Callable[[Indicator, Catalogue], bool] = lambda indicator, catalogue: True,
    needs: Callable[[Subject, Indicator], Text | None] = lambda subject, indicator: None,
    compares: bool = False,
) -> Check:
    """A check whose rule is about rows: `find` looks at the whole table once, the verdict is each indicator's.

    `applies`: the indicators that the rule is about, by the catalogue. `needs`: why there can be nothing to judge
    of an indicator yet (a first period has none before it); without such a reason nothing judged is not evaluated.
    """
    words = Words(name)

    def scopes(catalogue: Catalogue, table: str) -> list[str]:
        return [i.id for i in catalogue.indicators_of(table) if applies(i, catalogue)]

    def run(subject: Subject, scope: str) -> Verdict:
        indicator = subject.catalogue.indicators[scope]
        values = subject.values(indicator)
        if not has_figure(values).any():
            return words.without_values(subject, scope)
        result: Found = subject.once(name, find)
        count = result.seen.get(scope, 0)
        rows = result.wrong[result.wrong["indicator_id"] == scope] if len(result.wrong) else result.wrong
        expected = f"{right.en} ({count} values)"
        if not count and not len(rows):
            reason = needs(subject, indicator)
            if reason is None:
                return words.not_built(subject, scope)
            return words.say(
                subject, scope, Status.PASS, observed=reason.en, expected=expected,
                de=f"{indicator.label.de}: {reason.de}.", en=f"{indicator.label.en}: {reason.en}.",
            )  # fmt: skip
        if not len(rows):
            return words.say(
                subject, scope, Status.PASS, observed=f"0 of {count}", expected=expected,
                **both("{label}: {right} ({count:Wert|Werte} geprüft).", "{label}: {right} ({count:value|values} checked).",
                       label=indicator.label, right=right, count=count),
            )  # fmt: skip
        grave = rows["grave"].astype(bool)
        ordered = rows.assign(elsewhere=rows["area_code"] != subject.home_area, minor=~grave).sort_values(
            ["minor", "elsewhere", "period_end"], ascending=[True, True, False], kind="stable"
        )
        first = ordered.head(4)
        examples = [
            said(
                "{place}: {what}",
                "{place}: {what}",
                place=place(row, subject.catalogue),
                what=result.words(row),
            )
            for _, row in first.iterrows()
        ]
        detail = wording.listed([*examples[:3], *[""] * (len(rows) - 3)])
        return words.say(
            subject, scope, Status.FAIL if grave.any() else Status.WARN,
            observed=f"{len(rows)} of {max(count, len(rows))}: {detail.en}", expected=expected,
            **both("{label}: {wrong}, {times:Mal|Mal}: {detail}.", "{label}: {wrong}, {times:time|times}: {detail}.",
                   label=indicator.label, wrong=wrong, times=len(rows), detail=detail),
        )  # fmt: skip

    return Check(name, scopes, run, compares=compares)


def prepared(subject: Subject) -> pd.DataFrame:
    """The table's rows with `series` (indicator, area and cells as one number) and `end` as a time."""

    def make(subject: Subject) -> pd.DataFrame:
        assert subject.frame is not None
        rows = subject.frame.reset_index(drop=True)
        keys = ["indicator_id", "area_code", *subject.names]
        return rows.assign(series=one_number(rows, keys), end=pd.to_datetime(rows["period_end"]))

    return subject.once("prepared", make)


def by_category(column: pd.Series, function: Callable[[pd.Series], Any], *, missing: Any) -> pd.Series:
    """What `function` says of a column of texts, asked once for every distinct text; `missing` where there is none."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return pd.Series(function(column.astype(str)), index=column.index)
    of_category = np.asarray(function(pd.Series(column.cat.categories, dtype="str")))
    return pd.Series(np.append(of_category, missing)[column.cat.codes], index=column.index)


def one_number(rows: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """The columns' values together as one number, equal where all are equal; a missing value equals a missing one."""
    total = np.zeros(len(rows), dtype=np.int64)
    for name in columns:
        column = rows[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes, size = column.cat.codes.to_numpy(dtype=np.int64), len(column.cat.categories)
        else:
            codes, uniques = pd.factorize(column)
            size = len(uniques)
        total = total * (size + 1) + codes + 1
    return total


def has_figure(rows: pd.DataFrame) -> pd.Series:
    """Which rows have a value, or the range it lies in."""
    if rows.empty:
        return pd.Series(False, index=rows.index)
    return rows["value"].notna() | (rows["status"] == RANGE)


def figure_of(row: pd.Series, suffix: str = "") -> float | Range:
    """A row's value, or the range it lies in, as a sentence takes it."""
    low, high = (row[f"{name}{suffix}"] for name in ("value_from", "value_to"))
    return row[f"value{suffix}"] if pd.isna(low) or pd.isna(high) else Range(low, high)


def with_figure(subject: Subject) -> pd.DataFrame:
    """The rows that have a value, or the range it lies in; what counts beside a figure must be asked of these."""
    return subject.once("with_figure", lambda s: prepared(s)[has_figure(prepared(s))])


def known(subject: Subject) -> pd.DataFrame:
    """The rows that have a value."""
    return subject.once("known", lambda s: prepared(s)[prepared(s)["value"].notna()])


NEIGHBOURS_WITHIN_DAYS = 400
"""Periods further apart than a year and a month are not neighbours."""


def pairs(subject: Subject) -> pd.DataFrame:
    """Every known value beside the one before it in its series, where that is a neighbour.

    Further columns: `before`, `before_numerator`, `before_denominator`, `earlier` (the value before that one, if it is a
    neighbour, too), `across_break`, `is_newest` (of its indicator and level).
    """

    def make(subject: Subject) -> pd.DataFrame:
        rows = known(subject)
        order = np.lexsort((rows["end"].to_numpy(), rows["series"].to_numpy()))
        rows = rows.iloc[order]
        series, end = rows["series"].to_numpy(), rows["end"].to_numpy()
        same = np.r_[False, series[1:] == series[:-1]]
        gap = np.r_[np.timedelta64(0, "D"), end[1:] - end[:-1]] if len(rows) else end - end
        neighbour = same & (gap <= np.timedelta64(NEIGHBOURS_WITHIN_DAYS, "D"))
        columns = {}
        for name, source in (
            ("before", "value"), ("before_numerator", "numerator"), ("before_denominator", "denominator"),
        ):  # fmt: skip
            values = rows[source].to_numpy(dtype=float)
            columns[name] = np.where(neighbour, np.r_[np.nan, values[:-1]], np.nan)
        crossed = rows["series_break_before"].fillna(False).to_numpy(dtype=bool)
        further = neighbour & np.r_[False, neighbour[:-1]] & ~np.r_[False, crossed[:-1]]
        earlier = np.where(further, np.r_[np.nan, columns["before"][:-1]], np.nan)
        rows = rows.assign(**columns, earlier=earlier, across_break=crossed)
        newest = rows.groupby(["indicator_id", "area_level"], observed=True)["end"].transform("max")
        rows = rows.assign(is_newest=rows["end"] == newest)
        return rows[neighbour]

    return subject.once("pairs", make)


def no_earlier_period(subject: Subject, indicator: Indicator) -> Text | None:
    """Why changes can't be judged: there is only one period, or none beside another."""
    if subject.values(indicator)["period_end"].nunique() <= 1:
        return Text(
            de="erster Zeitraum, noch nichts zu vergleichen", en="the first period, nothing to compare yet"
        )
    if pairs(subject)["indicator_id"].eq(indicator.id).sum() == 0:
        return Text(
            de="keine benachbarten Zeiträume, nichts zu vergleichen",
            en="no neighbouring periods, nothing to compare",
        )
    return None


def no_district_pairs(subject: Subject, indicator: Indicator) -> Text | None:
    """Why changes of districts can't be judged: none is told, or none beside an earlier period."""
    rows = pairs(subject)
    mine = rows[rows["indicator_id"] == indicator.id]
    if (mine["area_level"] == "district").any():
        return None
    return no_earlier_period(subject, indicator) or Text(
        de="keine Kreise in zwei Zeiträumen", en="no districts in two periods"
    )


def is_broken_down(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Has the indicator any breakdown?"""
    return bool(indicator.breakdowns)


def only_total_cells(rows: pd.DataFrame, breakdowns: list[str]) -> np.ndarray:
    """Which rows are not broken down."""
    keep = np.ones(len(rows), dtype=bool)
    for name in breakdowns:
        keep &= (rows[name] == TOTAL).to_numpy()
    return keep


def is_official(rows: pd.DataFrame) -> pd.Series:
    """Which rows are of areas that the offices know; the city's own parts have a dash in their codes."""
    return by_category(rows["area_code"], lambda codes: ~codes.str.contains("-"), missing=True)


def land_of(rows: pd.DataFrame) -> pd.Series:
    """The first two signs of every row's area code: its Land, or DG."""
    return by_category(rows["area_code"], lambda codes: codes.str[:2], missing="")


def before_and_now(row: pd.Series) -> Text:
    """How a value changed, for a message."""
    return said("{before} → {now}", "{before} → {now}", before=row["before"], now=row["value"])


def swap_in_words(row: pd.Series, other: Text | str) -> Text:
    """How a value changed, and whose it was before, for a message; `other`: an area's key or a cell's label."""
    return said(
        "{change}, wie zuvor {other}", "{change}, as {other} had", change=before_and_now(row), other=other
    )
