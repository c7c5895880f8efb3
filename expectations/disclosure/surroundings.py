"""A few micro cells of many: those that have most to do with some others, and what can be asked of moving them.

Belongs here: cutting a small system out of a large one. Does not belong here: what is asked of it (suppress, attack, relax).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure.population import Bools, Floats, Ints

_STEPS = 3


class Surroundings:
    """Of one matrix of rows over micro cells. Short rows tie more closely than long ones."""

    def __init__(self, rows: sp.csr_array) -> None:
        self._rows = abs(sp.csr_array(rows))
        self._columns = sp.csr_array(self._rows.T)
        self._squares = np.maximum(np.diff(self._rows.indptr), 1).astype(float) ** 2

    def around(self, start: Floats, sizes: Iterable[int]) -> Iterator[Ints]:
        """For every size at most so many micro cells: those of `start` that are not 0, then the nearest to them first."""
        sizes = list(sizes)
        order = self.nearest(start[:, None], max(sizes))[0]
        for size in sizes:
            yield order[:size]

    def nearest(self, starts: Floats, most: int) -> list[Ints]:
        """For every column of `starts` at most so many micro cells that have to do with it, the nearest first.

        Several columns together take a fraction of the time that each takes alone, and give the same.
        """
        weights = (starts != 0).astype(float)
        for _ in range(_STEPS):
            weights = weights + self._columns @ ((self._rows @ weights) / self._squares[:, None])
        return [largest(weight, most) for weight in weights.T.copy()]


def largest(weights: Floats, most: int) -> Ints:
    """Where at most so many of the largest weights above 0 stand, the largest first; among equals the first."""
    most = min(most, int(np.count_nonzero(weights)))
    if most == 0:
        return np.zeros(0, dtype=np.int64)
    least = np.partition(weights, len(weights) - most)[len(weights) - most]
    at = np.flatnonzero(weights >= least)
    return at[np.argsort(-weights[at], kind="stable")[:most]]


def shift(by_cell: sp.csc_array, cells: Ints, steps: Ints) -> tuple[Ints, Floats]:
    """The rows that a move of these micro cells changes, and by how much."""
    rows, column, data = _entries(by_cell, cells)
    touched, row = np.unique(rows, return_inverse=True)
    change = np.bincount(row, data * steps[column], len(touched))
    return touched[change != 0], change[change != 0]


def rows_over(by_cell: sp.csc_array, cells: Ints) -> tuple[Ints, sp.csr_array]:
    """The rows that some of these micro cells are in, and those rows over these micro cells alone."""
    rows, column, data = _entries(by_cell, cells)
    touched, row = np.unique(rows, return_inverse=True)
    return touched, _by_row(row, column, data.astype(float), (len(touched), len(cells)))


def _entries(by_cell: sp.csc_array, cells: Ints) -> tuple[Ints, Ints, Floats]:
    """Of these columns of a matrix: row, place among these columns, number."""
    starts, counts = by_cell.indptr[cells], np.diff(by_cell.indptr)[cells]
    before = np.cumsum(counts) - counts
    at = np.repeat(starts - before, counts) + np.arange(counts.sum())
    return by_cell.indices[at], np.repeat(np.arange(len(cells)), counts), by_cell.data[at]


def _by_row(row: Ints, column: Ints, data: Floats, shape: tuple[int, int]) -> sp.csr_array:
    """A matrix of entries, no two in one place. scipy's own way there takes longer than a small program its solution."""
    order = np.argsort(row, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
    return sp.csr_array((data[order], column[order], ends), shape=shape)


def alike(rows: sp.csr_array) -> tuple[Ints, Ints]:
    """Rows that are the same over these micro cells say one thing: the first of every kind, and of which kind each row is.

    Told apart by sums of 64 random bits for each entry, the same ones in every run. No row is empty.
    """
    bits = _bits(rows.shape[1])
    numbers = rows.data.astype(float).view(np.uint64)
    # A double of a small whole number has its bits on the left only: they are spread before they are multiplied.
    numbers = (numbers ^ (numbers >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    entries = bits[rows.indices] * (numbers ^ (numbers >> np.uint64(29)) | np.uint64(1))
    _, firsts, of_row = np.unique(
        np.add.reduceat(entries, rows.indptr[:-1]), return_index=True, return_inverse=True
    )
    return firsts, of_row


@lru_cache(maxsize=256)
def _bits(count: int) -> npt.NDArray[np.uint64]:
    """So many random numbers, the same ones in every run."""
    return np.random.default_rng(1).integers(1 << 63, size=count, dtype=np.uint64)


def lone(rows: sp.csr_array, which: Ints) -> tuple[Bools, Ints]:
    """Which of these rows are one micro cell, once; and the micro cell of each that is. Such a row is a bound of its own."""
    starts = rows.indptr[which]
    alone = (np.diff(rows.indptr)[which] == 1) & (rows.data[starts] == 1)
    return alone, rows.indices[starts[alone]]


def moves_of(rows: sp.csr_array, more: Sequence[sp.csr_array], slots: Ints | None = None) -> sp.csr_array:
    """The rows over moves: how much each micro cell gains, how much it loses, then by how much each row of `slots` goes up
    and down (which takes that off the row again). `more`: further rows over the micro cells, below.
    """
    slots = np.zeros(0, dtype=np.int64) if slots is None else slots
    n, first = rows.shape[1], 0
    row, column, data = [], [], []
    for matrix in (rows, *more):
        at = first + np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        row += [at, at]
        column += [matrix.indices, matrix.indices + n]
        data += [matrix.data, -matrix.data]
        first += matrix.shape[0]
    each, ones = np.arange(len(slots)), np.ones(len(slots))
    row += [slots, slots]
    column += [2 * n + each, 2 * n + len(slots) + each]
    data += [-ones, ones]
    shape = (first, 2 * (n + len(slots)))
    return _by_row(np.concatenate(row), np.concatenate(column), np.concatenate(data), shape)
