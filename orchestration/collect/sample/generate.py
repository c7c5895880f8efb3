"""The sample's files: the official tables of an invented Land, in the offices' formats.

Belongs here: which table holds what, and where the offices are odd. Does not belong here: the numbers
(population.py) and the layouts (official_layouts.py). The same code writes the same bytes on every
machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.sample import further_tables, official_layouts, population
from orchestration.collect.sample.further_tables import further_files
from orchestration.collect.sample.official_layouts import (
    EPOCH_MS,
    Cell,
    areas,
    datencsv,
    ffcsv_v4,
    ffcsv_v5,
    grid,
    indented,
    labelled,
    number,
    zipped,
)
from orchestration.collect.sample.population import (
    FULL,
    GENERAL,
    SEED,
    VOCATIONAL,
    YEARS,
    Extent,
    Unit,
    units,
)
from orchestration.resources.files import write_bytes


def write_sample(folder: Path, catalogue: Catalogue, extent: Extent = FULL) -> list[Path]:
    """All files of the sample below `folder`; written only if they are not there in this version.

    Any other extent than the full one leaves out the tables that no published table of this catalogue needs.
    """
    marker = folder / ".version"
    version = _version(catalogue, extent)
    if not marker.exists() or marker.read_text() != version:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.*"):
            old.unlink()
        for name, data in sample_files(catalogue, extent).items():
            write_bytes(folder / name, data)
        write_bytes(marker, version.encode())
    return sorted(p for p in folder.iterdir() if p.is_file() and p.name[0] != ".")


def _version(catalogue: Catalogue, extent: Extent) -> str:
    digest = hashlib.sha256(f"{catalogue.content_hash} {extent}".encode())
    modules = (population, official_layouts, further_tables)
    for path in (Path(__file__), *(Path(str(module.__file__)) for module in modules)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sample_files(catalogue: Catalogue, extent: Extent = FULL) -> dict[str, bytes]:
    """File name → bytes."""
    found = units()
    files = {
        **_population_tables(found, catalogue, extent),
        **_childhood_tables(found, extent),
        **_school_tables(found, catalogue, extent),
        **_social_tables(found, extent),
        **further_files(found, catalogue, extent),
    }
    if extent == FULL:
        return files
    # Inhabitants are always there: their table lists the areas.
    indicators = [i for name in catalogue.published for i in catalogue.indicators_of(name)]
    measures = [m for indicator in indicators for m in catalogue.measures_of(indicator)]
    needed = {source.table for measure in measures for source in measure.sources} | {"12411-01-01-4"}
    return {name: data for name, data in files.items() if name.split("_")[0].split(".")[0] in needed}


# --- population ----------------------------------------------------------------------------------


def people(unit: Unit, year: int, ages: slice | int, sex: str, nationality: str = "total") -> int:
    array = unit.population[year][ages]
    if array.ndim == 2:
        array = array[None]
    if sex != "total":
        array = array[:, [0 if sex == "male" else 1]]
    if nationality != "total":
        array = array[:, :, [0 if nationality == "german" else 1]]
    return int(array.sum())


_SEXES = [("", "Insgesamt", "total"), ("GESM", "männlich", "male"), ("GESW", "weiblich", "female")]
_EVERYONE = slice(None)


def _age_rows(catalogue: Catalogue, variable: str) -> list[tuple[str, str, slice]]:
    """Item, label and ages of every age group of a variable; the total last."""
    starts = {f"ALT{a:03d}": n for n, (a, _) in enumerate(population.AGES)}
    rows = []
    for item in catalogue.classifications[variable].items:
        if item.cell == "total":
            continue
        first = starts[item.code[:6]]
        if item.code.endswith("UM"):
            ages = slice(first, None)
        else:
            end = int(item.code[7:])
            ages = slice(first, next(n for n, (_, b) in enumerate(population.AGES) if b == end) + 1)
        rows.append((item.code, item.labels[0], ages))
    return [*rows, ("", "Insgesamt", _EVERYONE)]


def _population_tables(found: dict[str, Unit], catalogue: Catalogue, extent: Extent) -> dict[str, bytes]:
    wide_years = sorted((y for y in extent.inhabitants if y <= 2023), reverse=True)
    wide_header = [
        ["", "", *(f"31.12.{y}" for y in wide_years for _ in _SEXES)],
        ["", "", *(label for _ in wide_years for _, label, _ in _SEXES)],
    ]
    wide_rows = []
    for code, name in areas():
        values = [
            number(people(found[code], y, _EVERYONE, sex)) if code in found else "-"
            for y in wide_years
            for _, _, sex in _SEXES
        ]
        wide_rows.append([code, indented(code, name), *values])
    region = ("KREISE", "Kreise und kreisfreie Städte")
    sex_variable = ("GES", "Geschlecht")
    v4_rows = [
        ("31.12.2024", [(code, indented(code, name)), (item, label)],
         [number(people(found[code], 2024, _EVERYONE, sex)) if code in found else "-"])
        for code, name in areas()
        for item, label, sex in _SEXES
    ]  # fmt: skip
    v5_rows = [
        ("2025-12-31", [(code, name), (item, label)],
         number(people(found[code], 2025, _EVERYONE, sex)) if code in found else "-",
         "Anzahl", "BEVSTD", "Bevölkerungsstand")
        for code, name in areas()
        for item, label, sex in _SEXES
    ]  # fmt: skip
    age_rows = [
        (f"{year}-12-31", [(code, name), (item, label), (sex_item, sex_label)],
         number(people(found[code], year, ages, sex)) if code in found else "-",
         "Anzahl", "BEVSTD", "Bevölkerungsstand")
        for year in extent.recent
        for code, name in areas()
        for item, label, ages in _age_rows(catalogue, "ALTX20")
        for sex_item, sex_label, sex in _SEXES
    ]  # fmt: skip
    nationalities = [("Insgesamt", "total"), ("deutsch", "german"), ("ausländisch", "foreign")]
    by_age = {item: ages for item, _, ages in _age_rows(catalogue, "ALTX21")}
    nationality_rows = labelled(
        (f"31.12.{y}" for y in extent.inhabitants if y >= 2018),  # the widest table by far
        found,
        [(item, label) for item, label, _ in _age_rows(catalogue, "ALTX21")],
        lambda unit, day, item: [
            number(people(unit, int(day[-4:]), by_age[item], sex, nationality))
            for _, nationality in nationalities
            for _, _, sex in _SEXES
        ],
        9,
    )
    births = grid(
        (str(y) for y in extent.recent),
        found,
        lambda unit, year: [
            number(unit.births[int(year), "male"] + unit.births[int(year), "female"]),
            number(unit.births[int(year), "male"]),
            number(unit.births[int(year), "female"]),
        ],
        3,
    )
    stem = "12411-02-03-4"
    flat = ffcsv_v5(
        "12411", ("STAG", "Stichtag"), [region, ("ALTX20", "Altersgruppen"), sex_variable], age_rows, SEED
    )
    subtitle = "regionale Tiefe: Kreise und krfr. Städte"
    return {
        "12411-01-01-4_00.csv": datencsv(
            "12411-01-01-4",
            ["Bevölkerungsstand: Bevölkerung nach Geschlecht", "- Stichtag 31.12. -", subtitle,
             "Fortschreibung des Bevölkerungsstandes", "Bevölkerungsstand (Anzahl)"],
            wide_header, wide_rows, ["01.01.2024; Gebietsstand der Kreise"], "utf-8",
        ),
        "12411-01-01-4_2025-06-20.ffcsv.csv": ffcsv_v4(
            "12411", ("STAG", "Stichtag"), [region, sex_variable],
            ["BEVSTD__Bevoelkerungsstand__Anzahl"], v4_rows,
        ),
        f"12411-01-01-4_{EPOCH_MS}_de_flat.csv": ffcsv_v5(
            "12411", ("STAG", "Stichtag"), [region, sex_variable], v5_rows, SEED + 1
        ),
        f"{stem}_{EPOCH_MS}_de_flat.zip": zipped(f"{stem}_{EPOCH_MS}_de_flat.csv", flat),
        "12411-03-03-4.csv": datencsv(
            "12411-03-03-4",
            ["Bevölkerung nach Geschlecht, Nationalität und", "Altersgruppen (21) - Stichtag 31.12. -",
             subtitle, "Bevölkerungsstand (Anzahl)"],
            [["", "", "", "", *(n for n, _ in nationalities for _ in _SEXES)],
             ["", "", "", "", *(label for _ in nationalities for _, label, _ in _SEXES)]],
            nationality_rows, ["Ab 2024: Fortschreibung auf Grundlage des Zensus 2022."], "cp1252",
        ),
        "12411-0015.csv": datencsv(
            "12411-0015",
            ["Bevölkerung: Kreise, Stichtag", "Fortschreibung des Bevölkerungsstandes", "Bevölkerungsstand (Anzahl)"],
            [["", "", *["Stichtag"] * len(extent.inhabitants)], ["", "", *(f"31.12.{y}" for y in extent.inhabitants)]],
            [
                [code, name, *(number(people(found[code], y, _EVERYONE, "total")) for y in extent.inhabitants)]
                for code, name in areas()
                if len(code) == 5 and code in found
            ],
            ["Ab 2011: Ergebnisse auf Grundlage des Zensus 2011."], "cp1252",
        ),
        "12612-01-01-4_00.csv": datencsv(
            "12612-01-01-4",
            ["Lebendgeborene nach Geschlecht - Jahressumme -", subtitle, "Statistik der Geburten",
             "Lebendgeborene (Anzahl)"],
            [["", "", "", *(label for _, label, _ in _SEXES)]],
            births, ["Nach dem Wohnort der Mutter."], "utf-8",
        ),
    }  # fmt: skip


# --- early childhood -----------------------------------------------------------------------------


def _childhood_tables(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    days = [f"01.03.{year + 1}" for year in extent.recent]

    def facilities(unit: Unit, day: str) -> list[Cell]:
        at = int(day[-4:])
        get = {name: unit.facilities[at, name] for y, name in unit.facilities if y == at}
        centres = get["centres"]
        return [
            number(centres), number(centres // 12), number(centres // 3), number(centres // 20),
            number(centres - centres // 12 - centres // 3 - centres // 20), number(centres // 8),
            number(get["places"]), number(get["staff"]), number(get["pedagogical"]),
            number(get["pedagogical_female"]), "-", "-", number(get["full_time"]),
        ]  # fmt: skip

    def care(unit: Unit, day: str, kind: str) -> list[Cell]:
        at = int(day[-4:])
        ages = [unit.care[at, kind, cell] for cell in ("u3", "3-5", "6-13")]
        total = sum(ages)
        others = [unit.care[at, kind, part] for part in ("foreign_origin", "lunch")]
        return [number(v) for v in (total, *ages, *others)]

    def doubled(unit: Unit, day: str, kind: str) -> list[Cell]:
        """Until 2010 the total was the plain sum; children in both types counted twice."""
        first = next(iter(YEARS)) + 1
        scale = 0.80 + 0.02 * (int(day[-4:]) - 2009)
        parts = {
            k: [round(unit.care[first, k, cell] * scale) for cell in ("u3", "3-5", "6-13")]
            for k in ("centre", "childminder")
        }
        ages = parts[kind] if kind != "total" else [a + b for a, b in zip(*parts.values(), strict=True)]
        return [number(v) for v in (sum(ages), *ages, round(sum(ages) * 0.3), round(sum(ages) * 0.5))]

    tags = "Tageseinrichtungen für Kinder"
    staff = "Tätige Personen"
    place_header = [
        ["", "", "", *[tags] * 5, "Einrichtungen mit integrativer Kinderbetreuung", "Genehmigte Plätze",
         *[staff] * 5, "Rechn.Zahl d.Vollzeitstellen i.pädagogisch.Bereich"],
        ["", "", "", "", "unter 3 Jahre", "2 bis unter 8 Jahre (ohne Schulkinder)",
         "5 bis unter 14 Jahre (mit Schulkindern)", "Kinder aller Altersgruppen", "", "",
         *[f"{staff} in {tags}"] * 5, ""],
        ["", "", "", "", "", "", "", "", "", "", "Tätige Personen insgesamt",
         "pädagogisches Personal (ab 2011)", "pädagogisches Personal, weiblich (ab 2011)",
         "pädagogisches Personal (bis 2010)", "pädagogisches Personal Vollzeitstellen (bis 2010)", ""],
        ["", "", "", *["Anzahl"] * 13],
    ]  # fmt: skip
    care_header = [
        ["", "", "", "", *["Betreute Kinder"] * 4, "Kinder, Herkunft mind. 1 Elternteil ausländisch",
         "Kinder mit Mittagsverpflegung"],
        ["", "", "", "", "", "Altersgruppe", "Altersgruppe", "Altersgruppe", "", ""],
        ["", "", "", "", "", "unter 3 Jahre", "3 bis unter 6 Jahre", "6 bis unter 14 Jahre", "", ""],
        ["", "", "", "", *["Anzahl"] * 6],
    ]  # fmt: skip
    kinds = [("centre", "Tageseinrichtung"), ("childminder", "Tagespflege")]
    title = ["Statistik der öffentl. geförd. Kindertagespflege,", "nach Art der Kindertagesbetreuung"]
    return {
        "22541-01-04-4_00.csv": datencsv(
            "22541-01-04-4", ["Tageseinrichtungen für Kinder - Stichtage -"], place_header,
            grid(reversed(days), found, facilities, 13), ["Stichtag 01.03."], "cp1252",
        ),
        "22543-01-01-4_00.csv": datencsv(
            "22543-01-01-4", [*title, "- Stichtage -"], care_header,
            labelled(["01.03.2010", "01.03.2009"], found, [*kinds, ("total", "Insgesamt")], doubled, 6),
            ["Kinder in beiden Betreuungsarten sind doppelt gezählt."], "utf-8",
        ),
        "22543-01-02-4_00.csv": datencsv(
            "22543-01-02-4", [*title, "- Stichtag - ab 2011 -"], care_header,
            labelled(reversed(days), found, [*kinds, ("total", "Insgesamt (ohne Doppelzählungen)")], care, 6),
            ["Insgesamt: ohne Doppelzählungen."], "utf-8",
        ),
    }  # fmt: skip


# --- schools -------------------------------------------------------------------------------------


def _school_tables(found: dict[str, Unit], catalogue: Catalogue, extent: Extent) -> dict[str, bytes]:
    general = [(i.code, i.labels[0]) for i in catalogue.classifications["BILSA8"].items]
    general = [*general[1:], general[0]]
    vocational = [(i.code, i.labels[0]) for i in catalogue.classifications["BILSA7"].items]
    vocational = [
        (code, f" {label}" if label.startswith("darunter") else label)
        for code, label in [*vocational[1:], vocational[0]]
    ]

    def pupils(zero: str) -> Callable[[Unit, str, str], list[Cell]]:
        def cells(unit: Unit, period: str, item: str) -> list[Cell]:
            year = int(period)

            def count(what: str) -> int:
                chosen = GENERAL if item == "INSGESAMT1" else [item] if item in GENERAL else []
                return sum(unit.pupils[year, school, what] for school in chosen)

            schools = "x" if item == "INSGESAMT1" else number(count("schools"), zero)
            grade7 = (
                "x"
                if item in ("SCHULE29", "SCHULE03", "SCHULE04", "SCHULE28")
                else number(count("grade7"), zero)
            )
            has11 = item in ("SCHULE08", "SCHULE09", "SCHULE10", "SCHULE11", "INSGESAMT1")
            # The evening schools' grade 11 stands in an `x` cell but inside the total, as in the real table.
            extra = round(unit.pupils[year, "SCHULE28", "total"] / 6) if item == "INSGESAMT1" else 0
            grade11 = number(count("grade11") + extra, zero) if has11 else "x"
            values = [number(count(what), zero) for what in ("total", "female", "foreign")]
            return [schools, *values, grade7, grade11]

        return cells

    def pupil_header(keys: int, old: bool) -> list[list[str]]:
        who = "Schüler(innen)" if old else "Schülerinnen und Schüler"
        school = "Allgemein bildende Schulen" if old else "Allgemeinbildende Schulen"
        at = "an allgemein bildenden Schulen" if old else "an allgemeinbildenden Schulen"
        grade = "Klassenstufe / Jahrgangsstufe / Schulbesuchsjahr"
        blank = [""] * keys
        return [
            [*blank, school, *[f"{who} {at}"] * 5],
            [*blank, "", "Geschlecht", "Geschlecht", "Nationalität", grade, grade],
            [*blank, "", "Insgesamt", "weiblich", "Ausländer(innen)" if old else "ausländisch",
             "7. Klassenstufe", "11. Jahrgangsstufe / Einführungsphase"],
            [*blank, *["Anzahl"] * 6],
        ]  # fmt: skip

    title = ["Allgemeinbildende Schulen: Schulen, Schüler nach Schulart", "- Stichtag: Schuljahresbeginn -"]
    note = ["Eine Schule zählt in jeder ihrer Schularten."]
    files = {
        f"21111-01-03-4_{year}.csv": datencsv(
            "21111-01-03-4", [*title, str(year)], pupil_header(3, True),
            labelled([str(year)], found, general, pupils("0"), 6, period_column=False), note, "cp1252",
        )
        for year in extent.recent
        if year < 2017
    }  # fmt: skip
    files["21111-01-03-4.csv"] = datencsv(
        "21111-01-03-4", title, pupil_header(4, False),
        labelled((str(y) for y in reversed(extent.recent) if y >= 2017), found, general, pupils("-"), 6),
        note, "cp1252",
    )  # fmt: skip

    order = ["BILABS11", "BILABS12", "BILABS13", "BILABS14D", "BILABS14", "BILABS15"]
    added = [q for q in order if q != "BILABS14D"]

    def leavers(unit: Unit, period: str) -> list[Cell]:
        year = int(period)
        groups = [added, *([q] for q in order)]
        return [
            number(sum(unit.leavers[year, q, sex] for q in group), "-")
            for group in groups
            for sex in ("total", "female")
        ]

    labels = {i.code: i.labels[0] for i in catalogue.classifications["BILAG2"].items}
    parent = "Absolvierende/Abgehende allgemeinbildender Schulen nach dem Abschluss"
    leaver_header = [
        ["", "", "", *[parent] * 14],
        ["", "", "", *(label for q in ["", *order] for label in [labels[q]] * 2)],
        ["", "", "", *["Insgesamt", "weiblich"] * 7],
    ]
    files["21111-02-06-4.csv"] = datencsv(
        "21111-02-06-4",
        ["Absolvierende/Abgehende allgemeinbildender Schulen nach", "Geschlecht und Abschlussarten - Schuljahr -",
         "Absolvierende/Abgehende (Anzahl)"],
        leaver_header, grid((str(y) for y in reversed(extent.recent)), found, leavers, 14),
        ["Die Angabe des Berichtsjahres bezieht sich auf das Jahr, in", "dem das Schuljahr endet."], "cp1252",
    )  # fmt: skip

    def vocational_cells(unit: Unit, period: str, item: str) -> list[Cell]:
        year = int(period)
        known = {*VOCATIONAL, "SCHULE171"}
        chosen = list(VOCATIONAL) if item == "INSGESAMT2" else [item] if item in known else []
        values = [
            sum(unit.vocational[year, school, what] for school in chosen)
            for what in ("schools", "total", "female", "foreign")
        ]
        schools = "x" if item in ("INSGESAMT2", "SCHULE171") else number(values[0], "-")
        return [schools, *(number(v, "-") for v in values[1:])]

    who = "Schüler(innen) an beruflichen Schulen"
    files["21121-01-05-4_00.csv"] = datencsv(
        "21121-01-05-4",
        ["Berufliche Schulen: Schulen und Schüler nach Schulart", "- Stichtag: Schuljahresbeginn -"],
        [["", "", "", "", "Berufliche Schulen", who, who, who],
         ["", "", "", "", "", "Geschlecht", "Geschlecht", "Nationalität"],
         ["", "", "", "", "", "Insgesamt", "weiblich", "ausländisch"],
         ["", "", "", "", *["Anzahl"] * 4]],
        labelled((str(y) for y in extent.recent), found, vocational, vocational_cells, 4), note, "utf-8",
    )  # fmt: skip
    return files


# --- social situation ----------------------------------------------------------------------------


def _social_tables(found: dict[str, Unit], extent: Extent) -> dict[str, bytes]:
    def rate(unit: Unit, year: int, group: str) -> Cell:
        force = "labour_force" if group == "total" else f"labour_force_{group}"
        value = round(100 * unit.unemployed[year, group] / unit.unemployed[year, force], 1)
        return f"{value:.1f}".replace(".", ",")

    higher = [found["DG"], found["07"]]

    def labour(unit: Unit, period: str) -> list[Cell]:
        year = int(period)
        count = {name: n for (y, name), n in unit.unemployed.items() if y == year}
        total = count["total"]
        numbers = [
            total, count["foreign"], round(total * 0.06), round(count["young"] * 0.25), count["young"],
            round(total * 0.23), count["long"],
        ]  # fmt: skip
        dependent = round(100 * total / (count["labour_force"] * 0.91), 1)
        groups = ["total", "male", "female", "foreign", "young"]
        # 2017: the office did not publish the rate of foreign nationals below the Länder.
        silent = year == 2017 and not any(unit is other for other in higher)
        rates = ["-" if g == "foreign" and silent else rate(unit, year, g) for g in groups]
        return [*(number(n) for n in numbers), f"{dependent:.1f}".replace(".", ","), *rates]

    def support(unit: Unit, day: str) -> list[Cell]:
        total = unit.support[int(day[-4:]), "total"]
        able, unable, old, help_ = (round(total * s) for s in (0.52, 0.20, 0.17, 0.02))
        asylum = total - able - unable - old - help_
        return [number(v) for v in (total, able + unable, able, unable, help_, old, asylum)]

    people = "Arbeitslose"
    every = "Arbeitslosenquote bez. auf alle zivile Erwerbsp."
    labour_header = [
        ["", "", "", *[people] * 7, "Arbeitslosenquote bez. abh. zivile Erwerbspers.", *[every] * 5],
        ["", "", "", "", "ausländisch", "schwerbehindert", "15 bis unter 20 Jahre", "15 bis unter 25 Jahre",
         "55 bis unter 65 Jahre", "langzeitarbeitslos", "", "", "Männer", "Frauen", "ausländisch",
         "15 bis unter 25 Jahre"],
        ["", "", "", *["Anzahl"] * 7, *["Prozent"] * 6],
    ]  # fmt: skip
    head = "Empfänger von sozialen Mindestsicherungsleistungen"
    sgb2 = "Gesamtregelleistung (ALG II/Sozialgeld) n.d.SGB II"
    support_header = [
        ["", "", "", head, *["Davon"] * 6],
        ["", "", "", "", sgb2, sgb2, sgb2, "Hilfe z. Lebensunt. außerh. v. Einr. n. d. SGB XII",
         "Grundsicher. im Alter u.b. Erwerbsm. n. d. SGB XII", "Regelleist. n.d. Asylbewerberleistungsgesetz"],
        ["", "", "", "", "zusammen", "erwerbsf. Leistungsb. (Arbeitslosengeld II)",
         "nicht erwerbsf. Leistungsb. (Sozialgeld)", "", "", ""],
        ["", "", "", *["Anzahl"] * 7],
    ]  # fmt: skip
    income_years = [year for year in extent.recent if year <= 2024]
    income_rows = [
        (str(year), [(code, indented(code, name))],
         [number(found[code].income[year, "thousand_eur"]),
          number(round(found[code].income[year, "thousand_eur"] * 1000 / int(found[code].population[year].sum())))]
         if code in found else ["-", "-"])
        for year in income_years
        for code, name in areas()
    ]  # fmt: skip
    return {
        "13211-02-05-4.csv": datencsv(
            "13211-02-05-4",
            ["Arbeitslose nach ausgewählten Personengruppen sowie", "Arbeitslosenquoten - Jahresdurchschnitt -"],
            labour_header, grid((str(y) for y in extent.recent), found, labour, 13),
            ["2017: Die Ausländerarbeitslosenquote wird auf Kreisebene", "nicht ausgewiesen."], "cp1252", old=False,
        ),
        "22811-01-01-4_00.csv": datencsv(
            "22811-01-01-4", [head, "- Stichtag 31.12. -"], support_header,
            grid((f"31.12.{y}" for y in reversed(extent.recent)), found, support, 7), [], "utf-8",
        ),
        "82411-01-03-4_2026-10-01.ffcsv.csv": ffcsv_v4(
            "82411", ("JAHR", "Jahr"), [("KREISE", "Kreise und kreisfreie Städte")],
            ["EKM011__Verfuegbares_Einkommen_der_privaten_Haushalte__Tsd._EUR",
             "EKM014__Verfuegbares_Einkommen_je_Einwohner__EUR"],
            income_rows,
        ),
    }  # fmt: skip
