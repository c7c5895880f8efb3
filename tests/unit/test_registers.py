"""Registers without Dagster and dbt: what passes the door, what is refused, what is counted, what ends."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import io
import json
import os
import stat
import time
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.catalogue import Catalogue
from expectations.catalogue.registers import Register
from orchestration.collect.registers import files
from orchestration.collect.registers.areas import areas_of
from orchestration.collect.registers.door import Admitted, admit, span_of
from orchestration.collect.registers.drops import Drop, waiting
from orchestration.collect.registers.files import read_file
from orchestration.collect.registers.keys import delivery_key, pseudonyms, register_key
from orchestration.collect.registers.problems import Problem, RefusedError, in_words
from orchestration.collect.registers.vault import Gone, Vault
from orchestration.settings import (
    CityDistrict,
    ConfigurationError,
    Municipality,
    OfficialStatistics,
    Registers,
    Settings,
)

KEY = b"a key for tests, long enough to be one"
TODAY = dt.date(2026, 11, 24)
MOMENT = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)

COLUMNS: list[dict[str, Any]] = [
    {"name": "Stichtag", "id": "reference_day", "type": "date", "required": True},
    {"name": "Nr", "id": "person", "type": "pseudonym", "required": True, "key": True, "pattern": r"\d{4}"},
    {"name": "Name", "id": "name", "type": "dropped"},
    {"name": "Geboren", "id": "age", "type": "age", "required": True},
    {"name": "Geschlecht", "id": "sex", "type": "code", "breakdown": "sex", "codes": {"m": "male", "w": "female"}},
    {"name": "Staat", "id": "nationality", "type": "code", "codes": {"000": "german", "*": "foreign"}, "pattern": r"\d{3}"},
    {"name": "Schule", "id": "school", "type": "area", "system": "school", "pattern": r"\d{5}"},
    {"name": "Stunden", "id": "hours", "type": "number", "min": 1, "max": 60},
    {"name": "Ganztag", "id": "is_all_day", "type": "flag"},
    {"name": "Beginn", "id": "starts_on", "type": "date"},
]  # fmt: skip
HEADER = [c["name"] for c in COLUMNS]
GOOD = ["01.10.2025", "0001", "Müßig", "24.02.2015", "w", "000", "10007", "35,5", "J", "01.08.2025"]


def declared(**changes: Any) -> Register:
    text = {"de": "Test", "en": "test"}
    facts: dict[str, Any] = {
        "id": "test", "title": text, "system": "Excel", "owner": text, "legal_basis": text, "cadence": "yearly",
        "due_after_days": 30, "late_after_days": 60, "personal": True, "retention_days": 30,
        "reference": {"column": "reference_day"}, "period": "school_year", "columns": COLUMNS,
        "format": {"kind": "csv", "encoding": "cp1252"},
    }  # fmt: skip
    return Register.model_validate(facts | changes)


def csv_of(*rows: list[str], header: list[str] = HEADER) -> bytes:
    return "".join(";".join(row) + "\r\n" for row in [header, *rows]).encode("cp1252")


def changed(column: str, value: str, row: list[str] = GOOD) -> list[str]:
    return [value if name == column else cell for name, cell in zip(HEADER, row, strict=True)]


def taken(
    register: Register, data: bytes, folder: Path, name: str = "test_20251001.csv", **more: Any
) -> Admitted:
    path = folder / name
    path.write_bytes(data)
    return admit(register, read_file(register, path), KEY, folder / "door.duckdb", TODAY, **more)


def problems(
    register: Register, data: bytes, folder: Path, name: str = "test_20251001.csv", **more: Any
) -> list[Problem]:
    (folder / "door.duckdb").unlink(missing_ok=True)
    with pytest.raises(RefusedError) as error:
        taken(register, data, folder, name, **more)
    assert not (folder / "door.duckdb").exists(), "nothing is left of a refused delivery"
    return error.value.problems


def rows_of(admitted: Admitted) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(admitted.path), read_only=True) as connection:
        return connection.execute("select * from admitted").fetchall()


# --- the door ---------------------------------------------------------------------------------------


def test_what_passes_the_door(tmp_path: Path) -> None:
    admitted = taken(declared(), csv_of(GOOD), tmp_path)
    assert (admitted.rows, admitted.reference, admitted.span.label) == (1, dt.date(2025, 10, 1), "2025/26")
    (row,) = rows_of(admitted)
    expected = hmac.new(KEY.hex().encode(), b"0001", hashlib.sha256).digest()
    assert row == (
        dt.date(2025, 10, 1), expected, 10, "female", "german", "10007", 35.5, True, dt.date(2025, 8, 1),
    )  # fmt: skip


def test_names_and_birthdays_are_nowhere_in_the_file(tmp_path: Path) -> None:
    admitted = taken(declared(), csv_of(GOOD), tmp_path)
    content = admitted.path.read_bytes()
    for text in ("Müßig", "24.02.2015", "2015-02-24", "0001"):
        assert text.encode() not in content
        assert text.encode("cp1252") not in content


@pytest.mark.parametrize(
    ("born", "age"),
    [("24.02.2015", 10), ("01.10.2015", 10), ("02.10.2015", 9), ("29.02.2016", 9), ("20150224", 10)],
)
def test_age_is_completed_years_on_the_reference_day(tmp_path: Path, born: str, age: int) -> None:
    assert rows_of(taken(declared(), csv_of(changed("Geboren", born)), tmp_path))[0][2] == age


@settings(max_examples=60)
@given(
    key=st.binary(min_size=1, max_size=200),
    texts=st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=80), max_size=8),
)
def test_pseudonyms_are_hmac_of_each_text_and_of_nothing_else(key: bytes, texts: list[str | None]) -> None:
    secret = key.hex().encode()
    expected = [text and hmac.new(secret, text.encode(), hashlib.sha256).digest() for text in texts]
    texts = [text or None for text in texts]
    assert pseudonyms(pa.array(texts, pa.string()), key).to_pylist() == [one or None for one in expected]


WRONG = {
    "a code nobody declared": (changed("Geschlecht", "x"), "code", "Geschlecht"),
    "a date for a code": (changed("Geschlecht", "2025-03-01 00:00:00"), "code", "Geschlecht"),
    "a missing value": (changed("Geboren", ""), "missing", "Geboren"),
    "a day that does not exist": (changed("Geboren", "31.02.2015"), "malformed", "Geboren"),
    "somebody born tomorrow": (changed("Geboren", "02.10.2025"), "future", "Geboren"),
    "somebody too old": (changed("Geboren", "01.01.1880"), "range", "Geboren"),
    "a lost zero": (changed("Nr", "1"), "malformed", "Nr"),
    "a lost zero in a code": (changed("Staat", "0"), "malformed", "Staat"),
    "an English decimal": (changed("Stunden", "35.5"), "malformed", "Stunden"),
    "a shifted decimal": (changed("Stunden", "355"), "range", "Stunden"),
    "a formula": (changed("Stunden", "=A1*2"), "formula", "Stunden"),
    "an error of a spreadsheet": (changed("Staat", "#BEZUG!"), "formula", "Staat"),
    "a date after the reference day": (changed("Beginn", "02.10.2025"), "future", "Beginn"),
    "a word for a flag": (changed("Ganztag", "vielleicht"), "malformed", "Ganztag"),
    "a school number of six digits": (changed("Schule", "100071"), "malformed", "Schule"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_row_is_refused_by_row_and_column(tmp_path: Path, case: str) -> None:
    row, kind, column = WRONG[case]
    found = problems(declared(), csv_of(changed("Nr", "0002"), row), tmp_path)
    assert (kind, column, [3]) in [(p.kind, p.column, p.rows) for p in found]
    said = " ".join(in_words(p).de + in_words(p).en for p in found)
    value = row[HEADER.index(column)]
    assert not value or value in ("x", "0", "1") or value not in said, "no personal value is quoted"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    rows = [
        changed("Geschlecht", "x"),
        changed("Stunden", "99", changed("Nr", "0002")),
        changed("Nr", "0001"),
    ]
    found = {(p.kind, p.column, tuple(p.rows)) for p in problems(declared(), csv_of(*rows), tmp_path)}
    assert found == {("code", "Geschlecht", (2,)), ("range", "Stunden", (3,)), ("duplicate", "Nr", (2, 4))}


def test_two_periods_in_one_delivery_are_refused(tmp_path: Path) -> None:
    other = changed("Nr", "0002", changed("Stichtag", "01.10.2024"))
    assert "reference" in {p.kind for p in problems(declared(), csv_of(GOOD, other), tmp_path)}


def test_a_delivery_from_the_future_is_refused(tmp_path: Path) -> None:
    (found,) = problems(declared(), csv_of(changed("Stichtag", "01.10.2027")), tmp_path)
    assert found.kind == "reference"


RULES = [
    {"kind": "share", "column": "sex", "value": "female", "low": 0.4, "high": 0.6, "from_rows": 4},
    {"kind": "mean", "column": "hours", "low": 20, "high": 40, "from_rows": 4},
    {"kind": "volume", "percent": 20},
]


@pytest.mark.parametrize(
    ("sexes", "hours", "before", "kinds"),
    [
        ("mwmw", "30,0", 4, set()),
        ("mmmm", "30,0", 4, {"share"}),
        ("mwmw", "3,0", 4, {"mean"}),
        ("mwmw", "30,0", 8, {"volume"}),
        ("mmmm", "3,0", 8, {"share", "mean", "volume"}),
        ("mmm", "3,0", 3, set()),  # too few rows to judge
    ],
)
def test_rules_about_all_rows(tmp_path: Path, sexes: str, hours: str, before: int, kinds: set[str]) -> None:
    rows = [
        changed("Nr", f"{n:04d}", changed("Geschlecht", sex, changed("Stunden", hours)))
        for n, sex in enumerate(sexes)
    ]
    register = declared(rules=RULES)
    if kinds:
        assert {p.kind for p in problems(register, csv_of(*rows), tmp_path, before=before)} == kinds
    else:
        assert taken(register, csv_of(*rows), tmp_path, before=before).rows == len(sexes)


def test_values_are_shown_where_nobody_is_meant(tmp_path: Path) -> None:
    columns = [
        {"name": "Haus", "id": "house", "type": "code", "codes": {"A": "a"}, "required": True, "key": True}
    ]
    register = declared(personal=False, columns=columns, reference={"file": r"_(\d{8})"})
    (found,) = problems(register, b"Haus\nB\n", tmp_path)
    assert found.found == ["B"]
    assert "'B'" in in_words(found).de


@pytest.mark.parametrize(
    ("period", "start", "end", "label"),
    [
        ("reference_day", dt.date(2025, 7, 31), dt.date(2025, 7, 31), "31.07.2025"),
        ("calendar_year", dt.date(2025, 1, 1), dt.date(2025, 12, 31), "2025"),
        ("school_year", dt.date(2024, 8, 1), dt.date(2025, 7, 31), "2024/25"),
    ],
)
def test_what_a_reference_day_speaks_of(period: str, start: dt.date, end: dt.date, label: str) -> None:
    span = span_of(declared(period=period), dt.date(2025, 7, 31))
    assert (span.start, span.end, span.label) == (start, end, label)


# --- files ------------------------------------------------------------------------------------------


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    order = list(reversed(range(len(HEADER))))
    data = csv_of([GOOD[n] for n in order], header=[HEADER[n] for n in order])
    assert rows_of(taken(declared(), data, tmp_path)) == rows_of(taken(declared(), csv_of(GOOD), tmp_path))


def test_a_quoted_line_break_is_part_of_its_cell(tmp_path: Path) -> None:
    """Rows are counted as a spreadsheet shows them, not by lines."""
    broken = ['"zwei\nZeilen"' if cell == "Müßig" else cell for cell in GOOD]
    assert rows_of(taken(declared(), csv_of(broken), tmp_path)) == rows_of(
        taken(declared(), csv_of(GOOD), tmp_path)
    )
    data = csv_of(broken, ["x" if cell == "0001" else cell for cell in GOOD])
    (found,) = problems(declared(), data, tmp_path)
    assert (found.kind, found.rows) == ("malformed", [3])


SHAPES = {
    "a column too many": (csv_of([*GOOD, "1"], header=[*HEADER, "Neu"]), "columns"),
    "a column missing": (csv_of(GOOD[:-1], header=HEADER[:-1]), "columns"),
    "a column twice": (csv_of([*GOOD, "m"], header=[*HEADER, "Geschlecht"]), "columns"),
    "no header": (csv_of(header=GOOD), "columns"),
    "merged headings": (csv_of(GOOD, header=[*HEADER[:3], "", *HEADER[4:]]), "columns"),
    "a row too short": (csv_of(GOOD, GOOD[:-2]), "shape"),
    "another encoding": (csv_of(GOOD).decode("cp1252").encode("utf-8"), "encoding"),
    "two encodings": (csv_of(GOOD) + ";".join(changed("Name", "Jörg")).encode("utf-8") + b"\r\n", "encoding"),
    "UTF-16": (csv_of(GOOD).decode("cp1252").encode("utf-16"), "encoding"),
    "a cut end": (csv_of(GOOD)[:-9], "cut_short"),
    "nothing": (b"", "empty"),
    "a header only": (csv_of(), "empty"),
    "commas for semicolons": (csv_of(GOOD).replace(b";", b","), "columns"),
}


@pytest.mark.parametrize("case", SHAPES)
def test_a_wrong_shape_is_refused_without_a_word_of_it(tmp_path: Path, case: str) -> None:
    data, kind = SHAPES[case]
    found = problems(declared(), data, tmp_path)
    assert kind in {p.kind for p in found}
    said = " ".join(in_words(p).de + in_words(p).en for p in found)
    assert "Müßig" not in said
    assert "24.02.2015" not in said


@settings(max_examples=60)
@given(
    before=st.text("Müßig‰ ;\n", max_size=20),
    damage=st.sampled_from(["Ã¼", "Ã¤", "â€œ", "M\u2030n", "\0", ""]),
    after=st.text("Çäx;\n", max_size=20),
    block=st.integers(1, 12),
    encoding=st.sampled_from(["cp1252", "utf-8"]),
)
def test_damage_is_seen_wherever_a_block_ends(
    before: str, damage: str, after: str, block: int, encoding: str
) -> None:
    data = f"{before}{damage}{after}\n".encode(encoding)

    def read(size: int) -> bytes | None:
        with mock.patch.object(files, "_BLOCK", size):
            try:
                return io.BufferedReader(files._Checked(io.BytesIO(data), encoding, True)).read()
            except RefusedError:
                return None

    assert read(block) == read(1 << 18)
    assert damage == "" or damage.startswith("M") or read(block) is None


def fixed_width(**changes: Any) -> Register:
    at, layout = 1, {}
    for column in COLUMNS:
        layout[column["name"]] = (at, 12)
        at += 12
    return declared(format={"kind": "fixed_width", "width": 120, "layout": layout}, **changes)


def line(row: list[str]) -> str:
    return "".join(cell.ljust(12) for cell in row)


def test_fixed_width_reads_like_csv(tmp_path: Path) -> None:
    data = (line(GOOD) + "\r\n").encode("cp1252")
    assert rows_of(taken(fixed_width(), data, tmp_path)) == rows_of(taken(declared(), csv_of(GOOD), tmp_path))


def test_a_line_of_another_width_is_refused(tmp_path: Path) -> None:
    data = (line(GOOD) + "\n" + line(changed("Nr", "0002"))[1:] + "\n").encode("cp1252")
    (found,) = problems(fixed_width(), data, tmp_path)
    assert (found.kind, found.rows) == ("shape", [2])


def workbook(rows: list[list[Any]], merge: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Daten"
    for row in rows:
        sheet.append(row)
    if merge:
        sheet.merge_cells(merge)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def in_workbook() -> Register:
    return declared(format={"kind": "workbook", "sheet": "Daten", "header_row": 2})


TITLE: list[Any] = ["Liste", *[None] * (len(HEADER) - 1)]
CELLS: list[Any] = [
    dt.date(2025, 10, 1),
    "0001",
    "Müßig",
    dt.date(2015, 2, 24),
    "w",
    "000",
    "10007",
    35.5,
    "J",
    dt.date(2025, 8, 1),
]


def test_a_workbook_reads_like_csv(tmp_path: Path) -> None:
    data = workbook([TITLE, HEADER, CELLS])
    found = taken(in_workbook(), data, tmp_path, "test.xlsx")
    assert rows_of(found) == rows_of(taken(declared(), csv_of(GOOD), tmp_path))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (workbook([TITLE, HEADER, [*CELLS[:7], "=5*7", *CELLS[8:]]]), "formula"),
        (workbook([TITLE, HEADER, CELLS], merge="A1:C1"), "shape"),
        (workbook([TITLE, HEADER, [*CELLS[:5], 0, *CELLS[6:]]]), "malformed"),
        (workbook([TITLE, HEADER, [*CELLS[:5], dt.date(2025, 1, 2), *CELLS[6:]]]), "malformed"),
        (workbook([TITLE, HEADER]), "empty"),
        (b"PK\x03\x04 but no workbook", "unreadable"),
    ],
    ids=["formula", "merged", "lost zeros", "date for a code", "empty", "damaged"],
)
def test_a_broken_workbook_is_refused(tmp_path: Path, data: bytes, kind: str) -> None:
    assert kind in {p.kind for p in problems(in_workbook(), data, tmp_path, "test.xlsx")}


FHIR_COLUMNS: list[dict[str, Any]] = [
    {"name": "authored", "id": "examined_on", "type": "date", "required": True},
    {"name": "subject.identifier.value", "id": "child", "type": "pseudonym", "required": True, "key": True},
    {"name": "item:geb", "id": "age", "type": "age", "required": True},
    {"name": "item:6.1", "id": "speaks_german", "type": "flag"},
]


def bundle(count: int, total: int | None = None) -> bytes:
    entries = [
        {
            "resource": {
                "resourceType": "QuestionnaireResponse",
                "authored": "2025-11-03",
                "subject": {"identifier": {"value": f"K{n}"}},
                "item": [
                    {"linkId": "g", "item": [{"linkId": "geb", "answer": [{"valueDate": "2020-01-05"}]}]},
                    {"linkId": "6.1", "answer": [{"valueBoolean": n % 2 == 0}]},
                    {"linkId": "name", "answer": [{"valueString": "Müßig"}]},
                ],
            }
        }
        for n in range(count)
    ]
    return json.dumps({"resourceType": "Bundle", "total": total or count, "entry": entries}).encode()


def test_a_fhir_bundle_is_read_by_its_items(tmp_path: Path) -> None:
    register = declared(
        columns=FHIR_COLUMNS,
        format={"kind": "fhir"},
        reference={"column": "examined_on"},
        period="calendar_year",
    )
    rows = rows_of(taken(register, bundle(2), tmp_path, "seu.json"))
    assert [(row[2], row[3]) for row in rows] == [(5, True), (5, False)]
    assert {p.kind for p in problems(register, bundle(2, total=3), tmp_path, "seu.json")} == {"cut_short"}
    assert {p.kind for p in problems(register, bundle(2)[:-40], tmp_path, "seu.json")} == {"cut_short"}


def survey(answers: str, codebook: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("answers.csv", answers)
        archive.writestr("codebook.csv", codebook)
    return buffer.getvalue()


def test_a_survey_is_held_against_its_code_book(tmp_path: Path) -> None:
    columns = [
        {"name": "id", "id": "answer", "type": "pseudonym", "required": True, "key": True},
        {"name": "submitdate", "id": "submitted_on", "type": "date", "required": True},
        {"name": "q1", "id": "wants", "type": "code", "codes": {"A1": "yes", "A2": "no"}},
    ]
    register = declared(columns=columns, format={"kind": "survey"}, reference={"column": "submitted_on"})
    answers = '\ufeff"id","submitdate","q1"\n"1","2025-10-01 00:00:00","A2"\n'
    book = "question;code;label\nq1;A1;ja\nq1;A2;nein\n"
    assert rows_of(taken(register, survey(answers, book), tmp_path, "s.zip"))[0][2] == "no"
    (found,) = problems(register, survey(answers, book + "q1;A3;vielleicht\n"), tmp_path, "s.zip")
    assert (found.kind, found.column) == ("codebook", "q1")


def test_the_reference_day_may_stand_in_the_name(tmp_path: Path) -> None:
    register = declared(reference={"file": r"_(\d{8})"})
    assert taken(register, csv_of(GOOD), tmp_path, "x_20251001.csv").reference == dt.date(2025, 10, 1)
    assert {p.kind for p in problems(register, csv_of(GOOD), tmp_path, "x.csv")} == {"reference"}


# --- keys -------------------------------------------------------------------------------------------


def test_rotation_breaks_linkage_and_declared_linkage_keeps_it(tmp_path: Path) -> None:
    def pseudonyms(scope: str | None) -> set[bytes]:
        path = tmp_path / "x.csv"
        path.write_bytes(csv_of(GOOD, changed("Nr", "0002")))
        key = delivery_key(KEY, "test", scope)
        found = admit(declared(), read_file(declared(), path), key, tmp_path / "d.duckdb", TODAY)
        return {row[1] for row in rows_of(found)}

    assert pseudonyms("first").isdisjoint(pseudonyms("second"))
    assert pseudonyms(None) == pseudonyms(None)
    assert delivery_key(KEY, "pupils", None) != delivery_key(KEY, "residents", None)


def test_a_key_lies_outside_the_home_and_is_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, outside = tmp_path / "home", tmp_path / "key"
    home.mkdir()
    outside.write_bytes(b"x" * 32 + b"\n")
    assert register_key(outside, home) == b"x" * 32
    (home / "key").write_bytes(b"x" * 32)
    with pytest.raises(ConfigurationError, match="inside the home"):
        register_key(home / "key", home)
    outside.write_bytes(b"short")
    with pytest.raises(ConfigurationError, match="found 5 bytes"):
        register_key(outside, home)
    monkeypatch.delenv("BILDUNGSMONITOR_REGISTER_KEY", raising=False)
    with pytest.raises(ConfigurationError, match="found nothing"):
        register_key(None, home)


# --- the vault --------------------------------------------------------------------------------------


def test_the_vault_is_closed_to_others_and_forgets_in_time(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault" / "registers")
    admitted = taken(declared(), csv_of(GOOD), tmp_path)
    with vault.opened() as connection:
        kept = vault.keep(connection, declared(), admitted, b"mark", "test__1", MOMENT)
        with vault.records(connection, kept) as records:
            assert connection.execute(f"select count(*) from {records}").fetchall() == [(1,)]
    assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(vault.path.stat().st_mode) == 0o600
    secret = hmac.new(KEY.hex().encode(), b"0001", hashlib.sha256).digest()
    (file,) = vault.files.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert secret in file.read_bytes()
    assert vault.purge(MOMENT + dt.timedelta(days=30)) == [], "the last day still counts"
    (deletion,) = vault.purge(MOMENT + dt.timedelta(days=31))
    assert (deletion.what, deletion.name, deletion.rows) == ("records", "test__1", 1)
    assert list(vault.files.iterdir()) == []
    assert not any(secret in path.read_bytes() for path in vault.folder.rglob("*") if path.is_file())
    with vault.opened() as connection:
        (left,) = vault.deliveries(connection)
    assert left.deleted_on == (MOMENT + dt.timedelta(days=31)).date()
    assert vault.purge(MOMENT + dt.timedelta(days=60)) == []


def test_the_deletion_log_shows_when_it_was_changed(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "v" / "registers")
    for n in range(3):
        vault.write_down(MOMENT, [Gone("records", "test", f"test__{n}", n, "retention")])
    assert [d.rows for d in vault.deletions()] == [0, 1, 2]
    lines = vault.log.read_text().splitlines()
    vault.log.write_text("\n".join([lines[0], lines[1].replace('"rows": 1', '"rows": 9'), lines[2]]) + "\n")
    with pytest.raises(ValueError, match="line 3"):
        vault.deletions()


# --- drop folders -----------------------------------------------------------------------------------


def test_what_has_not_come_whole_is_left_alone(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "test")
    drop.prepare()
    for name in ("b.csv", "a.csv", ".hidden", "c.csv.part", "~$a.xlsx"):
        (drop.inbox / name).write_text("x")
    assert [p.name for p in drop.arrivals()] == ["a.csv", "b.csv"]
    assert drop.arrivals(settle_seconds=60) == []


def test_a_share_whose_clock_runs_ahead_hides_nothing(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "test")
    drop.prepare()
    (drop.inbox / "a.csv").write_text("x")
    ahead = time.time() + 3600
    os.utime(drop.inbox / "a.csv", (ahead, ahead))
    assert len(drop.arrivals()) == 1
    assert drop.arrivals(settle_seconds=1) == []


def test_the_state_of_the_folders_names_one_arrival(tmp_path: Path) -> None:
    drop = Drop(tmp_path / "test")
    drop.prepare()
    assert waiting(tmp_path, 0) is None
    (drop.inbox / "a.csv").write_text("x")
    first = waiting(tmp_path, 0)
    assert first == waiting(tmp_path, 0)
    (drop.inbox / "b.csv").write_text("x")
    assert waiting(tmp_path, 0) not in (None, first)


# --- declarations -----------------------------------------------------------------------------------


def test_every_register_of_the_issue_is_declared(catalogue: Catalogue) -> None:
    assert len(catalogue.registers) >= 28
    assert sum(m.register_ is not None for m in catalogue.measures.values()) >= 40
    for register in catalogue.registers.values():
        assert register.personal == any(c.type in ("pseudonym", "age", "dropped") for c in register.columns)
    formats = {r.format.kind for r in catalogue.registers.values()}
    assert formats == {"csv", "workbook", "fixed_width", "fhir", "survey"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"columns": [*COLUMNS, {"name": "Bemerkung", "id": "note", "type": "text"}]},
            "free text has no place",
        ),
        ({"personal": False}, "personal data"),
        ({"columns": [*COLUMNS, COLUMNS[0]]}, "reference_day twice"),
        ({"reference": {"column": "name"}}, "no column 'name'"),
        ({"rules": [{"kind": "mean", "column": "name", "low": 0, "high": 1}]}, "no column 'name'"),
        ({"late_after_days": 1}, "nothing can be late"),
    ],
)
def test_a_declaration_that_does_not_hang_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declared(**changes)


# --- areas ------------------------------------------------------------------------------------------


def city(*districts: CityDistrict) -> Settings:
    return Settings(
        municipality=Municipality(code="07111", name="Koblenz"),
        official_statistics=OfficialStatistics(source="sample"),
        registers=Registers(source="sample", districts=list(districts)),
    )


def test_the_code_of_a_local_district_does_not_depend_on_the_order_of_the_configuration() -> None:
    districts = [
        CityDistrict(code="ST30", name="Immendorf", local_district="Arenberg/Immendorf"),
        CityDistrict(code="ST12", name="Lay", local_district="Lay"),
        CityDistrict(code="ST29", name="Arenberg", local_district="Arenberg/Immendorf"),
    ]

    def codes(chosen: list[CityDistrict]) -> dict[str, str]:
        areas = areas_of(city(*chosen)).areas.values()
        return {a.name: a.code for a in areas if a.level == "local_district" and not a.code.endswith("00")}

    assert (
        codes(districts)
        == codes(districts[::-1])
        == {"Arenberg/Immendorf": "07111-OB29", "Lay": "07111-OB12"}
    )


def test_every_spelling_means_one_district() -> None:
    areas = areas_of(
        city(
            CityDistrict(code="ST10", name="Moselweiß", aliases=["Moselweiss"]),
            CityDistrict(code="ST12", name="Lay", local_district="Lay"),
        )
    )
    meant = {p.value: p.code for p in areas.places if p.level == "city_district"}
    assert meant["Moselweiß"] == meant["Moselweiss"] == meant["ST10"] == "07111-ST10"
    assert [p.code for p in areas.places if p.level == "local_district"] == ["07111-OB12"] * 2
    assert {a.code for a in areas.areas.values() if a.level == "city_district"} == {
        "07111-ST10",
        "07111-ST12",
        "07111-ST00",
    }


def test_a_spelling_of_two_districts_is_refused() -> None:
    with pytest.raises(ValueError, match="Karthause means more than one district"):
        city(
            CityDistrict(code="ST05", name="Karthause Nord", aliases=["Karthause"]),
            CityDistrict(code="ST07", name="Karthause Flugfeld", aliases=["Karthause"]),
        )
