"""Which figures, told otherwise than they are, must be hidden so that a count can be another number.

Belongs here: the cheapest figures that bound a count, found by letting them be wrong at a price. Does not
belong here: whether a count is open (attack), which asks again afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from expectations.disclosure.knowledge import Knowledge
from expectations.disclosure.population import Bools, Floats, Ints
from expectations.disclosure.solver import is_whole, solve
from expectations.disclosure.surroundings import Surroundings, moves_of, rows_over

_SIZES = (300, 1200, 4000)
"""So many micro cells may move; all of them if no way is found."""

_WORTH = (100.0, 2000.0)
"""A larger search is worth its time if a smaller one would lose more than this: figures of so many people."""

_REWEIGHTED = 1

_NODES = 50
"""So far a search for a move of whole persons goes, where the cheapest move takes halves."""

_WHOLE_GAP = 0.5
"""The first move of whole persons that loses at most so much more than the least is taken."""


@dataclass(frozen=True)
class _Program:
    matrix: sp.csr_array
    rows: tuple[Floats, Floats]
    columns: tuple[Floats, Floats]
    cost: Floats
    touched: Ints
    """The rows that the micro cells are in."""
    goes: Ints
    """Those of them that may be wrong."""


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

    def free(self, functional: int, few: int, anywhere: bool = True) -> list[int] | None:
        """The figures to hide so that this count can be nobody, or `few`; None if no hiding helps.

        `anywhere`: if nothing nearby does, ask of the whole population. From now on they count as hidden. The population
        in which the count is that, where it is one of whole numbers, is kept in `witnesses`.
        """
        start = np.zeros(self.matrix.shape[1])
        at = slice(self.matrix.indptr[functional], self.matrix.indptr[functional + 1])
        start[self.matrix.indices[at]] = self.matrix.data[at]
        value = float(self.sums[functional])
        everything = len(self.x)
        ways = [(few - value, np.inf), (-np.inf, -value)]
        best: tuple[float, list[int], Ints, Floats, tuple[float, float]] | None = None
        sizes = [s for s in _SIZES if s < everything]
        around = self.near.around(start, [*sizes, everything] if anywhere or not sizes else sizes)
        for searched, cells in enumerate(map(np.sort, around)):
            if best is not None and (searched > len(_WORTH) or best[0] <= _WORTH[searched - 1]):
                break
            for way in ways:
                found = self._cheapest(cells, start, *way)
                if found is not None and (best is None or found[:2] < best[:2]):
                    best = (found[0], found[1], cells, found[2], way)
                if best is not None and not best[1]:
                    break
        if best is None:
            return None
        _, rows, cells, steps, way = best
        whole = steps if is_whole(steps) else None
        if whole is None:
            # The cheapest move takes halves: one of whole persons, the same way if there is one, proves something.
            others = [other for other in ways if other != way]
            rows, whole = self._whole_move(cells, start, [way, *others]) or (rows, None)
        self._hide(rows)
        if whole is None and self.may_go[functional]:
            # Half a person moves nowhere: with its own figure hidden, a whole one may.
            self._hide([functional])
            rows = sorted({*rows, functional})
        elif whole is None:
            rows = sorted({*rows, *self._smallest_beside(start)})
            self._hide(rows)
        if whole is not None:
            moved = np.flatnonzero(np.abs(whole) > 0.5)
            self.witnesses.append((cells[moved], np.round(whole[moved]).astype(np.int64)))
        return rows

    def _hide(self, rows: list[int]) -> None:
        self.low[rows], self.high[rows] = 0.0, np.inf
        self.may_go[rows] = False

    def _cheapest(
        self, cells: Ints, start: Floats, low: float, high: float
    ) -> tuple[float, list[int], Floats] | None:
        """What it loses, the told figures that moving these micro cells would belie, and the move; the cheapest found."""
        program = self._program(cells, start, low, high)
        touched, goes, n, g = program.touched, program.goes, len(cells), len(program.goes)
        price = self.costs[touched[goes]]
        cost = program.cost
        best: tuple[float, list[int], Floats] | None = None
        for _ in range(1 + _REWEIGHTED):
            answer = solve(cost, program.matrix, program.rows, program.columns)
            if answer.status != "optimal":
                return None
            rows, loss = self._belied(program, answer.x[2 * n :])
            if best is not None and loss >= best[0]:
                break
            best = (loss, rows, answer.x[:n] - answer.x[n : 2 * n])
            if not rows:
                break
            # Again, with what is wrong already made cheaper by how wrong it is: fewer figures.
            wrong = answer.x[2 * n : 2 * n + g] + answer.x[2 * n + g :]
            cost = np.concatenate([cost[: 2 * n], np.tile(price / (wrong + 0.05), 2)])
        return best

    def _belied(self, program: _Program, wrong: Floats) -> tuple[list[int], float]:
        """The figures that are wrong by so much, up and down, and what hiding them loses."""
        up, down = np.split(wrong, 2)
        rows = program.touched[program.goes[up + down > 1e-6]]
        return sorted(rows.tolist()), float(self.costs[rows].sum())

    def _whole_move(
        self, cells: Ints, start: Floats, ways: Sequence[tuple[float, float]]
    ) -> tuple[list[int], Floats] | None:
        """What moving whole persons among these micro cells would belie, and the move, by the first way that has one."""
        for low, high in ways:
            program, n = self._program(cells, start, low, high), len(cells)
            moves = np.arange(len(program.cost)) < 2 * n
            answer = solve(
                program.cost,
                program.matrix,
                program.rows,
                program.columns,
                moves,
                nodes=_NODES,
                gap=_WHOLE_GAP,
            )
            if answer.status == "optimal":
                rows, _ = self._belied(program, answer.x[~moves])
                return rows, answer.x[:n] - answer.x[n : 2 * n]
        return None

    def _smallest_beside(self, start: Floats) -> list[int]:
        """Of the figures that count some of the same people, the one that loses least."""
        touched = np.flatnonzero((self.matrix @ start != 0) & self.may_go)
        return [int(touched[np.argmin(self.costs[touched])])] if len(touched) else []

    def _program(self, cells: Ints, start: Floats, low: float, high: float) -> _Program:
        """Columns: how much each micro cell gains and loses, then how wrong each figure becomes, up and down."""
        touched, columns = rows_over(self.by_cell, cells)
        goes = np.flatnonzero(self.may_go[touched])
        n, g = len(cells), len(goes)
        matrix = moves_of(columns, [sp.csr_array(start[cells][None, :])], goes)
        rows = (
            np.append(self.low[touched] - self.sums[touched], low),
            np.append(self.high[touched] - self.sums[touched], high),
        )
        most = np.concatenate([np.full(n, np.inf), self.x[cells].astype(float), np.full(2 * g, np.inf)])
        price = self.costs[touched[goes]]
        cost = np.concatenate([np.full(2 * n, 1e-4), price, price])
        return _Program(matrix, rows, (np.zeros(2 * n + 2 * g), most), cost, touched, goes)
