"""A release's files: the same contents give the same bytes, and none that they don't hold."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.collect.genesis import notation
from orchestration.publish import workbook
from orchestration.publish.formats import _german_number
from orchestration.publish.mart_file import MartError, MartTable, write_mart

KINDS = {
    "int32": (pa.int32(), np.int32), "int64": (pa.int64(), np.int64), "double": (pa.float64(), np.float64),
    "date": (pa.date32(), np.int32),
}  # fmt: skip
SECRET = "Pfaffendorf "


def _with_litter(kind: str, seed: int) -> pa.Table:
    """Every third value is missing, and what lies in memory under a missing one is anybody's guess."""
    arrow, numpy = KINDS[kind]
    rng = np.random.default_rng(seed)
    values = np.arange(5000).astype(numpy) % 700
    missing = np.arange(5000) % 3 == 0
    values[missing] = rng.integers(0, 10_000, int(missing.sum()))
    bits = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    array = pa.Array.from_buffers(arrow, 5000, [bits, pa.py_buffer(values.tobytes())])
    return pa.table({"value": array})


def _mart(path: Path, rows: pa.Table) -> bytes:
    """The bytes of a mart with the one table `t`."""
    pq.write_table(rows, path.with_suffix(".parquet"))
    table: MartTable = {
        "name": "t", "rows": str(path.with_suffix(".parquet")), "comment": "it's a table",
        "columns": dict.fromkeys(rows.column_names, "a value"),
    }  # fmt: skip
    write_mart(path, [table])
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_under_missing_values_is_in_no_file(kind: str, tmp_path: Path) -> None:
    marts = [_mart(tmp_path / f"{seed}.duckdb", _with_litter(kind, seed)) for seed in (1, 2)]
    assert len({hashlib.sha256(mart).digest() for mart in marts}) == 1


def test_what_the_night_had_in_memory_is_in_no_file(tmp_path: Path) -> None:
    """Strings that fill their blocks, written while records of another kind were just dropped."""
    messages = [None if i % 11 == 0 else f"Wiederholung {i % 9000} {'x' * (i % 37)}" for i in range(120_000)]
    marts = []
    for night in (1, 2):
        with duckdb.connect(config={"threads": 1}) as records:
            records.execute(
                "create temp table record as select repeat(?, 9) || hash(i + ?) as text from range(400000) t(i)",
                [SECRET, night],
            )
            records.execute("select count(distinct text) from record").fetchall()
            records.execute("drop table record")
            marts.append(_mart(tmp_path / f"{night}.duckdb", pa.table({"message": messages})))
    assert len({hashlib.sha256(mart).digest() for mart in marts}) == 1
    assert SECRET.encode() not in marts[0]
    with duckdb.connect(str(tmp_path / "1.duckdb"), read_only=True) as mart:
        assert [text for (text,) in mart.execute("select message from t").fetchall()] == messages
        assert mart.execute("select comment from duckdb_tables()").fetchall() == [("it's a table",)]
        assert mart.execute("select comment from duckdb_columns() where table_name = 't'").fetchall() == [
            ("a value",)
        ]


def test_a_mart_that_can_not_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(MartError, match=r"(?s)mart\.duckdb could not be written: .*nowhere"):
        write_mart(tmp_path / "nowhere" / "mart.duckdb", [])


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "expected"),
    [(1234.5, 1, False, "1.234,5"), (3.0, 0, True, "+3"), (0.0, 1, True, "0,0"), (None, 1, True, "–")],
)  # fmt: skip
def test_numbers_are_written_as_in_a_german_office(
    value: float | None, decimals: int, sign: bool, expected: str
) -> None:
    assert _german_number(value, decimals, sign) == expected


def test_the_legend_of_a_workbook_has_every_sign_of_the_offices() -> None:
    assert {sign for sign, _ in workbook.SIGNS} == set(notation.SIGNS)
