"""The offices' spreadsheet layout, whatever it arrives in: title, header rows, key columns, values.

Belongs here: a sheet of cells → long rows. Codes stand only on areas; everything else is a label.
With a table's contract the columns are taken by position and proved by their headers, and row
labels become official items; without one the labels are passed on as they are.
Does not belong here: finding the sheet in a text (datencsv.py) or a workbook (workbook.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from expectations.catalogue.model import Classification, OfficialTable
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.notation import (
    AREA_EXPECTED,
    COUNTRY,
    STATE_CODES,
    Period,
    area_level,
    is_area,
    name_of_area,
    names_areas,
    parse_period,
    parts_of_year,
)
from orchestration.collect.genesis.rows import (
    Coded,
    OfficialRows,
    long_table,
    period_columns,
    refuse_duplicates,
    refuse_incomplete,
    split_values,
)

UNITS = {
    "Anzahl", "Prozent", "%", "EUR", "Euro", "Tsd. EUR", "Mill. EUR", "Mio. EUR", "qkm", "km2", "Jahre",
    "1000", "1000 qm", "ha", "Promille", "je 1000", "Tsd.", "Mill.", "t", "Stunden", "Index", "number",
}  # fmt: skip
_SPOKEN_UNITS = {"EUR", "Euro", "Prozent", "%", "Promille"}
"""Those a heading names in words: `EUR je Einwohner`."""

_TITLE_UNIT = re.compile(r"\(([^()]+)\);*$")
_LONE_PERIOD = re.compile(r"^(?:Jahr: |Stichtag: |Stand: (?=\d\d\.))?([^;]+);*$")
_DAY_OF_EVERY_YEAR = re.compile(r"Stichtag:? (\d{2}\.\d{2}\.)(?!\d)")
_THOUSANDS = re.compile(r"\d{1,3}(?:[.,]\d{3})+")

PeriodReader = Callable[[str], Period | None]
"""What a text of a sheet says as a period, by the sheet's contract or its title."""
COUNTS = ("Anzahl", "number")
_QUALITY = {"", "e", "p", "r", "s", "()", "/", ".", "...", "-", "x"}


@dataclass(frozen=True)
class Grid:
    """A sheet's parts. `header` rows are as wide as the sheet; `numbers` are the rows' lines."""

    code: str
    title: list[str]
    header: list[list[str]]
    header_line: int
    rows: pd.DataFrame
    numbers: np.ndarray
    footnotes: str = ""
    licence: str | None = None
    stand: dt.datetime | None = None
    decimal: str | None = None
    """The decimal mark, where the sheet's language tells it: a point in a German one is none."""


@dataclass(frozen=True)
class _Column:
    """A value column: where it stands and what its header says."""

    path: str
    subject: str
    unit: str
    period: Period | None
    area: str | None
    at: int
    quality_at: int | None = None

    @property
    def label(self) -> str:
        """The measure's name where no contract gives it a code."""
        return " | ".join(part for part in (self.subject, self.path) if part)


@dataclass(frozen=True)
class _Keys:
    """What the columns before the values hold."""

    areas: Coded
    names: dict[str, str]
    label_at: list[int]
    periods: tuple[np.ndarray, list[Period]] | None = None
    rows: np.ndarray = field(default_factory=lambda: np.empty(0))


