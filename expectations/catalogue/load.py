"""Read the catalogue's YAML, resolve every reference, and say exactly where something is wrong.

Belongs here: files → `Catalogue`, with errors that name file, line, value and the closest name.
Does not belong here: the meaning of a field (model.py).
"""

from __future__ import annotations

import datetime as dt
import difflib
import itertools
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from expectations.catalogue.base import OLDEST, Text, ages_of, years_of_ages
from expectations.catalogue.model import (
    NEVER_WAIVED,
    PEOPLE,
    TOTAL,
    AreaReform,
    Breakdown,
    Catalogue,
    CheckPolicy,
    Classification,
    Correction,
    Index,
    Indicator,
    Kind,
    Measure,
    OfficialTable,
    PeerGroup,
    PublishedRate,
    PublishedTable,
    Statistic,
    Survey,
    Waiver,
    overlap,
)
from expectations.catalogue.protection import counts_people, rounding_of
from expectations.catalogue.registers import (
    ColumnType,
    Reconciliation,
    Register,
    RegisterSource,
    Side,
    Term,
)
from expectations.catalogue.text_rules import wrong_texts

CATALOGUE_DIR = Path(__file__).parent

_FOLDERS: dict[str, tuple[type[BaseModel], str]] = {
    "breakdowns": (Breakdown, "id"),
    "classifications": (Classification, "variable"),
    "statistics": (Statistic, "evas"),
    "tables": (OfficialTable, "code"),
    "measures": (Measure, "id"),
    "indicators": (Indicator, "id"),
    "published": (PublishedTable, "id"),
    "corrections": (Correction, "id"),
    "area_reforms": (AreaReform, "id"),
    "registers": (Register, "id"),
    "reconciliations": (Reconciliation, "id"),
    "indices": (Index, "id"),
    "surveys": (Survey, "id"),
    "peer_groups": (PeerGroup, "id"),
    "published_rates": (PublishedRate, "id"),
    "checks": (CheckPolicy, "id"),
    "waivers": (Waiver, "id"),
}


_ONE = {
    "breakdowns": "breakdown",
    "classifications": "classification",
    "statistics": "statistic",
    "tables": "official table",
    "measures": "measure",
    "indicators": "indicator",
    "published": "published table",
    "registers": "register",
    "checks": "check",
}
"""One entry of a folder, in messages."""


_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where PyYAML has it: ten times faster on a hundred small files."""


class CatalogueError(ValueError):
    """The catalogue can't be used; one line per problem, each with file and line."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class _File:
    """One YAML file: its data, and the line of every path inside it."""

    def __init__(self, path: Path, root: Path) -> None:
        self.name = path.relative_to(root).as_posix()
        loader = _Loader(path.read_text(encoding="utf-8"))
        try:
            self.node = loader.get_single_node()
            self.data: Any = loader.construct_document(self.node) if self.node else None
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + 1 if mark else 1
            reason = getattr(error, "problem", None) or "not readable"
            raise CatalogueError([f"{self.name}, line {line}: not valid YAML: {reason}"]) from error

    def line(self, path: Iterable[Any]) -> int:
        node, line = self.node, 1
        for step in path:
            if isinstance(node, yaml.MappingNode):
                match = next(((k, v) for k, v in node.value if k.value == str(step)), None)
                if match is None:
                    break
                line, node = match[0].start_mark.line + 1, match[1]
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if step >= len(node.value):
                    break
                node = node.value[step]
                line = node.start_mark.line + 1
            else:
                break
        return line

    def at(self, path: Iterable[Any], message: str) -> str:
        return f"{self.name}, line {self.line(path)}: {message}"


