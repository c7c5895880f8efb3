"""The attacker: what can a reader find out who knows everything told and has a solver?

Belongs here: bounds, witnesses and the equation that opens a cell. Does not belong here: how cells were
chosen for hiding; nothing of that is known here, and nothing of `suppress` is imported.

A cell passes only with a witness: a whole-number population that agrees with everything told and shows
the cell as high as it must be possible. A search that ran out of time is a failure. Small surroundings
of a cell are tried first; a cell is called open only on the word of the whole system, or, by an attacker that
need not be thorough, if no witness was found nearby.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure.knowledge import Knowledge
from expectations.disclosure.population import Floats, Ints
from expectations.disclosure.progress import followed
from expectations.disclosure.solver import Polytope, solve
from expectations.disclosure.surroundings import Surroundings, alike, lone, moves_of, rows_over, shift

_SURROUNDINGS = (120, 300, 1000)
"""So many micro cells may move at first; then all of them."""

_BESIDE = 20
"""So many others that lie wholly among them are asked about along with the one they surround."""

_SHORT = 50.0
"""What one of these lacks costs so many times as much as a micro cell's move by one."""

_CORNERS = 5
"""So many other corners are tried where the nearest is not whole."""

_ORDERS = 8
"""So many functionals' surroundings are found together."""

_SECONDS = 30.0
"""For one whole-number search over everything."""

_NODES = 100
"""For one whole-number search nearby, where the whole system is not asked afterwards."""


class ContradictionError(ValueError):
    """No population agrees with what is told."""


@dataclass(frozen=True)
class Opened:
    """A hidden cell that a reader can work out, or prove to be small."""

    functional: int
    label: str
    lower: float
    upper: float
    """What it can be, for all a reader knows; infinite where nothing bounds it."""
    equation: str
    """How it is worked out."""
    unsure: bool = False
    """The search ran out of time: nothing is proved, and it counts as open."""
    rows: tuple[int, ...] = ()
    """The functionals whose figures bound it, from above and from below."""


@dataclass
class Attack:
    """What came of it. `witnesses`: moves of micro cells away from `base`, each a population readers can't rule out."""

    base: Ints
    opened: list[Opened] = field(default_factory=list)
    witnesses: list[tuple[Ints, Ints]] = field(default_factory=list)
    """Micro cells and by how much each differs."""
    highest: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    lowest: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """By functional: the most and the least that a witness shows."""


@dataclass(frozen=True)
class _Box:
    """Some micro cells, and all that is told of them as rows over how much each gains and loses; then a row, not bound, for
    every functional that is asked about.
    """

    cells: Ints
    matrix: sp.csr_array
    rows: tuple[Floats, Floats]
    columns: tuple[Floats, Floats]
    asked: dict[int, int]
    """The row of each functional."""

    @cached_property
    def moves(self) -> Polytope:
        """The program, loaded when it is first asked: often all are raised together before that."""
        return Polytope(self.matrix, self.rows, self.columns)


