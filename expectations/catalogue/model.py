"""The catalogue's vocabulary as pydantic models: one field, one type, nothing extra allowed.

Belongs here: what may be written in a catalogue file and what it means.
Does not belong here: reading files (load.py) and the tables made of them for dbt (relations.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from enum import StrEnum
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, field_validator, model_validator

from expectations.catalogue.base import (
    LEAST_PER_BASE,
    OLDEST,
    TOTAL,
    WIDEST_TOLERANCE,
    Cadence,
    Entry,
    Identifier,
    Text,
    ages_of,
    years_of_ages,
)
from expectations.catalogue.registers import (
    HOME_LEVEL,
    Agreement,
    ColumnType,
    LocalLevel,
    Reconciliation,
    Register,
    RegisterSource,
    Term,
)

UNITS = {
    "persons": Text(de="Personen", en="persons"),
    "places": Text(de="Plätze", en="places"),
    "schools": Text(de="Schulen", en="schools"),
    "percent": Text(de="Prozent", en="percent"),
    "per 100": Text(de="je 100", en="per 100"),
    "EUR": Text(de="Euro", en="euros"),
    "households": Text(de="Haushalte", en="households"),
    "cases": Text(de="Fälle", en="cases"),
    "events": Text(de="Ereignisse", en="events"),
    "classes": Text(de="Klassen", en="classes"),
    "facilities": Text(de="Einrichtungen", en="facilities"),
    "courses": Text(de="Kurse", en="courses"),
    "enrolments": Text(de="Belegungen", en="enrolments"),
    "lessons": Text(de="Unterrichtsstunden", en="lessons"),
    "visits": Text(de="Besuche", en="visits"),
    "loans": Text(de="Entleihungen", en="loans"),
    "offers": Text(de="Angebote", en="offers"),
    "rooms": Text(de="Räume", en="rooms"),
    "square metres": Text(de="Quadratmeter", en="square metres"),
    "measures": Text(de="Maßnahmen", en="measures"),
    "partners": Text(de="Partner", en="partners"),
    "answers": Text(de="Antworten", en="answers"),
    "years": Text(de="Jahre", en="years"),
    "hours": Text(de="Stunden", en="hours"),
    "months": Text(de="Monate", en="months"),
    "days": Text(de="Tage", en="days"),
    "contracts": Text(de="Verträge", en="contracts"),
    "examinations": Text(de="Prüfungen", en="examinations"),
    "vacancies": Text(de="Stellen", en="vacancies"),
    "positions": Text(de="Vollzeitstellen", en="full-time positions"),
    "levels": Text(de="Klassenstufen", en="grades"),
    "per 1000": Text(de="je 1.000", en="per 1,000"),
    "per head": Text(de="je Einwohnerin oder Einwohner", en="per inhabitant"),
    "persons per class": Text(de="Personen je Klasse", en="persons per class"),
    "persons per position": Text(de="Personen je Vollzeitstelle", en="persons per full-time position"),
    "classes per level": Text(de="Klassen je Klassenstufe", en="classes per grade"),
    "vacancies per person": Text(de="Stellen je Person", en="vacancies per person"),
    "percentage points": Text(de="Prozentpunkte", en="percentage points"),
    "standard deviations": Text(de="Standardabweichungen", en="standard deviations"),
}
"""Every unit a figure may have; its key stands in the tables, its names in print."""

PEOPLE = ("persons", "households", "cases", "enrolments", "answers", "contracts", "examinations")
"""Units that count people. What is rounded for publication does not depend on them: see `protection`."""


SIZES = ("places", "rooms", "classes", *PEOPLE)
"""Units in which a larger area has more; models in them give no rank."""


def _known_unit(unit: str) -> str:
    if unit not in UNITS:
        raise ValueError(f"expected one of {', '.join(UNITS)}")
    return unit


Unit = Annotated[str, AfterValidator(_known_unit)]


class Cell(Entry):
    """One cell of a breakdown. `subset_of` marks a "darunter" cell, which is never added up."""

    id: str
    label: Text
    subset_of: str | None = None


def overlap(left: Cell, right: Cell) -> bool:
    """Do two cells of a breakdown share somebody? Subsets by declaration, ages by their codes."""
    if left.id == right.id or right.id == left.subset_of or left.id == right.subset_of:
        return True
    first, second = ages_of(left.id), ages_of(right.id)
    return first is not None and second is not None and first[0] < second[1] and second[0] < first[1]


class Breakdown(Entry):
    """A dimension an indicator may be broken down by; its cells besides the implicit `total`.

    `position` is the place of its column in every table.
    """

    id: Identifier
    position: int
    label: Text
    cells: list[Cell]

    def cell_ids(self) -> set[str]:
        return {TOTAL, *(cell.id for cell in self.cells)}


class ClassificationItem(Entry):
    """One item of a GENESIS variable: its official code, our cell, its labels in datencsv files.

    Labels are accepted spellings only; nothing is ever keyed on them.
    """

    code: str
    cell: str
    labels: list[str] = []


class Classification(Entry):
    """How the items of one GENESIS variable map to the cells of one breakdown."""

    variable: str = Field(pattern=r"^[A-Z][A-Z0-9_-]*$")
    label: Text
    breakdown: str
    items: list[ClassificationItem]


class PeriodMeaning(StrEnum):
    """What a bare year in a table stands for; a reference day is never guessed.

    Under `reference_day` and `winter_term` a bare year names nothing; under `year_end_day` it is
    31 December.
    """

    REFERENCE_DAY = "reference_day"
    CALENDAR_YEAR = "calendar_year"
    SCHOOL_YEAR_START = "school_year_start"
    SCHOOL_YEAR_END = "school_year_end"
    WINTER_TERM = "winter_term"
    YEAR_END_DAY = "year_end_day"


class ColumnContract(Entry):
    """One value column of an official table: what it holds, in datencsv by position, proved by its header.

    Without a `header` the table is read from flat files only, which carry codes. Outside `valid_from`/`valid_to` (period ends) the column was not collected: whatever stands
    there is no zero and is not used.
    """

    measure: str = Field(pattern=r"^[A-Z][A-Z0-9_-]*$")
    header: str | None = None
    unit: str
    items: dict[str, str] = {}
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None

    @field_validator("header")
    @classmethod
    def _is_a_pattern(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value


class Statistic(Entry):
    """One official statistic by its EVAS number: who makes it, on what day, when it is due.

    `due_after_days`: days after a period's end until the office usually has its figures in the
    database; `late_after_days`: the freshness limit, after which they are late.
    """

    evas: str = Field(pattern=r"^\d{5}$")
    title: Text
    publisher: Text
    licence: str
    database: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    cadence: Cadence
    reference: Text
    period: PeriodMeaning
    due_after_days: int = Field(gt=0)
    late_after_days: int = Field(gt=0)
    revises: Revises | None = None

    @model_validator(mode="after")
    def _late_is_after_due(self) -> Statistic:
        if self.late_after_days < self.due_after_days:
            raise ValueError("late_after_days: nothing can be late before it is due")
        return self

    def next_period_end(self, last: dt.date) -> dt.date:
        """The end of the period after the one that ended on `last`."""
        return self.cadence.after(last)

    def due_on(self, last: dt.date) -> dt.date:
        """The day by which the period after `last` usually can be fetched."""
        return self.next_period_end(last) + dt.timedelta(days=self.due_after_days)

    def late_from(self, last: dt.date) -> dt.date:
        """The day from which the period after `last` is late."""
        return self.next_period_end(last) + dt.timedelta(days=self.late_after_days + 1)


class AcceptedRevision(Entry):
    """A state of the data whose changes to earlier periods were looked at and accepted.

    `since`/`until`: the span of period ends that the office says it revised; without them any.
    """

    stand: dt.date
    since: dt.date | None = None
    until: dt.date | None = None
    note: Text

    def covers(self, period_end: dt.date) -> bool:
        return (self.since is None or self.since <= period_end) and (
            self.until is None or period_end <= self.until
        )


class Revises(Entry):
    """How far back an office itself goes on correcting its figures, without announcing each time.

    `newest_periods`: so many of the newest periods are preliminary; 0: what is published stands.
    """

    newest_periods: int = Field(ge=0)
    note: Text


class OfficialTable(Entry):
    """One table of the statistical offices and the contract every delivery of it must meet.

    A table without `columns` is collected and read by its own labels or codes; no measure can come
    from it. `row_dimensions` are the text columns after area code and name, in order; `columns` the
    value columns, in order. `since`/`until`: first and last year of the series; a series that ended
    is never due. `period` and `database` are its statistic's unless the table has its own.
    `revision_limit`: share of cells of earlier periods that one delivery may change.
    """

    code: str = Field(pattern=r"^(?:[0-9]{5}[A-Z]?|AI[A-Z0-9]*)(-[0-9A-Z]+)+$")
    title: Text
    evas: str = Field(pattern=r"^\d{5}$")
    levels: list[Literal["country", "state", "region", "district", "sub_district", "municipality"]] = Field(
        min_length=1
    )
    since: int
    until: int | None = None
    period: PeriodMeaning | None = None
    database: str | None = None
    row_dimensions: list[str] = []
    columns: list[ColumnContract] = []
    revision_limit: float = Field(default=0.02, ge=0, le=1)
    accepted_revisions: list[AcceptedRevision] = []

    @property
    def is_bound(self) -> bool:
        """Is there a contract on its columns?"""
        return bool(self.columns)

    def variables(self) -> set[str]:
        return set(self.row_dimensions) | {v for c in self.columns for v in c.items}

    @property
    def raw_name(self) -> str:
        """The table's name in the warehouse and in Dagster: `genesis__21111_01_03_4`."""
        return "genesis__" + self.code.lower().replace("-", "_")


