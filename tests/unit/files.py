"""Small official files written by hand, in the three formats, to be read or broken by tests."""

from __future__ import annotations

POPULATION_V5_HEADER = (
    "statistics_code;statistics_label;time_code;time_label;time;"
    "1_variable_code;1_variable_label;1_variable_attribute_code;1_variable_attribute_label;"
    "2_variable_code;2_variable_label;2_variable_attribute_code;2_variable_attribute_label;"
    "value;value_unit;value_variable_code;value_variable_label"
)
POPULATION_V4_HEADER = (
    "Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit;"
    "1_Merkmal_Code;1_Merkmal_Label;1_Auspraegung_Code;1_Auspraegung_Label;"
    "2_Merkmal_Code;2_Merkmal_Label;2_Auspraegung_Code;2_Auspraegung_Label;"
    "BEVSTD__Bevoelkerungsstand__Anzahl"
)
SEXES = [("", "Insgesamt"), ("GESM", "männlich"), ("GESW", "weiblich")]
PEOPLE = {"DG": (100, 48, 52), "07": (40, 19, 21), "07111": (11, 5, 6), "07137": (21, 10, 11)}
NAMES = {
    "DG": "Deutschland",
    "07": "Rheinland-Pfalz",
    "07111": "Koblenz, kreisfreie Stadt",
    "07137": "Mayen-Koblenz",
}

V5_NAME = "12411-01-01-4_1773175772751_de_flat.csv"
V4_NAME = "12411-01-01-4_2024-12-04.ffcsv.csv"
SCHOOLS_NAME = "21111-01-03-4.csv"


def population_v5(year: int = 2024, people: dict[str, tuple[int, ...]] = PEOPLE) -> str:
    """12411-01-01-4 in the flat format of today."""
    lines = [POPULATION_V5_HEADER]
    for area, counts in people.items():
        for (item, label), count in zip(SEXES, counts, strict=True):
            lines.append(
                f"12411;Fortschreibung;STAG;Stichtag;{year}-12-31;KREISE;Kreise;{area};{NAMES[area]};"
                f"GES;Geschlecht;{item};{label};{count};Anzahl;BEVSTD;Bevölkerungsstand"
            )
    return "\ufeff" + "\n".join(lines) + "\n"


def population_v4(year: int = 2023) -> str:
    """12411-01-01-4 in the flat format until 2024."""
    lines = [POPULATION_V4_HEADER]
    for area, counts in PEOPLE.items():
        for (item, label), count in zip(SEXES, counts, strict=True):
            lines.append(
                f"12411;Fortschreibung;STAG;Stichtag;31.12.{year};KREISE;Kreise;{area};  {NAMES[area]};"
                f"GES;Geschlecht;{item};{label};{count}"
            )
    return "\n".join(lines) + "\n"


SCHOOL_ROWS = [
    ("Vorschulbereich", "-;-;-;-;x;x"),
    ("Grundschulen", "25;3913;1951;869;x;x"),
    ("Schulartunabhängige Orientierungsstufe", "-;-;-;-;x;x"),
    ("Hauptschulen", "-;-;-;-;-;x"),
    ("Schularten mit mehreren Bildungsgängen", "5;2182;1020;636;385;x"),
    ("Realschulen", "-;-;-;-;-;x"),
    ("Gymnasien", "7;5401;2722;491;659;574"),
    ("Integrierte Gesamtschulen", "1;827;431;98;111;70"),
    ("Freie Waldorfschulen", "-;-;-;-;-;-"),
    ("Sonderschulen/Förderschulen", "3;407;144;147;27;-"),
    ("Abendschulen und Kollegs", "1;116;56;18;x;x"),
    ("Insgesamt", "x;12846;6324;2259;1182;700"),
]
"""Koblenz in 2023/24; source: table 21111-01-03-4, Statistische Ämter des Bundes und der Länder."""


def schools(
    year: int | None = 2023, title_year: int | None = None, areas: tuple[str, ...] = ("DG", "07111")
) -> str:
    """21111-01-03-4 in the spreadsheet layout, with the year in a column or in the title."""
    blank = ";" * (4 if year else 3)
    pupils = "Schülerinnen und Schüler an allgemeinbildenden Schulen"
    grade = "Klassenstufe / Jahrgangsstufe / Schulbesuchsjahr"
    lines = ["GENESIS-Tabelle: 21111-01-03-4", f"Schulen, Schülerinnen und Schüler{blank};;;;;"]
    if title_year:
        lines.append(f"{title_year}{blank};;;;;")
    lines += [
        f"{blank}Allgemeinbildende Schulen;{';'.join([pupils] * 5)}",
        f"{blank};Geschlecht;Geschlecht;Nationalität;{grade};{grade}",
        f"{blank};Insgesamt;weiblich;ausländisch;7. Klassenstufe;11. Jahrgangsstufe / Einführungsphase",
        f"{blank}{';'.join(['Anzahl'] * 6)}",
    ]
    prefix = f"{year};" if year else ""
    for area in areas:
        lines += [f"{prefix}{area};      {NAMES[area]};{label};{cells}" for label, cells in SCHOOL_ROWS]
    lines += [
        "__________",
        '"zu ""gesamte Tabelle"":',
        '01.01.1979; ab Berichtsjahr 2011: Gebietsstand"',
        '"© Statistische Ämter des Bundes und der Länder, Deutschland, 2025."',
        "Stand: 13.03.2025 / 16:39:14",
        "",
    ]
    return "\n".join(lines)
