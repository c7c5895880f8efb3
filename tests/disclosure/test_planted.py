"""Twenty-four planted disclosures: eight rules, each undone in three ways. With the true table the attack names every one.

Ways that need other tables, snapshots, rates, ranks, axes or rounding are planted in test_leaks and test_methods.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from expectations.disclosure.declaration import Declaration
from expectations.disclosure.protect import attack_told, protect
from expectations.disclosure.tables import Figures, figures
from tests.disclosure.cases import told

AREAS, TYPES = "ABCDE", "xyz"
LARGE = {
    "A": (31, 40, 55),
    "B": (62, 48, 71),
    "C": (45, 90, 38),
    "D": (77, 51, 46),
    "E": (58, 66, 49),
}

RULES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    # The rule, what the table declares beside it, and the value of the one sensitive cell, A in x.
    "frequency": ({"frequency": 3}, {}, 2),
    "frequency, zeros open": ({"frequency": 5}, {"zeros": "open"}, 4),
    "all or none": ({"frequency": 3, "all_or_none": ["type"]}, {}, 0),
    "coalition": ({"frequency": 3, "all_or_none": ["type"], "coalition": 1}, {}, 1),
    "contributors": ({"contributors": {"column": "schools", "minimum": 3}}, {}, 31),
    "dominance": ({"dominance": {"largest": ["first"], "percent": 85}}, {}, 31),
    "p percent": ({"p_percent": {"largest": "first", "second": "second", "percent": 10}}, {}, 31),
    "on request": ({"request": "secret"}, {}, 31),
}  # fmt: skip
WAYS = ("in print", "its row less the others", "its column less the others")


def _true_table(name: str) -> tuple[Declaration, Figures]:
    """A table with its totals, in which one cell is sensitive; by all or none, all the noughts of a group."""
    rule, more, value = RULES[name]
    cells = {(a, t): LARGE[a][n] for a in AREAS for n, t in enumerate(TYPES)}
    cells["A", "x"] = value
    if "all_or_none" in rule:
        cells["A", "y"] = 0
    rows = []
    for a in (*AREAS, "Total"):
        for t in (*TYPES, "Total"):
            parts = [v for (area, kind), v in cells.items() if a in (area, "Total") and t in (kind, "Total")]
            is_it = (a, t) == ("A", "x")
            rows.append({
                "area": a, "type": t, "value": sum(parts), "schools": 1 if is_it else 6, "secret": is_it,
                "first": sum(parts) - 2 if is_it else 1, "second": 1,
            })  # fmt: skip
    declaration = Declaration.model_validate(
        {"tables": {"t": {"dimensions": ["area", "type"], "rule": rule, **more}}}
    )
    return declaration, figures("t", declaration.tables["t"], pd.DataFrame(rows))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("rule", RULES)
def test_a_planted_disclosure_is_named(rule: str, way: str) -> None:
    declaration, table = _true_table(rule)
    done = protect(declaration, {"t": table})
    whole = {"t": replace(table, hidden=np.zeros(len(table.values), dtype=bool))}
    hidden = done.hidden["t"].copy()
    area, kind = table.codes["area"].to_numpy(), table.codes["type"].to_numpy()
    it = (area == "A") & (kind == "x")
    assert hidden[it].all()
    _, safe = attack_told(declaration, {"t": told(table, hidden)}, whole)
    assert safe.opened == []
    if way == "in print":
        hidden[it] = False
    else:
        # The others of its row or column are shown again.
        line = area == "A" if way == WAYS[1] else kind == "x"
        hidden[line & ~it] = False
    _, found = attack_told(declaration, {"t": told(table, hidden)}, whole)
    assert "t[A, x]" in {one.label for one in found.opened}