class MeasureSource(Entry):
    """Where a measure comes from: a measure of an official table, while it is collected.

    Where two tables deliver the same cell, the earlier source in the list wins.
    """

    table: str
    measure: str
    factor: float = 1


class Complement(Entry):
    """A cell that no table prints but that follows exactly: `gives` = total − `of`."""

    breakdown: str
    of: str
    gives: str


class Rounding(Entry):
    """Counts of a Land are rounded to multiples of `base`, from period ends `since` on."""

    base: int = Field(gt=1)
    since: dt.date | None = None


class Additivity(Entry):
    """Which cells of a breakdown make up its total, and how exactly.

    `sum`: the parts add up to the total. `double_counted`: a person may stand in several parts,
    so the total lies between the largest part and the sum. `none`: cells of this breakdown must
    never be added (a school counts once in each of its types). `tolerance_share` is relative to the
    total and covers later corrections; `rounded_in` names Länder whose counts are rounded to a
    base, which adds base × number of parts. `exact_in` names area prefixes without tolerance.
    """

    breakdown: str
    parts: list[str] = []
    rule: Literal["sum", "double_counted", "none"] = "sum"
    tolerance_share: float = 0.0
    rounded_in: dict[str, Rounding] = {}
    exact_in: list[str] = []

    @model_validator(mode="after")
    def _parts_where_they_count(self) -> Additivity:
        if (self.rule == "none") == bool(self.parts):
            raise ValueError("parts: name them where they add up, and only there")
        return self


