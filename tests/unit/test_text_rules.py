"""The sentences of indicators hold what their declarations hold, and a program sees where they do not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.load import CATALOGUE_DIR, CatalogueError
from expectations.catalogue.model import Indicator, Text
from expectations.catalogue.registers import Term
from expectations.catalogue.text_rules import BREAKDOWN_WORDS, text_problems


def test_no_text_claims_what_is_not_there(catalogue: Catalogue) -> None:
    wrong = [f"{i.code}: {p}" for i in catalogue.in_order() for p in text_problems(catalogue, i)]
    assert not wrong
    texts = " ".join(i.calculation.de for i in catalogue.in_order() if i.status == "published")
    assert len(re.findall(r"nach (" + "|".join(BREAKDOWN_WORDS) + ")", texts)) >= 7, (
        "the pattern still finds something"
    )


def said(indicator: Indicator, field: str, old: str, new: str) -> Indicator:
    """An indicator with another German text."""
    text = getattr(indicator, field)
    assert old in text.de
    return indicator.model_copy(update={field: Text(de=text.de.replace(old, new), en=text.en)})


@pytest.mark.parametrize(
    ("name", "field", "old", "new", "problem"),
    [
        ("entrance_qualification_percent", "calculation", "18 bis unter 20", "18 bis unter 21",
         "says '18 bis unter 21 Jahren', the formula has no age border 21"),
        ("entrance_qualification_percent", "calculation", "(die Hälfte der zwei Jahrgänge) ", "", "multiplies by 100, the formula by 200"),
        ("care_rate_under_3_percent", "label", "unter 3-Jährigen", "unter 6-Jährigen", "the label says 'unter 6-Jährigen'"),
        ("after_school_care_rate_percent", "label", "6 bis unter 11", "6 bis unter 14", "no age border 14"),
        ("pupils", "calculation", "Schülerinnen und Schüler", "Schülerinnen und Schüler nach Abschluss", "'nach Abschluss'"),
        ("employment_rate_percent", "calculation", "am Wohnort am", "am Wohnort von 15 bis unter 65 Jahren am",
         "numerator says '15 bis unter 65 Jahren', the formula has no age border 15 (it has none)"),
        ("live_births", "calculation", "Lebendgeborene", "Lebendgeborene im Stadtteil", "'Stadtteil', the indicator has no such level"),
        ("pupils", "purpose", "", "Zeigt die Schulen nach Träger. ", "the purpose says 'nach Träger'"),
        ("mean_age_years", "purpose", "", "Zeigt die Stadtteile. ", "the purpose says 'Stadtteile'"),
        ("library_visits_per_head", "calculation", "Besuche", "Besuche, getrennt nach Monat,", "'getrennt nach'"),
        ("pupils", "interpretation", "", "Kleine Zellen sind gesperrt. ", "says 'Zellen sind gesperrt'"),
        ("adult_education_lessons_per_1000", "calculation", "× 1.000", "× 100", "multiplies by 100, the formula by 1000"),
    ],
)  # fmt: skip
def test_a_text_that_says_otherwise_is_found(
    catalogue: Catalogue, name: str, field: str, old: str, new: str, problem: str
) -> None:
    indicator = catalogue.indicators[name]
    if old:
        changed = said(indicator, field, old, new)
    else:
        text = getattr(indicator, field)
        changed = indicator.model_copy(update={field: Text(de=new + text.de, en=text.en)})
    found = text_problems(catalogue, changed)
    assert any(problem in one for one in found), found


def test_english_ages_are_held_against_the_formula_too(catalogue: Catalogue) -> None:
    indicator = catalogue.indicators["entrance_qualification_percent"]
    calculation = indicator.calculation
    assert "18 to under 20" in calculation.en
    other = Text(de=calculation.de, en=calculation.en.replace("18 to under 20", "18 to under 21"))
    (problem,) = text_problems(catalogue, indicator.model_copy(update={"calculation": other}))
    assert "says 'aged 18 to under 21', the formula has no age border 21" in problem


@pytest.mark.parametrize(
    ("words", "border"),
    [("zwischen 18 und 60 Jahren", 18), ("ab 21 Jahren", 21), ("ab 21-Jährige", 21), ("4–7 Jahren", 4)],
)
def test_every_way_to_name_an_age_is_read(catalogue: Catalogue, words: str, border: int) -> None:
    indicator = catalogue.indicators["care_rate_3_to_5_percent"]
    calculation = Text(de=f"Kinder ({words}) / Kinder × 100", en=indicator.calculation.en)
    problems = text_problems(catalogue, indicator.model_copy(update={"calculation": calculation}))
    assert any(f"the formula has no age border {border} " in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("name", "field", "text"),
    [
        ("children_other_language_percent", "purpose", "Wie viele Eltern eine andere Familiensprache angeben."),
        ("leavers_without_certificate_percent", "interpretation", "Nach Abschluss der Schule zählt nicht, wer nach Abschluss des Schuljahres geht."),
        ("pupils", "interpretation", "Das Recht nach Art. 24 gilt für alle; eine Sperrung der Sporthalle ändert nichts."),
        ("live_births", "purpose", "Wichtig für Ausgaben je Schulessen."),
        ("care_rate_under_3_percent", "calculation", "Betreute Kinder unter drei Jahren / Kinder von 0 bis 2 Jahren · 100"),
        ("care_rate_under_3_percent", "calculation", "Betreute Kinder unter 3 Jahren mit einer Betreuungsdauer von 1 bis 2 Jahren / Kinder bis unter 3 Jahre in Prozent"),
        ("adult_education_lessons_per_1000", "calculation", "Unterrichtsstunden der VHS im Kalenderjahr / Bevölkerung am 31.12. × 1\u202f000"),
        ("care_rate_under_3_percent", "calculation", "Betreute Kinder unter 3 Jahren / Kinder unter 3 Jahren × 100. Stand: 31.12."),
        ("care_rate_under_3_percent", "calculation", "100 × betreute Kinder unter 3 Jahren / Kinder unter 3 Jahren"),
        ("care_rate_under_3_percent", "calculation", "Betreute Kinder unter 3 Jahren / Kinder unter 3 Jahren in %"),
        ("care_rate_under_3_percent", "calculation", "Betreute Kinder unter 3 Jahren / Kinder unter 3 Jahren, gemittelt über 2 bis 3 Jahre, multipliziert mit 100"),
    ],
)  # fmt: skip
def test_a_text_that_is_right_loads(catalogue: Catalogue, name: str, field: str, text: str) -> None:
    indicator = catalogue.indicators[name]
    changed = Text(de=text, en=getattr(indicator, field).en)
    assert text_problems(catalogue, indicator.model_copy(update={field: changed})) == []


@pytest.mark.parametrize(
    ("name", "field", "de", "en"),
    [
        ("care_rate_under_3_percent", "label", "Quote der unter sechsjährigen Kinder", "Rate of children younger than 6"),
        ("care_rate_under_3_percent", "label", "Quote der Kinder im Alter von 3 bis 6", "Rate, age group 3-6"),
        ("care_rate_under_3_percent", "label", "Quote der Fünfjährigen", "Rate of 3-to-5-year-olds"),
        ("care_rate_under_3_percent", "label", "Quote der 3-6 Jahre alten Kinder", "Rate of 5-year-olds"),
        ("youth_unemployment_rate_percent", "label", "Quote (15 bis unter 20 Jahre)", "Rate (aged 15 to under 20)"),
        ("pupils", "purpose", "Nach dem Geschlecht und nach Religion.", "By sex, nationality and month."),
        ("mean_age_years", "purpose", "Zeigt das Alter nach Schulbezirken, je Planungsbezirk.", "Shows it by nationality."),
        ("live_births", "calculation", "Lebendgeborene zum 31.12.", "Live births on 31 December"),
        ("children_in_day_care", "calculation", "Betreute Kinder im Kalenderjahr", "Children in care in the calendar year"),
        ("pupils_per_class", "calculation", "Schülerinnen und Schüler / Klassen × 50", "Pupils / classes in percent"),
        ("child_poverty_percent", "calculation", "Kinder unter 18 Jahren / Kinder unter 15 Jahren × 100", "Beneficiaries under 18 / people under 15 × 100"),
    ],
)  # fmt: skip
def test_a_wrong_text_is_found_in_each_language(
    catalogue: Catalogue, name: str, field: str, de: str, en: str
) -> None:
    indicator = catalogue.indicators[name]
    right = getattr(indicator, field)
    for wrong in (Text(de=f"x {de}", en=right.en), Text(de=right.de, en=f"x {en}")):
        changed = wrong.model_copy(
            update={"de": wrong.de.replace("x Nach", "x nach"), "en": wrong.en.replace("x By", "x by")}
        )
        assert text_problems(catalogue, indicator.model_copy(update={field: changed})), changed


def test_a_border_within_cells_that_are_added_up_is_none(catalogue: Catalogue) -> None:
    """The formula counts 15 to under 65, of cells that meet at 18, 20, 25 and so on."""
    indicator = catalogue.indicators["unemployed_of_working_age_percent"]
    assert "15" in indicator.calculation.de
    wrong = Text(de=indicator.calculation.de.replace("15 bis", "18 bis"), en=indicator.calculation.en)
    assert wrong.de != indicator.calculation.de
    assert text_problems(catalogue, indicator.model_copy(update={"calculation": wrong}))


def test_a_city_s_own_indicator_with_a_wrong_text_is_refused_with_its_line(tmp_path: Path) -> None:
    """Texts are part of the declaration: an overlay that claims what is not there does not load."""
    own = tmp_path / "indicators" / "own_births.yml"
    own.parent.mkdir()
    text = (CATALOGUE_DIR / "indicators" / "population" / "live_births.yml").read_text(encoding="utf-8")
    text = text.replace("id: live_births", "id: own_births").replace("code: A1.9", "code: A9.9")
    own.write_text(text, encoding="utf-8")
    assert "own_births" in load_catalogue(tmp_path).indicators
    load_catalogue.cache_clear()
    own.write_text(text.replace("Lebendgeborene", "Lebendgeborene je Stadtteil und", 2), encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"own_births\.yml, line \d+: the calculation says 'Stadtteil'"):
        load_catalogue(tmp_path)


def test_a_formula_that_says_otherwise_is_found(catalogue: Catalogue) -> None:
    """The same from the other side: the text stays, the ages change."""
    indicator = catalogue.indicators["care_rate_3_to_5_percent"]
    other = Term(measure="population", where={"age_group": ["ALT003B06", "ALT006B10"]})
    changes: dict[str, Any] = {"denominator": other, "numerator": Term(measure="children_in_day_care")}
    assert text_problems(catalogue, indicator) == []
    changed = indicator.model_copy(update={**changes, "local": None})
    assert "no age border 6 (it has 3, 10)" in text_problems(catalogue, changed)[0]
    wider = other.model_copy(update={"where": {"age_group": ["ALT006B10", "ALT010B15"]}})
    assert "no age border 3" in text_problems(catalogue, changed.model_copy(update={"denominator": wider}))[0]
