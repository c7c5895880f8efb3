"""The counts of registers that a release tells: which of them stay hidden, and what a reader can work out.

Belongs here: from counts to populations, one for every measure and period, with all cuts of the city and all
breakdowns in which any table tells them; and back. Does not belong here: how an indicator is made of counts (dbt),
where files lie (orchestration).

Counts are told rounded, each for itself (decision 0016), so everything told is an interval. What is asked is what
docs/confidentiality.md promises of rounded figures: nobody can prove of a count that it is somebody and fewer than
the rule's number. What the counts told tonight and every count told before say together is one system per population.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.catalogue.base import TOTAL, ages_of
from expectations.disclosure.attack import Attacker, ContradictionError
from expectations.disclosure.blur import known_of_rounded, rounded
from expectations.disclosure.declaration import Declaration, DeclarationError
from expectations.disclosure.knowledge import Bounds, knowledge_of
from expectations.disclosure.population import Floats, Ints, Population, population_of
from expectations.disclosure.primary import thresholds
from expectations.disclosure.protect import blurred_open, plain, protect, true_population
from expectations.disclosure.relax import Relaxer
from expectations.disclosure.suppress import InfeasibleError
from expectations.disclosure.tables import CONFIDENTIAL, PUBLISHED, Figures, figures

POPULATION = ["population", "counted_period_end"]
"""Counts of one measure and period are about the same people; of measures that are added up, all of them together."""

MEASURE = "measure"
"""The dimension of a population of several measures."""

PLUS = " + "
"""Between the measures of a count that adds several up, and between their cells where these differ."""

AGES = "age_group"

SUM = ", "
"""Between the cells of a count that adds several up."""

_REST = "(rest)"
_UNPLACED = "00"
"""How the codes of areas end that take what could not be placed; `orchestration.collect.registers.areas`."""


@dataclass(frozen=True)
class City:
    """How areas and cells hang together: what every reader may look up.

    `code`: the city's own. `pieces`: the smallest areas of which the cuts are made, each with `piece` and a row for every
    `area_code` it lies in, and when (`valid_from`, `valid_to`). `part_of`: by breakdown, cells that are part of another.
    """

    code: str
    level: str
    pieces: pd.DataFrame
    part_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known_zeros: frozenset[tuple[str, str]] = frozenset()
    """Measures and breakdowns of which everybody knows where nobody is: a primary school has no grade 12."""
    subsets: frozenset[tuple[str, str]] = frozenset()
    """Pairs of measures, the first of which counts some of the people that the second counts, cell by cell."""


@dataclass(frozen=True)
class Opened:
    """A count that can be worked out, or a population that could not be judged; never its figure."""

    measure: str
    period: str
    what: str
    rows: list[int]
    """The rows of the counts that tell it, or that it is worked out from; all of the population where it is not judged."""


class Memory:
    """What was found before about the very same counts, in a folder that nobody else may enter: it is near the truth."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, fingerprint: str) -> dict[str, npt.NDArray[Any]] | None:
        path = self.folder / f"{fingerprint}.npz"
        if not path.exists():
            return None
        with np.load(path) as found:
            return {name: found[name] for name in found.files}

    def put(self, fingerprint: str, **arrays: npt.NDArray[Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        content = io.BytesIO()
        np.savez_compressed(content, allow_pickle=False, **arrays)
        path = self.folder / f"{fingerprint}.npz"
        temporary = path.with_suffix(f".{os.getpid()}.part")
        temporary.touch(mode=0o600)
        temporary.write_bytes(content.getvalue())
        temporary.replace(path)


Each = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]
"""How tasks that do not depend on one another are computed: a function's results in the order of its tasks, as `map` has them."""


def confidential(
    counts: pd.DataFrame,
    breakdowns: Sequence[str],
    city: City,
    areas: pd.DataFrame,
    memory: Memory,
    each: Each = map,
) -> tuple[npt.NDArray[np.bool_], list[Opened]]:
    """Which counts must be hidden beside those that are, and the populations that could not be protected.

    `counts`: one row per count that any table tells, with `measure_id`, `counted_period_end`, `area_code`, `area_level`,
    the cells (`total`, a cell, or several with `, ` between), the true `value`, `base` of its rounding, `k`, `is_hidden`,
    `figures` (how many are made of it) and `low`/`high` where it was told before (else NaN). `areas`: all areas of every measure and period, whether told
    or not. Of a population that can't be protected every count is hidden. `each` computes the populations, which do
    not depend on one another.
    """
    hidden = counts["is_hidden"].to_numpy(dtype=bool).copy()
    figures_told = rounded(counts["value"].to_numpy(dtype=np.int64), counts["base"].to_numpy(dtype=np.int64))
    counts, areas = _with_populations(counts, areas)
    counts = _beside(counts, np.where(hidden, np.nan, figures_told), breakdowns, city)
    tasks = _tasks(counts, breakdowns, city, areas, memory)
    failed: dict[Any, Opened] = {}
    for task, (found, why) in zip(tasks, each(_protected, tasks), strict=True):
        hidden[task.at] |= found
        if why is not None:
            failed[task.key] = Opened(str(task.key[0]), str(task.key[1]), why, task.at.tolist())
    return hidden, [failed[key] for key in sorted(failed)]


def opened(
    counts: pd.DataFrame,
    breakdowns: Sequence[str],
    city: City,
    areas: pd.DataFrame,
    memory: Memory,
    each: Each = map,
) -> list[Opened]:
    """What a reader of everything told can work out. `counts` as for `confidential`, with `told`: the figure, or NaN.

    Witnesses found before are taken for what they are worth: each is multiplied out against what is told now.
    `each` as for `confidential`.
    """
    counts, areas = _with_populations(counts, areas)
    counts = _beside(counts, counts["told"].to_numpy(dtype=float), breakdowns, city)
    tasks = _tasks(counts, breakdowns, city, areas, memory)
    found: dict[Any, list[Opened]] = {}
    for task, labelled in zip(tasks, each(_attacked, tasks), strict=True):
        found[task.key] = [
            Opened(str(task.key[0]), str(task.key[1]), label, task.at[rows].tolist())
            for label, rows in labelled
        ]
    return [one for key in sorted(found) for one in found[key]]


@dataclass(frozen=True)
class _Task:
    """One population to be protected or attacked, with everything that needs."""

    key: Any
    at: Ints
    """Its rows among all counts."""
    part: pd.DataFrame
    breakdowns: Sequence[str]
    city: City
    areas: pd.DataFrame
    memory: Memory

    def fingerprint(self) -> str:
        """Over everything the attack of this population depends on.

        What was published before and says no more than what is published now adds nothing.
        """
        part = self.part
        low, high = known_of_rounded(
            part["told"].to_numpy(dtype=float), part["base"].to_numpy(dtype=np.int64)
        )
        before = part[["low", "high"]].to_numpy(dtype=float, copy=True)
        before[(before[:, 0] <= low) & (before[:, 1] >= high)] = np.nan
        digest = hashlib.sha256(_code().encode())
        frames = (part.drop(columns=["low", "high"]), self.areas, self.city.pieces)
        for content in (*(pd.util.hash_pandas_object(f, index=False).to_numpy() for f in frames), before):
            digest.update(np.ascontiguousarray(content).tobytes() + b"|")
        city = self.city
        rules = (
            city.code,
            city.level,
            sorted(city.part_of.items()),
            sorted(city.known_zeros),
            sorted(city.subsets),
        )
        digest.update(repr((self.key, list(part.columns), list(self.breakdowns), rules)).encode())
        return digest.hexdigest()[:32]

    def population(self) -> _Told:
        return _Told.of(self.part, self.breakdowns, self.city, self.areas)


def _tasks(
    counts: pd.DataFrame, breakdowns: Sequence[str], city: City, areas: pd.DataFrame, memory: Memory
) -> list[_Task]:
    """A task for every population; the largest, which take longest, come first."""
    # Small frames of plain texts are faster to cut and compare than those of Arrow's.
    counts, areas = (
        frame.astype({c: "object" for c in frame.columns if isinstance(frame[c].dtype, pd.StringDtype)})
        for frame in (counts, areas)
    )
    areas_of = _places(areas, POPULATION)
    none = np.zeros(0, dtype=np.int64)
    found = [
        _Task(key, at, counts.iloc[at], breakdowns, city, areas.iloc[areas_of.get(key, none)], memory)
        for key, at in _places(counts, POPULATION).items()
    ]
    return sorted(found, key=lambda task: -len(task.at))


def _protected(task: _Task) -> tuple[npt.NDArray[np.bool_], str | None]:
    """Which counts of a population are hidden; and why it could not be protected, if so."""
    try:
        return task.population().protected(task.memory), None
    except (ContradictionError, DeclarationError, InfeasibleError) as error:
        return np.ones(len(task.part), dtype=bool), str(error)


def _attacked(task: _Task) -> list[tuple[str, list[int]]]:
    """What can be worked out of a population: its label, and the rows of the population that tell it.

    A population of which nothing could be worked out, and of which everything is as it was, is not asked again.
    """
    fingerprint = task.fingerprint()
    if task.memory.get(fingerprint) is not None:
        return []
    try:
        found = task.population().attacked(task.memory)
        if not found:
            task.memory.put(fingerprint, safe=np.ones(1, dtype=bool))
        return found
    except (ContradictionError, DeclarationError) as error:
        return [(str(error), list(range(len(task.part))))]


def _beside(counts: pd.DataFrame, told: Floats, breakdowns: Sequence[str], city: City) -> pd.DataFrame:
    """Counts with `least` and `most`: what the same cell of other measures tells of them (NaN: nothing).

    Who is counted in a part is counted in its whole. Of each count of another measure only its own figure is used; what
    that measure's other figures say of it is not.
    """
    low, high = known_of_rounded(told, counts["base"].to_numpy(dtype=np.int64))
    own_low = np.fmax(low, counts["low"].to_numpy(dtype=float))
    own_high = np.fmin(high, counts["high"].to_numpy(dtype=float))
    known = counts.assign(row=range(len(counts)), own_low=own_low, own_high=own_high)
    least, most = np.full(len(counts), np.nan), np.full(len(counts), np.nan)
    keys = ["counted_period_end", "area_code", *breakdowns]
    of_measure = {str(name): rows for name, rows in known.groupby("measure_id", sort=True)}
    for part, whole in sorted(city.subsets):
        if part not in of_measure or whole not in of_measure:
            continue
        both = of_measure[part].merge(of_measure[whole], on=keys, suffixes=("", "_whole"))
        at, of = both["row"].to_numpy(dtype=int), both["row_whole"].to_numpy(dtype=int)
        least[of] = np.fmax(least[of], both["own_low"].to_numpy())
        most[at] = np.fmin(most[at], both["own_high_whole"].to_numpy())
    return counts.assign(least=least, most=most)


def parts_of(text: str, number: int) -> list[str]:
    """The parts of a measure or cell, one for each measure of a count; the same for all where it names one."""
    parts = text.split(PLUS)
    return parts if len(parts) == number else parts * number


def _with_populations(counts: pd.DataFrame, areas: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Counts and areas with their population: a measure, or all that some count adds up, directly or through others."""
    members: dict[str, set[str]] = {}
    for text in sorted(set(counts["measure_id"])):
        parts = text.split(PLUS)
        joined = set(parts).union(*(members.get(part, set()) for part in parts))
        members.update(dict.fromkeys(joined, joined))
    names = {measure: PLUS.join(sorted(together)) for measure, together in members.items()}
    of_count = counts["measure_id"].map(
        {text: names[text.split(PLUS)[0]] for text in set(counts["measure_id"])}
    )
    of_area = areas["measure_id"].map(names)
    return counts.assign(population=of_count), areas[of_area.notna()].assign(population=of_area.dropna())


def _places(frame: pd.DataFrame, keys: list[str]) -> dict[Any, Ints]:
    """Where the rows of every key stand, keys in order."""
    return {key: np.asarray(at) for key, at in frame.groupby(keys, sort=True).indices.items()}


@dataclass(frozen=True)
class _Told:
    """One population: its declaration, its tables of true counts, and where each row stands among the counts."""

    declaration: Declaration
    tables: dict[str, Figures]
    rows: dict[str, Ints]
    """By table: positions in the part of the counts."""
    size: int
    before: dict[str, Bounds]
    beside: dict[str, Bounds]
    """What other measures tell of them."""
    told: dict[str, Figures]
    """The tables with the figures that are told, where they are given."""

    @classmethod
    def of(cls, part: pd.DataFrame, breakdowns: Sequence[str], city: City, areas: pd.DataFrame) -> _Told:
        # What hiding a count loses: all figures that are made of it, headline totals last.
        part = part.assign(cost=part["figures"] * np.maximum(part["value"], part["k"]))
        used = [b for b in breakdowns if (part[b] != TOTAL).any()]
        measures = str(part["population"].iloc[0]).split(PLUS)
        dimensions: dict[str, Any] = {}
        zeros = _known_zeros(part, used, city)
        for b in used:
            dimension, impossible = _dimension(part, b, used, city.part_of.get(b, {}), measures)
            dimensions[b] = dimension
            zeros += impossible
        dimensions["area"] = {"total": city.code, "hierarchy": _cut(part, areas, city)}
        if len(measures) > 1:
            dimensions[MEASURE] = {"total": "(all)"}
            zeros += _absent_areas(areas[areas["area_level"].isin(set(part["area_level"]))], measures)
        nobody = {
            (zero[MEASURE][0], area, b, cell) for zero in zeros for area in zero.get("area", [])
            for b in zero if b in used for cell in zero[b]
        }  # fmt: skip
        if len(measures) == 1:
            zeros = [{d: codes for d, codes in zero.items() if d != MEASURE} for zero in zeros]
        shown, fixed = [], []
        for cells in part[used].to_numpy().tolist():
            named = list(zip(used, cells, strict=True))
            shown.append(",".join(b for b, cell in named if cell != TOTAL and PLUS not in cell))
            # A cell may be several, with commas between them.
            fixed.append("\n".join(f"{b}={cell}" for b, cell in named if PLUS in cell))
        grouped = part.assign(shown=shown, fixed=fixed)
        declared: dict[str, Any] = {}
        rows: dict[str, Ints] = {}
        for (measure, level, names, texts), at in _places(
            grouped, ["measure_id", "area_level", "shown", "fixed"]
        ).items():
            group = part.iloc[at]
            scope = [b for b in str(names).split(",") if b]
            added = str(measure).split(PLUS)
            there = [
                not any((added[0], area, b, cell) in nobody for b, cell in zip(scope, cells, strict=True))
                for area, cells in zip(group["area_code"], group[scope].to_numpy().tolist(), strict=True)
            ]
            if len(added) == 1 and not any(there):
                continue
            parts = [
                str(measure) if len(measures) > 1 else "",
                str(level),
                *scope,
                str(texts).replace("\n", "_"),
            ]
            name = "_".join(part for part in parts if part)
            terms = _terms(added, str(texts)) if len(measures) > 1 else [{}]
            declared[name] = {
                "dimensions": {"area": "area_code", **{b: b for b in scope}}, "value": "value",
                "where": terms[0], "plus": terms[1:],
                "rule": {"frequency": int(group["k"].iloc[0])}, "rounded_to": int(group["base"].iloc[0]),
                "cost": "cost",
            }  # fmt: skip
            rows[name] = at[there] if len(added) == 1 else at
        declaration = Declaration.model_validate({
            "population": str(part["population"].iloc[0]), "dimensions": dimensions,
            "tables": declared, "structural_zeros": zeros,
        })  # fmt: skip
        tables, told = {}, {}
        before, beside = {}, {}
        for name, at in rows.items():
            group = part.iloc[at]
            columns = [*declaration.tables[name].dimensions.values(), "value", "cost"]
            status = np.where(group["is_hidden"], CONFIDENTIAL, PUBLISHED)
            tables[name] = figures(name, declaration.tables[name], group[columns].assign(status=status))
            before[name] = (group["low"].to_numpy(dtype=float), group["high"].to_numpy(dtype=float))
            beside[name] = (group["least"].to_numpy(dtype=float), group["most"].to_numpy(dtype=float))
            if "told" in group:
                figure = group["told"].to_numpy(dtype=float)
                hides = np.isnan(figure)
                frame = tables[name].frame.assign(
                    value=figure, status=np.where(hides, CONFIDENTIAL, PUBLISHED)
                )
                told[name] = replace(tables[name], frame=frame, values=np.round(figure), hidden=hides)
        return cls(declaration, tables, rows, len(part), before, beside, told)

    def fingerprint(self) -> str:
        """Over the counts, the rules and this code; not over what was told before or by other measures."""
        digest = hashlib.sha256(_code().encode())
        digest.update(self.declaration.model_dump_json().encode())
        for name, table in self.tables.items():
            digest.update(name.encode())
            digest.update("\n".join(table.labels()).encode())
            digest.update(table.values.tobytes())
            digest.update(table.hidden.tobytes())
        return digest.hexdigest()[:32]

    def protected(self, memory: Memory) -> npt.NDArray[np.bool_]:
        """Which counts are hidden, in the order of the part. Raises as `protect` does."""
        known = memory.get(self.fingerprint())
        beside = np.concatenate([bound for pair in self.beside.values() for bound in pair])
        if (
            known is not None
            and np.array_equal(known["beside"], beside, equal_nan=True)
            and self._says_nothing_more(known["hidden"])
        ):
            return known["hidden"]
        result = protect(
            self.declaration, self.tables, thorough=False, before=self.before, beside=self.beside
        )
        hidden = np.zeros(self.size, dtype=bool)
        for name, at in self.rows.items():
            hidden[at] = result.hidden[name]
        memory.put(
            self.fingerprint(), hidden=hidden, x=result.attack.base, beside=beside, **_packed(result.attack.witnesses)
        )  # fmt: skip
        return hidden

    def _says_nothing_more(self, hidden: npt.NDArray[np.bool_]) -> bool:
        """Was before only told what is told again, as it was?"""
        for name, at in self.rows.items():
            table, (low, high) = self.tables[name], self.before[name]
            base = int(table.declared.rounded_to or 1)
            least, most = known_of_rounded(rounded(table.values.astype(np.int64), base).astype(float), base)
            more = ~np.isnan(low) & (hidden[at] | (low > least) | (high < most))
            if more.any():
                return False
        return True

    def attacked(self, memory: Memory) -> list[tuple[str, list[int]]]:
        """What opens: its label, and the rows that tell it or bound it. Raises ContradictionError, DeclarationError."""
        population = population_of(self.declaration, {name: plain(t) for name, t in self.tables.items()})
        known = memory.get(self.fingerprint()) or {}
        x = self._truth(population, known.get("x"))
        knowledge = knowledge_of(population, self.told, self.before, self.beside)
        attacker = Attacker(knowledge, x, thorough=False)
        attacker.learn(list(_unpacked(known)))
        k = thresholds(population)
        found = blurred_open(attacker, population, self.told, k)
        if found:
            # Without the witnesses that protection left behind, a longer way may still lead out.
            nothing = np.zeros(population.functionals.shape[0], dtype=bool)
            searcher = Relaxer(knowledge, x, nothing, np.ones(len(nothing)))
            for one in found:
                searcher.free(one.functional, int(k[one.functional]), anywhere=False)
            attacker.learn(searcher.witnesses)
            high, low = attacker.result.highest, attacker.result.lowest
            found = [
                o for o in found if not (high[o.functional] >= k[o.functional] or low[o.functional] == 0)
            ]
        if not found:
            return []
        shown = np.zeros(population.functionals.shape[0], dtype=bool)
        for name, table in self.told.items():
            shown[population.of_cell[name][~table.hidden]] = True
        relaxer = Relaxer(knowledge, x, shown, np.ones(len(shown)))
        return [
            (one.label, self._telling(population, [one.functional, *(relaxer.free(one.functional, int(k[one.functional])) or [])]))
            for one in found
        ]  # fmt: skip

    def _telling(self, population: Population, functionals: list[int]) -> list[int]:
        """The rows of the counts that tell these."""
        return [
            int(row)
            for name, at in self.rows.items()
            for row in at[np.isin(population.of_cell[name], functionals)]
        ]

    def _truth(self, population: Population, x: Ints | None) -> Ints:
        """The micro cells, the remembered ones if they give all the counts."""
        if x is not None and len(x) == population.size and (x >= 0).all():
            values = population.functionals @ x
            same = all(
                np.array_equal(values[population.of_cell[n]], t.values) for n, t in self.tables.items()
            )
            if same and not (population.agreements @ x).any() and not (population.nothing @ x).any():
                return x
        return true_population(population)


def _is_whole(part: pd.DataFrame, breakdown: str, used: Sequence[str], part_of: Mapping[str, str]) -> bool:
    """Are the cells that are told everybody, wherever a total stands beside all of them? A reader sees that, too."""
    told = {c for c in part[breakdown] if c != TOTAL and SUM not in c}
    tops = sorted(c for c in told if part_of.get(c) not in told)
    keys = ["area_code", *(b for b in used if b != breakdown)]
    wide = part[part[breakdown].isin([TOTAL, *tops])].pivot(index=keys, columns=breakdown, values="value")
    if TOTAL not in wide or not tops:
        return False
    wide = wide.dropna()
    return bool(len(wide)) and bool((wide[tops].sum(axis=1) == wide[TOTAL]).all())


def _cells(
    breakdown: str, codes: Iterable[str], part_of: Mapping[str, str], is_whole: bool
) -> dict[str, list[str]]:
    """The hierarchy of a breakdown's cells and sums of cells; with those that no table names they are everybody."""
    sums = sorted({code for code in codes if code != TOTAL})
    cells = sorted({cell for code in sums for cell in code.split(SUM)})
    under: dict[str, list[str]]
    if breakdown == AGES:
        spans = {cell: ages_of(cell) for cell in cells}
        edges = sorted({0, 999, *(edge for span in spans.values() if span for edge in span)})
        leaves = [(f"{a} to {z}", a, z) for a, z in itertools.pairwise(edges)]
        under = {
            cell: [leaf for leaf, a, z in leaves if span and span[0] <= a and z <= span[1]]
            for cell, span in spans.items()
        }
        top = [leaf for leaf, _, _ in leaves]
    else:
        inner = {cell for cell in cells if part_of.get(cell) in cells}
        under = {cell: [cell] for cell in cells}
        for whole in sorted({part_of[cell] for cell in inner}):
            under[whole] = [*sorted(c for c in inner if part_of[c] == whole), f"{_REST} of {whole}"]
        top = [leaf for cell in cells if cell not in inner for leaf in under[cell]]
        if not is_whole:
            top.append(_REST)
    hierarchy = {TOTAL: top}
    for code in sums:
        parts = list(dict.fromkeys(leaf for cell in code.split(SUM) for leaf in under[cell]))
        if parts != [code]:
            hierarchy[code] = parts
    return hierarchy


def _cut(part: pd.DataFrame, areas: pd.DataFrame, city: City) -> dict[str, list[str]]:
    """The city and its areas as sums of the smallest areas that the counts tell apart.

    Raises DeclarationError where cuts overlap in ways that nobody declared.
    """
    levels = sorted(set(part["area_level"]) - {city.level})
    of_level = {level: set(areas.loc[areas["area_level"] == level, "area_code"]) for level in levels}
    if not levels:
        return {}
    if len(levels) == 1:
        return {city.code: sorted(of_level[levels[0]])}
    level_of = {code: level for level, codes in of_level.items() for code in codes}
    day = part["counted_period_end"].iloc[0]
    valid = city.pieces[(city.pieces["valid_from"] <= day) & (city.pieces["valid_to"] >= day)]
    told = valid[valid["area_code"].isin(list(level_of))]
    pieces = {tuple(sorted(codes)) for _, codes in told.groupby("piece")["area_code"]}
    placed = {code for piece in pieces for code in piece}
    rest = tuple(sorted(code for code in level_of if code not in placed and code.endswith(_UNPLACED)))
    pieces = {piece for piece in {*pieces, rest} if piece}
    lost = sorted(set(level_of) - {code for piece in pieces for code in piece})
    if lost:
        raise DeclarationError(f"{part['population'].iloc[0]}: found no block side in {', '.join(lost[:5])}")
    hierarchy: dict[str, list[str]] = {city.code: []}
    for piece in sorted(pieces):
        name = " / ".join(piece)
        hierarchy[city.code].append(name)
        for code in piece:
            if code != name:
                hierarchy.setdefault(code, []).append(name)
    return hierarchy


def _known_zeros(part: pd.DataFrame, used: Sequence[str], city: City) -> list[dict[str, list[str]]]:
    """Areas and cells of a measure where everybody knows that nobody is."""
    found: dict[tuple[str, str, str], list[str]] = {}
    for measure, rows in part.groupby("measure_id", sort=True):
        for b in used:
            if (str(measure), b) not in city.known_zeros:
                continue
            alone = (rows[b] != TOTAL) & (rows[[c for c in used if c != b]] == TOTAL).all(axis=1)
            for area, cell in rows.loc[alone & (rows["value"] == 0), ["area_code", b]].to_numpy().tolist():
                if area != city.code:
                    found.setdefault((str(measure), area, b), []).append(cell)
    return [
        {MEASURE: [measure], "area": [area], b: sorted(cells)}
        for (measure, area, b), cells in sorted(found.items())
    ]


def _dimension(
    part: pd.DataFrame,
    breakdown: str,
    used: Sequence[str],
    part_of: Mapping[str, str],
    measures: Sequence[str],
) -> tuple[dict[str, Any], list[dict[str, list[str]]]]:
    """A breakdown as a dimension, and which of its cells some of the measures do not have."""
    shown = part[part[breakdown] != TOTAL]
    plain_ = shown[~shown[breakdown].str.contains(PLUS, regex=False)]
    whole = {
        str(measure): _is_whole(part[part["measure_id"] == measure], breakdown, used, part_of)
        for measure in sorted(set(plain_["measure_id"]))
    }
    codes = sorted({code for text in set(shown[breakdown]) for code in text.split(PLUS) if code != TOTAL})
    hierarchy = _cells(breakdown, codes, part_of, bool(whole) and all(whole.values()))
    impossible: list[dict[str, list[str]]] = []
    if len(measures) == 1:
        return {"total": TOTAL, "hierarchy": hierarchy}, impossible
    leaves = sorted({leaf for parts in hierarchy.values() for leaf in parts} - set(hierarchy))
    for measure, is_whole in whole.items():
        if is_whole and _REST in leaves:
            impossible.append({MEASURE: measure.split(PLUS), breakdown: [_REST]})
    shows = {
        m
        for text, cell in set(zip(shown["measure_id"], shown[breakdown], strict=True))
        for m, c in zip(text.split(PLUS), parts_of(cell, text.count(PLUS) + 1), strict=True)
        if c != TOTAL
    }
    # Nobody sees how a measure without this breakdown is spread over it: all of it stands in one cell.
    impossible += [
        {MEASURE: [m], breakdown: leaves[1:]} for m in measures if m not in shows and len(leaves) > 1
    ]
    return {"total": TOTAL, "hierarchy": hierarchy}, impossible


def _absent_areas(areas: pd.DataFrame, measures: Sequence[str]) -> list[dict[str, list[str]]]:
    """Areas that a measure does not have although it has others of their level: a vocational school has no pupils of grade 1."""
    found: list[dict[str, list[str]]] = []
    for level in sorted(set(areas["area_level"])):
        there = areas[areas["area_level"] == level]
        for measure in measures:
            own = set(there.loc[there["measure_id"] == measure, "area_code"])
            lacking = sorted(set(there["area_code"]) - own)
            if own and lacking:
                found.append({MEASURE: [measure], "area": lacking})
    return found


def _terms(measures: Sequence[str], fixed: str) -> list[dict[str, str]]:
    """What a count of several measures adds up: for each its measure, and its cells where they differ."""
    cells = [text.split("=", 1) for text in fixed.split("\n") if text]
    return [
        {MEASURE: measure, **{b: parts_of(text, len(measures))[n] for b, text in cells}}
        for n, measure in enumerate(measures)
    ]


def _packed(witnesses: Sequence[tuple[Ints, Ints]]) -> dict[str, Ints]:
    empty = [np.zeros(0, dtype=np.int64)]
    return {
        "cells": np.concatenate([*empty, *(cells for cells, _ in witnesses)]),
        "steps": np.concatenate([*empty, *(steps for _, steps in witnesses)]),
        "ends": np.cumsum([0, *(len(cells) for cells, _ in witnesses)]),
    }


def _unpacked(known: Mapping[str, npt.NDArray[Any]]) -> Iterable[tuple[Ints, Ints]]:
    if "ends" in known:
        for start, end in itertools.pairwise(known["ends"]):
            yield known["cells"][start:end], known["steps"][start:end]


@lru_cache(maxsize=1)
def _code() -> str:
    """What was found before holds for this code only."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(f.read_bytes() for f in files)).hexdigest()
