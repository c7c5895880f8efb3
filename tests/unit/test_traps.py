"""Traps of the offices' files that no other test sets: one small file each.

The whole list, with the rule each trap is caught by, stands in tests/campaigns/traps.yml.
"""

from __future__ import annotations

import io

import pytest
from openpyxl import Workbook

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import FormatError, read_official
from orchestration.collect.genesis.footnotes import footnotes_of
from tests.support.printing import Cell, flat_today, sheet
from tests.unit.files import V4_NAME, V5_NAME, population_v4, population_v5

NAME = "12411-01-01-4_1773175772751_de_flat.csv"


def flat(*cells: Cell) -> bytes:
    return flat_today("12411", cells).encode()


def test_both_ways_to_say_total_mean_total(catalogue: Catalogue) -> None:
    """An empty code and INSGESAMT are the same cell."""
    for variable in ("GES", "NAT", "BILSA8", "BILAG2"):
        items = catalogue.classifications[variable].items
        totals = [item.code for item in items if item.cell == "total"]
        assert totals in ([""], ["INSGESAMT1"], ["INSGESAMT"]), variable


def test_a_row_without_a_dimension_has_none() -> None:
    """52411: measures with fewer dimensions leave whole blocks empty."""
    rows = read_official(
        NAME,
        flat(
            Cell("DG", "2024", (("GES", "GESM"),), "A1", "Anzahl", "1"),
            Cell("DG", "2024", (), "B1", "Anzahl", "2"),
        ),
    ).frame.set_index("measure")
    assert rows.loc["A1", "GES"] == "GESM"
    assert not isinstance(rows.loc["B1", "GES"], str)


def test_one_measure_in_two_units_is_two_series() -> None:
    """61111: PREIS1 in percent and as an index."""
    cells = [
        Cell("DG", "2024", (), "PREIS1", unit, text) for unit, text in (("2020=100", "119,3"), ("%", "2,2"))
    ]
    assert len(read_official(NAME, flat(*cells))) == 2


def test_the_region_may_be_any_variable() -> None:
    """With the region as the second variable its key still is a text with its zero."""
    header, *lines = population_v5().rstrip("\n").split("\n")
    swapped = []
    for line in lines:
        cells = line.split(";")
        swapped.append(";".join(cells[:5] + cells[9:13] + cells[5:9] + cells[13:]))
    rows = read_official(V5_NAME, ("\n".join([header, *swapped]) + "\n").encode()).frame
    assert set(rows["area_code"]) == {"DG", "07", "07111", "07137"}
    assert set(rows["GES"]) == {"", "GESM", "GESW"}


def test_without_a_region_no_area_is_invented() -> None:
    text = population_v5().replace(";KREISE;", ";ARBAMT;")
    with pytest.raises(FormatError, match="one that holds the region"):
        read_official(V5_NAME, text.encode())


def test_the_quality_column_is_kept_beside_the_value() -> None:
    """value_q: e for final, p for preliminary; a sign in the value itself goes first."""
    header, *lines = population_v5().rstrip("\n").split("\n")
    qualities = ["e", "p", "()"]
    text = (
        "\n".join([header + ";value_q", *(f"{line};{qualities[n % 3]}" for n, line in enumerate(lines))])
        + "\n"
    )
    rows = read_official(V5_NAME, text.encode()).frame
    assert list(rows["sign"][:3]) == qualities


def test_the_english_header_of_the_old_dialect() -> None:
    """language=en broke the header: `1_variable_code` for `1_Merkmal_Code`."""
    header, rest = population_v4().split("\n", 1)
    broken = header.replace("Merkmal_Code", "variable_code").replace("Merkmal_Label", "variable_label")
    assert read_official(V4_NAME, f"{broken}\n{rest}".encode()).frame.equals(
        read_official(V4_NAME, population_v4().encode()).frame
    )


def test_names_lose_their_indentation() -> None:
    names = read_official(V4_NAME, population_v4().encode()).codebook["areas"]
    assert names["07111"] == "Koblenz, kreisfreie Stadt"


def test_two_areas_of_one_name_stay_two() -> None:
    """Göttingen 03152 and 03159: a join on labels would double every row."""
    text = population_v5(2024, {"07111": (5, 2, 3), "07137": (7, 3, 4)})
    text = text.replace("Koblenz, kreisfreie Stadt", "Göttingen").replace("Mayen-Koblenz", "Göttingen")
    rows = read_official(V5_NAME, text.encode())
    assert len(rows) == 6
    assert set(rows.codebook["areas"].values()) == {"Göttingen"}


