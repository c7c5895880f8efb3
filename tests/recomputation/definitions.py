"""The definition of every register-based indicator, typed from the reference list of indicators.

`reference` quotes that list (its definition, and numerator and denominator where the definition is short).
Where the list leaves something open, a comment says what is counted here. Nothing was taken from the product.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pandas as pd

from tests.recomputation import calculation
from tests.recomputation.calculation import Table, Term, Terms

# What the periods of an indicator look like; a school year ends on 31 July, a calendar year with the year.
SCHOOL_YEAR = r"\d{4}/\d{2}"
CALENDAR_YEAR = r"\d{4}"
YEAR_END, JUNE = r"31\.12\.\d{4}", r"30\.06\.\d{4}"
MARCH, JANUARY = r"01\.03\.\d{4}", r"01\.01\.\d{4}"

LEVELS = {
    "city_district local_district planning_district school_district statistical_district": "A1.1",
    "city_district school_district": "A1.2 A1.3 A1.7",
    "city_district": "A1.4 A1.5 A1.10 A4.2 C1.1 C1.2 C2.2 C2.3 K6.1",
    "city_district district": (
        "A1.8 A1.14 A4.5 B4.1 C1.3 C3.1 C3.4 C5.1 C5.3 C5.4 C5.5 E4.1 G1.8 H2.1 H4.1 H6.1 H7.1 K7.1"
    ),
    "school": "D1.2 D1.3 D2.3 D8.1 D8.2 D8.3 E1.2",
    "district school": (
        "C6.1 C6.2 D1.4 D2.1 D2.4 D4.1 D5.2 D5.3 D6.1 D7.1 D7.2 D9.1 D10.1 D10.2 D11.1 D12.1 K2.1 K4.1"
    ),
}


def levels_of(code: str) -> tuple[str, ...]:
    """The levels at which an indicator is made from registers; most know the city alone."""
    found = [levels for levels, codes in LEVELS.items() if code in codes.split()]
    return tuple(found[0].split()) if found else ("district",)


@dataclass(frozen=True)
class Indicator:
    """An indicator: numerator by denominator times `scale`, a count, a difference or a model.

    `period_pattern` is what its periods look like; `numerator_at` replaces the numerator at a level; `parts`
    is how many rounded counts stand in the numerator or the denominator together; `departs` says how a figure
    that is defined as the product computes it departs from the reference.
    """

    code: str
    reference: str
    period_pattern: str
    numerator: Terms = ()
    denominator: Terms = ()
    scale: float = 1
    minus: bool = False
    numerator_at: dict[str, Terms] = field(default_factory=dict)
    parts: int = 1
    model: Callable[[dict[str, Table], str], Table] | None = None
    departs: str = ""

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels at which the indicator is made from registers."""
        return levels_of(self.code)


def terms(*given: Term) -> Terms:
    """Several terms that are added up."""
    return given


def aged(first: int, end: int) -> calculation.Condition:
    """The condition that somebody is at least `first` and not yet `end` years old."""
    return lambda rows: rows["age"].between(first, end - 1)


def people(first: int, end: int, lag: int = 0, not_by: tuple[str, ...] = ()) -> Terms:
    """The residents from `first` to under `end` years of age."""
    return terms(Term("residents", aged(first, end), lag=lag, not_by=not_by))


def event(kind: str) -> calculation.Condition:
    """The condition that a movement between schools is of a kind."""
    return lambda rows: rows["event"] == kind


def column(table: str, name: str, not_by: tuple[str, ...] = ()) -> Terms:
    """The sum of a column of a table."""
    return terms(Term(table, sum_of=name, not_by=not_by))


def is_foreign(rows: Table) -> pd.Series:
    """Nobody of them is a German citizen."""
    return rows["nationality"] == "foreign"


def up_to_grade_10(rows: Table) -> pd.Series:
    """Grades 1 to 10."""
    return rows["level"] <= 10


