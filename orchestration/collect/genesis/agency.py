"""The Bundesagentur für Arbeit's table service: key-figure tables and time series as CSV.

Unlike GENESIS it writes a point between thousands, names the region instead of its key, and repeats
row labels below each heading. Shapes as parsed by public clients of the service; the requested
region's key stands in the file's name (…_07111_….csv), because the reply does not repeat it.
"""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import (
    COUNTRY,
    STATE_CODES,
    Period,
    area_level,
    parse_period,
    part_of_year,
)
from orchestration.collect.genesis.rows import (
    Coded,
    OfficialRows,
    long_table,
    period_columns,
    refuse_duplicates,
)

FORMAT = "agency_csv"

_TABLE = re.compile(r"Eckwerte(?:Tabelle|Zeitreihe)[A-Za-z]+")
_AREA_IN_NAME = re.compile(r"_(\d{2}|\d{5})(?=[_.])")
_ABOUT = re.compile(r"^([^:;]+):; ?(.*?);*$")
_NUMBER = re.compile(r"^-?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?$")
_SIGNS = {"-", "*", "x", ".", "/", "..."}
_TABLE_HEAD, _SERIES_HEAD = "Ausgewählte Merkmale;", "Berichtsmonat;"


def is_agency_table(text: str) -> bool:
    """Do lines `Key:; value` come first, and then one of the service's two header rows?"""
    head = text.split("\n")[:30]
    return bool(_ABOUT.match(head[0])) and any(line.startswith((_TABLE_HEAD, _SERIES_HEAD)) for line in head)


def read_agency_table(file: str, text: str, encoding: str) -> OfficialRows:
    """Long rows of a reply; columns of change are left out, they follow from the others.

    Raises FormatError with line and column for a cell that is neither number nor sign, and for a
    region that can't be keyed.
    """
    lines = text.split("\n")
    match = _TABLE.search(file)
    if match is None:
        raise FormatError(file, "a name without the table's", "a name such as EckwerteTabelleALOKr_07111.csv")
    start = next(i for i, line in enumerate(lines) if line.startswith((_TABLE_HEAD, _SERIES_HEAD)))
    about = {m[1].strip(): m[2].strip() for line in lines[:start] if (m := _ABOUT.match(line))}
    header = [cell.strip() for cell in lines[start].split(";")]
    end = next((i for i in range(start + 1, len(lines)) if lines[i].count(";") < 2), len(lines))
    if end == len(lines) or not lines[end:][0].strip("; ").startswith("©"):
        raise FormatError(file, "no line © after the values", "a whole reply", line=len(lines))
    if end == start + 1:
        raise FormatError(file, "a header and no rows", "at least one row", line=start + 1)
    rows = [[cell.strip() for cell in line.split(";")] for line in lines[start + 1 : end]]
    for n, row in enumerate(rows, start=start + 2):
        if len(row) != len(header):
            raise FormatError(file, f"{len(row)} columns", f"{len(header)}, as in the header", line=n)
    cells = (
        _table_cells(file, header, rows, start + 2)
        if lines[start].startswith(_TABLE_HEAD)
        else _series_cells(file, header, rows, start + 2)
    )
    area, area_name = _area(file, about)
    count = len(cells)
    values, signs = zip(*(_value(file, c[2], c[3], c[4]) for c in cells), strict=True)
    periods = [c[0] for c in cells]
    distinct = list(dict.fromkeys(periods))
    codes = np.array([distinct.index(p) for p in periods], dtype=np.int32)
    units = ["Prozent" if re.search("quote|anteil|%", c[1], re.IGNORECASE) else "Anzahl" for c in cells]
    constants = {"table_code": match[0], "area_code": area, "area_level": area_level(area)}
    table = long_table(
        {
            **{name: Coded.constant(value, count).column() for name, value in constants.items()},
            **period_columns(codes, distinct),
            "measure": Coded.of([c[1] for c in cells]).column(),
            "value": pa.array(values, pa.float64()),
            "sign": pa.array(signs, pa.string()).dictionary_encode(),
            "unit": Coded.of(units).column(),
        },
        [],
    )
    refuse_duplicates(file, table, [], lambda row: cells[row][3])
    left_out = [h for h in header if h.startswith("Veränderung")]
    notes = [f"columns left out, they follow from the others: {'; '.join(left_out)}"] if left_out else []
    codebook = {"areas": {area: area_name}, "items": {}, "measures": {}, "about": about}
    footnotes = "\n".join(line.strip("; ") for line in lines[end:] if line.strip("; "))
    return OfficialRows(
        table, FORMAT, match[0], encoding, None, footnotes.split("\n")[0], footnotes, codebook, notes
    )


_Cell = tuple[Period, str, str, int, int]
"""Period, measure, text, line and column."""


def _table_cells(file: str, header: list[str], rows: list[list[str]], first: int) -> list[_Cell]:
    """Months across, key figures down; a label that occurs again belongs to the one above it."""
    months = {i: p for i, text in enumerate(header) if (p := _month(text)) is not None}
    if not months:
        raise FormatError(
            file, f"the columns {'; '.join(header)}", "months such as Februar 2026", line=first - 1
        )
    labels = [row[0] for row in rows]
    heading, cells = "", []
    for n, row in enumerate(rows):
        if labels.count(row[0]) == 1:
            heading, name = row[0], row[0]
        else:
            name = f"{heading} | {row[0]}"
        cells += [(period, name, row[i], first + n, i + 1) for i, period in months.items()]
    return cells


def _series_cells(file: str, header: list[str], rows: list[list[str]], first: int) -> list[_Cell]:
    """Months down, key figures across."""
    cells = []
    for n, row in enumerate(rows):
        period = _month(row[0])
        if period is None:
            raise FormatError(file, repr(row[0]), "a month such as Februar 2026", line=first + n, column=1)
        cells += [(period, name, row[i], first + n, i + 1) for i, name in enumerate(header) if i and name]
    return cells


def _month(text: str) -> Period | None:
    match = re.fullmatch(r"(\S+) (\d{4})", text)
    part = part_of_year(match[1]) if match else None
    return parse_period(f"{match[2]}-{part}") if match and part else None


def _value(file: str, text: str, line: int, column: int) -> tuple[float | None, str | None]:
    if text in _SIGNS or not text:
        return None, text or None
    if not _NUMBER.match(text):
        expected = "a number such as 226.880 or 10,6, or one of - * x . /"
        raise FormatError(file, repr(text), expected, line=line, column=column)
    value = float(text.replace(".", "").replace(",", "."))
    return value, "0" if value == 0 else None


def _area(file: str, about: dict[str, str]) -> tuple[str, str]:
    """The region's key: from the file's name, or from the name of a Land or of Germany."""
    named = next((about[k] for k in ("Kreis", "Land", "Bundesland", "Region", "Gebiet") if k in about), "")
    if match := _AREA_IN_NAME.search(file):
        if named in STATE_CODES and STATE_CODES[named] != match[1]:
            raise FormatError(file, f"the region {named!r}", f"the one with the key {match[1]}")
        return match[1], named
    if named in STATE_CODES:
        return STATE_CODES[named], named
    if not named and "D" in _TABLE.search(file)[0][-1:]:  # type: ignore[index]
        return COUNTRY, "Deutschland"
    raise FormatError(file, f"the region {named!r}", "its key in the file's name, or the name of a Land")
