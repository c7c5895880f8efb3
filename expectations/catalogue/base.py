"""What every kind of declaration is built from.

Belongs here: the base class, texts in two languages, identifiers, cadences.
Does not belong here: any single kind of declaration (model.py, registers.py).
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

TOTAL = "total"
"""The cell of a breakdown that is not broken down."""

RANGE = "range"
"""The status of a figure that is published as the range it lies in."""

LEAST_PER_BASE = 6
"""A rate is published from a denominator of six times its rounding base on."""

WIDEST_TOLERANCE = 5
"""A percentage that rounding may move by more points than this is published as a range."""

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=50)]


class Entry(BaseModel):
    """Base of everything written in the catalogue; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Text(Entry):
    """A text in both languages of the office."""

    de: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Cadence(StrEnum):
    """How often a source has a new period."""

    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"
    EVERY_TWO_YEARS = "every_two_years"

    @property
    def months(self) -> int:
        return {"monthly": 1, "quarterly": 3, "yearly": 12, "every_two_years": 24}[self.value]

    def after(self, last: dt.date) -> dt.date:
        """The end of the period after the one that ended on `last`."""
        index = last.year * 12 + last.month - 1 + self.months
        year, month = divmod(index, 12)
        days = calendar.monthrange(year, month + 1)[1]
        whole = last.day == calendar.monthrange(last.year, last.month)[1]
        return dt.date(year, month + 1, days if whole else min(last.day, days))


_AGES = re.compile(r"ALT(\d{3})(?:B(\d{2})|UM)")


def ages_of(cell: str) -> tuple[int, int] | None:
    """The ages a cell stands for, from the first to below the second: ALT003B06 is (3, 6)."""
    match = _AGES.fullmatch(cell)
    return (int(match[1]), int(match[2]) if match[2] else 999) if match else None


OLDEST = 120
"""No year of age beyond it; a cell without an upper limit ends here."""


def years_of_ages(cells: Iterable[str]) -> frozenset[int]:
    """The single years of age in some cells; none if no cell is an age."""
    spans = [found for cell in cells if (found := ages_of(cell)) is not None]
    return frozenset(year for low, high in spans for year in range(low, min(high, OLDEST)))
