"""Suppression: which cells to hide so that no sensitive one can be worked out, at the least loss.

Belongs here: choosing. Does not belong here: judging whether the choice holds (attack, verify).

For every sensitive cell a whole-number population is looked for that agrees with all cells not hidden and
shows the cell as high as it must be possible. It differs from the true one in few micro cells around the
cell; the cells of tables it changes are hidden, and it is kept as the witness. What a move costs is what
it hides: a linear program over a box of siblings, level by level wider, whole numbers where needed.
Afterwards dear cells are exchanged for cheaper ones, in small tables witnesses that share cells are looked for together, and
what serves no witness any more is shown again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure.optimum import MOST_CELLS, MOST_TARGETS, cheapest_moves
from expectations.disclosure.population import Bools, Floats, Ints, Population
from expectations.disclosure.primary import Needs
from expectations.disclosure.progress import followed
from expectations.disclosure.solver import Polytope, is_whole, solve
from expectations.disclosure.surroundings import alike, largest, lone, moves_of, rows_over, shift

_BOXES = (120, 400)
"""So many micro cells may move: first few, then more, then all."""

_NOUGHT = 20
"""A hidden nought must be possible at k, which hides more: it costs so many times what it costs by itself."""

_WORTH = 30
"""A move that hides more than so many cells of middling cost is looked for in a wider box too."""

_REWEIGHTED, _HUGE = 3, 30_000
"""So often a program is solved again for fewer cells; in tables of more cells than that never, for there it gains a thousandth."""

_NODES = 2000
"""How far whole numbers are searched in one box; a bound of time would make the pattern depend on the machine."""

_EXCHANGES, _WORK, _MOST_OWNERS = 600, 400_000, 6
"""So often at most it is tried to exchange a cell, and so many cells of tables are looked through by all tries (it gains
a tenth, and large tables have no time for it); cells that more witnesses need stay."""

_SMALL, _TOGETHER, _BOX_OF_EACH = 2000, 6, 60
"""In tables of at most so many cells, so many witnesses are looked for together, over so many micro cells of each."""

_CORNERS = 4
"""So many corners of a large table's program are tried before whole numbers are searched."""

_MOST_ROWS = 3500
"""Of a program for some together: a larger one takes seconds, and fewer are looked for together."""


class InfeasibleError(ValueError):
    """A cell can't be protected, whatever is hidden; the text names it and the frozen cells in the way."""


class _TooDearError(Exception):
    """A change loses more than it was to save."""


@dataclass(frozen=True)
class Pattern:
    """What is hidden, and why it holds."""

    hidden: Bools
    """By functional."""
    witnesses: list[tuple[Ints, Ints]]
    """Moves of micro cells away from the truth. Secret: each is a population near the true one."""
    at_least: Ints
    """By functional, how high it was made possible: the needs, and those of hidden noughts."""


