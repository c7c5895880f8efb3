"""Counts terms from the tables of deliveries and makes the cells of an indicator from them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd

from tests.recomputation.deliveries import CITY

Table = pd.DataFrame
Condition = Callable[[Table], pd.Series]
AGE_CODE = re.compile(r"ALT(\d{3})(?:B(\d{2})|UM)")


@dataclass(frozen=True)
class Term:
    """What is counted: rows of a table, or the sum of a column, where a condition holds.

    `lag` is how many years before the indicator's year the rows were counted; `not_by` names breakdowns of
    the indicator that the term does not follow (the population has no programme area).
    """

    table: str
    where: Condition | None = None
    sum_of: str | None = None
    lag: int = 0
    not_by: tuple[str, ...] = ()


Terms = tuple[Term, ...]


def count(term: Term, tables: dict[str, Table], level: str, cells: Table, by: list[str]) -> pd.Series:
    """The figure of a term for each of the cells (of a year, an area and a value for each breakdown)."""
    table = tables[term.table]
    rows = table if term.where is None else table[term.where(table)]
    followed = [column for column in by if column not in term.not_by]
    columns = {
        "year": rows["year"] + term.lag,
        "area": rows[level],
        "figure": 1 if term.sum_of is None else rows[term.sum_of],
    }
    columns |= {column: rows[SOURCE.get(column, column)] for column in followed}
    keys = ["year", "area", *followed]
    sums = pd.DataFrame(columns).groupby(keys, as_index=False, dropna=False)["figure"].sum()
    for column in followed:
        sums = with_totals(sums, column, cells[column].unique())
    sums = sums.groupby(keys)["figure"].sum()
    wanted = pd.MultiIndex.from_frame(cells[keys])
    return pd.Series(sums.reindex(wanted).fillna(0).to_numpy(), index=cells.index)


PART_OF = {"SCHULE171": "SCHULE17"}  # "dar. ohne Ausbildungsvertrag" is a subset of the Berufsschulen
SOURCE = {"age_group": "age", "grade": "level"}  # the column of a delivery behind a breakdown


def with_totals(sums: Table, column: str, values: list[str]) -> Table:
    """The sums by the published values of a breakdown, and the total of all rows."""
    if column == "age_group":
        parts = [
            sums[sums[column].between(*ages_of(code))].assign(age_group=code)
            for code in values
            if code != "total"
        ]
    else:
        parts = [
            sums,
            *(sums[sums[column] == part].assign(**{column: whole}) for part, whole in PART_OF.items()),
        ]
    return pd.concat([*parts, sums.assign(**{column: "total"})], ignore_index=True)


def ages_of(code: str) -> tuple[int, int]:
    """The first and the last age of an official age group: ALT003B06 is 3 to 5, ALT065UM 65 and more."""
    first, end = AGE_CODE.fullmatch(code).groups()
    return int(first), int(end) - 1 if end else 999


def count_all(terms: Terms, tables: dict[str, Table], level: str, cells: Table, by: list[str]) -> pd.Series:
    """The sum of several terms for each of the cells."""
    return sum(
        (count(term, tables, level, cells, by) for term in terms), start=pd.Series(0.0, index=cells.index)
    )


def areas_counted(terms: Terms, tables: dict[str, Table], level: str) -> set[str]:
    """The areas of a level that any of the terms counts something in."""
    counted = (
        tables[term.table] if term.where is None else tables[term.table][term.where(tables[term.table])]
        for term in terms
    )
    return set(chain.from_iterable(rows[level].unique() for rows in counted))


# The indicators that are no quotient of two counts. Each returns year, area, further breakdowns and `value`.
# The release rounds counts of persons before it makes anything of them; so do these models.


def rounded(counts: pd.Series, base: int = 5) -> pd.Series:
    """Counts of persons as the release shows them: multiples of the base."""
    return np.floor(counts / base + 0.5) * base


def grade_progression(tables: dict[str, Table], level: str) -> Table:
    """Pupils of the next grade a year later in percent of the pupils of a grade, if these are, rounded, 30 or more."""
    keys = ["year", level, "level"]
    now = tables["pupils"].groupby(keys).size().rename("denominator").reset_index()
    later = now.assign(year=now["year"] - 1, level=now["level"] - 1).rename(
        columns={"denominator": "numerator"}
    )
    both = now.merge(later, on=keys)
    both[["numerator", "denominator"]] = rounded(both[["numerator", "denominator"]])
    both = both[(both["denominator"] >= 30) & (both["numerator"] > 0)]
    both["value"] = both["numerator"] / both["denominator"] * 100
    both["grade"] = both["level"].map("KLSTUFE{:02}".format)
    return both.assign(year=both["year"] + 1).rename(columns={level: "area"})


def all_day_gap(tables: dict[str, Table], level: str, fewest_answers: int = 30) -> Table:
    """Wanted minus existing all-day places of each primary school, and what all schools lack together."""
    by = ["year", "school"]
    wishes = tables["survey_all_day"].assign(wants=tables["survey_all_day"]["bedarf"] == "A1")
    schools = wishes.groupby(by)["wants"].agg(answers="size", wanted="sum")
    schools = schools[rounded(schools["answers"]) >= fewest_answers]
    primary = tables["pupils"][tables["pupils"]["school_type"] == "SCHULE03"]
    schools = schools.join(primary.groupby(by)["all_day"].agg(pupils="size", all_day="sum"), how="inner")
    schools = schools.join(tables["after_school_care"].groupby(by)["Plätze"].sum().rename("places")).fillna(0)
    share = rounded(schools["wanted"]) / rounded(schools["answers"])
    schools["numerator"] = rounded(share * rounded(schools["pupils"]), base=1)
    # Only places of after-school care can be free: who attends an all-day school has a place there anyway.
    taken = rounded(schools["all_day"]).clip(upper=schools["numerator"])
    schools["denominator"] = schools["places"] + taken
    schools["value"] = schools["numerator"] - schools["denominator"]
    if level == "school":
        return schools.reset_index().rename(columns={"school": "area"})
    lacking = schools[schools["value"] > 0].groupby("year")[["numerator", "denominator", "value"]].sum()
    return lacking.reset_index().assign(area=CITY)


def room_balance(tables: dict[str, Table], level: str) -> Table:
    """Classrooms minus classes of each school; for the city also what is lacking and what is to spare."""
    by = ["year", "school"]
    rooms = tables["school_rooms"][tables["school_rooms"]["Nutzung"] == "Klassenraum"].groupby(by).size()
    classes = tables["classes"].groupby(by).size()
    schools = pd.concat({"numerator": rooms, "denominator": classes}, axis=1, join="inner").reset_index()
    schools["value"] = schools["numerator"] - schools["denominator"]
    if level == "school":
        return schools.rename(columns={"school": "area"}).assign(category="total")
    lacking, to_spare = schools[schools["value"] < 0], schools[schools["value"] > 0]
    groups = {"total": schools, "rooms_lacking": lacking, "rooms_to_spare": to_spare}
    sums = [
        part.drop(columns="school").groupby("year").sum().assign(category=name)
        for name, part in groups.items()
    ]
    return pd.concat(sums).reset_index().assign(area=CITY)


def transition_gap(tables: dict[str, Table], level: str) -> Table:
    """Share of changes to the Gymnasium: schools of low minus schools of high share of migration background.

    The reference leaves the groups open: here the median of the schools' shares parts them.
    """
    primary = tables["pupils"][tables["pupils"]["school_type"] == "SCHULE03"]
    background = (primary["nationality"] == "foreign") | ~primary["speaks_german_at_home"]
    shares = background.groupby([primary["year"], primary["school"]]).mean()
    changes = tables["school_movements"].query("event == 'UEB'")
    to_gymnasium = (changes["school_type"] == "SCHULE08").groupby([changes["year"], changes["school"]])
    schools = to_gymnasium.agg(["sum", "size"]).assign(share=shares).reset_index()
    schools["many"] = schools["share"] > schools["year"].map(shares.groupby("year").median())
    sums = rounded(schools.groupby(["year", "many"])[["sum", "size"]].sum())
    rates = (sums["sum"] / sums["size"] * 100).unstack("many")
    return (rates[False] - rates[True]).rename("value").reset_index().assign(area=CITY)


INDEX_COMPONENTS = ("A4.2", "K7.1", "A1.8", "C3.4")
"""Child poverty, unemployment, migration background, children who speak another language at home."""


def social_index_as_published(tables: dict[str, Table], level: str) -> Table:
    """The social index from the published figures of its four components, three of which suffice.

    A share of few people is drawn to the rate of all areas (Marshall 1991): chance and rounding explain a part of the
    differences, and of an area's distance only the other part is kept.
    """
    rows = tables["published_components"]
    # Of a figure published as a range, what its published counts give.
    made = (100 * rows["numerator"] / rows["denominator"]).round(1).where(rows["status"] == "range")
    rows = rows.assign(value=rows["value"].fillna(made))
    rows = rows[(rows["area_level"] == level) & rows["value"].notna()].copy()
    # Children in care on 1 March stand for the year that ended before.
    rows["year"] = (pd.to_datetime(rows["period_end"]) - pd.DateOffset(months=3)).dt.year
    scores = [score_of(of_year) for _, of_year in rows.groupby(["code", "year"])]
    scored = pd.concat(scores).groupby(["year", "area"])["score"].agg(["sum", "size"])
    # A component that is not published counts as the mean of all, which is 0.
    return (scored[scored["size"] >= 3]["sum"] / len(INDEX_COMPONENTS)).rename("value").reset_index()


def score_of(rows: Table) -> Table:
    """The scores of one component in one year."""
    people, share = rows["denominator"], rows["value"] / 100
    rate = rows["numerator"].sum() / people.sum()
    rounding = (rows["rounded_to"] ** 2 - 1) / 12 * (1 + share**2) / people**2
    noise = rate * (1 - rate) / people + rounding
    seen = (people * (share - rate) ** 2).sum() / people.sum()
    real = max(seen - (people * noise).sum() / people.sum(), 0)
    kept = rate + real / (real + noise) * (share - rate)
    return rows.assign(score=(kept - kept.mean()) / share.std(ddof=0))


def social_index_of_reference(tables: dict[str, Table], level: str) -> Table:
    """The social index whose fourth share is the single parents among the households with children."""
    families = tables["households"][tables["households"]["has_children"]]
    return social_index(tables, share_of(families, "is_single_parent"))


def share_of(rows: Table, column: str) -> pd.Series:
    """The share of rows in which a condition holds, by year and Stadtteil."""
    return rows.groupby(["year", "city_district"])[column].mean()


def social_index(tables: dict[str, Table], fourth: pd.Series) -> Table:
    """Children in SGB II, unemployment, migration background and a fourth share: the mean of their z values.

    The shares are exact percentages with one decimal: they are not made of rounded counts like other figures.
    """
    by = ["year", "city_district"]
    people = tables["residents"]
    agency = tables["employment_agency_districts"].groupby(by)[["NEF unter 15", "Arbeitslose"]].sum()
    shares = pd.DataFrame(
        {
            "children": agency["NEF unter 15"] / people[people["age"] < 15].groupby(by).size(),
            "unemployed": agency["Arbeitslose"] / people[people["age"].between(15, 64)].groupby(by).size(),
            "background": share_of(people, "has_migration_background"),
            "fourth": fourth,
        }
    )
    # Half a tenth is rounded up; the sixth decimal takes away what binary numbers add to it.
    percentages = ((shares * 1000).round(6) + 0.5).apply(np.floor) / 10
    years = percentages.groupby("year")
    z_values = (percentages - years.transform("mean")) / years.transform(lambda column: column.std(ddof=0))
    index = z_values.mean(axis=1, skipna=False).rename("value")
    return index.dropna().reset_index().rename(columns={"city_district": "area"})
