"""The micro cells that have most to do with some others, by the rows they share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