class SeriesBreak(Entry):
    """Values from this period end on are not comparable with those before it.

    `scope` is an area-code prefix; `*` means everywhere. `cells` names the cells it touches, if it
    leaves the others and the total alone.
    """

    from_: dt.date = Field(alias="from")
    scope: str = "*"
    cells: dict[str, list[str]] = {}
    note: Text


class Unrounded(Entry):
    """A decision to publish exact figures that one person more would change: who looked when, and why it is safe."""

    decided_on: dt.date
    reason: Text


class Measure(Entry):
    """ONE countable quantity: a count, a sum, or a rate its office computed itself.

    It comes from official tables (`sources`) or from one of the city's registers (`register`).
    `impossible`: combinations of cells in which nobody can stand (breakdown → cells). `unrounded`: publish it exact although
    one person more would change it.
    """

    id: Identifier
    label: Text
    unit: Unit
    unrounded: Unrounded | None = None
    sources: list[MeasureSource] = []
    register_: RegisterSource | None = Field(default=None, alias="register")
    complements: list[Complement] = []
    additivity: list[Additivity] = []
    impossible: list[dict[str, list[str]]] = []
    series_breaks: list[SeriesBreak] = []

    @model_validator(mode="after")
    def _exactly_one_origin(self) -> Measure:
        if bool(self.sources) == (self.register_ is not None):
            raise ValueError("give sources (official tables) or a register, one of them")
        return self

    @property
    def origins(self) -> set[str]:
        """The official tables or the register its values come from."""
        if self.register_ is not None:
            return {self.register_.register_}
        return {source.table for source in self.sources}


class Kind(StrEnum):
    """How an indicator follows from its measures.

    count, sum: the numerator. share: parts of a whole, in percent. distribution: every cell's share
    of the whole. rate: events or persons per population at another time, in percent or per `scale`.
    ratio: one quantity per other. difference: numerator minus denominator. mean: sum over count.
    reported: the office computed it; its parts are not delivered. index, model: a dbt model of its
    own computes it, because no formula of two terms does.
    """

    COUNT = "count"
    SUM = "sum"
    SHARE = "share"
    DISTRIBUTION = "distribution"
    RATE = "rate"
    RATIO = "ratio"
    DIFFERENCE = "difference"
    MEAN = "mean"
    REPORTED = "reported"
    INDEX = "index"
    MODEL = "model"

    @property
    def is_modelled(self) -> bool:
        """Does a dbt model of its own compute it?"""
        return self in (Kind.INDEX, Kind.MODEL)

    @property
    def needs_denominator(self) -> bool:
        return not self.is_modelled and self not in (Kind.COUNT, Kind.SUM, Kind.REPORTED)


class Alignment(StrEnum):
    """Which period of the denominator belongs to a period of the numerator.

    same_year_end: 31 December of the year in which the numerator's period begins (pupils of a school
    year, residents in its first winter). previous_period: the period one year before.
    """

    SAME_PERIOD = "same_period"
    PREVIOUS_YEAR_END = "previous_year_end"
    SAME_YEAR_END = "same_year_end"
    PREVIOUS_PERIOD = "previous_period"


class Continuity(Entry):
    """Largest believable change between neighbouring periods, with enough cases behind it.

    Points for rates and shares, percent of the former value for counts and amounts. More than
    `tolerated_share` of the changes beyond the limit, or one of the home municipality, fail.
    """

    max_change_points: float | None = None
    max_change_percent: float | None = None
    from_denominator: float = 50
    tolerated_share: float = 0.02

    @model_validator(mode="after")
    def _exactly_one_limit(self) -> Continuity:
        if (self.max_change_points is None) == (self.max_change_percent is None):
            raise ValueError("give either max_change_points or max_change_percent")
        return self


OfficialLevel = Literal["country", "state", "region", "district"]
AreaLevel = OfficialLevel | LocalLevel


class Coverage(Entry):
    """Which areas must have a value: levels, share of the known areas, and since when.

    `cells`: the cells that must have one, where an indicator has no total (schools by type).
    """

    levels: list[AreaLevel] = ["district"]
    min_share: float = Field(default=0.9, ge=0, le=1)
    since: int | None = None
    cells: dict[str, str] = {}


class LocalFormula(Entry):
    """The same indicator inside the city, from its registers: its terms and the levels they serve.

    `agrees`: how far register and official table may be apart for the city as a whole; numerator and denominator are
    compared one by one. It is needed where the main formula reads official tables.
    """

    numerator: Term
    denominator: Term | None = None
    levels: list[LocalLevel] = Field(min_length=1)
    agrees: Agreement | None = None


FIELDS_OF_ACTION = {
    "individual_support": Text(de="Individuelle Förderung", en="Individual support"),
    "newcomers": Text(de="Integration von Neuzugewanderten", en="Integration of newcomers"),
    "inclusion": Text(de="Inklusion", en="Inclusion"),
    "school_development": Text(de="Schulentwicklung", en="School development"),
    "cultural_and_political_education": Text(
        de="Kulturelle und politische Bildung", en="Cultural and political education"
    ),
    "digital_education": Text(de="Digitale Bildung", en="Digital education"),
    "transitions": Text(de="Übergänge", en="Transitions"),
    "universities": Text(de="Hochschulen", en="Universities"),
    "framework": Text(de="Rahmenbedingungen", en="General conditions"),
}
"""The city's eight fields of action, and what belongs to none of them."""