def read_grid(
    file: str,
    grid: Grid,
    encoding: str,
    contract: OfficialTable | None,
    classifications: dict[str, Classification],
    format_name: str,
) -> OfficialRows:
    """Long rows of a sheet.

    Raises FormatError with file, line and column for a sheet whose columns moved, whose labels are
    unknown to the contract, whose areas can't be named, or whose cells are neither number nor sign.
    """
    key_count = min(next((i for i, cell in enumerate(row) if cell), len(row)) for row in grid.header)
    if key_count < 1 or key_count == len(grid.header[0]):
        raise FormatError(file, "header rows without a value column", "at least one", line=grid.header_line)
    period_of = _period_reader(grid, contract)
    if contract and not contract.is_bound:
        contract = None
    columns = _columns(file, grid, key_count, period_of)
    title_period = _title_period(grid, period_of)
    keys = _keys(file, grid, key_count, period_of, [c.area for c in columns])
    table, numbers = grid.rows.iloc[keys.rows], grid.numbers[keys.rows]
    if keys.periods is None and title_period is None and columns[0].period is None:
        raise FormatError(
            file, "no period in title, header or first column", "a year or a reference day",
            line=grid.header_line,
        )  # fmt: skip
    row_measure, label_at = _row_measure(table, keys.label_at, contract)
    _refuse_loose_months(file, table, numbers, label_at)
    dims, items = _row_dimensions(file, table, numbers, label_at, contract, classifications)
    cells = _cells(file, columns, contract, grid.header_line)
    count = len(table)
    dimensions = [*dims, *(v for v in cells[0][2] if v not in dims)]

    def line_of(row: int) -> int:
        return int(numbers[row % count])

    parts = []
    for column, (measure, unit, fixed) in zip(columns, cells, strict=True):
        texts = Coded.of(table[column.at].to_numpy())
        _refuse_other_decimals(file, grid, texts, line_of, column.at + 1)
        if unit in COUNTS:
            _refuse_thousands(file, texts, line_of, column.at + 1)
        value, sign = split_values(file, texts, line_of, column.at + 1)
        if column.quality_at is not None:
            sign = _with_quality(sign, table[column.quality_at])
        if keys.periods is not None:
            span = period_columns(*keys.periods)
        else:
            whole = column.period or title_period
            assert whole is not None, "a sheet without any period was refused above"
            span = period_columns(np.zeros(count, dtype=np.int32), [whole])
        said = {"measure": Coded.constant(measure, count), "unit": Coded.constant(unit, count)}
        if row_measure is not None:
            said = {"measure": row_measure[0].with_suffix(measure), "unit": row_measure[1]}
        areas = keys.areas if column.area is None else Coded.constant(column.area, count)
        made = {
            "area_code": areas.column(),
            "area_level": _levels(areas, grid.code),
            **span,
            **dims,
            **{v: _constant(item, count) for v, item in fixed.items() if v not in dims},
            "table_code": Coded.constant(grid.code, count).column(),
            **{name: coded.column() for name, coded in said.items()},
            "value": value,
            "sign": sign,
        }
        parts.append(long_table(made, dimensions))
    whole_table = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    refuse_duplicates(file, whole_table, dimensions, line_of)
    if contract and columns[0].period is None:
        refuse_incomplete(file, whole_table)
    codebook = {
        "areas": keys.names,
        "items": items,
        "measures": {m: c.label for (m, _, _), c in zip(cells, columns, strict=True)},
    }
    return OfficialRows(
        whole_table, format_name, grid.code, encoding, grid.stand, grid.licence, grid.footnotes, codebook
    )


def _refuse_other_decimals(
    file: str, grid: Grid, texts: Coded, line_of: Callable[[int], int], column: int
) -> None:
    """`1.234` in a German sheet is no 1.234: somebody has put points between thousands."""
    other = {",": ".", ".": ","}.get(grid.decimal or "")
    for index, text in enumerate(texts.texts):
        if other and other in text and text not in (".", "..."):
            expected = f"numbers with {grid.decimal!r} before the decimals and nothing between thousands"
            raise FormatError(file, repr(text), expected, line=line_of(texts.first(index)), column=column)


def _refuse_thousands(file: str, texts: Coded, line_of: Callable[[int], int], column: int) -> None:
    """`45,607` among counts is 45607 with a mark between thousands, whatever the language."""
    marked = [text for text in texts.texts if "," in text or "." in text.strip(".")]
    if marked and all(_THOUSANDS.fullmatch(text) for text in marked):
        raise FormatError(
            file, repr(marked[0]), "a count without marks between thousands",
            line=line_of(texts.first(texts.texts.index(marked[0]))), column=column,
        )  # fmt: skip