def test_labels_that_drift_change_nothing() -> None:
    """`Ausländer/-innen` became `ausländisch`; only the codes count."""
    old, new = population_v5(), population_v5().replace("männlich", "Männer").replace("Geschlecht", "Sex")
    assert (
        read_official(V5_NAME, old.encode()).content_sha256
        == read_official(V5_NAME, new.encode()).content_sha256
    )


def test_a_workbook_holds_the_same_cells_as_its_csv() -> None:
    """Merged headings stand once, whole numbers are floats, the corner names its keys."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "12411-0015"
    for row in (
        ["Bevölkerung: Kreise, Stichtag"],
        ["Bevölkerungsstand (Anzahl)"],
        ["Kreise", None, "Stichtag"],
        [None, None, "31.12.2017", "31.12.2018"],
        ["07111", "Koblenz, kreisfreie Stadt", 113605.0, 114024.0],
        ["07137", "Mayen-Koblenz", 213931.0, "-"],
        ["______________"],
        ["Ab 2011: Ergebnisse auf Grundlage des Zensus 2011."],
        ["© Statistisches Bundesamt (Destatis), 2020 | Stand: 27.03.2020 / 03:59:13"],
    ):
        page.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    rows = read_official("12411-0015.xlsx", buffer.getvalue())
    assert rows.stand is not None
    assert rows.stand.isoformat() == "2020-03-27T03:59:13"
    found = {(r.area_code, r.period_label): r.value for r in rows.frame.itertuples()}
    assert found["07111", "31.12.2017"] == 113605
    assert found["07111", "31.12.2018"] == 114024
    assert list(rows.frame["sign"].dropna()) == ["-"]
    assert set(rows.frame["unit"]) == {"Anzahl"}


def test_months_are_folded_into_the_period() -> None:
    """ffcsv writes the year as time and the month as a variable of its own."""
    cells = [
        Cell("07", "2024", (("MONAT", f"MONAT{m:02d}"),), "BEV002", "Anzahl", str(m)) for m in (1, 2, 12)
    ]
    rows = read_official("12411-0099_1773175772751_de_flat.csv", flat(*cells))
    assert list(rows.frame["period_label"]) == ["2024-01", "2024-02", "2024-12"]
    assert rows.dimensions == []


def test_values_and_qualities_may_alternate() -> None:
    """45412-0025: a sign column beside every value, headings merged, the year written once."""
    text = """Tabelle: 45412-0025
Ankünfte: Bundesländer, Monate;;;;;
;;Bayern;;Hessen;
;;Ankünfte;;Ankünfte;
;;Anzahl;Anzahl;Anzahl;Anzahl
2025;Januar;10;e;20;e
;Februar;11;p;-;
2026;Januar;12;p;22;p
__________
© Amt
Stand: 02.03.2026 / 12:59:00
"""
    rows = read_official("45412-0025.csv", text.encode()).frame
    found = {(r.area_code, r.period_label): (r.value, r.sign) for r in rows.itertuples()}
    assert found["09", "2025-02"] == (11, "p")
    assert found["06", "2025-02"][1] == "-"
    assert found["06", "2026-01"] == (22, "p")


def test_footnotes_know_of_what_they_speak() -> None:
    text = """zu ""gesamte Tabelle"":
