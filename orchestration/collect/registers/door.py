"""The door: text in, typed rows without anybody's name out, or a refusal with every reason.

Belongs here: the checks of a declaration and what a column becomes, as SQL over batches of text. No
text of a delivery reaches a disk or an error message from here. Does not belong here: reading the
text (files.py, databases.py), keeping the rows (vault.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from expectations.catalogue.base import Text
from expectations.catalogue.registers import (
    OTHERWISE,
    Column,
    ColumnType,
    MeanRule,
    OrderRule,
    Register,
    ShareRule,
    VolumeRule,
)
from orchestration.collect.registers.keys import pseudonyms
from orchestration.collect.registers.problems import SHOWN, DatabaseError, Problem, RefusedError, refused

ROW = "_row"
"""The sender's own row number, beside every row until it is accepted."""

OLDEST = 120
"""Nobody is older in years."""

_YES = ["1", "J", "j", "ja", "Ja", "true", "True", "t", "Y"]
_NO = ["0", "N", "n", "nein", "Nein", "false", "False", "f"]


@dataclass(frozen=True)
class Arrival:
    """Text as it came: `batches` have the declared ids as columns, all text, and ROW.

    `reference`: the reference day, where it does not stand in a column. `decimal`: the decimal mark.
    """

    batches: Iterator[pa.RecordBatch]
    reference: dt.date | None
    decimal: str


@dataclass(frozen=True)
class Span:
    """The period a delivery speaks of."""

    start: dt.date
    end: dt.date
    label: str


@dataclass(frozen=True)
class Admitted:
    """Typed rows in table `admitted` of a database of their own, not yet in the vault."""

    path: Path
    rows: int
    reference: dt.date
    span: Span


@dataclass(frozen=True)
class _Fault:
    """One thing that may be wrong in a row, as a condition on it.

    `screen`: a cheaper condition that is true at least as often; none where another fault's covers it.
    """

    kind: str
    column: Column
    condition: str
    expected: Text
    screen: str | None


def schema(register: Register) -> pa.Schema:
    """What the readers deliver for a register: text, and the row's number."""
    return pa.schema([(ROW, pa.int64()), *((c.id, pa.string()) for c in register.kept)])