def closest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` for the closest known name, or nothing."""
    match = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{match[0]}'?" if match else ""


@lru_cache(maxsize=8)
def load_catalogue(*extra: Path, root: Path = CATALOGUE_DIR) -> Catalogue:
    """The whole catalogue below `root`, plus overlay folders (a city's own declarations).

    Raises CatalogueError listing every problem found, not just the first.
    """
    problems: list[str] = []
    entries: dict[str, dict[str, Any]] = {folder: {} for folder in _FOLDERS}
    origin: dict[tuple[str, str], _File] = {}
    for base in (root, *extra):
        for folder, (model, key) in _FOLDERS.items():
            for path in sorted((base / folder).rglob("*.yml")):
                try:
                    file = _File(path, base)
                    entry = model.model_validate(file.data)
                except CatalogueError as error:
                    problems += error.problems
                    continue
                except ValidationError as error:
                    problems += _readable(error, file, model)
                    continue
                name = getattr(entry, key)
                if name != path.stem:
                    problems.append(file.at([key], f"{key} is '{name}' but the file is named '{path.stem}'"))
                if name in entries[folder]:
                    other = origin[folder, name].name
                    problems.append(file.at([key], f"{key} '{name}' is declared in {other} too"))
                entries[folder][name] = entry
                origin[folder, name] = file
    problems += _References(entries, origin).problems()
    if problems:
        raise CatalogueError(problems)
    entries["breakdowns"] = dict(sorted(entries["breakdowns"].items(), key=lambda e: e[1].position))
    entries["tables"] = {
        code: _with_statistic(table, entries["statistics"][table.evas])
        for code, table in entries["tables"].items()
    }
    files = {name: file.name for (folder, name), file in origin.items() if folder == "indicators"}
    catalogue = Catalogue(**entries, files=files)
    problems = _undeliverable(catalogue, origin) + _unlike_totals(catalogue, origin)
    problems += _unreconciled(catalogue, origin) + _mixed_ages(catalogue, origin)
    problems += _unprotected(catalogue, origin)
    problems += [
        origin["indicators", name].at([field], text)
        for name, indicator in catalogue.indicators.items()
        for field, text in wrong_texts(catalogue, indicator)
    ]
    if problems:
        raise CatalogueError(problems)
    declared = {**catalogue.reconciliations, **_of_local_formulas(catalogue)}
    return catalogue.model_copy(update={"reconciliations": declared})


def _with_statistic(table: OfficialTable, statistic: Statistic) -> OfficialTable:
    """What a table does not say of itself, its statistic says."""
    own = {"period": table.period or statistic.period, "database": table.database or statistic.database}
    return table.model_copy(update=own)


def _undeliverable(catalogue: Catalogue, origin: dict[tuple[str, str], _File]) -> list[str]:
    """Indicators whose formulas ask a source for breakdowns or levels it does not deliver."""
    problems: list[str] = []
    codes: dict[str, str] = {}
    for name, indicator in catalogue.indicators.items():
        file = origin["indicators", name]
        other = codes.setdefault(indicator.code, name)
        if other != name:
            problems.append(file.at(["code"], f"code {indicator.code} is '{other}' already"))
        for which, (numerator, denominator) in indicator.formulas.items():
            path = [] if which == "main" else ["local"]
            levels = indicator.levels if which == "main" else indicator.local.levels  # type: ignore[union-attr]
            first = catalogue.breakdowns_of_measure(numerator.measure)
            for _, part in numerator.parts():
                available = catalogue.breakdowns_of_measure(part.measure)
                for index, breakdown in enumerate(indicator.breakdowns):
                    # Inside the city a breakdown may be missing; but then in every part of a sum.
                    if breakdown not in available | set(part.where) and (
                        which == "main" or breakdown in first
                    ):
                        known = ", ".join(sorted(available)) or "nothing"
                        text = f"measure '{part.measure}' is delivered by {known}, not by '{breakdown}'"
                        problems.append(file.at(["breakdowns", index], text))
            for role, term in (("numerator", numerator), ("denominator", denominator)):
                for _, part in term.parts() if term else []:
                    for breakdown in indicator.total_of_cells:
                        known_cells = catalogue.cells_of_measure(part.measure, breakdown)
                        lacking = [cell for cell in indicator.cells[breakdown] if cell not in known_cells]
                        if lacking or breakdown in part.where:
                            text = f"total_of_cells: measure '{part.measure}' is not delivered by {', '.join(lacking)}"
                            if breakdown in part.where:
                                text = f"total_of_cells: '{breakdown}' is chosen for measure '{part.measure}' already"
                            problems.append(file.at([*path, role], text))
                    there = catalogue.levels_of_measure(part.measure)
                    for level in levels:
                        if level not in there:
                            known = ", ".join(sorted(there))
                            text = f"measure '{part.measure}' is delivered for {known}, not for '{level}'"
                            problems.append(file.at([*path, role], text))
    return problems


def _unlike_totals(catalogue: Catalogue, origin: dict[tuple[str, str], _File]) -> list[str]:
    """Indicators whose total divides people by others than the cells beside it do, or a part by what it is no part of.

    Of a breakdown that an indicator shows, both totals must be of the same people: of the same ages, school types and
    grades; where they are not, `total_of_cells` makes the total of the cells that are shown. In a share or rate the
    denominator must not count people whom the numerator can't, and a numerator of the same source must lie within it.
    """
    problems: list[str] = []
    for name, indicator in catalogue.indicators.items():
        for numerator, denominator in indicator.formulas.values():
            for breakdown in ("age_group", "school_type", "grade"):
                shown = breakdown in indicator.breakdowns
                if denominator is None or not (shown or indicator.kind in (Kind.SHARE, Kind.RATE)):
                    continue
                if breakdown in indicator.total_of_cells:
                    continue
                above = _people(catalogue, numerator, breakdown)
                below = _people(catalogue, denominator, breakdown)
                if above is None or below is None:
                    continue
                if _is_one_source(catalogue, numerator, denominator):
                    fits = above <= below
                elif shown or numerator.cells(breakdown) or denominator.cells(breakdown):
                    fits = above == below
                else:
                    fits = below <= above
                if fits:
                    continue
                file = origin["indicators", name]
                path = ["breakdowns", indicator.breakdowns.index(breakdown)] if shown else ["denominator"]
                text = (
                    f"the total's numerator counts {_in_words(above)}, its denominator {_in_words(below)}: "
                    f"choose the same of both, or declare `cells` and `total_of_cells`"
                )
                if (problem := file.at(path, text)) not in problems:
                    problems.append(problem)
    return problems


def _unreconciled(catalogue: Catalogue, origin: dict[tuple[str, str], _File]) -> list[str]:
    """Indicators with a formula of their own inside the city, of which nothing says how far both may be apart."""
    problems: list[str] = []
    for name, indicator in catalogue.indicators.items():
        if indicator.local is None or indicator.status == "planned":
            continue
        needed = bool(_official_terms(catalogue, indicator))
        if needed and indicator.local.agrees is None:
            text = "field 'agrees' is missing: say how far register and official tables may be apart for the city"
            problems.append(origin["indicators", name].at(["local"], text))
        if not needed and indicator.local.agrees is not None:
            text = "the main formula reads registers, too: there is nothing official to agree with"
            problems.append(origin["indicators", name].at(["local", "agrees"], text))
    return problems


def _mixed_ages(catalogue: Catalogue, origin: dict[tuple[str, str], _File]) -> list[str]:
    """Indicators that show single years of age beside groups of them: two indicators in one, and four times the cells.

    A measure is counted by all ages that any indicator needs; `cells` says which of them one shows.
    """
    problems: list[str] = []
    for name, indicator in catalogue.indicators.items():
        if "age_group" not in indicator.breakdowns or indicator.status == "planned":
            continue
        for numerator, _ in indicator.formulas.values():
            cells: set[str] = set()
            for _, part in numerator.parts():
                cells |= set(part.cells("age_group") or catalogue.cells_of_measure(part.measure, "age_group"))
            cells &= set(indicator.cells.get("age_group", cells))
            spans = [span for span in map(ages_of, sorted(cells)) if span is not None]
            years = [low for low, high in spans if high - low == 1]
            groups = [(low, high) for low, high in spans if high - low > 1]
            if any(low <= year < high for year in years for low, high in groups):
                text = "shows single years of age and groups of them; say under 'cells' which of both"
                problems.append(origin["indicators", name].at(["breakdowns"], text))
    return sorted(set(problems))


def _unprotected(catalogue: Catalogue, origin: dict[tuple[str, str], _File]) -> list[str]:
    """Measures of registers of which nobody said whether one person more changes them, and terms that nobody could protect.

    Protection follows from what is counted (`rounding_of`), so that what is counted must be declared.
    """
    problems: list[str] = []
    for name, measure in catalogue.measures.items():
        if (source := measure.register_) is None:
            continue
        register, file = catalogue.registers[source.register_], origin["measures", name]
        if source.count.startswith("sum:") and not register.personal:
            column = register.column(source.count.removeprefix("sum:"))
            if column.counts_people is None:
                text = (
                    f"register '{register.id}' does not say whether its column '{column.id}' counts people: "
                    "declare `counts_people: true` or `false` there"
                )
                problems.append(file.at(["register", "count"], text))
                continue
        of_people = counts_people(measure, register)
        if measure.unit in PEOPLE and not of_people:
            text = f"unit '{measure.unit}' counts people, but '{source.count}' of register '{register.id}' does not"
            problems.append(file.at(["unit"], text))
        if measure.unrounded is not None and not (register.personal or of_people):
            problems.append(
                file.at(["unrounded"], "no person more or less changes it: it is published exact anyway")
            )
    for name, indicator in catalogue.indicators.items():
        for origin_, pair in indicator.formulas.items():
            for role, term in zip(("numerator", "denominator"), pair, strict=True):
                for sign, part in term.parts() if term else []:
                    if sign < 0 and rounding_of(catalogue, catalogue.measures[part.measure]) > 1:
                        path = [] if origin_ == "main" else ["local"]
                        text = (
                            f"less '{part.measure}': a difference of people can't be protected within a term; "
                            "make it a `difference` of numerator and denominator"
                        )
                        problems.append(origin["indicators", name].at([*path, role], text))
    return problems


def _official_terms(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """The roles (numerator, denominator) that official tables serve in the main formula and registers in the local one."""
    pairs = zip(
        ("numerator", "denominator"), *(indicator.formulas[o] for o in ("main", "local")), strict=True
    )
    return [
        role
        for role, official, local in pairs
        if official is not None
        and local is not None
        and all(catalogue.measures[part.measure].register_ is None for _, part in official.parts())
    ]


def _of_local_formulas(catalogue: Catalogue) -> dict[str, Reconciliation]:
    """A reconciliation of every term that registers and official tables both serve, each pair of terms once.

    Of a difference the figure itself is compared: moves inside the city are in both its terms, and in neither official one.
    """
    found: dict[str, Reconciliation] = {}
    pairs: list[tuple[Term, Term]] = []
    for indicator in catalogue.in_order():
        local = indicator.local
        if local is None or local.agrees is None:
            continue
        for role in _official_terms(catalogue, indicator):
            ours, theirs = getattr(local, role), getattr(indicator, role)
            german, english = {
                "numerator": ("Zähler", "numerator"),
                "denominator": ("Nenner", "denominator"),
            }[role]
            title = Text(de=f"{indicator.label.de}: {german}", en=f"{indicator.label.en}: {english}")
            if not indicator.kind.needs_denominator or indicator.kind is Kind.DIFFERENCE:
                title = indicator.label
            if indicator.kind is Kind.DIFFERENCE:
                if role == "denominator":
                    continue
                ours, theirs = (_difference(f.numerator, f.denominator) for f in (local, indicator))
            if (ours, theirs) in pairs:
                continue
            pairs.append((ours, theirs))
            name = indicator.id if role == "numerator" else f"{indicator.id}_denominator"
            found[name] = Reconciliation(
                id=name, title=title, register=Side(numerator=ours), official=Side(numerator=theirs), percent=local.agrees.percent,
                absolute=local.agrees.absolute, table=indicator.table, note=local.agrees.note,
            )  # fmt: skip
    return found


def _difference(numerator: Term | None, denominator: Term | None) -> Term:
    """One term less another."""
    assert numerator is not None
    assert denominator is not None
    alone = denominator.model_copy(update={"plus": [], "less": []})
    return numerator.model_copy(
        update={
            "plus": [*numerator.plus, *denominator.less],
            "less": [*numerator.less, alone, *denominator.plus],
        }
    )


def _is_one_source(catalogue: Catalogue, numerator: Term, denominator: Term) -> bool:
    """Do all measures of both terms come from one register or table?"""
    origins = {
        frozenset(catalogue.measures[part.measure].origins)
        for term in (numerator, denominator)
        for _, part in term.parts()
    }
    return len(origins) == 1


def _people(catalogue: Catalogue, term: Term, breakdown: str) -> frozenset[Any] | None:
    """Whom a term's total counts, as far as one breakdown can say: years of age, or cells. None: it can't say."""
    found: frozenset[Any] = frozenset()
    for sign, part in term.parts():
        chosen = part.cells(breakdown)
        people: frozenset[Any] | None
        if chosen is None or TOTAL in chosen:
            people = catalogue.people_of_measure(part.measure, breakdown)
        else:
            people = years_of_ages(chosen) if breakdown == "age_group" else frozenset[Any](chosen)
        if people is None:
            return None
        if sign > 0:
            found |= people
        elif part.measure == term.measure:  # arrivals less departures are of the same people
            found -= people
    return found


def _in_words(people: frozenset[Any]) -> str:
    """Ages as spans, cells by their names."""
    years = sorted(year for year in people if isinstance(year, int))
    if not years:
        return ", ".join(sorted(people))
    spans: list[list[int]] = []
    for year in years:
        if spans and spans[-1][1] == year:
            spans[-1][1] = year + 1
        else:
            spans.append([year, year + 1])
    return "ages " + ", ".join(
        f"{low} and over" if high == OLDEST else f"{low} to under {high}" for low, high in spans
    )


def _readable(error: ValidationError, file: _File, model: type[BaseModel]) -> Iterator[str]:
    for item in error.errors():
        path = list(item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            known = [f.alias or n for n, f in model.model_fields.items()]
            message = f"unknown field '{path[-1]}'{closest(str(path[-1]), known)}"
        elif item["type"] == "missing":
            message = f"field '{path[-1]}' is missing"
            path = path[:-1]
        else:
            message = f"{'.'.join(map(str, path)) or 'entry'}: found {item['input']!r}: {message}"
        yield file.at(path, message)


class _References:
    """Does every name point to something, and do the pieces fit together?"""

    def __init__(self, entries: dict[str, dict[str, Any]], origin: dict[tuple[str, str], _File]) -> None:
        self.entries = entries
        self.origin = origin
        self.found: list[str] = []

    def problems(self) -> list[str]:
        for variable, classification in self.entries["classifications"].items():
            self._classification(variable, classification)
        for code, table in self.entries["tables"].items():
            self._table(code, table)
        for name, measure in self.entries["measures"].items():
            self._measure(name, measure)
        for name, indicator in self.entries["indicators"].items():
            self._indicator(name, indicator)
        for name, correction in self.entries["corrections"].items():
            self._correction(name, correction)
        for name, reform in self.entries["area_reforms"].items():
            self._area_reform(name, reform)
        for name, register in self.entries["registers"].items():
            self._register(name, register)
        for name, index in self.entries["indices"].items():
            self._index(name, index)
        for name, survey in self.entries["surveys"].items():
            self._survey(name, survey)
        for name, rate in self.entries["published_rates"].items():
            for role in ("rate", "numerator", "denominator"):
                self._known("measures", getattr(rate, role), ("published_rates", name), [role])
            self._known("published", rate.table, ("published_rates", name), ["table"])
        for name, policy in self.entries["checks"].items():
            for index, exemption in enumerate(policy.exemptions):
                if exemption.table is not None:
                    where = ("checks", name)
                    self._known("published", exemption.table, where, ["exemptions", index, "table"])
        for name, waiver in self.entries["waivers"].items():
            self._known("checks", waiver.check, ("waivers", name), ["check"])
            self._known("published", waiver.table, ("waivers", name), ["table"])
            if waiver.check in NEVER_WAIVED:
                self._report(("waivers", name), ["check"], f"'{waiver.check}' can't be waived by anybody")
        for name, reconciliation in self.entries["reconciliations"].items():
            self._reconciliation(name, reconciliation)
        return self.found

    def _known(self, what: str, name: str, where: tuple[str, str], path: list[Any]) -> bool:
        known = self.entries[what]
        if name in known:
            return True
        self._report(where, path, f"no {_ONE[what]} '{name}'{closest(name, known)}")
        return False

    def _report(self, where: tuple[str, str], path: list[Any], message: str) -> None:
        problem = self.origin[where].at(path, message)
        if problem not in self.found:  # two terms of one formula can have the same
            self.found.append(problem)

    def _cell(self, breakdown: str, cell: str, where: tuple[str, str], path: list[Any]) -> None:
        known = self.entries["breakdowns"][breakdown].cell_ids()
        if cell not in known:
            text = f"breakdown '{breakdown}' has no cell '{cell}'{closest(cell, known)}"
            self._report(where, path, text)

    def _classification(self, variable: str, entry: Classification) -> None:
        where = ("classifications", variable)
        if self._known("breakdowns", entry.breakdown, where, ["breakdown"]):
            for index, item in enumerate(entry.items):
                self._cell(entry.breakdown, item.cell, where, ["items", index, "cell"])

    def _table(self, code: str, table: OfficialTable) -> None:
        where = ("tables", code)
        self._known("statistics", table.evas, where, ["evas"])
        periods = {(c.measure, c.valid_from, c.valid_to) for c in table.columns}
        if len(periods) > len({measure for measure, _, _ in periods}):
            self._report(where, ["columns"], "columns of one measure must be valid for the same periods")
        for index, variable in enumerate(table.row_dimensions):
            self._known("classifications", variable, where, ["row_dimensions", index])
        for index, column in enumerate(table.columns):
            for variable, item in column.items.items():
                path = ["columns", index, "items", variable]
                known = self.entries["classifications"].get(variable)
                if known is not None and item not in {i.code for i in known.items}:
                    codes = [i.code for i in known.items]
                    self._report(where, path, f"{variable} has no item '{item}'{closest(item, codes)}")

    def _measure(self, name: str, measure: Measure) -> None:
        where = ("measures", name)
        for index, source in enumerate(measure.sources):
            path = ["sources", index, "table"]
            if self._known("tables", source.table, where, path):
                codes = {c.measure for c in self.entries["tables"][source.table].columns}
                if source.measure not in codes:
                    text = f"table {source.table} has no measure '{source.measure}'"
                    path = ["sources", index, "measure"]
                    self._report(where, path, text + closest(source.measure, codes))
        if measure.register_ is not None:
            self._register_source(where, measure.register_)
        for index, rule in enumerate(measure.complements):
            if self._known("breakdowns", rule.breakdown, where, ["complements", index, "breakdown"]):
                self._cell(rule.breakdown, rule.of, where, ["complements", index, "of"])
                self._cell(rule.breakdown, rule.gives, where, ["complements", index, "gives"])
        for index, combination in enumerate(measure.impossible):
            for breakdown, cells in combination.items():
                for cell in cells:
                    self._cell(breakdown, cell, where, ["impossible", index, breakdown])
        for index, entry in enumerate(measure.series_breaks):
            for breakdown, cells in entry.cells.items():
                path = ["series_breaks", index, "cells", breakdown]
                if self._known("breakdowns", breakdown, where, path):
                    for cell in cells:
                        self._cell(breakdown, cell, where, path)
        for index, parts_rule in enumerate(measure.additivity):
            if not self._known("breakdowns", parts_rule.breakdown, where, ["additivity", index]):
                continue
            subsets = {c.id for c in self.entries["breakdowns"][parts_rule.breakdown].cells if c.subset_of}
            for number, part in enumerate(parts_rule.parts):
                path = ["additivity", index, "parts", number]
                self._cell(parts_rule.breakdown, part, where, path)
                if part in subsets:
                    self._report(where, path, f"'{part}' is a subset ('darunter') and never adds up")

    def _register(self, name: str, register: Register) -> None:
        where = ("registers", name)
        for index, column in enumerate(register.columns):
            path = ["columns", index, "breakdown"]
            if column.breakdown and self._known("breakdowns", column.breakdown, where, path):
                for code, cell in column.codes.items():
                    self._cell(column.breakdown, cell, where, ["columns", index, "codes", code])

    def _register_source(self, where: tuple[str, str], source: RegisterSource) -> None:
        """Does the register have the columns a measure counts, and are they of the right kind?"""
        if not self._known("registers", source.register_, where, ["register", "register"]):
            return
        columns = {c.id: c for c in self.entries["registers"][source.register_].kept}

        def known(column: str | None, path: list[Any]) -> bool:
            if column is None or column in columns:
                return column is not None
            text = f"register '{source.register_}' has no column '{column}'{closest(column, columns)}"
            self._report(where, ["register", *path], text)
            return False

        if known(source.counted_column, ["count"]) and source.count.startswith("sum:"):
            column = columns[source.counted_column or ""]
            if column.type not in (ColumnType.INTEGER, ColumnType.NUMBER):
                self._report(where, ["register", "count"], f"'{column.id}' is no number and has no sum")
        for name in source.where:
            if not known(name, ["where", name]):
                continue
            numeric = columns[name].type in (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.AGE)
            if numeric != (source.span(name) is not None):
                text = f"column '{name}' is {columns[name].type}: a span such as 3..5 belongs to numbers, and only there"
                self._report(where, ["register", "where", name], text)
            if columns[name].codes:
                for value in source.wanted(name):
                    if value not in (words := set(columns[name].codes.values())):
                        text = f"column '{name}' never holds '{value}'{closest(value, words)}"
                        self._report(where, ["register", "where", name], text)
        for breakdown, name in source.by.items():
            path = ["by", breakdown]
            if not self._known("breakdowns", breakdown, where, ["register", *path]) or not known(name, path):
                continue
            ages = breakdown == "age_group" and columns[name].type in (ColumnType.AGE, ColumnType.INTEGER)
            if not ages and columns[name].breakdown != breakdown:
                self._report(where, ["register", *path], f"column '{name}' holds no cells of '{breakdown}'")
        for index, cell in enumerate(source.ages):
            self._cell("age_group", cell, where, ["register", "ages", index])
        for name in source.running or ():
            if known(name, ["running"]) and columns[name].type is not ColumnType.DATE:
                self._report(where, ["register", "running"], f"column '{name}' holds no dates")
        if source.in_year and self.entries["registers"][source.register_].period != "reference_day":
            text = f"register '{source.register_}' speaks of a whole period already"
            self._report(where, ["register", "in_year"], text)
        if source.of_period_before and self.entries["registers"][source.register_].period == "reference_day":
            text = f"register '{source.register_}' speaks of a day, which has no period before it"
            self._report(where, ["register", "of_period_before"], text)
        if known(source.area, ["area"]) and columns[source.area or ""].type is not ColumnType.AREA:
            self._report(where, ["register", "area"], f"column '{source.area}' holds no areas")

    def _reconciliation(self, name: str, entry: Reconciliation) -> None:
        where = ("reconciliations", name)
        self._known("published", entry.table, where, ["table"])
        for role, side in (("register", entry.register_), ("official", entry.official)):
            for part in ("numerator", "denominator"):
                if (term := getattr(side, part)) is not None:
                    self._known("measures", term.measure, where, [role, part, "measure"])
                    for breakdown in term.where:
                        path = [role, part, "where", breakdown]
                        if self._known("breakdowns", breakdown, where, path):
                            for cell in term.cells(breakdown) or []:
                                self._cell(breakdown, cell, where, path)

    def _index(self, name: str, index: Index) -> None:
        where = ("indices", name)
        self._known("indicators", index.id, where, ["id"])
        named: dict[tuple[str, int, str] | tuple[str, int], str] = {
            ("components", n, "indicator"): c.indicator for n, c in enumerate(index.components)
        }
        named |= {("outcomes", n): outcome for n, outcome in enumerate(index.outcomes)}
        for path, indicator in named.items():
            if (
                self._known("indicators", indicator, where, [*path])
                and index.level not in self.entries["indicators"][indicator].all_levels
            ):
                self._report(where, [*path], f"'{indicator}' is not offered for '{index.level}'")
            elif path[0] == "components" and indicator in self.entries["indicators"]:
                component = self.entries["indicators"][indicator]
                if component.kind.is_modelled or component.status == "planned":
                    text = f"'{indicator}' is a {component.kind}, {component.status}: a component has a formula and is published"
                    self._report(where, [*path], text)

    def _survey(self, name: str, survey: Survey) -> None:
        where = ("surveys", name)
        self._known("breakdowns", survey.stratum, where, ["stratum"])
        for path, measure, needed in (
            (["answers"], survey.answers, {survey.stratum, "category"}),
            (
                ["population", "measure"],
                survey.population.measure,
                {survey.stratum, *survey.population.where},
            ),
        ):
            if self._known("measures", measure, where, path):
                source = self.entries["measures"][measure].register_
                known = set(source.by) if source is not None else set()
                for breakdown in sorted(needed - known):
                    self._report(where, path, f"'{measure}' is not counted by '{breakdown}'")
        for breakdown in survey.population.where:
            for cell in survey.population.cells(breakdown) or []:
                self._cell(breakdown, cell, where, ["population", "where", breakdown])

    def _correction(self, name: str, correction: Correction) -> None:
        where = ("corrections", name)
        if self._known("tables", correction.table, where, ["table"]):
            codes = {c.measure for c in self.entries["tables"][correction.table].columns}
            if correction.measure not in codes:
                text = f"table {correction.table} has no measure '{correction.measure}'"
                self._report(where, ["measure"], text + closest(correction.measure, codes))
        for breakdown, cell in correction.cells.items():
            if self._known("breakdowns", breakdown, where, ["cells", breakdown]):
                self._cell(breakdown, cell, where, ["cells", breakdown])

    def _area_reform(self, name: str, reform: AreaReform) -> None:
        """A successor must exist after the reform: dissolved later at the earliest."""
        ends = {
            area.code: other.takes_effect
            for other in self.entries["area_reforms"].values()
            for area in other.dissolved
        }
        for index, area in enumerate(reform.dissolved):
            for number, successor in enumerate(area.successors):
                if ends.get(successor.code, dt.date.max) <= reform.takes_effect:
                    path = ["dissolved", index, "successors", number]
                    text = f"'{successor.code}' itself ends on {ends[successor.code]}"
                    self._report(("area_reforms", name), path, text)

    def _indicator(self, name: str, indicator: Indicator) -> None:
        where = ("indicators", name)
        self._known("published", indicator.table, where, ["table"])
        for index, register in enumerate(indicator.model_registers):
            self._known("registers", register, where, ["model_registers", index])
        for index, breakdown in enumerate(indicator.breakdowns):
            self._known("breakdowns", breakdown, where, ["breakdowns", index])
        for breakdown, cell in indicator.coverage.cells.items():
            if self._known("breakdowns", breakdown, where, ["coverage", "cells", breakdown]):
                self._cell(breakdown, cell, where, ["coverage", "cells", breakdown])
        for breakdown, cells in indicator.cells.items():
            for number, cell in enumerate(cells):
                self._cell(breakdown, cell, where, ["cells", breakdown, number])
        for breakdown in indicator.total_of_cells:
            for part in indicator.terms:
                if breakdown in self.entries["breakdowns"] and part.measure in self.entries["measures"]:
                    measure = self.entries["measures"][part.measure]
                    self._add_up(measure, breakdown, indicator.cells[breakdown], where, ["cells", breakdown])
        for origin, (numerator, denominator) in indicator.formulas.items():
            path = [] if origin == "main" else ["local"]
            self._term(numerator, where, [*path, "numerator"], set(indicator.breakdowns))
            if denominator:
                self._term(denominator, where, [*path, "denominator"], set())
            self._units_fit(indicator, numerator, denominator, where)

    def _term(self, term: Term, where: tuple[str, str], path: list[Any], free: set[str]) -> None:
        known = self._known("measures", term.measure, where, [*path, "measure"])
        for breakdown in term.where:
            place = [*path, "where", breakdown]
            if not self._known("breakdowns", breakdown, where, place):
                continue
            for cell in term.cells(breakdown) or []:
                self._cell(breakdown, cell, where, place)
            self._adds_up(term, breakdown, where, place)
            if breakdown in free:
                text = f"'{breakdown}' is a breakdown of the indicator and can't be fixed in its numerator"
                self._report(where, place, text)
        for name, others in (("plus", term.plus), ("less", term.less)):
            for index, other in enumerate(others):
                self._term(other, where, [*path, name, index], free)
                measures = self.entries["measures"]
                if known and other.measure in measures:
                    first, second = measures[term.measure].unit, measures[other.measure].unit
                    if first != second:
                        text = f"'{first}' and '{second}' can't be added or taken from each other"
                        self._report(where, [*path, name, index, "measure"], text)

    def _adds_up(self, term: Term, breakdown: str, where: tuple[str, str], path: list[Any]) -> None:
        """Cells that a term adds up must not overlap, nor be declared as never to be added."""
        measure = self.entries["measures"].get(term.measure)
        if measure is not None:
            self._add_up(measure, breakdown, term.cells(breakdown) or [], where, path)

    def _add_up(
        self, measure: Measure, breakdown: str, names: list[str], where: tuple[str, str], path: list[Any]
    ) -> None:
        if len(names) < 2:
            return
        for rule in measure.additivity:
            if rule.breakdown == breakdown and rule.rule != "sum":
                text = f"cells of '{breakdown}' must not be added: '{measure.id}' declares {rule.rule}"
                self._report(where, path, text)
        cells = {c.id: c for c in self.entries["breakdowns"][breakdown].cells}
        for left, right in itertools.combinations([cells[n] for n in names if n in cells], 2):
            if overlap(left, right):
                text = f"'{left.id}' and '{right.id}' overlap: adding them counts somebody twice"
                self._report(where, path, text)

    def _units_fit(
        self, indicator: Indicator, numerator: Term, denominator: Term | None, where: tuple[str, str]
    ) -> None:
        measures = self.entries["measures"]
        above = measures.get(numerator.measure)
        below = measures.get(denominator.measure) if denominator else None
        if above is None:
            return
        same = ("share", "distribution", "difference")
        if below is not None and indicator.kind in same and above.unit != below.unit:
            text = f"a {indicator.kind} of '{above.unit}' and '{below.unit}': the units must be the same"
            self._report(where, ["kind"], text)
        if denominator is None and indicator.unit != above.unit:
            text = f"unit is '{indicator.unit}' but measure '{above.id}' is counted in '{above.unit}'"
            self._report(where, ["unit"], text)


__all__ = ["CATALOGUE_DIR", "TOTAL", "CatalogueError", "closest", "load_catalogue"]
