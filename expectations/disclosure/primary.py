"""Primary rules: which cells are sensitive by themselves, and how high a reader must think each possible.

Belongs here: the rules of a declaration applied to true figures. Does not belong here: links to other cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from expectations.disclosure.population import Codes, Ints, Population
from expectations.disclosure.tables import Figures

DEFAULT_K = 3


@dataclass(frozen=True)
class Needs:
    """What has to hold for every functional of a population."""

    at_least: Ints
    """A table agreeing with everything told must show it at least so high; 0: it needs no protection."""
    open_zeros: npt.NDArray[np.bool_]
    """A reader knows that it is at least 1 when it is hidden: all zeros of its tables are shown."""
    k: Ints
    """The frequency rule that holds for it; 1: none."""

    @property
    def primary(self) -> npt.NDArray[np.bool_]:
        return self.at_least > 0


def needs_of(population: Population, values: Ints) -> Needs:
    """The needs of every functional, by the rules of every table that shows it.

    `values`: the true value of every functional. A micro cell that no table shows is as sensitive as the
    strictest frequency rule says. Where several rules ask for something, the highest counts.
    """
    at_least = np.zeros(len(values), dtype=np.int64)
    k = thresholds(population)
    open_zeros = np.zeros(len(values), dtype=bool)
    for name, table in population.tables.items():
        if table.declared.rate:
            continue
        rule, cells = table.declared.rule, population.of_cell[name]
        if table.declared.zeros == "open":
            open_zeros[cells] = True
        _raise(at_least, cells, sensitive_amounts(table))
        for dimension in rule.all_or_none:
            lonely = _in_one_category(table, population.codes[dimension], values[cells], rule.coalition)
            # Where nobody can be, nobody is looked for.
            lonely &= np.diff(population.functionals.indptr)[cells] > 0
            _raise(at_least, cells, np.where(lonely, values[cells] + (rule.frequency or DEFAULT_K), 0))
    for now, before in population.changes:
        # A change of few people is told by two releases together: the newer cell must be possible k apart.
        if 0 < abs(values[now] - values[before]) < k[now] and not population.frozen[now]:
            at_least[now] = max(at_least[now], values[before] + k[now], values[now] + 1)
    # Counts of 1 to k - 1 must be possible at k - 1 higher, and so at least at k.
    at_least = np.maximum(at_least, np.where((values >= 1) & (values < k), values + k - 1, 0))
    return Needs(at_least, open_zeros, k)


def thresholds(population: Population) -> Ints:
    """By functional, the frequency rule that holds for it: the strictest of its tables; 1 where none does."""
    k = np.ones(len(population.labels), dtype=np.int64)
    for name, table in population.tables.items():
        if table.declared.rule.frequency is None:
            continue
        for places in (population.of_cell, population.of_denominator, population.of_others):
            if name in places:
                _raise(k, places[name], np.full(len(places[name]), table.declared.rule.frequency))
    k[population.unpublished] = np.maximum(k[population.unpublished], k.max(initial=1))
    return k


def _raise(at_least: Ints, where: Ints, least: Ints) -> None:
    np.maximum.at(at_least, where, least)


def sensitive_amounts(table: Figures) -> Ints:
    """By row: what rules about contributors, amounts and requests ask for; 0 for nothing."""
    rule = table.declared.rule
    values = np.nan_to_num(table.values)
    scale = 10**table.declared.decimals
    least = np.zeros(len(values))
    k = rule.frequency or DEFAULT_K
    if rule.contributors:
        number = table.frame[rule.contributors.column].to_numpy(dtype=float)
        few = (number >= 1) & (number < rule.contributors.minimum)
        least = np.where(few, np.fmax(least, values + k - 1), least)
    if rule.dominance:
        largest = sum(table.frame[c].to_numpy(dtype=float) for c in rule.dominance.largest) * scale
        enough = np.ceil(np.asarray(largest) * 100 / rule.dominance.percent)
        least = np.where((values > 0) & (enough > values), np.fmax(least, enough), least)
    if rule.p_percent:
        first, second = (
            table.frame[c].to_numpy(dtype=float) * scale
            for c in (rule.p_percent.largest, rule.p_percent.second)
        )
        # The second largest knows the sum of the others to within what is left after both.
        enough = np.ceil(first + second + first * rule.p_percent.percent / 100)
        least = np.where((values > 0) & (enough > values), np.fmax(least, enough), least)
    if rule.request:
        asked = table.frame[rule.request].map(lambda v: str(v).strip().lower() in ("true", "1", "yes", "ja"))
        least = np.where(asked, np.fmax(least, values + k - 1), least)
    return least.astype(np.int64)


def _in_one_category(table: Figures, dimension: Codes, values: Ints, coalition: int) -> npt.NDArray[np.bool_]:
    """The other categories of groups of whom all, but for `coalition` people, are in one category of a dimension."""
    codes = table.codes
    shown = {code: set(dimension.of_code[code].tolist()) for code in set(codes[dimension.name])}
    finest = [code for code, own in shown.items() if not any(other < own for other in shown.values())]
    parts = codes[dimension.name].isin(finest).to_numpy()
    others = [c for c in codes.columns if c != dimension.name]
    group = (
        codes.groupby(others, sort=False).ngroup().to_numpy() if others else np.zeros(len(codes), dtype=int)
    )
    most = np.zeros(int(group.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(most, group[parts], values[parts])
    rest = np.bincount(group, weights=np.where(parts, values, 0), minlength=len(most)) - most
    lone = (most > coalition) & (rest <= coalition)
    return np.asarray(lone[group] & parts & (values <= coalition))
