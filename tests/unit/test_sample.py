"""The embedded sample: the same bytes every time, readable under every contract, marked synthetic."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import OfficialRows, read_official
from orchestration.collect.sample.generate import sample_files, write_sample
from orchestration.collect.sample.official_layouts import NOTICE
from orchestration.collect.sample.population import TINY


def digest(files: dict[str, bytes]) -> str:
    return hashlib.sha256(b"".join(n.encode() + d for n, d in sorted(files.items()))).hexdigest()


def test_the_same_bytes_every_time(catalogue: Catalogue, sample: Path) -> None:
    written = {p.name: p.read_bytes() for p in sample.iterdir() if p.name[0] != "."}
    assert digest(sample_files(catalogue)) == digest(written)


@pytest.fixture(scope="module")
def files(sample: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(sample.iterdir()) if p.name[0] != "."}


@pytest.fixture(scope="module")
def readings(files: dict[str, bytes], catalogue: Catalogue) -> dict[str, OfficialRows]:
    return {name: read_official(name, data, catalogue) for name, data in files.items()}


def test_nothing_is_written_twice(catalogue: Catalogue, sample: Path) -> None:
    first = {p: p.stat().st_mtime_ns for p in sample.iterdir()}
    write_sample(sample, catalogue)
    assert {p: p.stat().st_mtime_ns for p in sample.iterdir()} == first


def test_every_file_meets_its_contract_and_covers_the_land(
    catalogue: Catalogue, readings: dict[str, OfficialRows]
) -> None:
    for name, rows in readings.items():
        areas = rows.frame[["area_code", "area_level"]].drop_duplicates()
        districts = areas[(areas["area_level"] == "district") & areas["area_code"].str.startswith("07")]
        assert len(districts) == 36, name
        assert {"DG", "07"} <= set(areas["area_code"]) or name == "12411-0015.csv"
    assert {r.format for r in readings.values()} == {"ffcsv_v4", "ffcsv_v5", "datencsv"}
    assert {r.encoding for r in readings.values()} == {"utf-8", "cp1252"}
    assert {r.table_code for r in readings.values()} == {
        code
        for code, table in catalogue.tables.items()
        # The same table over again, cut by other regional levels.
        if table.is_bound and not code.endswith("-B")
    }


def test_the_tiny_sample_is_a_part_of_the_full_one(
    catalogue: Catalogue, readings: dict[str, OfficialRows]
) -> None:
    """The tables that its city needs, the last eight years of them, and the same figures."""
    small = catalogue.for_registers(set()).for_tables(["pub_schools", "pub_vocational"])
    files = sample_files(small, TINY)
    assert {name.split("_")[0].removesuffix(".csv") for name in files} == {
        "12411-01-01-4", "21111-01-03-4", "21121-01-05-4", "21121-02-02-4",
    }  # fmt: skip
    for name, data in files.items():
        tiny, full = read_official(name, data, catalogue).frame, readings[name].frame
        assert len(tiny) == len(tiny.merge(full.drop_duplicates(), on=list(tiny.columns)))
        assert tiny["period_end"].min().year >= min(TINY.recent)


def test_every_file_says_that_it_is_synthetic(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        assert name.endswith(".zip") or NOTICE.encode("ascii") in data, name


def test_the_signs_of_real_files_occur(readings: dict[str, OfficialRows]) -> None:
    signs = set().union(*(set(r.frame["sign"].dropna()) for r in readings.values()))
    assert {"-", "x"} <= signs
