"""Which figures, told otherwise than they are, must be hidden so that a count can be another number.

Belongs here: the cheapest figures that bound a count, found by letting them be wrong at a price. Does not
belong here: whether a count is open (attack), which asks again afterwards.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from expectations.disclosure.knowledge import Knowledge
from expectations.disclosure.population import Bools, Floats, Ints
from expectations.disclosure.solver import solve
from expectations.disclosure.surroundings import Surroundings

_SIZES = (300, 1000, 3000)
"""So many micro cells may move; then all of them."""

_REWEIGHTED = 2


class Relaxer:
    """What one set of told figures leaves free, and what it costs to leave more.

    `may_go`: functionals told that may be hidden; every other bound stays. `costs`: what hiding each loses.
    """

    def __init__(self, knowledge: Knowledge, x: Ints, may_go: Bools, costs: Floats) -> None:
        self.matrix = knowledge.matrix
        self.low, self.high = knowledge.low.copy(), knowledge.high.copy()
        self.may_go = np.zeros(len(self.low), dtype=bool)
        self.may_go[: len(may_go)] = may_go
        self.costs = np.ones(len(self.low))
        self.costs[: len(costs)] = np.maximum(costs, 1e-3)
        self.x = x
        self.sums = self.matrix @ x
        self.by_cell = sp.csc_array(self.matrix)
        self.near = Surroundings(self.matrix)
        self.witnesses: list[tuple[Ints, Ints]] = []

    def free(self, functional: int, few: int) -> list[int] | None:
        """The figures to hide so that this count can be nobody, or `few`; None if no hiding helps.

        From now on they count as hidden. The population in which the count is that, where it is one of whole numbers,
        is kept in `witnesses`.
        """
        start = np.zeros(self.matrix.shape[1])
        at = slice(self.matrix.indptr[functional], self.matrix.indptr[functional + 1])
        start[self.matrix.indices[at]] = self.matrix.data[at]
        value = float(self.sums[functional])
        everything = len(self.x)
        for cells in self.near.around(start, [*(s for s in _SIZES if s < everything), everything]):
            ways = [
                self._cheapest(cells, start, low, high)
                for low, high in ((few - value, np.inf), (-np.inf, -value))
            ]
            if found := [way for way in ways if way is not None]:
                _, rows, steps = min(found, key=lambda way: way[:2])
                self.low[rows], self.high[rows] = 0.0, np.inf
                self.may_go[rows] = False
                if np.all(np.abs(steps - np.round(steps)) < 1e-6):
                    moved = np.flatnonzero(np.abs(steps) > 0.5)
                    self.witnesses.append((cells[moved], np.round(steps[moved]).astype(np.int64)))
                return rows
        return None

    def _cheapest(
        self, cells: Ints, start: Floats, low: float, high: float
    ) -> tuple[float, list[int], Floats] | None:
        """What it loses, the told figures that moving these micro cells would belie, and the move; the cheapest found."""
        columns = sp.csr_array(self.by_cell[:, cells])
        touched = np.flatnonzero(np.diff(columns.indptr))
        columns = columns[touched]
        goes = np.flatnonzero(self.may_go[touched])
        m, n, g = len(touched), len(cells), len(goes)
        slots = sp.csr_array((np.ones(g), (goes, np.arange(g))), shape=(m, g))
        target = sp.csr_array(start[cells][None, :])
        matrix = sp.vstack(
            [
                sp.hstack([columns, -columns, slots, -slots]),
                sp.hstack([target, -target, sp.csr_array((1, 2 * g))]),
            ],
            format="csr",
        )
        bounds = (
            np.append(self.low[touched] - self.sums[touched], low),
            np.append(self.high[touched] - self.sums[touched], high),
        )
        nought = np.zeros(2 * n + 2 * g)
        most = np.concatenate([np.full(n, np.inf), self.x[cells].astype(float), np.full(2 * g, np.inf)])
        price = self.costs[touched[goes]]
        cost = np.concatenate([np.full(2 * n, 1e-4), price, price])
        best: tuple[float, list[int], Floats] | None = None
        for _ in range(1 + _REWEIGHTED):
            answer = solve(cost, matrix, bounds, (nought, most))
            if answer.status != "optimal":
                return None
            wrong = answer.x[2 * n : 2 * n + g] + answer.x[2 * n + g :]
            rows = touched[goes[wrong > 1e-6]]
            loss = float(self.costs[rows].sum())
            if best is not None and loss >= best[0]:
                break
            best = (loss, sorted(rows.tolist()), answer.x[:n] - answer.x[n : 2 * n])
            # Again, with what is wrong already made cheaper by how wrong it is: fewer figures.
            cost = np.concatenate([cost[: 2 * n], np.tile(price / (wrong + 0.05), 2)])
        return best