def _period_reader(grid: Grid, contract: OfficialTable | None) -> PeriodReader:
    """How this sheet's periods are read: by its contract, else as they stand.

    Where the title names a day of the year (`Stichtag 30.06.`), a bare year means that day.
    """
    meaning = contract.period if contract else None
    day = next((m[1] for line in grid.title if (m := _DAY_OF_EVERY_YEAR.search(line))), None)
    if meaning is not None or day is None:
        return lambda text: parse_period(text, meaning)
    return lambda text: parse_period(day + text.strip() if re.fullmatch(r"\s*\d{4}\s*", text) else text)


def _row_measure(
    table: pd.DataFrame, label_at: list[int], contract: OfficialTable | None
) -> tuple[tuple[Coded, Coded] | None, list[int]]:
    """Measures and units that stand in the rows: a column of units and the labels left of it."""
    for place, at in enumerate(label_at):
        texts = Coded.of(table[at].str.strip().to_numpy())
        if contract is None and place and set(texts.texts) <= UNITS:
            measures = Coded.of(table[label_at[place - 1]].str.strip().to_numpy())
            return (measures, texts), [*label_at[: place - 1], *label_at[place + 1 :]]
    return None, label_at


def _refuse_loose_months(file: str, table: pd.DataFrame, numbers: np.ndarray, label_at: list[int]) -> None:
    """Months that stand apart from their year would carry the whole year as their period."""
    for at in label_at:
        if parts_of_year(table[at].unique()):
            raise FormatError(
                file, f"months or quarters in a column of their own ({table[at].iloc[0]!r})",
                "the year in the column before them", line=int(numbers[0]), column=at + 1,
            )  # fmt: skip


def _constant(item: str | None, count: int) -> pa.DictionaryArray:
    if item is not None:
        return Coded.constant(item, count).column()
    return pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), pa.array([], pa.string()))


def _with_quality(sign: pa.DictionaryArray, texts: pd.Series) -> pa.DictionaryArray:
    """The sign, or where there is none the quality that stands in the column beside the value."""
    quality = Coded.of(texts.str.strip().to_numpy()).map(lambda text: text or None)
    joined = pa.compute.coalesce(sign.cast(pa.string()), quality.cast(pa.string()))
    return joined.dictionary_encode()


def _columns(file: str, grid: Grid, key_count: int, period_of: PeriodReader) -> list[_Column]:
    """Every value column: its header path without unit and period rows, its unit, its period."""
    width = len(grid.header[0])
    qualities = {at for at in range(key_count, width) if _is_quality(grid, at)}
    values = [at for at in range(key_count, width) if at not in qualities and not _is_blank(grid, at)]
    if not values:
        raise FormatError(file, "no value column", "at least one", line=grid.header_line)
    header = grid.header
    if qualities:  # this dialect writes a merged heading once, over its first cell
        header = [repeat_headings(row, key_count) for row in header]
    rows = [[row[at] for at in values] for row in header]
    units: list[str] | None = None
    if any(rows[-1]) and all(_is_unit(cell) for cell in rows[-1]):
        units = rows.pop()
    periods: list[Period | None] = [None] * len(values)
    areas: list[str | None] = [None] * len(values)
    kept: list[list[str]] = []
    rows = _joined_months(file, grid, rows)
    for row in rows:
        parsed = [period_of(cell) for cell in row]
        if all(p is not None for p in parsed):
            periods = parsed
        elif all(_is_state(cell) for cell in row):
            areas = [STATE_CODES[name_of_area(cell)] for cell in row]
        else:
            kept.append(row)
    if any(p is not None for p in periods) and any(set(row) == {"Stichtag"} for row in kept):
        kept = [row for row in kept if set(row) != {"Stichtag"}]
    subject, title_unit = _subject(grid.title)
    return [
        _Column(
            path=" | ".join(row[i] for row in kept if row[i]),
            subject=subject,
            unit=units[i] if units else title_unit if _fits(title_unit, kept, i) else "",
            period=periods[i],
            area=areas[i],
            at=at,
            quality_at=at + 1 if at + 1 in qualities else None,
        )
        for i, at in enumerate(values)
    ]


