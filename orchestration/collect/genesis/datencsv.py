"""datencsv, the offices' spreadsheet layout as text: title, header rows, rows, footnotes, `Stand`."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import numpy as np

from expectations.catalogue.model import Classification, OfficialTable
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.grid import Grid, read_grid
from orchestration.collect.genesis.rows import OfficialRows, cells_of

FORMAT = "datencsv"

FIRST_LINE = re.compile(r"^(?:GENESIS-)?Tabelle: ([0-9A-Za-z-]+);*$")
STAND = re.compile(
    r"(?:Stand|created): (\d{2}\.\d{2}\.\d{4}|\d{4}-\d{2}-\d{2})(?: / (\d{2}:\d{2}:\d{2}))?;*$"
)
"""The last line of an export; English ones say `created` and write the day the other way round."""

_FOOTER = "__________"


def is_datencsv(first_line: str) -> bool:
    """Does the file begin with the table's code, as every datencsv does?"""
    return FIRST_LINE.match(first_line) is not None


def read_datencsv(
    file: str,
    text: str,
    encoding: str,
    contract: OfficialTable | None,
    classifications: dict[str, Classification],
) -> OfficialRows:
    """Long rows of a datencsv text.

    Raises FormatError with file, line and column for a sheet that is cut short and for whatever
    `read_grid` refuses.
    """
    lines = text.split("\n")
    grid = _grid(file, lines)
    if contract and grid.stand is None:
        raise FormatError(
            file, "no line 'Stand: …' at the end", "the date of the data; the file seems to be cut short",
            line=len(lines),
        )  # fmt: skip
    return read_grid(file, grid, encoding, contract, classifications, FORMAT)


def _grid(file: str, lines: list[str]) -> Grid:
    match = FIRST_LINE.match(lines[0])
    if match is None:
        raise FormatError(file, repr(lines[0]), "'GENESIS-Tabelle: <code>'", line=1)
    footer = next((i for i, line in enumerate(lines) if line.startswith(_FOOTER)), None)
    if footer is None:
        raise FormatError(
            file, f"the end of the file after {lines[-1][:60]!r}",
            f"the line {_FOOTER} that ends the values; the file seems to be cut short",
            line=len(lines),
        )  # fmt: skip
    start = next((i for i in range(1, footer) if lines[i].startswith(";") and lines[i].strip(";")), None)
    if start is None:
        raise FormatError(file, "no header rows", "rows that begin with ';'", line=2)
    data = next((i for i in range(start, footer) if not lines[i].startswith(";")), footer)
    if data == footer:
        raise FormatError(file, "a header and no rows", "at least one row", line=start + 1)
    width = lines[start].count(";")
    for index in range(start, footer):
        if lines[index].count(";") != width:
            found = f"{lines[index].count(';') + 1} columns"
            raise FormatError(file, found, f"{width + 1}, as in the first header row", line=index + 1)
    tail = _tail(lines[footer + 1 :])
    second = next((i for i in range(footer + 1, len(lines)) if is_datencsv(lines[i])), None)
    if second is not None:
        raise FormatError(file, f"a second table: {lines[second]!r}", "one table per file", line=second + 1)
    stand_at = next((i for i in reversed(range(len(tail))) if STAND.search(tail[i])), None)
    licence_at = next((i for i, line in enumerate(tail) if line.startswith("©")), None)
    if stand_at is None and licence_at is None:
        raise FormatError(
            file, "no line 'Stand: …' at the end", "the date of the data; the file seems to be cut short",
            line=len(lines),
        )  # fmt: skip
    ends = [i for i in (licence_at, stand_at) if i is not None]
    return Grid(
        code=match[1],
        title=[line.rstrip(";") for line in lines[1:start]],
        header=[line.split(";") for line in lines[start:data]],
        header_line=start + 1,
        rows=cells_of(lines[data:footer]),
        numbers=np.arange(data + 1, footer + 1),
        footnotes="\n".join(tail[: min(ends)]).strip(),
        licence=" ".join(tail[licence_at:stand_at]) or None if licence_at is not None else None,
        stand=stand_of(file, tail[stand_at], len(lines)) if stand_at is not None else None,
        decimal=None if stand_at is None else "," if "Stand:" in tail[stand_at] else ".",
    )


def _tail(lines: list[str]) -> list[str]:
    """The lines after the values, out of the quoted cells they stand in."""
    cells = [row[0] for row in csv.reader(io.StringIO("\n".join(lines)), delimiter=";") if row]
    return [line.strip() for cell in cells for line in cell.split("\n")]


def stand_of(file: str, text: str, line: int | None) -> dt.datetime:
    """The state of the data that a line such as `Stand: 13.03.2025 / 16:39:14` names."""
    match = STAND.search(text)
    assert match is not None
    day, time = match[1], match[2]
    try:
        day_form = "%d.%m.%Y" if "." in day else "%Y-%m-%d"
        return dt.datetime.strptime(f"{day} {time or '00:00:00'}", f"{day_form} %H:%M:%S")
    except ValueError as error:
        raise FormatError(file, f"Stand: {day} / {time}", "a day and a time that exist", line=line) from error
