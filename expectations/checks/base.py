"""What a check is given and how it answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL, Indicator
from expectations.verdict import Status, Verdict


@dataclass(frozen=True)
class Revisions:
    """What was changed of an official table since the published table was last let out.

    `changed`: by the day of the delivery that did it, how many numbers became others or were taken
    back; `cells`: all cells of the newest delivery; `examples`: a few of the changes in words.
    """

    changed: dict[str, int]
    cells: int
    examples: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Delivery:
    """What is known of one official table this night.

    `unreadable`: why an accepted snapshot no longer meets the table's contract. `outstanding`: why it
    could not be retrieved. `revisions`: what was changed of what is published.
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
    behind the table, `reconciled` those of the home municipality that its reconciliations compare.
    `told`: the indicators that the served release has values of.
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
    memory: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    """What a check found of the whole table, kept for its other scopes."""

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
        if self.frame is None:
            return pd.DataFrame()
        if "values" not in self.memory:
            self.memory["values"] = dict(list(self.frame.groupby("indicator_id", sort=False)))
        return self.memory["values"].get(indicator.id, self.frame.iloc[:0])


@dataclass(frozen=True)
class Check:
    """One check: its name, its scopes by the catalogue, and what it finds in each.

    `run` answers one scope; a scope it can't judge is NOT_EVALUATED, which holds the table.
    """

    name: str
    scopes: Callable[[Catalogue, str], list[str]]
    run: Callable[[Subject, str], Verdict]


@dataclass(frozen=True)
class Words:
    """A check's fixed words; its `say` makes the verdict."""

    check: str
    guidance_de: str
    guidance_en: str

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
        quiet = status is Status.PASS
        return Verdict(
            table=subject.table,
            check=self.check,
            scope=scope,
            status=status,
            observed=observed,
            expected=expected,
            message_de=de,
            message_en=en,
            guidance_de="" if quiet else self.guidance_de,
            guidance_en="" if quiet else self.guidance_en,
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


def table_scope(catalogue: Catalogue, table: str) -> list[str]:
    """The table itself."""
    return [table]


def only_totals(rows: pd.DataFrame, breakdowns: list[str]) -> pd.DataFrame:
    """The rows that are not broken down."""
    keep = pd.Series(True, index=rows.index)
    for name in breakdowns:
        keep &= rows[name] == TOTAL
    return rows[keep]


def place(row: pd.Series, breakdowns: list[str]) -> str:
    """Area, period and cells of a row, for a message."""
    cells = [str(row[name]) for name in breakdowns if row[name] != TOTAL]
    return ", ".join([str(row["area_code"]), str(row["period_label"]), *cells])


def listed(items: list[str], most: int = 3) -> str:
    """The first few of a list, with the number of the others."""
    rest = f" (+{len(items) - most})" if len(items) > most else ""
    return "; ".join(items[:most]) + rest
