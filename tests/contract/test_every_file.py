"""Every official file and every recorded reply, against an independent reading of its raw text.

The reading here knows nothing of the readers: it splits lines, counts cells and adds numbers.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
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
from tests.support.nights import OFFICIAL, SHARED

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


def test_the_list_of_municipalities_equals_a_plain_count(shared: Path) -> None:
    path = shared / "data" / "areas" / "AuszugGV2QAktuell.xlsx"
    rows = read_official(path.name, path.read_bytes())
    sheet = load_workbook(path, read_only=True, data_only=True).worksheets[1]
    plain = [row for row in sheet.iter_rows(values_only=True) if row[0] == "60"]
    frame = rows.frame
    assert frame["area_code"].nunique() == len(plain)
    people = frame[(frame["measure"] == "BEVSTD") & (frame["GES"] == "")]
    assert people["value"].sum() == sum(row[9] for row in plain if isinstance(row[9], int | float))
    area = frame[frame["measure"] == "FLC006"]["value"].sum()
    assert math.isclose(area, math.fsum(row[8] for row in plain), rel_tol=1e-12)
    koblenz = people[people["area_code"] == "07111000"]["value"].item()
    assert koblenz == 115268
    assert rows.codebook["register"] == "2024-06-30"
    assert {len(code) for code in rows.codebook["areas"]} == {2, 3, 5, 8}


@pytest.mark.full_tier  # reads every real file
def test_every_district_key_of_the_files_exists_by_list_or_by_reform(
    shared: Path, catalogue: Catalogue
) -> None:
    """The list of 2024 and the declared reforms know every district any file has ever named."""
    path = shared / "data" / "areas" / "AuszugGV2QAktuell.xlsx"
    listed = set(read_official(path.name, path.read_bytes()).codebook["areas"])
    dissolved = {a.code for r in catalogue.area_reforms.values() for a in r.dissolved}
    founded = {a.code for r in catalogue.area_reforms.values() for a in r.founded}
    with gzip.open(shared / "data" / "areas" / "datenguide_regions.json.gz") as handle:
        tree = {code for code, area in json.load(handle).items() if area["level"] == 3}
    named = set(tree)
    for file in FILES:
        rows = read_official(file.name, file.read_bytes())
        levels = dict(zip(rows.frame["area_code"], rows.frame["area_level"], strict=True))
        named |= {code for code, level in levels.items() if level == "district"}
    boroughs = {f"110{n:02d}" for n in range(1, 13)}  # Berlin's, as district keys in 13211-01-03-5
    assert named - listed - dissolved - founded - boroughs == set()
    assert dissolved & listed == set()
    assert {code for code in founded if code not in listed} == {"06415", "16056"}
    assert len(dissolved) == 76


@pytest.mark.full_tier  # reads every real file twice
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