RESIDENTS = terms(Term("residents"))
RESIDENTS_IN_ALL = terms(Term("residents", not_by=("category",)))
PUPILS = terms(Term("pupils"))
EXAMINED = terms(Term("school_entry_examinations"))
ENTRIES = terms(Term("school_movements", event("EIN")))
LEAVERS = terms(Term("school_movements", event("AUS")))
CENTRES = terms(Term("day_care_centres"))
PLACES = column("day_care_centres", "places")

INDICATORS = [
    Indicator("A1.1", "Einwohner mit Hauptwohnung am 31.12.", YEAR_END, RESIDENTS),
    Indicator("A1.2", "Bestand nach Altersgruppen <3, 3-<6, 6-<10, 10-<15, 15-<18, ...", YEAR_END, RESIDENTS),
    Indicator("A1.3", "Bestand je Altersjahr (Grundlage Einschulungsprognose)", YEAR_END, RESIDENTS),
    Indicator(
        "A1.4",
        "Unter 20-Jährige je 100 20- bis unter 65-Jährige",
        YEAR_END,
        people(0, 20),
        people(20, 65),
        100,
    ),
    Indicator(
        "A1.5",
        "65-Jährige und Ältere je 100 20- bis unter 65-Jährige",
        YEAR_END,
        people(65, 999),
        people(20, 65),
        100,
    ),
    Indicator(
        "A1.7",
        "Anteil Personen ohne deutsche Staatsangehörigkeit",
        YEAR_END,
        terms(Term("residents", is_foreign)),
        RESIDENTS,
        100,
    ),
    Indicator(
        "A1.8",
        "Ausländer + Eingebürgerte + Aussiedler + Kinder mit mind. einem solchen Elternteil",
        YEAR_END,
        terms(Term("residents", lambda rows: rows["has_migration_background"])),
        RESIDENTS,
        100,
    ),
    Indicator(
        "A1.10",
        "Zuzüge minus Fortzüge über die Kreisgrenze; Kreis; Stadtteil (inkl. Umzüge)",
        CALENDAR_YEAR,
        terms(Term("moves", lambda rows: rows["direction"] == "in")),
        terms(Term("moves", lambda rows: rows["direction"] == "out")),
        minus=True,
    ),
    Indicator(
        "A1.14",
        "Anteil Haushalte mit Kindern <18, darunter alleinerziehend",
        YEAR_END,
        terms(Term("households", lambda rows: rows["has_children"])),
        terms(Term("households")),
        100,
    ),
    Indicator(
        "A4.2",
        "Nicht erwerbsfähige LB <15 / Bevölkerung <15",
        YEAR_END,
        column("employment_agency_districts", "NEF unter 15"),
        people(0, 15),
        100,
    ),
    Indicator("A4.4", "Empfänger 7-<18", YEAR_END, column("social_office", "Empfänger 7 bis unter 18")),
    Indicator(
        "A4.5",
        "Leistungsberechtigte mit BuT-Anspruch / Berechtigte <25",
        CALENDAR_YEAR,
        column("education_package", "mit Leistung"),
        column("education_package", "Berechtigte unter 25"),
        100,
    ),
    # The accounts name the product areas 25 to 29 together.
    Indicator(
        "B2.1",
        "Auszahlungen/Aufwand der Bildungsproduktbereiche (21-25, 36)",
        CALENDAR_YEAR,
        column("municipal_accounts", "Aufwand"),
    ),
    Indicator(
        "B2.2",
        "Bildungsausgaben / Bev. <30",
        CALENDAR_YEAR,
        column("municipal_accounts", "Aufwand"),
        people(0, 30),
    ),
    # Only the schools of the directory: day-care centres stand in C1.1.
    Indicator("B4.1", "Zahl der Einrichtungen nach Bereich und Träger", SCHOOL_YEAR, terms(Term("schools"))),
    Indicator("C1.1", "Zahl der Einrichtungen", MARCH, CENTRES),
    Indicator("C1.2", "Genehmigte Plätze lt. Betriebserlaubnis", MARCH, PLACES),
    Indicator("C1.3", "Plätze / Kinder der Altersgruppe", MARCH, PLACES, people(0, 6, lag=1), 100),
    Indicator(
        "C2.2",
        "Kinder <3 in Kita oder Tagespflege (ohne Doppelz.) / Bevölkerung <3 am 31.12. des VORJAHRES",
        MARCH,
        terms(Term("children_in_care", aged(0, 3))),
        people(0, 3, lag=1),
        100,
    ),
    Indicator(
        "C2.3",
        "wie C2.2 für 3-<6",
        MARCH,
        terms(Term("children_in_care", aged(3, 6))),
        people(3, 6, lag=1),
        100,
    ),
    Indicator(
        "C2.5",
        "wie C2.2 je Altersjahr",
        MARCH,
        terms(Term("children_in_care", aged(0, 3))),
        people(0, 3, lag=1),
        100,
    ),
    Indicator(
        "C2.6",
        "Kinder 6-<11 in Kita/Tagespflege / Bev. 6-<11",
        MARCH,
        terms(Term("children_in_care", aged(6, 11))),
        people(6, 11, lag=1),
        100,
    ),
    # More than 7 hours on five days are more than 35 hours a week.
    Indicator(
        "C3.1",
        "Kinder mit durchgehender Betreuung >7 h / Bev. gleichen Alters; 0-2, 3-5",
        MARCH,
        terms(Term("day_care_children", lambda rows: (rows["hours"] > 35) & (rows["age"] < 6))),
        people(0, 6, lag=1),
        100,
    ),
    Indicator(
        "C3.4",
        "Kinder mit nicht vorrangig deutscher Familiensprache: Anteil an betreuten Kindern",
        MARCH,
        terms(Term("day_care_children", lambda rows: ~rows["speaks_german_at_home"])),
        terms(Term("day_care_children")),
        100,
    ),
    Indicator(
        "C5.1",
        "Kinder mit auffälligem Sprachbefund / untersuchte Kinder",
        CALENDAR_YEAR,
        terms(Term("school_entry_examinations", lambda rows: rows["finding"] == "auffällig")),
        EXAMINED,
        100,
    ),
    # The finding on language stands for the knowledge of German, which the examination does not rate.
    Indicator(
        "C5.2",
        "Kinder mit unzureichenden Deutschkenntnissen / Kinder mit anderer Familiensprache",
        CALENDAR_YEAR,
        terms(
            Term(
                "school_entry_examinations",
                lambda rows: ~rows["speaks_german_at_home"] & (rows["finding"] == "auffällig"),
            )
        ),
        terms(Term("school_entry_examinations", lambda rows: ~rows["speaks_german_at_home"])),
        100,
    ),
    Indicator(
        "C5.3",
        "Anteil mit >= 3 Jahren Kita; untersuchte Kinder",
        CALENDAR_YEAR,
        terms(Term("school_entry_examinations", lambda rows: rows["day_care_years"] >= 3)),
        EXAMINED,
        100,
    ),
    # Whether the booklet was shown is not delivered; every child has an answer on U8 and U9.
    Indicator(
        "C5.4",
        "Kinder mit U8 und U9 / Kinder mit vorgelegtem Heft",
        CALENDAR_YEAR,
        terms(Term("school_entry_examinations", lambda rows: rows["check_ups"] == "ja")),
        terms(Term("school_entry_examinations", lambda rows: rows["check_ups"].notna())),
        100,
    ),
    # No answer on measles means that no record of vaccinations was shown.
    Indicator(
        "C5.5",
        "2 Masernimpfungen / Kinder mit Impfausweis",
        CALENDAR_YEAR,
        terms(Term("school_entry_examinations", lambda rows: rows["measles"] == "ja")),
        terms(Term("school_entry_examinations", lambda rows: rows["measles"].notna())),
        100,
    ),
    Indicator("C6.1", "Eingeschulte nach Zeitpunkt (früh, fristgemäß, spät)", SCHOOL_YEAR, ENTRIES),
    # Rheinland-Pfalz: who is six on 31.08. has to enter school, so who is seven by then enters late.
    Indicator(
        "C6.2",
        "Spät Eingeschulte / Einschulungen; Stichtag Einschulung RLP 31.08.",
        SCHOOL_YEAR,
        terms(Term("school_movements", lambda rows: event("EIN")(rows) & (rows["age_on_31_august"] >= 7))),
        ENTRIES,
        100,
    ),
    Indicator(
        "C7.1", "belegte Plätze / genehmigte Plätze", MARCH, terms(Term("day_care_children")), PLACES, 100
    ),
    Indicator("D1.2", "Schüler nach Schulart am Schulort", SCHOOL_YEAR, PUPILS),
    Indicator(
        "D1.3", "Ausländische Schüler / Schüler", SCHOOL_YEAR, terms(Term("pupils", is_foreign)), PUPILS, 100
    ),
    # The place of birth is not delivered.
    Indicator(
        "D1.4",
        "Schüler mit MH (KMK: StA, Geburtsort, Verkehrssprache) / Schüler",
        SCHOOL_YEAR,
        terms(Term("pupils", lambda rows: is_foreign(rows) | ~rows["speaks_german_at_home"])),
        PUPILS,
        100,
        parts=2,
    ),
    Indicator("D2.1", "Schüler in Klassen / Klassen", SCHOOL_YEAR, PUPILS, terms(Term("classes"))),
    Indicator(
        "D2.3", "Klassen je Jahrgangsstufe", SCHOOL_YEAR, terms(Term("classes")), terms(Term("grades"))
    ),
    Indicator(
        "D2.4",
        "Schüler / VZÄ Lehrkräfte",
        SCHOOL_YEAR,
        PUPILS,
        column("teaching_staff", "Vollzeitlehrereinheiten"),
    ),
    Indicator(
        "D4.1",
        "Übergänger aus Kl. 4 auf Schulart X / alle Übergänger aus Kl. 4",
        SCHOOL_YEAR,
        terms(Term("school_movements", event("UEB"))),
        terms(Term("school_movements", event("UEB"), not_by=("school_type",))),
        100,
    ),
    Indicator(
        "D4.2",
        "Gymnasialübergang GS mit niedrigem minus hohem MH-Anteil",
        SCHOOL_YEAR,
        model=calculation.transition_gap,
    ),
    Indicator(
        "D5.2",
        "Wiederholer / Schüler des Vorjahres",
        SCHOOL_YEAR,
        terms(Term("school_movements", event("WDH"))),
        terms(Term("pupils", lag=1)),
        100,
    ),
    Indicator(
        "D5.3",
        "Schüler Klasse k+1 im Jahr t+1 / Schüler Klasse k im Jahr t",
        SCHOOL_YEAR,
        model=calculation.grade_progression,
    ),
    Indicator(
        "D6.1",
        "Schüler mit sonderpäd. Förderbedarf / Schüler Kl. 1-10",
        SCHOOL_YEAR,
        terms(Term("pupils", lambda rows: rows["special_needs"] & up_to_grade_10(rows))),
        terms(Term("pupils", up_to_grade_10)),
        100,
    ),
    Indicator(
        "D6.2",
        "SPF an allgemeinen Schulen / SPF insgesamt",
        SCHOOL_YEAR,
        terms(Term("pupils", lambda rows: rows["special_needs"] & (rows["school_type"] != "SCHULE11"))),
        terms(Term("pupils", lambda rows: rows["special_needs"])),
        100,
    ),
    Indicator(
        "D7.1",
        "Schüler im Ganztag / Schüler",
        SCHOOL_YEAR,
        terms(Term("pupils", lambda rows: rows["all_day"])),
        PUPILS,
        100,
    ),
    Indicator(
        "D7.2",
        "Kinder in Betreuender GS / GS-Schüler",
        SCHOOL_YEAR,
        column("after_school_care", "Kinder"),
        terms(Term("pupils", lambda rows: rows["school_type"] == "SCHULE03")),
        100,
    ),
    Indicator("D8.1", "Abgänger nach Abschlussart, Jahr = Ende des Schuljahres", SCHOOL_YEAR, LEAVERS),
    Indicator(
        "D8.2",
        "Abgänger ohne HSA / Absolventen+Abgänger",
        SCHOOL_YEAR,
        terms(
            Term("school_movements", lambda rows: event("AUS")(rows) & (rows["qualification"] == "BILABS11"))
        ),
        LEAVERS,
        100,
    ),
    Indicator(
        "D8.3",
        "mit AHR / Absolventen+Abgänger",
        SCHOOL_YEAR,
        terms(
            Term("school_movements", lambda rows: event("AUS")(rows) & (rows["qualification"] == "BILABS15"))
        ),
        LEAVERS,
        100,
    ),
    Indicator(
        "D9.1",
        "Schüler mit Wohnort außerhalb / Schüler (Wohnort != 07111)",
        SCHOOL_YEAR,
        terms(Term("pupils", lambda rows: rows["lives_outside"])),
        PUPILS,
        100,
    ),
    Indicator(
        "D10.1",
        "Schüler in Intensivkursen/Sprachförderung",
        SCHOOL_YEAR,
        column("newcomer_pupils", "Intensivkurs"),
    ),
    Indicator(
        "D10.2",
        "Schüler mit Zuzug aus Ausland < 2 Jahre",
        SCHOOL_YEAR,
        column("newcomer_pupils", "Seiteneinsteiger"),
    ),
    Indicator(
        "D11.1",
        "Schüler mit einkommensabhängiger Lernmittelfreiheit / Schüler",
        SCHOOL_YEAR,
        terms(Term("learning_materials", lambda rows: rows["Art"] == "kostenfrei")),
        PUPILS,
        100,
    ),
    # The offices name positions at vocational schools too; the general ones alone count per school.
    Indicator(
        "D12.1",
        "Schüler je VZÄ Schulsozialarbeit",
        SCHOOL_YEAR,
        terms(Term("pupils"), Term("vocational_pupils")),
        column("school_social_work", "Stellenanteil"),
        numerator_at={"school": PUPILS},
        parts=2,
    ),
    Indicator(
        "E1.2", "Schüler nach Schulart (berufliche Schulen)", SCHOOL_YEAR, terms(Term("vocational_pupils"))
    ),
    Indicator(
        "E2.1",
        "Verträge 1.10.-30.09. (BIBB) bzw. Kalenderjahr",
        CALENDAR_YEAR,
        column("training_contracts", "neue Verträge"),
    ),
    Indicator(
        "E2.2",
        "Gelöste Verträge (Schichtenmodell) / begonnene",
        CALENDAR_YEAR,
        column("training_contracts", "gelöste Verträge"),
        column("training_contracts", "begonnene Verträge"),
        100,
    ),
    Indicator(
        "E2.3",
        "(neue Verträge+unbesetzte Stellen)/(neue Verträge+unversorgte+Bewerber mit Alternative)",
        CALENDAR_YEAR,
        column("training_contracts", "neue Verträge") + column("training_market", "unbesetzt"),
        column("training_contracts", "neue Verträge")
        + column("training_market", "unversorgt")
        + column("training_market", "mit Alternative"),
        100,
        parts=3,
    ),
    Indicator(
        "E2.4",
        "unversorgte Bewerber / gemeldete Bewerber",
        CALENDAR_YEAR,
        column("training_market", "unversorgt"),
        column("training_market", "Bewerber"),
        100,
    ),
    Indicator(
        "E2.5",
        "gemeldete Stellen / Bewerber",
        CALENDAR_YEAR,
        column("training_market", "Stellen"),
        column("training_market", "Bewerber"),
    ),
    Indicator(
        "E3.2",
        "bestandene / teilgenommene Prüfungen",
        CALENDAR_YEAR,
        column("training_contracts", "bestanden"),
        column("training_contracts", "Prüfungen"),
        100,
    ),
    Indicator(
        "E4.1",
        "Auszubildende / SvB; 30.06.",
        JUNE,
        column("employment_agency_districts", "Auszubildende"),
        column("employment_agency_districts", "Beschäftigte"),
        100,
    ),
    # Of the planned destinations the product publishes training alone.
    Indicator(
        "E4.2",
        "Befragte nach geplantem Verbleib (Ausbildung, Schule, FSJ, Studium, unklar)",
        SCHOOL_YEAR,
        terms(Term("survey_leavers", lambda rows: rows["ziel"] == "A1")),
        terms(Term("survey_leavers")),
        100,
    ),
    Indicator(
        "F1.2",
        "1. Hochschulsemester; SS+WS",
        CALENDAR_YEAR,
        column("universities_in_the_city", "Studienanfänger"),
    ),
    Indicator(
        "F1.5", "Geförderte Schüler/Studierende", CALENDAR_YEAR, column("student_grants", "Geförderte")
    ),
    # A course without any enrolment was not held.
    Indicator(
        "G1.1",
        "durchgeführte Kurse",
        CALENDAR_YEAR,
        terms(Term("adult_education", lambda rows: rows["Belegungen"] > 0)),
    ),
    Indicator(
        "G1.2",
        "UStd / Einwohner x 1000",
        CALENDAR_YEAR,
        column("adult_education", "UStd"),
        RESIDENTS_IN_ALL,
        1000,
    ),
    Indicator(
        "G1.3",
        "Belegungen / Einwohner x 1000 (Belegung != Person)",
        CALENDAR_YEAR,
        column("adult_education", "Belegungen"),
        RESIDENTS_IN_ALL,
        1000,
    ),
    Indicator("G1.4", "neue Teilnehmende", CALENDAR_YEAR, column("integration_courses", "neue Teilnehmende")),
    Indicator(
        "G1.5",
        "Kurse/Belegungen Programmbereich Grundbildung",
        CALENDAR_YEAR,
        terms(
            Term(
                "adult_education",
                lambda rows: rows["category"] == "programme_basic_education",
                sum_of="Belegungen",
            )
        ),
    ),
    # Entries are counted over a year: the figure belongs to the year, not to its last day.
    Indicator("G1.8", "Eintritte FbW", CALENDAR_YEAR, column("employment_agency_districts", "Eintritte FbW")),
    Indicator("H1.1", "Besuche / Einwohner", CALENDAR_YEAR, column("library", "Besuche"), RESIDENTS),
    Indicator(
        "H1.2", "Entleihungen / Einwohner", CALENDAR_YEAR, column("library", "Entleihungen"), RESIDENTS
    ),
    # The library counts the active users of each month: the figure is the mean of the twelve months.
    Indicator(
        "H1.3",
        "aktive Nutzer / Bevölkerung der Altersgruppe",
        CALENDAR_YEAR,
        column("library", "Aktive Nutzer"),
        RESIDENTS,
        100 / 12,
        parts=12,
    ),
    Indicator(
        "H1.4",
        "Veranstaltungen (Klassenführungen, Leseförderung)",
        CALENDAR_YEAR,
        column("library", "Veranstaltungen"),
    ),
    Indicator(
        "H2.1",
        "Musikschüler 6-<18 / Bevölkerung 6-<18; Schüler 6-<18 (Personen)",
        CALENDAR_YEAR,
        terms(Term("music_school_pupils", aged(6, 18))),
        people(6, 18),
        100,
    ),
    Indicator("H2.2", "Jahreswochenstunden", CALENDAR_YEAR, column("music_school_lessons", "hours")),
    Indicator("H3.1", "Museumsbesuche: Besuche", CALENDAR_YEAR, column("museums", "Besuche")),
    Indicator("H4.1", "Öff. geförderte Angebote", CALENDAR_YEAR, terms(Term("youth_work_offers"))),
    Indicator(
        "H5.1",
        "Mitglieder 7-18 / Bev. 7-18",
        JANUARY,
        column("sports_clubs", "Mitglieder"),
        people(7, 19, lag=1),
        100,
    ),
    Indicator(
        "H6.1",
        "belegte / angebotene Plätze",
        CALENDAR_YEAR,
        column("holiday_programme", "belegte Plätze"),
        column("holiday_programme", "angebotene Plätze"),
        100,
    ),
    Indicator(
        "H7.1",
        "Hilfen / Bev. <21 x 1000",
        CALENDAR_YEAR,
        terms(Term("youth_welfare", lambda rows: aged(0, 21)(rows) & rows["in_the_year"])),
        people(0, 21),
        1000,
    ),
    Indicator("K1.1", "Maßnahmen je Handlungsfeld (8) x Status", YEAR_END, terms(Term("measures"))),
    Indicator(
        "K1.2",
        "Maßnahmen mit >=1 Indikator / Maßnahmen",
        YEAR_END,
        terms(Term("measures", lambda rows: rows["Indikatoren"] != "")),
        terms(Term("measures")),
        100,
    ),
    Indicator(
        "K2.1",
        "Bedarf lt. Elternbefragung x Schülerzahl - Plätze",
        SCHOOL_YEAR,
        model=calculation.all_day_gap,
    ),
    Indicator(
        "K4.1",
        "vorhandene Klassenräume - benötigte Klassen",
        SCHOOL_YEAR,
        model=calculation.room_balance,
    ),
    Indicator(
        "K6.1",
        "Mittel der z-Werte (SGB II <15, Arbeitslosigkeit, MH, Alleinerziehende)",
        YEAR_END,
        model=calculation.social_index_of_reference,
    ),
    # K7.1 is not in the reference list; this is the product's own text.
    Indicator(
        "K7.1",
        "Arbeitslose am 31.12. / Einwohnerinnen und Einwohner von 15 bis unter 65 Jahren am 31.12.",
        YEAR_END,
        column("employment_agency_districts", "Arbeitslose"),
        people(15, 65),
        100,
    ),
]

