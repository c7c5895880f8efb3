"""What reading an official file gives: long rows plus everything the file says about itself."""

from __future__ import annotations

import csv
import datetime as dt
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import parse_value

KEY_COLUMNS = [
    "table_code",
    "area_code",
    "area_level",
    "period_start",
    "period_end",
    "period_label",
]
VALUE_COLUMNS = ["measure", "value", "sign", "unit"]


@dataclass
class OfficialRows:
    """One official file, read.

    `frame`: one row per table, area, period, dimension items and measure; columns KEY_COLUMNS,
    one per dimension (named by its GENESIS variable), VALUE_COLUMNS. `codebook` holds the labels
    as delivered, for reading only. `notes`: what was left out and why.
    """

    frame: pd.DataFrame
    format: str
    table_code: str
    encoding: str
    stand: dt.datetime | None = None
    licence: str | None = None
    footnotes: str = ""
    codebook: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def dimensions(self) -> list[str]:
        known = {*KEY_COLUMNS, *VALUE_COLUMNS}
        return [c for c in self.frame.columns if c not in known]


def cells_of(lines: list[str]) -> pd.DataFrame:
    """Lines of one width as a frame of texts, one column per cell; nothing is interpreted."""
    return pd.read_csv(
        io.StringIO("\n".join(lines)),
        sep=";",
        header=None,
        dtype="str",
        quoting=csv.QUOTE_NONE,
        keep_default_na=False,
        na_filter=False,
    )


def split_values(
    file: str, texts: np.ndarray, lines: np.ndarray, columns: np.ndarray
) -> tuple[pd.Series, pd.Series]:
    """Numbers and signs of many cells; each distinct text is parsed once.

    Raises FormatError with line and column of the first cell that is neither.
    """
    codes, distinct = pd.factorize(texts)
    parsed = [parse_value(text) for text in distinct]
    for index, value in enumerate(parsed):
        if value is None:
            first = int(np.argmax(codes == index))
            raise FormatError(
                file,
                repr(str(distinct[index])),
                "a number or one of the signs - . ... / x ( ) p r s e",
                line=int(lines[first]),
                column=str(columns[first]),
            )
    numbers = np.array([np.nan if v is None or v.value is None else v.value for v in parsed])
    signs = np.array([None if v is None else v.sign for v in parsed], dtype=object)
    return (
        pd.Series(numbers[codes] if len(distinct) else [], dtype="float64"),
        pd.Series(signs[codes] if len(distinct) else [], dtype="str"),
    )


def refuse_duplicates(file: str, frame: pd.DataFrame, keys: list[str], lines: pd.Series) -> None:
    """Raise FormatError naming both lines if two rows share area, period, items and measure."""
    twice = frame.duplicated(keys, keep="first")
    if not twice.any():
        return
    second = int(np.argmax(twice.to_numpy()))
    same = (frame[keys].fillna("") == frame.loc[second, keys].fillna("")).all(axis=1)
    first = int(np.argmax(same.to_numpy()))
    key = ", ".join(str(v) for v in frame.loc[second, keys].dropna() if str(v))
    raise FormatError(
        file,
        f"the key ({key}) again, first on line {int(lines.iloc[first])}",
        "every combination of area, period, items and measure once",
        line=int(lines.iloc[second]),
    )


def refuse_incomplete(file: str, frame: pd.DataFrame, dimensions: list[str]) -> None:
    """Raise FormatError if an area lacks rows that others of its period and level have.

    The offices deliver a full matrix (compress=false), so a gap means a file cut short.
    """
    counts = frame.groupby(["period_end", "area_code"], sort=False).size()
    expected = counts.groupby("period_end").max()
    short = counts[counts < expected.reindex(counts.index.get_level_values(0)).to_numpy()]
    if len(short):
        (period, area), found = short.index[0], int(short.iloc[0])
        raise FormatError(
            file,
            f"{found} values for area {area} at {period}",
            f"{int(expected[period])} like the other areas; the file seems to be cut short",
        )
