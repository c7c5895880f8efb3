"""The disclosure-control cases of other packages, where shared/ is: read as tables under a declaration.

Where each comes from and what must hold: shared/reference/sdc_cases/PROVENANCE.md.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from expectations.disclosure.attack import Opened
from expectations.disclosure.declaration import Declaration
from expectations.disclosure.protect import attack_told
from expectations.disclosure.tables import Figures, figures
from tests.support.nights import SHARED

CASES = SHARED / "reference" / "sdc_cases"


def read_json(name: str) -> Any:
    return json.loads((CASES / name).read_text(encoding="utf-8"))


def declared(
    tables: Mapping[str, Sequence[str]],
    hierarchies: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    k: int = 3,
    totals: Mapping[str, str] | None = None,
    **more: Any,
) -> Declaration:
    """A declaration in one line: tables and their dimensions, hierarchies, one rule for all."""
    names = set(itertools.chain.from_iterable(tables.values()))
    return Declaration.model_validate({
        "dimensions": {
            d: {"total": (totals or {}).get(d, "Total"), "hierarchy": dict((hierarchies or {}).get(d, {}))} for d in names
        },
        "tables": {n: {"dimensions": list(d), "rule": {"frequency": k}, **more} for n, d in tables.items()},
    })  # fmt: skip


def table(
    declaration: Declaration, name: str, frame: pd.DataFrame, hidden: Sequence[bool] | None = None
) -> Figures:
    """A table as read; with `hidden` as readers have it."""
    read = figures(name, declaration.tables[name], frame)
    if hidden is None:
        return read
    gone = np.asarray(hidden, dtype=bool)
    return replace(read, hidden=gone, values=np.where(gone, np.nan, read.values))


def told(table: Figures, hidden: Any) -> Figures:
    gone = np.asarray(hidden, dtype=bool)
    return replace(table, hidden=gone, values=np.where(gone, np.nan, table.values))


def opened(declaration: Declaration, *tables: Figures) -> dict[str, Opened]:
    """What a reader opens in told tables, by label."""
    _, attack = attack_told(declaration, {t.name: t for t in tables})
    return {o.label: o for o in attack.opened}


def read_csv(name: str, values: str = "freq") -> pd.DataFrame:
    path: Path = CASES / name
    return pd.read_csv(path, dtype=str, keep_default_na=False).rename(columns={values: "value"})
