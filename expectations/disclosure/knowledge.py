"""What a reader knows of a population: everything told, as bounds of rows over its micro cells.

Belongs here: from told tables to linear statements. Does not belong here: what follows from them.
Counts are whole numbers and never negative; which cells are hidden is seen; where all zeros are shown, a
hidden count is at least one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure import blur
from expectations.disclosure.declaration import DeclarationError
from expectations.disclosure.population import Floats, Population
from expectations.disclosure.tables import Figures


@dataclass(frozen=True)
class Knowledge:
    """low <= matrix · x <= high, for whole numbers x >= 0. The first rows are the population's functionals."""

    matrix: sp.csr_array
    low: Floats
    high: Floats
    labels: list[str]
    hidden: npt.NDArray[np.bool_]
    """Functionals whose value is not told exactly."""

    def allows(self, x: npt.NDArray[np.int64]) -> bool:
        """May the population be this one, as far as a reader can tell?"""
        sums = self.matrix @ x
        near = 1e-9 * np.maximum(np.abs(sums), 1)
        return bool(np.all(x >= 0) and np.all(sums >= self.low - near) and np.all(sums <= self.high + near))


Bounds = tuple[Floats, Floats]
"""The least and the most that the counts of a table's rows can be; NaN where nothing is known."""


def knowledge_of(
    population: Population, told: Mapping[str, Figures], *also: Mapping[str, Bounds]
) -> Knowledge:
    """What the told tables say. `told` may hide more or less than the population's own tables did.

    `also`: by table, what is known of its rows from elsewhere.

    Raises DeclarationError where two tables tell different values of the same cell.
    """
    count = population.functionals.shape[0]
    low, high = np.zeros(count), np.full(count, np.inf)
    exact = np.zeros(count, dtype=bool)
    open_zeros = np.zeros(count, dtype=bool)
    extra: list[tuple[sp.csr_array, Floats, Floats, list[str]]] = []
    for name, table in told.items():
        cells, shown = population.of_cell[name], ~table.hidden
        declared = table.declared
        if declared.rate:
            extra.append(_rate_rows(population, name, table))
            continue
        least, most = _bounds(population, name, table)
        for at in np.flatnonzero(shown):
            cell = int(cells[at])
            if least[at] > high[cell] or most[at] < low[cell]:
                raise DeclarationError(
                    f"{table.label(int(at))} tells {table.values[at]:g}, but {population.labels[cell]} tells "
                    f"{low[cell]:g}; they are the same cell"
                )
            low[cell], high[cell] = max(low[cell], least[at]), min(high[cell], most[at])
            exact[cell] |= declared.method == "hide"
        if declared.zeros == "open":
            open_zeros[cells[~shown]] = True
        _bound_by_extremes(table, cells, low, high)
        if declared.rank:
            extra.append(_rank_rows(population, name, table))
    for name, (least, most) in (pair for bounds in also for pair in bounds.items()):
        np.fmax.at(low, population.of_cell[name], least)
        np.fmin.at(high, population.of_cell[name], most)
    low = np.where(open_zeros & ~exact, np.maximum(low, 1.0), low)
    for zero in (population.agreements, population.nothing):
        if zero.shape[0]:
            nought = np.zeros(zero.shape[0])
            extra.append((zero, nought, nought, ["(tables agree)"] * zero.shape[0]))
    return Knowledge(
        sp.vstack([population.functionals.astype(float), *(e[0].astype(float) for e in extra)], format="csr"),
        np.concatenate([low, *(e[1] for e in extra)]),
        np.concatenate([high, *(e[2] for e in extra)]),
        population.labels + [label for e in extra for label in e[3]],
        ~exact,
    )


def _bounds(population: Population, name: str, table: Figures) -> tuple[Floats, Floats]:
    """By row, the least and the most that its count can be, by the table's method."""
    declared, told = table.declared, np.nan_to_num(table.values)
    low, high = told.copy(), told.copy()
    shown = ~table.hidden
    if declared.rounded_to:
        low, high = blur.known_of_rounded(told, declared.rounded_to)
    elif declared.small_counts:
        micro = np.diff(population.functionals.indptr)[population.of_cell[name]]
        low, high = blur.known_of_small_counts(told, micro, declared.small_counts)
    elif declared.cell_key:
        low[shown], high[shown] = blur.PTable.read(declared.cell_key.table).known(told[shown])
    elif declared.noise:
        low, high = told - declared.noise, told + declared.noise
    return np.maximum(low, 0), high


def _bound_by_extremes(table: Figures, cells: npt.NDArray[np.int64], low: Floats, high: Floats) -> None:
    """No cell is beyond what is told to be the least and the most; and somewhere they must be."""
    scale = 10**table.declared.decimals
    hidden = np.flatnonzero(table.hidden)
    for least, told in ((True, table.declared.extremes[0]), (False, table.declared.extremes[1])):
        if told is None:
            continue
        if least:
            low[cells] = np.maximum(low[cells], told * scale)
        else:
            high[cells] = np.minimum(high[cells], told * scale)
        elsewhere = np.any(table.values[~table.hidden] == told * scale)
        if len(hidden) == 1 and not elsewhere:
            low[cells[hidden]] = high[cells[hidden]] = told * scale


def _rate_rows(
    population: Population, name: str, table: Figures
) -> tuple[sp.csr_array, Floats, Floats, list[str]]:
    """(r - h) · denominator <= per · numerator <= (r + h) · denominator, for every rate told."""
    rate = table.declared.rate
    assert rate is not None
    at = np.flatnonzero(~table.hidden)
    numerator = population.functionals[population.of_cell[name][at]].astype(float) * rate.per
    denominator = population.functionals[population.of_denominator[name][at]].astype(float)
    half = 0.5 * 10.0**-rate.decimals + 1e-9
    value = table.frame[table.declared.value].to_numpy(dtype=float)[at]
    below = sp.csr_array(numerator - sp.diags_array(np.maximum(value - half, 0)) @ denominator)
    above = sp.csr_array(numerator - sp.diags_array(value + half) @ denominator)
    nought, endless = np.zeros(len(at)), np.full(len(at), np.inf)
    labels = [table.label(int(n)) for n in at]
    return (
        sp.vstack([below, above], format="csr"),
        np.concatenate([nought, -endless]),
        np.concatenate([endless, nought]),
        [*labels, *labels],
    )


def _rank_rows(
    population: Population, name: str, table: Figures
) -> tuple[sp.csr_array, Floats, Floats, list[str]]:
    """A cell of a better rank is at least as large as the next one's; one of the same rank is equal."""
    rank = table.frame[str(table.declared.rank)].to_numpy(dtype=float)
    told = np.flatnonzero(~np.isnan(rank))
    order = told[np.argsort(rank[told], kind="stable")]
    first, second = order[:-1], order[1:]
    cells = population.of_cell[name]
    rows = population.functionals[cells[first]] - population.functionals[cells[second]]
    same = rank[first] == rank[second]
    labels = [
        f"{table.name}: rank {rank[a]:g} before {rank[b]:g}" for a, b in zip(first, second, strict=True)
    ]
    return sp.csr_array(rows), np.zeros(len(first)), np.where(same, 0.0, np.inf), labels
