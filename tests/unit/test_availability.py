"""The sentences on sources, levels and breakdowns that are made from an indicator's declaration."""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import LEVELS, availability


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
        "Für die Veröffentlichung werden Zahlen von Menschen aus Registern einzeln auf Vielfache von 5 gerundet, "
        "Teile müssen ihre Summe nicht ergeben; "
        "Werte mit einem gerundeten Nenner unter 30 werden nicht veröffentlicht."
    )


def test_an_index_and_a_model_name_what_they_read(catalogue: Catalogue) -> None:
    index = availability(catalogue, catalogue.indicators["social_index"]).de
    assert "Amtliche Statistik" not in index, "its level is served by registers alone"
    assert "Arbeitsmarkt und Grundsicherung in den Stadtteilen" in index
    gap = availability(catalogue, catalogue.indicators["all_day_gap_places"]).de
    assert "Befragung: Bedarf an Ganztagsbetreuung" in gap
    assert "Vielfache von 5 gerundet, Teile müssen ihre Summe nicht ergeben." in gap


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


def test_every_level_of_an_indicator_has_a_name(catalogue: Catalogue) -> None:
    assert {level for i in catalogue.indicators.values() for level in i.all_levels} <= set(LEVELS)
