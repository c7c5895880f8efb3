"""Print rows as the offices would: ffcsv of both generations and the spreadsheet layout.

For property tests (what is printed must be read back) and for the replay server.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from expectations.catalogue.model import PeriodMeaning
from orchestration.collect.genesis.notation import STATE_CODES
from orchestration.collect.genesis.rows import OfficialRows

REGION = {"DG": ("DINSG", "Deutschland"), 2: ("DLAND", "Bundesländer"), 3: ("REGBEZ", "Regierungsbezirke")}


class Cell(NamedTuple):
    """One cell of a table: where it stands and what it says. `items`: variable → item."""

    area: str
    time: str
    items: tuple[tuple[str, str], ...]
    measure: str
    unit: str
    text: str


def name_of(area: str) -> str:
    """A name for an area: a Land's own, since two digits are believed by it only."""
    lander = {code: name for name, code in STATE_CODES.items()}
    return lander.get(area, f"Bezirk König {area}")


def region_of(area: str, *, single: bool = False) -> str:
    """The region variable an area stands under in today's flat files."""
    if single or len(area) in (5, 8):
        return "KREISE"
    return str(REGION["DG" if area == "DG" else len(area)][0])


def flat_today(statistic: str, cells: Sequence[Cell], *, decimal: str = ",", single: bool = True) -> str:
    """ffcsv since November 2024: a row per cell and measure; blocks of four per variable."""
    variables = list(dict.fromkeys(v for cell in cells for v, _ in cell.items))
    blocks = "".join(
        f"{n}_variable_code;{n}_variable_label;{n}_variable_attribute_code;{n}_variable_attribute_label;"
        for n in range(1, len(variables) + 2)
    )
    lines = [
        "statistics_code;statistics_label;time_code;time_label;time;"
        + blocks
        + "value;value_unit;value_variable_code;value_variable_label"
    ]
    for cell in cells:
        items = dict(cell.items)
        region = f"{region_of(cell.area, single=single)};Region;{cell.area};Gebiet {cell.area};"
        dims = "".join(
            f"{v};Merkmal {v};{items[v]};Wert für {items[v]};" if v in items else ";;;;" for v in variables
        )
        value = cell.text.replace(",", decimal)
        lines.append(
            f"{statistic};Statistik;ZEIT;Zeit;{cell.time};{region}{dims}{value};{cell.unit};{cell.measure};Merkmal"
        )
    return "\ufeff" + "\n".join(lines) + "\n"


def flat_until_2024(statistic: str, cells: Sequence[Cell]) -> str:
    """ffcsv until 2024: a row per area and items, a column per measure."""
    variables = list(dict.fromkeys(v for cell in cells for v, _ in cell.items))
    measures = list(dict.fromkeys((cell.measure, cell.unit) for cell in cells))
    blocks = "".join(
        f"{n}_Merkmal_Code;{n}_Merkmal_Label;{n}_Auspraegung_Code;{n}_Auspraegung_Label;"
        for n in range(1, len(variables) + 2)
    )
    header = ";".join(f"{code}__Merkmal__{unit}" for code, unit in measures)
    lines = ["Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit;" + blocks + header]
    rows: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[tuple[str, str], str]] = {}
    for cell in cells:
        rows.setdefault((cell.area, cell.time, cell.items), {})[cell.measure, cell.unit] = cell.text
    for (area, time, items), values in rows.items():
        found = dict(items)
        dims = "".join(
            f"{v};Merkmal {v};{found[v]};Wert für {found[v]};" if v in found else ";;;;" for v in variables
        )
        texts = ";".join(values[m] for m in measures)
        lines.append(
            f"{statistic};Statistik;ZEIT;Zeit;{time};KREISE;Kreise;{area};  {name_of(area)};{dims}{texts}"
        )
    return "\n".join(lines) + "\n"


def sheet(code: str, cells: Sequence[Cell], *, period_in: str = "column") -> str:
    """datencsv: areas down, measures across; the period in a column, on lone lines or in the title."""
    measures = list(dict.fromkeys((cell.measure, cell.unit) for cell in cells))
    variables = list(dict.fromkeys(v for cell in cells for v, _ in cell.items))
    rows: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[tuple[str, str], str]] = {}
    for cell in cells:
        rows.setdefault((cell.time, cell.area, cell.items), {})[cell.measure, cell.unit] = cell.text
    corner = (1 if period_in == "column" else 0) + 2 + len(variables)
    blank, rest = ";" * corner, ";" * (corner + len(measures) - 1)
    title = [f"Tabelle: {code}", f"Eine Tabelle{rest}"]
    times = list(dict.fromkeys(time for time, _, _ in rows))
    if period_in == "title":
        title.append(f"{times[0]}{rest}")
    lines = [
        *title,
        blank + ";".join(measure for measure, _ in measures),
        blank + ";".join(unit for _, unit in measures),
    ]
    said = None
    for (time, area, items), values in rows.items():
        if period_in == "lone lines" and time != said:
            lines.append(f"{time}{rest}")
            said = time
        key = f"{time};" if period_in == "column" else ""
        labels = "".join(f"{item};" for _, item in items)
        lines.append(f"{key}{area};  {name_of(area)};{labels}" + ";".join(values[m] for m in measures))
    lines += [
        "__________",
        '"zu ""gesamte Tabelle"":',
        'Deutschland (2015): ein Hinweis"',
        "© Ämter",
        "Stand: 01.02.2026 / 03:04:05",
        "",
    ]
    return "\n".join(lines)


def cells_of_rows(rows: OfficialRows, meaning: PeriodMeaning | None) -> list[Cell]:
    """The cells of a table that was read, to be printed again."""
    frame, dimensions = rows.frame, rows.dimensions
    cells = []
    for row in frame.to_dict("records"):
        start, end = row["period_start"], row["period_end"]
        items = tuple((d, str(row[d])) for d in dimensions if not _missing(row[d]))
        cells.append(
            Cell(row["area_code"], _time(start, end, meaning), items, row["measure"], row["unit"], _text(row))
        )
    return cells


def _time(start: dt.date, end: dt.date, meaning: PeriodMeaning | None) -> str:
    if start == end:
        return start.isoformat()
    if meaning is PeriodMeaning.WINTER_TERM:
        return f"{start.year}-10P6M"
    year = end.year if meaning is PeriodMeaning.SCHOOL_YEAR_END else start.year
    return str(year)


def _text(row: dict[str, object]) -> str:
    value, sign = row["value"], row["sign"]
    if _missing(value):
        return "" if _missing(sign) else str(sign)
    return number(float(value))  # type: ignore[arg-type]


def number(value: float) -> str:
    """A number with a decimal comma, without one where it is whole."""
    return str(int(value)) if value == int(value) else repr(value).replace(".", ",")


def _missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and pd.isna(value))
