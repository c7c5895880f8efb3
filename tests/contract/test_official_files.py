"""Contract with the offices: real exports in every format that occurs, read where they lie."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import OfficialRows, read_official
from tests.support.nights import OFFICIAL, invoke


def official(name: str, catalogue: Catalogue | None) -> OfficialRows:
    path = OFFICIAL / name
    return read_official(path.name, path.read_bytes(), catalogue)


def test_both_downloads_of_the_school_table_have_one_schema(shared: Path, catalogue: Catalogue) -> None:
    """2017 without a year column, 2025 with one; Koblenz's cells equal the files' own lines."""
    name = "21111-01-03-4"
    old, new = (official(f"datencsv/{year}/{name}.csv", catalogue) for year in (2017, 2025))
    assert list(old.frame.columns) == list(new.frame.columns)
    assert set(old.frame["BILSA8"]) == set(new.frame["BILSA8"])
    labels = {label: item.code for item in catalogue.classifications["BILSA8"].items for label in item.labels}
    columns = catalogue.tables[name].columns
    for rows, year, first in ((old, 2017, "07111;"), (new, 2025, "2023;07111;")):
        text = (OFFICIAL / f"datencsv/{year}/{name}.csv").read_text(encoding="cp1252")
        lines = [line.split(";") for line in text.split("\n") if line.startswith(first)]
        assert len(lines) == 12
        koblenz = rows.frame[rows.frame["area_code"] == "07111"]
        assert len(koblenz) == 12 * len(columns)
        for line in lines:
            item, cells = labels[line[-7].strip()], line[-6:]
            for column, cell in zip(columns, cells, strict=True):
                found = koblenz[(koblenz["BILSA8"] == item) & (koblenz["measure"] == column.measure)]
                for variable in ("GES", "NAT", "BILKL2"):
                    wanted = column.items.get(variable)
                    same = found[variable].isna() if wanted is None else found[variable] == wanted
                    found = found[same]
                assert len(found) == 1
                if cell in ("-", "x"):
                    assert found["sign"].item() == cell
                    assert found["value"].isna().item()
                else:
                    assert found["value"].item() == float(cell)


def test_known_additions_of_koblenz(shared: Path, catalogue: Catalogue) -> None:
    rows = official("datencsv/2025/21111-01-03-4.csv", catalogue).frame
    koblenz = rows[(rows["area_code"] == "07111") & (rows["measure"] == "BIL003") & rows["GES"].eq("")]
    parts = koblenz[koblenz["BILSA8"] != "INSGESAMT1"]["value"]
    assert sorted(parts.dropna()) == [116, 407, 827, 2182, 3913, 5401]
    assert koblenz[koblenz["BILSA8"] == "INSGESAMT1"]["value"].item() == parts.sum() == 12846
    grade11 = rows[(rows["area_code"] == "07111") & (rows["BILKL2"] == "JGSTUFE11")].set_index("BILSA8")
    assert grade11.loc["INSGESAMT1", "value"] == 700
    assert grade11["value"].drop("INSGESAMT1").sum() == 644
    assert grade11.loc["SCHULE28", "sign"] == "x"


def test_three_areas_are_called_koblenz(shared: Path, catalogue: Catalogue) -> None:
    rows = official("datencsv/2025/21111-02-06-4.csv", catalogue)
    named = dict(rows.frame[["area_code", "area_level"]].drop_duplicates().values)
    koblenz = {c for c, n in rows.codebook["areas"].items() if "Koblenz" in n}
    assert {c: named[c] for c in koblenz} == {"071": "region", "07111": "district", "07137": "district"}
    assert named["03241001"] == "sub_district"


def test_the_english_v4_header_reads_like_the_german_one(shared: Path, catalogue: Catalogue) -> None:
    stem = "ffcsv_v4/12411-01-01-4_2024-12-04"
    german, english = (
        official(f"{stem}.ffcsv.csv", catalogue),
        official(f"{stem}_language-en.ffcsv.csv", catalogue),
    )
    assert german.frame.equals(english.frame)


def test_shifted_rows_without_values_are_left_out_and_counted(shared: Path) -> None:
    rows = official("ffcsv_v4/52411-02-01-4_2024-12-04.ffcsv.csv", None)
    assert len(rows.frame) == 538 * 3
    assert rows.notes == ["538 rows without any value left out: shifted by five columns"]


def test_undelivered_districts_keep_their_dash(shared: Path) -> None:
    """13111, 30.06.2025: every district is `-` while the Länder have numbers."""
    rows = official("ffcsv_v5/13111-01-03-4_1773175029986_de_flat.csv", None).frame
    districts = rows[rows["area_level"] == "district"]
    assert set(districts["sign"]) == {"-"}
    assert districts["value"].isna().all()
    assert rows[rows["area_level"] == "state"]["value"].notna().all()


@pytest.mark.parametrize("table", ["1000A-0000", "12211-0001", "12411-01-01-4", "23111-0001"])
def test_recorded_replies_in_both_languages_hold_the_same_numbers(shared: Path, table: str) -> None:
    """The API's zips: decimal comma in German, point in English, the same rows in any order."""
    folder = shared / "data" / "genesis_api" / "recorded"
    frames = []
    for number, language in (("000", "de"), ("002", "en")):
        path = folder / f"{table}__{number}_data_tablefile_{language}.zip"
        frame = read_official(f"{table}_{language}.zip", path.read_bytes()).frame
        keys = [c for c in frame.columns if c not in ("value", "sign", "unit", "period_label")]
        frames.append(frame.drop(columns=["unit"]).sort_values(keys).reset_index(drop=True))
    assert frames[0]["value"].equals(frames[1]["value"])
    assert frames[0]["sign"].equals(frames[1]["sign"])


def test_values_equal_a_plain_reading_of_a_large_file(shared: Path) -> None:
    """Against Python's csv module on 116,738 rows: count and sum of the numbers."""
    path = OFFICIAL / "ffcsv_v5" / "12531-0043_175879554_flat.zip"
    frame = read_official(path.name, path.read_bytes()).frame
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0]).decode("utf-8-sig")
    plain = [row["value"] for row in csv.DictReader(io.StringIO(text), delimiter=";")]
    numbers = [float(v.replace(",", ".")) for v in plain if v.strip("-").replace(",", "").isdigit()]
    assert (len(plain), len(numbers)) == (116_738, int(frame["value"].notna().sum()))
    assert frame["value"].sum() == sum(numbers) == 8_480_805


def test_read_names_the_format_and_writes_long_rows(shared: Path, tmp_path: Path) -> None:
    target = tmp_path / "rows.csv"
    path = OFFICIAL / "ffcsv_v5" / "12411-01-01-4_1773175772751_de_flat.csv"
    done = invoke("read", str(path), "--output", str(target))
    assert done.code == 0, done.err
    assert "ffcsv_v5" in done.out
    with open(target, encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == [
        "table_code", "area_code", "area_level", "period_start", "period_end", "period_label",
        "GES", "measure", "value", "sign", "unit",
    ]  # fmt: skip
    koblenz = [r for r in rows if r["area_code"] == "07111" and r["GES"] == ""]
    assert [float(r["value"]) for r in koblenz] == [113378.0]