def _known_field(name: str) -> str:
    if name not in FIELDS_OF_ACTION:
        raise ValueError(f"expected one of {', '.join(FIELDS_OF_ACTION)}")
    return name


class Indicator(Entry):
    """One indicator of the education monitoring: its sheet, its formula and its limits.

    `planned`: no declared source delivers it yet; `missing` says what is needed and `availability` from whom. Of all
    others the sentences on sources, levels and breakdowns are made from the declaration (availability.py). `reason`: why a
    model and no formula computes it; `model`: that dbt model; `model_registers`: the registers it reads.
    `cells`: which cells of a breakdown it shows, where the measure has more. `total_of_cells`: the breakdowns whose
    total adds up these cells, above and below the line, because one of both counts people whom the other can't
    count (children in day care are under 14, residents are of any age). `better`: which direction the city wants; none
    where neither is better (shares of groups of people, sizes). `above_100`: why a rate in percent may lie above 100;
    needed where `valid_range` lets it.
    """

    id: Identifier
    code: str = Field(pattern=r"^[A-HK]\d+\.\d+$")
    label: Text
    purpose: Text
    interpretation: Text
    calculation: Text
    availability: Text | None = None
    kind: Kind
    reason: Text | None = None
    numerator: Term | None = None
    denominator: Term | None = None
    local: LocalFormula | None = None
    model: str | None = Field(default=None, pattern=r"^int_[a-z0-9_]+$")
    model_registers: list[str] = []
    alignment: Alignment = Alignment.SAME_PERIOD
    scale: float | None = None
    unit: Unit
    decimals: int = Field(ge=0, le=6)
    better: Literal["higher", "lower", "none"]
    breakdowns: list[str] = []
    cells: dict[str, list[str]] = {}
    total_of_cells: list[str] = []
    levels: list[AreaLevel] = ["country", "state", "region", "district"]
    valid_range: tuple[float | None, float | None]
    above_100: Text | None = None
    continuity: Continuity
    coverage: Coverage = Coverage()
    fields_of_action: list[Annotated[str, AfterValidator(_known_field)]] = Field(min_length=1)
    table: str
    owner: str
    status: Literal["planned", "published", "retired"]
    missing: Text | None = None

    @model_validator(mode="after")
    def _formula_is_complete(self) -> Indicator:
        if (self.status == "planned") != (self.missing is not None):
            raise ValueError("missing: say what a planned indicator still needs, and only of a planned one")
        if (self.status == "planned") != (self.availability is not None):
            raise ValueError(
                "availability: say of a planned indicator what its sources will be; of others it follows from the declaration"
            )
        if self.kind.is_modelled != (self.reason is not None):
            raise ValueError("reason: say why a model computes it, and only then")
        if self.status == "planned":
            return self
        if (self.kind is Kind.MODEL) != (self.model is not None):
            raise ValueError("model: name the dbt model of a kind: model, and only of one")
        if (self.numerator is None) != self.kind.is_modelled:
            raise ValueError(f"kind {self.kind} needs {'no' if self.kind.is_modelled else 'a'} numerator")
        for formula in (self, self.local):
            if formula is None:
                continue
            if self.kind.needs_denominator and formula.denominator is None:
                raise ValueError(f"kind {self.kind} needs a denominator")
            if not self.kind.needs_denominator and formula.denominator is not None:
                raise ValueError(f"kind {self.kind} takes no denominator")
        if set(self.cells) - set(self.breakdowns):
            raise ValueError("cells: only for breakdowns of the indicator")
        if set(self.total_of_cells) - set(self.cells):
            raise ValueError("total_of_cells: name the cells under `cells`, the total adds up those")
        if self.local and set(self.local.levels) & set(self.levels):
            raise ValueError("local: its levels are served by the indicator's own formula already")
        high = self.valid_range[1]
        exceeds = self.unit == "percent" and (high is None or high > 100)
        if exceeds and self.kind in (Kind.SHARE, Kind.DISTRIBUTION):
            raise ValueError("valid_range: a part of a whole is at most 100 percent")
        if (exceeds and self.kind is Kind.RATE) != (self.above_100 is not None):
            raise ValueError(
                "above_100: say why the rate may lie above 100 percent, where its valid_range lets it, and only there"
            )
        if self.kind in (Kind.SHARE, Kind.RATE) and self.unit == "percent" and self.scale:
            raise ValueError("a percentage is always per 100; leave scale out")
        return self

    @property
    def multiplier(self) -> float:
        """What the quotient is multiplied by: `scale`, else 100 for percentages, else 1."""
        return self.scale or (100 if self.unit == "percent" and self.denominator else 1)

    @property
    def is_ranked(self) -> bool:
        """Can areas be ranked by it? Not by sizes: the largest city has most of everything."""
        sizes = (Kind.COUNT, Kind.SUM, Kind.DIFFERENCE)
        return self.kind not in sizes and not (self.kind is Kind.MODEL and self.unit in SIZES)

    @property
    def formulas(self) -> dict[str, tuple[Term, Term | None]]:
        """Numerator and denominator by origin: `main`, and `local` inside the city."""
        found = {"main": self} if self.numerator is not None else {}
        if self.local is not None:
            found["local"] = self.local  # type: ignore[assignment]
        return {name: (f.numerator, f.denominator) for name, f in found.items()}  # type: ignore[misc]

    @property
    def all_levels(self) -> list[str]:
        return [*self.levels, *(self.local.levels if self.local else [])]

    @property
    def levels_inside(self) -> list[str]:
        """Its levels inside the city: Stadtteile, other parts of the city, schools."""
        return [level for level in self.all_levels if level not in get_args(OfficialLevel)]

    @property
    def terms(self) -> list[Term]:
        """Every measure that stands in one of its formulas."""
        pairs = [t for formula in self.formulas.values() for t in formula if t is not None]
        return [part for term in pairs for _, part in term.parts()]


