"""ffcsv, the offices' flat-file CSV, in both dialects.

v5 (since November 2024): English header, one row per measure, attribute codes.
v4 (until 2024): German header (or a broken English one), measures as columns
`CODE__Label__Unit`, dates as 31.12.2023. Which one it is stands in the header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from expectations.catalogue.model import OfficialTable, PeriodMeaning
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import (
    REGION_VARIABLES,
    area_level,
    is_area,
    name_of_area,
    parse_period,
)
from orchestration.collect.genesis.rows import (
    KEY_COLUMNS,
    VALUE_COLUMNS,
    OfficialRows,
    cells_of,
    refuse_duplicates,
    refuse_incomplete,
    split_values,
)

V5 = "ffcsv_v5"
V4 = "ffcsv_v4"

_FIXED = 5  # statistic code and label, time code and label, time
_V5_TAIL = ["value", "value_unit", "value_variable_code", "value_variable_label"]
_V4_MEASURE = re.compile(r"^([A-Z][A-Z0-9]*)__(.*)__([^_].*?)$")


def is_ffcsv(first_line: str) -> bool:
    """Does the header belong to one of the two dialects?"""
    return first_line.startswith(("statistics_code;", "Statistik_Code;"))


@dataclass(frozen=True)
class _Header:
    dialect: str
    variables: int
    measures: list[tuple[str, str, str]]
    """v4 only: code, label and unit of each measure column."""
    has_quality: bool


def read_ffcsv(
    file: str, text: str, encoding: str, table_code: str, contract: OfficialTable | None
) -> OfficialRows:
    """Long rows of an ffcsv text; `table_code` comes from the file's name, ffcsv has none inside.

    Raises FormatError with file, line and column for anything that is not as the dialect says.
    """
    lines = text.split("\n")
    header = _header(file, lines[0].split(";"))
    if lines[-1] != "":
        raise FormatError(
            file, f"no end of line after {lines[-1][-40:]!r}", "a file that ends with a whole line",
            line=len(lines),
        )  # fmt: skip
    body = [(number, line) for number, line in enumerate(lines[1:], start=2) if line]
    width = lines[0].count(";")
    for number, line in body:
        if line.count(";") != width:
            found = f"{line.count(';') + 1} columns"
            raise FormatError(file, found, f"{width + 1}, as in the header", line=number)
    if not body:
        raise FormatError(file, "a header and no rows", "at least one row", line=1)
    table = cells_of([line for _, line in body])
    numbers = pd.Series([number for number, _ in body])
    notes: list[str] = []
    if header.dialect == V4:
        table, numbers, notes = _without_shifted_rows(file, table, numbers)
    _same_statistic(file, table, numbers, table_code)
    meaning = contract.period if contract else None
    periods = _periods(file, table, numbers, meaning)
    areas, region_block = _areas(file, table, numbers, header)
    dims, labels = _dimensions(table, header, region_block)
    if contract:
        _refuse_foreign_variables(file, dims, contract)
    keys = pd.concat([periods, areas, dims], axis=1)
    keys.insert(0, "table_code", table_code)
    frame, value_lines, measures = _values(file, table, numbers, header, keys)
    dimension_names = list(dims.columns)
    frame = frame[[*KEY_COLUMNS, *dimension_names, *VALUE_COLUMNS]]
    if contract:
        _refuse_foreign_measures(file, frame, value_lines, contract)
    unique = [*KEY_COLUMNS[:4], *dimension_names, "measure", "unit"]
    refuse_duplicates(file, frame, unique, value_lines)
    if contract:
        refuse_incomplete(file, frame, dimension_names)
    codebook = {"areas": _area_names(table, region_block), "items": labels, "measures": measures}
    return OfficialRows(frame, header.dialect, table_code, encoding, codebook=codebook, notes=notes)


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
        return _Header(V5, len(blocks) // 4, [], has_quality)
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
    return _Header(V4, variables, measures, has_quality)


def _without_shifted_rows(
    file: str, table: pd.DataFrame, numbers: pd.Series
) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """Drop v4's shifted rows: they begin with the region variable and hold no value at all.

    Recorded in 52411 (538 rows, shifted by five columns). One that holds a value is refused.
    """
    shifted = table[0].isin(REGION_VARIABLES)
    if not shifted.any():
        return table, numbers, []
    filled = shifted & (table.iloc[:, 4:] != "").any(axis=1)
    if filled.any():
        row = int(np.argmax(filled.to_numpy()))
        raise FormatError(
            file, f"a row shifted by five columns with values: {';'.join(table.iloc[row])}",
            "a statistic's code in the first column", line=int(numbers[row]), column=1,
        )  # fmt: skip
    note = f"{int(shifted.sum())} rows without any value left out: shifted by five columns"
    keep = ~shifted
    return table[keep].reset_index(drop=True), numbers[keep].reset_index(drop=True), [note]


def _same_statistic(file: str, table: pd.DataFrame, numbers: pd.Series, table_code: str) -> None:
    """The rows' statistic must be the one in the file's name (Regionalatlas AI-… holds 99910)."""
    expected = "99910" if table_code.startswith("AI") else table_code.split("-")[0].rstrip("BDKRT")
    wrong = table[0] != expected
    if wrong.any():
        row = int(np.argmax(wrong.to_numpy()))
        raise FormatError(
            file,
            f"statistic {table.iloc[row, 0]!r}",
            f"{expected!r}, because the file is named {table_code}",
            line=int(numbers[row]),
            column="statistics_code",
        )


def _periods(
    file: str, table: pd.DataFrame, numbers: pd.Series, meaning: PeriodMeaning | None
) -> pd.DataFrame:
    codes, distinct = pd.factorize(table[4])
    found = []
    for index, text in enumerate(distinct):
        period = parse_period(text, meaning)
        if period is None:
            row = int(np.argmax(codes == index))
            raise FormatError(
                file, repr(text), "a period such as 2024-12-31, 31.12.2024, 2024 or 2023-10P6M",
                line=int(numbers[row]), column="time",
            )  # fmt: skip
        found.append((period.start, period.end, period.label))
    columns = np.array(found, dtype=object)[codes]
    return pd.DataFrame(columns, columns=["period_start", "period_end", "period_label"])


def _areas(
    file: str, table: pd.DataFrame, numbers: pd.Series, header: _Header
) -> tuple[pd.DataFrame, int | None]:
    """Area code and level, and which variable block holds the region (None: Germany as a whole)."""
    block = next(
        (
            n
            for n in range(header.variables)
            if set(table[_FIXED + 4 * n].unique()) - {""} <= REGION_VARIABLES
            and (table[_FIXED + 4 * n] != "").any()
        ),
        None,
    )
    if block is None:
        only = pd.DataFrame({"area_code": "DG", "area_level": "country"}, index=table.index)
        return only, None
    variable, code = table[_FIXED + 4 * block], table[_FIXED + 4 * block + 2]
    pairs, distinct = pd.factorize(variable + ";" + code)
    levels = []
    for index, pair in enumerate(distinct):
        name, item = pair.split(";")
        if not is_area(item):
            row = int(np.argmax(pairs == index))
            raise FormatError(
                file, repr(item), "an area code (DG, or 2 to 12 digits)",
                line=int(numbers[row]), column=_FIXED + 4 * block + 3,
            )  # fmt: skip
        levels.append(area_level(item, name))
    return pd.DataFrame({"area_code": code, "area_level": np.array(levels, dtype=object)[pairs]}), block


def _dimensions(
    table: pd.DataFrame, header: _Header, region_block: int | None
) -> tuple[pd.DataFrame, dict[str, dict[str, str]]]:
    """One column per variable; NaN where a row has no such dimension (52411's empty blocks)."""
    columns: dict[str, pd.Series] = {}
    labels: dict[str, dict[str, str]] = {}
    for n in range(header.variables):
        if n == region_block:
            continue
        at = _FIXED + 4 * n
        for variable in sorted(set(table[at].unique()) - {""}):
            here = table[at] == variable
            item = table[at + 2].where(here)
            columns[variable] = columns[variable].fillna(item) if variable in columns else item
            pairs = table.loc[here, [at + 2, at + 3]].drop_duplicates()
            names = labels.setdefault(variable, {})
            names |= {c: t.strip() for c, t in pairs.itertuples(index=False)}
    return pd.DataFrame(columns, index=table.index), labels


def _values(
    file: str, table: pd.DataFrame, numbers: pd.Series, header: _Header, keys: pd.DataFrame
) -> tuple[pd.DataFrame, pd.Series, dict[str, str]]:
    end = table.shape[1] - header.has_quality
    if header.dialect == V5:
        at = end - 4
        names = np.full(len(table), "value", dtype=object)
        value, sign = split_values(file, table[at].to_numpy(), numbers.to_numpy(), names)
        if header.has_quality:
            quality = table[end].where(table[end].isin(["p", "r", "s", "e"]))
            sign = sign.fillna(quality)
        frame = keys.assign(measure=table[at + 2], value=value, sign=sign, unit=table[at + 1])
        labels: dict[str, str] = dict(table[[at + 2, at + 3]].drop_duplicates().itertuples(index=False))
        return frame, numbers, labels
    parts, lines = [], []
    first = end - len(header.measures)
    for offset, (code, _, unit) in enumerate(header.measures):
        names = np.full(len(table), code, dtype=object)
        value, sign = split_values(file, table[first + offset].to_numpy(), numbers.to_numpy(), names)
        parts.append(keys.assign(measure=code, value=value, sign=sign, unit=unit))
        lines.append(numbers)
    labels = {code: label for code, label, _ in header.measures}
    return (
        pd.concat(parts, ignore_index=True),
        pd.concat(lines, ignore_index=True),
        labels,
    )


def _refuse_foreign_variables(file: str, dims: pd.DataFrame, contract: OfficialTable) -> None:
    found, expected = set(dims.columns), contract.variables()
    if found != expected:
        raise FormatError(
            file,
            f"the variables {', '.join(sorted(found)) or 'none'}",
            f"{', '.join(sorted(expected)) or 'none'}, as table {contract.code} has",
            line=1,
        )


def _refuse_foreign_measures(
    file: str, frame: pd.DataFrame, lines: pd.Series, contract: OfficialTable
) -> None:
    expected = {(c.measure, c.unit) for c in contract.columns}
    pairs = frame[["measure", "unit"]].drop_duplicates()
    for index, measure, unit in pairs.itertuples():
        if (measure, unit) not in expected:
            known = ", ".join(f"{m} in {u}" for m, u in sorted(expected))
            raise FormatError(
                file, f"measure {measure} in {unit}", f"{known}, as table {contract.code} has",
                line=int(lines.iloc[index]), column="value_variable_code",
            )  # fmt: skip


def _area_names(table: pd.DataFrame, region_block: int | None) -> dict[str, str]:
    if region_block is None:
        return {"DG": "Deutschland"}
    at = _FIXED + 4 * region_block
    pairs = table[[at + 2, at + 3]].drop_duplicates()
    return {code: name_of_area(label) for code, label in pairs.itertuples(index=False)}
