"""Official files, good and broken: what is read, and the one message a broken one gets."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import FormatError, read_official
from tests.unit.files import (
    NAMES,
    PEOPLE,
    SCHOOLS_NAME,
    V4_NAME,
    V5_NAME,
    population_v4,
    population_v5,
    schools,
)


def zipped(name: str, data: bytes, more: dict[str, bytes] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
        for other, content in (more or {}).items():
            archive.writestr(other, content)
    return buffer.getvalue()


def test_v4_and_v5_give_the_same_rows(catalogue: Catalogue) -> None:
    new = read_official(V5_NAME, population_v5(2023).encode(), catalogue)
    old = read_official(V4_NAME, population_v4(2023).encode(), catalogue)
    assert (new.format, old.format) == ("ffcsv_v5", "ffcsv_v4")
    assert new.frame.equals(old.frame)
    assert new.stand == dt.datetime(2026, 3, 10, 20, 49, 32)
    assert old.stand == dt.datetime(2024, 12, 4)


def test_a_zip_reads_like_its_member(catalogue: Catalogue) -> None:
    plain = read_official(V5_NAME, population_v5().encode(), catalogue)
    packed = read_official(
        V5_NAME.replace(".csv", ".zip"), zipped(V5_NAME, population_v5().encode()), catalogue
    )
    assert packed.frame.equals(plain.frame)


def test_leading_zeros_and_names(catalogue: Catalogue) -> None:
    rows = read_official(V4_NAME, population_v4().encode(), catalogue)
    assert set(rows.frame["area_code"]) == set(PEOPLE)
    assert rows.codebook["areas"] == NAMES


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_datencsv_with_a_contract_comes_out_in_official_codes(catalogue: Catalogue, encoding: str) -> None:
    rows = read_official(SCHOOLS_NAME, schools().encode(encoding), catalogue)
    frame = rows.frame[rows.frame["area_code"] == "07111"]
    total = frame[(frame["measure"] == "BIL003") & (frame["BILSA8"] == "INSGESAMT1") & (frame["GES"] == "")]
    assert total["value"].item() == 12846
    assert total["period_label"].item() == "2023/24"
    kolleg = frame[(frame["BILKL2"] == "JGSTUFE11") & (frame["BILSA8"] == "SCHULE28")]
    assert kolleg["sign"].item() == "x"
    assert kolleg["value"].isna().item()
    assert rows.stand == dt.datetime(2025, 3, 13, 16, 39, 14)
    assert "01.01.1979; ab Berichtsjahr" in rows.footnotes
    assert (rows.licence or "").startswith("©")


def test_the_year_may_stand_in_the_title(catalogue: Catalogue) -> None:
    with_column = read_official(SCHOOLS_NAME, schools(2023).encode(), catalogue)
    with_title = read_official(SCHOOLS_NAME, schools(None, title_year=2023).encode(), catalogue)
    assert with_title.frame.equals(with_column.frame)


def test_without_a_contract_labels_are_passed_on() -> None:
    rows = read_official(SCHOOLS_NAME, schools().encode())
    assert rows.dimensions == ["dimension_1"]
    assert "Gymnasien" in set(rows.frame["dimension_1"])


Break = Callable[[str], str]


def line_of(text: str, part: str) -> int:
    return next(n for n, line in enumerate(text.split("\n"), start=1) if part in line)


BROKEN_V5: dict[str, tuple[Break, str]] = {
    "a word for a number": (lambda t: t.replace(";11;Anzahl", ";elf;Anzahl", 1), "'elf', expected a number"),
    "a thousands separator": (
        lambda t: t.replace(";11;Anzahl", ";1.100,5;Anzahl", 1),
        "without points between thousands",
    ),
    "a period that is none": (
        lambda t: t.replace("2024-12-31", "2024-13-31", 1),
        "'2024-13-31', expected a period",
    ),
    "a key that lost its zero": (lambda t: t.replace(";07111;", ";7111;"), "'7111', expected an area code"),
    "another statistic": (
        lambda t: t.replace("12411;Fort", "12421;Fort", 1),
        "statistic '12421', expected '12411'",
    ),
    "a column too few": (lambda t: t.replace(";Anzahl;BEVSTD", ";BEVSTD", 1), "16 columns, expected 17"),
    "a column moved": (
        lambda t: t.replace("1_variable_code;1_variable_label", "1_variable_label;1_variable_code", 1),
        "'1_variable_label', expected 1_variable_code",
    ),
    "cut in a line": (lambda t: t[:-20], "expected a file that ends with a whole line"),
    "cut between lines": (lambda t: "\n".join(t.split("\n")[:-2]) + "\n", "2 values for area 07137"),
    "a row twice": (lambda t: t + t.split("\n")[5] + "\n", "again, first on line 6"),
    "a header only": (lambda t: t.split("\n")[0] + "\n", "a header and no rows"),
    "another measure": (lambda t: t.replace("BEVSTD", "BEVXXX"), "measure BEVXXX in Anzahl"),
    "another variable": (lambda t: t.replace(";GES;", ";NAT;"), "the variables NAT, expected GES"),
}


@pytest.mark.parametrize("case", BROKEN_V5)
def test_broken_ffcsv_is_refused_with_one_message(catalogue: Catalogue, case: str) -> None:
    damage, message = BROKEN_V5[case]
    with pytest.raises(FormatError) as caught:
        read_official(V5_NAME, damage(population_v5()).encode(), catalogue)
    assert message in str(caught.value)
    assert str(caught.value).startswith(V5_NAME)
    assert "found" in str(caught.value)


def test_the_message_names_line_and_column(catalogue: Catalogue) -> None:
    text = population_v5().replace(";11;Anzahl", ";elf;Anzahl", 1)
    with pytest.raises(FormatError) as caught:
        read_official(V5_NAME, text.encode(), catalogue)
    assert caught.value.line == line_of(text, ";elf;")
    assert caught.value.column == "value"


BROKEN_SHEET: dict[str, tuple[Break, str]] = {
    "no footer": (lambda t: t.split("__________")[0], "the file seems to be cut short"),
    "no Stand": (lambda t: t.replace("Stand:", "Datum:"), "no line 'Stand: …'"),
    "columns swapped": (
        lambda t: t.replace("Insgesamt;weiblich;ausländisch", "weiblich;Insgesamt;ausländisch"),
        "the columns have moved",
    ),
    "a column missing": (
        lambda t: "\n".join(
            line.rsplit(";", 1)[0] if ";" in line and "Berichtsjahr" not in line else line
            for line in t.split("\n")
        ),
        "5 value columns, expected 6",
    ),
    "an unknown school type": (
        lambda t: t.replace("Gymnasien", "Gymnasium neu"),
        "'Gymnasium neu', expected a label",
    ),
    "another unit": (
        lambda t: t.replace("Anzahl;Anzahl", "Prozent;Anzahl", 1),
        "unit 'Prozent', expected 'Anzahl'",
    ),
    "a short row": (lambda t: t.replace("25;3913;1951", "25;3913", 1), "columns, expected 10"),
    "a word in a cell": (lambda t: t.replace(";3913;", ";viele;", 1), "'viele', expected a number"),
    "a row twice": (
        lambda t: t.replace("__________", t.split("\n")[7] + "\n__________", 1),
        "again, first on line 8",
    ),
    "a row missing": (lambda t: t.replace(t.split("\n")[9] + "\n", "", 1), "the file seems to be cut short"),
    "a year that is none": (lambda t: t.replace("2023;07111", "20x3;07111", 1), "'20x3', expected a year"),
    "a key that lost its zero": (lambda t: t.replace(";07111;", ";7111;"), "'7111', expected an area code"),
    "no period at all": (lambda t: schools(None), "no period in title, header or first column"),
}


@pytest.mark.parametrize("case", BROKEN_SHEET)
def test_broken_datencsv_is_refused_with_one_message(catalogue: Catalogue, case: str) -> None:
    damage, message = BROKEN_SHEET[case]
    with pytest.raises(FormatError) as caught:
        read_official(SCHOOLS_NAME, damage(schools()).encode(), catalogue)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        (V5_NAME, b"", "0 bytes"),
        (V5_NAME, b"\n\n", "an empty file"),
        (V5_NAME, population_v5().encode("utf-16"), "UTF-16"),
        (V5_NAME, population_v5().encode("utf-8").decode("cp1252").encode("utf-8"), "damaged characters"),
        (V5_NAME, population_v5().replace("ä", "\ufffd").encode(), "damaged characters"),
        (SCHOOLS_NAME, schools().encode("cp1252").replace(b"\xfc", b"\x81"), "byte 0x81"),
        (V5_NAME, b"<html><body>Wartung</body></html>", "an HTML page"),
        (V5_NAME, b'{"Code":15,"Content":"Fehler"}', "a first line"),
        (V5_NAME, zipped(V5_NAME, population_v5().encode())[:-30], "a damaged zip archive"),
        (V5_NAME, zipped(V5_NAME, b"a", {"b.csv": b"b"}), "2 files in the archive"),
        (V5_NAME, zipped("12411-02-03-4_x_flat.csv", population_v5().encode()), "table 12411-02-03-4 inside"),
        ("21111-02-06-4.csv", schools().encode(), "table 21111-01-03-4 in the first line"),
        ("download.csv", population_v5().encode(), "a name without a table's code"),
        (V5_NAME, b"statistics_code;statistics_label\n", "the end of the header"),
        (V5_NAME, population_v5().replace("\n", "\r", 1).encode(), "a lone carriage return"),
        (SCHOOLS_NAME, schools().replace("13.03.2025", "31.02.2025").encode(), "a day and a time that exist"),
        ("book.xlsx", zipped("[Content_Types].xml", b"x"), "a workbook that can't be opened"),
    ],
)  # fmt: skip
def test_what_is_no_official_file_is_refused(
    catalogue: Catalogue, name: str, data: bytes, message: str
) -> None:
    with pytest.raises(FormatError) as caught:
        read_official(name, data, catalogue)
    assert message in str(caught.value)


def test_a_shifted_row_with_values_is_refused() -> None:
    text = population_v4()
    shifted = "KREISE;Kreise;07111;Koblenz;17;;;;;;;;;\n"
    with pytest.raises(FormatError, match="shifted by five columns with values"):
        read_official(V4_NAME, (text + shifted).encode())


@settings(max_examples=150)
@given(st.data())
def test_no_damage_escapes_as_another_error(data: st.DataObject) -> None:
    """Any bytes changed, dropped or repeated: rows or FormatError, never a traceback."""
    from expectations.catalogue import load_catalogue

    name, whole = data.draw(
        st.sampled_from(
            [
                (V5_NAME, population_v5().encode()),
                (V4_NAME, population_v4().encode()),
                (SCHOOLS_NAME, schools().encode("cp1252")),
            ]
        )
    )
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    filler = data.draw(
        st.sampled_from([b"", b";", b"\n", b"x", b"\xff", b"\x00", b"-", whole[start:end] * 2])
    )
    damaged = whole[:start] + filler + whole[end:]
    message = ""
    try:
        rows = read_official(name, damaged, load_catalogue())
    except FormatError as error:
        message = str(error)
    else:
        assert len(rows.frame) > 0
    assert not message or "found" in message


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(sorted(PEOPLE)), st.tuples(*[st.integers(0, 10**8)] * 3), min_size=1))
def test_every_count_written_is_read(people: dict[str, tuple[int, ...]]) -> None:
    rows = read_official(V5_NAME, population_v5(2024, people).encode()).frame
    found = {area: tuple(int(v) for v in group["value"]) for area, group in rows.groupby("area_code")}
    assert found == people