_FIGURES = {
    "kind", "numerator", "denominator", "local", "model", "alignment", "scale", "unit", "decimals", "breakdowns", "cells", "total_of_cells",
    "levels",
}  # fmt: skip
"""The fields of an indicator that decide its figures; labels and limits do not."""

_NO_FIGURES = {
    "title", "owner", "legal_basis", "cadence", "due_after_days", "late_after_days", "retention_days", "original_days",
}  # fmt: skip
"""The fields of a register that decide no figure: who delivers it, when, and how long it is kept."""


class IndexComponent(Entry):
    """An indicator that an index is made of, and how much it weighs."""

    indicator: str
    weight: float = Field(gt=0)


class Index(Entry):
    """An index of areas: the weighted mean of what its components say, each in standard deviations.

    `id` is the indicator it gives; `level` the areas it compares. Higher means more burdened. `at_least`: how many
    components an area must have. `outcomes`: the indicators of education whose gradient along the index is published.
    """

    id: Identifier
    level: LocalLevel
    normalisation: Literal["z_score"]
    components: list[IndexComponent] = Field(min_length=2)
    at_least: int = Field(ge=2)
    outcomes: list[str] = []

    @model_validator(mode="after")
    def _can_be_had(self) -> Index:
        if self.at_least > len(self.components):
            raise ValueError(f"at_least: there are {len(self.components)} components")
        return self


class Survey(Entry):
    """One question of a survey, told as weighted shares with their intervals.

    `answers`: the measure that counts answers (cells of `category`) by `stratum`; `population`: how many
    there are in each stratum, in the same period. Who answers less often is weighted up to them.
    """

    id: Identifier
    title: Text
    question: Text
    answers: str
    stratum: str
    population: Term


class PublishedTable(Entry):
    """One table readers get; the unit that the gate lets out or holds."""

    id: Identifier
    title: Text
    description: Text
    schema_version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    owner: str


class PeerGroup(Entry):
    """Areas that are compared with each other: a declared list with its source, never one that a program works out.

    `members`: how a sentence calls them, after "the other". `valid_from`: since when the list holds.
    """

    id: Identifier
    title: Text
    members: Text
    source: Text
    valid_from: dt.date
    areas: list[str] = Field(min_length=2)

    @field_validator("areas")
    @classmethod
    def _each_once(cls, codes: list[str]) -> list[str]:
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"{', '.join(twice)} twice")
        return codes


class Successor(Entry):
    """Where a dissolved district went; `share` of its inhabitants, 1 if it went there whole."""

    code: str = Field(pattern=r"^\d{5}$")
    share: float = Field(gt=0, le=1)


class DissolvedArea(Entry):
    """A district that ended with a reform; its key stays in tables for ever."""

    code: str = Field(pattern=r"^\d{5}$")
    name: str
    successors: list[Successor] = Field(min_length=1)

    @model_validator(mode="after")
    def _everybody_went_somewhere(self) -> DissolvedArea:
        if abs(sum(s.share for s in self.successors) - 1) > 0.005:
            raise ValueError("the successors' shares do not add up to 1")
        return self


class FoundedArea(Entry):
    """A district key that began with a reform."""

    code: str = Field(pattern=r"^\d{5}$")
    name: str


class AreaReform(Entry):
    """A reform of districts: which keys ended the day before, which began, which changed shape.

    The dates are the law's. Tables are partly calculated back or carry old keys for longer, so a
    date never decides whether a number counts, only whether `-` can be a zero.
    """

    id: Identifier
    takes_effect: dt.date
    title: Text
    evidence: Text
    dissolved: list[DissolvedArea] = []
    founded: list[FoundedArea] = []
    reshaped: list[str] = []


class Correction(Entry):
    """A known error in an official table, corrected in staging while the source still has it.

    `found` is what the source says, `value` what stands there instead; null means that the true
    value is unknown. Once the source says something else, the correction fails the gate.
    """

    id: Identifier
    table: str
    measure: str
    area: str
    period_end: dt.date
    cells: dict[str, str] = {}
    found: float
    value: float | None
    evidence: Text


class PublishedRate(Entry):
    """A rate that an office computed, and the measures it is made of: both must tell the same.

    `rate`, `numerator`, `denominator`: measures; own rate = numerator ÷ denominator × `scale`. They may differ
    by `percent` of the office's rate plus `absolute`. The finding stands with the verdicts of `table`.
    """

    id: Identifier
    title: Text
    rate: str
    numerator: str
    denominator: str
    scale: float = 1
    alignment: Literal["same_year", "previous_year_end"] = "same_year"
    percent: float = Field(default=0, ge=0)
    absolute: float = Field(default=0, ge=0)
    table: str
    note: Text