Ab 2012 mit Nichtschülerprüfungen (Externe).
Baden-Württemberg (Berichtsjahr 1995-2010): Gebietsstand
01.01.1979
Bayern, Berlin (ab Schuljahr 2013/2014): Mittlerer Abschluss
Berlin (1994, 1998): einschließlich Hör-
bzw. Sehgeschädigter
zu ""Absolventen mit Fachhochschulreife"":
Rheinland-Pfalz (2014): einschließlich schulischer Teil der
Fachhochschulreife"""
    found = [(n.heading, n.areas, n.years) for n in footnotes_of(text)]
    assert found == [
        (None, (), ((2012, None),)),
        (None, ("08",), ((1995, 2010),)),
        (None, ("09", "11"), ((2013, None),)),
        (None, ("11",), ((1994, 1994), (1998, 1998))),
        ("Absolventen mit Fachhochschulreife", ("07",), ((2014, 2014),)),
    ]
    assert footnotes_of(text)[3].text.endswith("Hör- bzw. Sehgeschädigter")
    assert footnotes_of(text)[-1].text.endswith("schulischer Teil der Fachhochschulreife")


def test_a_footnote_that_looks_like_a_row_is_none() -> None:
    text = sheet("12411-01-01-4", [Cell("07111", "2015", (), "Personen", "Anzahl", "5")])
    text = text.replace('"zu ""gesamte Tabelle"":', '"01.01.1979; ab Berichtsjahr 2011: anders')
    rows = read_official("12411-01-01-4.csv", text.encode())
    assert len(rows) == 1
    assert "01.01.1979; ab Berichtsjahr 2011: anders" in rows.footnotes


def test_the_population_breaks_with_each_census(catalogue: Catalogue) -> None:
    """113,378 after 115,298 is another base, not a loss of two thousand people."""
    breaks = {str(entry.from_) for entry, _ in catalogue.breaks_of(catalogue.indicators["population"])}
    assert breaks == {"2011-12-31", "2024-12-31"}


@pytest.mark.parametrize(
    ("measure", "since"),
    [
        ("children_in_day_care", "2009-03-01"),
        ("children_in_day_care", "2011-03-01"),
        ("leavers", "2012-07-31"),
        ("leavers", "2014-07-31"),
    ],
)
def test_declared_breaks_of_the_school_and_care_statistics(
    catalogue: Catalogue, measure: str, since: str
) -> None:
    assert since in {str(entry.from_) for entry in catalogue.measures[measure].series_breaks}


def test_rounded_lander_are_declared(catalogue: Catalogue) -> None:
    """Multiples of 3 in SH, HB and ST, of 5 in NRW since 2019/20; Rheinland-Pfalz is exact."""
    (rule,) = [r for r in catalogue.measures["leavers"].additivity if r.breakdown == "qualification"]
    assert {land: rounding.base for land, rounding in rule.rounded_in.items()} == {
        "01": 3,
        "04": 3,
        "05": 5,
        "15": 3,
    }
    assert rule.exact_in == ["07"]


def test_a_point_in_a_german_number_is_refused() -> None:
    """`1.234` in a German file was 1,234 persons before somebody made it readable."""
    with pytest.raises(FormatError, match="without points between thousands"):
        read_official(NAME, flat(Cell("DG", "2024", (), "A1", "Anzahl", "1.234")))
    text = sheet("12411-01-01-4", [Cell("07111", "2015", (), "Personen", "Anzahl", "1.234")])
    with pytest.raises(FormatError, match="nothing between thousands"):
        read_official("12411-01-01-4.csv", text.encode())


def test_grades_are_no_lander() -> None:
    text = """Tabelle: 21111-0099
Schüler: Deutschland, Klassenstufe;;;
2024;;;
;;Schüler
;;Anzahl
10;Gymnasium;500
11;Gymnasium;400
12;Gymnasium;300
__________
© Amt
Stand: 02.03.2026 / 12:59:00
"""
    rows = read_official("21111-0099.csv", text.encode())
    assert set(rows.frame["area_code"]) == {"DG"}
    assert list(rows.frame["dimension_1"]) == ["10", "11", "12"]


def machine_sheet(*rows: list[object]) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = "csv-21111-01"
    for row in rows:
        page.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_keys_in_a_machine_sheet_are_no_quantities() -> None:
    data = machine_sheet(
        ["Statistik_Code", "Jahr", "Land", "Schulart_Code", "Schulart", "Schueler_Anzahl"],
        [21111, "2024", "Rheinland-Pfalz", 1, "Grundschulen", 500],
        [21111, "2024", "Hessen", 1, "Grundschulen", 700],
    )
    rows = read_official("bericht.xlsx", data).frame
    assert set(rows["measure"]) == {"Schueler_Anzahl"}
    assert dict(zip(rows["area_code"], rows["value"], strict=True)) == {"07": 500, "06": 700}


def test_a_machine_sheet_of_unkeyed_areas_is_refused() -> None:
    data = machine_sheet(["Jahr", "Kreisnummer", "Kreisname", "Anzahl"], ["2024", 7111, "Koblenz", 100])
    with pytest.raises(FormatError, match="areas in column 'Kreisnummer'"):
        read_official("bericht.xlsx", data)


@pytest.mark.parametrize(
    ("code", "level"),
    [
        ("12411-01-01-5", "municipality"),
        ("12411-01-01-5-B", "municipality"),
        ("12411-01-01-4-B", "sub_district"),
    ],
)
def test_eight_digits_in_tables_of_all_levels(code: str, level: str) -> None:
    """…-5-B holds municipalities too; …-4-B parts of districts."""
    text = sheet(
        code,
        [
            Cell("01051001", "2015", (), "Personen", "Anzahl", "3482"),
            Cell("DG", "2015", (), "Personen", "Anzahl", "9"),
        ],
    )
    rows = read_official(f"{code}_00.csv", text.encode()).frame.set_index("area_code")
    assert rows.loc["01051001", "area_level"] == level