def _joined_months(file: str, grid: Grid, rows: list[list[str]]) -> list[list[str]]:
    """Header rows with years over months as one row of both."""
    at = next((n for n, row in enumerate(rows) if parts_of_year(row)), None)
    if at is None:
        return rows
    years = next((n for n, row in enumerate(rows) if all(re.fullmatch(r"\d{4}", cell) for cell in row)), None)
    if years is None:
        raise FormatError(
            file, f"months or quarters in the header ({rows[at][0]!r})", "a header row of years over them",
            line=grid.header_line + at,
        )  # fmt: skip
    parts = parts_of_year(rows[at])
    assert parts is not None
    joined = [year + parts[part] for year, part in zip(rows[years], rows[at], strict=True)]
    return [joined if n == years else row for n, row in enumerate(rows) if n != at]


def _fits(title_unit: str, rows: list[list[str]], at: int) -> bool:
    """Does the unit in the title speak for a column? Not where the column's heading names another."""
    words = {word for row in rows for word in row[at].split()}
    return not (words & (_SPOKEN_UNITS - {title_unit}))


def _is_unit(text: str) -> bool:
    """`Anzahl`, `in (%)`, `2015=100`, or nothing; a bare year or a heading is none."""
    return text in UNITS or text == "" or re.fullmatch(r"in \(.+\)|\d{4}=100", text) is not None


def _is_quality(grid: Grid, at: int) -> bool:
    """A column of quality letters beside the values: no heading of its own, no number in it."""
    headings = [row[at] for row in grid.header]
    if any(heading and not _is_unit(heading) for heading in headings):
        return False
    found = set(grid.rows[at].str.strip().unique())
    return found <= _QUALITY and bool(found & {"e", "p", "r", "s"})


def _is_blank(grid: Grid, at: int) -> bool:
    """A column without heading and without any value, as spreadsheets append them."""
    return not any(row[at] for row in grid.header) and bool((grid.rows[at].str.strip() == "").all())


def repeat_headings(row: list[str], key_count: int) -> list[str]:
    """A merged heading stands in its first cell only; it speaks for the empty ones after it."""
    filled = row[:key_count]
    for cell in row[key_count:]:
        filled.append(cell or (filled[-1] if len(filled) > key_count else ""))
    return filled


def _subject(title: list[str]) -> tuple[str, str]:
    """Measure and unit where the title names them: `Bevölkerungsstand (Anzahl)`."""
    for line in reversed(title):
        match = _TITLE_UNIT.search(line)
        if match and match[1] in UNITS:
            return line[: match.start()].strip(), match[1]
    return "", ""


def _title_period(grid: Grid, period_of: PeriodReader) -> Period | None:
    for line in reversed(grid.title):
        match = _LONE_PERIOD.match(line)
        if match and (period := period_of(match[1])):
            return period
    return None


def _keys(
    file: str, grid: Grid, key_count: int, period_of: PeriodReader, in_header: list[str | None]
) -> _Keys:
    """Find period, area and label columns among the key columns, and set lone period lines apart."""
    table, numbers = grid.rows, grid.numbers
    rows, lone = _lone_periods(table, period_of)
    if not len(rows):
        raise FormatError(file, "a header and no rows", "at least one row", line=grid.header_line)
    table, numbers = table.iloc[rows].copy(), numbers[rows]
    if _is_period_column(table[0], period_of):  # written once, over the lines it speaks for
        table[0] = table[0].replace("", None).ffill()
    free = list(range(key_count))
    periods = lone
    if periods is None and _is_period_column(table[0], period_of):
        # One that says year and the next month or quarter together name the period.
        parts = parts_of_year(table[1].unique()) if key_count > 1 else None
        texts, used = table[0], [0]
        if parts is not None:
            texts, used = table[0] + table[1].map(parts), [0, 1]
        periods = _parsed(file, texts, numbers, period_of)
        free = [at for at in free if at not in used]
    if all(area is not None for area in in_header):
        names = {code: name for name, code in STATE_CODES.items()}
        return _Keys(Coded.constant(COUNTRY, len(rows)), names, free, periods, rows)
    at = next((at for at in free if _mostly(table[at], is_area)), None)
    if at is not None and at + 1 in free and not names_areas(table[at], table[at + 1]):
        at = None
    if at is not None:
        if at + 1 not in free:
            raise FormatError(
                file, "an area's code and no name beside it", "a column of names after the codes",
                line=int(numbers[0]), column=at + 1,
            )  # fmt: skip
        areas = _area_codes(file, table, numbers, at)
        _, names = _named(table[at], table[at + 1])
        return _Keys(areas, names, [p for p in free if p not in (at, at + 1)], periods, rows)
    at = next((at for at in free if _mostly(table[at], _is_state)), None)
    if at is not None:
        areas, names = _states(file, table, numbers, at)
        return _Keys(areas, names, [p for p in free if p != at], periods, rows)
    if not any(re.search("Deutschland|Germany", line) for line in grid.title):
        raise FormatError(
            file, f"no area: the first row begins {';'.join(table.iloc[0, :key_count])!r}",
            "area codes, names of Länder, or Deutschland in the title", line=int(numbers[0]),
        )  # fmt: skip
    return _Keys(Coded.constant(COUNTRY, len(rows)), {COUNTRY: "Deutschland"}, free, periods, rows)


