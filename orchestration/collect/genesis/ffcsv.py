"""ffcsv, the offices' flat-file CSV, in both dialects.

v5 (since November 2024): English header, one row per measure, attribute codes.
v4 (until 2024): German header (or a broken English one), measures as columns
`CODE__Label__Unit`, dates as 31.12.2023. Which one it is stands in the header.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from expectations.catalogue.model import OfficialTable, PeriodMeaning
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import (
    AREA_EXPECTED,
    COUNTRY,
    QUALITY_SIGNS,
    area_level,
    is_area,
    is_region_variable,
    name_of_area,
    parse_period,
    part_of_year,
)
from orchestration.collect.genesis.rows import (
    KEY_COLUMNS,
    Coded,
    OfficialRows,
    combined_key,
    long_table,
    period_columns,
    refuse_duplicates,
    refuse_incomplete,
    split_values,
)

V5 = "ffcsv_v5"
V4 = "ffcsv_v4"

_FIXED = 5  # statistic code and label, time code and label, time
_V5_TAIL = ["value", "value_unit", "value_variable_code", "value_variable_label"]
_V4_MEASURE = re.compile(r"^ *([A-Z][A-Z0-9]*)__(.*)__([^_].*?)$")


def is_ffcsv(first_line: str) -> bool:
    """Does the header belong to one of the two dialects?"""
    return first_line.startswith(("statistics_code;", "Statistik_Code;"))


@dataclass(frozen=True)
class _Header:
    dialect: str
    width: int
    variables: int
    measures: list[tuple[str, str, str]]
    """v4 only: code, label and unit of each measure column."""
    has_quality: bool
    is_german: bool = False

    @property
    def columns(self) -> list[int]:
        """The columns that hold codes, times and values; those between them hold labels."""
        blocks = [_FIXED + 4 * n + part for n in range(self.variables) for part in (0, 2)]
        tail = range(_FIXED + 4 * self.variables, self.width)
        return [
            0,
            4,
            *blocks,
            *(n for n in tail if self.dialect == V4 or n != self.width - 1 - self.has_quality),
        ]


def read_ffcsv(
    file: str, content: bytes, encoding: str, table_code: str, contract: OfficialTable | None
) -> OfficialRows:
    """Long rows of an ffcsv text (UTF-8); `table_code` comes from the file's name.

    Raises FormatError with file, line and column for anything that is not as the dialect says.
    """
    end = content.find(b"\n")
    names = content[: end if end >= 0 else len(content)].decode().split(";")
    header = _header(file, names)
    if not content.endswith(b"\n"):
        last = content[content.rfind(b"\n") + 1 :].decode()
        raise FormatError(
            file, f"no end of line after {last[-40:]!r}", "a file that ends with a whole line",
            line=content.count(b"\n") + 1,
        )  # fmt: skip
    sheet = _Sheet.of(file, content, end + 1, header)
    notes: list[str] = []
    if header.dialect == V4:
        sheet, notes = _without_shifted_rows(file, sheet)
    _same_statistic(file, sheet, table_code)
    part_block = _part_of_year_block(sheet, header)
    periods = _periods(file, sheet, contract.period if contract else None, part_block)
    areas, region_block, names_of_areas = _areas(file, sheet, header)
    dims, labels = _dimensions(sheet, header, {region_block, part_block})
    bound = contract if contract and contract.is_bound else None
    if bound:
        _refuse_foreign_variables(file, dims, bound)
    keys: dict[str, pa.Array] = {"table_code": Coded.constant(table_code, sheet.rows).column()}
    keys |= areas | periods | dims
    table, measures, line_of = _values(file, sheet, header, keys, list(dims))
    if bound:
        _refuse_foreign_measures(file, table, line_of, bound)
    refuse_duplicates(file, table, list(dims), line_of)
    if bound:
        refuse_incomplete(file, table)
    codebook = {"areas": names_of_areas, "items": labels, "measures": measures}
    return OfficialRows(table, header.dialect, table_code, encoding, codebook=codebook, notes=notes)


@dataclass(frozen=True)
class _Sheet:
    """The rows below the header, column by column, each text kept once.

    Labels are not among the columns: they are looked up in the text for the few rows that need
    them, which spares half of the work on the largest tables.
    """

    columns: dict[int, Coded]
    rows: int
    content: bytes
    kept: np.ndarray | None = None
    """The numbers of the rows that were kept, if some were left out."""

    @classmethod
    def of(cls, file: str, content: bytes, start: int, header: _Header) -> _Sheet:
        if not content[start : start + 4096].strip():
            raise FormatError(file, "a header and no rows", "at least one row", line=1)
        places = [f"c{n}" for n in range(header.width)]
        wanted = [places[n] for n in header.columns]
        try:
            table = pacsv.read_csv(
                pa.BufferReader(pa.py_buffer(content).slice(start)),
                # One thread and small blocks: measured to cost half the time of two threads.
                read_options=pacsv.ReadOptions(column_names=places, use_threads=False),
                parse_options=pacsv.ParseOptions(delimiter=";", quote_char=False),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(wanted, pa.dictionary(pa.int32(), pa.string())),
                    strings_can_be_null=False,
                    include_columns=wanted,
                ),
            )
        except pa.ArrowInvalid as error:
            _refuse_ragged_lines(file, content, header.width)
            raise FormatError(file, str(error), "the lines of an ffcsv") from error
        table = table.unify_dictionaries().combine_chunks()
        columns = {n: Coded.of(table[places[n]]) for n in header.columns}
        return cls(columns, table.num_rows, content)

    def line_of(self, row: int) -> int:
        """The line a row stands on; blank lines count as lines but are no rows."""
        return self.content.count(b"\n", 0, self._start(row)) + 1

    def cells(self, row: int) -> list[str]:
        """All cells of a row, its labels too."""
        start = self._start(row)
        return self.content[start : self.content.find(b"\n", start)].decode().split(";")

    def labels(self, codes_at: int, label_at: int, among: np.ndarray | None = None) -> dict[str, str]:
        """The label beside each code, taken from the first of the rows that hold it."""
        codes = self.columns[codes_at].codes
        rows = np.arange(self.rows) if among is None else among
        distinct, first = np.unique(codes[rows], return_index=True)
        texts = self.columns[codes_at].texts
        order = np.argsort(first)
        return {texts[distinct[n]]: self.cells(int(rows[first[n]]))[label_at] for n in order}

    def keep(self, rows: np.ndarray) -> _Sheet:
        kept = {n: column.take(rows) for n, column in self.columns.items()}
        return _Sheet(kept, len(rows), self.content, rows)

    def _start(self, row: int) -> int:
        return int(self._starts[int(self.kept[row]) if self.kept is not None else row])

    @cached_property
    def _starts(self) -> np.ndarray:
        """Where in the text every row begins, rows left out included."""
        ends = np.flatnonzero(np.frombuffer(self.content, np.uint8) == ord("\n"))
        starts = ends[:-1] + 1
        return starts[np.diff(ends) > 1]


def _refuse_ragged_lines(file: str, content: bytes, width: int) -> None:
    for number, line in enumerate(content.split(b"\n"), start=1):
        if line and line.count(b";") != width - 1:
            found = f"{line.count(b';') + 1} columns"
            raise FormatError(file, found, f"{width}, as in the header", line=number)


def _header(file: str, names: list[str]) -> _Header:
    has_quality = names[-1] == "value_q"
    core = names[:-1] if has_quality else names
    english = names[0] == "statistics_code"
    fixed = (
        ["statistics_code", "statistics_label", "time_code", "time_label", "time"]
        if english
        else ["Statistik_Code", "Statistik_Label", "Zeit_Code", "Zeit_Label", "Zeit"]
    )
    if names[:_FIXED] != fixed:
        pairs = zip([*names, *[""] * _FIXED], fixed, strict=False)
        position = next(i for i, (a, b) in enumerate(pairs) if a != b)
        found = repr(names[position]) if position < len(names) else "the end of the header"
        raise FormatError(file, found, repr(fixed[position]), line=1, column=position + 1)
    if core[-4:] == _V5_TAIL:
        blocks = core[_FIXED:-4]
        expected = [
            f"{n}_{part}"
            for n in range(1, len(blocks) // 4 + 1)
            for part in (
                "variable_code",
                "variable_label",
                "variable_attribute_code",
                "variable_attribute_label",
            )
        ]
        if blocks != expected:
            wrong = next(
                (i for i, (a, b) in enumerate(zip(blocks, expected, strict=False)) if a != b),
                len(expected),
            )
            found = blocks[wrong] if wrong < len(blocks) else "nothing"
            want = expected[wrong] if wrong < len(expected) else "'value'"
            raise FormatError(file, repr(found), want, line=1, column=_FIXED + wrong + 1)
        return _Header(V5, len(names), len(blocks) // 4, [], has_quality)
    measures: list[tuple[str, str, str]] = []
    for position in range(len(core) - 1, _FIXED, -1):
        match = _V4_MEASURE.match(core[position])
        if not match:
            break
        measures.insert(0, (match[1], match[2].replace("_", " "), match[3].replace("_", " ")))
    variables, rest = divmod(len(core) - _FIXED - len(measures), 4)
    starts = core[_FIXED : len(core) - len(measures)][::4]
    known = all(re.fullmatch(r"\d_(Merkmal_Code|variable_code)", name) for name in starts)
    if not measures or rest or not variables or not known:
        raise FormatError(
            file,
            f"columns {';'.join(core[_FIXED:])}",
            "blocks of four columns per variable, then value columns of ffcsv v4 or v5",
            line=1,
        )
    return _Header(V4, len(names), variables, measures, has_quality, is_german=not english)


def _without_shifted_rows(file: str, sheet: _Sheet) -> tuple[_Sheet, list[str]]:
    """Drop v4's shifted rows: they begin with the region variable and hold no value at all.

    Recorded in 52411 (538 rows, shifted by five columns). One that holds a value is refused.
    """
    first = sheet.columns[0]
    moved = np.array([is_region_variable(text) for text in first.texts])[first.codes]
    if not moved.any():
        return sheet, []
    filled = np.zeros(sheet.rows, dtype=bool)
    for at in sheet.columns:
        if at >= _FIXED - 1:
            column = sheet.columns[at]
            filled |= moved & np.array([text != "" for text in column.texts])[column.codes]
    if filled.any():
        row = int(np.argmax(filled))
        raise FormatError(
            file, f"a row shifted by five columns with values: {';'.join(sheet.cells(row))}",
            "a statistic's code in the first column", line=sheet.line_of(row), column=1,
        )  # fmt: skip
    note = f"{int(moved.sum())} rows without any value left out: shifted by five columns"
    return sheet.keep(np.flatnonzero(~moved)), [note]


def _same_statistic(file: str, sheet: _Sheet, table_code: str) -> None:
    """The rows' statistic must be the one in the file's name (Regionalatlas AI-… holds 99910)."""
    expected = "99910" if table_code.startswith("AI") else table_code.split("-")[0].rstrip("BDKRT")
    statistic = sheet.columns[0]
    for index, text in enumerate(statistic.texts):
        if text != expected:
            raise FormatError(
                file, f"statistic {text!r}", f"{expected!r}, because the file is named {table_code}",
                line=sheet.line_of(statistic.first(index)), column="statistics_code",
            )  # fmt: skip


def _part_of_year_block(sheet: _Sheet, header: _Header) -> int | None:
    """The block of months or quarters: ffcsv writes the year as time and the month as a variable."""
    for n in range(header.variables):
        items = sheet.columns[_FIXED + 4 * n + 2].texts
        if sheet.columns[_FIXED + 4 * n].texts in (["MONAT"], ["QUARTG"]) and all(map(part_of_year, items)):
            return n
    return None


def _periods(
    file: str, sheet: _Sheet, meaning: PeriodMeaning | None, part_block: int | None
) -> dict[str, pa.Array]:
    time = sheet.columns[4]
    if part_block is not None:
        codes, pairs = _pairs(time, sheet.columns[_FIXED + 4 * part_block + 2])
        time = Coded(codes, [f"{year}-{part_of_year(part)}" for year, part in pairs])
    found = []
    for index, text in enumerate(time.texts):
        period = parse_period(text, meaning)
        if period is None:
            raise FormatError(
                file, repr(text), "a period such as 2024-12-31, 31.12.2024, 2024 or 2023-10P6M",
                line=sheet.line_of(time.first(index)), column="time",
            )  # fmt: skip
        found.append(period)
    return period_columns(time.codes, found)


def _areas(
    file: str, sheet: _Sheet, header: _Header
) -> tuple[dict[str, pa.Array], int | None, dict[str, str]]:
    """Area code and level, which variable block holds the region, and the areas' names.

    Where no variable is known as a region, none is guessed: tables for Germany name DINSG, so a
    table without any speaks of areas we can't name, and is refused. v4 leaves the code of a total
    empty: over the Länder that is Germany.
    """
    block = next((n for n in range(header.variables) if _is_region(sheet.columns[_FIXED + 4 * n])), None)
    if block is None:
        raise FormatError(
            file, f"the variables {', '.join(_variables(sheet, header))}",
            "one that holds the region (DINSG, DLAND, REGBEZ, KREISE, GEMEIN, GEO…)", line=2,
        )  # fmt: skip
    variable, code = sheet.columns[_FIXED + 4 * block], sheet.columns[_FIXED + 4 * block + 2]
    pairs, distinct = _pairs(variable, code)
    codes, levels = [], []
    for index, (name, item) in enumerate(distinct):
        if not item and _is_total_of_states(sheet, block, name, int(np.argmax(pairs == index))):
            item = COUNTRY
        if not is_area(item):
            row = int(np.argmax(pairs == index))
            raise FormatError(
                file, repr(item), AREA_EXPECTED,
                line=sheet.line_of(row), column=_FIXED + 4 * block + 3,
            )  # fmt: skip
        codes.append(item)
        levels.append(area_level(item, name))
    columns = {"area_code": Coded(pairs, codes).column(), "area_level": Coded(pairs, levels).column()}
    at = _FIXED + 4 * block + 2
    names = {item or COUNTRY: name_of_area(label) for item, label in sheet.labels(at, at + 1).items()}
    return columns, block, names


def _is_total_of_states(sheet: _Sheet, block: int, variable: str, row: int) -> bool:
    label = sheet.cells(row)[_FIXED + 4 * block + 3].strip()
    return variable.lstrip("F").startswith("DLAND") and label in ("Insgesamt", "Total")


def _is_region(variable: Coded) -> bool:
    used = set(variable.texts) - {""}
    return bool(used) and all(is_region_variable(name) for name in used)


def _variables(sheet: _Sheet, header: _Header) -> list[str]:
    blocks = (sheet.columns[_FIXED + 4 * n] for n in range(header.variables))
    return sorted({name for block in blocks for name in block.texts} - {""})


def _pairs(left: Coded, right: Coded) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Two columns as one: the codes of its distinct pairs, and the pairs in order of appearance."""
    combined = left.codes.astype(np.int64) * max(len(right.texts), 1) + right.codes
    codes, distinct = pd.factorize(combined)
    count = max(len(right.texts), 1)
    return codes, [(left.texts[d // count], right.texts[d % count]) for d in distinct]


def _dimensions(
    sheet: _Sheet, header: _Header, used_blocks: set[int | None]
) -> tuple[dict[str, pa.Array], dict[str, dict[str, str]]]:
    """One column per variable; null where a row has no such dimension (52411's empty blocks)."""
    columns: dict[str, pa.Array] = {}
    labels: dict[str, dict[str, str]] = {}
    for n in range(header.variables):
        if n in used_blocks:
            continue
        at = _FIXED + 4 * n
        variables, items = sheet.columns[at], sheet.columns[at + 2]
        for variable in sorted(set(variables.texts) - {""}):
            here = np.array([text == variable for text in variables.texts])[variables.codes]
            column = items.column() if here.all() else items.where(here)
            if variable in columns:
                column = pc.coalesce(columns[variable].cast(pa.string()), column.cast(pa.string()))
                column = column.dictionary_encode()
            columns[variable] = column
            found = sheet.labels(at + 2, at + 3, None if here.all() else np.flatnonzero(here))
            labels.setdefault(variable, {}).update({c: t.strip() for c, t in found.items()})
    return columns, labels


def _values(
    file: str, sheet: _Sheet, header: _Header, keys: dict[str, pa.Array], dimensions: list[str]
) -> tuple[pa.Table, dict[str, str], Callable[[int], int]]:
    """The long table, the measures' labels, and where a row of the table stands in the file."""
    end = header.width - header.has_quality
    if header.dialect == V5:
        at = end - 4
        _refuse_points_between_thousands(file, sheet, at)
        value, sign = split_values(file, sheet.columns[at], sheet.line_of, "value")
        if header.has_quality:
            quality = sheet.columns[end].map(lambda text: text if text in QUALITY_SIGNS else None)
            sign = pc.coalesce(sign.cast(pa.string()), quality.cast(pa.string())).dictionary_encode()
        measure, unit = sheet.columns[at + 2], sheet.columns[at + 1]
        columns = {**keys, "measure": measure.column(), "value": value, "sign": sign, "unit": unit.column()}
        return long_table(columns, dimensions), sheet.labels(at + 2, at + 3), sheet.line_of
    parts, empty = [], []
    first = end - len(header.measures)
    for offset, (code, _, unit_name) in enumerate(header.measures):
        if header.is_german:
            _refuse_points(file, sheet, first + offset, code)
        texts = sheet.columns[first + offset]
        empty.append(np.array([not text for text in texts.texts])[texts.codes])
        value, sign = split_values(file, texts, sheet.line_of, code)
        constant = {
            name: Coded.constant(text, sheet.rows).column()
            for name, text in (("measure", code), ("unit", unit_name))
        }
        parts.append(long_table({**keys, **constant, "value": value, "sign": sign}, dimensions))
    table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    labels = {code: label for code, label, _ in header.measures}
    kept = _without_empty_repeats(table, dimensions, np.concatenate(empty))
    return table.take(pa.array(kept)), labels, lambda row: sheet.line_of(int(kept[row]) % sheet.rows)


def _without_empty_repeats(table: pa.Table, dimensions: list[str], empty: np.ndarray) -> np.ndarray:
    """The rows without those that are an empty cell of a key that stands again.

    v4 writes some keys once per measure with the others' cells left empty (63121), and in some
    tables the same measure twice, one of them without a single value (22221).
    """
    key = combined_key(table, [*KEY_COLUMNS, *dimensions, "measure", "unit"])
    order = np.lexsort((np.arange(len(key)), empty, key))  # of each key, filled cells first
    again = np.zeros(len(key), dtype=bool)
    again[order[1:]] = key[order[1:]] == key[order[:-1]]
    return np.flatnonzero(~(again & empty))


def _refuse_points(file: str, sheet: _Sheet, at: int, column: str) -> None:
    """A German header writes decimals with a comma: `1.240` is no 1.24."""
    texts = sheet.columns[at]
    for index, text in enumerate(texts.texts):
        if "." in text and text not in (".", "..."):
            raise FormatError(
                file, repr(text), "numbers with ',' before the decimals and nothing between thousands",
                line=sheet.line_of(texts.first(index)), column=column,
            )  # fmt: skip


def _refuse_points_between_thousands(file: str, sheet: _Sheet, at: int) -> None:
    """A count (unit Anzahl, so a German file) has no decimals: `1.234` is none of 1.234 persons."""
    values, units = sheet.columns[at], sheet.columns[at + 1]
    pairs, distinct = _pairs(values, units)
    for index, (text, unit) in enumerate(distinct):
        if unit == "Anzahl" and "." in text and text not in (".", "..."):
            raise FormatError(
                file, repr(text), "a count without points between thousands",
                line=sheet.line_of(int(np.argmax(pairs == index))), column="value",
            )  # fmt: skip


def _refuse_foreign_variables(file: str, dims: dict[str, pa.Array], contract: OfficialTable) -> None:
    found, expected = set(dims), contract.variables()
    if found != expected:
        raise FormatError(
            file,
            f"the variables {', '.join(sorted(found)) or 'none'}",
            f"{', '.join(sorted(expected)) or 'none'}, as table {contract.code} has",
            line=1,
        )


def _refuse_foreign_measures(
    file: str, table: pa.Table, line_of: Callable[[int], int], contract: OfficialTable
) -> None:
    expected = {(c.measure, c.unit) for c in contract.columns}
    codes, pairs = _pairs(Coded.of(table["measure"]), Coded.of(table["unit"]))
    for index, (measure, unit) in enumerate(pairs):
        if (measure, unit) not in expected:
            known = ", ".join(f"{m} in {u}" for m, u in sorted(expected))
            raise FormatError(
                file, f"measure {measure} in {unit}", f"{known}, as table {contract.code} has",
                line=line_of(int(np.argmax(codes == index))), column="value_variable_code",
            )  # fmt: skip