BY_CODE = {indicator.code: indicator for indicator in INDICATORS}
CHILDREN_COUNTED_TWICE = "children with a centre and a childminder count twice in the Stadtteile"
WITHOUT_CHILDMINDERS = "children with childminders are left out"


def in_centres_or_minded(first: int, end: int) -> Terms:
    """The children in centres and the children with childminders; a child with both counts twice."""
    return terms(
        *(Term(table, aged(first, end)) for table in ("day_care_children", "children_with_childminders"))
    )


# What the product computes where it departs from the reference. The first test of each of these fails as
# expected; this second one keeps the published figure itself under test.
AS_PUBLISHED = [
    replace(BY_CODE["C2.2"], numerator=in_centres_or_minded(0, 3), departs=CHILDREN_COUNTED_TWICE),
    replace(BY_CODE["C2.3"], numerator=in_centres_or_minded(3, 6), departs=CHILDREN_COUNTED_TWICE),
    replace(
        BY_CODE["C2.5"],
        numerator=terms(Term("day_care_children", aged(0, 3))),
        departs=WITHOUT_CHILDMINDERS,
    ),
    replace(
        BY_CODE["C2.6"],
        numerator=terms(Term("day_care_children", aged(6, 11))),
        departs=WITHOUT_CHILDMINDERS,
    ),
    replace(
        BY_CODE["C5.5"],
        denominator=EXAMINED,
        departs="children who showed no record of vaccinations count as not protected",
    ),
    replace(
        BY_CODE["D6.2"],
        numerator=terms(
            Term(
                "pupils",
                lambda rows: (
                    rows["special_needs"] & (rows["school_type"] != "SCHULE11") & up_to_grade_10(rows)
                ),
            )
        ),
        denominator=terms(Term("pupils", lambda rows: rows["special_needs"] & up_to_grade_10(rows))),
        departs="grades 11 to 13 are left out, as in D6.1; the sheet says so",
    ),
    replace(
        BY_CODE["E4.1"],
        period_pattern=YEAR_END,
        departs="the agency delivers its figures by Stadtteil at the end of the year; the sheet says so",
    ),
    replace(
        BY_CODE["K6.1"],
        model=calculation.social_index_as_published,
        departs="children who speak no German at home stand for single parents",
    ),
]