def _lone_periods(
    table: pd.DataFrame, period_of: PeriodReader
) -> tuple[np.ndarray, tuple[np.ndarray, list[Period]] | None]:
    """Lines that hold a period and nothing else, as in `2015;;;;`, speak for the lines below them."""
    bare = (table.iloc[:, 1:] == "").all(axis=1).to_numpy()
    found = {
        row: period
        for row in map(int, np.flatnonzero(bare))
        if (period := period_of(str(table.iloc[row, 0]))) is not None
    }
    every = np.arange(len(table))
    if not found or 0 not in found:
        return every, None
    lines = np.array(sorted(found))
    rows = np.setdiff1d(every, lines)
    return rows, (np.searchsorted(lines, rows, side="right") - 1, [found[n] for n in sorted(found)])


def _is_period_column(texts: pd.Series, period_of: PeriodReader) -> bool:
    first = str(texts.iloc[0])
    return period_of(first) is not None and not is_area(first)


def _parsed(
    file: str, texts: pd.Series, numbers: np.ndarray, period_of: PeriodReader
) -> tuple[np.ndarray, list[Period]]:
    codes, distinct = pd.factorize(texts)
    periods = []
    for index, text in enumerate(distinct):
        period = period_of(text)
        if period is None:
            raise FormatError(
                file, repr(text), "a year or a day such as 31.12.2015, as on the lines before",
                line=int(numbers[int(np.argmax(codes == index))]), column=1,
            )  # fmt: skip
        periods.append(period)
    return codes, periods


def _mostly(texts: pd.Series, test: Callable[[str], bool]) -> bool:
    """Does half of a column pass, or more? The rest is then an error, not another kind of column."""
    codes, distinct = pd.factorize(texts.str.strip())
    passed = np.array([test(text) for text in distinct])
    return bool(passed[codes].mean() >= 0.5)


def _area_codes(file: str, table: pd.DataFrame, numbers: np.ndarray, at: int) -> Coded:
    areas = Coded.of(table[at].to_numpy())
    for index, code in enumerate(areas.texts):
        if not is_area(code):
            raise FormatError(
                file, repr(code), AREA_EXPECTED,
                line=int(numbers[areas.first(index)]), column=at + 1,
            )  # fmt: skip
    return areas


def _named(codes: pd.Series, names: pd.Series) -> tuple[pd.DataFrame, dict[str, str]]:
    pairs = pd.DataFrame({"code": codes.to_numpy(), "name": names.to_numpy()}).drop_duplicates()
    return pairs, {code: name_of_area(name) for code, name in pairs.itertuples(index=False)}


def _is_state(label: str) -> bool:
    return name_of_area(label) in STATE_CODES