class Exemption(Entry):
    """Where a check decides otherwise than usual: for a table or one scope, with the reason."""

    table: str | None = None
    scope: str | None = None
    broken: Literal["hold", "warn"]
    reason: Text

    @model_validator(mode="after")
    def _somewhere(self) -> Exemption:
        if self.table is None and self.scope is None:
            raise ValueError("name a table or a scope; for everywhere change the policy itself")
        return self


class CheckPolicy(Entry):
    """What a finding of one check means: the office's decision, not the programmer's.

    `broken`: the rule is broken; `notable`: something deserves a look. `hold` keeps the table back (bar one, fit to
    publish), `warn` lets it out with the warning. `machines`: from which finding on the table is not fit for machine use
    (bar two): dashboards and programs read without reading the notes. `what` and `guidance` are what people read.
    """

    id: Identifier
    title: Text
    family: Literal["arrival", "structure", "meaning", "time", "release", "confidentiality"]
    what: Text
    guidance: Text
    broken: Literal["hold", "warn"] = "hold"
    notable: Literal["hold", "warn"] = "warn"
    machines: Literal["broken", "notable", "never"] = "broken"
    exemptions: list[Exemption] = []


FAMILIES = {
    "arrival": Text(de="Eingang", en="Arrival"),
    "structure": Text(de="Aufbau", en="Structure"),
    "meaning": Text(de="Bedeutung", en="Meaning"),
    "time": Text(de="Zeitreihe", en="Time series"),
    "release": Text(de="Vergleich mit dem letzten Stand", en="Against the last release"),
    "confidentiality": Text(de="Geheimhaltung", en="Confidentiality"),
}
"""The kinds of checks, in the order in which they run."""


class Waiver(Entry):
    """A dated exception: a finding that somebody looked at and answers for.

    It speaks of one check in one scope of one table. Once it has expired or matches nothing it holds the table.
    """

    id: Identifier
    check: str
    table: str
    scope: str
    reason: str = Field(min_length=10)
    owner: str = Field(min_length=2)
    made_on: dt.date
    expires: dt.date

    @model_validator(mode="after")
    def _ends(self) -> Waiver:
        if self.expires < self.made_on:
            raise ValueError("expires: before it was made")
        if (self.expires - self.made_on).days > LONGEST_WAIVER_DAYS:
            raise ValueError(f"expires: a waiver lasts {LONGEST_WAIVER_DAYS} days at the most")
        return self


NEVER_WAIVED = ("disclosure", "waiver", "integrity")
"""Confidentiality is no matter of opinion; a waiver of waivers has no end; tests that did not run prove nothing."""

LONGEST_WAIVER_DAYS = 366
"""An exception for longer is a rule: change the catalogue."""


