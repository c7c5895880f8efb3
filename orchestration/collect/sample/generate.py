"""Write the sample's files: both ffcsv dialects and datencsv, with the oddities of the real ones.

Belongs here: layouts, encodings, signs, footnotes. Does not belong here: the numbers
(population.py). The same code writes the same bytes on every machine.
"""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.sample import population
from orchestration.collect.sample.population import DISTRICTS, GENERAL, SEED, VOCATIONAL, YEARS, Unit, units
from orchestration.resources.files import write_bytes

NOTICE = "SYNTHETISCHE BEISPIELDATEN - keine amtliche Statistik -"
STAND = "02.11.2026 / 08:15:30"
EPOCH_MS = 1793606400000
LICENCE = (
    '"© bildungsmonitor (synthetische Beispieldaten), 2026.\n'
    "Dieses Werk ist lizenziert unter der Datenlizenz Deutschland\n"
    '- Namensnennung - Version 2.0."'
)

GONE = {"03152": "Göttingen, Landkreis", "15101": "Dessau, kreisfreie Stadt"}
"""Dissolved districts: every table of the offices lists them for ever, with `-` everywhere."""

BOROUGH = ("03241001", "Hannover, Landeshauptstadt")
"""A code of eight digits among the districts, as in the real tables."""

Cell = str
AreaRow = tuple[str, str]


def write_sample(folder: Path, catalogue: Catalogue) -> list[Path]:
    """All files of the sample below `folder`; written only if they are not there in this version."""
    marker = folder / ".version"
    version = _version(catalogue)
    if not marker.exists() or marker.read_text() != version:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.*"):
            old.unlink()
        for name, data in sample_files(catalogue).items():
            write_bytes(folder / name, data)
        write_bytes(marker, version.encode())
    return sorted(p for p in folder.iterdir() if p.name[0] != ".")


