"""Reading declared tables from CSV or Parquet, and writing protected ones.

Belongs here: files and their columns. Does not belong here: what a cell means for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from expectations.disclosure.declaration import Declaration, DeclarationError, Table

PUBLISHED, CONFIDENTIAL = "published", "confidential"
SIGN = "."


@dataclass(frozen=True)
class Figures:
    """A table read: one row per cell."""

    name: str
    declared: Table
    frame: pd.DataFrame
    """As it stood in the file, codes and all other columns as text but the numbers."""
    codes: pd.DataFrame
    """One column a dimension of the table, text."""
    values: npt.NDArray[np.float64]
    """The figures; NaN where there is none. Amounts in the smallest unit told (cents for two decimals)."""
    hidden: npt.NDArray[np.bool_]

    def label(self, row: int) -> str:
        """A cell as people would say it: table and codes."""
        return f"{self.name}[{', '.join(map(str, self.codes.iloc[row]))}]"

    def labels(self) -> list[str]:
        """All of them, in the order of the rows."""
        return [f"{self.name}[{', '.join(map(str, codes))}]" for codes in self.codes.to_numpy().tolist()]


def read_tables(declaration: Declaration, paths: list[Path]) -> dict[str, Figures]:
    """Every table by its name, which is the file's without its ending.

    Raises DeclarationError naming file, row, column, the value found and what was expected.
    """
    found: dict[str, Figures] = {}
    for path in paths:
        if path.stem not in declaration.tables:
            names = ", ".join(declaration.tables)
            raise DeclarationError(f"{path}: no table `{path.stem}` is declared (declared: {names})")
        if path.stem in found:
            raise DeclarationError(f"{path}: table `{path.stem}` is given twice")
        found[path.stem] = read_table(path, declaration.tables[path.stem])
    return found


def read_table(path: Path, declared: Table) -> Figures:
    """One table.

    Raises DeclarationError as `read_tables` does.
    """
    try:
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DeclarationError(f"{path}: can't be read: {error}") from error
    return figures(path.stem, declared, frame, str(path))


def figures(name: str, declared: Table, frame: pd.DataFrame, where: str = "") -> Figures:
    """A table from a data frame; `where` is how errors call it.

    A table with a column `status` is one that was protected before: it may have its figures in `value` and need not
    have the columns that only rules and costs ask for. Raises DeclarationError as `read_tables` does.
    """
    where = where or name
    was_protected = "status" in frame.columns
    if was_protected and declared.value not in frame.columns and "value" in frame.columns:
        frame = frame.rename(columns={"value": declared.value})
    asked = rule_columns(declared)
    for column in [*declared.dimensions.values(), declared.value, *([] if was_protected else asked)]:
        if column not in frame.columns:
            raise DeclarationError(
                f"{where}: no column `{column}`; the columns are {', '.join(map(str, frame.columns))}"
            )
    if taken := {"value", "status", "sign"} & set(declared.dimensions.values()):
        raise DeclarationError(
            f"{where}: a dimension's column is called `{min(taken)}`, which is what protected tables call the figures"
        )
    frame = frame.reset_index(drop=True).copy()
    codes = pd.DataFrame({d: frame[c].map(_text) for d, c in declared.dimensions.items()})
    if frame.empty:
        raise DeclarationError(f"{where}: no rows below the header, expected at least one")
    empty = np.asarray((codes == "").to_numpy().any(axis=1))
    if empty.any():
        n = int(np.argmax(empty))
        raise DeclarationError(
            f"{where}, row {n + 2}: a code is missing: {' | '.join(codes.iloc[n])!r}, expected one of every dimension"
        )
    twice = codes.duplicated()
    if len(codes) and twice.any():
        n = int(np.argmax(twice))
        raise DeclarationError(
            f"{where}, row {n + 2}: the cell {' | '.join(codes.iloc[n])} stands twice, expected once"
        )
    hidden = np.zeros(len(frame), dtype=bool)
    if was_protected:
        status = frame["status"].map(_text)
        for n, text in enumerate(status):
            if text not in (PUBLISHED, CONFIDENTIAL):
                raise DeclarationError(
                    f"{where}, row {n + 2}, column `status`: found {text!r}, expected {PUBLISHED} or {CONFIDENTIAL}"
                )
        hidden = (status == CONFIDENTIAL).to_numpy()
    numbers = [c for c in asked if c in frame.columns and c != declared.rule.request]
    for column in [declared.value, *numbers]:
        # Totals have no rank.
        may_be_empty = (
            hidden | (frame[column].map(_text) == "").to_numpy() if column == declared.rank else hidden
        )
        frame[column] = _numbers(frame[column], where, column, may_be_empty)
    values = frame[declared.value].to_numpy(dtype=float) * 10**declared.decimals
    whole = np.round(values)
    if declared.rate is None:
        odd = ~np.isnan(values) & ((np.abs(values - whole) > 1e-6) | (values < 0))
        if odd.any():
            n = int(np.argmax(odd))
            raise DeclarationError(
                f"{where}, row {n + 2}, column `{declared.value}`: found {frame[declared.value][n]:g}, "
                f"expected a number of {declared.decimals} decimals that is not negative"
            )
        values = whole
    return Figures(name, declared, frame, codes, values, hidden)


def protected_frame(table: Figures, hidden: npt.NDArray[np.bool_]) -> pd.DataFrame:
    """The table as it may go out: figure, status, sign; hidden ones are empty, never zero.

    Other columns of numbers (the contributors, costs, amounts of the largest) don't go out. Ranks are those among the
    figures told: a rank of all would say where a hidden one stands.
    """
    frame = table.frame[list(table.declared.dimensions.values())].copy()
    values = table.frame[table.declared.value].astype(float)
    if table.declared.decimals == 0 and table.declared.rate is None:
        frame["value"] = values.where(~hidden).astype("Int64")
    else:
        frame["value"] = values.where(~hidden)
    frame["status"] = np.where(hidden, CONFIDENTIAL, PUBLISHED)
    frame["sign"] = np.where(hidden, SIGN, "")
    if rank := table.declared.rank:
        ranked = ~hidden & table.frame[rank].notna().to_numpy()
        frame[rank] = values.where(ranked).rank(method="min", ascending=False).astype("Int64")
    return frame


def rule_columns(declared: Table) -> list[str]:
    """The columns that rules, costs and ranks ask for, beside dimensions and figures."""
    rule = declared.rule
    columns = [rule.contributors.column] if rule.contributors else []
    columns += rule.dominance.largest if rule.dominance else []
    columns += [rule.p_percent.largest, rule.p_percent.second] if rule.p_percent else []
    if declared.cost not in ("value", "logarithm", "cells"):
        columns.append(declared.cost)
    if declared.cell_key:
        columns.append(declared.cell_key.column)
    return columns + [column for column in (declared.rank, rule.request) if column]


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if pd.isna(value) else str(value).strip()


def _numbers(column: pd.Series, where: str, name: str, may_be_empty: npt.NDArray[np.bool_]) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce")
    wrong = (numbers.isna().to_numpy() & ~may_be_empty) | np.isinf(numbers.to_numpy(dtype=float))
    if wrong.any():
        n = int(np.argmax(wrong))
        found = str(column.iloc[n]).strip() if pd.notna(column.iloc[n]) else ""
        raise DeclarationError(f"{where}, row {n + 2}, column `{name}`: found {found!r}, expected a number")
    return numbers


def complete(tables: Mapping[str, Figures]) -> None:
    """To protect tables all must be known: raises DeclarationError for the first figure or column that is not there."""
    for table in tables.values():
        for column in rule_columns(table.declared):
            if column not in table.frame.columns:
                raise DeclarationError(f"{table.name}: no column `{column}`, which its rule or cost asks for")
        unknown = np.isnan(table.values)
        if unknown.any():
            label = table.label(int(np.argmax(unknown)))
            raise DeclarationError(f"{label}: no figure; to protect a table all of them must be known")
