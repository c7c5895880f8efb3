"""The declaration of the tables that speak about one population: dimensions, rules, zero policy, costs.

Belongs here: what a declaration may say, and reading it. Does not belong here: any figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Code = str

MOST_HIDDEN = 0.3
"""A table that loses more of its cells should be made coarser instead."""


class DeclarationError(ValueError):
    """A declaration or a table that can't be taken: one sentence with file, place, found and expected."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dimension(_Part):
    """One way to divide the population."""

    total: Code = "Total"
    """The code of everybody. A table without this dimension speaks about everybody."""
    hierarchy: dict[Code, list[Code]] = {}
    """A code and the codes it is the sum of. Cuts may overlap: a code may be a part of several others.
    Codes that are a part of none, but the total's own, are the total's parts."""

    @field_validator("hierarchy", mode="before")
    @classmethod
    def _text(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {str(k): [str(c) for c in v] if isinstance(v, list) else v for k, v in value.items()}


class Contributors(_Part):
    """A figure about few contributors (schools, firms) is told of none of them."""

    column: str
    minimum: Annotated[int, Field(ge=2)] = 3


class Dominance(_Part):
    """The `largest` contributors must not make up more than `percent` of a sum; columns of their amounts."""

    largest: list[str]
    percent: Annotated[float, Field(gt=0, lt=100)]


class PPercent(_Part):
    """Nobody may guess the largest contributor's amount nearer than `percent`; columns of the two largest."""

    largest: str
    second: str
    percent: Annotated[float, Field(gt=0, lt=100)]


class Rule(_Part):
    """What makes a cell sensitive by itself."""

    frequency: Annotated[int, Field(ge=2)] | None = None
    """k: counts of 1 to k - 1 are sensitive."""
    all_or_none: list[str] = []
    """Dimensions along which a group that lies wholly in one category gives an attribute away: its other
    categories, which are zero, are as sensitive as a small count."""
    coalition: Annotated[int, Field(ge=0)] = 0
    """So many of a group may tell each other where they are, and must not learn that all others are in one category:
    for `all_or_none`, a group counts as wholly in one category if no more than so many are elsewhere."""
    contributors: Contributors | None = None
    dominance: Dominance | None = None
    p_percent: PPercent | None = None
    request: str | None = None
    """A column that says true for cells to be protected whatever their value."""


class Rate(_Part):
    """The table shows shares: `per` × numerator / denominator, rounded half away from zero to `decimals`.

    The numerator is this table's cell with the codes of `numerator` beside its own, the denominator the
    one with those of `denominator` (without any: everybody in the cell).
    """

    numerator: dict[str, Code]
    denominator: dict[str, Code] = {}
    per: Annotated[float, Field(gt=0)] = 100
    decimals: Annotated[int, Field(ge=0, le=6)] = 1
    minimum_denominator: Annotated[int, Field(ge=0)] = 20
    """No rate is shown of fewer."""


class CellKey(_Part):
    """Noise by cell key: the same people have the same key, and with it the same noise, in every table."""

    table: Path
    """The p-table, `;`-separated: i (true count; the last holds for all larger ones), v (noise), p_ij_ub (up to which key).
    A relative path starts at the declaration."""
    column: str = "key"
    """The table's column of cell keys: the records' keys added up, without what is before the point."""


class Table(_Part):
    """One table: its columns and its rules."""

    dimensions: dict[str, str]
    """Dimension and its column. A list of names means columns of the same names."""
    value: str = "value"
    """The column of the figures: counts, or with `decimals` amounts."""
    decimals: Annotated[int, Field(ge=0, le=6)] = 0
    where: dict[str, Code] = {}
    """Of whom alone the table speaks: a code of dimensions it does not show."""
    plus: list[dict[str, Code]] = []
    """Each figure is the sum of the cells of `where` and of these: codes of the same dimensions."""
    rule: Rule = Rule(frequency=3)
    zeros: Literal["open", "hideable"] = "hideable"
    """`open`: every zero is shown, and the reader knows that a hidden count is at least 1."""
    cost: Literal["value", "logarithm", "cells"] | str = "value"
    """What hiding a cell costs: its value, its logarithm, one each, or a column of the table."""
    frozen: bool = False
    """Told before, as it stands: none of its cells can be hidden any more."""
    absent: Literal["unpublished", "zero"] = "unpublished"
    """What a combination without a row is: not told, or known to be zero (a structural zero)."""
    rate: Rate | None = None
    rounded_to: Annotated[int, Field(ge=2)] | None = None
    """Told are the nearest multiples of this base, each rounded for itself."""
    small_counts: Annotated[int, Field(ge=2)] | None = None
    """Told are the sums of micro cells of which small ones were made 0 or this base, so that nothing below it is told
    and all tables still add up."""
    cell_key: CellKey | None = None
    """Told is the true count with the noise of its cell key."""
    noise: Annotated[int, Field(ge=1)] | None = None
    """Told before, by somebody: figures at most this far from the true ones."""
    extremes: tuple[float | None, float | None] = (None, None)
    """The least and the most of all its cells, hidden ones too, where something tells them: a dictionary, an axis."""
    snapshot: str | None = None
    """The moment it speaks of. Tables of other moments are about other people; without one, all are about the same."""
    follows: str | None = None
    """The table of an earlier moment that this one replaces: what changed between them is told by both together."""
    rank: str | None = None
    """A column of ranks (1 is the largest) that is shown beside the figures."""

    @field_validator("dimensions", mode="before")
    @classmethod
    def _names(cls, value: object) -> object:
        return {str(name): str(name) for name in value} if isinstance(value, list) else value

    @field_validator("where", mode="before")
    @classmethod
    def _codes(cls, value: object) -> object:
        return {k: str(v) for k, v in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _sums_of_the_same_dimensions(self) -> Self:
        if self.plus and self.rate is not None:
            raise ValueError("plus: a sum of counts has no rate")
        for other in self.plus:
            if set(other) != set(self.where):
                raise ValueError(
                    f"plus: names {sorted(other)}, expected the dimensions of where: {sorted(self.where)}"
                )
        if twice := [other for other in self.plus if [self.where, *self.plus].count(other) > 1]:
            raise ValueError(f"plus: {twice[0]} is added twice")
        return self

    @model_validator(mode="after")
    def _rules_of_its_dimensions(self) -> Self:
        if lost := sorted(set(self.rule.all_or_none) - set(self.dimensions)):
            raise ValueError(
                f"all_or_none: {', '.join(lost)} is no dimension of the table: {', '.join(self.dimensions)}"
            )
        return self

    @model_validator(mode="after")
    def _one_method(self) -> Self:
        ways = (self.rate, self.rounded_to, self.small_counts, self.cell_key, self.noise)
        if sum(x is not None for x in ways) > 1:
            raise ValueError("rate, rounded_to, small_counts, cell_key and noise exclude each other")
        if self.decimals and self.method != "hide":
            raise ValueError("amounts can be hidden, not rounded or given noise: these are for counts")
        if self.method not in ("hide", "noise") and self.rule != Rule(frequency=self.rule.frequency):
            raise ValueError(f"{self.method} goes with a frequency rule alone: other rules ask for hiding")
        return self

    @property
    def method(self) -> str:
        """How it is protected: `hide`, or the figures are told otherwise than they are."""
        ways = ("rounded_to", "small_counts", "cell_key", "noise")
        return next((way for way in ways if getattr(self, way) is not None), "hide")


class Declaration(_Part):
    """The tables that speak about one population at one moment."""

    population: str = "population"
    dimensions: dict[str, Dimension] = {}
    """Dimensions not named here have the total `Total` and no groups."""
    tables: dict[str, Table]
    structural_zeros: list[dict[str, list[Code]]] = []
    """Combinations of codes where nobody can be (no primary school has a grade 12)."""

    @field_validator("structural_zeros", mode="before")
    @classmethod
    def _codes(cls, value: object) -> object:
        if not isinstance(value, list):
            return value
        return [{k: [str(c) for c in v] for k, v in zero.items()} for zero in value]

    @model_validator(mode="after")
    def _known_tables(self) -> Self:
        for name, table in self.tables.items():
            if table.follows is None:
                continue
            if table.follows not in self.tables:
                raise ValueError(f"table {name} follows {table.follows}, which is not declared")
            if table.snapshot == self.tables[table.follows].snapshot:
                raise ValueError(f"table {name} follows {table.follows} of the same snapshot")
        return self

    def dimension(self, name: str) -> Dimension:
        return self.dimensions.get(name, Dimension())


def load_declaration(path: Path) -> Declaration:
    """A declaration from YAML.

    Raises DeclarationError with file, place, found and expected.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DeclarationError(f"{path}: can't be read: {error}") from error
    if not isinstance(content, dict):
        raise DeclarationError(f"{path}: expected a mapping with `tables`, found {type(content).__name__}")
    try:
        declaration = Declaration.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(p) for p in first["loc"])
        raise DeclarationError(f"{path}: {place}: {first['msg']}; found {first['input']!r}") from error
    tables = {
        name: table.model_copy(update={"cell_key": table.cell_key.model_copy(update={"table": path.parent / table.cell_key.table})})
        if table.cell_key
        else table
        for name, table in declaration.tables.items()
    }  # fmt: skip
    return declaration.model_copy(update={"tables": tables})
