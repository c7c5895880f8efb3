"""The catalogue as tables: what dbt reads instead of YAML, and what a release publishes.

Belongs here: declarations → rows, without any decision of its own.
Does not belong here: SQL.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections import Counter
from typing import Any

import pandas as pd

from expectations.catalogue.availability import availability
from expectations.catalogue.model import (
    PEOPLE,
    TOTAL,
    AreaReform,
    Catalogue,
    Indicator,
    Kind,
    PeriodMeaning,
    Term,
)
from expectations.catalogue.protection import is_count, rounding_of
from expectations.catalogue.subsets import subset_measures

EVERY_CELL = "*"

Shown = tuple[str | None, ...]
"""What a term shows of the breakdowns whose total adds up cells: the cells, or their total."""


def relations(catalogue: Catalogue) -> dict[str, pd.DataFrame]:
    """Every catalogue table by name; a fixed order of rows and columns."""
    breakdowns = list(catalogue.breakdowns)
    return {
        "breakdown_cell": _frame(_breakdown_cells(catalogue)),
        "classification_item": _frame(
            {
                "variable_code": variable,
                "item_code": item.code,
                "breakdown": classification.breakdown,
                "cell": item.cell,
            }
            for variable, classification in catalogue.classifications.items()
            for item in classification.items
        ),
        "measure_source": _frame(
            {
                "measure_id": name,
                "table_code": source.table,
                "measure_code": source.measure,
                "factor": source.factor,
                "priority": priority,
            }
            for name, measure in catalogue.measures.items()
            for priority, source in enumerate(measure.sources)
        ),
        "measure_validity": _frame(
            {
                "table_code": table.code,
                "measure_code": column.measure,
                "valid_from": max(column.valid_from or dt.date(1900, 1, 1), dt.date(table.since, 1, 1)),
                "valid_to": min(
                    column.valid_to or dt.date(9998, 12, 31), dt.date(table.until or 9998, 12, 31)
                ),
            }
            for table in catalogue.tables.values()
            for column in table.columns
        ),
        "area_validity": _frame(_area_validity(catalogue), ["area_code", "valid_from", "valid_to"]),
        "area_successor": _frame(
            (
                {
                    "area_code": area.code,
                    "area_name": area.name,
                    "ended_on": reform.takes_effect - dt.timedelta(days=1),
                    "successor_code": successor.code,
                    "share": successor.share,
                    "reform_de": reform.title.de,
                    "reform_en": reform.title.en,
                }
                for reform in _by_date(catalogue)
                for area in reform.dissolved
                for successor in area.successors
            ),
            [
                "area_code",
                "area_name",
                "ended_on",
                "successor_code",
                "share",
                "reform_de",
                "reform_en",
            ],
        ),
        "measure": _frame(
            {
                "measure_id": name,
                "measure_name_de": measure.label.de,
                "measure_name_en": measure.label.en,
                "unit": measure.unit,
                "register_id": measure.register_.register_ if measure.register_ else None,
                "rounding": rounding_of(catalogue, measure),
                "is_count": is_count(catalogue, measure),
            }
            for name, measure in catalogue.measures.items()
        ),
        "measure_rounding": _frame(
            (
                {
                    "measure_id": name,
                    "area_scope": scope,
                    "since": rounding.since or dt.date(1900, 1, 1),
                    "base": rounding.base,
                }
                for name, measure in catalogue.measures.items()
                for rule in measure.additivity
                for scope, rounding in rule.rounded_in.items()
            ),
            ["measure_id", "area_scope", "since", "base"],
        ),
        "measure_known_zero": _frame(
            (
                {"measure_id": name, "breakdown": breakdown}
                for name, measure in catalogue.measures.items()
                if measure.register_
                for breakdown in measure.register_.known_zeros
            ),
            ["measure_id", "breakdown"],
        ),
        "measure_subset": _frame(
            ({"measure_id": part, "whole_measure_id": whole} for part, whole in subset_measures(catalogue)),
            ["measure_id", "whole_measure_id"],
        ),
        "measure_complement": _frame(
            (
                {
                    "measure_id": name,
                    "breakdown": rule.breakdown,
                    "of_cell": rule.of,
                    "gives_cell": rule.gives,
                }
                for name, measure in catalogue.measures.items()
                for rule in measure.complements
            ),
            ["measure_id", "breakdown", "of_cell", "gives_cell"],
        ),
        "indicator": _frame(_indicator(catalogue, i) for i in _sorted(catalogue)),
        "indicator_term": _frame(row for i in _sorted(catalogue) for row in _terms(catalogue, i, breakdowns)),
        "indicator_level": _frame(
            {"indicator_id": i.id, "origin": origin, "area_level": level}
            for i in _sorted(catalogue)
            for origin, levels in (("main", i.levels), ("local", i.local.levels if i.local else []))
            for level in levels
        ),
        "index_component": _frame(
            (
                {
                    "index_id": index.id,
                    "indicator_id": component.indicator,
                    "area_level": index.level,
                    "weight": component.weight,
                    "at_least": index.at_least,
                }
                for index in catalogue.indices.values()
                for component in index.components
            ),
            ["index_id", "indicator_id", "area_level", "weight", "at_least"],
        ),
        "survey": _frame(
            (
                {
                    "survey_id": survey.id,
                    "title_de": survey.title.de,
                    "title_en": survey.title.en,
                    "question_de": survey.question.de,
                    "question_en": survey.question.en,
                    "answers_measure": survey.answers,
                    "population_measure": survey.population.measure,
                    "stratum": survey.stratum,
                }
                for survey in catalogue.surveys.values()
            ),
            [
                "survey_id",
                "title_de",
                "title_en",
                "question_de",
                "question_en",
                "answers_measure",
                "population_measure",
                "stratum",
            ],
        ),
        "survey_population": _frame(
            (
                {
                    "survey_id": survey.id,
                    **dict.fromkeys(catalogue.breakdowns, TOTAL),
                    **dict(zip(survey.population.where, cells, strict=True)),
                }
                for survey in catalogue.surveys.values()
                for cells in itertools.product(
                    *(survey.population.cells(name) or [] for name in survey.population.where)
                )
            ),
            ["survey_id", *catalogue.breakdowns],
        ),
        "index_outcome": _frame(
            (
                {"index_id": index.id, "indicator_id": outcome, "area_level": index.level}
                for index in catalogue.indices.values()
                for outcome in index.outcomes
            ),
            ["index_id", "indicator_id", "area_level"],
        ),
        "indicator_table": _frame(
            {
                "indicator_id": i.id,
                "table_code": source.table,
                "reports_by_start": catalogue.tables[source.table].period is PeriodMeaning.SCHOOL_YEAR_START,
            }
            for i in _sorted(catalogue)
            for measure in catalogue.measures_of(i)
            for source in measure.sources
        ),
        "measure_origin": _frame(
            {"measure_id": name, "source_id": source}
            for name, measure in catalogue.measures.items()
            for source in sorted(measure.origins)
        ),
        "indicator_origin": _frame(
            {"indicator_id": i.id, "source_id": source}
            for i in _sorted(catalogue)
            for source in sorted(catalogue.origins_of(i))
        ),
        "indicator_cell": _frame(
            (
                {"indicator_id": i.id, "breakdown": breakdown, "cell": cell}
                for i in _sorted(catalogue)
                for term in i.terms
                for breakdown in term.where
                for cell in term.cells(breakdown) or []
            ),
            ["indicator_id", "breakdown", "cell"],
        ),
        "official_table": _frame(_official_table(catalogue, code) for code in sorted(catalogue.tables)),
        "indicator_break": _frame(
            (row for i in _sorted(catalogue) for row in _breaks(catalogue, i, breakdowns)),
            ["indicator_id", "break_from", "area_scope", *breakdowns, "note_de", "note_en"],
        ),
        "correction": _frame(
            (
                {
                    "correction_id": c.id,
                    "table_code": c.table,
                    "measure_code": c.measure,
                    "area_code": c.area,
                    "period_end": c.period_end,
                    **{name: c.cells.get(name, TOTAL) for name in breakdowns},
                    "found_value": c.found,
                    "right_value": c.value,
                    "evidence_de": c.evidence.de,
                    "evidence_en": c.evidence.en,
                }
                for c in catalogue.corrections.values()
            ),
            [
                "correction_id",
                "table_code",
                "measure_code",
                "area_code",
                "period_end",
                *breakdowns,
                "found_value",
                "right_value",
                "evidence_de",
                "evidence_en",
            ],
        ),
    }


def _official_table(catalogue: Catalogue, code: str) -> dict[str, Any]:
    table = catalogue.tables[code]
    statistic = catalogue.statistic_of(table)
    return {
        "table_code": code,
        "title_de": table.title.de,
        "title_en": table.title.en,
        "evas": table.evas,
        "statistic_de": statistic.title.de,
        "statistic_en": statistic.title.en,
        "publisher_de": statistic.publisher.de,
        "publisher_en": statistic.publisher.en,
        "licence": statistic.licence,
        "database": table.database,
        "cadence": statistic.cadence.value,
        "reference_de": statistic.reference.de,
        "reference_en": statistic.reference.en,
        "levels": ", ".join(table.levels),
        "since": table.since,
        "until": table.until,
        "due_after_days": statistic.due_after_days,
        "late_after_days": statistic.late_after_days,
    }


def _by_date(catalogue: Catalogue) -> list[AreaReform]:
    return sorted(catalogue.area_reforms.values(), key=lambda r: (r.takes_effect, r.id))


def _area_validity(catalogue: Catalogue) -> list[dict[str, Any]]:
    """When the keys existed that some reform ended or began; all others existed throughout."""
    spans: dict[str, dict[str, Any]] = {}
    for reform in _by_date(catalogue):
        for founded in reform.founded:
            spans[founded.code] = {"valid_from": reform.takes_effect, "valid_to": dt.date(9998, 12, 31)}
        for ended in reform.dissolved:
            span = spans.setdefault(ended.code, {"valid_from": dt.date(1900, 1, 1)})
            span["valid_to"] = reform.takes_effect - dt.timedelta(days=1)
    return [{"area_code": code, **span} for code, span in sorted(spans.items())]


def _frame(rows: Any, columns: list[str] | None = None) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=columns)
    return frame.drop_duplicates(ignore_index=True)


def _sorted(catalogue: Catalogue) -> list[Indicator]:
    return sorted(catalogue.indicators.values(), key=lambda i: i.id)


def _breakdown_cells(catalogue: Catalogue) -> list[dict[str, Any]]:
    return [
        {
            "breakdown": name,
            "cell": cell.id,
            "label_de": cell.label.de,
            "label_en": cell.label.en,
            "subset_of": cell.subset_of,
            "sort_order": order,
        }
        for name, breakdown in catalogue.breakdowns.items()
        for order, cell in enumerate(breakdown.cells, start=1)
    ]


def _indicator(catalogue: Catalogue, indicator: Indicator) -> dict[str, Any]:
    low, high = indicator.valid_range
    available = availability(catalogue, indicator)
    terms = {
        role: in_words(term, indicator)
        for role, term in (("numerator", indicator.numerator), ("denominator", indicator.denominator))
        if term is not None
    }
    return {
        "indicator_id": indicator.id,
        "code": indicator.code,
        "indicator_name_de": indicator.label.de,
        "indicator_name_en": indicator.label.en,
        "purpose_de": indicator.purpose.de,
        "purpose_en": indicator.purpose.en,
        "interpretation_de": indicator.interpretation.de,
        "interpretation_en": indicator.interpretation.en,
        "calculation_de": indicator.calculation.de,
        "calculation_en": indicator.calculation.en,
        "availability_de": available.de,
        "availability_en": available.en,
        "kind": indicator.kind.value,
        "model": indicator.model,
        "numerator_measure": terms.get("numerator"),
        "denominator_measure": terms.get("denominator"),
        "alignment": indicator.alignment.value,
        "needs_denominator": indicator.kind.needs_denominator,
        "multiplier": float(indicator.multiplier),
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "better": indicator.better,
        "is_ranked": indicator.is_ranked,
        "is_share_of_people": _is_share_of_people(catalogue, indicator),
        "constant_over": ", ".join(_constant_over(catalogue, indicator)),
        "breakdowns": ", ".join(indicator.breakdowns),
        "adds_up_over": ", ".join(_adds_up_over(catalogue, indicator)),
        "range_low": low,
        "range_high": high,
        "fields_of_action": ", ".join(indicator.fields_of_action),
        "published_table": indicator.table,
        "owner": indicator.owner,
        "status": indicator.status,
    }


def _is_share_of_people(catalogue: Catalogue, indicator: Indicator) -> bool:
    """Is the figure a part of a number of people, so that chance moves it where there are few?"""
    if indicator.kind not in (Kind.SHARE, Kind.RATE, Kind.DISTRIBUTION) or indicator.numerator is None:
        return False
    return all(catalogue.measures[part.measure].unit in PEOPLE for part in indicator.terms)


def _constant_over(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """The breakdowns whose total is 100 in every area: what a distribution distributes."""
    below = indicator.denominator
    if indicator.kind is not Kind.DISTRIBUTION or below is None:
        return []
    known = catalogue.breakdowns_of_measure(below.measure)
    return [name for name in indicator.breakdowns if name not in known or below.cells(name) is not None]


def _adds_up_over(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """The breakdowns whose cells a reader may add up to the total; none for rates and means."""
    if indicator.kind not in (Kind.COUNT, Kind.SUM) or indicator.numerator is None:
        return []
    rules = catalogue.measures[indicator.numerator.measure].additivity
    summed = {rule.breakdown for rule in rules if rule.rule == "sum"}
    return [name for name in indicator.breakdowns if name in summed]


def _breaks(catalogue: Catalogue, indicator: Indicator, breakdowns: list[str]) -> list[dict[str, Any]]:
    """One row per break and cell it shows in; '*' where it shows in every cell."""
    return [
        {
            "indicator_id": indicator.id,
            "break_from": entry.from_,
            "area_scope": entry.scope,
            **dict(zip(breakdowns, combination, strict=True)),
            "note_de": entry.note.de,
            "note_en": entry.note.en,
        }
        for entry, shown in catalogue.breaks_of(indicator)
        for combination in itertools.product(*(shown.get(name, [EVERY_CELL]) for name in breakdowns))
    ]


def in_words(term: Term, indicator: Indicator) -> str:
    """A term of an indicator as a reader writes it: measures with the cells of the total, added and taken away."""
    words: list[str] = []
    total = {name: indicator.cells[name] for name in indicator.total_of_cells}
    for sign, part in term.parts():
        chosen = total | {name: part.cells(name) or [] for name in part.where}
        where = "; ".join(f"{name} = {', '.join(cells)}" for name, cells in chosen.items())
        lead = "" if not words else " + " if sign > 0 else " - "
        words.append(f"{lead}{part.measure} ({where})" if where else f"{lead}{part.measure}")
    return "".join(words)


def _terms(catalogue: Catalogue, indicator: Indicator, breakdowns: list[str]) -> list[dict[str, Any]]:
    """One row per cell a term adds up, with its sign; `origin` says whose formula it is.

    `<breakdown>` is the cell to take ('*' takes every cell); `<breakdown>_shown` says what the
    indicator shows for it: the cell itself, `total`, or nothing, which then matches any cell of
    the numerator (a population that knows no type of care serves every type of care). `expected_cells`: the rows
    that make one value. Under `total_of_cells` a cell has two rows, one for itself and one for the total.
    """
    rows: list[dict[str, Any]] = []
    if indicator.status != "published":
        return rows
    for origin, formula in indicator.formulas.items():
        for role, term in zip(("numerator", "denominator"), formula, strict=True):
            found: list[tuple[Shown, dict[str, Any]]] = []
            expected: Counter[Shown] = Counter()  # rows that make one value
            for sign, part in term.parts() if term else []:
                available = catalogue.breakdowns_of_measure(part.measure)
                choices: list[list[tuple[list[str], str | None]]] = []
                for name in breakdowns:
                    fixed, wanted = part.cells(name), name in indicator.breakdowns
                    chosen = indicator.cells.get(name)
                    if fixed is not None:
                        choices.append([(fixed, None if wanted else TOTAL)])
                    elif wanted and name in available and chosen and name in indicator.total_of_cells:
                        choices.append([(chosen, "cell"), (chosen, TOTAL)])
                    elif wanted and name in available:
                        choices.append([([TOTAL, *chosen] if chosen else [EVERY_CELL], "cell")])
                    elif wanted and role == "denominator":
                        choices.append([([TOTAL], None)])
                    else:
                        choices.append([([TOTAL], TOTAL)])
                for choice in itertools.product(*choices):
                    # A cell and the total of cells are values of their own; each needs rows of its own.
                    value = tuple(
                        shown
                        for name, (_, shown) in zip(breakdowns, choice, strict=True)
                        if name in indicator.total_of_cells
                    )
                    expected[value] += math.prod(len(cells) for cells, shown in choice if shown != "cell")
                    for combination in itertools.product(*(cells for cells, _ in choice)):
                        row: dict[str, Any] = {
                            "indicator_id": indicator.id,
                            "origin": origin,
                            "role": role,
                            "measure_id": part.measure,
                            "factor": float(sign),
                        }
                        for name, cell, (_, shown) in zip(breakdowns, combination, choice, strict=True):
                            row[name] = cell
                            row[f"{name}_shown"] = shown
                        found.append((value, row))
            rows += [{**row, "expected_cells": expected[value]} for value, row in found]
    return rows
