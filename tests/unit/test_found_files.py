"""Files as they are met in the wild: each is read for what it says or refused, never for something else.

Every case stands for a file found in a public repository or for damage done to one on a desk.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.read import code_in_name, read_official

BLOCK = ("Merkmal_Code", "Merkmal_Label", "Auspraegung_Code", "Auspraegung_Label")


def flat_2024(*rows: str, measures: Sequence[str] = ("BEV__Personen__Anzahl",), blocks: int = 1) -> bytes:
    """A flat file of the dialect until 2024; rows begin with the area's variable."""
    names = [f"{n}_{part}" for n in range(1, blocks + 1) for part in BLOCK]
    header = ";".join(
        ["Statistik_Code", "Statistik_Label", "Zeit_Code", "Zeit_Label", "Zeit", *names, *measures]
    )
    lines = [f"12411;Fortschreibung;STAG;Stichtag;31.12.2019;{row}" for row in rows]
    return "\n".join([header, *lines, ""]).encode()


def sheet(*lines: str, code: str = "12411-0001", title: str = "Deutschland") -> bytes:
    tail = ["__________", "© Statistisches Bundesamt", "Stand: 01.02.2024 / 10:00:00", ""]
    return "\n".join([f"GENESIS-Tabelle: {code}", title, *lines, *tail]).encode()


def read(name: str, data: bytes) -> list[dict[str, Any]]:
    frame = read_official(name, data).frame
    return frame.astype(object).where(frame.notna(), None).to_dict("records")


def values(rows: list[dict[str, Any]], *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in (*keys, "value")) for row in rows]


def refused(name: str, data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_official(name, data)


# --- flat files ---------------------------------------------------------------------------------


def test_the_total_over_the_lander_is_germany() -> None:
    rows = read(
        "12411-0010_flat.csv",
        flat_2024("DLAND;Bundesländer;07;Rheinland-Pfalz;4", "DLAND;Bundesländer;;Insgesamt;83"),
    )
    assert values(rows, "area_code", "area_level") == [("07", "state", 4.0), ("DG", "country", 83.0)]


@pytest.mark.parametrize("row", ["KREISE;Kreise;;Insgesamt;83", "DLAND;Bundesländer;;Westdeutschland;83"])
def test_no_other_empty_area_is(row: str) -> None:
    refused("12411-0010_flat.csv", flat_2024(row), "found '', expected an area code")


def test_a_key_written_once_per_measure_is_one_key() -> None:
    measures = ("A__Erfasst__Anzahl", "B__Ausgaben__EUR")
    data = flat_2024("DINSG;D;DG;Deutschland;;17", "DINSG;D;DG;Deutschland;12;", measures=measures)
    assert values(read("12411-0001_flat.csv", data), "measure") == [("A", 12.0), ("B", 17.0)]


def test_a_measure_written_twice_once_empty_is_one_measure() -> None:
    data = flat_2024("DINSG;D;DG;Deutschland;;17", measures=("A__Personen__Anzahl",) * 2)
    assert values(read("12411-0001_flat.csv", data), "measure") == [("A", 17.0)]
    data = flat_2024("DINSG;D;DG;Deutschland;17;17", measures=("A__Personen__Anzahl",) * 2)
    refused("12411-0001_flat.csv", data, r"the key .* again")


def test_a_cell_that_is_only_empty_stays_a_row_without_value() -> None:
    assert values(read("12411-0001_flat.csv", flat_2024("DINSG;D;DG;Deutschland;")), "sign") == [(None, None)]


def test_a_point_in_an_old_german_flat_file_is_refused() -> None:
    refused(
        "12411-0001_flat.csv", flat_2024("DINSG;D;DG;Deutschland;1.240"), "line 2, column BEV: found '1.240'"
    )


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("12411-01i.csv", "12411-01i"),
        ("12411-03iz_flat.csv", "12411-03iz"),
        ("41232-0001 (1).csv", "41232-0001"),
        ("12411-01-01-4-B_flat.csv", "12411-01-01-4-B"),
        ("12411-01-01-4_thesis.csv", "12411-01-01-4"),
        ("bericht.csv", None),
    ],
)
def test_codes_in_names(name: str, code: str | None) -> None:
    assert code_in_name(name) == code


def test_text_that_went_through_an_old_macintosh_is_refused() -> None:
    data = flat_2024("DINSG;D;DG;Deutschland;12;").replace(b"Personen", "m‰nnlich".encode())
    refused("12411-0001_flat.csv", data, "damaged characters")


def test_a_per_mille_sign_is_no_damage() -> None:
    data = flat_2024("DINSG;D;DG;Deutschland;12", measures=("A__Anteil__‰",))
    assert values(read("12411-0001_flat.csv", data), "unit") == [("‰", 12.0)]


