"""Poisoned fixtures: for every check at least one table that is wrong in just its way.

Each says which checks it must trip and which others can't help tripping too, with the reason. Shared by the tests and by
the mutation campaign.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.base import RANGE
from expectations.catalogue.model import Waiver
from expectations.checks import CHECKS, Subject
from expectations.checks.base import CorrectionResult, Revisions, StructuralTest

HOME, NEIGHBOUR = "07111", "07137"

Change = Callable[[pd.DataFrame], pd.DataFrame]
Poisoning = Callable[[Subject], Subject]

LEAVERS = "21111-02-06-4"


@dataclass(frozen=True)
class Poison:
    """A table, what is done to it, the checks it must trip, and others it trips as well, with the reason."""

    table: str
    make: Poisoning
    trips: frozenset[str]
    also: tuple[frozenset[str], str] = (frozenset(), "")

    @property
    def expected(self) -> set[str]:
        return set(self.trips | self.also[0])


def rows_of(frame: pd.DataFrame, **where: str) -> pd.Series:
    """The rows of these values; breakdowns that are not named are the total."""
    chosen = pd.Series(True, index=frame.index)
    for name in load_catalogue().breakdowns:
        chosen &= frame[name] == where.pop(name, "total")
    for name, value in where.items():
        chosen &= frame[name] == value
    assert chosen.any(), where
    return chosen


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Codes as plain texts, so that a poison may write new ones."""
    kinds = {c: "object" for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)}
    return frame.astype(kinds)


def in_frame(change: Change) -> Poisoning:
    def poison(subject: Subject) -> Subject:
        assert subject.frame is not None
        return first_publication(dataclasses.replace(subject, frame=change(plain(subject.frame))))

    return poison


def in_both(change: Change) -> Poisoning:
    """Readers already have the poisoned rows: nothing but the checks of the table itself can see it."""

    def poison(subject: Subject) -> Subject:
        changed = in_frame(change)(subject)
        assert subject.before is not None
        return dataclasses.replace(changed, before=dataclasses.replace(subject.before, rows=changed.frame))

    return poison


def against_told(change: Change) -> Poisoning:
    """Tonight's table is other than the one readers have; no source delivered anything."""

    def poison(subject: Subject) -> Subject:
        assert subject.frame is not None
        return dataclasses.replace(subject, frame=change(plain(subject.frame)))

    return poison


def first_publication(subject: Subject) -> Subject:
    """Nobody has the table yet: what readers have can't give a mistake away."""
    return dataclasses.replace(subject, before=None)


def in_measures(change: Change) -> Poisoning:
    return lambda subject: dataclasses.replace(subject, measures=change(plain(subject.measures)))


def newest(frame: pd.DataFrame, rows: pd.Series) -> pd.Series:
    return rows & (frame["period_end"] == frame.loc[rows, "period_end"].max())


def scaled(frame: pd.DataFrame, rows: pd.Series, factor: float) -> pd.DataFrame:
    """The figure and its numerator: the parts still give the value."""
    frame.loc[rows, "value"] = (frame.loc[rows, "value"] * factor).round(1)
    frame.loc[rows, "numerator"] = frame.loc[rows, "denominator"].fillna(1) * frame.loc[rows, "value"]
    shares = rows & frame["denominator"].notna()
    frame.loc[shares, "numerator"] /= 100
    return _compared_anew(frame)


