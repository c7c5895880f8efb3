"""Every format of a release, read by somebody else's reader, says what the mart says."""

from __future__ import annotations

import csv
import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from pyshacl import validate
from rdflib import DCAT, RDF, Graph, URIRef

from expectations.catalogue import load_catalogue
from orchestration.publish.release import file_hash

SHAPES = Path(__file__).parent.parent / "contract" / "dcat_ap_de.ttl"
MUCH = "pub_leavers"
"""A table with every kind of column, missing values, signs and breaks."""


@pytest.fixture(scope="module")
def release(night_home: Path) -> Path:
    return (night_home / "releases" / "current").resolve()


def mart(release: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(release / "mart.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("most", [20_000, pytest.param(10**9, marks=pytest.mark.full_tier)])
def test_every_csv_and_parquet_file_is_the_mart_cell_by_cell(release: Path, most: int) -> None:
    """Tables of so many rows at most: the small ones in every run, all in the second tier."""
    with duckdb.connect(str(release / "mart.duckdb"), read_only=True) as connection:
        tables = [
            name
            for (name,) in connection.execute(
                "select table_name from duckdb_tables() where estimated_size <= ? order by 1", [most]
            ).fetchall()
        ]
        assert len(tables) > 25
        for name in tables:
            kinds = {c: t for c, t, *_ in connection.execute(f'describe "{name}"').fetchall()}
            # A quoted nothing is an empty text, an unquoted one is missing.
            read = (
                f"read_csv('{release}/csv/{name}.csv', header = true, auto_detect = false, delim = ',', quote = '\"', "
                f"escape = '\"', dateformat = '%Y-%m-%d', timestampformat = '%Y-%m-%dT%H:%M:%S', "
                f"columns = {json.dumps(kinds)}, nullstr = '', allow_quoted_nulls = false)"
            )
            for other in (read, f"'{release}/parquet/{name}.parquet'"):
                differing = connection.execute(
                    f'select count(*) from ((from "{name}" except all from {other}) union all (from {other} except all from "{name}"))'
                ).fetchall()
                assert differing == [(0,)], (name, other)


def test_csv_is_rfc_4180(release: Path) -> None:
    data = (release / "csv" / f"{MUCH}.csv").read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    assert data.count(b"\n") == data.count(b"\r\n")
    rows = list(csv.reader(data.decode("utf-8").splitlines(keepends=True), strict=True))
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == mart(release, f"select count(*) + 1 from {MUCH}")[0][0]


def test_the_german_csv_says_the_same_with_semicolons_and_commas(release: Path) -> None:
    data = (release / "csv_de" / f"{MUCH}.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    head, *rows = csv.reader(data.decode("utf-8-sig").splitlines(keepends=True), delimiter=";", strict=True)
    expected = mart(release, f"select * from {MUCH}")
    assert len(rows) == len(expected)

    def german(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, bool):
            return "ja" if value else "nein"
        if isinstance(value, dt.datetime):
            return f"{value:%d.%m.%Y %H:%M}"
        if isinstance(value, dt.date):
            return f"{value:%d.%m.%Y}"
        return repr(value).replace(".", ",") if isinstance(value, float) else str(value)

    for row, values in zip(rows, expected, strict=True):
        assert [
            number(text) if isinstance(v, float) else text for text, v in zip(row, values, strict=True)
        ] == [v if isinstance(v, float) else german(v) for v in values], dict(zip(head, row, strict=True))


def number(text: str) -> float:
    assert "." not in text
    return float(text.replace(",", "."))


def test_a_workbook_is_the_mart_of_the_city_and_can_be_handed_out(release: Path) -> None:
    book = openpyxl.load_workbook(release / "xlsx" / f"{MUCH}.xlsx")
    catalogue = load_catalogue()
    labels = {
        (b, c): label for b, c, label in mart(release, "select breakdown, cell, label_de from breakdown_cell")
    }
    contents = [[cell.value for cell in row] for row in book["Inhalt"].iter_rows()]
    said = "\n".join(str(value) for row in contents for value in row if value)
    assert "SYNTHETISCHE DATEN" in said
    assert "Lizenz: dl-de/by-2-0" in said
    assert "Zahlenwert unbekannt oder geheim zu halten" in said
    seen = ranges = 0
    for indicator in catalogue.indicators_of(MUCH):
        sheet = book[indicator.code]
        assert sheet.freeze_panes == "D7"
        assert sheet.cell(2, 1).value == f"{indicator.code}  {indicator.label.de}"
        heads = [cell.value for cell in sheet[6]]
        at = {head: n for n, head in enumerate(heads)}
        used = [name for name in catalogue.breakdowns if catalogue.breakdowns[name].label.de in at]
        far = "case area_code when '07111' then 0 when '07' then 2 when 'DG' then 3 else 1 end"
        order = ", ".join([far, "area_code", "period_end", *used])
        rows = mart(release, f"""select area_code, area_name, period_label, {''.join(f'{n}, ' for n in used)} value, sign, status, value_from, value_to from {MUCH}
            where indicator_id = '{indicator.id}' and (area_code like '07111%' or area_code in ('07', 'DG')) order by {order}""")  # fmt: skip
        figure = 3 + len(used)
        for row, expected in zip(sheet.iter_rows(min_row=7, max_row=6 + len(rows)), rows, strict=True):
            found = [cell.value for cell in row]
            assert found[0] == expected[0]
            assert isinstance(found[0], str)  # 07111 keeps its zero
            cells = [labels.get((n, c), "insgesamt") for n, c in zip(used, expected[3:figure], strict=True)]
            assert found[3:figure] == cells
            value, sign, _, low, high = expected[figure:]
            if low is not None:
                assert found[figure] == f"{_german(low)} bis {_german(high)}"
                ranges += 1
            elif value is None:
                assert found[figure] in (sign, "...", ".", "x", "/")
            else:
                assert found[figure] == value
                assert not isinstance(found[figure], str)
                assert row[figure].number_format.count("0") == 1 + indicator.decimals
            assert (found[figure + 1] or "") == (sign or "")
            seen += 1
        assert sheet.cell(8 + len(rows), 1).value == "Berechnung"
        # Notes are as wide as the table and no wider: one that ran on made every printed page small.
        wide = {cells.min_row: cells.max_col for cells in sheet.merged_cells.ranges if cells.min_col == 2}
        for row in range(8 + len(rows), sheet.max_row + 1):
            assert wide[row] == len(heads)
            assert sheet.cell(row, 2).alignment.wrap_text
            lines = sheet.row_dimensions[row].height / 12
            assert lines >= len(str(sheet.cell(row, 2).value)) / (1.15 * 22 * len(heads))
    assert seen > 1000
    assert ranges > 10


def _german(number: float) -> str:
    return f"{number:.1f}".replace(".", ",")


def test_csv_on_the_web_is_valid(release: Path, tmp_path: Path) -> None:
    """csvw's own check of a few tables against the release's metadata: types, keys and required columns."""
    from csvw import CSVW

    metadata = json.loads((release / "csv" / "csv-metadata.json").read_text(encoding="utf-8"))
    names = {table["url"] for table in metadata["tables"]}
    assert names == {path.name for path in (release / "csv").glob("*.csv")}
    few = [
        "pub_inclusion.csv",
        "pub_measures.csv",
        "pub_steering.csv",
        "indicator.csv",
        "area.csv",
        "verdict.csv",
    ]
    metadata["tables"] = [table for table in metadata["tables"] if table["url"] in few]
    (tmp_path / "csv-metadata.json").write_text(json.dumps(metadata), encoding="utf-8")
    for name in few:
        shutil.copy(release / "csv" / name, tmp_path)
    checked = CSVW(str(tmp_path / "csv-metadata.json"), validate=True)
    assert checked.is_valid, checked.warnings
    rows = (tmp_path / "pub_inclusion.csv").read_text(encoding="utf-8")
    (tmp_path / "pub_inclusion.csv").chmod(0o644)
    (tmp_path / "pub_inclusion.csv").write_text(
        rows.replace("2024-08-01", "August", 1), encoding="utf-8", newline=""
    )
    assert not CSVW(str(tmp_path / "csv-metadata.json"), validate=True).is_valid


def test_the_portals_entry_is_what_dcat_ap_de_asks_for(release: Path) -> None:
    base = "https://daten.example/bildung/"
    turtle, linked = Graph(), Graph()
    turtle.parse(release / "catalog.ttl", publicID=base)
    linked.parse(release / "catalog.jsonld", format="json-ld", base=base)
    assert set(turtle) == set(linked)
    conforms, _, report = validate(turtle, shacl_graph=str(SHAPES), allow_warnings=True)
    assert conforms, report
    datasets = list(turtle.subjects(RDF.type, DCAT.Dataset))
    assert len(datasets) == len(load_catalogue().published)
    # What is said of a file is true of it.
    for file in turtle.subjects(RDF.type, DCAT.Distribution):
        path = release / str(turtle.value(file, DCAT.downloadURL)).removeprefix(base)
        assert int(str(turtle.value(file, DCAT.byteSize))) == path.stat().st_size
        checksum = turtle.value(URIRef(f"{file}-checksum"), URIRef("http://spdx.org/rdf/terms#checksumValue"))
        assert str(checksum) == file_hash(path)
    without = Graph() + turtle
    without.remove((None, DCAT.theme, None))
    assert not validate(without, shacl_graph=str(SHAPES), allow_warnings=True)[0]
    # Only a data provider's id at GovData is missing, which a city has to be given.
    assert not validate(turtle, shacl_graph=str(SHAPES))[0]