def _version(catalogue: Catalogue) -> str:
    digest = hashlib.sha256(catalogue.content_hash.encode())
    for path in (Path(__file__), Path(population.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def sample_files(catalogue: Catalogue) -> dict[str, bytes]:
    """File name → bytes."""
    found = units()
    return {
        **_population_tables(found, catalogue),
        **_childhood_tables(found),
        **_school_tables(found, catalogue),
        **_social_tables(found),
    }


def _areas() -> list[AreaRow]:
    """Codes and names in the offices' order, dissolved districts and a borough among them."""
    named = {"DG": "Deutschland", **GONE, BOROUGH[0]: BOROUGH[1], "07": "Rheinland-Pfalz"}
    named |= {"071": "Koblenz, Stat. Region"} | {code: name for code, (name, _) in DISTRICTS.items()}
    rest = sorted(code for code in named if code != "DG")
    return [(code, named[code]) for code in ["DG", *rest]]


def _indented(code: str, name: str) -> str:
    return " " * {1: 0, 2: 2, 3: 4, 5: 6}.get(len(code) if code != "DG" else 1, 8) + name


def _number(value: float | None, zero: str = "0") -> Cell:
    if value is None:
        return "-"
    text = f"{value:g}" if isinstance(value, float) and value < 1e5 else str(int(value))
    return zero if text == "0" else text.replace(".", ",")


# --- layouts -------------------------------------------------------------------------------------


def _datencsv(
    code: str,
    title: list[str],
    header: list[list[str]],
    rows: Iterable[list[str]],
    footnotes: list[str],
    encoding: str,
    old: bool = True,
) -> bytes:
    """The spreadsheet layout; `old` has 'GENESIS-Tabelle', new ones sometimes only 'Tabelle'."""
    width = len(header[0])
    pad = ";" * (width - 1)
    lines = [f"{'GENESIS-Tabelle' if old else 'Tabelle'}: {code}"]
    lines += [f"{line}{pad}" for line in [NOTICE, *title]]
    lines += [";".join(row) for row in header]
    lines += [";".join(row) for row in rows]
    notes = "\n".join(['"Alle Werte dieser Datei sind erfunden.', *footnotes]) + '"'
    lines += ["__________", notes, LICENCE, f"Stand: {STAND}", ""]
    return "\n".join(lines).encode(encoding)


def _ffcsv_v5(
    statistic: str,
    time: tuple[str, str],
    variables: list[tuple[str, str]],
    rows: list[tuple[str, list[tuple[str, str]], Cell, str, str, str]],
    shuffle: int,
) -> bytes:
    """Flat file since November 2024: BOM, English header, one row per measure, in random order."""
    header = "statistics_code;statistics_label;time_code;time_label;time"
    for n in range(1, len(variables) + 1):
        header += (
            f";{n}_variable_code;{n}_variable_label;{n}_variable_attribute_code;{n}_variable_attribute_label"
        )
    header += ";value;value_unit;value_variable_code;value_variable_label"
    lines = []
    for period, items, value, unit, measure, label in rows:
        cells = [statistic, NOTICE, *time, period]
        for (variable, name), (item, text) in zip(variables, items, strict=True):
            cells += [variable, name, item, text]
        lines.append(";".join([*cells, value, unit, measure, label]))
    random.Random(shuffle).shuffle(lines)
    return ("\ufeff" + "\n".join([header, *lines]) + "\n").encode("utf-8")


def _ffcsv_v4(
    statistic: str,
    time: tuple[str, str],
    variables: list[tuple[str, str]],
    measures: list[str],
    rows: list[tuple[str, list[tuple[str, str]], list[Cell]]],
) -> bytes:
    """Flat file until 2024: German header, measures as columns, all levels under KREISE."""
    header = "Statistik_Code;Statistik_Label;Zeit_Code;Zeit_Label;Zeit"
    for n in range(1, len(variables) + 1):
        header += f";{n}_Merkmal_Code;{n}_Merkmal_Label;{n}_Auspraegung_Code;{n}_Auspraegung_Label"
    lines = [";".join([header, *measures])]
    for period, items, values in rows:
        cells = [statistic, NOTICE, *time, period]
        for (variable, name), (item, text) in zip(variables, items, strict=True):
            cells += [variable, name, item, text]
        lines.append(";".join([*cells, *values]))
    return ("\n".join(lines) + "\n").encode("utf-8")


def _zipped(name: str, data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name, date_time=(2026, 11, 2, 8, 15, 30))
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, data)
    return buffer.getvalue()


def _grid(
    periods: Iterable[str],
    found: dict[str, Unit],
    cells: Callable[[Unit, str], list[Cell]],
    width: int,
    period_column: bool = True,
) -> list[list[str]]:
    """One row per period and area; areas that are not (any more) carry `-` in every cell."""
    rows = []
    for period in periods:
        for code, name in _areas():
            key = [period] if period_column else []
            values = cells(found[code], period) if code in found else ["-"] * width
            rows.append([*key, code, _indented(code, name), *values])
    return rows


def _labelled(
    periods: Iterable[str],
    found: dict[str, Unit],
    labels: list[tuple[str, str]],
    cells: Callable[[Unit, str, str], list[Cell]],
    width: int,
    period_column: bool = True,
) -> list[list[str]]:
    """Like `_grid` with one more text column: a row per period, area and labelled item."""
    rows = []
    for period in periods:
        for code, name in _areas():
            for item, label in labels:
                key = [period] if period_column else []
                values = cells(found[code], period, item) if code in found else ["-"] * width
                rows.append([*key, code, _indented(code, name), label, *values])
    return rows


# --- population ----------------------------------------------------------------------------------


def _people(unit: Unit, year: int, ages: slice | int, sex: str, nationality: str = "total") -> int:
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


def _population_tables(found: dict[str, Unit], catalogue: Catalogue) -> dict[str, bytes]:
    wide_years = sorted((y for y in YEARS if y <= 2023), reverse=True)
    wide_header = [
        ["", "", *(f"31.12.{y}" for y in wide_years for _ in _SEXES)],
        ["", "", *(label for _ in wide_years for _, label, _ in _SEXES)],
    ]
    wide_rows = []
    for code, name in _areas():
        values = [
            _number(_people(found[code], y, _EVERYONE, sex)) if code in found else "-"
            for y in wide_years
            for _, _, sex in _SEXES
        ]
        wide_rows.append([code, _indented(code, name), *values])
    region = ("KREISE", "Kreise und kreisfreie Städte")
    sex_variable = ("GES", "Geschlecht")
    v4_rows = [
        ("31.12.2024", [(code, _indented(code, name)), (item, label)],
         [_number(_people(found[code], 2024, _EVERYONE, sex)) if code in found else "-"])
        for code, name in _areas()
        for item, label, sex in _SEXES
    ]  # fmt: skip
    v5_rows = [
        ("2025-12-31", [(code, name), (item, label)],
         _number(_people(found[code], 2025, _EVERYONE, sex)) if code in found else "-",
         "Anzahl", "BEVSTD", "Bevölkerungsstand")
        for code, name in _areas()
        for item, label, sex in _SEXES
    ]  # fmt: skip
    age_rows = [
        (f"{year}-12-31", [(code, name), (item, label), (sex_item, sex_label)],
         _number(_people(found[code], year, ages, sex)) if code in found else "-",
         "Anzahl", "BEVSTD", "Bevölkerungsstand")
        for year in YEARS
        for code, name in _areas()
        for item, label, ages in _age_rows(catalogue, "ALTX20")
        for sex_item, sex_label, sex in _SEXES
    ]  # fmt: skip
    nationalities = [("Insgesamt", "total"), ("deutsch", "german"), ("ausländisch", "foreign")]
    by_age = {item: ages for item, _, ages in _age_rows(catalogue, "ALTX21")}
    nationality_rows = _labelled(
        (f"31.12.{y}" for y in YEARS),
        found,
        [(item, label) for item, label, _ in _age_rows(catalogue, "ALTX21")],
        lambda unit, day, item: [
            _number(_people(unit, int(day[-4:]), by_age[item], sex, nationality))
            for _, nationality in nationalities
            for _, _, sex in _SEXES
        ],
        9,
    )
    births = _grid(
        (str(y) for y in YEARS),
        found,
        lambda unit, year: [
            _number(unit.births[int(year), "male"] + unit.births[int(year), "female"]),
            _number(unit.births[int(year), "male"]),
            _number(unit.births[int(year), "female"]),
        ],
        3,
    )
    stem = "12411-02-03-4"
    flat = _ffcsv_v5(
        "12411", ("STAG", "Stichtag"), [region, ("ALTX20", "Altersgruppen"), sex_variable], age_rows, SEED
    )
    subtitle = "regionale Tiefe: Kreise und krfr. Städte"
    return {
        "12411-01-01-4_00.csv": _datencsv(
            "12411-01-01-4",
            ["Bevölkerungsstand: Bevölkerung nach Geschlecht", "- Stichtag 31.12. -", subtitle,
             "Fortschreibung des Bevölkerungsstandes", "Bevölkerungsstand (Anzahl)"],
            wide_header, wide_rows, ["01.01.2024; Gebietsstand der Kreise"], "utf-8",
        ),
        "12411-01-01-4_2025-06-20.ffcsv.csv": _ffcsv_v4(
            "12411", ("STAG", "Stichtag"), [region, sex_variable],
            ["BEVSTD__Bevoelkerungsstand__Anzahl"], v4_rows,
        ),
        f"12411-01-01-4_{EPOCH_MS}_de_flat.csv": _ffcsv_v5(
            "12411", ("STAG", "Stichtag"), [region, sex_variable], v5_rows, SEED + 1
        ),
        f"{stem}_{EPOCH_MS}_de_flat.zip": _zipped(f"{stem}_{EPOCH_MS}_de_flat.csv", flat),
        "12411-03-03-4.csv": _datencsv(
            "12411-03-03-4",
            ["Bevölkerung nach Geschlecht, Nationalität und", "Altersgruppen (21) - Stichtag 31.12. -",
             subtitle, "Bevölkerungsstand (Anzahl)"],
            [["", "", "", "", *(n for n, _ in nationalities for _ in _SEXES)],
             ["", "", "", "", *(label for _ in nationalities for _, label, _ in _SEXES)]],
            nationality_rows, ["Ab 2024: Fortschreibung auf Grundlage des Zensus 2022."], "cp1252",
        ),
        "12411-0015.csv": _datencsv(
            "12411-0015",
            ["Bevölkerung: Kreise, Stichtag", "Fortschreibung des Bevölkerungsstandes", "Bevölkerungsstand (Anzahl)"],
            [["", "", *["Stichtag"] * len(YEARS)], ["", "", *(f"31.12.{y}" for y in YEARS)]],
            [
                [code, name, *(_number(_people(found[code], y, _EVERYONE, "total")) for y in YEARS)]
                for code, name in _areas()
                if len(code) == 5 and code in found
            ],
            ["Ab 2011: Ergebnisse auf Grundlage des Zensus 2011."], "cp1252",
        ),
        "12612-01-01-4_00.csv": _datencsv(
            "12612-01-01-4",
            ["Lebendgeborene nach Geschlecht - Jahressumme -", subtitle, "Statistik der Geburten",
             "Lebendgeborene (Anzahl)"],
            [["", "", "", *(label for _, label, _ in _SEXES)]],
            births, ["Nach dem Wohnort der Mutter."], "utf-8",
        ),
    }  # fmt: skip


# --- early childhood -----------------------------------------------------------------------------


def _childhood_tables(found: dict[str, Unit]) -> dict[str, bytes]:
    days = [f"01.03.{year + 1}" for year in YEARS]

    def facilities(unit: Unit, day: str) -> list[Cell]:
        at = int(day[-4:])
        get = {name: unit.facilities[at, name] for y, name in unit.facilities if y == at}
        centres = get["centres"]
        return [
            _number(centres), _number(centres // 12), _number(centres // 3), _number(centres // 20),
            _number(centres - centres // 12 - centres // 3 - centres // 20), _number(centres // 8),
            _number(get["places"]), _number(get["staff"]), _number(get["pedagogical"]),
            _number(get["pedagogical_female"]), "-", "-", _number(get["full_time"]),
        ]  # fmt: skip

    def care(unit: Unit, day: str, kind: str) -> list[Cell]:
        at = int(day[-4:])
        ages = [unit.care[at, kind, cell] for cell in ("u3", "3-5", "6-13")]
        total = sum(ages)
        return [_number(v) for v in (total, *ages, round(total * 0.34), round(total * 0.66))]

    def doubled(unit: Unit, day: str, kind: str) -> list[Cell]:
        """Until 2010 the total was the plain sum; children in both types counted twice."""
        first = next(iter(YEARS)) + 1
        scale = 0.80 + 0.02 * (int(day[-4:]) - 2009)
        parts = {
            k: [round(unit.care[first, k, cell] * scale) for cell in ("u3", "3-5", "6-13")]
            for k in ("centre", "childminder")
        }
        ages = parts[kind] if kind != "total" else [a + b for a, b in zip(*parts.values(), strict=True)]
        return [_number(v) for v in (sum(ages), *ages, round(sum(ages) * 0.3), round(sum(ages) * 0.5))]

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
        "22541-01-04-4_00.csv": _datencsv(
            "22541-01-04-4", ["Tageseinrichtungen für Kinder - Stichtage -"], place_header,
            _grid(reversed(days), found, facilities, 13), ["Stichtag 01.03."], "cp1252",
        ),
        "22543-01-01-4_00.csv": _datencsv(
            "22543-01-01-4", [*title, "- Stichtage -"], care_header,
            _labelled(["01.03.2010", "01.03.2009"], found, [*kinds, ("total", "Insgesamt")], doubled, 6),
            ["Kinder in beiden Betreuungsarten sind doppelt gezählt."], "utf-8",
        ),
        "22543-01-02-4_00.csv": _datencsv(
            "22543-01-02-4", [*title, "- Stichtag - ab 2011 -"], care_header,
            _labelled(reversed(days), found, [*kinds, ("total", "Insgesamt (ohne Doppelzählungen)")], care, 6),
            ["Insgesamt: ohne Doppelzählungen."], "utf-8",
        ),
    }  # fmt: skip


# --- schools -------------------------------------------------------------------------------------


def _school_tables(found: dict[str, Unit], catalogue: Catalogue) -> dict[str, bytes]:
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

            schools = "x" if item == "INSGESAMT1" else _number(count("schools"), zero)
            grade7 = (
                "x"
                if item in ("SCHULE29", "SCHULE03", "SCHULE04", "SCHULE28")
                else _number(count("grade7"), zero)
            )
            has11 = item in ("SCHULE08", "SCHULE09", "SCHULE10", "SCHULE11", "INSGESAMT1")
            # The evening schools' grade 11 stands in an `x` cell but inside the total, as in the real table.
            extra = round(unit.pupils[year, "SCHULE28", "total"] / 6) if item == "INSGESAMT1" else 0
            grade11 = _number(count("grade11") + extra, zero) if has11 else "x"
            values = [_number(count(what), zero) for what in ("total", "female", "foreign")]
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
        f"21111-01-03-4_{year}.csv": _datencsv(
            "21111-01-03-4", [*title, str(year)], pupil_header(3, True),
            _labelled([str(year)], found, general, pupils("0"), 6, period_column=False), note, "cp1252",
        )
        for year in YEARS
        if year < 2017
    }  # fmt: skip
    files["21111-01-03-4.csv"] = _datencsv(
        "21111-01-03-4", title, pupil_header(4, False),
        _labelled((str(y) for y in reversed(YEARS) if y >= 2017), found, general, pupils("-"), 6),
        note, "cp1252",
    )  # fmt: skip

    order = ["BILABS11", "BILABS12", "BILABS13", "BILABS14D", "BILABS14", "BILABS15"]
    added = [q for q in order if q != "BILABS14D"]

    def leavers(unit: Unit, period: str) -> list[Cell]:
        year = int(period)
        groups = [added, *([q] for q in order)]
        return [
            _number(sum(unit.leavers[year, q, sex] for q in group), "-")
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
    files["21111-02-06-4.csv"] = _datencsv(
        "21111-02-06-4",
        ["Absolvierende/Abgehende allgemeinbildender Schulen nach", "Geschlecht und Abschlussarten - Schuljahr -",
         "Absolvierende/Abgehende (Anzahl)"],
        leaver_header, _grid((str(y) for y in reversed(YEARS)), found, leavers, 14),
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
        schools = "x" if item in ("INSGESAMT2", "SCHULE171") else _number(values[0], "-")
        return [schools, *(_number(v, "-") for v in values[1:])]

    who = "Schüler(innen) an beruflichen Schulen"
    files["21121-01-05-4_00.csv"] = _datencsv(
        "21121-01-05-4",
        ["Berufliche Schulen: Schulen und Schüler nach Schulart", "- Stichtag: Schuljahresbeginn -"],
        [["", "", "", "", "Berufliche Schulen", who, who, who],
         ["", "", "", "", "", "Geschlecht", "Geschlecht", "Nationalität"],
         ["", "", "", "", "", "Insgesamt", "weiblich", "ausländisch"],
         ["", "", "", "", *["Anzahl"] * 4]],
        _labelled((str(y) for y in YEARS), found, vocational, vocational_cells, 4), note, "utf-8",
    )  # fmt: skip
    return files


# --- social situation ----------------------------------------------------------------------------


def _social_tables(found: dict[str, Unit]) -> dict[str, bytes]:
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
            round(total * 0.23), round(total * 0.35),
        ]  # fmt: skip
        dependent = round(100 * total / (count["labour_force"] * 0.91), 1)
        groups = ["total", "male", "female", "foreign", "young"]
        # 2017: the office did not publish the rate of foreign nationals below the Länder.
        silent = year == 2017 and not any(unit is other for other in higher)
        rates = ["-" if g == "foreign" and silent else rate(unit, year, g) for g in groups]
        return [*(_number(n) for n in numbers), f"{dependent:.1f}".replace(".", ","), *rates]

    def support(unit: Unit, day: str) -> list[Cell]:
        total = unit.support[int(day[-4:]), "total"]
        able, unable, old, help_ = (round(total * s) for s in (0.52, 0.20, 0.17, 0.02))
        asylum = total - able - unable - old - help_
        return [_number(v) for v in (total, able + unable, able, unable, help_, old, asylum)]

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
    income_years = [year for year in YEARS if year <= 2024]
    income_rows = [
        (str(year), [(code, _indented(code, name))],
         [_number(found[code].income[year, "thousand_eur"]),
          _number(round(found[code].income[year, "thousand_eur"] * 1000 / int(found[code].population[year].sum())))]
         if code in found else ["-", "-"])
        for year in income_years
        for code, name in _areas()
    ]  # fmt: skip
    return {
        "13211-02-05-4.csv": _datencsv(
            "13211-02-05-4",
            ["Arbeitslose nach ausgewählten Personengruppen sowie", "Arbeitslosenquoten - Jahresdurchschnitt -"],
            labour_header, _grid((str(y) for y in YEARS), found, labour, 13),
            ["2017: Die Ausländerarbeitslosenquote wird auf Kreisebene", "nicht ausgewiesen."], "cp1252", old=False,
        ),
        "22811-01-01-4_00.csv": _datencsv(
            "22811-01-01-4", [head, "- Stichtag 31.12. -"], support_header,
            _grid((f"31.12.{y}" for y in reversed(YEARS)), found, support, 7), [], "utf-8",
        ),
        "82411-01-03-4_2026-10-01.ffcsv.csv": _ffcsv_v4(
            "82411", ("JAHR", "Jahr"), [("KREISE", "Kreise und kreisfreie Städte")],
            ["EKM011__Verfuegbares_Einkommen_der_privaten_Haushalte__Tsd._EUR",
             "EKM014__Verfuegbares_Einkommen_je_Einwohner__EUR"],
            income_rows,
        ),
    }  # fmt: skip
