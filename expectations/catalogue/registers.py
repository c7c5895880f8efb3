"""Registers of the city: what a delivery holds, how it is checked and what may be counted from it.

Belongs here: one register's declaration; what a measure takes from it; what must agree with what.
Does not belong here: reading, checking or counting (orchestration/collect/registers).
"""

from __future__ import annotations

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from expectations.catalogue.base import Cadence, Entry, Identifier, Text

LocalLevel = Literal[
    "city_district",
    "local_district",
    "statistical_district",
    "school_district",
    "planning_district",
    "school",
]
"""Areas inside a city: Stadtteil, Ortsbezirk, statistischer Bezirk, Schulbezirk, Planungsbezirk, Schule."""

HOME_LEVEL = "district"
"""The city itself."""


OTHERWISE = "*"
"""Among a column's codes: every other code of the column's pattern."""

CITY = "{city}"
"""In a column's codes: the key of the municipality that runs this."""


class ColumnType(StrEnum):
    """What a column of a delivery is, and with it what the door makes of it.

    pseudonym: an identifier, kept as keyed hash. age: a date of birth, kept as completed years on
    the reference day. birth_month: a date of birth, kept as month, where a cohort rule needs it.
    dropped: never read. text: free text, only in registers without personal data. flag: yes or no.
    area: a block side, a school number or an area's name.
    """

    PSEUDONYM = "pseudonym"
    AGE = "age"
    BIRTH_MONTH = "birth_month"
    CODE = "code"
    INTEGER = "integer"
    NUMBER = "number"
    DATE = "date"
    FLAG = "flag"
    AREA = "area"
    TEXT = "text"
    DROPPED = "dropped"


class Column(Entry):
    """One column of a delivery: `name` as the sender heads it, `id` in the vault.

    `codes`: the delivered code → what it means: a cell of `breakdown`, or a word of our own; `*` stands
    for every other code of the `pattern`, `{city}` for the municipality's own key. `min` and
    `max` are inclusive. `counts_people`: does one person more make the number larger? Needed of every number that a
    measure sums in a register without personal data. `future`: may a date lie after the reference day? `age_on`: the
    day (MM-DD) of the reference day's year on which an age is counted, instead of the reference day.
    """

    name: str = Field(min_length=1)
    id: Identifier
    type: ColumnType
    required: bool = False
    key: bool = False
    codes: dict[str, str] = {}
    breakdown: str | None = None
    system: Literal["block_side", "city_district", "school"] | None = None
    unit: str | None = None
    pattern: str | None = None
    min: float | None = None
    max: float | None = None
    future: bool = False
    age_on: str | None = Field(default=None, pattern=r"^\d{2}-\d{2}$")
    counts_people: bool | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Column:
        if (self.type is ColumnType.CODE) != bool(self.codes):
            raise ValueError(f"{self.name}: codes belong to columns of type code, and only there")
        if (self.type is ColumnType.AREA) != (self.system is not None):
            raise ValueError(f"{self.name}: a system belongs to columns of type area, and only there")
        if OTHERWISE in self.codes and self.pattern is None:
            raise ValueError(f"{self.name}: `{OTHERWISE}` among the codes needs a pattern")
        if self.breakdown and self.type is not ColumnType.CODE:
            raise ValueError(f"{self.name}: only codes are cells of a breakdown")
        if self.age_on is not None and self.type is not ColumnType.AGE:
            raise ValueError(f"{self.name}: age_on belongs to columns of type age, and only there")
        if self.counts_people is not None and self.type not in (ColumnType.INTEGER, ColumnType.NUMBER):
            raise ValueError(f"{self.name}: counts_people belongs to columns of numbers, and only there")
        if self.key and self.type in (ColumnType.DROPPED, ColumnType.AGE):
            raise ValueError(f"{self.name}: a key can't be {self.type}")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"{self.name}: not a regular expression: {error}") from error
        return self


