"""Every official file and every recorded reply, against an independent reading of its raw text.

The reading here knows nothing of the readers: it splits lines, counts cells and adds numbers.
"""

from __future__ import annotations

import csv
import io
import math
import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from openpyxl import load_workbook

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from tests.nights import OFFICIAL, SHARED

MARKERS = {"-", ".", "...", "/", "x"}
RECORDED = SHARED / "data" / "genesis_api" / "recorded"
FILES = sorted(p for p in OFFICIAL.rglob("*") if p.is_file()) + sorted(RECORDED.glob("*.zip"))


@dataclass
class Tally:
    """What a plain count of the cells of a file gives."""

    cells: int = 0
    numbers: list[float] = field(default_factory=list)
    signs: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, quality: str = "") -> None:
        text = text.strip()
        self.cells += 1
        if not text:
            return
        if text in MARKERS:
            self.signs[text] += 1
            return
        number = float(re.fullmatch(r"-?\d+([.,]\d+)?", text)[0].replace(",", "."))  # type: ignore[index]
        self.numbers.append(number)
        if number == 0:
            self.signs["0"] += 1
        elif quality in ("e", "p", "r", "s", "()"):
            self.signs[quality] += 1


def text_of(path: Path) -> str:
    data = path.read_bytes()
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = archive.read(archive.namelist()[0])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def plain_flat(text: str) -> Tally:
    """ffcsv: the column `value`, or every column whose name is CODE__Label__Unit."""
    lines = csv.reader(io.StringIO(text), delimiter=";", quoting=csv.QUOTE_NONE)
    header = next(lines)
    at = [i for i, name in enumerate(header) if name == "value" or name.count("__") >= 2]
    quality = header.index("value_q") if "value_q" in header else None
    tally = Tally()
    for row in lines:
        if row[0] != "KREISE":
            for i in at:
                tally.add(row[i], row[quality] if quality is not None else "")
    return tally


def plain_sheet(text: str) -> Tally:
    """datencsv: the cells right of the empty corner of the header, above the line of underscores."""
    lines = text[: text.index("__________")].splitlines()
    header = [line for line in lines if line.startswith(";;")]
    corner = min(len(line) - len(line.lstrip(";")) for line in header)
    tally = Tally()
    for line in lines[lines.index(header[-1]) + 1 :]:
        for cell in line.split(";")[corner:]:
            tally.add(cell)
    return tally


def plain_workbook(path: Path) -> Tally:
    """With openpyxl, the peer of the library the readers use."""
    tally = Tally()
    for sheet in load_workbook(path, data_only=True).worksheets:
        rows = [
            [("" if c is None else str(c)).strip() for c in row] for row in sheet.iter_rows(values_only=True)
        ]
        if re.fullmatch(r"\d{5}-\d{4}", sheet.title):
            for row in rows:
                if re.fullmatch(r"\d{5}", row[0]):
                    for cell in row[2:]:
                        tally.add(cell)
        elif sheet.title.startswith("csv-"):
            for row in rows[1:]:
                if row[0]:
                    tally.add(row[-2], row[-1])
    return tally


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_a_plain_count_of_the_raw_text_agrees(path: Path) -> None:
    if path.suffix == ".xlsx":
        plain = plain_workbook(path)
    else:
        text = text_of(path)
        plain = (
            plain_flat(text) if text.startswith(("statistics_code", "Statistik_Code")) else plain_sheet(text)
        )
    read = read_official(path.name, path.read_bytes()).frame
    assert len(read) == plain.cells > 0
    assert int(read["value"].notna().sum()) == len(plain.numbers)
    assert math.isclose(read["value"].sum(), math.fsum(plain.numbers), rel_tol=1e-12, abs_tol=1e-9)
    assert Counter(read["sign"].dropna()) == plain.signs


def test_declared_tables_read_the_same_under_their_contract(shared: Path, catalogue: Catalogue) -> None:
    """A contract names columns and items; it never changes, adds or drops a value."""
    held = 0
    for path in FILES:
        free = read_official(path.name, path.read_bytes())
        contract = catalogue.tables.get(free.table_code)
        if contract is None or not contract.columns:
            continue
        bound = read_official(path.name, path.read_bytes(), catalogue)
        held += 1
        assert len(bound) == len(free)
        assert sorted(bound.frame["value"].dropna()) == sorted(free.frame["value"].dropna())
        assert Counter(bound.frame["sign"].dropna()) == Counter(free.frame["sign"].dropna())
    assert held >= 25


def test_all_files_and_replies_are_there(shared: Path) -> None:
    """Parametrised tests of an empty list would pass unseen."""
    assert len(FILES) == 53 + 16
