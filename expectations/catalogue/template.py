"""Files that begin a declaration: a new indicator, a waiver.

Belongs here: the text of a declaration to be edited. Does not belong here: reading one (load.py).
"""

from __future__ import annotations

from typing import get_args

import yaml

from expectations.catalogue.model import Catalogue, OfficialLevel, Waiver
from expectations.catalogue.registers import LocalLevel

TO_DO = "…"
"""What its author still has to write; a text like any other, so that the file can be read at once."""


def indicator_template(
    catalogue: Catalogue, name: str, code: str, measure: str, per: str | None, table: str
) -> str:
    """The YAML of a count, or of a share if there is something to relate it to. It is valid as it stands."""
    counted = catalogue.measures[measure]
    there = catalogue.levels_of_measure(measure)
    if per is not None:
        there &= catalogue.levels_of_measure(per)
    levels = [level for level in (*get_args(OfficialLevel), *get_args(LocalLevel)) if level in there]
    available = catalogue.breakdowns_of_measure(measure)
    breakdowns = [b for b in catalogue.breakdowns if b in available]
    same_unit = per is not None and catalogue.measures[per].unit == counted.unit
    kind = "count" if per is None else "share" if same_unit else "ratio"
    lines = [
        f"id: {name}",
        f"code: {code}",
        f'label: {{de: "{counted.label.de}", en: "{counted.label.en}"}}',
    ]
    for field in ("purpose", "interpretation", "calculation"):
        lines += [f"{field}:", f'  de: "{TO_DO}"', f'  en: "{TO_DO}"']
    lines += [f"kind: {kind}", f"numerator: {{measure: {measure}}}"]
    limits = "{max_change_percent: 50, from_denominator: 100}"
    if per is not None:
        lines.append(f"denominator: {{measure: {per}}}")
        limits = "{max_change_points: 15, from_denominator: 100}"
    official = [level for level in levels if level in get_args(OfficialLevel)]
    lines += [
        f"unit: {counted.unit if per is None else 'percent'}",
        f"decimals: {0 if per is None else 1}",
        f"breakdowns: [{', '.join(breakdowns)}]",
        f"levels: [{', '.join(levels)}]",
        f"valid_range: [0, {'null' if per is None else 100}]",
        f"continuity: {limits}",
        f"coverage: {{levels: [{', '.join(official)}]}}",
        "fields_of_action: [framework]",
        f"table: {table}",
        "owner: education-monitoring",
        "status: published",
    ]
    return "\n".join(lines) + "\n"


def waiver_template(waiver: Waiver) -> str:
    """A waiver's file, ready to be reviewed."""
    fields = waiver.model_dump(mode="json")
    return yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=110)