class CsvFormat(Entry):
    """Text with separators. With a header the columns may stand in any order, else in the declared one.

    `ends_with_newline`: does the system end its last line? If so, a file that does not is cut short.
    """

    kind: Literal["csv"]
    encoding: Literal["utf-8", "cp1252"] = "utf-8"
    delimiter: Literal[";", ",", "\t"] = ";"
    header: bool = True
    decimal: Literal[",", "."] = ","
    ends_with_newline: bool = True


class WorkbookFormat(Entry):
    """A sheet of an XLSX, XLS or ODS workbook; `header_row` counts from 1.

    `ending`: what the system writes; all three are read.
    """

    kind: Literal["workbook"]
    ending: Literal["xlsx", "ods"] = "xlsx"
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1)
    decimal: Literal[",", "."] = "."


class FixedWidthFormat(Entry):
    """Lines of one width, as KOSIS and DUVA write them: column name → first position from 1, length."""

    kind: Literal["fixed_width"]
    encoding: Literal["utf-8", "cp1252"] = "cp1252"
    width: int = Field(gt=0)
    layout: dict[str, tuple[int, int]]
    decimal: Literal[",", "."] = ","

    @model_validator(mode="after")
    def _lies_in_the_line(self) -> FixedWidthFormat:
        for name, (start, length) in self.layout.items():
            if start < 1 or length < 1 or start + length - 1 > self.width:
                raise ValueError(f"layout: {name} lies outside a line of {self.width} characters")
        return self


class FhirFormat(Entry):
    """A FHIR bundle, one row per resource of a kind.

    A column's name is a path such as `subject.identifier.value`, or `item:` and an answer's linkId.
    """

    kind: Literal["fhir"]
    resource: str = "QuestionnaireResponse"
    decimal: Literal[",", "."] = "."


class SurveyFormat(Entry):
    """An archive with LimeSurvey's answers (CSV) and the code book (question;code;label) beside them."""

    kind: Literal["survey"]
    answers: str = "answers.csv"
    codebook: str = "codebook.csv"
    decimal: Literal[",", "."] = "."


FileFormat = Annotated[
    CsvFormat | WorkbookFormat | FixedWidthFormat | FhirFormat | SurveyFormat, Field(discriminator="kind")
]


class Query(Entry):
    """How a register is read from a database: columns named as in a delivery, one reference day.

    `rows` takes the parameter `:reference`; `references` lists the reference days there are.
    `db_schema` is searched for tables without one.
    """

    rows: str
    references: str
    db_schema: str | None = Field(default=None, alias="schema")

    @field_validator("rows")
    @classmethod
    def _asks_for_one_day(cls, text: str) -> str:
        if ":reference" not in text:
            raise ValueError("the query must ask for one reference day, as :reference")
        return text


class Reference(Entry):
    """Where a delivery's reference day stands: in a column, or in the file's name as `(\\d{8})`."""

    column: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Reference:
        if (self.column is None) == (self.file is None):
            raise ValueError("give a column or a pattern of file names")
        return self


class OrderRule(Entry):
    """In every row `first` is not after, or not more than, `second`, where both are known."""

    kind: Literal["order"]
    first: str
    second: str


class ShareRule(Entry):
    """The share of rows with a value lies between two bounds: what swapped columns do not keep."""

    kind: Literal["share"]
    column: str
    value: str
    low: float = Field(ge=0, le=1)
    high: float = Field(ge=0, le=1)
    from_rows: int = Field(default=200, gt=0)


class MeanRule(Entry):
    """The mean of a column lies between two bounds: what a shifted decimal does not keep."""

    kind: Literal["mean"]
    column: str
    low: float
    high: float
    from_rows: int = Field(default=20, gt=0)


class VolumeRule(Entry):
    """The number of rows changes by at most so many percent against the period before."""

    kind: Literal["volume"]
    percent: float = Field(gt=0)


Rule = Annotated[OrderRule | ShareRule | MeanRule | VolumeRule, Field(discriminator="kind")]


