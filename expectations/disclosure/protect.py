"""From declared tables to protected ones, with the proof.

Belongs here: the order of things: rules, suppression, inheritance of rates, verification, attack.
Does not belong here: files and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.disclosure import blur
from expectations.disclosure.attack import Attack, Attacker, ContradictionError, Opened
from expectations.disclosure.declaration import Declaration, DeclarationError
from expectations.disclosure.knowledge import Bounds, Knowledge, knowledge_of
from expectations.disclosure.population import Ints, Population, population_of
from expectations.disclosure.primary import Needs, needs_of, thresholds
from expectations.disclosure.progress import followed
from expectations.disclosure.relax import Relaxer
from expectations.disclosure.suppress import InfeasibleError, Pattern, Suppressor
from expectations.disclosure.tables import Figures, complete
from expectations.disclosure.verify import unproved


class UnprovedError(RuntimeError):
    """The pattern does not hold against verifier or attacker: nothing may go out. Names the cells."""


@dataclass(frozen=True)
class Protected:
    """Protected tables and why they hold. All but `hidden` is near the truth and stays in the house."""

    population: Population
    tables: Mapping[str, Figures]
    told: Mapping[str, Figures]
    """The tables as they may go out, with what is hidden, and with rounded figures or noise where that is the method."""
    hidden: dict[str, npt.NDArray[np.bool_]]
    """By table and row."""
    needs: Needs
    pattern: Pattern | None
    """None where figures are told otherwise than they are."""
    knowledge: Knowledge
    attack: Attack

    def proof(self, name: str) -> pd.DataFrame:
        """Of every hidden cell: the least and the most that a witness shows, and whether it is sensitive itself.

        Where figures are told otherwise than they are, of every sensitive cell, hidden or not.
        """
        table, cells = self.tables[name], self.population.of_cell[name]
        is_blurred = table.declared.method != "hide"
        rows = np.flatnonzero(self.hidden[name] | (is_blurred & self.needs.primary[cells]))
        scale = 10**table.declared.decimals
        return pd.DataFrame({
            "table": name,
            "cell": [" | ".join(map(str, table.codes.iloc[n])) for n in rows],
            "lower": self.attack.lowest[cells[rows]] / scale if scale > 1 else self.attack.lowest[cells[rows]],
            "upper": self.attack.highest[cells[rows]] / scale if scale > 1 else self.attack.highest[cells[rows]],
            "primary": self.needs.primary[cells[rows]],
        })  # fmt: skip

    def share_hidden(self, name: str) -> float:
        hidden = self.hidden[name]
        return float(hidden.mean()) if len(hidden) else 0.0


def true_population(population: Population) -> Ints:
    """Micro cells that give the tables' figures: the true ones where tables tell them, else some that fit.

    Raises ContradictionError, naming a cell if totals and parts disagree.
    """
    rows = population.functionals
    single = np.flatnonzero(np.diff(rows.indptr) == 1)
    values, known = told_values(population)
    x = np.full(population.size, -1, dtype=np.int64)
    single = single[known[single]]
    x[rows.indices[rows.indptr[single]]] = values[single]
    if np.all(x >= 0):
        wrong = np.flatnonzero(known & ((rows @ x) != values))
        if wrong.size:
            cell = int(wrong[0])
            raise ContradictionError(
                f"{population.labels[cell]}: found {values[cell]}, but its parts make {int((rows @ x)[cell])}"
            )
        if not (population.agreements @ x).any() and not (population.nothing @ x).any():
            return x
    # A figure that is hidden already is as true as the others, where it is given.
    given = {name: replace(t, hidden=np.isnan(t.values)) for name, t in population.tables.items()}
    return Attacker(knowledge_of(population, given)).base


def told_values(population: Population) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """The exact figures that tables have, by functional, and where there are any.

    Raises DeclarationError where two tables have different figures of the same cell.
    """
    count = population.functionals.shape[0]
    values, known = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    for name, table in population.tables.items():
        if table.declared.rate or table.declared.method != "hide":
            continue
        there = np.flatnonzero(~np.isnan(table.values))
        cells, figures = population.of_cell[name][there], table.values[there].astype(np.int64)
        # The first of a cell counts; all others, of this table and of others, must be the same.
        fresh = ~known[cells]
        values[cells[fresh][::-1]], known[cells] = figures[fresh][::-1], True
        differs = values[cells] != figures
        if differs.any():
            n = int(np.argmax(differs))
            raise DeclarationError(
                f"{table.label(int(there[n]))}: found {figures[n]}, but the same cell stands as {values[cells[n]]} elsewhere"
            )
    return values, known


def protect(
    declaration: Declaration,
    tables: Mapping[str, Figures],
    thorough: bool = True,
    before: Mapping[str, Bounds] | None = None,
    beside: Mapping[str, Bounds] | None = None,
) -> Protected:
    """Protect all the tables together, by their method. What is hidden already stays hidden.

    Not `thorough`: where figures are told otherwise than they are, a cell without a witness nearby counts as open
    (Attacker); a little more is hidden, and large populations take seconds. `before`: what was told of them before,
    which nothing takes back. `beside`: what is known of them from elsewhere, whatever is told here. Both are for rounded
    figures and those with noise.

    Raises DeclarationError, ContradictionError (the figures do not fit together), InfeasibleError (a cell
    can't be protected) or UnprovedError (the result did not stand the verifier or the attacker).
    """
    ours = {n: t for n, t in tables.items() if not t.declared.frozen}
    complete(ours)
    method = _method(ours)
    # What is given is the truth, whatever is told of it. Ranks go out of told figures only, and so say nothing new.
    true = {n: plain(t) if n in ours else t for n, t in tables.items()}
    population = population_of(declaration, true, in_one=method == "small_counts")
    x = true_population(population)
    values = (population.functionals @ x).astype(np.int64)
    needs = needs_of(population, values)
    if method != "hide":
        return _blurred_tables(population, tables, x, needs, thorough, before or {}, beside or {})
    return _hidden_cells(population, true, tables, x, needs)


def _method(ours: Mapping[str, Figures]) -> str:
    """The one method of the tables that are to be protected.

    Raises DeclarationError where there are several (an exact figure beside a blurred one undoes it), or where somebody
    else's noise is in figures that should be the true ones.
    """
    methods: dict[str, str] = {}
    for name, table in ours.items():
        methods.setdefault("rate" if table.declared.rate else table.declared.method, name)
    if "noise" in methods:
        raise DeclarationError(
            f"table `{methods['noise']}`: `noise` is of tables told before, expected `frozen: true` beside it"
        )
    blurred = [m for m in methods if m not in ("hide", "rate")]
    if blurred and len(methods) > 1:
        found = ", ".join(f"{m} (table `{name}`)" for m, name in methods.items())
        raise DeclarationError(
            f"found several methods for one population: {found}; expected one. Rates beside rounded or noisy counts are "
            "worked out from what is told"
        )
    return blurred[0] if blurred else "hide"


def plain(table: Figures) -> Figures:
    """The table as one of true figures, whatever is told of them."""
    ways = ("rounded_to", "small_counts", "cell_key", "noise", "rank")
    return replace(table, declared=table.declared.model_copy(update=dict.fromkeys(ways)))


def _hidden_cells(
    population: Population,
    tables: Mapping[str, Figures],
    given: Mapping[str, Figures],
    x: Ints,
    needs: Needs,
) -> Protected:
    """Cells hidden until every need is met, verified and attacked. `given`: the tables with all they declare."""
    values = (population.functionals @ x).astype(np.int64)
    untold = population.unpublished.copy()
    few = {
        name: _too_few(table, values[population.of_denominator[name]])
        for name, table in tables.items()
        if table.declared.rate
    }
    for name, dropped in few.items():
        # A rate tells its two counts to whoever can divide.
        untold[population.of_cell[name][~dropped]] = False
        untold[population.of_denominator[name][~dropped]] = False
    costs = _costs(population, values, needs)
    kept = np.zeros(len(values), dtype=bool)
    for name, table in tables.items():
        if table.declared.rate is None:
            kept[population.of_cell[name][table.hidden]] = True
    pattern = Suppressor(population, x, needs, costs, untold, kept & ~population.frozen).protect()
    hidden = _by_table(population, tables, pattern, few)
    told = {name: replace(t, hidden=hidden[name]) for name, t in tables.items()}
    knowledge = knowledge_of(population, told)
    targets = [(int(f), int(pattern.at_least[f])) for f in np.flatnonzero(pattern.at_least)]
    if left := unproved(knowledge, x, pattern.witnesses, targets):
        labels = ", ".join(population.labels[f] for f in left[:5])
        raise UnprovedError(f"{len(left)} cells are not proved safe: {labels}")
    attacker = Attacker(knowledge, x)
    # Multiplied out once more: a whole-number population is a proof, whoever found it.
    attacker.learn(pattern.witnesses)
    attack = attacker.attack(targets)
    _changes(attacker, population, needs.k)
    if attack.opened:
        raise UnprovedError("the attacker opens " + "; ".join(o.equation for o in attack.opened[:5]))
    shown = {name: replace(given[name], hidden=hidden[name]) for name in tables}
    return Protected(population, given, shown, hidden, needs, pattern, knowledge, attack)


def _blurred_tables(
    population: Population,
    tables: Mapping[str, Figures],
    x: Ints,
    needs: Needs,
    thorough: bool,
    before: Mapping[str, Bounds],
    beside: Mapping[str, Bounds],
) -> Protected:
    """Figures told otherwise than they are; what still opens is closed by hiding the cheapest figure that opens it."""
    values = (population.functionals @ x).astype(np.int64)
    told = {name: _blurred_table(population, table, x, values) for name, table in tables.items()}
    costs = _costs(population, values, needs)
    frozen = population.frozen.copy()
    for name, (least, _) in before.items():
        frozen[population.of_cell[name][~np.isnan(least)]] = True
    witnesses: list[tuple[Ints, Ints]] = []
    while True:
        knowledge = knowledge_of(population, told, before, beside)
        attacker = Attacker(knowledge, x, thorough)
        attacker.learn(witnesses)  # to hide more rules none of them out
        opened = blurred_open(attacker, population, told, needs.k)
        _changes(attacker, population, needs.k)
        opened += [o for o in attacker.result.opened if o not in opened]
        if not opened:
            hidden = {name: t.hidden for name, t in told.items()}
            return Protected(population, tables, told, hidden, needs, None, knowledge, attacker.result)
        may_go = np.zeros(len(values), dtype=bool)
        for name, table in told.items():
            may_go[population.of_cell[name][~table.hidden]] = True
        relaxer = Relaxer(knowledge, x, may_go & ~frozen, costs)
        gone: list[int] = []
        for one in opened:
            rows = relaxer.free(one.functional, int(needs.k[one.functional]))
            if rows is None:
                raise InfeasibleError(f"{one.label} can't be protected: {one.equation}")
            gone += rows
        witnesses = [*attacker.result.witnesses, *relaxer.witnesses]
        if (
            not gone and not relaxer.witnesses
        ):  # nothing bounds them, but no whole-number witness was found: their own figures go
            gone = [o.functional for o in opened if may_go[o.functional] and not frozen[o.functional]]
        if not gone and not relaxer.witnesses:
            raise InfeasibleError(f"{opened[0].label} can't be protected: {opened[0].equation}")
        for name, table in told.items():
            told[name] = replace(table, hidden=table.hidden | np.isin(population.of_cell[name], gone))


def _blurred_table(population: Population, table: Figures, x: Ints, values: Ints) -> Figures:
    """A table with the figures it tells. One that was told before stays as it is."""
    declared = table.declared
    if declared.frozen:
        return table
    true = values[population.of_cell[table.name]]
    if declared.rounded_to:
        figures = blur.rounded(true, declared.rounded_to)
    elif declared.small_counts:
        base = declared.small_counts
        published = population.functionals[~population.unpublished]
        figures = (population.functionals @ blur.small_counts_rounded(published, x, base))[
            population.of_cell[table.name]
        ]
    else:
        assert declared.cell_key is not None
        keys = table.frame[declared.cell_key.column].to_numpy(dtype=float)
        figures = blur.PTable.read(declared.cell_key.table).perturbed(true, keys)
    frame = table.frame.assign(**{declared.value: figures})
    return replace(table, frame=frame, values=figures.astype(float))


def blurred_open(
    attacker: Attacker,
    population: Population,
    told: Mapping[str, Figures],
    k: Ints,
    asked: npt.NDArray[np.bool_] | None = None,
) -> list[Opened]:
    """What of counts told otherwise than they are can be worked out, or proved to be somebody and few.

    `asked`: which, without it all from 1 to k - 1 that a table shows. Of these nobody promises that they can be k. Told
    with a base, few is less than the base.
    """
    small = (attacker.values >= 1) & (attacker.values < k) & ~population.unpublished
    at = np.flatnonzero(small if asked is None else asked)
    few = k.copy()
    for name, table in told.items():
        if base := table.declared.rounded_to or table.declared.small_counts:
            cells = population.of_cell[name]
            few[cells] = np.minimum(few[cells], base)
    # Below `few`, to be nobody or as many as that is to be another number as well.
    below = attacker.values[at] < few[at]
    attacker.attack((int(f), 0) for f in at[~below])
    found = [o for o in attacker.result.opened if 1 <= o.upper < k[o.functional]]
    attacker.result.opened = []
    attacker.expect({f: int(few[f]) for f in at[below].tolist()})
    proved = (attacker.small(f, int(few[f])) for f in followed(at[below].tolist(), "attack | small cells"))
    return [*found, *(one for one in proved if one is not None)]


def attack_told(
    declaration: Declaration, told: Mapping[str, Figures], truth: Mapping[str, Figures] | None = None
) -> tuple[Population, Attack]:
    """Attack tables as a reader has them.

    With the true tables every sensitive cell must be possible at the height its rule asks for, and one that is printed is
    open. Without them every hidden cell must be possible at k or more, and at more than one value; a printed count of 1 to
    k - 1 is open.
    """
    if truth is None:
        shown = dict(told)
        population = population_of(declaration, told)
        attacker = Attacker(knowledge_of(population, told))
        k = at_least = thresholds(population)
    else:
        truth = {name: plain(table) for name, table in truth.items()}
        population = population_of(declaration, truth)
        shown = {name: _aligned(table, truth[name]) for name, table in told.items()}
        attacker = Attacker(knowledge_of(population, shown), true_population(population))
        needs = needs_of(population, attacker.values)
        k, at_least = needs.k, needs.at_least
    asked = attacker.knowledge.hidden & ~population.unpublished
    if truth is not None:
        asked &= at_least > 0
    blurred = _blurred(population, shown)
    opened = blurred_open(attacker, population, shown, k, asked & blurred)
    attacker.attack((int(f), int(at_least[f])) for f in np.flatnonzero(asked & ~blurred))
    result = attacker.result
    result.opened = sorted([*opened, *result.opened], key=lambda o: o.functional)
    # What no table shows is only of interest if it can be proved to be few, but somebody.
    unpublished = np.flatnonzero(population.unpublished & (attacker.values < k)).tolist()
    for functional in followed(unpublished, "attack | cells that no table shows"):
        if (found := attacker.small(functional, int(k[functional]))) is not None:
            result.opened.append(found)
    result.opened += _told_elsewhere(population, shown, at_least > 0 if truth is not None else None)
    result.opened += _in_print(population, shown, k, at_least if truth is not None else None)
    _changes(attacker, population, k)
    return population, result


def _in_print(
    population: Population, published: Mapping[str, Figures], k: Ints, at_least: Ints | None
) -> list[Opened]:
    """Counts that are sensitive and stand in a table as they are: nobody needs to work them out."""
    found: dict[int, Opened] = {}
    for name, table in published.items():
        declared = table.declared
        if declared.rate or declared.method != "hide":
            continue
        cells = population.of_cell[name]
        if at_least is not None:
            sensitive = at_least[cells] > 0
        elif declared.rule.frequency is None or declared.decimals:
            continue
        else:
            sensitive = (table.values >= 1) & (table.values < k[cells])
        for row in np.flatnonzero(sensitive & ~table.hidden).tolist():
            label, value = table.label(row), float(table.values[row])
            found.setdefault(
                int(cells[row]), Opened(int(cells[row]), label, value, value, f"{label} = {value:g}")
            )
    return list(found.values())


def _told_elsewhere(
    population: Population, told: Mapping[str, Figures], asked: npt.NDArray[np.bool_] | None
) -> list[Opened]:
    """Hidden cells that stand open under another name: the same people, told in another cell."""
    telling: dict[int, tuple[str, float]] = {}
    for name, table in told.items():
        if table.declared.rate or table.declared.method != "hide":
            continue
        for row in np.flatnonzero(~table.hidden).tolist():
            telling.setdefault(
                int(population.of_cell[name][row]), (table.label(row), float(table.values[row]))
            )
    found: dict[int, Opened] = {}
    for name, table in told.items():
        if table.declared.rate:
            continue
        for row in np.flatnonzero(table.hidden).tolist():
            cell = int(population.of_cell[name][row])
            if cell in telling and (asked is None or asked[cell]):
                label, value = telling[cell]
                own = table.label(row)
                found.setdefault(cell, Opened(cell, own, value, value, f"{own} = {label} ({value:g})"))
    return list(found.values())


def _aligned(told: Figures, true: Figures) -> Figures:
    """A told table in the rows of the true one; what it does not tell is hidden.

    Raises DeclarationError for a row that the true table does not have.
    """
    columns = list(true.codes.columns)
    at = {tuple(row): n for n, row in enumerate(told.codes[columns].to_numpy().tolist())}
    rows = [at.pop(tuple(row), None) for row in true.codes.to_numpy().tolist()]
    if at:
        raise DeclarationError(f"{told.label(min(at.values()))} is told, but the true table has no such row")
    there = np.array([row is not None for row in rows])
    order = np.array([0 if row is None else row for row in rows])
    return replace(
        told, codes=true.codes, frame=told.frame.iloc[order].reset_index(drop=True),
        values=np.where(there, told.values[order], np.nan), hidden=told.hidden[order] | ~there,
    )  # fmt: skip


def _blurred(population: Population, told: Mapping[str, Figures]) -> npt.NDArray[np.bool_]:
    """Functionals that are told by rounded or noisy tables only."""
    blurred, exact = (np.zeros(len(population.labels), dtype=bool) for _ in range(2))
    for name, table in told.items():
        if table.declared.rate is None:
            away = table.declared.method != "hide"
            (blurred if away else exact)[population.of_cell[name]] = True
    return blurred & ~exact


def _changes(attacker: Attacker, population: Population, k: Ints) -> None:
    """What two releases tell together, added to what opens."""
    for now, before in population.changes:
        if (found := attacker.change(now, before, int(k[now]))) is not None:
            attacker.result.opened.append(found)


def _too_few(table: Figures, denominators: Ints) -> npt.NDArray[np.bool_]:
    rate = table.declared.rate
    assert rate is not None
    return np.asarray(table.hidden | (denominators < max(rate.minimum_denominator, 1)))


def _by_table(
    population: Population,
    tables: Mapping[str, Figures],
    pattern: Pattern,
    few: Mapping[str, npt.NDArray[np.bool_]],
) -> dict[str, npt.NDArray[np.bool_]]:
    hidden = {}
    for name, table in tables.items():
        own = pattern.hidden[population.of_cell[name]]
        if table.declared.rate:
            own = own | pattern.hidden[population.of_denominator[name]] | few[name]
        hidden[name] = own | table.hidden
    return hidden


def _costs(population: Population, values: Ints, needs: Needs) -> npt.NDArray[np.float64]:
    """What hiding every functional loses: the sum over the tables that show it."""
    costs = np.zeros(len(values))
    for name, table in population.tables.items():
        cells = population.of_cell[name]
        size = values[cells].astype(float)
        if table.declared.cost == "value":
            each = np.where(size > 0, size, needs.k[cells])
        elif table.declared.cost == "logarithm":
            each = 1 + np.log2(1 + size)
        elif table.declared.cost == "cells":
            each = np.ones(len(cells))
        else:
            each = table.frame[table.declared.cost].to_numpy(dtype=float)
        np.add.at(costs, cells, each)
        if table.declared.rate:
            np.add.at(costs, population.of_denominator[name], each)
    return costs