@dataclass(frozen=True)
class _Program:
    """Moves of some micro cells. Columns: how much each gains, how much each loses, then by how much each dear row (one of
    cells that are shown so far) goes up, and down.
    """

    matrix: sp.csr_array
    rows: tuple[Floats, Floats]
    most: Floats
    """By column; the least is 0."""
    prices: Floats
    """What each micro cell, then each dear row loses once it moves."""
    count: int
    """Of micro cells."""

    def cost(self, prices: Floats) -> Floats:
        """Of every column, at these prices; what is free has a tiny one, for nothing is to move needlessly."""
        cost = self.by_column(prices)
        paid = self.prices[self.prices > 0]
        cost[: 2 * self.count] += 1e-4 * max(paid.min(), 1e-3) if len(paid) else 1.0
        return cost

    def by_column(self, each: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """From micro cells and dear rows to columns."""
        cells, rows = each[: self.count], each[self.count :]
        return np.concatenate([cells, cells, rows, rows])

    def moved(self, x: Floats) -> Floats:
        """By how much each micro cell, then each dear row moves."""
        cells, rows = x[: 2 * self.count], x[2 * self.count :]
        return np.concatenate([cells.reshape(2, -1).sum(axis=0), rows.reshape(2, -1).sum(axis=0)])

    def lost(self, x: Floats) -> float:
        """What is no longer shown."""
        return float(self.prices[self.moved(x) > 1e-6].sum())


def _nearest(nearness: Floats, size: int) -> Ints:
    """At most so many micro cells, the nearest, in their order."""
    return np.arange(len(nearness)) if size >= len(nearness) else np.sort(largest(nearness, size))


class Suppressor:
    """One population, its needs and its costs."""

    def __init__(
        self,
        population: Population,
        x: Ints,
        needs: Needs,
        costs: npt.NDArray[np.float64],
        untold: Bools,
        kept: Bools,
    ) -> None:
        """`x`: the true micro cells. `costs`: by functional, what hiding it loses. `untold`: shown in no table.
        `kept`: hidden before, and hidden it stays.

        Raises InfeasibleError where a frozen cell is itself sensitive.
        """
        self.population, self.x, self.needs, self.untold = population, x, needs, untold
        self.rows = sp.csr_array(population.functionals)
        self.values = (self.rows @ x).astype(np.int64)
        self.at_least = needs.at_least.copy()
        self.kept = (needs.primary | kept) & ~untold
        self.hidden = self.kept.copy()
        # Zeros that are always shown can't be hidden, nor what was told before.
        self.fixed = population.frozen | (needs.open_zeros & (self.values == 0) & ~needs.primary)
        if (bad := np.flatnonzero(population.frozen & needs.primary)).size:
            names = ", ".join(population.labels[int(b)] for b in bad[:5])
            raise InfeasibleError(f"told before and sensitive, it can't be taken back: {names}")
        self.costs = np.maximum(costs, 1e-3) * np.where(self.values == 0, _NOUGHT, 1)
        told = ~untold & (self.values > 0)
        # The least move of a table of many dimensions changes a cell for each of its corners.
        corners = 2 ** max((len(block.dimensions) for block in population.blocks), default=0)
        self.worth = max(_WORTH, 1.5 * corners) * float(np.median(self.costs[told])) if told.any() else 0.0
        """A move that loses more is looked for further away too; by the costs' own measure, so that their unit is free."""
        self.costs[untold] = 0
        self.by_cell = sp.csc_array(self.rows)
        self._ties = self.rows.astype(float)
        """The rows as fractions: scipy would copy whole numbers before each of ten thousand products."""
        self._ties_of_cell = sp.csr_array(self._ties.T)
        self.zero = sp.vstack([population.agreements, population.nothing], format="csc")
        self.lengths = np.maximum(np.diff(self.rows.indptr), 1)
        self.stiffness = 1.0 / self.lengths**1.5
        self.single = np.flatnonzero(self.lengths == 1)
        """The functionals that are one micro cell each."""
        self.low = np.where(needs.open_zeros, 1, 0)
        self.low[untold] = 0
        self.witnesses: dict[int, tuple[Ints, Ints]] = {}
        self.shifts: dict[int, tuple[Ints, Ints]] = {}
        self.shown_by: dict[int, dict[int, int]] = {}
        """By functional: what it is in every witness that moves it."""
        self.prices = self.costs
        """At which witnesses are looked for."""
        self._is_small = len(self.values) <= _SMALL
        self._most = np.inf
        """A change that loses as much is no gain: it is not tried to its end."""

    def protect(self) -> Pattern:
        """Hide until every need is met, then exchange dear cells for cheaper ones, and show what need not be hidden."""
        # Where there is time to look for better ways, large cells do not weigh as much at first: that often ends cheaper.
        self._build(np.sqrt(self.costs) if self._is_small else self.costs)
        self._meet_all()
        self._try_optimum()
        return Pattern(
            self.hidden.copy(), [self.witnesses[t] for t in sorted(self.witnesses)], self.at_least.copy()
        )

    def _build(self, prices: npt.NDArray[np.float64]) -> None:
        """A witness for every need, looked for at these prices; then whatever loses less at the true ones."""
        self.prices = prices
        self._meet_all()
        self.prices = self.costs
        self._prune()
        tried: dict[tuple[int, ...], float] = {}
        tries, better = min(_EXCHANGES, _WORK // max(len(self.values), 1)), True
        while better and tries > 0:
            used, better = self._exchange(tries)
            tries -= used
            self._prune()
            if self._is_small and self._reroute(tried):
                better = True
                self._prune()

    def _try_optimum(self) -> None:
        """In small tables of two dimensions the cheapest pattern is searched exactly, and taken if it is cheaper."""
        targets = np.flatnonzero(self.needs.at_least > self.values)
        blocks = self.population.blocks
        if (
            not 0 < len(targets) <= MOST_TARGETS
            or self.zero.nnz
            or len(self.values) > MOST_CELLS
            or len(blocks) != 1
            or len(blocks[0].dimensions) > 2
        ):
            return
        free = self.kept | self.untold
        found = cheapest_moves(
            self.rows, self.x, targets, self.at_least[targets] - self.values[targets], self.costs,
            free, self.fixed & ~free, np.maximum(self.values - self.low, 0).astype(float),
        )  # fmt: skip
        if found is None:
            return

        def change() -> None:
            for owner in list(self.witnesses):
                self._drop(owner)
            for owner, move in zip(targets.tolist(), found, strict=True):
                self._add(owner, move)

        self._if_cheaper(change)

    def _meet_all(self) -> None:
        """A witness for every need. A hidden nought must be possible at k, like any hidden cell: else readers
        would know of it that it is fewer.
        """
        while True:
            nought = self.hidden & (self.values == 0) & (self.at_least == 0)
            self.at_least[nought] = self.needs.k[nought]
            unmet = [int(f) for f in np.flatnonzero(self.at_least) if not self._is_met(int(f))]
            if not unmet:
                return
            unmet.sort(key=lambda t: (-(self.at_least[t] - self.values[t]), -self.lengths[t], t))
            for target in followed(unmet, "protect | cells with a witness"):
                if not self._is_met(target):
                    self._add(target, self._search(target, None))

    def _is_met(self, functional: int) -> bool:
        return max(self.shown_by.get(functional, {}).values(), default=0) >= self.at_least[functional]

    # --- looking for a move --------------------------------------------------------------------------------

    def _search(self, target: int, forbidden: int | None) -> tuple[Ints, Ints]:
        """The cheapest move that meets a need. Raises InfeasibleError if there is none."""
        last, best, least = len(self.x), None, np.inf
        nearness = self._nearness(target)
        # In large tables whole numbers are searched only where no box has a whole answer of itself.
        for may_search in (True,) if self._is_small else (False, True):
            for size in (*(s for s in _BOXES if s < last), last):
                if best is not None and (least <= self.worth or size == last):
                    break
                if size == last and not may_search:
                    break
                found = self._in_box(target, _nearest(nearness, size), forbidden, may_search)
                if found is not None and (loss := self._would_lose(found)) < least:
                    best, least = found, loss
                if forbidden is not None:
                    break
            if best is not None:
                return best
        raise InfeasibleError(self._why(target))

    def _nearness(self, target: int) -> Floats:
        """How much each micro cell has to do with the target: those that share most small rows with it most."""
        weight = np.zeros(len(self.x))
        start = self.rows.indices[self.rows.indptr[target] : self.rows.indptr[target + 1]]
        weight[start] = 1.0
        # Through rows that must stay as they are, a move at one end asks for one at the other.
        stiff = np.where(self.hidden | self.untold, 0.0, self.stiffness)
        for _ in range(len(self.population.blocks[0].dimensions) if self.population.blocks else 1):
            weight = weight + self._ties_of_cell @ (stiff * (self._ties @ weight))
        own_hidden, can_move = self._own_cells()
        weight = weight * np.where(own_hidden, 1.5, 1.0) * can_move
        weight[start] += weight.max()
        return weight

    def _own_cells(self) -> tuple[Bools, Bools]:
        """Micro cells whose own cell is hidden or untold, and those that may be another number at all."""
        cells = self.rows.indices[self.rows.indptr[self.single]]
        hidden, movable = np.zeros(len(self.x), dtype=bool), np.ones(len(self.x), dtype=bool)
        free = self.hidden[self.single] | self.untold[self.single]
        hidden[cells] = free
        movable[cells] = free | ~self.fixed[self.single]
        return hidden, movable

    def _in_box(
        self, target: int, box: Ints, forbidden: int | None, may_search: bool
    ) -> tuple[Ints, Ints] | None:
        """The cheapest move of these micro cells; None if they can't, or if it is not whole and may not be searched."""
        step = float(self.at_least[target] - self.values[target])
        program = self._program(target, step, box, forbidden)
        n = len(box)
        moves = Polytope(program.matrix, program.rows, (np.zeros(len(program.most)), program.most))
        answer = moves.minimise(program.cost(program.prices))
        if answer.status == "infeasible":
            return None
        again = program.prices.any() and len(self.values) <= _HUGE
        for _ in range(_REWEIGHTED if again else 0):
            # Again, with what moved made cheaper by how much it moved: fewer cells, not fewer people.
            cheaper = program.prices / (program.moved(answer.x) / step + 0.05)
            other = moves.minimise(program.cost(cheaper))
            if other.status != "optimal" or program.lost(other.x) >= program.lost(answer.x):
                break
            answer = other
        x = answer.x[: 2 * n]
        corners = 0 if self._is_small or answer.status != "optimal" or is_whole(x) else _CORNERS
        for uneven in 1 + np.random.default_rng(1).random((corners, len(program.prices))):
            # Another corner may be whole. In large tables that is found sooner than by a search among whole numbers.
            other = moves.minimise(program.cost(program.prices * uneven))
            if other.status == "optimal" and is_whole(other.x[: 2 * n]):
                answer, x = other, other.x[: 2 * n]
                break
        if answer.status != "optimal" or not is_whole(x):
            if not may_search:
                return None
            # Half a person moves nowhere. Whole ones are looked for where something moved already, then everywhere.
            still = program.by_column((program.moved(answer.x) < 1e-6) & (program.prices > 0))
            for most in (np.where(still, 0.0, program.most), program.most):
                answer = solve(
                    program.cost(program.prices), program.matrix, program.rows, (np.zeros(len(most)), most),
                    whole=np.arange(len(most)) < 2 * n, nodes=_NODES, gap=0.05,
                )  # fmt: skip
                if answer.status == "optimal":
                    break
            else:
                return None
        steps = np.round(answer.x[:n] - answer.x[n : 2 * n]).astype(np.int64)
        at = np.flatnonzero(steps)
        return box[at], steps[at]

    def _program(self, target: int, step: float, box: Ints, forbidden: int | None) -> _Program:
        """How these micro cells may move so that the target rises by a step."""
        touched, rows = rows_over(self.by_cell, box)
        free = self.hidden[touched] | self.untold[touched]
        barred = self.fixed[touched] & ~free
        if forbidden is not None:
            barred |= touched == forbidden
            free &= touched != forbidden
        # Rows alike over the box move alike: one row for all of them, at the price of all, with the least room of any.
        firsts, kind = alike(rows)
        price = np.bincount(kind, np.where(free | barred, 0.0, self.prices[touched]), len(firsts))
        room = np.full(len(firsts), np.inf)
        np.minimum.at(room, kind, np.maximum(self.values[touched] - self.low[touched], 0.0))
        is_barred = np.bincount(kind, barred, len(firsts)) > 0
        room[is_barred] = price[is_barred] = 0.0
        # A row of one micro cell is no row: its price and room are the micro cell's own.
        n = len(box)
        own, gain, loss = np.zeros(n), np.full(n, np.inf), self.x[box].astype(float)
        alone, cells = lone(rows, firsts)
        own[cells], loss[cells] = price[alone], np.minimum(loss[cells], room[alone])
        gain[cells[is_barred[alone]]] = 0.0
        rows, price, room, is_barred = rows[firsts[~alone]], price[~alone], room[~alone], is_barred[~alone]
        dear, is_free = np.flatnonzero(price > 0), ~is_barred & (price == 0)
        _, zero = rows_over(self.zero, box)
        nought = np.zeros(zero.shape[0])
        return _Program(
            moves_of(rows, [zero, sp.csr_array(self.rows[[target]][:, box])], dear),
            (
                np.concatenate([np.where(is_free, -room, 0.0), nought, [step]]),
                np.concatenate([np.where(is_free, np.inf, 0.0), nought, [np.inf]]),
            ),
            np.concatenate([gain, loss, np.full(len(dear), np.inf), room[dear]]),
            np.concatenate([own, price[dear]]),
            n,
        )

    def _would_lose(self, witness: tuple[Ints, Ints]) -> float:
        """What is hidden with this move and was not."""
        at, _ = shift(self.by_cell, *witness)
        return float(self.costs[at[~self.hidden[at]]].sum())

    # --- keeping -------------------------------------------------------------------------------------------

    def _add(self, owner: int, witness: tuple[Ints, Ints]) -> None:
        at, change = shift(self.by_cell, *witness)
        moved = np.rint(change).astype(np.int64)
        self.witnesses[owner], self.shifts[owner] = witness, (at, moved)
        for f, value in zip(at.tolist(), (self.values[at] + moved).tolist(), strict=True):
            self.shown_by.setdefault(f, {})[owner] = value
        self.hidden[at] |= ~self.untold[at]
        if self._lost() >= self._most:
            raise _TooDearError

    def _drop(self, owner: int) -> None:
        for f in self.shifts[owner][0].tolist():
            del self.shown_by[f][owner]
            if not self.shown_by[f] and not self.kept[f]:
                self.hidden[f] = False
                self.at_least[f] = self.needs.at_least[f]
        del self.witnesses[owner], self.shifts[owner]

    def _is_needed(self, owner: int) -> bool:
        """Would some need be unmet without this witness?"""
        at, _ = self.shifts[owner]
        for f in at[self.at_least[at] > 0].tolist():
            others = self.shown_by[f]
            if all(value < self.at_least[f] for o, value in others.items() if o != owner):
                # A nought that only this witness hides has its need from it alone.
                if len(others) == 1 and not self.kept[f] and not self.needs.primary[f]:
                    continue
                return True
        return False

    def _alone(self, owner: int) -> float:
        """What would be shown again without this witness."""
        return sum(
            float(self.costs[f])
            for f in self.shifts[owner][0].tolist()
            if len(self.shown_by[f]) == 1 and not self.kept[f]
        )

    def _prune(self) -> None:
        """Drop witnesses that others make needless, the costliest first."""
        for owner in sorted(self.shifts, key=lambda o: (-self._alone(o), o)):
            if not self._is_needed(owner):
                self._drop(owner)

    def _exchange(self, tries: int) -> tuple[int, bool]:
        """One by one, the dearest first: do its witnesses find a cheaper way without this cell?

        How often it was tried, and whether anything got better.
        """
        secondary = np.flatnonzero(self.hidden & ~self.kept)
        better, used = False, 0
        for cell in secondary[np.argsort(-self.costs[secondary], kind="stable")].tolist():
            owners = sorted(self.shown_by.get(cell, ()))
            if not self.hidden[cell] or not 0 < len(owners) <= _MOST_OWNERS:
                continue
            if used == tries:
                break
            used += 1
            better |= self._replaced(owners, cell)
        return used, better

    def _reroute(self, tried: dict[tuple[int, ...], float]) -> bool:
        """Witness by witness, the dearest first: do it and those that share most of its cells find a cheaper way together?

        Each alone may not: where two follow one way, neither gains by leaving it. Whether anything got better.
        `tried`: what was lost when these were asked last; they are asked again once that has changed.
        """
        better = False
        for owner in sorted(self.shifts, key=lambda o: (-self._alone(o), o)):
            if owner not in self.shifts:
                continue
            shared: dict[int, int] = {}
            for f in self.shifts[owner][0].tolist():
                if not self.kept[f]:
                    for other in self.shown_by[f]:
                        shared[other] = shared.get(other, 0) + (other != owner)
            near = sorted((o for o in shared if o != owner), key=lambda o: (-shared[o], o))
            together = self._that_fit([owner, *near[: _TOGETHER - 1]])
            if together and tried.get(tuple(together)) != self._lost():
                better |= self._rerouted(together)
                tried[tuple(together)] = self._lost()
        return better

    def _that_fit(self, owners: list[int]) -> list[int]:
        """The first of these, as many as one program takes; in order, none if it takes none."""
        for count in range(len(owners), 0, -1):
            touched, _ = rows_over(self.by_cell, self._box_of(owners[:count]))
            if 2 * count * len(touched) <= _MOST_ROWS:
                return sorted(owners[:count])
        return []

    def _box_of(self, owners: list[int]) -> Ints:
        """The micro cells around all of these, in order."""
        return np.unique(np.concatenate([_nearest(self._nearness(owner), _BOX_OF_EACH) for owner in owners]))

    def _rerouted(self, owners: list[int]) -> bool:
        """The cheapest witnesses for these together, if that loses less."""
        targets, at_least = np.array(owners), self.at_least.copy()
        box = self._box_of(owners)
        touched, rows = rows_over(self.by_cell, box)
        if len(rows_over(self.zero, box)[0]):
            return False

        def change() -> None:
            for owner in owners:
                self._drop(owner)
            free = self.hidden[touched] | self.untold[touched]
            found = cheapest_moves(
                rows, self.x[box], np.searchsorted(touched, targets), at_least[targets] - self.values[targets],
                self.costs[touched], free, self.fixed[touched] & ~free,
                np.maximum(self.values - self.low, 0)[touched].astype(float),
            )  # fmt: skip
            if found is None:
                raise _TooDearError
            for owner, (cells, steps) in zip(owners, found, strict=True):
                self.at_least[owner] = at_least[owner]
                self._add(owner, (box[cells], steps))

        return self._if_cheaper(change)

    def _replaced(self, owners: list[int], forbidden: int) -> bool:
        """Other witnesses for these, if that loses less."""
        at_least = self.at_least.copy()

        def change() -> None:
            for owner in owners:
                self._drop(owner)
            for owner in owners:
                self.at_least[owner] = at_least[owner]
                if not self._is_met(owner):
                    self._add(owner, self._search(owner, forbidden))

        return self._if_cheaper(change)

    def _if_cheaper(self, change: Callable[[], None]) -> bool:
        """Change witnesses and meet all needs; whether that loses less. If not, all is as it was."""
        before = self._state()
        self._most = self._lost() - 1e-6
        try:
            change()
            self._meet_all()
            good = self._lost() < self._most
        except (InfeasibleError, _TooDearError):
            good = False
        self._most = np.inf
        if not good:
            self._restore(*before)
        return good

    def _lost(self) -> float:
        return float(self.costs[self.hidden].sum())

    def _state(self) -> tuple[dict[int, tuple[Ints, Ints]], Ints, Bools]:
        return dict(self.witnesses), self.at_least.copy(), self.hidden.copy()

    def _restore(self, witnesses: dict[int, tuple[Ints, Ints]], at_least: Ints, hidden: Bools) -> None:
        for owner in [o for o, w in self.witnesses.items() if witnesses.get(o) is not w]:
            self._drop(owner)
        for owner, witness in witnesses.items():
            if owner not in self.witnesses:
                self._add(owner, witness)
        self.at_least, self.hidden = at_least, hidden

    def _why(self, target: int) -> str:
        frozen = np.flatnonzero(self.population.frozen)
        label = self.population.labels[target]
        if frozen.size:
            told = ", ".join(self.population.labels[int(f)] for f in frozen[:12])
            return f"{label} can't be protected: these cells were told before and can't be hidden any more: {told}"
        return f"{label} can't be protected, whatever is hidden: no other population is possible"
