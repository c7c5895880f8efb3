"""The catalogue: consistent as it stands, and exact about what is wrong when it is not."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from expectations.catalogue import Catalogue, CatalogueError, load_catalogue
from expectations.catalogue.availability import availability
from expectations.catalogue.base import OLDEST, Text
from expectations.catalogue.load import CATALOGUE_DIR
from expectations.catalogue.model import Kind, Unrounded
from expectations.catalogue.protection import rounding_of
from expectations.catalogue.relations import relations
from expectations.catalogue.subsets import subset_measures

RATIO = "indicators/population/old_age_dependency_ratio.yml"
SCHOOLS = "indicators/schools/foreign_pupils_percent.yml"
RATE_ABOVE = "indicators/culture_libraries_sport/sports_club_membership_percent.yml"
MIGRATION = "indicators/population/net_migration.yml"
SOCIAL_WORK = "indicators/youth_welfare/pupils_per_social_worker.yml"
SHARE = "indicators/leavers/leavers_without_certificate_percent.yml"
CARE = "indicators/early_childhood/full_day_care_rate_percent.yml"
ALL_DAY = "indicators/all_day/all_day_pupils_percent.yml"
CLUB = "indicators/culture_libraries_sport/music_school_participation_percent.yml"
COMMUTERS = "indicators/schools/in_commuting_pupils_percent.yml"
NEEDS = "measures/registers/register_pupils_special_needs.yml"
SERVICES = "measures/registers/youth_welfare_services.yml"
SERVICES_RATE = "indicators/youth_welfare/youth_welfare_per_1000.yml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    target = tmp_path / "catalogue"
    shutil.copytree(CATALOGUE_DIR, target, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return target


def problems(root: Path) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(root=root)
    return caught.value.problems


def edit(root: Path, file: str, old: str, new: str) -> None:
    path = root / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (SHARE, "measure: leavers,", "measure: leavrs,", "no measure 'leavrs'; did you mean 'leavers'?"),
        (SHARE, "[sex]", "[sexx]", "no breakdown 'sexx'; did you mean 'sex'?"),
        (SHARE, "BILABS11", "BILABS99", "breakdown 'qualification' has no cell 'BILABS99'; did you mean"),
        (SHARE, "table: pub_leavers", "table: pub_leaver", "no published table 'pub_leaver'; did you mean 'pub_leavers'?"),
        (SHARE, "kind: share", "kind: shares", "kind: found 'shares'"),
        (SHARE, "unit: percent", "unit: prozent", "unit: found 'prozent': expected one of persons"),
        (SHARE, "kind: share", 'availability: {de: "21111", en: "21111"}\nkind: share', "of others it follows from the declaration"),
        (SHARE, "decimals:", "decimal:", "unknown field 'decimal'; did you mean 'decimals'?"),
        (SHARE, "owner: education-monitoring\n", "", "field 'owner' is missing"),
        (SHARE, "id: leavers_without", "id: Leavers_without", "id: found 'Leavers_without"),
        (SHARE, "[sex]", "[care_type]", "not by 'care_type'"),
        (SHARE, "kind: share", "kind: count", "takes no denominator"),
        (SHARE, "kind: share", "  kind: [share", "not valid YAML"),
        (SHARE, "denominator: {measure: leavers}", "denominator: {measure: day_care_places}", "the units must be the same"),
        ("measures/leavers.yml", "21111-02-06-4", "21111-02-06-9", "no official table '21111-02-06-9'; did you mean '21111-02-06-4'?"),
        ("measures/leavers.yml", "BILABS11, BILABS12", "BILABS14D, BILABS12", "is a subset ('darunter') and never adds up"),
        ("tables/21111-02-06-4.yml", 'BILAG2: "BILABS11"', 'BILAG2: "BILABS1"', "BILAG2 has no item 'BILABS1'"),
        ("tables/21111-02-06-4.yml", "header: '\\| Insgesamt", "header: '(\\| Insgesamt", "not a regular expression"),
        (RATIO, "[ALT065B75, ALT075UM]", "[ALT065B75, ALT075UM, ALT080B85]", "'ALT075UM' and 'ALT080B85' overlap"),
        (RATIO, "[ALT065B75, ALT075UM]", "[ALT065B75, ALT060B65, ALT055B65]", "'ALT060B65' and 'ALT055B65' overlap"),
        (SHARE, "where: {qualification: BILABS11}", "where: {qualification: [BILABS13, BILABS14D]}", "counts somebody twice"),
        (SCHOOLS, "{measure: pupils, where: {nationality: foreign}}", "{measure: general_schools, where: {school_type: [SCHULE03, SCHULE08]}}", "must not be added: 'general_schools' declares none"),
        ("measures/general_schools.yml", "rule: none", "rule: sum", "name them where they add up"),
        ("statistics/12411.yml", "late_after_days: 390", "late_after_days: 5", "nothing can be late before it is due"),
        ("tables/12411-07-01-4.yml", 'evas: "12411"', 'evas: "12412"', "no statistic '12412'; did you mean"),
        ("tables/22541-01-04-4.yml", "valid_from: 2011-01-01", "valid_from: 2012-01-01", "valid for the same periods"),
        ("area_reforms/goettingen_2016.yml", 'code: "03159", share: 1', 'code: "03159", share: 0.5', "do not add up to 1"),
        ("area_reforms/goettingen_2016.yml", 'code: "03159", share: 1', 'code: "03201", share: 1', "'03201' itself ends on 2001-11-01"),
        ("indices/social_index.yml", "- care_rate_under_3_percent", "- pupils_per_class", "'pupils_per_class' is not offered for 'city_district'"),
        ("surveys/all_day_demand.yml", "stratum: grade", "stratum: sex", "'all_day_demand_answers' is not counted by 'sex'"),
        ("surveys/all_day_demand.yml", "SCHULE03", "SCHULE33", "has no cell 'SCHULE33'; did you mean"),
        ("classifications/GES.yml", "cell: female", "cell: femal", "has no cell 'femal'; did you mean 'female'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_line_and_closest_name(
    copy: Path, file: str, old: str, new: str, message: str
) -> None:
    edit(copy, file, old, new)
    found = [p for p in problems(copy) if message in p]
    assert found, problems(copy)
    assert found[0].startswith(f"{file}, line ")


def test_the_line_is_the_line(copy: Path) -> None:
    edit(copy, SHARE, "[sex]", "[sexx]")
    lines = (copy / SHARE).read_text().split("\n")
    expected = next(n for n, line in enumerate(lines, start=1) if "sexx" in line)
    assert problems(copy) == [f"{SHARE}, line {expected}: no breakdown 'sexx'; did you mean 'sex'?"]


def test_a_name_and_its_file_agree(copy: Path) -> None:
    (copy / SHARE).rename((copy / SHARE).with_name("another.yml"))
    assert "but the file is named 'another'" in problems(copy)[0]


def test_an_indicator_is_declared_once(copy: Path) -> None:
    shutil.copy(copy / SHARE, copy / "indicators" / "schools" / Path(SHARE).name)
    assert "is declared in" in problems(copy)[0]


def test_every_published_indicator_is_complete(catalogue: Catalogue) -> None:
    states = Counter(i.status for i in catalogue.indicators.values())
    assert states["published"] >= 120
    assert sum(states.values()) >= 139
    assert sum(i.kind is Kind.MODEL for i in catalogue.indicators.values()) < 15
    for indicator in catalogue.indicators.values():
        for text in (
            indicator.purpose,
            indicator.interpretation,
            indicator.calculation,
            availability(catalogue, indicator),
        ):
            assert text.de != text.en
    for table in catalogue.published:
        assert catalogue.indicators_of(table), f"{table} publishes nothing"


def test_terms_expand_to_the_cells_they_add_up(catalogue: Catalogue) -> None:
    terms = relations(catalogue)["indicator_term"]
    terms = terms[terms["origin"] == "main"]
    youth = terms[(terms["indicator_id"] == "youth_dependency_ratio") & (terms["role"] == "numerator")]
    assert list(youth["age_group"]) == [
        "ALT000B03", "ALT003B06", "ALT006B10", "ALT010B15", "ALT015B18", "ALT018B20",
    ]  # fmt: skip
    assert set(youth["expected_cells"]) == {6}
    assert set(youth["sex"]) == {"*"}
    full_day = terms[terms["indicator_id"] == "full_day_care_rate_percent"]
    assert full_day.groupby(["role", "age_group_shown"])["expected_cells"].unique().map(list).to_dict() == {
        ("numerator", "cell"): [1], ("numerator", "total"): [2],
        ("denominator", "cell"): [1], ("denominator", "total"): [2],
    }  # fmt: skip
    assert set(full_day["age_group"]) == {"ALT000B03", "ALT003B06"}, (
        "nobody else is in a cell or in the total"
    )
    care = terms[(terms["indicator_id"] == "care_rate_under_3_percent") & (terms["role"] == "denominator")]
    assert care["care_type_shown"].isna().all(), "a population knows no type of care and serves all of them"


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        # A unit that sounds like things, a register of things, a column that nobody looked at.
        ("registers/holiday_programme.yml", ", counts_people: true", "", "  count:",
         "register 'holiday_programme' does not say whether its column 'taken' counts people"),
        ("measures/registers/school_classrooms.yml", "unit: rooms", "unit: persons", "unit:",
         "unit 'persons' counts people, but 'rows' of register 'school_rooms' does not"),
        ("measures/registers/library_visits.yml", "unit: visits", "unit: cases", "unit:",
         "unit 'cases' counts people, but 'sum:visits' of register 'library' does not"),
        ("measures/registers/school_rooms.yml", "unit: rooms\n",
         "unit: rooms\nunrounded: {decided_on: 2026-12-01, reason: {de: Räume, en: rooms}}\n", "unrounded:",
         "it is published exact anyway"),
        (MIGRATION, "plus: [{measure: register_moves}]", "less: [{measure: register_moves}]", "  numerator:",
         "less 'register_moves': a difference of people can't be protected within a term"),
    ],
)  # fmt: skip
def test_what_one_person_more_would_change_is_declared(
    copy: Path, file: str, old: str, new: str, line: str, message: str
) -> None:
    edit(copy, file, old, new)
    found = [p for p in problems(copy) if message in p]
    assert found
    name, number = re.match(r"(\S+), line (\d+):", found[0]).groups()  # type: ignore[union-attr]
    assert (copy / name).read_text(encoding="utf-8").splitlines()[int(number) - 1].startswith(line)


def test_protection_follows_what_is_counted_and_not_the_unit(catalogue: Catalogue) -> None:
    """Moves are events, taken places places and lesson hours hours: one person more changes each."""
    for name, base in {
        "register_arrivals": 5, "register_moves": 5, "holiday_places_taken": 5, "training_places_filled": 5,
        "music_school_weekly_hours": 5, "vaccinated_children": 10, "school_rooms": 1, "library_visits": 1, "population": 1,
    }.items():  # fmt: skip
        assert rounding_of(catalogue, catalogue.measures[name]) == base, name
    for name, measure in catalogue.measures.items():
        if measure.register_ and catalogue.registers[measure.register_.register_].personal:
            assert rounding_of(catalogue, measure) in (5, 10), name
    moves = catalogue.measures["register_moves"]
    waived = moves.model_copy(
        update={"unrounded": Unrounded(decided_on=dt.date(2026, 12, 1), reason=Text(de="a", en="a"))}
    )
    assert rounding_of(catalogue, waived) == 1


def test_an_indicator_shows_single_years_of_age_or_groups_of_them(copy: Path) -> None:
    """The register is counted by both, because one indicator needs the years and others the groups."""
    name = "indicators/population/foreign_population_percent.yml"
    text = (copy / name).read_text(encoding="utf-8")
    (copy / name).write_text(re.sub(r"^cells: .*\n", "", text, flags=re.MULTILINE), encoding="utf-8")
    (problem,) = problems(copy)
    assert re.fullmatch(
        rf"{name}, line \d+: shows single years of age and groups of them; say under 'cells' which of both",
        problem,
    )


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "line", "message"),
    [
        # Children in day care are under 15, residents of any age.
        (CARE, "total_of_cells: [age_group]\n", "", CARE, "breakdowns:",
         "the total's numerator counts ages 0 to under 15, its denominator ages 0 and over"),
        # Services for young adults over young people under 21.
        (SERVICES, '  where: {age: "..20"}\n', "", SERVICES_RATE, "denominator:",
         "the total's numerator counts ages 0 to under 28, its denominator ages 0 to under 21"),
        # Pupils of general schools over pupils of vocational schools, by type of school.
        (ALL_DAY, "denominator: {measure: register_pupils}", "denominator: {measure: register_vocational_pupils}", ALL_DAY, "breakdowns:",
         "its denominator SCHULE17, SCHULE171"),
        # A gap within the span.
        (SERVICES_RATE, "ALT003B06, ALT006B10, ", "", SERVICES_RATE, "denominator:",
         "its denominator ages 0 to under 3, 10 to under 21"),
        # The same without cells beside the total.
        (CARE, "breakdowns: [age_group]\ncells: {age_group: [ALT000B03, ALT003B06]}\ntotal_of_cells: [age_group]\n", "", CARE,
         "denominator:", "its denominator ages 0 and over"),
        # One register, and yet no part of it.
        (COMMUTERS, "denominator: {measure: register_pupils}", "denominator: {measure: register_pupils, where: {school_type: SCHULE03}}",
         COMMUTERS, "breakdowns:", "its denominator SCHULE03"),
        (NEEDS, ", KLSTUFE09, KLSTUFE10]", ", KLSTUFE09, KLSTUFE11]", "indicators/inclusion/special_needs_percent.yml", "denominator:",
         "the total's numerator counts KLSTUFE01"),
        (CARE, "[ALT000B03, ALT003B06]", "[ALT000B03, ALT015B18]", CARE, "numerator:",
         "total_of_cells: measure 'register_children_full_day' is not delivered by ALT015B18"),
        (CARE, "{measure: register_population}", "{measure: register_population, where: {age_group: ALT000B03}}", CARE,
         "denominator:", "total_of_cells: 'age_group' is chosen for measure 'register_population' already"),
        (CARE, "[ALT000B03, ALT003B06]", "[ALT000B03, ALT000B01]", CARE, "cells:",
         "'ALT000B03' and 'ALT000B01' overlap: adding them counts somebody twice"),
        (CARE, "cells: {age_group: [ALT000B03, ALT003B06]}\n", "", CARE, "id:",
         "total_of_cells: name the cells under `cells`, the total adds up those"),
    ],
)  # fmt: skip
def test_a_total_and_its_cells_are_of_the_same_people(
    copy: Path, file: str, old: str, new: str, place: str, line: str, message: str
) -> None:
    edit(copy, file, old, new)
    found = problems(copy)
    name, number = re.match(r"(\S+), line (\d+):", found[0]).groups()  # type: ignore[union-attr]
    assert name == place
    assert (copy / name).read_text(encoding="utf-8").splitlines()[int(number) - 1].startswith(line)
    assert message in found[0]


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "message"),
    [
        (MIGRATION, "  agrees:\n    absolute: 150\n    note:\n", "  # ", "local:", "field 'agrees' is missing"),
        (SOCIAL_WORK, "  levels: [school]\n", "  levels: [school]\n  agrees: {percent: 1, note: {de: x, en: y}}\n", "  agrees:",
         "there is nothing official to agree with"),
        ("measures/registers/register_pupils.yml", "  known_zeros:", "  of_period_before: true\n  known_zeros:", "", ""),
        ("measures/registers/register_population.yml", "  area: block_side", "  of_period_before: true\n  area: block_side",
         "  of_period_before:", "register 'residents' speaks of a day, which has no period before it"),
        ("measures/registers/youth_welfare_services.yml", "running: [starts_on, ends_on]", "running: [starts_on, service]",
         "  running:", "column 'service' holds no dates"),
        ("measures/registers/register_arrivals.yml", "  where: {event: in}", "  in_year: true\n  where: {event: in}",
         "  in_year:", "register 'resident_movements' speaks of a whole period already"),
        (RATE_ABOVE, "valid_range: [0, 200]", "valid_range: [0, 100]", "id:", "say why the rate may lie above 100 percent"),
        ("indicators/schools/foreign_pupils_percent.yml", "valid_range: [0, 100]", "valid_range: [0, 130]", "id:",
         "a part of a whole is at most 100 percent"),
        ("peer_groups/independent_cities_07.yml", '"07211"', '"07111"', "areas:", "07111 twice"),
    ],
)  # fmt: skip
def test_a_figure_that_would_mean_something_else_is_refused(
    copy: Path, file: str, old: str, new: str, line: str, message: str
) -> None:
    text = (copy / file).read_text(encoding="utf-8")
    if new == "  # ":  # the whole block goes
        start = text.index(old)
        text = text[:start] + text[text.index("unit:", start) :]
        (copy / file).write_text(text, encoding="utf-8")
    else:
        edit(copy, file, old, new)
    if not message:
        assert load_catalogue(root=copy)
        return
    (found,) = problems(copy)
    name, number = re.match(r"(\S+), line (\d+):", found).groups()  # type: ignore[union-attr]
    assert name == file
    assert (copy / name).read_text(encoding="utf-8").splitlines()[int(number) - 1].startswith(line)
    assert message in found


def test_every_formula_of_registers_is_reconciled_term_by_term(catalogue: Catalogue) -> None:
    compared = [(r.register_.numerator, r.official.numerator) for r in catalogue.reconciliations.values()]
    served = 0
    for indicator in catalogue.indicators.values():
        if indicator.local is None or indicator.local.agrees is None:
            continue
        served += 1
        if indicator.kind is Kind.DIFFERENCE:
            continue
        for role in ("numerator", "denominator"):
            ours, theirs = getattr(indicator.local, role), getattr(indicator, role)
            assert ours is None or (ours, theirs) in compared, f"{indicator.id}: {role}"
    assert served >= 15
    # A balance is compared as a whole: moves inside the city are in both terms of a Stadtteil.
    balance = catalogue.reconciliations["net_migration"]
    assert [(s, p.measure) for s, p in balance.register_.numerator.parts()] == [
        (1, "register_arrivals"), (1, "register_moves"), (-1, "register_departures"), (-1, "register_moves_away"),
    ]  # fmt: skip
    assert [(s, p.measure) for s, p in balance.official.numerator.parts()] == [
        (1, "arrivals"),
        (-1, "departures"),
    ]


def test_the_people_of_a_measure_are_those_its_source_can_hold(catalogue: Catalogue) -> None:
    people = catalogue.people_of_measure
    assert people("register_population", "age_group") == set(range(OLDEST))
    assert people("register_children_full_day", "age_group") == set(range(15))
    assert people("youth_welfare_services", "age_group") == set(range(21))
    assert people("population", "age_group") == set(range(OLDEST)), (
        "of an official table: what its cells span"
    )
    assert people("register_day_care_places", "age_group") is None, "places have no age"
    assert people("register_pupils_special_needs", "grade") == {f"KLSTUFE{n:02}" for n in range(1, 11)}


def test_the_catalogue_hash_follows_its_content(copy: Path) -> None:
    before = load_catalogue(root=copy).content_hash
    load_catalogue.cache_clear()
    assert load_catalogue(root=copy).content_hash == before
    edit(copy, SHARE, "decimals: 1", "decimals: 2")
    load_catalogue.cache_clear()
    assert load_catalogue(root=copy).content_hash != before


def test_a_city_adds_its_own_declarations(tmp_path: Path) -> None:
    folder = tmp_path / "indicators"
    folder.mkdir()
    text = (CATALOGUE_DIR / SHARE).read_text(encoding="utf-8")
    own = text.replace("id: leavers_without_certificate_percent", "id: own_indicator")
    own = own.replace("code: D8.2", "code: K9.9")
    (folder / "own_indicator.yml").write_text(own, encoding="utf-8")
    assert "own_indicator" in load_catalogue(tmp_path).indicators
    shutil.copy(CATALOGUE_DIR / SHARE, folder)
    load_catalogue.cache_clear()
    with pytest.raises(CatalogueError, match="is declared in"):
        load_catalogue(tmp_path)


def test_codes_are_those_of_the_reference_list(shared: Path, catalogue: Catalogue) -> None:
    import csv

    with open(shared / "reference" / "indicators.csv", encoding="utf-8") as handle:
        reference = {row["code"]: row for row in csv.DictReader(handle)}
    ours = {i.code: i.id for i in catalogue.indicators.values()}
    assert set(reference) <= set(ours), "every indicator of the list has its file"
    assert {code[0] for code in set(ours) - set(reference)} <= {"K"}, "the city's own are K"


STATISTICS = (
    "12411", "12612", "12711", "13111", "13211", "21111", "21121", "21311", "21321", "22311", "22541", "22542",
    "22543", "22811", "82411",
)  # fmt: skip


def test_every_table_of_the_education_statistics_is_declared(shared: Path, catalogue: Catalogue) -> None:
    """All district and municipality tables of these statistics, and all that an indicator names."""
    import csv
    import re

    with open(shared / "reference" / "genesis_tables.csv", encoding="utf-8") as handle:
        codes = [row["code"] for row in csv.DictReader(handle, delimiter=";")]
    needed = {c for c in codes if re.fullmatch(r"\d{5}-\d\d-\d\d-[45]", c) and c[:5] in STATISTICS}
    with open(shared / "reference" / "indicators.csv", encoding="utf-8") as handle:
        for row in csv.DictReader(handle):
            needed |= set(
                re.findall(r"\b(?:\d{5}-\d\d-\d\d-\d|AI[A-Z0-9]*(?:-[A-Z0-9]+)+)\b", row["table_code"])
            )
    assert len(needed) >= 76
    assert needed - set(catalogue.tables) == set()
    for table in catalogue.tables.values():
        statistic = catalogue.statistic_of(table)
        assert statistic.licence
        assert statistic.late_after_days > statistic.due_after_days
        assert table.period
        assert table.database


def test_which_measures_count_some_of_the_same_people() -> None:
    pairs = set(subset_measures(load_catalogue()))
    assert ("register_pupils_special_needs", "register_pupils") in pairs  # one register, one condition more
    assert ("register_pupils", "register_pupils_special_needs") not in pairs
    assert {
        ("register_pupils", "register_pupils_by_grade"),
        ("register_pupils_by_grade", "register_pupils"),
    } <= pairs
    assert ("free_learning_materials", "register_pupils") not in pairs  # a share of two registers
    assert (
        "youth_welfare_services",
        "register_population",
    ) not in pairs  # a rate: who gets help may live elsewhere