class Register(Entry):
    """One register of the city: who keeps it, by what law, when it comes, and what stands in it.

    `rounding`: what one person more would change is published as a multiple of it (decision 0033); 10 for health, youth
    welfare and what the employment agency delivers for parts of the city. `linked`: may records of several deliveries be joined? Then one key serves them all, else every
    delivery has a key of its own. `retention_days`: how long single records stay in the vault.
    `original_days`: how long the sender's file is kept after it was accepted. `revises_periods`: so many of its newest
    periods may be delivered again with other figures. `period`: what a
    delivery speaks of, by its reference day. `lists`: the register is itself a list of areas that the
    others are placed by; its columns then have the ids block_side, city_district,
    statistical_district, school_district, planning_district, valid_from, valid_to, or else school,
    name, opened_on, closed_on.
    """

    id: Identifier
    title: Text
    system: str
    owner: Text
    legal_basis: Text
    cadence: Cadence
    due_after_days: int = Field(gt=0)
    late_after_days: int = Field(gt=0)
    personal: bool
    rounding: Literal[5, 10] = 5
    linked: bool = False
    rows_are_told: bool = False
    retention_days: int = Field(gt=0)
    original_days: int = Field(default=0, ge=0)
    revises_periods: int = Field(default=1, ge=0)
    reference: Reference
    period: Literal["reference_day", "calendar_year", "school_year"]
    format: FileFormat
    query: Query | None = None
    columns: list[Column] = Field(min_length=1)
    rules: list[Rule] = []
    lists: Literal["block_sides", "schools"] | None = None

    @model_validator(mode="after")
    def _hangs_together(self) -> Register:
        ids = [c.id for c in self.columns]
        if twice := sorted({n for n in ids if ids.count(n) > 1}):
            raise ValueError(f"columns: {', '.join(twice)} twice")
        if self.personal and any(c.type is ColumnType.TEXT for c in self.columns):
            raise ValueError("free text has no place in a register with personal data")
        if self.personal and self.rows_are_told:
            raise ValueError("rows_are_told: rows about persons are never told, only counts of them")
        if not self.personal and any(c.type in _PERSONAL for c in self.columns):
            raise ValueError("identifiers and dates of birth are personal data: declare personal: true")
        if self.reference.column and self.reference.column not in self.kept_ids():
            raise ValueError(f"reference: no column '{self.reference.column}'")
        for rule in self.rules:
            for name in [getattr(rule, n) for n in ("column", "first", "second") if hasattr(rule, n)]:
                if name not in self.kept_ids():
                    raise ValueError(f"rules: no column '{name}'")
        if self.format.kind == "fixed_width":
            missing = {c.name for c in self.kept} - set(self.format.layout)
            if missing:
                raise ValueError(f"layout: no place for {', '.join(sorted(missing))}")
        if self.late_after_days < self.due_after_days:
            raise ValueError("late_after_days: nothing can be late before it is due")
        return self

    def for_city(self, code: str) -> Register:
        """The declaration with a municipality's key in the codes that name it."""
        if not any(CITY in text for c in self.columns for text in c.codes):
            return self
        columns = [
            c.model_copy(update={"codes": {k.replace(CITY, code): v for k, v in c.codes.items()}})
            for c in self.columns
        ]
        return self.model_copy(update={"columns": columns})

    def late_from(self, last: dt.date) -> dt.date:
        """The day from which the period after the one that ended on `last` is late."""
        return self.cadence.after(last) + dt.timedelta(days=self.late_after_days + 1)

    @property
    def kept(self) -> list[Column]:
        """The columns that pass the door, in their order."""
        return [c for c in self.columns if c.type is not ColumnType.DROPPED]

    def kept_ids(self) -> set[str]:
        return {c.id for c in self.kept}

    def column(self, name: str) -> Column:
        return next(c for c in self.columns if c.id == name)

    @property
    def raw_name(self) -> str:
        """The register's name in Dagster."""
        return f"register__{self.id}"


_PERSONAL = (ColumnType.PSEUDONYM, ColumnType.AGE, ColumnType.BIRTH_MONTH, ColumnType.DROPPED)


_SPAN = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")

ANY_TEXT = "?*"
"""Among the values a measure asks for: whatever the column holds, if it holds anything."""


