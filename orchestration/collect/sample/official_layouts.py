"""Layouts of the offices' files, with the oddities of the real ones: both ffcsv dialects and datencsv.

Belongs here: headers, encodings, signs, footnotes. Does not belong here: which table holds what
(generate.py, further_tables.py).
"""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Iterable

from orchestration.collect.sample.population import DISTRICTS, Unit

NOTICE = "SYNTHETISCHE BEISPIELDATEN - keine amtliche Statistik -"
STAND = "02.11.2026 / 08:15:30"
EPOCH_MS = 1793606400000
LICENCE = (
    '"© bildungsmonitor (synthetische Beispieldaten), 2026.\n'
    "Dieses Werk ist lizenziert unter der Datenlizenz Deutschland\n"
    '- Namensnennung - Version 2.0."'
)

GONE = {"03152": "Göttingen, Landkreis", "15101": "Dessau, kreisfreie Stadt"}
"""Dissolved districts: every table of the offices lists them for ever, with `-` everywhere."""

BOROUGH = ("03241001", "Hannover, Landeshauptstadt")
"""A code of eight digits among the districts, as in the real tables."""

Cell = str
AreaRow = tuple[str, str]


def areas() -> list[AreaRow]:
    """Codes and names in the offices' order, dissolved districts and a borough among them."""
    named = {"DG": "Deutschland", **GONE, BOROUGH[0]: BOROUGH[1], "07": "Rheinland-Pfalz"}
    named |= {"071": "Koblenz, Stat. Region"} | {code: name for code, (name, _) in DISTRICTS.items()}
    rest = sorted(code for code in named if code != "DG")
    return [(code, named[code]) for code in ["DG", *rest]]


def indented(code: str, name: str) -> str:
    return " " * {1: 0, 2: 2, 3: 4, 5: 6}.get(len(code) if code != "DG" else 1, 8) + name


def number(value: float | None, zero: str = "0") -> Cell:
    if value is None:
        return "-"
    text = f"{value:g}" if isinstance(value, float) and value < 1e5 else str(int(value))
    return zero if text == "0" else text.replace(".", ",")


# --- layouts -------------------------------------------------------------------------------------


def datencsv(
    code: str,
    title: list[str],
    header: list[list[str]],
    rows: Iterable[list[str]],
    footnotes: list[str],
    encoding: str,
    old: bool = True,
) -> bytes:
    """The spreadsheet layout; `old` has 'GENESIS-Tabelle', new ones sometimes only 'Tabelle'."""
    width = len(header[0])
    pad = ";" * (width - 1)
    lines = [f"{'GENESIS-Tabelle' if old else 'Tabelle'}: {code}"]
    lines += [f"{line}{pad}" for line in [NOTICE, *title]]
    lines += [";".join(row) for row in header]
    lines += [";".join(row) for row in rows]
    notes = "\n".join(['"Alle Werte dieser Datei sind erfunden.', *footnotes]) + '"'
    lines += ["__________", notes, LICENCE, f"Stand: {STAND}", ""]
    return "\n".join(lines).encode(encoding)


def ffcsv_v5(
    statistic: str,
    time: tuple[str, str],
    variables: list[tuple[str, str]],
    rows: list[tuple[str, list[tuple[str, str]], Cell, str, str, str]],
    shuffle: int,
) -> bytes:
    """Flat file since November 2024: BOM, English header, one row per measure, in random order."""
    header = "statistics_code;statistics_label;time_code;time_label;time"
    for n in range(1, len(variables) + 1):
        header += (
            f";{n}_variable_code;{n}_variable_label;{n}_variable_attribute_code;{n}_variable_attribute_label"
        )
    header += ";value;value_unit;value_variable_code;value_variable_label"
    lines = []
    for period, items, value, unit, measure, label in rows:
        cells = [statistic, NOTICE, *time, period]
        for (variable, name), (item, text) in zip(variables, items, strict=True):
            cells += [variable, name, item, text]
        lines.append(";".join([*cells, value, unit, measure, label]))
    random.Random(shuffle).shuffle(lines)
    return ("\ufeff" + "\n".join([header, *lines]) + "\n").encode("utf-8")


def ffcsv_v4(
    statistic: str,
    time: tuple[str, str],
    variables: list[tuple[str, str]],
    measures: list[str],
    rows: list[tuple[str, list[tuple[str, str]], list[Cell]]],
) -> bytes:
    """Flat file until 2024: German header, measures as columns, all levels under KREISE."""
    header = "Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit"
    for n in range(1, len(variables) + 1):
        header += f";{n}_Merkmal_Code;{n}_Merkmal_Label;{n}_Auspraegung_Code;{n}_Auspraegung_Label"
    lines = [";".join([header, *measures])]
    for period, items, values in rows:
        cells = [statistic, NOTICE, *time, period]
        for (variable, name), (item, text) in zip(variables, items, strict=True):
            cells += [variable, name, item, text]
        lines.append(";".join([*cells, *values]))
    return ("\n".join(lines) + "\n").encode("utf-8")


def zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name, date_time=(2026, 11, 2, 8, 15, 30))
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, data)
    return buffer.getvalue()


def grid(
    periods: Iterable[str],
    found: dict[str, Unit],
    cells: Callable[[Unit, str], list[Cell]],
    width: int,
    period_column: bool = True,
) -> list[list[str]]:
    """One row per period and area; areas that are not (any more) carry `-` in every cell."""
    rows = []
    for period in periods:
        for code, name in areas():
            key = [period] if period_column else []
            values = cells(found[code], period) if code in found else ["-"] * width
            rows.append([*key, code, indented(code, name), *values])
    return rows


def labelled(
    periods: Iterable[str],
    found: dict[str, Unit],
    labels: list[tuple[str, str]],
    cells: Callable[[Unit, str, str], list[Cell]],
    width: int,
    period_column: bool = True,
) -> list[list[str]]:
    """Like `_grid` with one more text column: a row per period, area and labelled item."""
    rows = []
    for period in periods:
        for code, name in areas():
            for item, label in labels:
                key = [period] if period_column else []
                values = cells(found[code], period, item) if code in found else ["-"] * width
                rows.append([*key, code, indented(code, name), label, *values])
    return rows