# --- sheets -------------------------------------------------------------------------------------


def test_measure_and_unit_may_stand_in_the_rows() -> None:
    data = sheet(
        ";;;;;Verkäufe;Verkäufe", ";;;;;Insgesamt;baureif",
        "2015;DG;Deutschland;Fälle;Anzahl;89713;79743", "2015;DG;Deutschland;Kaufsumme;Tsd. EUR;13,5;11",
    )  # fmt: skip
    assert values(read("12411-0001.csv", data), "measure", "unit") == [
        ("Fälle | Verkäufe | Insgesamt", "Anzahl", 89713.0),
        ("Kaufsumme | Verkäufe | Insgesamt", "Tsd. EUR", 13.5),
        ("Fälle | Verkäufe | baureif", "Anzahl", 79743.0),
        ("Kaufsumme | Verkäufe | baureif", "Tsd. EUR", 11.0),
    ]


def test_years_over_months_are_months() -> None:
    data = sheet(";2020;2020;2021", ";Januar;Februar;Januar", ";Anzahl;Anzahl;Anzahl", "männlich;1;2;3")
    assert values(read("12411-0001.csv", data), "period_label") == [
        ("2020-01", 1.0), ("2020-02", 2.0), ("2021-01", 3.0),
    ]  # fmt: skip


def test_the_year_as_a_whole_may_stand_beside_its_months() -> None:
    data = sheet(";;Zahl", ";;Anzahl", "2020;Januar;5", "2020;Insgesamt;60", "2020;1.Quartal;15")
    assert values(read("12411-0001.csv", data), "period_label") == [
        ("2020-01", 5.0), ("2020", 60.0), ("2020-Q1", 15.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((";Januar;Februar", ";Anzahl;Anzahl", "2020;1;2"), "header row of years over them"),
        ((";;2020", ";;Anzahl", "männlich;Januar;5"), "the year in the column before them"),
        ((";;Zahl", ";;Anzahl", "2020;männlich;5", "Januar;männlich;5"), "found 'Januar', expected a year"),
    ],
)
def test_a_month_never_carries_its_year_as_period(lines: tuple[str, ...], message: str) -> None:
    refused("12411-0001.csv", sheet(*lines), message)


def test_the_title_may_name_the_day_of_every_year() -> None:
    data = sheet(";2015;2016", ";Anzahl;Anzahl", "männlich;1;2", title="Deutschland;;\n- Stichtag 30.06. -;;")
    assert values(read("12411-0001.csv", data), "period_label") == [("30.06.2015", 1.0), ("30.06.2016", 2.0)]


def test_counts_with_marks_between_thousands_are_refused() -> None:
    refused(
        "12411-0001.csv",
        sheet(";Zahl", ";Anzahl", "2020;45,607", "2021;123"),
        "line 5, column 2: found '45,607'",
    )
    data = sheet(";Zahl", ";Anzahl", "2020;45,6", "2021;1,234")
    assert values(read("12411-0001.csv", data)) == [(45.6,), (1.234,)], "an average of counts has decimals"


def test_two_tables_in_one_file_are_refused() -> None:
    data = sheet(";Zahl", ";Anzahl", "2020;1")
    refused("12411-0001.csv", data + data, "a second table")


def test_a_municipality_without_its_zero_is_no_association() -> None:
    data = sheet(
        ";;Zahl",
        ";;Anzahl",
        "16077056;Treben;4",
        "1001000;Flensburg, krsfr. Stadt;5",
        title="Stichtag: 31.12.2015",
    )
    refused(
        "12411-02-03-5-B.csv",
        data.replace(b"12411-0001", b"12411-02-03-5-B"),
        "'1001000', expected an area code",
    )


def test_an_empty_column_at_the_end_says_nothing() -> None:
    rows = read("12411-0001.csv", sheet(";Zahl;", ";Anzahl;", "2020;1;", "2021;2;"))
    assert values(rows, "measure") == [("Zahl", 1.0), ("Zahl", 2.0)]


def test_the_unit_in_the_title_does_not_speak_for_other_units() -> None:
    data = sheet(";Fälle;EUR je Fall", "2020;10;25,5", title="Deutschland\nVerkäufe (Anzahl)")
    assert values(read("12411-0001.csv", data), "unit") == [("Anzahl", 10.0), ("", 25.5)]


def test_the_state_of_the_data_is_no_period() -> None:
    data = sheet(";Zahl", ";Anzahl", "männlich;1", title="Deutschland\nStand: 2021")
    refused("12411-0001.csv", data, "no period")