def _states(file: str, table: pd.DataFrame, numbers: np.ndarray, at: int) -> tuple[Coded, dict[str, str]]:
    """Areas by the names of the Länder: sixteen fixed names, the only labels that are safe as keys."""
    labels = Coded.of(table[at].map(name_of_area).to_numpy())
    complete = set(STATE_CODES) - {"Deutschland", "Insgesamt"} <= set(labels.texts)
    codes = []
    for index, label in enumerate(labels.texts):
        code = COUNTRY if label == "Insgesamt" and complete else STATE_CODES.get(label)
        if code is None:
            raise FormatError(
                file, repr(label), f"the name of a Land ({', '.join(STATE_CODES)})",
                line=int(numbers[labels.first(index)]), column=at + 1,
            )  # fmt: skip
        codes.append(code)
    return Coded(labels.codes, codes), dict(zip(codes, labels.texts, strict=True))


def _levels(areas: Coded, table_code: str) -> pa.DictionaryArray:
    # Tables of municipalities end in -5, those of all levels together in -5-B.
    variable = "GEMEIN" if re.search(r"-5(-B)?$", table_code) else "KREISE"
    return areas.map(lambda code: area_level(code, variable))


def _row_dimensions(
    file: str,
    table: pd.DataFrame,
    numbers: np.ndarray,
    positions: list[int],
    contract: OfficialTable | None,
    classifications: dict[str, Classification],
) -> tuple[dict[str, pa.Array], dict[str, dict[str, str]]]:
    """Text columns beside the area: official items by the contract, else the labels themselves."""
    if contract is None:
        return {
            f"dimension_{n}": Coded.of(table[p].str.strip().to_numpy()).column()
            for n, p in enumerate(positions, start=1)
        }, {}
    if len(positions) != len(contract.row_dimensions):
        raise FormatError(
            file,
            f"{len(positions)} text columns after the area's name",
            f"{len(contract.row_dimensions)} ({', '.join(contract.row_dimensions) or 'none'}), "
            f"as table {contract.code} has",
            line=int(numbers[0]),
        )
    dims: dict[str, pa.Array] = {}
    items: dict[str, dict[str, str]] = {}
    for position, variable in zip(positions, contract.row_dimensions, strict=True):
        known = {label: i.code for i in classifications[variable].items for label in i.labels}
        labels = Coded.of(table[position].str.strip().to_numpy())
        for index, label in enumerate(labels.texts):
            if label not in known:
                raise FormatError(
                    file, repr(label), f"a label of {variable}: {', '.join(known)}",
                    line=int(numbers[labels.first(index)]), column=position + 1,
                )  # fmt: skip
        dims[variable] = labels.map(known.__getitem__)
        items[variable] = {known[label]: label for label in labels.texts}
    return dims, items


def _cells(
    file: str, columns: list[_Column], contract: OfficialTable | None, line: int
) -> list[tuple[str, str, dict[str, str | None]]]:
    """Measure, unit and fixed items of every value column; with a contract, by position."""
    if contract is None:
        return [(c.label, c.unit, {}) for c in columns]
    groups = len({c.period for c in columns})
    if len(columns) != groups * len(contract.columns):
        raise FormatError(
            file, f"{len(columns)} value columns", f"{groups * len(contract.columns)}, as table {contract.code} has",
            line=line,
        )  # fmt: skip
    variables = sorted({v for c in contract.columns for v in c.items})
    cells: list[tuple[str, str, dict[str, str | None]]] = []
    for number, column in enumerate(columns):
        expected = contract.columns[number % len(contract.columns)]
        if expected.header is None:
            raise FormatError(
                file, "a spreadsheet", f"a flat file (ffcsv): the headers of {contract.code} are not declared",
                line=line,
            )  # fmt: skip
        if not re.search(expected.header, column.path):
            raise FormatError(
                file, f"header {column.path!r}", f"a header like {expected.header!r}: the columns have moved",
                line=line, column=column.at + 1,
            )  # fmt: skip
        if column.unit and column.unit != expected.unit:
            raise FormatError(
                file, f"unit {column.unit!r}", repr(expected.unit), line=line, column=column.at + 1
            )
        fixed: dict[str, str | None] = {v: expected.items.get(v) for v in variables}
        cells.append((expected.measure, expected.unit, fixed))
    return cells
