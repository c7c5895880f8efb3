"""A few micro cells of many: those that have most to do with some others, and what can be asked of moving them.

Belongs here: cutting a small system out of a large one. Does not belong here: what is asked of it (suppress, attack, relax).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import scipy.sparse as sp

from expectations.disclosure.population import Floats, Ints

_STEPS = 3


class Surroundings:
    """Of one matrix of rows over micro cells. Short rows tie more closely than long ones."""

    def __init__(self, rows: sp.csr_array) -> None:
        self._rows = abs(sp.csr_array(rows))
        self._columns = sp.csr_array(self._rows.T)
        self._squares = np.maximum(np.diff(self._rows.indptr), 1).astype(float) ** 2

    def around(self, start: Floats, sizes: Iterable[int]) -> Iterator[Ints]:
        """For every size at most so many micro cells: those of `start` that are not 0, and the nearest to them."""
        weight = (start != 0).astype(float)
        for _ in range(_STEPS):
            weight = weight + self._columns @ ((self._rows @ weight) / self._squares)
        order = np.argsort(-weight, kind="stable")
        near = int(np.count_nonzero(weight))
        for size in sizes:
            yield np.sort(order[: min(size, near)])


def rows_over(by_cell: sp.csc_array, cells: Ints) -> tuple[Ints, sp.csr_array]:
    """The rows that some of these micro cells are in, and those rows over these micro cells alone."""
    starts, counts = by_cell.indptr[cells], np.diff(by_cell.indptr)[cells]
    before = np.cumsum(counts) - counts
    at = np.repeat(starts - before, counts) + np.arange(counts.sum())
    touched, row = np.unique(by_cell.indices[at], return_inverse=True)
    column = np.repeat(np.arange(len(cells)), counts)
    return touched, sp.csr_array(
        (by_cell.data[at].astype(float), (row, column)), shape=(len(touched), len(cells))
    )


def moves_of(rows: sp.csr_array, more: Sequence[sp.csr_array], slots: Ints | None = None) -> sp.csr_array:
    """The rows over moves: how much each micro cell gains, how much it loses, then by how much each row of `slots` goes up
    and down (which takes that off the row again). `more`: further rows over the micro cells, below.
    """
    n, parts, first = rows.shape[1], [], 0
    slots = np.zeros(0, dtype=np.int64) if slots is None else slots
    for matrix in (rows, *more):
        found = sp.coo_array(matrix)
        at = found.row + first
        parts += [(at, found.col, found.data), (at, found.col + n, -found.data)]
        first += matrix.shape[0]
    each, ones = np.arange(len(slots)), np.ones(len(slots))
    parts += [(slots, 2 * n + each, -ones), (slots, 2 * n + len(slots) + each, ones)]
    row, column, data = (np.concatenate(p) for p in zip(*parts, strict=True))
    return sp.csr_array((data, (row, column)), shape=(first, 2 * (n + len(slots))))
