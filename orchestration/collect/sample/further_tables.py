"""More official tables of the invented Land: migration, employment, benefits, staff, universities.

Belongs here: tables whose figures follow from the others (Unit.further). Does not belong here: the
layouts (official_layouts.py).
"""

from __future__ import annotations

from collections.abc import Callable

from expectations.catalogue import Catalogue
from orchestration.collect.sample.events import SEED
from orchestration.collect.sample.official_layouts import (
    EPOCH_MS,
    Cell,
    areas,
    datencsv,
    ffcsv_v5,
    grid,
    labelled,
    number,
)
from orchestration.collect.sample.population import AGES, SUBJECTS, Extent, Unit

SINGLE_YEARS = (2023, 2024, 2025)
"""Years of the table by single years of age: eighty rows an area and year are enough for three."""

SEXES = ("male", "female")


def further_files(found: dict[str, Unit], catalogue: Catalogue, extent: Extent) -> dict[str, bytes]:
    """File name → bytes."""
    return {
        **_population(found, catalogue, extent),
        **_migration(found, catalogue, extent),
        **_benefits(found, extent),
        **_staff(found, extent),
        **_vocational_leavers(found, extent),
        **_flat(found, extent),
    }


def _get(unit: Unit, year: int, table: str, *names: str) -> int:
    return sum(unit.further[year, table, name] for name in names)


def _both(unit: Unit, year: int, table: str, stem: str) -> list[int]:
    """Total, men, women."""
    parts = [_get(unit, year, table, f"{stem}_{sex}") for sex in SEXES]
    return [sum(parts), *parts]


# --- population ----------------------------------------------------------------------------------