class RegisterSource(Entry):
    """What a measure counts in a register: the only thing that leaves the vault.

    `count`: rows, `distinct:<column>` or `sum:<column>`. `where`: column → the values that count;
    a span of numbers is written `3..`, `..5` or `3..5` (inclusive), any text at all `?*`.
    `of_period_before`: the delivery speaks of the period before its own (an autumn's delivery names who left school in
    summer, at the end of the school year before). `in_year`: what it counts happened in the year of the reference day
    (entries, in a delivery of stocks). `running`: columns of a beginning and an end; only what ran in the period counts,
    an open end runs on.
    `by`: breakdown → column. `ages`: the cells of age_group to count by; they may overlap. `area`:
    the column that says where; without one only the city is told. `known_zeros`: breakdowns of which everybody
    knows where nobody is (a primary school has no pupils of another type), so that an empty cell protects nobody.
    """

    register_: str = Field(alias="register")
    count: str = Field(default="rows", pattern=r"^(rows|(distinct|sum):[a-z][a-z0-9_]*)$")
    where: dict[str, str | list[str]] = {}
    by: dict[str, str] = {}
    ages: list[str] = []
    known_zeros: list[str] = []
    of_period_before: bool = False
    in_year: bool = False
    running: tuple[str, str] | None = None
    area: str | None = None
    levels: list[LocalLevel] = []

    @model_validator(mode="after")
    def _hangs_together(self) -> RegisterSource:
        if bool(self.area) != bool(self.levels):
            raise ValueError("an area column and levels belong together")
        if ("age_group" in self.by) != bool(self.ages):
            raise ValueError("ages: name the cells for age_group, and only then")
        if lost := sorted(set(self.known_zeros) - set(self.by)):
            raise ValueError(f"known_zeros: not counted by {', '.join(lost)}")
        return self

    @property
    def counted_column(self) -> str | None:
        return self.count.split(":", 1)[1] if ":" in self.count else None

    def wanted(self, column: str) -> list[str]:
        chosen = self.where[column]
        return [chosen] if isinstance(chosen, str) else list(chosen)

    def span(self, column: str) -> tuple[float | None, float | None] | None:
        """The span of numbers a column is asked for, None for an open end; None if it is asked for values."""
        match = _SPAN.fullmatch(self.wanted(column)[0])
        return None if match is None else tuple(float(e) if e else None for e in match.groups())  # type: ignore[return-value]


class Term(Entry):
    """A measure at given cells; several cells of a breakdown are added up.

    `plus` and `less`: other measures that are added to it or taken from it.
    """

    measure: str
    where: dict[str, str | list[str]] = {}
    plus: list[Term] = []
    less: list[Term] = []

    def parts(self) -> list[tuple[int, Term]]:
        """Every measure of the term with its sign, this one first."""
        return [(1, self), *((1, term) for term in self.plus), *((-1, term) for term in self.less)]

    def cells(self, breakdown: str) -> list[str] | None:
        chosen = self.where.get(breakdown)
        return None if chosen is None else [chosen] if isinstance(chosen, str) else list(chosen)


class Side(Entry):
    """One side of a reconciliation: a count, or a rate of two."""

    numerator: Term
    denominator: Term | None = None
    alignment: Literal["same_period", "previous_year_end"] = "same_period"


class Agreement(Entry):
    """How far a register's figure of the city may be from the official one: `percent` of it plus `absolute`, and why."""

    percent: float = Field(default=0, ge=0)
    absolute: float = Field(default=0, ge=0)
    note: Text


class Reconciliation(Entry):
    """Two ways to the same figure of the city: from a register, and from an official table.

    They may differ by `percent` of the official figure plus `absolute`. A difference beyond that is
    told with the verdicts of `table`; with `holds` it holds that table.
    """

    id: Identifier
    title: Text
    register_: Side = Field(alias="register")
    official: Side
    percent: float = Field(default=0, ge=0)
    absolute: float = Field(default=0, ge=0)
    table: str
    holds: bool = False
    note: Text
