"""A release's files: the same contents give the same bytes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from expectations.catalogue.model import Text
from orchestration.publish.contents import ReleaseTable
from orchestration.publish.formats import _german_number, _write_duckdb

KINDS = {
    "int32": (pa.int32(), np.int32), "int64": (pa.int64(), np.int64), "double": (pa.float64(), np.float64),
    "date": (pa.date32(), np.int32),
}  # fmt: skip


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


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_under_missing_values_is_in_no_file(kind: str, tmp_path: Path) -> None:
    hashes = set()
    for seed in (1, 2):
        path = tmp_path / f"{seed}.duckdb"
        table = ReleaseTable("t", Text(de="t", en="t"), _with_litter(kind, seed), [])
        _write_duckdb(path, [table], {"value": "a value"}, synthetic=False)
        hashes.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(hashes) == 1


@pytest.mark.parametrize(
    ("value", "decimals", "sign", "expected"),
    [(1234.5, 1, False, "1.234,5"), (3.0, 0, True, "+3"), (0.0, 1, True, "0,0"), (None, 1, True, "–")],
)  # fmt: skip
def test_numbers_are_written_as_in_a_german_office(
    value: float | None, decimals: int, sign: bool, expected: str
) -> None:
    assert _german_number(value, decimals, sign) == expected