def _single_years(unit: Unit, year: int) -> dict[str, tuple[int, int]]:
    """Men and women of every item of ALTX76: single years to 74, groups from 75."""
    rows: dict[str, tuple[int, int]] = {}
    people = unit.population[year].sum(axis=2)
    for (low, high), counts in zip(AGES, people, strict=True):
        if low >= 75:
            item = "ALT090UM" if low == 90 else f"ALT{low:03d}B{high:02d}"
            rows[item] = (int(counts[0]), int(counts[1]))
            continue
        for age in range(low, high):
            # What does not divide evenly goes to the younger ones.
            split = [int(c) // (high - low) + (age - low < int(c) % (high - low)) for c in counts]
            rows[f"ALT{age:03d}B{age + 1:02d}"] = (split[0], split[1])
    rows[""] = (int(people[:, 0].sum()), int(people[:, 1].sum()))
    return rows


def _mean_age(unit: Unit, year: int, sex: slice) -> Cell:
    counts = unit.population[year].sum(axis=2)[:, sex].sum(axis=1)
    middles = [(low + high) / 2 for low, high in AGES]
    return f"{sum(c * m for c, m in zip(counts, middles, strict=True)) / counts.sum():.1f}".replace(".", ",")


def _population(found: dict[str, Unit], catalogue: Catalogue, extent: Extent) -> dict[str, bytes]:
    items = [(i.code, i.labels[0]) for i in catalogue.classifications["ALTX76"].items]
    items = [*items[1:], items[0]]
    known = {(code, year): _single_years(found[code], year) for code in found for year in SINGLE_YEARS}
    by_unit = {id(unit): code for code, unit in found.items()}

    def people(unit: Unit, day: str, item: str) -> list[Cell]:
        men, women = known[by_unit[id(unit)], int(day[-4:])][item]
        return [number(men + women), number(men), number(women)]

    def mean(unit: Unit, day: str) -> list[Cell]:
        return [_mean_age(unit, int(day[-4:]), s) for s in (slice(None), slice(0, 1), slice(1, 2))]

    age = "Durchschnittsalter der Bevölkerung"
    return {
        "12411-04-02-4_00.csv": datencsv(
            "12411-04-02-4",
            ["Bevölkerungsstand: Bevölkerung nach Geschlecht", "und Altersjahren (79) - Stichtag 31.12. -"],
            [["", "", "", "", "Insgesamt", "männlich", "weiblich"]],
            labelled([f"31.12.{y}" for y in SINGLE_YEARS], found, items, people, 3), [], "utf-8",
        ),
        "12411-07-01-4_00.csv": datencsv(
            "12411-07-01-4", [age, "- Stichtag 31.12. -"],
            [["", "", "", age, age, age], ["", "", "", "", "männlich", "weiblich"],
             ["", "", "", "Jahre", "Jahre", "Jahre"]],
            grid([f"31.12.{y}" for y in extent.recent], found, mean, 3), [], "utf-8",
        ),
    }  # fmt: skip


def _migration(found: dict[str, Unit], catalogue: Catalogue, extent: Extent) -> dict[str, bytes]:
    items = [(i.code, i.labels[0]) for i in catalogue.classifications["ALTWANDER"].items]
    groups = [code for code, _ in items if code]
    moves = ["Zuzüge über die Kreisgrenzen", "Fortzüge über die Kreisgrenzen"]

    def cells(unit: Unit, year: str, item: str) -> list[Cell]:
        chosen = [item] if item else groups
        both = [
            [
                sum(column)
                for column in zip(
                    *(_both(unit, int(year), "12711", f"{way}_{g}") for g in chosen), strict=True
                )
            ]
            for way in ("in", "out")
        ]
        return [number(v) for way in both for v in way]

    header = [
        ["", "", "", "", *(m for m in moves for _ in range(3))],
        ["", "", "", "", *["Geschlecht"] * 6],
        ["", "", "", "", *["Insgesamt", "männlich", "weiblich"] * 2],
        ["", "", "", "", *["Anzahl"] * 6],
    ]
    return {
        "12711-04-02-4_00.csv": datencsv(
            "12711-04-02-4", ["Zu- und Fortzüge nach Altersgruppen (über die Kreisgrenzen)", "- Jahressumme -"],
            header, labelled([str(y) for y in extent.recent], found, [*items[1:], items[0]], cells, 6), [], "cp1252",
        )
    }  # fmt: skip


# --- benefits, staff, leavers ----------------------------------------------------------------------


def _benefits(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    def sgb2(unit: Unit, day: str) -> list[Cell]:
        def get(*names: str) -> int:
            return _get(unit, int(day[-4:]), "22811", *names)

        able, unable = get("able"), get("unable")
        values = [
            get("household"), able + unable, get("foreign"), get("able_women", "girls"), able, get("able_women"),
            get("young"), get("middle"), get("later"), get("old"), unable, get("girls"), get("children"),
        ]  # fmt: skip
        return [number(v) for v in values]

    def housing(unit: Unit, day: str) -> list[Cell]:
        rent, burden = (_get(unit, int(day), "22311", name) for name in ("rent", "burden"))
        return [*(number(v) for v in (rent + burden, rent, burden)), "187", "181", "226"]

    entitled = "dar.: Regelleistungsberechtigte nach dem SGB II"
    able = "erwerbsf. Leistungsberech. (Arbeitslosengeld II)"
    unable = "nicht erwerbsf. Leistungsberech. (Sozialgeld)"
    households = "Haushalte mit allgemeinem Wohngeld"
    due = "Durchschn.mtl.Anspruch an allgemeinem Wohngeld"
    return {
        "22811-02-02-4_00.csv": datencsv(
            "22811-02-02-4",
            ["Sozialberichterstattung in der amtlichen Statistik,", "Regelleistungsberechtigte nach dem SGB II- Stichtag 31.12. -"],
            [["", "", "", "Personen in Bedarfsgemeinschaften nach dem SGB II", *[entitled] * 12],
             ["", "", "", "", *["insgesamt"] * 3, *[able] * 6, *[unable] * 3],
             ["", "", "", "", "Insgesamt", "Ausländer(innen)", "weiblich", "zusammen", "weiblich", "unter 25 Jahre",
              "25 bis unter 50 Jahre", "50 bis unter 55 Jahre", "55 Jahre und mehr", "zusammen", "weiblich", "unter 15 Jahre"],
             ["", "", "", *["Anzahl"] * 13]],
            grid([f"31.12.{y}" for y in reversed(extent.recent)], found, sgb2, 13), [], "cp1252",
        ),
        "22311-01-02-4_00.csv": datencsv(
            "22311-01-02-4", ["Allgemeines Wohngeld: Haushalte, Durchschnittlicher Anspruch", "Wohngeld zum 31.12."],
            [["", "", "", "Haushalte insgesamt", households, households,
              "Durchschnittl. monatl. Wohngeldanspruch insgesamt", due, due],
             ["", "", "", "", "Davon mit", "Davon mit", "", "Davon", "Davon"],
             ["", "", "", "", "Mietzuschuss", "Lastenzuschuss", "", "Mietzuschuss", "Lastenzuschuss"],
             ["", "", "", "Anzahl", "Anzahl", "Anzahl", "EUR", "EUR", "EUR"]],
            grid([str(y) for y in reversed(extent.recent)], found, housing, 6), [], "utf-8",
        ),
    }  # fmt: skip


def _staff(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    ages = ["unter 30 Jahre", "30 bis unter 40 Jahre", "40 bis unter 50 Jahre", "50 bis unter 55 Jahre",
            "55 bis unter 60 Jahre", "60 Jahre und mehr"]  # fmt: skip
    staff = "Pädagogisches, Leitungs- und Verwaltungspersonal"

    def cells(unit: Unit, day: str) -> list[Cell]:
        year = int(day[-4:]) - 1  # on 1 March: who was there at the end of the year before
        counts = [_get(unit, year, "22543", f"age_{n}") for n in range(6)]
        return [number(v) for v in (sum(counts), *counts, _get(unit, year, "22543", "minders"))]

    return {
        "22543-02-02-4_00.csv": datencsv(
            "22543-02-02-4", ["Statistik der öffentl. geförd. Kindertagespflege,", staff, "- Stichtage -"],
            [["", "", "", *[staff] * 7, "Kindertagespflegepersonen"],
             ["", "", "", "", *["Altersgruppen (unter 30,..., 60 und mehr Jahre)"] * 6, ""],
             ["", "", "", "", *ages, ""],
             ["", "", "", *["Anzahl"] * 8]],
            grid([f"01.03.{y + 1}" for y in reversed(extent.recent)], found, cells, 8), [], "cp1252",
        )
    }  # fmt: skip


def _vocational_leavers(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    kinds = ["BILABS12", "BILABS13", "BILABS14", "BILABS15"]
    who = "Absolventen/Abgänger (berufllich)"
    extra = "nachrichtl.: zus.erw.schul.Teil d. Fachhochs.re"
    labels = ["mit Hauptschulabschluss", "mit Mittlerem Abschluss", "Fachhochschulreife",
              "Allg. Hochschulreife-einschl.fachge.Hochschulreife"]  # fmt: skip

    def cells(unit: Unit, period: str) -> list[Cell]:
        year = int(period)
        pairs = [(_get(unit, year, "21121", k), _get(unit, year, "21121", f"{k}_female")) for k in kinds]
        total = [sum(column) for column in zip(*pairs, strict=True)]
        # The column "nachrichtlich" was not collected before 2014.
        part = [number(pairs[2][0] // 3), number(pairs[2][1] // 3)] if year >= 2014 else ["-", "-"]
        return [*(number(v) for v in (*total, *(v for pair in pairs for v in pair))), *part]

    return {
        "21121-02-02-4.csv": datencsv(
            "21121-02-02-4",
            ["Absolventen/Abgänger beruflicher Schulen mit zusätzlich", "erworbenem allgemeinbildenden Abschluss - Schuljahr -"],
            [["", "", "", *[who] * 10, extra, extra],
             ["", "", "", "Geschlecht", "Geschlecht", *["davon mit"] * 8, "Geschlecht", "Geschlecht"],
             ["", "", "", "Insgesamt", "weiblich", *(label for label in labels for _ in range(2)), "Insgesamt", "weiblich"],
             ["", "", "", "", "", *["Geschlecht"] * 8, "", ""],
             ["", "", "", "", "", *["Insgesamt", "weiblich"] * 4, "", ""],
             ["", "", "", *["Anzahl"] * 12]],
            grid([str(y) for y in reversed(extent.recent)], found, cells, 12), [], "cp1252",
        )
    }  # fmt: skip


# --- flat files: employees, students, examinations --------------------------------------------------


def _flat(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    sexes = [("", "Insgesamt", SEXES), ("GESM", "männlich", ("male",)), ("GESW", "weiblich", ("female",))]
    region = ("KREISE", "Kreise und kreisfreie Städte")

    def value(code: str, count: Callable[[Unit], int]) -> Cell:
        return number(count(found[code])) if code in found else "-"

    employees = [
        (f"{year}-06-30", [(code, name), (nat, nat_label), (sex, sex_label)],
         value(code, lambda unit, y=year, n=of, s=who: _get(unit, y, "13111", *(f"{a}_{b}" for a in n for b in s))),  # type: ignore[misc]
         "Anzahl", "ERW033", "Sozialversicherungspfl. Beschäftigte (Wohnort)")
        for year in extent.recent
        for code, name in areas()
        for nat, nat_label, of in (("", "Insgesamt", ("german", "foreign")), ("NATA", "ausländisch", ("foreign",)))
        for sex, sex_label, who in sexes
    ]  # fmt: skip
    total = "INSGESAMT"
    subjects = [(total, "Insgesamt", tuple(SUBJECTS)), *((s, s, (s,)) for s in SUBJECTS)]
    nationalities = [(total, "Insgesamt", ("german", "foreign")), ("NATA", "ausländisch", ("foreign",))]

    def passed(unit: Unit, year: int, chosen: tuple[str, ...], who: tuple[str, ...]) -> int:
        """One in six; counted by subject and sex, so that the parts add up."""
        return sum(learners(unit, year, (s,), ("german", "foreign"), (x,)) // 6 for s in chosen for x in who)

    def learners(
        unit: Unit, year: int, chosen: tuple[str, ...], of: tuple[str, ...], who: tuple[str, ...]
    ) -> int:
        return _get(unit, year, "21311", *(f"{s}_{n}_{x}" for s in chosen for n in of for x in who))

    students = [
        (f"{year}-10P6M", [(code, name), (sex or total, sex_label), (nat, nat_label), (subject, label)],
         value(code, lambda unit, y=year, c=chosen, n=of, w=who: learners(unit, y, c, n, w)),  # type: ignore[misc]
         "Anzahl", "HS-W02", "Studierende (im Kreisgebiet)")
        for year in extent.recent if 2020 <= year <= 2024
        for code, name in areas()
        for sex, sex_label, who in sexes
        for nat, nat_label, of in nationalities
        for subject, label, chosen in subjects
    ]  # fmt: skip
    examinations = [
        (str(year), [(code, name), (sex or total, sex_label), (subject, label)],
         value(code, lambda unit, y=year, c=chosen, w=who: passed(unit, y, c, w)),  # type: ignore[misc]
         "Anzahl", "HS-W06", "Bestandene Prüfungen")
        for year in extent.recent if 2020 <= year <= 2024
        for code, name in areas()
        for sex, sex_label, who in sexes
        for subject, label, chosen in subjects
    ]  # fmt: skip
    sex_variable, subject_variable = ("GESINS", "Geschlecht"), ("HS-FG2", "Fächergruppe (mit Insgesamt)")
    return {
        f"13111-02-02-4_{EPOCH_MS}_de_flat.csv": ffcsv_v5(
            "13111", ("STAG", "Stichtag"), [region, ("NAT", "Nationalität"), ("GES", "Geschlecht")], employees, SEED + 2
        ),
        f"21311-01-01-4_{EPOCH_MS}_de_flat.csv": ffcsv_v5(
            "21311", ("SEMEST", "Semester"),
            [region, sex_variable, ("NAT01", "Nationalität (inkl. insgesamt)"), subject_variable], students, SEED + 3,
        ),
        f"21321-01-01-4_{EPOCH_MS}_de_flat.csv": ffcsv_v5(
            "21321", ("JAHR", "Jahr"), [region, sex_variable, subject_variable], examinations, SEED + 4
        ),
    }  # fmt: skip
