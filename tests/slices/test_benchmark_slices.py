"""A small slice of each benchmark; the whole ones run by `make bench`.

Those of the night itself (night, gate, scale) have a module of their own.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from tests.benchmarks import disclosure, publishing, questions, reading, registers
from tests.support.nights import OFFICIAL


def test_the_benchmark_of_publishing_measures_every_route(capsys: pytest.CaptureFixture[str]) -> None:
    publishing.publish_many(20_000)
    printed = capsys.readouterr().out
    assert all(f"{what}:" in printed for what in ("Parquet", "mart.duckdb", "PostgreSQL, 20,000 rows"))
    assert "bare COPY" in printed
    assert "to_sql" in printed


def test_the_benchmark_of_registers_measures_every_way(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["registers", "--rows", "120000", "--runs", "1"])
    registers.main()
    printed = capsys.readouterr().out
    assert "120,000 residents, medians of 1" in printed
    assert printed.count("rows/s") == len(registers.WAYS)


def test_the_benchmark_of_reading_measures_ours_and_duckdb(shared: Path, tmp_path: Path) -> None:
    """The third reader needs an environment of its own (`make bench`)."""
    with zipfile.ZipFile(OFFICIAL / "ffcsv_v5" / reading.TABLES[1]) as archive:
        path = tmp_path / reading.TABLES[1].replace(".zip", ".csv")
        path.write_bytes(archive.read(archive.namelist()[0]))
    ours, theirs = (reading.measure(reader, path, "") for reader in ("bildungsmonitor", "duckdb read_csv"))
    assert ours["rows"] == theirs["rows"] > 0


def test_the_benchmark_of_questions_asks_all_three_ways(
    night_home: Path, postgresql: str, capsys: pytest.CaptureFixture[str]
) -> None:
    questions.measure(night_home, 1, postgresql.replace("postgresql://", "postgresql+psycopg://"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(questions.QUESTIONS)


def test_the_benchmark_of_confidentiality_compares_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    disclosure.main(3, 1, 0.05)
    assert capsys.readouterr().out.strip()
