"""What reading an official file gives: a long table plus everything the file says about itself.

Belongs here: the shape every reader ends in, and the checks every shape must pass.
Does not belong here: how any format is laid out.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import Period, parse_value

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

    `table`: one row per table, area, period, dimension items and measure; columns KEY_COLUMNS,
    one per dimension (named by its GENESIS variable), VALUE_COLUMNS. `codebook` holds the labels
    as delivered, for reading only. `notes`: what was left out and why.
    """

    table: pa.Table
    format: str
    table_code: str
    encoding: str
    stand: dt.datetime | None = None
    licence: str | None = None
    footnotes: str = ""
    codebook: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def dimensions(self) -> list[str]:
        known = {*KEY_COLUMNS, *VALUE_COLUMNS}
        return [c for c in self.table.column_names if c not in known]

    @property
    def periods(self) -> list[str]:
        """The last days of all periods that occur, ISO, oldest first."""
        return sorted(str(day) for day in pc.unique(self.table["period_end"]).to_pylist())

    @property
    def data_until(self) -> str | None:
        """The last day of the newest period with a number; the districts decide where there are any.

        Länder and Germany often come a round earlier than the districts.
        """
        valued = self.table.filter(pc.is_valid(self.table["value"]))
        districts = valued.filter(pc.equal(valued["area_level"].cast(pa.string()), "district"))
        newest = pc.max((districts if districts.num_rows else valued)["period_end"]).as_py()
        return str(newest) if newest else None

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The table for pandas: codes as text, missing items and signs as NaN."""
        plain = [
            column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
            for column in self.table.columns
        ]
        return pa.table(plain, names=self.table.column_names).to_pandas()

    @property
    def content_sha256(self) -> str:
        """Hash of what the rows say, whatever their order, format and labels.

        The offices' downloads shuffle their rows and carry the time of the download, so the
        bytes of two downloads never agree; this hash does.
        """
        names = [
            *("table_code", "area_code", "period_start", "period_end"),
            *sorted(self.dimensions), "measure", "unit", "value", "sign",
        ]  # fmt: skip
        lines = np.zeros(len(self), dtype=np.uint64)
        for name in names:
            column = self.table[name].combine_chunks()
            if not pa.types.is_dictionary(column.type):
                column = column.dictionary_encode()
            texts = [f"{name}={item}" for item in column.dictionary.to_pylist()]
            digests = np.array([_word(text) for text in [*texts, f"{name}=∅"]], dtype=np.uint64)
            codes = column.indices.fill_null(len(texts)).to_numpy()
            lines = lines * np.uint64(0x9E3779B97F4A7C15) ^ digests[codes]
        return hashlib.sha256(np.sort(lines).tobytes()).hexdigest()


def _word(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Coded:
    """A column of texts as codes into its distinct texts: every text is judged once."""

    codes: np.ndarray
    texts: list[str]

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array | np.ndarray | Sequence[str]) -> Coded:
        if isinstance(column, pa.ChunkedArray):
            column = column.combine_chunks()
        if not isinstance(column, pa.Array):
            column = pa.array(column, pa.string())
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        return cls(column.indices.to_numpy(), column.dictionary.to_pylist())

    @classmethod
    def constant(cls, text: str, count: int) -> Coded:
        return cls(np.zeros(count, dtype=np.int32), [text])

    def first(self, index: int) -> int:
        """The first row that holds a text."""
        return int(np.argmax(self.codes == index))

    def take(self, rows: np.ndarray | slice) -> Coded:
        """Some of the rows, with the texts they use and no others."""
        codes, used = pd.factorize(self.codes[rows])
        return Coded(codes, [self.texts[i] for i in used])

    def map(self, function: Callable[[str], str | None]) -> pa.DictionaryArray:
        """A column of what `function` makes of each text; None becomes null."""
        made = [function(text) for text in self.texts]
        items = list(dict.fromkeys(item for item in made if item is not None))
        place = {item: n for n, item in enumerate(items)}
        lookup = np.array([place.get(item, -1) if item is not None else -1 for item in made] or [-1])
        codes = lookup[self.codes].astype(np.int32)
        indices = pa.array(codes, mask=codes < 0)
        return pa.DictionaryArray.from_arrays(indices, pa.array(items, pa.string()))

    def with_suffix(self, suffix: str) -> Coded:
        """Every text with the same label after it, if there is one."""
        return Coded(self.codes, [f"{text} | {suffix}" if suffix else text for text in self.texts])

    def column(self) -> pa.DictionaryArray:
        return self.map(lambda text: text)

    def where(self, keep: np.ndarray) -> pa.DictionaryArray:
        """The column with null where `keep` is false."""
        return pa.DictionaryArray.from_arrays(
            pa.array(self.codes.astype(np.int32), mask=~keep), pa.array(self.texts, pa.string())
        )


def period_columns(codes: np.ndarray, periods: Sequence[Period]) -> dict[str, pa.Array]:
    """The three period columns of rows whose period is `periods[codes]`."""
    at = pa.array(codes)
    labels = Coded(np.asarray(codes), [p.label for p in periods])
    return {
        "period_start": pa.array([p.start for p in periods], pa.date32()).take(at),
        "period_end": pa.array([p.end for p in periods], pa.date32()).take(at),
        "period_label": labels.column(),
    }


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
    file: str, texts: Coded, line_of: Callable[[int], int], column: str | int
) -> tuple[pa.Array, pa.DictionaryArray]:
    """Numbers and signs of many cells; each distinct text is parsed once.

    Raises FormatError with line and column of the first cell that is neither.
    """
    parsed = [parse_value(text) for text in texts.texts]
    for index, value in enumerate(parsed):
        if value is None and (texts.codes == index).any():
            row = texts.first(index)
            raise FormatError(
                file,
                repr(texts.texts[index]),
                "a number or one of the signs - . ... / x ( ) p r s e",
                line=line_of(row),
                column=column,
            )
    numbers = np.array([np.nan if v is None or v.value is None else v.value for v in parsed] or [np.nan])
    values = numbers[texts.codes] if len(texts.codes) else np.empty(0)
    signs = dict(zip(texts.texts, (None if v is None else v.sign for v in parsed), strict=True))
    return pa.array(values, pa.float64(), mask=np.isnan(values)), texts.map(signs.__getitem__)


def long_table(columns: dict[str, pa.Array], dimensions: list[str]) -> pa.Table:
    """The columns in their fixed order."""
    names = [*KEY_COLUMNS, *dimensions, *VALUE_COLUMNS]
    return pa.table([columns[name] for name in names], names=names)


def refuse_duplicates(
    file: str, table: pa.Table, dimensions: list[str], line_of: Callable[[int], int]
) -> None:
    """Raise FormatError naming both lines if two rows share area, period, items and measure."""
    keys = ["area_code", "period_start", "period_end", *dimensions, "measure", "unit"]
    combined = combined_key(table, keys)
    order = np.argsort(combined, kind="stable")
    twice = np.flatnonzero(combined[order][1:] == combined[order][:-1])
    if not len(twice):
        return
    second = int(order[twice + 1].min())
    first = int(np.argmax(combined == combined[second]))
    row = table.slice(second, 1).to_pylist()[0]
    key = ", ".join(str(row[name]) for name in keys if row[name] not in (None, ""))
    raise FormatError(
        file,
        f"the key ({key}) again, first on line {line_of(first)}",
        "every combination of area, period, items and measure once",
        line=line_of(second),
    )


def combined_key(table: pa.Table, names: list[str]) -> np.ndarray:
    """One number per row that is the same exactly where all the columns are."""
    combined, size = np.zeros(table.num_rows, dtype=np.int64), 1
    for name in names:
        column = table[name].combine_chunks()
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        count = len(column.dictionary) + 1
        if size * count > 2**62:
            distinct, combined = np.unique(combined, return_inverse=True)
            size = len(distinct)
        combined = combined * count + column.indices.fill_null(count - 1).to_numpy()
        size *= count
    return combined


def refuse_incomplete(file: str, table: pa.Table) -> None:
    """Raise FormatError if an area lacks rows that others of its period have.

    The offices deliver a full matrix (compress=false), so a gap means a file cut short.
    """
    counts = table.group_by(["period_end", "area_code"], use_threads=False).aggregate([([], "count_all")])
    frame = counts.to_pandas()
    expected = frame.groupby("period_end")["count_all"].transform("max")
    short = frame[frame["count_all"] < expected]
    if len(short):
        place = short.iloc[0]
        raise FormatError(
            file,
            f"{place['count_all']} values for area {place['area_code']} at {place['period_end']}",
            f"{expected[short.index[0]]} like the other areas; the file seems to be cut short",
        )
