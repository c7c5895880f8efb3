"""The sentences on sources, levels and breakdowns that are made from an indicator's declaration."""

from __future__ import annotations

import re

import pytest

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import LEVELS, availability

FORBIDDEN = re.compile(
    r"gesperrt|sperren|Sperrung|suppress|teilweise gesichert|partly confirmed|noch festzulegen|to be determined|…"
)
"""What a release does not do (it rounds), and notes of the authors to themselves."""


def test_a_figure_of_an_official_table_names_table_day_levels_and_breakdowns(catalogue: Catalogue) -> None:
    found = availability(catalogue, catalogue.indicators["live_births"])
    assert found.de == (
        "Amtliche Statistik: Statistik der Geburten (EVAS 12612), Tabelle 12612-01-01-4. Jährlich, Kalenderjahr. "
        "Räumliche Ebenen: Deutschland, Länder, Regierungsbezirke und Regionen, Kreise und kreisfreie Städte. "
        "Gliederung: Geschlecht."
    )
    assert found.en.startswith("Official statistics: ")
    assert "EVAS 12612" in found.en


def test_a_figure_of_registers_names_no_official_table_and_is_of_the_city(catalogue: Catalogue) -> None:
    found = availability(catalogue, catalogue.indicators["full_day_care_rate_percent"])
    assert "Tabelle" not in found.de
    assert "EVAS" not in found.de
    assert "Register: Kinder in Kindertagesstätten (KiDz); Einwohner" in found.de
    assert "Räumliche Ebenen: Stadt, Stadtteile." in found.de
    assert found.de.endswith(
        "Für die Veröffentlichung werden Zahlen von Menschen aus Registern auf Vielfache von 5 gerundet; "
        "Werte mit einem Nenner unter 30 werden nicht veröffentlicht."
    )


def test_an_index_and_a_model_name_what_they_read(catalogue: Catalogue) -> None:
    index = availability(catalogue, catalogue.indicators["social_index"]).de
    assert "Amtliche Statistik" not in index, "its level is served by registers alone"
    assert "Arbeitsmarkt und Grundsicherung in den Stadtteilen" in index
    gap = availability(catalogue, catalogue.indicators["all_day_gap_places"]).de
    assert "Befragung: Bedarf an Ganztagsbetreuung" in gap
    assert "Vielfache von 5 gerundet." in gap


def test_only_tables_that_have_the_cells_are_named(catalogue: Catalogue) -> None:
    ratio = availability(catalogue, catalogue.indicators["old_age_dependency_ratio"]).de
    assert "12411-02-03-4" in ratio
    assert "12411-01-01-4" not in ratio, "it has no ages"
    leavers = availability(catalogue, catalogue.indicators["leavers_by_qualification"]).de
    assert "Schuljahresende" in leavers
    assert "Schuljahresbeginn" not in leavers


def test_places_are_not_rounded_as_people_are(catalogue: Catalogue) -> None:
    assert "gerundet" not in availability(catalogue, catalogue.indicators["day_care_places"]).de


def test_the_sheets_of_a_city_without_a_register_do_not_name_it(catalogue: Catalogue) -> None:
    alone = catalogue.for_registers(set())
    found = availability(alone, alone.indicators["day_care_centres"])
    assert "Register" not in found.de
    assert "Stadtteile" not in found.de
    gone = availability(alone, alone.indicators["full_day_care_rate_percent"])
    assert gone.de.startswith("Hier nicht verfügbar: Register nicht angeschlossen: ")


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_text_claims_what_is_not_there(catalogue: Catalogue, language: str) -> None:
    wrong = {
        f"{indicator.code}: {match[0]}"
        for indicator in catalogue.indicators.values()
        for text in (
            indicator.purpose, indicator.interpretation, indicator.calculation, availability(catalogue, indicator),
        )
        if (match := FORBIDDEN.search(getattr(text, language)))
    }  # fmt: skip
    assert not wrong


def test_every_level_of_an_indicator_has_a_name(catalogue: Catalogue) -> None:
    assert {level for i in catalogue.indicators.values() for level in i.all_levels} <= set(LEVELS)


SHOWN = {
    "Art": "care_type", "Alter": "age_group", "Altersgruppe": "age_group", "Geschlecht": "sex", "Schulart": "school_type",
    "Nationalität": "nationality", "Staatsangehörigkeit": "nationality", "Klassenstufe": "grade",
    "Abschluss": "qualification", "Programmbereich": "category", "Handlungsfeld": "category",
}  # fmt: skip
"""What a calculation may say that a figure is broken down by, and the breakdown it needs."""


def test_a_calculation_names_no_breakdown_that_its_indicator_lacks(catalogue: Catalogue) -> None:
    wrong, found = [], 0
    for indicator in catalogue.indicators.values():
        if indicator.status != "published":
            continue
        text = indicator.calculation.de
        for match in re.finditer(r"\bnach ([A-ZÄÖÜ]\w+)(?:(?:, | und )([A-ZÄÖÜ]\w+))*", text):
            words = re.findall(r"[A-ZÄÖÜ]\w+", match[0])
            found += len(words)
            wrong += [
                f"{indicator.code}: {word}" for word in words if SHOWN.get(word) not in indicator.breakdowns
            ]
        if re.search(r"gegliedert|getrennt nach|Berichtsmonat\b.*Gliederung|im Halbjahr|im Monat\b", text):
            wrong.append(f"{indicator.code}: {text}")
    assert not wrong
    assert found >= 7, "the pattern still finds what the texts say"
