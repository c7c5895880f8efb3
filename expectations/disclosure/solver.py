"""HiGHS, as the suppressor and the attacker ask it: a linear program in sparse arrays, whole numbers on demand.

Belongs here: calling the solver and reading its answer. Does not belong here: what a column means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Floats = npt.NDArray[np.float64]

_FEW_COLUMNS = 2000
"""A linear program of fewer is solved sooner than it is presolved."""


class _Silent(highspy.Highs):
    """The solver without its banner, which highspy 1.16 prints to standard output before any option can be set."""

    def enableCallbacks(self) -> Any:
        self.setOptionValue("output_flag", False)
        return super().enableCallbacks()


@dataclass(frozen=True)
class Answer:
    """`unknown`: the solver stopped before it knew. `duals` are the prices of the rows of a linear program."""

    status: Literal["optimal", "infeasible", "unbounded", "unknown"]
    x: Floats
    objective: float
    duals: Floats

    @property
    def is_whole(self) -> bool:
        return is_whole(self.x)


def is_whole(x: Floats) -> bool:
    """Are all of these whole numbers, but for what a solver rounds?"""
    return bool(np.all(np.abs(x - np.round(x)) < 1e-6))


_STATUS = {
    highspy.HighsModelStatus.kOptimal: "optimal",
    highspy.HighsModelStatus.kInfeasible: "infeasible",
    highspy.HighsModelStatus.kUnbounded: "unbounded",
    highspy.HighsModelStatus.kUnboundedOrInfeasible: "unbounded",
}


def solve(
    cost: Floats,
    matrix: sp.csr_array | sp.csc_array,
    row_bounds: tuple[Floats, Floats],
    column_bounds: tuple[Floats, Floats],
    whole: bool | npt.NDArray[np.bool_] = False,
    seconds: float | None = None,
    nodes: int | None = None,
    maximise: bool = False,
    gap: float = 0.0,
) -> Answer:
    """Minimise cost · x with low <= matrix · x <= high. `whole`: which columns are whole numbers (or all).

    One thread and a fixed seed: the same question has the same answer. `nodes` (the same on every machine) or
    `seconds` bound searches whose end can't be foreseen; a search that ran into it answers `unknown`, never a
    half result.
    """
    solver = _loaded(cost, matrix, row_bounds, column_bounds, whole, maximise)
    for option, value in {
        "mip_rel_gap": gap, "mip_abs_gap": 0.0, "mip_feasibility_tolerance": 1e-7,
    }.items():  # fmt: skip
        solver.setOptionValue(option, value)
    if nodes is not None:
        solver.setOptionValue("mip_max_nodes", nodes)
    if seconds is not None:
        solver.setOptionValue("time_limit", float(seconds))
    solver.run()
    status = _STATUS.get(solver.getModelStatus(), "unknown")
    solution = solver.getSolution()
    known = status == "optimal"
    return Answer(
        status,  # type: ignore[arg-type]
        np.array(solution.col_value) if known else np.zeros(len(cost)),
        float(solver.getInfo().objective_function_value) if known else float("nan"),
        np.array(solution.row_dual) if known and not np.any(whole) else np.zeros(matrix.shape[0]),
    )


def _loaded(
    cost: Floats,
    matrix: sp.csr_array | sp.csc_array,
    row_bounds: tuple[Floats, Floats],
    column_bounds: tuple[Floats, Floats],
    whole: bool | npt.NDArray[np.bool_] = False,
    maximise: bool = False,
) -> _Silent:
    """A solver with this program in it. Handed over as arrays: highspy copies a HighsLp number by number."""
    count, integral = matrix.shape[1], np.any(whole)
    kinds = np.broadcast_to(np.asarray(whole), (count,)).astype(np.int32)
    sense = highspy.ObjSense.kMaximize if maximise else highspy.ObjSense.kMinimize
    solver = _Silent()
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("random_seed", 1)
    if count < _FEW_COLUMNS and not integral:
        solver.setOptionValue("presolve", "off")
    layout = highspy.MatrixFormat.kRowwise if matrix.format == "csr" else highspy.MatrixFormat.kColwise
    solver.passModel(
        count, matrix.shape[0], matrix.nnz, int(layout), int(sense), 0.0,
        np.asarray(cost, dtype=float), *column_bounds, *row_bounds,
        matrix.indptr.astype(np.int32), matrix.indices.astype(np.int32), matrix.data.astype(float), kinds,
    )  # fmt: skip
    return solver


class Polytope:
    """One set of rows and many questions: every next answer starts from the last one's basis."""

    def __init__(
        self,
        matrix: sp.csr_array | sp.csc_array,
        row_bounds: tuple[Floats, Floats],
        column_bounds: tuple[Floats, Floats],
    ) -> None:
        self._columns = np.arange(matrix.shape[1], dtype=np.int32)
        self._rows = matrix.shape[0]
        self._solver = _loaded(np.zeros(matrix.shape[1]), matrix, row_bounds, column_bounds)

    def maximise(self, cost: Floats) -> Answer:
        """The largest cost · x within the rows."""
        return self._ask(cost, highspy.ObjSense.kMaximize)

    def minimise(self, cost: Floats) -> Answer:
        """The smallest cost · x within the rows."""
        return self._ask(cost, highspy.ObjSense.kMinimize)

    def bound(self, row: int, low: float, high: float) -> None:
        """From now on, this row is within these."""
        self._solver.changeRowBounds(row, low, high)

    def _ask(self, cost: Floats, sense: highspy.ObjSense) -> Answer:
        solver = self._solver
        solver.changeColsCost(len(self._columns), self._columns, np.asarray(cost, dtype=float))
        solver.changeObjectiveSense(sense)
        solver.run()
        status = _STATUS.get(solver.getModelStatus(), "unknown")
        solution = solver.getSolution()
        if status != "optimal":
            return Answer(status, np.zeros(len(self._columns)), float("nan"), np.zeros(self._rows))  # type: ignore[arg-type]
        value = float(solver.getInfo().objective_function_value)
        return Answer("optimal", np.array(solution.col_value), value, np.array(solution.row_dual))
