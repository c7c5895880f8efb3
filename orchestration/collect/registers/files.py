"""Files of the offices as text in batches: CSV, workbooks, fixed width, FHIR bundles, surveys.

Belongs here: bytes → columns of text, and refusals of files that have not the declared shape.
Does not belong here: what a text means (door.py). A refusal from here quotes nothing of a delivery,
except headings and names of registers without personal data.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv

from expectations.catalogue.base import Text
from expectations.catalogue.registers import (
    ColumnType,
    CsvFormat,
    FhirFormat,
    FixedWidthFormat,
    Register,
    SurveyFormat,
    WorkbookFormat,
)
from orchestration.collect.damage import SUSPECT, damaged_at
from orchestration.collect.registers.door import Arrival, as_text, schema
from orchestration.collect.registers.problems import SHOWN, Problem, RefusedError, refused

BATCH = 65_536
"""Rows per batch where we cut them ourselves."""

_BLOCK = 1 << 20


def read_file(register: Register, path: Path) -> Arrival:
    """A file as the declaration of its register describes it.

    Raises RefusedError at once for what can be seen at once; the batches raise it for the rest.
    """
    reference = _reference(register, path.name)
    layout = register.format
    try:
        if isinstance(layout, CsvFormat):
            batches = _csv(register, layout, lambda: path.open("rb"))
        elif isinstance(layout, WorkbookFormat):
            batches = _workbook(register, layout, path)
        elif isinstance(layout, FixedWidthFormat):
            batches = _fixed_width(register, layout, path)
        elif isinstance(layout, FhirFormat):
            batches = _fhir(register, layout, path)
        else:
            batches = _survey(register, layout, path)
    except RefusedError:
        raise
    except Exception as error:  # a library's own words may quote the file
        kind = type(error).__name__
        raise refused(
            "unreadable", f"eine Datei wie erklärt ({kind})", f"a file as declared ({kind})"
        ) from None
    return Arrival(batches, reference, layout.decimal)


def _reference(register: Register, name: str) -> dt.date | None:
    if register.reference.file is None:
        return None
    match = re.search(register.reference.file, name)
    digits = re.sub(r"\D", "", match[1]) if match else ""
    try:
        return dt.datetime.strptime(digits, "%Y%m%d").date()
    except ValueError:
        raise refused(
            "reference", "den Stichtag im Dateinamen, wie _20241231", "the reference day in the file's name, such as _20241231"
        ) from None  # fmt: skip


# --- text ---------------------------------------------------------------------------------------------


def _plain(encoding: str) -> bytes | None:
    """Bytes that can be neither wrong in an encoding nor part of damage; None where bytes hang together."""
    if encoding == "utf-8":
        return None
    letters = {n: bytes([n]).decode(encoding, "ignore") for n in range(1, 256)}
    return bytes(n for n, letter in letters.items() if letter and letter not in SUSPECT)


_TAIL = 8
"""Bytes of the block before that a damaged letter may begin in."""


class _Checked(io.RawIOBase):
    """A file as it is, without a mark at its start, block by block; damage is refused with its line."""

    def __init__(self, raw: BinaryIO, encoding: str, ends_with_newline: bool) -> None:
        self._raw = raw
        self._encoding = encoding
        self._plain = _plain(encoding)
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._left = b""
        self._lines = 1
        self._ends_with_newline = ends_with_newline
        self._tail = b""
        self._first = True

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            block = self._raw.read(_BLOCK)
            if self._first:
                self._first = False
                if block[:2] in (b"\xff\xfe", b"\xfe\xff"):
                    raise self._refusal()
                self._left = block.removeprefix(codecs.BOM_UTF8)
            else:
                self._left = block
            self._check(self._left)
            if not block:
                break
        count = min(len(buffer), len(self._left))
        buffer[:count], self._left = self._left[:count], self._left[count:]
        return count

    def _check(self, block: bytes) -> None:
        if not block:
            if self._ends_with_newline and self._tail[-1:] not in (b"\n", b""):
                raise refused(
                    "cut_short", "ein Zeilenende am Schluss der Datei", "the end of a line at the file's end",
                    row=self._lines,
                )  # fmt: skip
            self._decode(b"", final=True)
            return
        seen = self._tail + block
        if self._plain is None or seen.translate(None, self._plain):
            self._decode(block, final=False)
            text = seen if self._encoding == "utf-8" else seen.decode(self._encoding).encode()
            if b"\0" in block or damaged_at(text) is not None:
                raise self._refusal()
        self._tail = seen[-_TAIL:]
        self._lines += block.count(b"\n")

    def _decode(self, block: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(block, final)
        except UnicodeDecodeError as error:
            self._lines += block.count(b"\n", 0, max(error.start, 0))
            raise self._refusal() from None

    def _refusal(self) -> RefusedError:
        return refused(
            "encoding", f"durchgehend {self._encoding}", f"{self._encoding} throughout", row=self._lines
        )


def _positions(register: Register, delivered: list[str]) -> list[int]:
    """Where each kept column stands among the delivered ones, by its heading.

    Raises RefusedError for headings that are missing, doubled or not declared.
    """
    names = [name.strip() for name in delivered]
    declared = {c.name for c in register.columns}
    missing = [c.name for c in register.kept if c.name not in names]
    foreign = [n for n, name in enumerate(names, start=1) if name not in declared]
    twice = sorted({name for name in names if name in declared and names.count(name) > 1})
    said: list[tuple[str, str]] = []
    if missing:
        said.append((f"es fehlt {', '.join(missing)}", f"{', '.join(missing)} missing"))
    if foreign:
        # A file without its header shows a record where the headings belong.
        shown = "" if register.personal else f" ({', '.join(repr(names[n - 1]) for n in foreign[:5])})"
        places = ", ".join(map(str, foreign[:SHOWN]))
        said.append((f"nicht erklärt: Spalte {places}{shown}", f"not declared: column {places}{shown}"))
    if twice:
        said.append((f"doppelt: {', '.join(twice)}", f"twice: {', '.join(twice)}"))
    if said:
        wanted = ", ".join(dict.fromkeys(c.name for c in register.columns))
        raise refused(
            "columns", f"{wanted}; {'; '.join(de for de, _ in said)}", f"{wanted}; {'; '.join(en for _, en in said)}", row=1
        )  # fmt: skip
    return [names.index(c.name) for c in register.kept]


def _csv(register: Register, layout: CsvFormat, opened: Callable[[], BinaryIO]) -> Iterator[pa.RecordBatch]:
    def source() -> io.BufferedReader:
        return io.BufferedReader(_Checked(opened(), layout.encoding, layout.ends_with_newline), _BLOCK)

    with source() as text:
        first = text.readline().decode(layout.encoding)
    if not first.strip():
        raise refused("empty", "eine Kopfzeile und Zeilen", "a header and rows")
    cells = next(csv.reader([first], delimiter=layout.delimiter))
    if layout.header:
        positions = _positions(register, cells)
    else:
        names = list(dict.fromkeys(c.name for c in register.columns))
        if len(cells) != len(names):
            raise refused(
                "shape",
                f"{len(names)} Spalten, nicht {len(cells)}",
                f"{len(names)} columns, not {len(cells)}",
                row=1,
            )
        positions = [names.index(c.name) for c in register.kept]
    return _csv_batches(register, layout, source, len(cells), positions)


def _csv_batches(
    register: Register,
    layout: CsvFormat,
    source: Callable[[], io.BufferedReader],
    width: int,
    positions: list[int],
) -> Iterator[pa.RecordBatch]:
    places = [f"c{n}" for n in range(width)]
    wanted = list(dict.fromkeys(places[n] for n in positions))
    next_row = 2 if layout.header else 1
    with source() as text:
        try:
            reader = pacsv.open_csv(
                text,
                read_options=pacsv.ReadOptions(
                    column_names=places,
                    skip_rows=1 if layout.header else 0,
                    use_threads=False,
                    block_size=4 * _BLOCK,
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=layout.delimiter, ignore_empty_lines=False, newlines_in_values=True
                ),
                convert_options=pacsv.ConvertOptions(
                    column_types=dict.fromkeys(wanted, pa.binary()),
                    include_columns=wanted,
                    strings_can_be_null=False,
                ),
            )
            for batch in reader:
                rows = np.arange(next_row, next_row + batch.num_rows)
                next_row += batch.num_rows
                columns = [_decoded(batch.column(places[n]), layout.encoding) for n in positions]
                yield pa.RecordBatch.from_arrays([pa.array(rows), *columns], schema=schema(register))
        except pa.ArrowInvalid as error:  # its words quote the row
            if "empty" in str(error).lower():
                raise refused("empty", "Zeilen nach der Kopfzeile", "rows after the header") from None
            raise RefusedError(_misshapen(layout, source, width)) from None


def _misshapen(layout: CsvFormat, source: Callable[[], io.BufferedReader], width: int) -> Problem:
    """Which rows of a file that could not be parsed have another number of cells."""
    with io.TextIOWrapper(source(), encoding=layout.encoding, newline="") as text:
        cells = csv.reader(text, delimiter=layout.delimiter)
        ragged = [number for number, row in enumerate(cells, start=1) if len(row) != width]
    expected = Text(de=f"{width} Spalten in jeder Zeile", en=f"{width} columns in every row")
    return Problem("shape", None, expected, ragged[:SHOWN], len(ragged))


def _decoded(column: pa.Array, encoding: str) -> pa.Array:
    """Bytes of a checked file as text. Most columns are plain ASCII, which every encoding shares."""
    data = column.buffers()[2]
    if encoding == "utf-8" or data is None or data.to_pybytes().isascii():
        return column.view(pa.string())
    values = column.dictionary_encode()
    words = [word.decode(encoding) for word in values.dictionary.to_pylist()]
    return pa.array(words, pa.string()).take(values.indices)


def _fixed_width(register: Register, layout: FixedWidthFormat, path: Path) -> Iterator[pa.RecordBatch]:
    wrong: list[int] = []
    count = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal count
        checked = io.BufferedReader(_Checked(path.open("rb"), layout.encoding, True), _BLOCK)
        with io.TextIOWrapper(checked, encoding=layout.encoding, newline="\n") as text:
            lines: list[str] = []
            for line in text:
                count += 1
                line = line.rstrip("\r\n")
                if len(line) != layout.width:
                    wrong.append(count)
                lines.append(line)
                if len(lines) == BATCH:
                    yield cut(lines, count - len(lines) + 1)
                    lines = []
            if lines:
                yield cut(lines, count - len(lines) + 1)
        if wrong:
            expected = Text(
                de=f"{layout.width} Zeichen in jeder Zeile", en=f"{layout.width} characters in every line"
            )
            raise RefusedError(Problem("shape", None, expected, wrong[:SHOWN], len(wrong)))

    def cut(lines: list[str], first: int) -> pa.RecordBatch:
        whole = pa.array(lines, pa.string())
        columns = []
        for column in register.kept:
            start, length = layout.layout[column.name]
            columns.append(pc.utf8_slice_codeunits(whole, start - 1, start - 1 + length))
        rows = pa.array(np.arange(first, first + len(lines)))
        return pa.RecordBatch.from_arrays([rows, *columns], schema=schema(register))

    return batches()


# --- workbooks, bundles, surveys: small, read whole -----------------------------------------------------


def _batches_of(register: Register, rows: Iterable[tuple[int, list[str | None]]]) -> Iterator[pa.RecordBatch]:
    """Rows with their numbers, the cells in the order of the kept columns, as batches."""
    numbers: list[int] = []
    cells: list[list[str | None]] = []

    def batch() -> pa.RecordBatch:
        columns = [pa.array([row[n] for row in cells], pa.string()) for n in range(len(register.kept))]
        return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *columns], schema=schema(register))

    for number, row in rows:
        numbers.append(number)
        cells.append(row)
        if len(numbers) == BATCH:
            yield batch()
            numbers, cells = [], []
    if numbers:
        yield batch()


def _workbook(register: Register, layout: WorkbookFormat, path: Path) -> Iterator[pa.RecordBatch]:
    from python_calamine import CalamineWorkbook

    _refuse_formulas(path)
    book = CalamineWorkbook.from_path(str(path))
    names = book.sheet_names
    if layout.sheet is not None and layout.sheet not in names:
        raise refused("columns", f"das Blatt {layout.sheet}", f"the sheet {layout.sheet}")
    sheet = book.get_sheet_by_name(layout.sheet or names[0])
    if merged := getattr(sheet, "merged_cell_ranges", None):
        (row, _), _ = merged[0]
        raise refused("shape", "keine verbundenen Zellen", "no merged cells", row=row + 1)
    rows = sheet.to_python(skip_empty_area=False)
    head = layout.header_row - 1
    if len(rows) <= head:
        raise refused("empty", "eine Kopfzeile und Zeilen", "a header and rows")
    header = [as_text(cell) or "" for cell in rows[head]]
    while header and not header[-1] and not any(as_text(r[len(header) - 1]) for r in rows[head + 1 :]):
        header.pop()
    positions = _positions(register, header)
    body = [
        (number, [as_text(row[n]) for n in positions])
        for number, row in enumerate(rows[head + 1 :], start=head + 2)
        if any(as_text(cell) for cell in row)
    ]
    return _batches_of(register, body)


_FORMULAS = (
    (r"xl/worksheets/.*\.xml", re.compile(rb'<c r="[A-Z]+(\d+)"[^>]*>\s*<f[ >/]')),
    (r"content\.xml", re.compile(rb"table:formula=()")),
)


def _refuse_formulas(path: Path) -> None:
    """A cell that is computed shows what the sender's program last made of it, or nothing."""
    if not zipfile.is_zipfile(path):
        return  # XLS: its library hands values only
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            for pattern, formula in _FORMULAS:
                if re.fullmatch(pattern, name) and (match := formula.search(archive.read(name))):
                    row = int(match[1]) if match[1] else None
                    raise refused("formula", "Werte statt Formeln", "values instead of formulas", row=row)


