"""The areas of the city: Stadtteile and schools, and the bridge from block sides to every cut.

Belongs here: which area a delivered block side, name or number means, and since when.
Does not belong here: counting (counts.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from orchestration.settings import Settings

FOREVER = (dt.date(1900, 1, 1), dt.date(9998, 12, 31))

PREFIX = {
    "city_district": "ST",
    "local_district": "OB",
    "statistical_district": "SB",
    "school_district": "SD",
    "planning_district": "PB",
    "school": "S",
}
"""What follows the city's key in the code of an area of each level: 07111-ST04, 07111-S11593."""

UNASSIGNED = {
    "city_district": "ohne Stadtteil / no city district",
    "local_district": "ohne Ortsbezirk / no local district",
    "statistical_district": "ohne statistischen Bezirk / no statistical district",
    "school_district": "ohne Schulbezirk / no school district",
    "planning_district": "ohne Planungsbezirk / no planning district",
    "school": "ohne Schule / no school",
}
"""Where a level's unmatched records are shown, so that its areas add up to the city."""

BRIDGED = ("city_district", "statistical_district", "school_district", "planning_district")
"""The columns of the list of block sides that name an area."""


@dataclass(frozen=True)
class Area:
    """One area inside the city, as it goes into dim_area."""

    code: str
    name: str
    level: str
    parent: str
    valid_from: dt.date = FOREVER[0]
    valid_to: dt.date = FOREVER[1]


@dataclass(frozen=True)
class Place:
    """A delivered value of an area system means this area, from one day to another."""

    system: str
    value: str
    code: str
    level: str
    valid_from: dt.date = FOREVER[0]
    valid_to: dt.date = FOREVER[1]


@dataclass(frozen=True)
class Piece:
    """A part of the city that no cut divides further: the codes of the areas it lies in, from one day to another."""

    codes: list[str]
    valid_from: dt.date
    valid_to: dt.date


@dataclass
class Areas:
    """All areas of a city and what is delivered for them."""

    city: str
    areas: dict[str, Area] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)

    def add(self, area: Area) -> None:
        self.areas.setdefault(area.code, area)

    def unassigned(self, level: str) -> str:
        return f"{self.city}-{PREFIX[level]}00"

    def pieces(self) -> list[Piece]:
        """The smallest areas that the cuts of the city tell apart, by its block sides."""
        levels = {place.level for place in self.places if place.system == "block_side"}
        nowhere = {level: self.unassigned(level) for level in levels}
        sides: dict[tuple[str, dt.date, dt.date], dict[str, str]] = {}
        for place in self.places:
            if place.system == "block_side":
                side = sides.setdefault((place.value, place.valid_from, place.valid_to), dict(nowhere))
                side[place.level] = place.code
        found = {(tuple(sorted(codes.values())), start, end) for (_, start, end), codes in sides.items()} | {
            (tuple(sorted(nowhere.values())), *FOREVER)
        }
        return [Piece(list(codes), start, end) for codes, start, end in sorted(found) if codes]


def areas_of(settings: Settings) -> Areas:
    """The Stadtteile and Ortsbezirke of a city's configuration, with every declared spelling."""
    city = settings.municipality.code
    found = Areas(city)
    # An Ortsbezirk is called after the first of its Stadtteile, whatever their order in the configuration.
    locals_: dict[str, str] = {}
    for district in sorted(settings.registers.districts, key=lambda d: d.code):
        if district.local_district:
            locals_.setdefault(district.local_district, f"{city}-OB{district.code[2:]}")
    for district in settings.registers.districts:
        code = f"{city}-{district.code}"
        found.add(Area(code, district.name, "city_district", city))
        spellings = [district.name, district.code, *district.aliases]
        found.places += [Place("city_district", text, code, "city_district") for text in spellings]
        if district.local_district:
            number = locals_[district.local_district]
            found.add(Area(number, district.local_district, "local_district", city))
            found.places += [Place("city_district", text, number, "local_district") for text in spellings]
    for level, name in UNASSIGNED.items():
        if level != "local_district" or locals_:
            found.add(Area(found.unassigned(level), name, level, city))
    return found


def add_bridge(found: Areas, connection: duckdb.DuckDBPyConnection, records: str) -> list[str]:
    """Take the list of block sides in; returns the Stadtteile on it that nobody knows."""
    by_name = {
        p.value: p.code for p in found.places if p.system == "city_district" and p.level == "city_district"
    }
    local = {
        by_name[p.value]: p.code for p in found.places
        if p.system == "city_district" and p.level == "local_district" and p.value in by_name
    }  # fmt: skip
    columns = [row[0] for row in connection.execute(f"describe {records}").fetchall()]
    wanted = [level for level in BRIDGED if level in columns]
    rows = connection.execute(
        f"""select block_side, coalesce(valid_from, date '{FOREVER[0]}'), coalesce(valid_to, date '{FOREVER[1]}'),
                   {", ".join(wanted)} from {records} order by block_side, valid_from"""
    ).fetchall()
    unknown: set[str] = set()
    for block_side, start, end, *values in rows:
        for level, value in zip(wanted, values, strict=True):
            if value is None:
                continue
            if level == "city_district":
                if value not in by_name:
                    unknown.add(value)
                    continue
                code = by_name[value]
                if code in local:
                    found.places.append(
                        Place("block_side", block_side, local[code], "local_district", start, end)
                    )
            else:
                code = f"{found.city}-{PREFIX[level]}{value}"
                found.add(Area(code, value, level, found.city))
            found.places.append(Place("block_side", block_side, code, level, start, end))
    return sorted(unknown)


def add_schools(found: Areas, rows: Iterable[tuple[str, str, dt.date | None, dt.date | None]]) -> None:
    """Take the city's schools in: number, name, first and last day."""
    for number, name, start, end in rows:
        code = f"{found.city}-{PREFIX['school']}{number}"
        found.areas[code] = Area(code, name, "school", found.city, start or FOREVER[0], end or FOREVER[1])
        found.places.append(Place("school", number, code, "school"))