def as_text(value: Any) -> str | None:
    """A value of a cell or of a driver as text: whole numbers without a point, dates as ISO, no empty text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def span_of(register: Register, day: dt.date) -> Span:
    """The period a reference day belongs to."""
    if register.period == "reference_day":
        return Span(day, day, day.strftime("%d.%m.%Y"))
    if register.period == "calendar_year":
        return Span(dt.date(day.year, 1, 1), dt.date(day.year, 12, 31), str(day.year))
    start = day.year if day.month >= 8 else day.year - 1
    return Span(dt.date(start, 8, 1), dt.date(start + 1, 7, 31), f"{start}/{(start + 1) % 100:02d}")


def period_before(register: Register, span: Span) -> Span:
    """The school or calendar year that ends the day before another begins."""
    return span_of(register, span.start - dt.timedelta(days=1))


def admit(
    register: Register, arrival: Arrival, key: bytes, path: Path, today: dt.date, before: int | None = None
) -> Admitted:
    """Check every row and write what may be kept to a new database at `path`, batch by batch.

    `before`: how many rows the delivery before had, for rules of volume. Raises RefusedError with every
    problem found; nothing is left at `path` then.
    """
    path.unlink(missing_ok=True)
    # Three threads on two cores: one of them always waits for the next batch.
    connection = duckdb.connect(str(path), config={"temp_directory": "", "memory_limit": "1GB", "threads": 3})
    try:
        path.chmod(0o600)
        # Hashes don't compress, and trying to costs more than reading the delivery.
        connection.execute("set force_compression = 'uncompressed'")
        # Nor does the order of the file matter once the rows have their numbers; keeping it costs a third.
        connection.execute("set preserve_insertion_order = false")
        faults = _faults(register)
        _stage(connection, register, arrival, key, faults)
        rows = connection.execute("select count(*) from staged").fetchall()[0][0]
        if not rows:
            raise refused("empty", "mindestens eine Zeile", "at least one row")
        problems = [*_row_problems(connection, register, faults), *_duplicates(connection, register)]
        problems += _contradictions(connection, register)
        if not problems:
            problems += _whole_problems(connection, register, rows, before)
        reference, span, wrong = _period(connection, register, arrival, today)
        if problems or wrong:
            raise RefusedError(*problems, *wrong)
        assert reference is not None
        assert span is not None
        # What was needed to say where faults are would lead from a record back to the sender's file.
        for helper in (ROW, "_reference", "_faults", *_shown_texts(register)):
            connection.execute(f'alter table staged drop column "{helper}"')
        connection.execute("alter table staged rename to admitted")
    except BaseException:
        connection.close()
        path.unlink(missing_ok=True)
        raise
    connection.close()
    return Admitted(path, rows, reference, span)


# --- row by row -----------------------------------------------------------------------------------


def _stage(
    connection: duckdb.DuckDBPyConnection,
    register: Register,
    arrival: Arrival,
    key: bytes,
    faults: list[_Fault],
) -> None:
    """One pass over the batches: typed columns, and the faults of every row as bits."""
    typed = ", ".join(f'{_typed(c, arrival.decimal)} as "typed.{c.id}"' for c in register.kept)
    kept = ", ".join(f'"typed.{c.id}" as "{c.id}"' for c in register.kept)
    kept += "".join(f', "{name.removeprefix("raw.")}" as "{name}"' for name in _shown_texts(register))
    bits = [f"case when {f.condition} then {2**n}::hugeint else 0::hugeint end" for n, f in enumerate(faults)]
    # Few rows are wrong: the cheap conditions screen all, the bits are made for what they let through.
    screen = " or ".join(f.screen for f in faults if f.screen)
    sql = f"""
        create table staged as
        with dated as (select *, {_reference_of(register, arrival)} as _reference from incoming),
        typed as (select *, {typed} from dated)
        select {ROW}, _reference, {kept},
            case when {screen} then {" | ".join(bits)} else 0::hugeint end as _faults
        from typed"""
    caught: list[Exception] = []

    def watched() -> Iterator[pa.RecordBatch]:
        try:
            for batch in _ahead(arrival.batches):
                yield _prepared(register, batch, key)
        except (RefusedError, DatabaseError) as error:
            caught.append(error)
            raise

    hashes = [
        pa.field(f"hash.{c.id}", pa.binary(32)) for c in register.kept if c.type is ColumnType.PSEUDONYM
    ]
    prepared = pa.schema([*schema(register), *hashes])
    connection.register("incoming", pa.RecordBatchReader.from_batches(prepared, watched()))
    try:
        connection.execute(sql)
    except (duckdb.Error, pa.ArrowInvalid, ValueError, OSError) as error:
        # Whatever a library says may quote a cell, so only the kind of failure is told on.
        if caught:
            raise caught[0] from None
        kind = type(error).__name__
        raise refused("unreadable", f"Zeilen wie erklärt ({kind})", f"rows as declared ({kind})") from None
    finally:
        connection.unregister("incoming")


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, the next one already being read while this one is worked on."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def _shown_texts(register: Register) -> list[str]:
    """Columns with the texts as they came, for reports about registers in which nobody is named."""
    return [] if register.personal else [f"raw.{c.id}" for c in register.kept]


def _prepared(register: Register, batch: pa.RecordBatch, key: bytes) -> pa.RecordBatch:
    """A batch without blanks around its texts, empty ones as null, and the keyed hashes beside them.

    In Arrow, not in the SQL: its trimming costs a third, and DuckDB has no HMAC but only its parts.
    """
    columns = {ROW: batch.column(ROW)}
    for column in register.kept:
        text = batch.column(column.id)
        data = text.buffers()[2]
        if data is not None and b" " in data.to_pybytes():
            text = pc.ascii_trim(text, characters=" ")
        if pc.min(pc.binary_length(text)).as_py() == 0:
            text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
        columns[column.id] = text
    for column in register.kept:
        if column.type is ColumnType.PSEUDONYM:
            columns[f"hash.{column.id}"] = pseudonyms(columns[column.id], key)
    return pa.RecordBatch.from_pydict(columns)


def _reference_of(register: Register, arrival: Arrival) -> str:
    if register.reference.column is not None:
        return _date(f'"{register.reference.column}"')
    assert arrival.reference is not None, "a reference day in a file's name is read with the file"
    return f"date '{arrival.reference.isoformat()}'"


def _date(text: str) -> str:
    """31.12.2024, 2024-12-31 (with a time of midnight, as databases write it) or 20241231.

    The length and one character tell the forms apart, which is ten times as fast as a pattern; what
    is between them is strptime's to judge.
    """
    return (
        f"case when length({text}) = 10 and {text}[3] = '.' then try_strptime({text}, '%d.%m.%Y')::date "
        f"when length({text}) = 10 and {text}[5] = '-' then try_strptime({text}, '%Y-%m-%d')::date "
        f"when length({text}) = 8 then try_strptime({text}, '%Y%m%d')::date "
        f"when regexp_full_match({text}, '\\d{{4}}-\\d{{2}}-\\d{{2}}[ T]00:00:00(\\.0+)?') "
        f"then try_strptime({text}[1:10], '%Y-%m-%d')::date end"
    )


def _typed(column: Column, decimal: str) -> str:
    """What becomes of a column's text; null where it can't be."""
    text = f'"{column.id}"'
    match column.type:
        case ColumnType.PSEUDONYM:
            return f'"hash.{column.id}"'
        case ColumnType.AGE:
            month, day = (column.age_on or "00-00").split("-")
            on = f"make_date(year(_reference), {int(month)}, {int(day)})" if column.age_on else "_reference"
            return f"date_sub('year', {_date(text)}, {on})::smallint"
        case ColumnType.BIRTH_MONTH:
            return f"date_trunc('month', {_date(text)})::date"
        case ColumnType.DATE:
            return _date(text)
        case ColumnType.CODE:
            named = {code: word for code, word in column.codes.items() if code != OTHERWISE}
            # The declared words as an enumeration: a byte a row, which is written five times as fast as text.
            words = f"enum({_list(list(dict.fromkeys(column.codes.values())))[1:-1]})"
            found = f"map({_list(list(named))}, {_list(list(named.values()))}::{words}[])[{text}]"
            if (word := column.codes.get(OTHERWISE)) is None:
                return found
            other = f"case when regexp_full_match({text}, {_quoted(column.pattern or '')}) then {_quoted(word)}::{words} end"
            return f"coalesce({found}, {other})" if named else other
        case ColumnType.FLAG:
            yes, no = _list(_YES), _list(_NO)
            return f"case when list_contains({yes}, {text}) then true when list_contains({no}, {text}) then false end"
        case ColumnType.INTEGER:
            return f"case when regexp_full_match({text}, '-?\\d{{1,12}}') then try_cast({text} as bigint) end"
        case ColumnType.NUMBER:
            mark = "," if decimal == "," else "\\."
            return (
                f"case when regexp_full_match({text}, '-?\\d{{1,12}}({mark}\\d{{1,9}})?') "
                f"then try_cast(replace({text}, ',', '.') as double) end"
            )
        case _:
            return text


def _list(texts: list[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _faults(register: Register) -> list[_Fault]:
    """Every condition a row may break, in a fixed order: the place is the bit."""
    found: list[_Fault] = []
    for column in register.kept:
        text, typed = f'"{column.id}"', f'"typed.{column.id}"'

        def fault(
            kind: str, condition: str, expected: Text, *, screen: str | None, column: Column = column
        ) -> None:
            found.append(_Fault(kind, column, condition, expected, screen))

        formula = (
            f"coalesce({text}[1] in ('=', '@', '#') and "
            f"regexp_matches({text}, '^(=|@|#(BEZUG|REF|N/A|NV|WERT|VALUE|DIV|NAME|ZAHL|NUM|NULL))'), false)"
        )
        # A formula is of no type and of no pattern: those conditions find it, too.
        is_typed = column.type is ColumnType.CODE or column.type in _FORMS
        covered = is_typed or column.pattern is not None
        untyped = f"({text} is not null and {typed} is null)"
        fault("formula", formula, Text(de="einen Wert", en="a value"), screen=None if covered else formula)
        if column.required:
            always = Text(de="eine Angabe in jeder Zeile", en="a value in every row")
            fault("missing", f"{text} is null", always, screen=f"{text} is null")
        if column.type is ColumnType.CODE and OTHERWISE not in column.codes:
            known = ", ".join(column.codes)
            expected = Text(de=f"einen der Schlüssel {known}", en=f"one of the codes {known}")
            fault("code", f"{untyped} and not {formula}", expected, screen=untyped)
        elif column.type in _FORMS:
            fault("malformed", f"{untyped} and not {formula}", _FORMS[column.type], screen=untyped)
        if column.pattern is not None:
            other = f"({text} is not null and not regexp_full_match({text}, {_quoted(column.pattern)}))"
            expected = Text(de=f"die Form {column.pattern}", en=f"the form {column.pattern}")
            fault("malformed", f"{other} and not {formula}", expected, screen=other)
        low, high = column.min, column.max
        if column.type is ColumnType.AGE:
            low, high = low if low is not None else 0, high if high is not None else OLDEST
        if low is not None or high is not None:
            beyond = [
                f"{typed} {sign} {bound:g}" for sign, bound in (("<", low), (">", high)) if bound is not None
            ]
            outside = f"coalesce({' or '.join(beyond)}, false)"
            unit = (
                (" Jahre", " years") if column.type is ColumnType.AGE
                else (f" {column.unit}",) * 2 if column.unit else ("", "")
            )  # fmt: skip
            bounds = f"{'' if low is None else f'{low:g}'} … {'' if high is None else f'{high:g}'}"
            expected = Text(de=f"{bounds}{unit[0]}".strip(), en=f"{bounds}{unit[1]}".strip())
            fault("range", outside, expected, screen=outside)
        # A birth after the reference day would still make an age of nought.
        day = _date(text) if column.type is ColumnType.AGE else typed
        dated = column.type in (ColumnType.DATE, ColumnType.BIRTH_MONTH, ColumnType.AGE) and not column.future
        if dated and column.id != register.reference.column:
            later = f"coalesce({day} > _reference, false)"
            # Only an age of nought, or none at all, can hide one.
            screen = f"coalesce({typed} <= 0, false)" if column.type is ColumnType.AGE else later
            expected = Text(de="ein Datum bis zum Stichtag", en="a date until the reference day")
            fault("future", later, expected, screen=screen)
    if len(found) > 120:
        raise ValueError(f"{register.id}: {len(found)} conditions; 120 at most fit into a row's bits")
    return found


_FORMS = {
    ColumnType.AGE: Text(de="ein Datum wie 31.12.2015", en="a date such as 31.12.2015"),
    ColumnType.BIRTH_MONTH: Text(de="ein Datum wie 31.12.2015", en="a date such as 31.12.2015"),
    ColumnType.DATE: Text(de="ein Datum wie 31.12.2015", en="a date such as 31.12.2015"),
    ColumnType.INTEGER: Text(de="eine ganze Zahl", en="a whole number"),
    ColumnType.NUMBER: Text(de="eine Zahl", en="a number"),
    ColumnType.FLAG: Text(de="J oder N", en="J or N"),
}


def _row_problems(
    connection: duckdb.DuckDBPyConnection, register: Register, faults: list[_Fault]
) -> list[Problem]:
    problems = []
    bits = connection.execute("select distinct _faults from staged where _faults <> 0").fetchall()
    seen = 0
    for (mask,) in bits:
        seen |= int(mask)
    for n, fault in enumerate(faults):
        if not seen & 2**n:
            continue
        hit = f"(_faults & {2**n}::hugeint) <> 0"
        count = connection.execute(f"select count(*) from staged where {hit}").fetchall()[0][0]
        rows = connection.execute(
            f"select {ROW} from staged where {hit} order by {ROW} limit {SHOWN}"
        ).fetchall()
        problems.append(
            Problem(
                fault.kind, fault.column.name, fault.expected, [r for (r,) in rows], count,
                _shown(connection, register, fault.column, hit),
            )
        )  # fmt: skip
    return problems


def _shown(connection: duckdb.DuckDBPyConnection, register: Register, column: Column, hit: str) -> list[str]:
    """The first few wrong values, unless the register is about persons."""
    if register.personal:
        return []
    found = connection.execute(
        f'select "raw.{column.id}" from staged where {hit} and "raw.{column.id}" is not null '
        f"group by 1 order by min({ROW}) limit 5"
    ).fetchall()
    return [value for (value,) in found]


# --- the delivery as a whole -----------------------------------------------------------------------


def _duplicates(connection: duckdb.DuckDBPyConnection, register: Register) -> list[Problem]:
    keys = [c for c in register.kept if c.key]
    if not keys:
        return []
    names = ", ".join(f'"{c.id}"' for c in keys)
    rows, distinct = connection.execute(
        f"select count(*), count(distinct hash({names})) from staged"
    ).fetchall()[0]
    if rows == distinct:
        return []  # the usual case, at half the cost of looking for them
    twice = connection.execute(
        f"""select list(row order by row), count(*) from (
            select {ROW} as row, count(*) over (partition by {names}) as times from staged
        ) where times > 1"""
    ).fetchall()
    rows, count = twice[0]
    if not count:
        return []
    expected = Text(de="jeden Schlüssel einmal", en="every key once")
    return [Problem("duplicate", " + ".join(c.name for c in keys), expected, rows[:SHOWN], count)]


def _contradictions(connection: duckdb.DuckDBPyConnection, register: Register) -> list[Problem]:
    problems = []
    for rule in register.rules:
        if not isinstance(rule, OrderRule):
            continue
        rows = connection.execute(
            f'select {ROW} from staged where "{rule.first}" > "{rule.second}" order by {ROW}'
        ).fetchall()
        if rows:
            names = [register.column(n).name for n in (rule.first, rule.second)]
            expected = Text(
                de=f"{names[0]} nicht größer oder später als {names[1]}",
                en=f"{names[0]} not more or later than {names[1]}",
            )
            problems.append(
                Problem("order", " / ".join(names), expected, [r for (r,) in rows[:SHOWN]], len(rows))
            )
    return problems


def _whole_problems(
    connection: duckdb.DuckDBPyConnection, register: Register, rows: int, before: int | None
) -> list[Problem]:
    """Rules about all rows together; judged only where the single rows are right."""
    problems = []
    for rule in register.rules:
        if isinstance(rule, ShareRule | MeanRule) and rows >= rule.from_rows:
            column = register.column(rule.column)
            if isinstance(rule, ShareRule):
                sql = f"""select avg(case when "{rule.column}"::varchar = $value then 1.0 else 0.0 end)
                          from staged where "{rule.column}" is not null"""
                found = connection.execute(sql, {"value": rule.value}).fetchall()[0][0]
            else:
                found = connection.execute(f'select avg("{rule.column}") from staged').fetchall()[0][0]
            if found is not None and not rule.low <= found <= rule.high:
                what = f"{rule.value}: " if isinstance(rule, ShareRule) else ""
                bounds = f"{what}{rule.low:g} … {rule.high:g}, {found:.3g}"
                expected = Text(de=f"{bounds} gefunden", en=f"{bounds} found")
                problems.append(Problem(rule.kind, column.name, expected))
        elif isinstance(rule, VolumeRule) and before:
            change = (rows / before - 1) * 100
            if abs(change) > rule.percent:
                expected = Text(
                    de=f"höchstens {rule.percent:g} % Änderung gegen {before} Zeilen; {rows} gefunden ({change:+.1f} %)",
                    en=f"a change of at most {rule.percent:g} % from {before} rows; {rows} found ({change:+.1f} %)",
                )
                problems.append(Problem("volume", None, expected))
    return problems


def _period(
    connection: duckdb.DuckDBPyConnection, register: Register, arrival: Arrival, today: dt.date
) -> tuple[dt.date | None, Span | None, list[Problem]]:
    """The delivery's reference day and period: one for all rows, and not one that is still to come."""
    first, last = connection.execute("select min(_reference), max(_reference) from staged").fetchall()[0]
    if first is None:
        return None, None, []  # every row's reference day is missing, and was said to be
    column = register.column(register.reference.column).name if register.reference.column else None
    span = span_of(register, last)
    problems = []
    if span_of(register, first) != span:
        expected = Text(
            de=f"einen Zeitraum für alle Zeilen, nicht {first:%d.%m.%Y} bis {last:%d.%m.%Y}",
            en=f"one period for all rows, not {first:%d.%m.%Y} to {last:%d.%m.%Y}",
        )
        problems.append(Problem("reference", column, expected))
    if last > today:
        expected = Text(
            de=f"einen Tag bis heute, nicht {last:%d.%m.%Y}", en=f"a day until today, not {last:%d.%m.%Y}"
        )
        problems.append(Problem("reference", column, expected))
    return last, span, problems