def _compared_anew(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns that compare follow the rows they compare with: empty, as where nothing is comparable."""
    frame[["value_city", "value_state", "value_country"]] = float("nan")
    return frame


def counted(
    frame: pd.DataFrame, rows: pd.Series, value: float | Callable[[pd.Series], pd.Series]
) -> pd.DataFrame:
    """Another count, its numerator with it."""
    frame.loc[rows, "value"] = value(frame.loc[rows, "value"]) if callable(value) else value
    frame.loc[rows, "numerator"] = frame.loc[rows, "value"]
    return _compared_anew(frame)


def districts(frame: pd.DataFrame, land: str = "07") -> pd.Series:
    return (frame["area_level"] == "district") & frame["area_code"].str.startswith(land)


# --- structure ----------------------------------------------------------------------------------------------


def a_doubled_row(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(
        frame, rows_of(frame, indicator_id="leavers_without_certificate_percent", area_code="07131")
    )
    return pd.concat([frame, frame[rows]], ignore_index=True)


def an_unknown_cell(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame, indicator_id="leavers_by_qualification", area_code="07131", qualification="BILABS14D"
    )
    frame.loc[rows, "qualification"] = "BILABS99"
    return frame


def a_text_among_numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(series_break_before=frame["series_break_before"].astype(str))


def zeros_lost(frame: pd.DataFrame) -> pd.DataFrame:
    rows = frame["area_code"] == "07131"
    frame.loc[rows, "area_code"] = "7131"
    return frame


def another_areas_name(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["area_code"] == NEIGHBOUR, "area_name"] = "Westerwaldkreis"
    return frame


def mojibake(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["area_code"] == "07312", "area_name"] = "SÃ¼dliche WeinstraÃŸe, Landkreis"
    return frame


def a_year_off(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(frame, frame["indicator_id"] == "leavers_without_certificate_percent")
    frame.loc[rows, "period_label"] = "2031/32"
    return frame


def no_source(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["area_code"] == "07131", "source"] = ""
    return frame


def reported_without_value(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14",
        sex="female",
    )
    frame.loc[newest(frame, rows), ["value", "numerator"]] = float("nan")
    return _compared_anew(frame)


def a_dash_without_a_value(frame: pd.DataFrame) -> pd.DataFrame:
    """Exactly zero, says the legend; nobody collected the figure."""
    empty = (frame["status"] == "unavailable") & (frame["indicator_id"] == "pupils")
    return frame.assign(sign=frame["sign"].astype("object").where(~empty, "-"))


def secret_beside_a_number(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame, indicator_id="leavers_by_qualification", area_code="07131", qualification="BILABS14"
    )
    frame.loc[rows, "sign"] = "."
    return frame


def a_dash_outside_its_time(subject: Subject) -> Subject:
    """`-` read as a zero in years in which the office did not ask."""
    catalogue = subject.catalogue
    table = catalogue.tables[LEAVERS]
    columns = [c.model_copy(update={"valid_from": dt.date(2020, 1, 1)}) for c in table.columns]
    tables = {**catalogue.tables, LEAVERS: table.model_copy(update={"columns": columns})}

    def dashes(frame: pd.DataFrame) -> pd.DataFrame:
        rows = rows_of(
            frame,
            indicator_id="leavers_by_qualification",
            area_code="07131",
            qualification="BILABS14D",
            sex="female",
        )
        rows &= frame["period_end"] == frame["period_end"].min()
        frame = counted(frame, rows, 0)
        frame.loc[rows, "sign"] = "-"
        return frame

    changed = in_frame(dashes)(subject)
    return dataclasses.replace(changed, catalogue=catalogue.model_copy(update={"tables": tables}))


def total_gone(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="leavers_by_qualification", area_code="07131")
    rows &= frame["period_end"] == frame["period_end"].min()
    return frame[~rows]


def a_row_absent(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14D",
        sex="female",
    )
    return frame[~newest(frame, rows)]


def a_cell_gone_everywhere(frame: pd.DataFrame) -> pd.DataFrame:
    rows = (frame["indicator_id"] == "leavers_male_percent") & (frame["qualification"] == "BILABS14D")
    return frame[~newest(frame, rows)]


# --- meaning ------------------------------------------------------------------------------------------------


def a_rate_above_hundred(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="unemployment_rate_percent", area_code="07131")
    rows &= frame["period_end"] == frame.loc[rows, "period_end"].min()
    frame.loc[rows, "value"] = 104.0
    return _compared_anew(frame)


def thousands_for_units(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[frame["indicator_id"] == "leavers_by_qualification", "unit"] = "1000 persons"
    return frame


def a_municipality_among_districts(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="leavers_male_percent", area_code="07131")
    frame.loc[rows & (frame["period_end"] == frame["period_end"].min()), "area_level"] = "municipality"
    return frame


def half_a_person(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14D",
        sex="female",
    )
    return counted(frame, newest(frame, rows), lambda values: values + 0.5)


def more_than_all(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(frame, rows_of(frame, indicator_id="foreign_pupils_percent", area_code="07131"))
    frame.loc[rows, "numerator"] = frame.loc[rows, "denominator"] * 1.2
    frame.loc[rows, "value"] = 120.0
    return _compared_anew(frame)


def subset_above_its_set(frame: pd.DataFrame) -> pd.DataFrame:
    """More of the school part of a qualification than of the qualification itself; both small."""
    whole = rows_of(
        frame, indicator_id="leavers_by_qualification", area_code="07131", qualification="BILABS14"
    )
    females = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14",
        sex="female",
    )
    first = frame["period_end"] == frame["period_end"].min()
    top = float(frame.loc[whole & first, "value"].iloc[0])
    return counted(frame, females & first, top + 1)


def parts_shifted(measures: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(measures, measure_id="leavers", area_code="07131", qualification="BILABS12")
    measures.loc[rows, "value"] += 7
    return measures


def a_rounded_land_out_of_step(measures: pd.DataFrame) -> pd.DataFrame:
    """More than two percent of the groups disagree by more than corrections explain."""
    rows = (measures["qualification"] == "BILABS12") & (measures["area_code"] == "DG")
    measures.loc[rows, "value"] *= 1.5
    return measures


def double_counts_above_the_sum(measures: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        measures, measure_id="children_in_day_care", area_code=HOME, care_type="centre", age_group="ALT000B03"
    )
    measures.loc[rows, "value"] -= 200
    return measures


def schools_added_up(measures: pd.DataFrame) -> pd.DataFrame:
    rows = measures[(measures["measure_id"] == "general_schools") & measures["value"].notna()]
    rows = rows[rows["school_type"] != "total"]
    keys = [c for c in rows.columns if c not in ("school_type", "value")]
    totals = rows.groupby(keys, as_index=False, dropna=False)["value"].sum().assign(school_type="total")
    others = measures[~((measures["measure_id"] == "general_schools") & (measures["school_type"] == "total"))]
    return pd.concat([others, totals], ignore_index=True)


def grade_seven_at_primary_school(measures: pd.DataFrame) -> pd.DataFrame:
    rows = (measures["measure_id"] == "pupils") & (measures["school_type"] == "SCHULE03")
    rows &= (measures["grade"] == "KLSTUFE07") & (measures["area_code"] == HOME)
    measures.loc[rows, "value"] = 12
    return measures


def a_district_counted_twice(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="day_care_places", area_code="07")
    return counted(frame, newest(frame, rows), lambda values: (values * 0.9).round())


def shares_of_more_than_hundred(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame, indicator_id="grade_7_by_school_type_percent", area_code="07131", school_type="SCHULE08"
    )
    rows &= frame["period_end"] == frame.loc[rows, "period_end"].min()
    frame.loc[rows, "numerator"] += (frame.loc[rows, "denominator"] * 0.1).round()
    frame.loc[rows, "value"] = (100 * frame.loc[rows, "numerator"] / frame.loc[rows, "denominator"]).round(1)
    return _compared_anew(frame)


def a_rate_of_other_parts(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(frame, rows_of(frame, indicator_id="foreign_pupils_percent", area_code="07131"))
    frame.loc[rows, "value"] += 0.4
    return _compared_anew(frame)


def _one_range(frame: pd.DataFrame) -> pd.Series:
    """A percentage of a Stadtteil that is published as a range."""
    ranges = frame[frame["status"] == RANGE]
    return pd.Series(frame.index == ranges.index[0], index=frame.index)


def a_range_beside_a_value(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _one_range(frame)
    frame.loc[rows, "value"] = (frame.loc[rows, "value_from"] + frame.loc[rows, "value_to"]) / 2
    return frame


def a_range_without_an_end(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[_one_range(frame), "value_to"] = float("nan")
    return frame


def a_range_far_too_wide(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _one_range(frame)
    frame.loc[rows, ["value_from", "value_to"]] = [0.0, 100.0]
    return frame


def exact_counts_beside_a_range(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _one_range(frame)
    frame.loc[rows, "numerator"] += 1
    return frame


def a_range_of_other_parts(frame: pd.DataFrame) -> pd.DataFrame:
    rows = _one_range(frame)
    frame.loc[rows, "value_from"] = frame.loc[rows, "value_to"]
    return frame


def income_of_another_year(subject: Subject) -> Subject:
    rated = plain(subject.rated)
    rows = (rated["measure_id"] == "disposable_income_per_head") & (rated["area_code"] == HOME)
    rated.loc[rows, "value"] *= 1.08
    return dataclasses.replace(subject, rated=rated)


def pupils_lost(subject: Subject) -> Subject:
    return with_loss(subject, "pupils", "register_pupils", 0.8)


def with_parts(indicator: str, level: str, role: str, factor: float) -> Poisoning:
    """The areas of a level count another part of the city than the city itself does, in one term."""

    def poison(subject: Subject) -> Subject:
        rows = subject.parts_of_city.copy()
        mine = (rows["indicator_id"] == indicator) & (rows["area_level"] == level) & (rows["role"] == role)
        assert mine.any()
        rows.loc[mine, "parts"] *= factor
        return dataclasses.replace(subject, parts_of_city=rows)

    return poison


def with_lone_school(indicator: str, role: str) -> Poisoning:
    """A school stands in one term of an indicator and not in the other."""

    def poison(subject: Subject) -> Subject:
        school = {"indicator_id": [indicator], "role": [role], "area_code": [f"{HOME}-S14081"]}
        rows = pd.concat([subject.lone_institutions, pd.DataFrame(school)], ignore_index=True)
        return dataclasses.replace(subject, lone_institutions=rows)

    return poison


def with_loss(subject: Subject, scope: str, measure: str, kept: float, *, holds: bool = False) -> Subject:
    """Of a register's newest period only a part is there; `holds` makes any disagreement hold its table."""
    rows = plain(subject.reconciled)
    newest_end = rows.loc[rows["measure_id"] == measure, "period_end"].max()
    lost = (rows["measure_id"] == measure) & (rows["period_end"] == newest_end)
    rows.loc[lost, "value"] = (rows.loc[lost, "value"] * kept).round()
    declared = subject.catalogue.reconciliations
    strict = {**declared, scope: declared[scope].model_copy(update={"holds": holds})}
    catalogue = subject.catalogue.model_copy(update={"reconciliations": strict})
    return dataclasses.replace(subject, reconciled=rows, catalogue=catalogue)


def another_land_beside(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(value_state=frame["value_state"] + 1)


def multiples_of_three(frame: pd.DataFrame) -> pd.DataFrame:
    rows = (frame["indicator_id"] == "students") & (frame["area_level"] == "district")
    return counted(frame, newest(frame, rows), lambda values: 3 * (values / 3).round())


def numerators_in_fives(frame: pd.DataFrame) -> pd.DataFrame:
    """The counts behind a rate, rounded; the rate itself is what it was, to its decimals."""
    name = "minimum_income_support_rate_percent"
    rows = newest(frame, (frame["indicator_id"] == name) & (frame["area_level"] == "district"))
    frame.loc[rows, "numerator"] = 5 * (frame.loc[rows, "numerator"] / 5).round()
    return frame


def everybody_counted_twice(frame: pd.DataFrame) -> pd.DataFrame:
    """Two years in one: the people of a rate and those they are a share of double, and the rate stays."""
    chosen = (frame["indicator_id"] == "long_term_unemployed_percent") & ~frame["area_code"].str.contains("-")
    rows = newest(frame, chosen)
    frame.loc[rows, ["numerator", "denominator"]] *= 2
    return frame


def one_figure_everywhere(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="live_births") & districts(frame)
    rows = newest(frame, rows) & (frame["area_code"] != HOME)
    middle = float(frame.loc[rows, "value"].median())
    close = rows & ((frame["value"] / middle).between(0.8, 1.25))
    assert close.sum() >= 8
    return counted(frame, close, round(float(frame.loc[close, "value"].mean())))


def one_rate_everywhere(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(frame, rows_of(frame, indicator_id="unemployment_rate_percent") & districts(frame))
    frame.loc[rows, "value"] = float(frame.loc[rows, "value"].median())
    return _compared_anew(frame)


# --- time ---------------------------------------------------------------------------------------------------


def a_jump_at_home(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="leavers_with_abitur_percent", area_code=HOME)
    return scaled(frame, newest(frame, rows), 1.8)


def a_jump_in_many(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="leavers_with_abitur_percent") & districts(frame)
    rows &= frame["area_code"].isin(
        ["07131", "07132", "07133", "07134", "07135", "07138", "07140", "07141", "07143"]
    )
    return scaled(frame, newest(frame, rows), 2.4)


def everything_a_fifth_up(frame: pd.DataFrame) -> pd.DataFrame:
    rows = (frame["indicator_id"] == "live_births") & (frame["unit"] == "persons")
    return counted(frame, newest(frame, rows), lambda values: (values * 1.25).round())


def home_a_fifth_up(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="day_care_places", area_code=HOME)
    return counted(frame, newest(frame, rows), lambda values: (values * 1.22).round())


def a_break_unmarked(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(series_break_before=False)


def a_stray_mark(frame: pd.DataFrame) -> pd.DataFrame:
    frame.loc[newest(frame, frame["indicator_id"] == "foreign_pupils_percent"), "series_break_before"] = True
    return frame


def thousands_delivered_as_ones(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(frame, indicator_id="disposable_income_per_head_eur", area_code="07312")
    return counted(frame, newest(frame, rows), lambda values: (values * 0.1).round())


def exchanged(frame: pd.DataFrame, one: pd.Series, other: pd.Series) -> None:
    """Two sets of rows take each other's figures."""
    for column in ("value", "numerator"):
        kept = frame.loc[one, column].to_numpy()
        frame.loc[one, column] = frame.loc[other, column].to_numpy()
        frame.loc[other, column] = kept


def leavers(frame: pd.DataFrame, area: str, qualification: str, sex: str) -> pd.Series:
    """The newest count of an area's leavers."""
    return newest(
        frame,
        rows_of(
            frame,
            indicator_id="leavers_by_qualification",
            area_code=area,
            qualification=qualification,
            sex=sex,
        ),
    )


def two_cells_exchanged(frame: pd.DataFrame) -> pd.DataFrame:
    for sex in ("total", "female", "male"):
        for area in ("07131", "07132", "07133"):
            exchanged(frame, leavers(frame, area, "BILABS12", sex), leavers(frame, area, "BILABS15", sex))
    return _compared_anew(frame)


def one_woman_among_many(frame: pd.DataFrame) -> pd.DataFrame:
    women, men = (leavers(frame, HOME, "BILABS12", sex) for sex in ("female", "male"))
    moved = float(frame.loc[women, "value"].iloc[0]) - 1
    frame = counted(frame, women, 1)
    return counted(frame, men, lambda values: values + moved)


def two_areas_exchanged(frame: pd.DataFrame) -> pd.DataFrame:
    counts = frame["indicator_id"] == "leavers_by_qualification"
    for sex in ("total", "female", "male"):
        for qualification in sorted(frame.loc[counts, "qualification"].unique()):
            exchanged(
                frame,
                leavers(frame, "07312", qualification, sex),
                leavers(frame, "07336", qualification, sex),
            )
    return _compared_anew(frame)


def last_years_figures(frame: pd.DataFrame) -> pd.DataFrame:
    return _figures_of(frame, -2)


def figures_of_four_years_ago(frame: pd.DataFrame) -> pd.DataFrame:
    return _figures_of(frame, -5)


def _figures_of(frame: pd.DataFrame, period: int) -> pd.DataFrame:
    chosen = (frame["indicator_id"] == "leavers_by_qualification") & ~frame["area_code"].str.contains("-")
    ends = sorted(frame.loc[chosen, "period_end"].unique())
    keys = ["area_code", *load_catalogue().breakdowns]
    old = frame[chosen & (frame["period_end"] == ends[period])].set_index(keys)[["value", "numerator"]]
    rows = chosen & (frame["period_end"] == ends[-1])
    index = pd.MultiIndex.from_frame(frame.loc[rows, keys])
    frame.loc[rows, ["value", "numerator"]] = old.reindex(index).to_numpy()
    return _compared_anew(frame)


def zeros_for_missing(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="children_in_day_care",
        area_code=HOME,
        care_type="childminder",
        age_group="ALT006B14",
    )
    rows |= rows_of(
        frame,
        indicator_id="children_in_day_care",
        area_code=HOME,
        care_type="childminder",
        age_group="ALT003B06",
    )
    return counted(frame, newest(frame, rows), 0)


# --- completeness -------------------------------------------------------------------------------------------


def a_land_missing(frame: pd.DataFrame) -> pd.DataFrame:
    gone = frame["area_code"].str[:4].isin(["0713", "0731", "0733"]) & (frame["period_label"] == "2019/20")
    return frame[~gone]


def home_missing(frame: pd.DataFrame) -> pd.DataFrame:
    last = ~frame["area_code"].str.contains("-")
    return frame[~(newest(frame, last) & (frame["area_code"] == HOME))]


def homes_headline_unknown(frame: pd.DataFrame) -> pd.DataFrame:
    """The row is there, the women are there, the total is not."""
    rows = newest(frame, rows_of(frame, indicator_id="leavers_without_certificate_percent", area_code=HOME))
    frame.loc[rows, "value"] = float("nan")
    frame.loc[rows, "status"] = "confidential"
    return _compared_anew(frame)


def a_cell_empty_for_all(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of one certificate are there for every area, without a figure."""
    cell = rows_of(frame, indicator_id="leavers_by_qualification", qualification="BILABS14D")
    rows = newest(frame, cell)
    frame.loc[rows, ["value", "numerator"]] = float("nan")
    frame.loc[rows, "status"] = "unavailable"
    return _compared_anew(frame)


def a_cell_of_crosses_for_all(frame: pd.DataFrame) -> pd.DataFrame:
    """The same with the sign that says it could not be anything: nobody can have become impossible in a year."""
    cell = rows_of(frame, indicator_id="leavers_by_qualification", qualification="BILABS14D")
    rows = newest(frame, cell)
    frame.loc[rows, ["value", "numerator"]] = float("nan")
    frame.loc[rows, ["status", "sign"]] = ["not_applicable", "x"]
    return _compared_anew(frame)


def last_years_row_of_home(frame: pd.DataFrame) -> pd.DataFrame:
    """Everything that one table says of home, as a year before; no count in it is as large as five thousand."""
    source = frame.loc[frame["indicator_id"] == "long_term_unemployed_percent", "source"].iloc[0]
    rows = frame[(frame["source"] == source) & (frame["area_code"] == HOME)]
    keys, columns = ["indicator_id", *load_catalogue().breakdowns], ["value", "numerator", "denominator"]
    ends = sorted(rows["period_end"].unique())
    old = rows[rows["period_end"] == ends[-2]].set_index(keys)[columns]
    new = rows[rows["period_end"] == ends[-1]]
    frame.loc[new.index, columns] = old.reindex(pd.MultiIndex.from_frame(new[keys])).to_numpy()
    return _compared_anew(frame)


def an_indicator_gone(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["indicator_id"] != "leavers_male_percent"]


# --- the last release ---------------------------------------------------------------------------------------


def a_past_figure_changed(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14",
        sex="female",
    )
    rows &= frame["period_end"] == frame["period_end"].min()
    return counted(frame, rows, lambda values: values - 1)


def a_past_figure_gone(frame: pd.DataFrame) -> pd.DataFrame:
    rows = rows_of(
        frame,
        indicator_id="leavers_by_qualification",
        area_code="07131",
        qualification="BILABS14",
        sex="female",
    )
    rows &= frame["period_end"] == frame["period_end"].min()
    return frame[~rows]


def in_another_unit_before(subject: Subject) -> Subject:
    assert subject.before is not None
    units = {**subject.before.units, "leavers_with_abitur_percent": "per 1000"}
    return dataclasses.replace(subject, before=dataclasses.replace(subject.before, units=units))


def a_column_before(subject: Subject) -> Subject:
    assert subject.before is not None
    columns = (*subject.before.columns, "note")
    return dataclasses.replace(subject, before=dataclasses.replace(subject.before, columns=columns))


def repaired_source(subject: Subject) -> Subject:
    name = "leavers_1995_fulda"
    repaired = CorrectionResult(name, True, 20.0, -21.0)
    return dataclasses.replace(subject, corrections={**subject.corrections, name: repaired})


def exact_people(frame: pd.DataFrame) -> pd.DataFrame:
    rows = newest(frame, rows_of(frame, indicator_id="pupils_in_german_courses", area_code=HOME))
    return counted(frame, rows, lambda values: values + 1)


def a_figure_too_many(subject: Subject) -> Subject:
    """The attacker found that one figure lets a small count be worked out."""
    told = in_frame(lambda frame: frame)(subject)
    assert told.frame is not None
    rows = newest(told.frame, rows_of(told.frame, indicator_id="pupils_in_german_courses", area_code=HOME))
    keys = ["indicator_id", "area_code", "period_end", *subject.names]
    return dataclasses.replace(told, opened=told.frame.loc[rows, keys].assign(why="…"))


def nothing_to_protect_it(subject: Subject) -> Subject:
    """The pupils of a year could not be protected: all that is told of them stays hidden."""
    told = in_frame(lambda frame: frame)(subject)
    assert told.frame is not None
    rows = newest(told.frame, rows_of(told.frame, indicator_id="pupils_in_german_courses", area_code=HOME))
    keys = ["indicator_id", "area_code", "period_end", *subject.names]
    return dataclasses.replace(
        told, unprotected=told.frame.loc[rows, keys].assign(why="pupils_in_german_courses, 2026-07-31")
    )


def mostly_dots(frame: pd.DataFrame) -> pd.DataFrame:
    """Two in five figures of a breakdown hidden; without it the table would be a good one."""
    inner = frame[frame["sex"].astype(str) != "total"]
    chosen = inner.index[: int(0.4 * len(frame))]
    frame["status"] = frame["status"].astype("object")
    frame["sign"] = frame["sign"].astype("object")
    figures = ["value", "value_from", "value_to", "numerator", "denominator", "tolerance"]
    frame.loc[chosen, figures] = float("nan")
    frame.loc[chosen, "status"], frame.loc[chosen, "sign"] = "confidential", "."
    return _compared_anew(frame)


def a_rate_of_few(frame: pd.DataFrame) -> pd.DataFrame:
    few = (frame["indicator_id"] == "insufficient_german_percent") & frame["denominator"].notna()
    rows = newest(frame, few)
    frame.loc[rows, ["numerator", "denominator"]] = [5.0, 20.0]
    frame.loc[rows, "value"] = 25.0
    return _compared_anew(frame)


def with_delivery(**changes: object) -> Poisoning:
    def poison(subject: Subject) -> Subject:
        changed = dataclasses.replace(subject.deliveries[LEAVERS], **changes)  # type: ignore[arg-type]
        return dataclasses.replace(subject, deliveries={**subject.deliveries, LEAVERS: changed})

    return poison


def with_register(name: str, **changes: object) -> Poisoning:
    def poison(subject: Subject) -> Subject:
        changed = dataclasses.replace(subject.registers[name], **changes)  # type: ignore[arg-type]
        return dataclasses.replace(subject, registers={**subject.registers, name: changed})

    return poison


def with_tests(*tests: StructuralTest) -> Poisoning:
    return lambda subject: dataclasses.replace(subject, tests=list(tests))


def with_policy(catalogue: Catalogue, check: str, **changes: str) -> Catalogue:
    policy = catalogue.checks[check].model_copy(update=changes)
    return catalogue.model_copy(update={"checks": {**catalogue.checks, check: policy}})


def held_if_notable(check: str, poison: Poisoning) -> Poisoning:
    """Where the office decides that a remark of this check holds the table."""

    def make(subject: Subject) -> Subject:
        changed = poison(subject)
        return dataclasses.replace(changed, catalogue=with_policy(changed.catalogue, check, notable="hold"))

    return make


def waived(expires: dt.date, poison: Poisoning | None = None) -> Poisoning:
    def make(subject: Subject) -> Subject:
        changed = poison(subject) if poison else subject
        waiver = Waiver(
            id="accepted", check="encoding", table=subject.table, scope=subject.table, reason="seen by the office",
            owner="Statistikstelle", made_on=dt.date(2026, 11, 1), expires=expires,
        )  # fmt: skip
        catalogue = changed.catalogue.model_copy(update={"waivers": {"accepted": waiver}})
        return dataclasses.replace(changed, catalogue=catalogue)

    return make


def poison(table: str, make: Poisoning, *trips: str, also: tuple[str, ...] = (), because: str = "") -> Poison:
    assert bool(also) == bool(because)
    return Poison(table, make, frozenset(trips), (frozenset(also), because))


NOTHING_CAME = "nothing came, so no other check of deliveries has anything to look at"


def _of_indicator(indicator: str) -> set[str]:
    """Every check that has a verdict of its own on an indicator."""
    catalogue = load_catalogue()
    table = catalogue.indicators[indicator].table
    return {check.name for check in CHECKS if indicator in check.scopes(catalogue, table)}


ALONE = "a jump of one area is unlike all the others, too"
GONE = "without its rows nothing of the indicator can be judged"

POISONS: dict[str, Poison] = {
    "never arrived": poison("pub_leavers", with_delivery(snapshots=0, newest_period_end=None, revisions=None), "arrival",
        also=("freshness", "duplicate_delivery", "shrunken_delivery", "backward_delivery", "revision"), because=NOTHING_CAME),
    "a snapshot no longer readable": poison("pub_leavers", with_delivery(unreadable="x.csv: …"), "arrival"),
    "half of a register": poison("pub_newcomers", with_register("newcomer_pupils", growth=-0.5), "shrunken_register"),
    "years late": poison("pub_leavers", held_if_notable("freshness", with_delivery(newest_period_end=pd.Timestamp("2019-07-31"))), "freshness"),
    "refused last night": poison("pub_leavers", held_if_notable("refused_delivery", with_delivery(refused=["x.csv, line 3: found 'a', expected b"])), "refused_delivery"),
    "not retrieved": poison("pub_leavers", held_if_notable("refused_delivery", with_delivery(outstanding=["HTTP 500"])), "refused_delivery"),
    "two truths of one state": poison("pub_leavers", with_delivery(twins=["a.csv / b.csv (12)"]), "duplicate_delivery"),
    "half a delivery": poison("pub_leavers", with_delivery(cells=500, cells_before=1000), "shrunken_delivery"),
    "an old file again": poison("pub_leavers", held_if_notable("backward_delivery", with_delivery(newly_until=pd.Timestamp("2020-07-31"), told_until=pd.Timestamp("2025-07-31"))), "backward_delivery"),
    "a register never came": poison("pub_newcomers", with_register("newcomer_pupils", deliveries=0), "register_arrival",
        also=("unmatched_places", "shrunken_register"), because=NOTHING_CAME),
    "records without an area": poison("pub_newcomers", with_register("residents", without_area=0.2), "unmatched_places"),
    "a test failed": poison("pub_leavers", with_tests(StructuralTest("unique", "fail", 3)), "integrity"),
    "a test not run": poison("pub_leavers", with_tests(StructuralTest("unique", None)), "integrity"),
    "no tests at all": poison("pub_leavers", with_tests(), "integrity"),
    "columns in another order": poison("pub_leavers", in_both(lambda f: f[f.columns[::-1]]), "schema"),
    "a column gone": poison("pub_vocational", in_both(lambda f: f.drop(columns="footnotes")), "schema",
        also=("schema_version",), because="a column is gone and the version is the same"),
    "truth as text": poison("pub_leavers", in_frame(a_text_among_numbers), "types"),
    "a doubled row": poison("pub_leavers", in_frame(a_doubled_row), "keys"),
    "an unknown cell": poison("pub_leavers", in_frame(an_unknown_cell), "code_lists"),
    "an unknown state": poison("pub_vocational", in_frame(lambda f: f.assign(sign="?")), "states"),
    "leading zeros lost": poison("pub_leavers", in_frame(zeros_lost), "area_codes",
        also=("area_sums",), because="the Land misses the district"),
    "another area's name": poison("pub_leavers", against_told(another_areas_name), "area_names"),
    "mojibake": poison("pub_leavers", in_frame(mojibake), "encoding"),
    "damaged footnote": poison("pub_leavers", lambda s: dataclasses.replace(s, footnotes=("Schul\ufffdbschluss",)), "encoding"),
    "a year off": poison("pub_leavers", in_frame(a_year_off), "periods"),
    "no source": poison("pub_leavers", in_frame(no_source), "provenance"),
    "reported without a value": poison("pub_leavers", in_frame(reported_without_value), "value_or_reason"),
    "secret beside a number": poison("pub_leavers", in_frame(secret_beside_a_number), "sign_misuse"),
    "a dash without a value": poison("pub_schools", in_frame(a_dash_without_a_value), "sign_misuse"),
    "a dash outside its time": poison("pub_leavers", a_dash_outside_its_time, "sign_misuse"),
    "total gone": poison("pub_leavers", in_frame(total_gone), "total_present"),
    "a row absent": poison("pub_leavers", in_frame(a_row_absent), "matrix"),
    "a cell gone everywhere": poison("pub_leavers", in_frame(a_cell_gone_everywhere), "matrix"),
    "most districts missing in a year": poison("pub_leavers", in_frame(a_land_missing), "coverage"),
    "home missing": poison("pub_leavers", in_frame(home_missing), "coverage",
        also=("matrix",), because="an area without any row is a hole in the matrix, too"),
    "the headline figure of home unknown": poison("pub_leavers", in_frame(homes_headline_unknown), "coverage"),
    "a cell empty for all": poison("pub_leavers", in_frame(a_cell_empty_for_all), "coverage"),
    "a cell of crosses for all": poison("pub_leavers", in_frame(a_cell_of_crosses_for_all), "coverage"),
    "an indicator gone": poison("pub_leavers", in_frame(an_indicator_gone), "coverage",
        also=tuple(sorted(_of_indicator("leavers_male_percent") - {"coverage"})), because=GONE),
    "thousands for units": poison("pub_leavers", in_frame(thousands_for_units), "unit"),
    "a municipality among districts": poison("pub_leavers", in_frame(a_municipality_among_districts), "level"),
    "a rate above 100": poison("pub_social_situation", in_frame(a_rate_above_hundred), "range"),
    "half a person": poison("pub_leavers", in_frame(half_a_person), "whole_numbers"),
    "more than all": poison("pub_schools", in_frame(more_than_all), "part_of_whole",
        also=("range",), because="a share of more than all is above a hundred"),
    "a subset above its set": poison("pub_leavers", in_frame(subset_above_its_set), "subset"),
    "parts shifted": poison("pub_leavers", in_measures(parts_shifted), "additivity"),
    "a level out of step": poison("pub_leavers", in_measures(a_rounded_land_out_of_step), "additivity"),
    "double counts": poison("pub_early_childhood", in_measures(double_counts_above_the_sum), "additivity"),
    "schools added up": poison("pub_schools", in_measures(schools_added_up), "double_counting"),
    "grade seven at primary school": poison("pub_schools", in_measures(grade_seven_at_primary_school), "impossible",
        also=("additivity",), because="the grade has more pupils than its total"),
    "a district counted twice": poison("pub_early_childhood", in_frame(a_district_counted_twice), "area_sums"),
    "shares of more than a hundred": poison("pub_transitions", in_frame(shares_of_more_than_hundred), "distribution_sums"),
    "a rate of other parts": poison("pub_schools", in_frame(a_rate_of_other_parts), "rate_recomputed"),
    "a range beside a value": poison("pub_early_childhood", in_frame(a_range_beside_a_value), "value_or_reason"),
    "a range without an end": poison("pub_early_childhood", in_frame(a_range_without_an_end), "value_or_reason",
        also=("rate_recomputed",), because="nothing says any more that the parts give it"),
    "a range far too wide": poison("pub_early_childhood", in_frame(a_range_far_too_wide), "rate_recomputed"),
    "exact counts beside a range": poison("pub_early_childhood", in_frame(exact_counts_beside_a_range), "disclosure"),
    "a range of other parts": poison("pub_early_childhood", in_frame(a_range_of_other_parts), "rate_recomputed"),
    "income of another year": poison("pub_social_situation", income_of_another_year, "official_rate"),
    "schools count leavers of another year": poison("pub_leavers", with_parts("leavers_by_qualification", "school", "numerator", 0.56), "city_sums"),
    "Stadtteile count moves that the city does not": poison("pub_population", with_parts("net_migration", "city_district", "difference", -7.0), "city_sums"),
    "more children in the Stadtteile than in the city": poison("pub_early_childhood", with_parts("full_day_care_rate_percent", "city_district", "denominator", 1.2), "city_sums"),
    "social workers at schools whose pupils are not counted": poison("pub_youth_welfare", with_lone_school("pupils_per_social_worker", "denominator"), "institutions"),
    "all-day pupils of a school without pupils": poison("pub_all_day", with_lone_school("all_day_pupils_percent", "numerator"), "institutions"),
    "classes of a school without pupils": poison("pub_schools", with_lone_school("pupils_per_class", "denominator"), "institutions"),
    "a register lost pupils": poison("pub_schools", pupils_lost, "reconciliation"),
    "another Land beside": poison("pub_leavers", in_frame(another_land_beside), "comparators"),
    "everybody counted twice": poison("pub_social_situation", in_frame(everybody_counted_twice), "level_shift"),
    "numerators in fives": poison("pub_social_situation", in_frame(numerators_in_fives), "rounding_pattern"),
    "multiples of three": poison("pub_higher_education", in_frame(multiples_of_three), "rounding_pattern"),
    "one rate everywhere": poison("pub_social_situation", in_frame(one_rate_everywhere), "repeated_values"),
    "one figure everywhere": poison("pub_population", in_frame(one_figure_everywhere), "repeated_values"),
    "a jump at home": poison("pub_leavers", in_frame(a_jump_at_home), "continuity",
        also=("unusual_change",), because=ALONE),
    "a jump in many districts": poison("pub_leavers", in_frame(a_jump_in_many), "continuity",
        also=("unusual_change",), because=ALONE),
    "home a fifth up": poison("pub_early_childhood", in_frame(home_a_fifth_up), "unusual_change"),
    "everything a fifth up": poison("pub_population", in_frame(everything_a_fifth_up), "level_shift"),
    "a break unmarked": poison("pub_population", in_frame(a_break_unmarked), "series_break"),
    "a stray mark": poison("pub_schools", in_frame(a_stray_mark), "series_break"),
    "a decimal lost": poison("pub_social_situation", in_frame(thousands_delivered_as_ones), "decimal_shift",
        also=("range",), because="a tenth of an income is below what is believable"),
    "two cells exchanged": poison("pub_leavers", in_frame(two_cells_exchanged), "column_swap",
        also=("area_sums", "unusual_change"), because="the Land, which is right, does not follow, and the cells leave what the others do"),
    "one woman among many": poison("pub_leavers", in_frame(one_woman_among_many), "cell_share"),
    "two areas exchanged": poison("pub_leavers", in_frame(two_areas_exchanged), "area_swap"),
    "last year's figures": poison("pub_leavers", in_frame(last_years_figures), "stale_copy"),
    "last year's people of home": poison("pub_social_situation", in_frame(last_years_row_of_home), "stale_copy"),
    "figures of four years ago": poison("pub_leavers", in_frame(figures_of_four_years_ago), "stale_copy"),
    "zeros for missing": poison("pub_early_childhood", in_frame(zeros_for_missing), "zero_for_missing"),
    "a tenth of the past changed": poison("pub_leavers", with_delivery(revisions=Revisions(100, 0, 0, ("2026-03-13",), 1000, ["DG, 2020/21, BILABS: 5 → 7"])), "revision"),
    "one undeclared change": poison("pub_leavers", with_delivery(revisions=Revisions(1, 0, 0, ("2026-03-13",), 1000)), "revision"),
    "more changed than an office corrects": poison("pub_leavers", with_delivery(revisions=Revisions(0, 100, 0, ("2026-03-13",), 1000)), "revision"),
    "a past figure changed": poison("pub_leavers", against_told(a_past_figure_changed), "published_values"),
    "a past figure gone": poison("pub_leavers", against_told(a_past_figure_gone), "withdrawn_values"),
    "another unit before": poison("pub_leavers", in_another_unit_before, "definition"),
    "a column before": poison("pub_leavers", a_column_before, "schema_version"),
    "a source repaired": poison("pub_leavers", repaired_source, "correction"),
    "exact people": poison("pub_newcomers", in_frame(exact_people), "disclosure",
        also=("rounding_pattern",), because="what is not rounded has not the pattern of its base"),
    "a small count can be worked out": poison("pub_newcomers", a_figure_too_many, "disclosure"),
    "no protection was found": poison("pub_newcomers", nothing_to_protect_it, "unprotectable"),
    "mostly dots": poison("pub_newcomers", in_frame(mostly_dots), "hidden_share",
        also=("subset",), because="where all parts are hidden there is nothing to compare"),
    "a rate of few": poison("pub_newcomers", in_frame(a_rate_of_few), "disclosure"),
    "a waiver without a finding": poison("pub_leavers", waived(dt.date(2026, 12, 24)), "waiver"),
    "a waiver run out": poison("pub_leavers", waived(dt.date(2026, 11, 20), in_frame(mojibake)), "waiver", "encoding"),
}  # fmt: skip