class Attacker:
    """One reader before one set of tables.

    `base`: a population that agrees with everything told: the true one where it is known, else found by
    the solver (raises ContradictionError if there is none). `thorough`: what finds no witness nearby is
    asked of the whole system; without it, such a cell counts as open, and nothing is said of how.
    """

    def __init__(self, knowledge: Knowledge, base: Ints | None = None, thorough: bool = True) -> None:
        self.knowledge = knowledge
        self.thorough = thorough
        self._binding = self._rows_that_bind()
        self.base = self._find_one() if base is None else base
        if not knowledge.allows(self.base):
            raise ContradictionError("the true figures contradict what is told of them")
        self._sums = knowledge.matrix @ self.base
        self._columns = sp.csc_array(knowledge.matrix)
        self._functionals = sp.csr_array(knowledge.matrix[: len(knowledge.hidden)])
        self._told = self._cells_told()
        self._free = np.setdiff1d(np.arange(len(self.base)), list(self._told))
        self._reduced = sp.csc_array(knowledge.matrix[self._binding][:, self._free])
        self._near = Surroundings(sp.csr_array(self._reduced))
        self._by_cell = sp.csc_array(self._functionals[:, self._free])
        self._lengths = np.diff(sp.csr_array(self._by_cell).indptr)
        self._targets: dict[int, int] = {}
        """What is still to be asked about, and how high it must be possible."""
        self._expected: dict[int, int] = {}
        """What `small` is to be asked next, and its `k`."""
        self._orders: dict[int, Ints] = {}
        """The micro cells around some functionals, found together with those of others."""
        self._whole: Polytope | None = None
        values = (self._functionals @ self.base).astype(np.int64)
        self.result = Attack(self.base, highest=values.copy(), lowest=values.copy())
        self.values = values

    def attack(self, targets: Iterable[tuple[int, int]]) -> Attack:
        """Every target is a functional and how high it must be possible; the largest needs come first.

        A functional must also be possible at more than one value.
        """
        ordered = sorted(targets, key=lambda t: (-t[1] + self.values[t[0]], t[0]))
        self._targets = dict(ordered)
        for functional, at_least in followed(ordered, "attack | cells"):
            found = self._try(functional, at_least)
            if found is not None:
                self.result.opened.append(found)
        self.result.opened.sort(key=lambda o: o.functional)
        return self.result

    def interval(self, functional: int) -> tuple[float, float]:
        """The least and the most that a whole-number population shows, by the whole system."""
        return self._extreme(functional, False), self._extreme(functional, True)

    def learn(self, witnesses: Sequence[tuple[Ints, Ints]]) -> int:
        """Take somebody's witnesses, those that stand: every one is multiplied out. How many do."""
        if not witnesses:
            return 0
        ends = np.cumsum([0, *(len(cells) for cells, _ in witnesses)])
        moves = sp.csc_array(
            (np.concatenate([s for _, s in witnesses]), np.concatenate([c for c, _ in witnesses]), ends),
            shape=(len(self.base), len(witnesses)),
        )
        known = self.knowledge
        moved = sp.csc_array(known.matrix @ moves)
        of_move = np.repeat(np.arange(len(witnesses)), np.diff(moved.indptr))
        sums = self._sums[moved.indices] + moved.data
        near = 1e-9 * np.maximum(np.abs(sums), 1)
        wrong = (sums < known.low[moved.indices] - near) | (sums > known.high[moved.indices] + near)
        wrong_cell = self.base[moves.indices] + moves.data < 0
        bad = np.zeros(len(witnesses), dtype=bool)
        bad[of_move[wrong]] = True
        bad[np.repeat(np.arange(len(witnesses)), np.diff(moves.indptr))[wrong_cell]] = True
        stands = ~bad[of_move] & (moved.indices < len(self.values))
        shown = np.rint(sums[stands]).astype(np.int64)
        np.maximum.at(self.result.highest, moved.indices[stands], shown)
        np.minimum.at(self.result.lowest, moved.indices[stands], shown)
        self.result.witnesses += [w for w, is_bad in zip(witnesses, bad.tolist(), strict=True) if not is_bad]
        return int((~bad).sum())

    def expect(self, questions: Mapping[int, int]) -> None:
        """Functionals that `small` will be asked about in this order, each with its `k`; that saves time."""
        self._expected = dict(questions)

    def small(self, functional: int, k: int) -> Opened | None:
        """A functional that is surely at least 1 and surely below k; None if it need not be."""

        def may_be_else() -> bool:
            return self._may_be_else(functional, k)

        self._expected.pop(functional, None)
        if may_be_else():
            return None
        low, high = self.knowledge.low[functional], self.knowledge.high[functional]
        for cells in self._nearby(functional) if low < 1 or high >= k else ():
            box = self._box(np.sort(cells), [functional])
            moved = (high >= k and self._move(box, functional, at_least=k)) or (
                low < 1 and self._move(box, functional, at_most=0)
            )
            if moved and may_be_else():
                return None
        if not self.thorough:
            return self._not_found(functional)
        lower, upper = self.interval(functional)
        return self._open(functional, lower, upper) if lower >= 1 and upper < k else None

    def change(self, now: int, before: int, k: int) -> Opened | None:
        """A change between two releases that is surely of 1 to k - 1 people, up or down; None if it need not be."""
        known = self.knowledge
        if known.hidden[now] or known.hidden[before]:
            lows = [self.interval(f) for f in (now, before)]
        else:
            lows = [(float(self.values[f]), float(self.values[f])) for f in (now, before)]
        least, most = lows[0][0] - lows[1][1], lows[0][1] - lows[1][0]
        if not (least >= 1 and most < k) and not (most <= -1 and least > -k):
            return None
        label = f"{known.labels[now]} - {known.labels[before]}"
        return Opened(
            now, label, least, most, f"{label} = {least:g}" if least == most else f"{label} is small"
        )

    # --- searching -----------------------------------------------------------------------------------------

    def _try(self, functional: int, at_least: int) -> Opened | None:
        result = self.result

        def enough() -> bool:
            return self._is_met(functional, at_least)

        def everything() -> _Box:
            return self._box(np.arange(len(self._free)), [functional])

        self._targets.pop(functional, None)
        if enough():
            return None
        value = int(self.values[functional])
        more = max(at_least, value + 1)
        for cells in self._nearby(functional):
            beside = self._beside(cells)
            box = self._box(np.sort(cells), [functional, *beside])
            if beside:
                self._raise_together(box, {functional: more, **beside})
            if not enough():
                self._move(box, functional, at_least=more)
            # High enough as it is: then any other value will do, and a rounded count may have room below only.
            if not enough() and at_least <= value:
                self._move(box, functional, at_most=value - 1)
            if enough():
                return None
        if not self.thorough:
            return self._not_found(functional)
        cost = self._row(functional)
        if not cost.any():
            return self._open(functional, float(value), float(value))
        best = self._polytope().maximise(cost)
        top = np.inf if best.status == "unbounded" else best.objective + self._fixed(functional)
        wanted = max(at_least, int(result.lowest[functional]) + 1)
        if top < wanted - 1e-6:
            if top > self.values[functional] - 1e-6 and top >= at_least - 1e-6:
                # High enough, but it may be only this one value: is a lower one possible?
                least = self._polytope().minimise(cost)
                bottom = least.objective + self._fixed(functional)
                if bottom < value - 1 + 1e-6 and self._move(everything(), functional, at_most=value - 1):
                    return None
            return self._open(functional, *self.interval(functional))
        if best.status == "optimal" and best.is_whole:
            steps = np.round(best.x).astype(np.int64) - self.base[self._free]
            moved = np.flatnonzero(steps)
            self._keep(self._free[moved], steps[moved])
            if enough():
                return None
        if self._move(everything(), functional, at_least=max(wanted, value + 1)) and enough():
            return None
        lower, upper = self.interval(functional)
        return self._open(functional, lower, upper, unsure=upper >= at_least and lower < upper)

    def _is_met(self, functional: int, at_least: int) -> bool:
        high, low = self.result.highest[functional], self.result.lowest[functional]
        return bool(high >= at_least and high > low)

    def _beside(self, cells: Ints) -> dict[int, int]:
        """Some of what is still to be asked about and lies wholly in these micro cells, and how high it is to be."""
        if not self._targets:
            return {}
        touched, rows = rows_over(self._by_cell, cells)
        inside = touched[np.diff(rows.indptr) == self._lengths[touched]].tolist()
        found: dict[int, int] = {}
        for functional in inside:
            wanted = self._targets.get(functional)
            if wanted is None:
                continue
            if self._is_met(functional, wanted):
                del self._targets[functional]
            elif len(found) < _BESIDE:
                found[functional] = max(wanted, int(self.values[functional]) + 1)
        return found

    def _nearby(self, functional: int) -> Iterator[Ints]:
        """The micro cells around a functional, more and more of them; all only if nobody asks further."""
        everything = len(self._free)
        sizes = _SURROUNDINGS if self.thorough else _SURROUNDINGS[:-1]
        if any(size < everything for size in sizes):
            order = self._order(functional)
            yield from (order[:size] for size in sizes if size < everything)
        if not self.thorough and everything <= sizes[-1]:
            yield np.arange(everything)

    def _order(self, functional: int) -> Ints:
        """The micro cells around a functional, the nearest first; those of some expected ones are found with them."""
        if functional not in self._orders:
            open_ = (f for f, k in self._expected.items() if not self._may_be_else(f, k))
            asked = [functional, *itertools.islice(open_, _ORDERS - 1)]
            starts = np.stack([self._row(f) for f in asked], axis=1)
            self._orders = dict(zip(asked, self._near.nearest(starts, _SURROUNDINGS[-1]), strict=True))
        return self._orders[functional]

    def _may_be_else(self, functional: int, k: int) -> bool:
        """Is a witness known that shows the functional as nobody, or as `k` or more?"""
        return bool(self.result.highest[functional] >= k or self.result.lowest[functional] == 0)

    def _not_found(self, functional: int) -> Opened:
        """Open for want of a witness; nothing is known of how far it could go, so it stands at what it is."""
        value = float(self.values[functional])
        label = self.knowledge.labels[functional]
        return Opened(functional, label, value, value, f"{label}: no witness nearby", unsure=True)

    def _box(self, cells: Ints, functionals: Sequence[int]) -> _Box:
        """What readers know of these micro cells where all others are as they are."""
        used, rows = rows_over(self._reduced, cells)
        at = self._binding[used]
        # Rows alike over these micro cells bind together: one row for all of them, within the narrowest bounds.
        firsts, kind = alike(rows)
        low, high = np.full(len(firsts), -np.inf), np.full(len(firsts), np.inf)
        np.maximum.at(low, kind, self.knowledge.low[at] - self._sums[at])
        np.minimum.at(high, kind, self.knowledge.high[at] - self._sums[at])
        gain, loss = np.full(len(cells), np.inf), self.base[self._free[cells]].astype(float)
        alone, own = lone(rows, firsts)
        gain[own] = np.maximum(high[alone], 0.0)
        loss[own] = np.minimum(loss[own], np.maximum(-low[alone], 0.0))
        rows, low, high = rows[firsts[~alone]], low[~alone], high[~alone]
        asked = sp.csr_array(self._functionals[list(functionals)][:, self._free[cells]])
        matrix = moves_of(rows, [asked.astype(float)])
        endless = np.full(len(functionals), np.inf)
        bounds = (np.concatenate([low, -endless]), np.concatenate([high, endless]))
        columns = (np.zeros(2 * len(cells)), np.concatenate([gain, loss]))
        of_row = {f: len(low) + n for n, f in enumerate(functionals)}
        return _Box(cells, matrix, bounds, columns, of_row)

    def _move(
        self, box: _Box, functional: int, at_least: int | None = None, at_most: int | None = None
    ) -> bool:
        """Look for a population that differs in these micro cells only, as little as can be; keep it."""
        value, row = self.values[functional], box.asked[functional]
        low = -np.inf if at_least is None else float(at_least - value)
        high = np.inf if at_most is None else float(at_most - value)
        cost = np.ones(box.matrix.shape[1])
        box.moves.bound(row, low, high)
        answer = box.moves.minimise(cost)
        if answer.status == "optimal" and not answer.is_whole:
            # Another corner may be whole, and is found sooner than by a search among whole numbers.
            uneven = cost + np.random.default_rng(1).random((_CORNERS, len(cost)))
            for prices in uneven:
                answer = box.moves.minimise(prices)
                if answer.is_whole:
                    break
        box.moves.bound(row, -np.inf, np.inf)
        if answer.status == "optimal" and not answer.is_whole:
            # Not by the clock where nobody asks further: the same tables must open the same cells every night.
            limit: dict[str, Any] = {"seconds": _SECONDS} if self.thorough else {"nodes": _NODES}
            lows, highs = box.rows[0].copy(), box.rows[1].copy()
            lows[row], highs[row] = low, high
            answer = solve(cost, box.matrix, (lows, highs), box.columns, whole=True, gap=0.5, **limit)
        if answer.status != "optimal":
            return False
        return self._take(box, answer.x)

    def _raise_together(self, box: _Box, wanted: dict[int, int]) -> None:
        """Look for one population that shows all of these so high, or as near to that as it goes; keep it.

        A linear program that most often has a whole answer; where it has none, each is asked about when its turn comes.
        """
        count, moves = len(wanted), box.matrix.shape[1]
        rows, each = [box.asked[functional] for functional in wanted], np.arange(count)
        lacks = np.array([at_least - self.values[f] for f, at_least in wanted.items()], dtype=float)
        lows = box.rows[0].copy()
        lows[rows] = lacks
        missing = sp.csr_array((np.ones(count), (rows, each)), shape=(len(lows), count))
        answer = solve(
            np.concatenate([np.ones(moves), np.full(count, _SHORT)]),
            sp.hstack([box.matrix, missing], format="csr"),
            (lows, box.rows[1]),
            (np.zeros(moves + count), np.concatenate([box.columns[1], lacks])),
        )
        if answer.status == "optimal" and answer.is_whole:
            self._take(box, answer.x)

    def _take(self, box: _Box, x: Floats) -> bool:
        """The move of a box's micro cells that a program found, as a witness; is it one?"""
        count = len(box.cells)
        steps = np.round(x[:count] - x[count : 2 * count]).astype(np.int64)
        moved = np.flatnonzero(steps)
        return self._keep(self._free[box.cells[moved]], steps[moved])

    def _keep(self, cells: Ints, steps: Ints) -> bool:
        """Take a move as a witness, if readers can't rule it out, for every functional it helps."""
        known, result = self.knowledge, self.result
        at, change = shift(self._columns, cells, steps)
        sums = self._sums[at] + change
        near = 1e-9 * np.maximum(np.abs(sums), 1)
        if (
            np.any(self.base[cells] + steps < 0)
            or np.any(sums < known.low[at] - near)
            or np.any(sums > known.high[at] + near)
        ):
            return False
        counts = at < len(self.values)
        at, shown = at[counts], np.rint(sums[counts]).astype(np.int64)
        if np.any(shown > result.highest[at]) or np.any(shown < result.lowest[at]):
            result.highest[at] = np.maximum(result.highest[at], shown)
            result.lowest[at] = np.minimum(result.lowest[at], shown)
            result.witnesses.append((cells, steps))
        return True

    # --- the whole system ----------------------------------------------------------------------------------

    def _polytope(self) -> Polytope:
        if self._whole is None:
            count = len(self._free)
            self._whole = Polytope(
                sp.csr_array(self._reduced), self._room(), (np.zeros(count), np.full(count, np.inf))
            )
        return self._whole

    def _extreme(self, functional: int, most: bool) -> float:
        polytope, cost, fixed = self._polytope(), self._row(functional), self._fixed(functional)
        if not cost.any():
            return fixed
        answer = polytope.maximise(cost) if most else polytope.minimise(cost)
        if answer.status == "unbounded":
            return np.inf
        if not answer.is_whole:
            answer_whole = solve(
                cost, self._reduced, self._room(), (np.zeros(len(cost)), np.full(len(cost), np.inf)),
                whole=True, seconds=_SECONDS, maximise=most,
            )  # fmt: skip
            if answer_whole.status == "optimal":
                return float(round(answer_whole.objective + fixed))
        value = answer.objective + fixed
        return float(np.floor(value + 1e-6) if most else np.ceil(value - 1e-6)) + 0.0

    def _room(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """The bounds of the binding rows, less what known micro cells add to them."""
        at = self._binding
        known = self.knowledge.matrix[at] @ self._held()
        return self.knowledge.low[at] - known, self.knowledge.high[at] - known

    def _fixed(self, functional: int) -> float:
        """What the micro cells that are known add to it."""
        return float((self._functionals[[functional]] @ self._held())[0])

    def _held(self) -> npt.NDArray[np.float64]:
        held = self.base.astype(float)
        held[self._free] = 0
        return held

    def _row(self, functional: int) -> npt.NDArray[np.float64]:
        row = np.zeros(len(self.base))
        at = slice(self._functionals.indptr[functional], self._functionals.indptr[functional + 1])
        row[self._functionals.indices[at]] = self._functionals.data[at]
        return row[self._free]

    def _rows_that_bind(self) -> Ints:
        knowledge = self.knowledge
        told = (knowledge.low > 0) | np.isfinite(knowledge.high)
        # At least nought binds only where something is taken away: differences, rates, ranks.
        less = np.zeros(len(told), dtype=bool)
        less[np.repeat(np.arange(len(told)), np.diff(knowledge.matrix.indptr))[knowledge.matrix.data < 0]] = (
            True
        )
        told |= less & np.isfinite(knowledge.low)
        return np.flatnonzero(told & (np.diff(knowledge.matrix.indptr) > 0))

    def _cells_told(self) -> dict[int, int]:
        """Micro cells whose own value is told, and the row that tells it."""
        knowledge = self.knowledge
        single = np.flatnonzero((np.diff(knowledge.matrix.indptr) == 1) & (knowledge.low == knowledge.high))
        cells = knowledge.matrix.indices[knowledge.matrix.indptr[single]]
        return dict(zip(cells.tolist(), single.tolist(), strict=True))

    def _find_one(self) -> Ints:
        knowledge = self.knowledge
        at = self._binding
        count = knowledge.matrix.shape[1]
        bounds = (np.zeros(count), np.full(count, np.inf))
        rows = (knowledge.matrix[at], (knowledge.low[at], knowledge.high[at]))
        answer = solve(np.ones(count), *rows, bounds)
        if answer.status == "optimal" and not answer.is_whole:
            answer = solve(np.zeros(count), *rows, bounds, whole=True, seconds=4 * _SECONDS)
        if answer.status != "optimal":
            why = (
                "no population agrees with what is told"
                if answer.status == "infeasible"
                else "none was found in time"
            )
            raise ContradictionError(f"the tables contradict each other or the declaration: {why}")
        return np.round(answer.x).astype(np.int64)

    # --- telling -------------------------------------------------------------------------------------------

    def _open(self, functional: int, lower: float, upper: float, unsure: bool = False) -> Opened:
        label = self.knowledge.labels[functional]
        above, equation = self._equation(functional, lower, upper)
        if unsure:
            equation = "no proof in the time allowed"
        return Opened(functional, label, lower, upper, equation, unsure, self._bounding(functional, above))

    def _bounding(self, functional: int, above: list[int]) -> tuple[int, ...]:
        """The functionals of these rows, and of those that bound it from below."""
        cost = self._row(functional)
        prices = self._polytope().minimise(cost).duals if cost.any() else np.zeros(0)
        rows = {*above, *self._binding[np.abs(prices) > 1e-7].tolist()}
        return tuple(sorted(row for row in rows if row < len(self.knowledge.hidden)))

    def _equation(self, functional: int, lower: float, upper: float) -> tuple[list[int], str]:
        """The sum of told cells that bounds it from above: the solver's prices of the rows."""
        knowledge, cost = self.knowledge, self._row(functional)
        terms: dict[int, float] = {}
        rest = np.zeros(len(self.base))
        at = slice(self._functionals.indptr[functional], self._functionals.indptr[functional + 1])
        rest[self._functionals.indices[at]] = self._functionals.data[at]
        if cost.any():
            prices = self._polytope().maximise(cost).duals
            for n in np.flatnonzero(np.abs(prices) > 1e-7):
                terms[int(self._binding[n])] = float(prices[n])
            used = sp.csr_array(knowledge.matrix[list(terms)]) if terms else None
            if used is not None:
                rest = rest - used.T @ np.array(list(terms.values()))
        # What these rows contain of cells that are told themselves is taken off again.
        for cell in np.flatnonzero(np.abs(rest) > 1e-7).tolist():
            if cell in self._told:
                terms[self._told[cell]] = terms.get(self._told[cell], 0.0) + float(rest[cell])
        parts = []
        for row, price in sorted(terms.items(), key=lambda t: (-t[1], t[0])):
            bound = knowledge.high[row] if price > 0 else knowledge.low[row]
            amount = "" if abs(abs(price) - 1) < 1e-7 else f"{abs(price):.4g}·"
            parts.append(f"{'+' if price > 0 else '-'} {amount}{knowledge.labels[row]} ({bound:g})")
        sign = "=" if lower == upper else "<="
        right = " ".join(parts).removeprefix("+ ") or f"{upper:g}"
        return list(terms), f"{knowledge.labels[functional]} {sign} {right}"