class Catalogue(Entry):
    """All declarations, resolved: every reference points to something that exists."""

    breakdowns: dict[str, Breakdown]
    classifications: dict[str, Classification]
    statistics: dict[str, Statistic]
    tables: dict[str, OfficialTable]
    measures: dict[str, Measure]
    indicators: dict[str, Indicator]
    published: dict[str, PublishedTable]
    corrections: dict[str, Correction] = {}
    area_reforms: dict[str, AreaReform] = {}
    registers: dict[str, Register] = {}
    reconciliations: dict[str, Reconciliation] = {}
    indices: dict[str, Index] = {}
    surveys: dict[str, Survey] = {}
    peer_groups: dict[str, PeerGroup] = {}
    published_rates: dict[str, PublishedRate] = {}
    checks: dict[str, CheckPolicy] = {}
    waivers: dict[str, Waiver] = {}
    files: dict[str, str] = {}
    """Indicator id → the file that declares it, relative to the catalogue folder."""

    def cell_label(self, breakdown: str, cell: str) -> Text:
        """What a cell of a breakdown is called; its code where nothing names it."""
        for declared in self.breakdowns[breakdown].cells:
            if declared.id == cell:
                return declared.label
        return Text(de=cell, en=cell)

    def in_order(self) -> list[Indicator]:
        """Every indicator in the order of the codes, which follows the life course."""
        found = self.indicators.values()
        return sorted(found, key=lambda i: (i.code[0], [int(p) for p in i.code[1:].split(".")], i.id))

    def indicators_of(self, table: str) -> list[Indicator]:
        """The published indicators of a published table, in the order of their codes."""
        return [i for i in self.in_order() if i.table == table and i.status == "published"]

    def measures_of(self, indicator: Indicator) -> list[Measure]:
        """The measures in its formulas, each once."""
        return [self.measures[name] for name in dict.fromkeys(t.measure for t in indicator.terms)]

    def registers_of(self, indicator: Indicator) -> set[str]:
        """The registers its main formula needs; without them there is no value at all."""
        if indicator.kind.is_modelled:
            index = self.indices.get(indicator.id)
            if index is None:
                return set(indicator.model_registers)
            return self._registers_behind(self._terms_of_index(index))
        main = [t for t in indicator.formulas.get("main", ()) if t is not None]
        return self._registers_behind(main)

    def origins_of(self, indicator: Indicator) -> set[str]:
        """Every official table and register that a value of it may come from."""
        index = self.indices.get(indicator.id)
        if index is not None:
            return {*indicator.model_registers, *self._origins_behind(self._terms_of_index(index))}
        return {*indicator.model_registers, *(o for m in self.measures_of(indicator) for o in m.origins)}

    def _terms_of_index(self, index: Index) -> list[Term]:
        """The terms of an index's components by the formula that its level has."""
        behind = [self.indicators[c.indicator] for c in index.components]
        formulas = [i.formulas.get("local" if index.level not in i.levels else "main", ()) for i in behind]
        return [t for formula in formulas for t in formula if t is not None]

    def origins_inside(self, indicator: Indicator) -> set[str]:
        """The registers that its values inside the city come from where it has a formula of its own for them; else none."""
        terms = [t for t in indicator.formulas.get("local", ()) if t is not None]
        return self._origins_behind(terms)

    def origins_outside(self, indicator: Indicator) -> set[str]:
        """Every official table and register that its other values come from."""
        if indicator.local is None:
            return self.origins_of(indicator)
        return self._origins_behind([t for t in indicator.formulas.get("main", ()) if t is not None])

    def _origins_behind(self, terms: list[Term]) -> set[str]:
        return {o for term in terms for _, part in term.parts() for o in self.measures[part.measure].origins}

    def _registers_behind(self, terms: list[Term]) -> set[str]:
        sources = [self.measures[part.measure].register_ for term in terms for _, part in term.parts()]
        return {source.register_ for source in sources if source is not None}

    def for_registers(self, in_use: set[str]) -> Catalogue:
        """The catalogue of a city with these registers: what needs another is planned there."""

        def adapted(indicator: Indicator) -> Indicator:
            if indicator.status != "published":
                return indicator
            if unconnected := sorted(self.registers_of(indicator) - in_use):
                names = ", ".join(unconnected)
                missing = Text(
                    de=f"Register nicht angeschlossen: {names}", en=f"register not connected: {names}"
                )
                return indicator.model_copy(update={"status": "planned", "missing": missing})
            local = [t for t in indicator.formulas.get("local", ()) if t is not None]
            unserved = self._registers_behind(local) - in_use
            return indicator.model_copy(update={"local": None}) if unserved else indicator

        indicators = {name: adapted(indicator) for name, indicator in self.indicators.items()}
        tables = {i.table for i in indicators.values() if i.status == "published"}
        published = {name: table for name, table in self.published.items() if name in tables}
        return self.model_copy(update={"indicators": indicators, "published": published})

    def breaks_of(self, indicator: Indicator) -> list[tuple[SeriesBreak, dict[str, list[str]]]]:
        """The series breaks that touch an indicator, each with the cells it shows them in.

        A break of single cells touches an indicator that takes one of them or is broken down by
        them; a total stays as it is.
        """
        found: list[tuple[SeriesBreak, dict[str, list[str]]]] = []
        for term in indicator.terms:
            for entry in self.measures[term.measure].series_breaks:
                shown: dict[str, list[str]] = {}
                touched = True
                for breakdown, cells in entry.cells.items():
                    fixed = term.cells(breakdown)
                    if fixed is not None:
                        touched &= bool(set(fixed) & set(cells))
                    elif breakdown in indicator.breakdowns:
                        shown[breakdown] = cells
                    else:
                        touched = False
                if touched and (entry, shown) not in found:
                    found.append((entry, shown))
        return found

    def breakdowns_of_measure(self, measure: str) -> set[str]:
        """The breakdowns a measure is delivered in: its register's, or its tables' variables."""
        found: set[str] = set()
        if (register := self.measures[measure].register_) is not None:
            return set(register.by)
        for source in self.measures[measure].sources:
            table = self.tables[source.table]
            columns = [c for c in table.columns if c.measure == source.measure]
            variables = {*table.row_dimensions, *(v for c in columns for v in c.items)}
            found |= {self.classifications[v].breakdown for v in variables if v in self.classifications}
        return found

    def cells_of_measure(self, measure: str, breakdown: str) -> set[str]:
        """The cells a measure is delivered by in one breakdown, without the total; none if it does not know it."""
        found = self.measures[measure]
        if (source := found.register_) is not None:
            if breakdown == "age_group":
                return set(source.ages)
            column = source.by.get(breakdown)
            return set(self.registers[source.register_].column(column).codes.values()) if column else set()
        return {cell for table in found.origins for cell in self.cells_of_table(table, measure, breakdown)}

    def cells_of_table(self, code: str, measure: str, breakdown: str) -> set[str]:
        """The cells in which one official table delivers a measure, without the total."""
        table = self.tables[code]
        known = {source.measure for source in self.measures[measure].sources if source.table == code}
        columns = [column for column in table.columns if column.measure in known]
        cells: set[str] = set()
        for variable in {*table.row_dimensions, *(v for c in columns for v in c.items)}:
            entry = self.classifications.get(variable)
            if entry is None or entry.breakdown != breakdown:
                continue
            items = {c.items[variable] for c in columns if variable in c.items}
            in_rows = variable in table.row_dimensions
            cells |= {item.cell for item in entry.items if in_rows or item.code in items}
        return cells - {TOTAL}

    def people_of_measure(self, measure: str, breakdown: str) -> frozenset[Any] | None:
        """Whom a measure's total counts, as far as one breakdown can say: years of age, or cells. None: it can't say.

        A register's measure counts whom its `where` chooses, or whom the column may hold (an age within its limits); an
        official one those of its cells.
        """
        source = self.measures[measure].register_
        if source is None:
            cells = self.cells_of_measure(measure, breakdown)
            return (years_of_ages(cells) if breakdown == "age_group" else frozenset[Any](cells)) or None
        for column in self.registers[source.register_].columns:
            if breakdown == "age_group" and column.type is ColumnType.AGE:
                low, high = (
                    (source.span(column.id) or (None, None)) if column.id in source.where else (None, None)
                )
                first = column.min if low is None else low
                last = column.max if high is None else high
                return frozenset(range(int(first or 0), OLDEST if last is None else int(last) + 1))
            if column.breakdown == breakdown:
                return frozenset(
                    source.wanted(column.id) if column.id in source.where else column.codes.values()
                )
        return None

    def for_tables(self, chosen: list[str] | None) -> Catalogue:
        """The catalogue of a city that publishes these tables only; None: all of them."""
        if chosen is None:
            return self
        needed = {
            component.indicator
            for index in self.indices.values()
            if self.indicators[index.id].table in chosen
            for component in index.components
        }

        def adapted(indicator: Indicator) -> Indicator:
            if indicator.status != "published" or indicator.table in chosen or indicator.id in needed:
                return indicator
            missing = Text(de="Tabelle hier nicht gewählt", en="table not chosen here")
            return indicator.model_copy(update={"status": "planned", "missing": missing})

        indicators = {name: adapted(indicator) for name, indicator in self.indicators.items()}
        published = {name: table for name, table in self.published.items() if name in chosen}
        return self.model_copy(update={"indicators": indicators, "published": published})

    def levels_of_measure(self, measure: str) -> set[str]:
        """The area levels a measure is delivered for: by its register, or by all of its tables together."""
        found = self.measures[measure]
        if found.register_ is not None:
            return {HOME_LEVEL, *found.register_.levels}
        return {level for source in found.sources for level in self.tables[source.table].levels}

    def terms_over_schools(self, indicator: Indicator) -> list[tuple[Term, Term]]:
        """The quotients and differences of an indicator that add schools up: every measure in them is counted by school."""
        found = []
        for origin, (numerator, denominator) in indicator.formulas.items():
            levels = (
                indicator.levels if origin == "main" or indicator.local is None else indicator.local.levels
            )
            if denominator is not None and set(levels) - {"school"}:
                parts = [*numerator.parts(), *denominator.parts()]
                if all("school" in self.levels_of_measure(part.measure) for _, part in parts):
                    found.append((numerator, denominator))
        return found

    def measures_from(self, register: str) -> list[Measure]:
        """The measures a register delivers, by their ids."""
        found = [m for m in self.measures.values() if m.register_ and m.register_.register_ == register]
        return sorted(found, key=lambda m: m.id)

    def measures_with_rules(self, table: str) -> list[str]:
        """The measures behind a published table whose own cells have rules: what their parts sum to, or must not be summed to; which cells can't exist."""
        measures = {m.id: m for i in self.indicators_of(table) for m in self.measures_of(i)}
        return sorted(name for name, m in measures.items() if m.additivity or m.impossible)

    def measures_reconciled(self, table: str) -> list[str]:
        """The measures that the reconciliations of a published table compare."""
        sides = [
            s for r in self.reconciliations.values() if r.table == table for s in (r.register_, r.official)
        ]
        terms = [term for side in sides for term in (side.numerator, side.denominator) if term is not None]
        return sorted({part.measure for term in terms for _, part in term.parts()})

    def measures_of_rates(self, table: str) -> list[str]:
        """The measures that the published rates told with a table are compared by."""
        rates = [r for r in self.published_rates.values() if r.table == table]
        return sorted({name for r in rates for name in (r.rate, r.numerator, r.denominator)})

    def definition_hash(self, indicator: Indicator) -> str:
        """sha256 over whatever is declared of an indicator's figures: its formula, its measures, where they come from."""
        measures = self.measures_of(indicator)
        tables = {s.table for m in measures for s in m.sources}
        parts = [
            indicator.model_dump_json(include=_FIGURES, by_alias=True),
            *(m.model_dump_json(by_alias=True, exclude={"label"}) for m in measures),
            *(self.tables[t].model_dump_json(include={"columns", "row_dimensions", "period"}) for t in sorted(tables)),
            *(c.model_dump_json() for _, c in sorted(self.corrections.items()) if c.table in tables),
            *(self.registers[n].model_dump_json(by_alias=True, exclude=_NO_FIGURES) for n in sorted(self.origins_of(indicator) & set(self.registers))),
        ]  # fmt: skip
        if self.origins_of(indicator) & set(self.registers) or any(
            rule.rounded_in for m in measures for rule in m.additivity
        ):
            # The policy decides what is published of rounded counts.
            parts.append(f"{LEAST_PER_BASE} {WIDEST_TOLERANCE}")
        if indicator.id in self.indices:
            index = self.indices[indicator.id]
            parts += [
                index.model_dump_json(),
                *(self.definition_hash(self.indicators[c.indicator]) for c in index.components),
            ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def policy(self, check: str, table: str, scope: str) -> tuple[str, str, str]:
        """What a finding means there: if the rule is broken, if something is notable, for machines."""
        declared = self.checks[check]
        fitting = [e for e in declared.exemptions if e.table in (None, table) and e.scope in (None, scope)]
        broken = fitting[0].broken if fitting else declared.broken
        return broken, declared.notable, declared.machines

    def statistic_of(self, table: OfficialTable) -> Statistic:
        """The statistic a table belongs to."""
        return self.statistics[table.evas]

    def tables_behind(self, published: str) -> list[OfficialTable]:
        """The official tables a published table needs, reached through its measures."""
        codes = {
            source.table
            for indicator in self.indicators_of(published)
            for measure in self.measures_of(indicator)
            for source in measure.sources
        }
        return [self.tables[code] for code in sorted(codes)]

    @property
    def content_hash(self) -> str:
        """sha256 over every declaration: evidence made for another catalogue does not count."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()