def _fhir(register: Register, layout: FhirFormat, path: Path) -> Iterator[pa.RecordBatch]:
    try:
        bundle = json.loads(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError:
        raise refused("encoding", "durchgehend utf-8", "utf-8 throughout") from None
    except json.JSONDecodeError as error:
        raise refused("cut_short", "vollständiges JSON", "whole JSON", row=error.lineno) from None
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise refused("shape", "ein FHIR-Bundle", "a FHIR bundle")
    resources = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
    found = [(n, r) for n, r in enumerate(resources, start=1) if r.get("resourceType") == layout.resource]
    if not found:
        raise refused("empty", f"Einträge der Art {layout.resource}", f"entries of kind {layout.resource}")
    if bundle.get("total") not in (None, len(found)):
        total = bundle["total"]
        raise refused(
            "cut_short",
            f"{total} Einträge wie angegeben, nicht {len(found)}",
            f"{total} entries as stated, not {len(found)}",
        )
    return _batches_of(register, ((n, _fhir_row(register, resource)) for n, resource in found))


def _fhir_row(register: Register, resource: dict[str, Any]) -> list[str | None]:
    answers: dict[str, Any] = {}

    def collect(items: list[dict[str, Any]]) -> None:
        for item in items:
            for answer in item.get("answer", [])[:1]:
                value = next((v for k, v in answer.items() if k.startswith("value")), None)
                answers[str(item.get("linkId"))] = value.get("code") if isinstance(value, dict) else value
                collect(answer.get("item", []))
            collect(item.get("item", []))

    collect(resource.get("item", []))
    row: list[str | None] = []
    for column in register.kept:
        if column.name.startswith("item:"):
            value = answers.get(column.name.removeprefix("item:"))
        else:
            value = resource
            for step in column.name.split("."):
                value = value[0] if isinstance(value, list) and value else value
                value = value.get(step) if isinstance(value, dict) else None
        row.append(as_text(value))
    return row


def _survey(register: Register, layout: SurveyFormat, path: Path) -> Iterator[pa.RecordBatch]:
    if not zipfile.is_zipfile(path):
        raise refused(
            "unreadable",
            f"ein ZIP mit {layout.answers} und {layout.codebook}",
            f"a ZIP of {layout.answers} and {layout.codebook}",
        )
    with zipfile.ZipFile(path) as archive:
        if missing := {layout.answers, layout.codebook} - set(archive.namelist()):
            names = ", ".join(sorted(missing))
            raise refused("columns", f"{names} im Archiv", f"{names} in the archive")
        answers, codebook = archive.read(layout.answers), archive.read(layout.codebook)
    _hold_against_codebook(register, codebook)
    form = CsvFormat(kind="csv", encoding="utf-8", delimiter=",", header=True, decimal=layout.decimal)
    return _csv(register, form, lambda: io.BytesIO(answers))


def _hold_against_codebook(register: Register, codebook: bytes) -> None:
    """Every code the survey's own book lists for a question must be declared, and the other way round."""
    rows = list(csv.DictReader(io.StringIO(codebook.decode("utf-8-sig")), delimiter=";"))
    listed: dict[str, set[str]] = {}
    for row in rows:
        listed.setdefault(row.get("question") or "", set()).add(row.get("code") or "")
    for column in register.kept:
        if column.type is not ColumnType.CODE:
            continue
        if (codes := listed.get(column.name, set())) != set(column.codes):
            new, gone = sorted(codes - set(column.codes)), sorted(set(column.codes) - codes)
            raise refused(
                "codebook",
                f"die erklärten Schlüssel; neu: {', '.join(new) or '–'}, weggefallen: {', '.join(gone) or '–'}",
                f"the declared codes; new: {', '.join(new) or '–'}, gone: {', '.join(gone) or '–'}",
                column=column.name,
            )
