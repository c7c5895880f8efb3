"""Coarser tables: which step would lose least where too much is hidden.

Belongs here: trying what a table would be without its finest codes, or without one dimension.
Does not belong here: deciding; a statistician does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from expectations.disclosure.declaration import Declaration, Table
from expectations.disclosure.population import Codes
from expectations.disclosure.protect import protect
from expectations.disclosure.tables import Figures


def coarser(declaration: Declaration, tables: Mapping[str, Figures], name: str) -> str:
    """The step after which most cells that have a value above zero can be told, in words with its share.

    Every step is tried for real, on this table alone.
    """
    best: tuple[float, int, str] | None = None
    for words, table in _steps(declaration, tables[name]):
        alone = declaration.model_copy(update={"tables": {name: table.declared}})
        try:
            done = protect(alone, {name: table})
        except ValueError:
            continue
        hidden = done.hidden[name]
        told = int((~hidden & (table.values > 0)).sum())
        key = (min(1 - float(hidden.mean()), 0.7), told, words)
        if best is None or key[:2] > best[:2]:
            best = key
            share = float(hidden.mean())
            text = f"{words} ({share:.0%} gesperrt / hidden, {told} Werte / values)"
    return text if best else "-"


def _steps(declaration: Declaration, table: Figures) -> Iterator[tuple[str, Figures]]:
    for name in table.codes.columns:
        codes = Codes.of(declaration, name, table.codes[name])
        groups = [code for code, parts in codes.parts.items() if code != codes.total and len(parts) > 1]
        within = {leaf for group in groups for leaf in codes.parts[group]}
        if groups:
            fine = table.codes[name].isin(within)
            rows = ~fine.to_numpy()
            if rows.any():
                yield (
                    f"{name} ohne / without {len(within)} feinste Ausprägungen / finest codes",
                    _cut(table, rows, None),
                )
        elif len(table.codes.columns) > 1:
            rows = (table.codes[name] == codes.total).to_numpy()
            if rows.any():
                yield f"ohne / without {name}", _cut(table, rows, name)


def _cut(table: Figures, rows: np.ndarray, dimension: str | None) -> Figures:
    declared: Table = table.declared
    codes = table.codes[rows].reset_index(drop=True)
    if dimension is not None:
        left = {d: c for d, c in declared.dimensions.items() if d != dimension}
        rule = declared.rule.model_copy(
            update={"all_or_none": [d for d in declared.rule.all_or_none if d != dimension]}
        )
        declared = declared.model_copy(update={"dimensions": left, "rule": rule})
        codes = codes.drop(columns=dimension)
    frame: pd.DataFrame = table.frame[rows].reset_index(drop=True)
    return replace(
        table,
        declared=declared,
        frame=frame,
        codes=codes,
        values=table.values[rows],
        hidden=table.hidden[rows],
    )
