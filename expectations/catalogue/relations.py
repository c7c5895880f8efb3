"""The catalogue as tables: what dbt reads instead of YAML, and what a release publishes.

Belongs here: declarations → rows, without any decision of its own.
Does not belong here: SQL.
"""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from expectations.catalogue.model import TOTAL, Catalogue, Indicator, Term

EVERY_CELL = "*"


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
                "valid_from": source.valid_from,
                "valid_to": source.valid_to,
                "priority": priority,
            }
            for name, measure in catalogue.measures.items()
            for priority, source in enumerate(measure.sources)
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
            {"indicator_id": i.id, "area_level": level} for i in _sorted(catalogue) for level in i.levels
        ),
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
    terms = {
        role: _in_words(catalogue, term)
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
        "availability_de": indicator.availability.de,
        "availability_en": indicator.availability.en,
        "kind": indicator.kind.value,
        "numerator_measure": terms["numerator"],
        "denominator_measure": terms.get("denominator"),
        "alignment": indicator.alignment.value,
        "needs_denominator": indicator.kind.needs_denominator,
        "multiplier": float(indicator.multiplier),
        "unit": indicator.unit,
        "decimals": indicator.decimals,
        "breakdowns": ", ".join(indicator.breakdowns),
        "range_low": low,
        "range_high": high,
        "fields_of_action": ", ".join(indicator.fields_of_action),
        "published_table": indicator.table,
        "owner": indicator.owner,
        "status": indicator.status,
    }


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


def _in_words(catalogue: Catalogue, term: Term) -> str:
    where = "; ".join(f"{b} = {', '.join(term.cells(b) or [])}" for b in term.where)
    return f"{term.measure} ({where})" if where else term.measure


def _terms(catalogue: Catalogue, indicator: Indicator, breakdowns: list[str]) -> list[dict[str, Any]]:
    """One row per cell a term adds up.

    `<breakdown>` is the cell to take ('*' takes every cell); `<breakdown>_shown` says what the
    indicator shows for it: the cell itself, `total`, or nothing, which then matches any cell of
    the numerator (a population that knows no type of care serves every type of care).
    """
    rows: list[dict[str, Any]] = []
    for role, term in (("numerator", indicator.numerator), ("denominator", indicator.denominator)):
        if term is None:
            continue
        available = catalogue.breakdowns_of_measure(term.measure)
        choices: dict[str, tuple[list[str], str | None]] = {}
        for name in breakdowns:
            fixed, wanted = term.cells(name), name in indicator.breakdowns
            if fixed is not None:
                choices[name] = (fixed, None if wanted else TOTAL)
            elif wanted and name in available:
                choices[name] = ([EVERY_CELL], "cell")
            else:
                choices[name] = ([TOTAL], None if wanted else TOTAL)
        cells = list(itertools.product(*(choices[name][0] for name in breakdowns)))
        for combination in cells:
            row: dict[str, Any] = {
                "indicator_id": indicator.id,
                "role": role,
                "measure_id": term.measure,
                "expected_cells": len(cells),
            }
            for name, cell in zip(breakdowns, combination, strict=True):
                row[name] = cell
                row[f"{name}_shown"] = choices[name][1]
            rows.append(row)
    return rows
