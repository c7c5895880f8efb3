"""Findings: what deserves a look tonight, by statistics that respect how few people stand behind a figure.

Belongs here: published values → findings. They are made of what a release says and of nothing else, so none
can speak of a value that may not be published. Does not belong here: publishing them.

Three questions are asked of every figure, each of all areas of a level at once:
  outlier  does an area lie outside what its level shows?
  change   did it change against the year before unlike the others?
  gap      did the gap between two groups open or close unlike elsewhere?

A figure is judged on the scale of its kind (`Scale`): a share of people by the binomial distribution, counts and what
is related to them by the Poisson distribution on the logarithm, what an office computed by the spread of the areas
alone. To that comes the variance of rounding, and what the areas differ by anyhow: the winsorised additive variance
between areas of Spiegelhalter (2005). How much changes scatter by chance is estimated from the changes of earlier
years where there are any, because two stocks of mostly the same people scatter less than two samples.

The questions about the city and those about its parts have a false-discovery rate each (Benjamini and Hochberg
1995, with the share of true nulls of Storey 2002): thousands of questions about schools and Stadtteile must not
drown what is asked of the city.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit
from scipy.stats import false_discovery_control, norm
from scipy.stats import t as student

from expectations.catalogue import Catalogue
from expectations.catalogue.base import RANGE, TOTAL
from expectations.catalogue.model import PEOPLE, UNITS, Indicator, Kind, Text
from expectations.wording import Percent, Period, number, said

Floats = npt.NDArray[np.float64]

FALSE_DISCOVERY_RATE = 0.10
LEAST_AREAS = 8
"""Fewer areas of a level say nothing about how much areas differ."""
PUPILS = "pupils"
"""The indicator that says which type a school is of."""
IMPLAUSIBLE = 10.0
"""So many standard deviations away an error of the data is likelier than an event."""
LEAST_CASES = 5
"""Expected cases and non-cases below which the normal approximation is not used."""
OF_ALL = 20
"""So many people with the rate of all are added to an area's own before its rate says how much it scatters."""
LEAST_COUNT = 10
"""Counts below which their logarithm is not close enough to normal."""
EARLIER = 4
"""So many earlier years say how much areas, and their changes, differ."""
LEAST_PAST = 30
"""Changes of earlier years below which they say nothing about how much changes scatter."""
LEAST_PRESENT = 0.5
"""A year in which fewer of the areas have a figure is not asked about."""
LEAST_SCATTER = 0.1
"""Changes are never taken to scatter less than a tenth of what two samples would."""
WINSORISED = 0.1
"""The share of areas at either end that are drawn in before the spread of the others is estimated."""
FAR_OFF = 3.5
"""So many standard deviations off an area no longer says how much the others differ."""
LEAST_NEAR = 0.7
"""Where fewer areas are near one another, there are no few that are far off."""
MOST_FREEDOM = 2.0
"""A variance has at most so many times the degrees of freedom that its areas give."""
FREEDOM_LEFT = 0.8
"""What trimming and winsorising leave of the degrees of freedom of a variance."""
ALMOST_NULL = 0.5
"""Questions with a larger p-value are taken to be of areas where nothing happened."""
LEAST_NULL, MANY = 0.5, 100
"""Nothing happened in at least half of the series; how many more, only so many series can say."""
EVENTS = ("events", "visits", "vacancies")
"""Units beside those of people whose counts scatter as chance has it."""
GROUPS = {"sex": ("female", "male"), "nationality": ("foreign", "german")}
"""Whose gaps are watched: breakdown → first and second cell."""

COLUMNS = [
    "finding_id", "kind", "indicator_id", "area_code", "period_end", "period_label", "group_breakdown", "compared_with",
    "value", "reference", "difference", "people", "z", "is_implausible", "p_value", "q_value", "sentence_de", "sentence_en", "evidence_de",
    "evidence_en",
]  # fmt: skip


_LOOKED_AT = [
    "indicator_id", "area_code", "area_level", "period_end", "period_label", "value", "numerator", "denominator",
    "rounded_to", "series_break_before",
]  # fmt: skip
"""The columns that findings are made of, beside the breakdowns."""

_NO_PEERS = ("country", "state", "region", "local_district", "statistical_district")
"""Levels that are not asked about: the first three are peers of nothing, the last two repeat the Stadtteile."""


_UNPLACED = ("-ST00", "-SD00", "-PB00")
"""How the codes end of areas that take what could not be placed: they are no peers of the others."""


class Scale(Enum):
    """How a figure scatters, and on which scale areas are compared.

    share: binomial, in shares of one. ratio: the logarithm of a count related to something. count: the logarithm of a
    count, which says how areas change but not that one is larger. plain: the figure itself, whose parts are not published.
    """

    SHARE = auto()
    RATIO = auto()
    COUNT = auto()
    PLAIN = auto()

    @classmethod
    def of(cls, indicator: Indicator, catalogue: Catalogue) -> Scale | None:
        """The scale of an indicator; None where nothing is asked.

        Not asked are balances, indices, models, what is distributed, and capacities (places, facilities, hours): they
        are decided and change in steps, so no distribution says how far they scatter.
        """
        match indicator.kind:
            case Kind.SHARE | Kind.RATE if indicator.unit == "percent":
                return cls.SHARE
            case Kind.REPORTED:
                return cls.PLAIN
            case Kind.RATE | Kind.RATIO | Kind.MEAN | Kind.SHARE:
                scale = cls.RATIO
            case Kind.COUNT | Kind.SUM:
                scale = cls.COUNT
            case _:
                return None
        if indicator.numerator is None:
            return None
        units = {catalogue.measures[part.measure].unit for _, part in indicator.numerator.parts()}
        return scale if units <= {*PEOPLE, *EVENTS} else None

    @property
    def is_logarithm(self) -> bool:
        return self in (Scale.RATIO, Scale.COUNT)


@dataclass(frozen=True)
class Peers:
    """Whom an area is compared with: a declared group, or the areas of its level. `members`: after "the other"."""

    id: str | None
    members: Text


_OF_LEVEL = {
    "district": Peers(None, Text(de="Kreise und kreisfreien Städte des Landes", en="districts of the Land")),
    "city_district": Peers(None, Text(de="Stadtteile", en="Stadtteile")),
    "school": Peers(None, Text(de="Schulen", en="schools")),
    "school_district": Peers(None, Text(de="Schulbezirke", en="school districts")),
    "planning_district": Peers(None, Text(de="Planungsbezirke", en="planning districts")),
}
_OF_SCHOOL_TYPE = Peers(None, Text(de="Schulen derselben Schulart", en="schools of the same type"))


@dataclass(frozen=True)
class Question:
    """One test of one area: its estimate and what the others say, on the figure's scale, and how far apart they are."""

    kind: str
    indicator: str
    scale: Scale
    area: str
    now: pd.DataFrame
    then: pd.DataFrame | None
    """The figures of all areas that were asked about together, and those of the year before."""
    estimate: float
    reference: float
    z: float
    freedom: float
    """Degrees of freedom of Student's distribution: the variance is estimated from few areas."""
    group: str
    peers: Peers
    counts_people: bool
    """Does the numerator count people? Visits and vacancies are no people."""
    gap: tuple[tuple[pd.DataFrame, ...], ...] = ()
    """Of a gap the figures of both groups, the year before and now."""

    @property
    def series(self) -> tuple[str, str, str | None]:
        return self.indicator, self.area, self.peers.id

    @property
    def row(self) -> pd.Series:
        return self.now.loc[[self.area]].iloc[0]

    @property
    def now_and_before(self) -> tuple[float, float]:
        """What changed, as published: the figure, or how far the first group's lies above the second's."""
        assert self.then is not None
        if not self.gap:
            return self._value_in(self.now), self._value_in(self.then)
        before, now = ([self._value_in(frame) for frame in year] for year in self.gap)
        return now[0] - now[1], before[0] - before[1]

    def _value_in(self, frame: pd.DataFrame) -> float:
        return float(frame["value"].loc[[self.area]].iloc[0])

    @property
    def is_of_city(self) -> bool:
        return bool(self.now["area_level"].iloc[0] == "district")


def findings(values: pd.DataFrame, catalogue: Catalogue, home: str, names: dict[str, str]) -> pd.DataFrame:
    """The findings of a release, one row each with `COLUMNS`, those of most consequence first.

    A finding is one question about one area, period and group of peers. Consequence is how many people, then how far.

    `values`: published values, one row per indicator, area, period and cells. `names`: area code → name.
    """
    values = _with_rates_of_ranges(values, catalogue)
    types = _school_types(values)
    scales = {i.id: scale for i in catalogue.in_order() if (scale := Scale.of(i, catalogue)) is not None}
    known = values["value"].notna() & values["indicator_id"].isin(list(scales))
    known &= ~values["area_level"].isin(_NO_PEERS) & ~values["area_code"].str.endswith(_UNPLACED)
    # Every comparison of texts costs more than all the arithmetic: only what is looked at is kept, as plain texts.
    shown = _cells_shown(values, list(catalogue.breakdowns))
    rows = values.loc[known, _LOOKED_AT].assign(cell=shown[known.to_numpy()])
    rows = rows[rows["cell"].notna()]
    numbers = dict.fromkeys(("value", "numerator", "denominator", "rounded_to"), "float64")
    texts = {c: "object" for c in rows.columns if isinstance(rows[c].dtype, pd.StringDtype)}
    rows = rows.astype({**texts, **numbers})
    of_indicator = dict(list(rows.set_index("area_code").groupby("indicator_id", sort=False)))
    asked: list[Question] = []
    seen: set[bytes] = set()
    for indicator in catalogue.in_order():
        if indicator.id not in of_indicator:
            continue
        about = _About(indicator, scales[indicator.id], of_indicator[indicator.id], home, types, catalogue)
        # Population by age and by year of age are in total the same figures: they are asked once.
        if (figures := about.fingerprint()) not in seen:
            seen.add(figures)
            asked += about.questions()
    found = []
    for of_city in (True, False):
        for question, p, q in _sure([question for question in asked if question.is_of_city == of_city]):
            indicator = catalogue.indicators[question.indicator]
            reference, difference = _in_units(question, indicator)
            if _is_visible(question, indicator, reference, difference):
                found.append(_as_finding(question, indicator, reference, difference, names, p, q))
    frame = pd.DataFrame(found, columns=COLUMNS).astype({"people": "float64", "z": "float64"})
    order = frame.assign(far=-frame["z"].abs(), many=-frame["people"])
    order = order.sort_values(["many", "far", "finding_id"], kind="stable", ignore_index=True)
    return order[COLUMNS]


def _with_rates_of_ranges(values: pd.DataFrame, catalogue: Catalogue) -> pd.DataFrame:
    """The figures, with the rates that published counts give where the figure is published as a range.

    The questions know how far counts are rounded: what rounding alone explains is no finding.
    """
    is_range = (
        (values["status"] == RANGE).to_numpy(dtype=bool) if "status" in values else np.zeros(0, dtype=bool)
    )
    if not is_range.any():
        return values
    rows = values.loc[is_range, ["indicator_id", "numerator", "denominator"]].astype(
        {"indicator_id": "object"}
    )
    scale = rows["indicator_id"].map({i.id: i.multiplier for i in catalogue.in_order()}).astype(float)
    unit = 10.0 ** rows["indicator_id"].map({i.id: i.decimals for i in catalogue.in_order()}).astype(float)
    value = values["value"].to_numpy(dtype=float, copy=True)
    value[is_range] = np.round(scale * unit * rows["numerator"] / rows["denominator"]) / unit
    return values.assign(value=value)


def _cells_shown(values: pd.DataFrame, breakdowns: Sequence[str]) -> npt.NDArray[np.object_]:
    """What each row is about: everybody (""), one cell of `GROUPS`, or None where no question is about it."""
    is_total = np.column_stack([(values[name] == TOTAL).to_numpy(dtype=bool) for name in breakdowns])
    shown = np.full(len(values), None, dtype=object)
    shown[is_total.all(axis=1)] = ""
    for breakdown, cells in GROUPS.items():
        others = [n for n, name in enumerate(breakdowns) if name != breakdown]
        alone = is_total[:, others].all(axis=1)
        for cell in cells:
            shown[alone & (values[breakdown] == cell).to_numpy(dtype=bool)] = cell
    return shown


def _sure(asked: Sequence[Question]) -> Iterator[tuple[Question, float, float]]:
    """The questions whose answer is sure enough, with their p-value and the false-discovery rate of their series.

    What readers are shown are series, an indicator of an area: they have the rate, by Simes' p-value of all their
    questions. Of a series that is found those questions are findings that would be found alone.
    """
    p_values = [2 * float(student.sf(abs(question.z), question.freedom)) for question in asked]
    of_series: dict[tuple[str, str, str | None], list[float]] = {}
    for question, p in zip(asked, p_values, strict=True):
        of_series.setdefault(question.series, []).append(p)
    simes = {
        series: min(len(ps) * p / place for place, p in enumerate(sorted(ps), start=1))
        for series, ps in of_series.items()
    }
    q_values = dict(zip(simes, _q_values(np.array(list(simes.values()))), strict=True))
    found = {series for series, q in q_values.items() if q <= FALSE_DISCOVERY_RATE}
    sure_alone = FALSE_DISCOVERY_RATE * len(found) / max(len(simes), 1)
    for question, p in zip(asked, p_values, strict=True):
        of_this = of_series[question.series]
        if question.series in found and (len(of_this) * p <= sure_alone or p == min(of_this)):
            yield question, p, float(q_values[question.series])


def _q_values(p_values: Floats) -> Floats:
    """The least false-discovery rate at which each is a finding. Of many, the share in which nothing happened is estimated."""
    if not len(p_values):
        return p_values
    null = 1.0
    if len(p_values) >= MANY:
        null = (1 + np.count_nonzero(p_values > ALMOST_NULL)) / ((1 - ALMOST_NULL) * len(p_values))
    return np.clip(null, LEAST_NULL, 1.0) * false_discovery_control(p_values)


@dataclass(frozen=True)
class _About:
    """The questions about one indicator."""

    indicator: Indicator
    scale: Scale
    rows: pd.DataFrame
    """Its figures by area, with the `cell` each is about."""
    home: str
    types: dict[str, str]
    catalogue: Catalogue

    def _counts_people(self) -> bool:
        return self.indicator.numerator is not None and all(
            self.catalogue.measures[part.measure].unit in PEOPLE
            for _, part in self.indicator.numerator.parts()
        )

    def fingerprint(self) -> bytes:
        """Of the figures in total, wherever they stand."""
        total = (
            self.rows[self.rows["cell"] == ""]
            .sort_values(["period_end", "area_level"])
            .sort_index(kind="stable")
        )
        figures = total[["period_end", "value", "numerator", "denominator"]]
        return pd.util.hash_pandas_object(figures).to_numpy().tobytes()

    def questions(self) -> Iterator[Question]:
        """Of all levels; of the districts only the home city is spoken of, among every group of peers that names it."""
        for name, of_level in self.rows.groupby("area_level", sort=True):
            level = str(name)
            if level != "district":
                yield from self._among(of_level, level, None, _OF_LEVEL[level])
                continue
            groups = [group for group in self.catalogue.peer_groups.values() if self.home in group.areas]
            for group in groups:
                members = of_level[of_level.index.isin(group.areas)]
                yield from self._among(members, level, {self.home}, Peers(group.id, group.members))
            if not groups:
                land = of_level[of_level.index.str[:2] == self.home[:2]]
                yield from self._among(land, level, {self.home}, _OF_LEVEL[level])

    def _among(
        self, of_level: pd.DataFrame, level: str, spoken: set[str] | None, peers: Peers
    ) -> Iterator[Question]:
        """The questions of areas that are peers of each other; `spoken`: the areas that are spoken of, by default all."""
        totals = of_level[of_level["cell"] == ""]
        if not len(totals):
            return
        years = [year for _, year in totals.groupby("period_end", sort=True)]
        # A few areas that are a year ahead of the others are no reason to ask nothing of the others.
        most = max(len(year) for year in years)
        years = [year for year in years if len(year) >= LEAST_PRESENT * most][-EARLIER - 2 :]
        newest, before = years[-1], years[:-1][-EARLIER:]
        # How high a rate is, depends on the type of school; how it changes, hardly.
        if self.scale is not Scale.COUNT:
            is_school = level == "school"
            kinds = [self.types.get(str(area), "") if is_school else "" for area in newest.index]
            alike = _OF_SCHOOL_TYPE if is_school else peers
            for kind, now in newest.groupby(kinds, sort=True):
                if is_school and not kind:
                    continue  # of which type nobody knows
                past = [self._levels(year.loc[year.index.intersection(now.index)]) for year in before]
                yield from self._asked("outlier", self._levels(now), now, None, spoken, alike, earlier=past)
        if before:
            yield from self._changes(years, spoken, peers)
            yield from self._gaps(of_level, (before[-1], newest), spoken, peers)

    def _changes(
        self, years: Sequence[pd.DataFrame], spoken: set[str] | None, peers: Peers
    ) -> Iterator[Question]:
        pairs = [self._without_break(before, after) for before, after in itertools.pairwise(years)]
        then, now = pairs.pop()
        if not len(now) or not _is_year_after(now, then):
            return
        pairs = [(before, after) for before, after in pairs if len(after) and _is_year_after(after, before)]
        past = [self._change(before, after) for before, after in pairs]
        scatter = _scatter(past)
        change = self._change(then, now).scaled(scatter)
        earlier = [year.scaled(scatter) for year in past]
        yield from self._asked("change", change, now, then, spoken, peers, earlier=earlier)

    def _gaps(
        self,
        of_level: pd.DataFrame,
        totals: tuple[pd.DataFrame, pd.DataFrame],
        spoken: set[str] | None,
        peers: Peers,
    ) -> Iterator[Question]:
        if self.scale is not Scale.SHARE or not _is_year_after(totals[1], totals[0]):
            return
        years = [of_level[of_level["period_end"] == total["period_end"].iloc[0]] for total in totals]
        for breakdown, cells in GROUPS.items():
            if breakdown not in self.indicator.breakdowns:
                continue
            then, now = ([year[year["cell"] == cell] for cell in cells] for year in years)
            both = functools.reduce(pd.Index.intersection, (cell.index for cell in (*then, *now)))
            for cell in now:
                both = both.difference(cell.index[cell["series_break_before"]])
            if len(both):
                first, second = (
                    self._change(before.loc[both], after.loc[both])
                    for before, after in zip(then, now, strict=True)
                )
                opened = first.less(second)
                yield from self._asked(
                    "gap",
                    opened,
                    now[0].loc[both],
                    then[0].loc[both],
                    spoken,
                    peers,
                    breakdown,
                    gap=(tuple(then), tuple(now)),
                )

    @staticmethod
    def _without_break(before: pd.DataFrame, after: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The areas that both years have, with no break of the series between them."""
        same = after.index.intersection(before.index).difference(after.index[after["series_break_before"]])
        return before.loc[same], after.loc[same]

    def _change(self, before: pd.DataFrame, after: pd.DataFrame) -> _Estimates:
        """What the figures' change estimates. If nothing happened, an area's rate is that of both years together."""
        if self.scale is Scale.PLAIN:
            return self._estimates(after).less(self._estimates(before))
        count, people = _sums(before, after)
        if self.scale.is_logarithm:
            # A count that has all but gone is as far from chance as one that has doubled.
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = count / people if self.scale is Scale.RATIO else count / 2
                of = [
                    year["denominator"].to_numpy(dtype=float) if self.scale is Scale.RATIO else 1.0
                    for year in (after, before)
                ]
                return self._estimates(after, rate * of[0]).less(self._estimates(before, rate * of[1]))
        expected = _shrunk(count, people)
        return self._estimates(after, expected).less(self._estimates(before, expected))

    def _levels(self, rows: pd.DataFrame) -> _Estimates:
        """The areas' levels: of shares the logarithm of the odds, on which areas differ as much downwards as upwards."""
        if self.scale is not Scale.SHARE:
            return self._estimates(rows)
        count, people = _sums(rows)
        expected = _shrunk(count, people)
        rates = self._estimates(rows, expected)
        odds = np.log((count + 0.5) / np.where(rates.enough, people - count + 0.5, 1.0))
        slope = np.maximum(expected * (1 - expected), 1e-9) ** 2
        return dataclasses.replace(
            rates, estimate=odds, chance=rates.chance / slope, rounding=rates.rounding / slope
        )

    def _estimates(self, rows: pd.DataFrame, expected: Floats | None = None) -> _Estimates:
        """What the figures estimate, on the scale of the indicator. `expected`: the rates that shares, the cases
        that counts are taken to have if nothing happened.
        """
        figure, count, people = (rows[c].to_numpy(dtype=float) for c in ("value", "numerator", "denominator"))
        base = rows["rounded_to"].fillna(1).to_numpy(dtype=float)
        rounding = (base**2 - 1) / 12
        with np.errstate(divide="ignore", invalid="ignore"):  # areas without anybody are not asked about
            if self.scale is Scale.SHARE:
                assert expected is not None
                rate = count / people
                chance = expected * (1 - expected) / people
                rounded = rounding * (1 + rate**2) / people**2
                enough = (np.minimum(expected, 1 - expected) * people >= LEAST_CASES) & (count <= people)
                return _Estimates.of(rows, rate, chance, rounded, enough)
            if self.scale is Scale.PLAIN:
                printed = np.full(len(rows), (0.1**self.indicator.decimals) ** 2 / 12)
                return _Estimates.of(rows, figure, np.zeros(len(rows)), printed, np.isfinite(figure))
            related = self.scale is Scale.RATIO
            cases = count if expected is None else expected
            estimate = np.log((count + 0.5) / people) if related else np.log(count + 0.5)
            rounded = rounding / cases**2 + (rounding / people**2 if related else 0)
            enough = (cases >= LEAST_COUNT) & ((people > 0) if related else True)
            return _Estimates.of(rows, estimate, 1 / cases, rounded, enough)

    def _asked(
        self,
        kind: str,
        estimates: _Estimates,
        now: pd.DataFrame,
        then: pd.DataFrame | None,
        spoken: set[str] | None,
        peers: Peers,
        group: str = "",
        earlier: Sequence[_Estimates] = (),
        gap: tuple[tuple[pd.DataFrame, ...], ...] = (),
    ) -> Iterator[Question]:
        """How far each area lies from the others, in standard deviations that include how areas differ.

        `earlier`: the same of earlier years, which say how much areas differ, too.
        """
        chosen = np.flatnonzero(estimates.enough)
        if len(chosen) < LEAST_AREAS:
            return
        estimate, variance = estimates.estimate[chosen], estimates.variance[chosen]
        areas = [str(area) for area in estimates.areas.to_numpy()[chosen]]
        spread = _Spread.of(earlier)
        # Levels of earlier years are those of the same areas again; how areas changed says something new every year.
        others_count = len(chosen) - 2 + (0 if kind == "outlier" else len(spread.areas))
        for position, area in enumerate(areas):
            if spoken is not None and area not in spoken:
                continue
            others = np.arange(len(chosen)) != position
            reference, between, of_mean = _random_effects(
                estimate[others], variance[others], spread.without(area)
            )
            total = variance[position] + between + of_mean
            z = float((estimate[position] - reference) / np.sqrt(total))
            yield Question(
                kind, self.indicator.id, self.scale, area, now, then, float(estimate[position]), reference, z,
                _freedom(others_count, between, total), group, peers,
                self._counts_people(), gap,
            )  # fmt: skip


def _is_year_after(after: pd.DataFrame, before: pd.DataFrame) -> bool:
    """Do the figures of two frames lie a year apart? A year that is missing is no change."""
    end, start = (pd.Timestamp(frame["period_end"].iloc[0]) for frame in (after, before))
    return bool(start + pd.DateOffset(years=1) == end)


def _school_types(values: pd.DataFrame) -> dict[str, str]:
    """The type most of a school's pupils are counted under."""
    rows = values[
        (values["area_level"] == "school") & (values["school_type"] != TOTAL) & (values["value"] > 0)
    ]
    rows = rows[rows["indicator_id"] == PUPILS].sort_values("value", kind="stable")
    return dict(zip(rows["area_code"], rows["school_type"], strict=True))


def _sums(*years: pd.DataFrame) -> tuple[Floats, Floats]:
    """Cases and people of the areas, in all these years together."""
    count, people = (
        sum(year[c].to_numpy(dtype=float) for year in years) for c in ("numerator", "denominator")
    )
    return np.asarray(count), np.asarray(people)


def _shrunk(count: Floats, people: Floats) -> Floats:
    """The areas' rates, drawn a little to the rate of all: the variance of an extreme rate would call itself sure."""
    pooled = np.nansum(count) / np.nansum(people) if np.nansum(people) else np.nan
    return np.asarray((count + OF_ALL * pooled) / (people + OF_ALL))


@dataclass(frozen=True)
class _Estimates:
    """Estimates of areas (a level, a change, a gap), with the variances that chance and rounding give them."""

    areas: pd.Index
    estimate: Floats
    chance: Floats
    rounding: Floats
    enough: npt.NDArray[np.bool_]
    """Which areas have enough cases to be asked about. The estimates of the others say nothing."""

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        estimate: Floats,
        chance: Floats,
        rounding: Floats,
        enough: npt.NDArray[np.bool_],
    ) -> _Estimates:
        estimate, chance, rounding = (np.where(enough, v, 0.0) for v in (estimate, chance, rounding))
        return cls(rows.index, estimate, chance, rounding, enough)

    @property
    def variance(self) -> Floats:
        return np.maximum(self.chance + self.rounding, 1e-12)

    def less(self, other: _Estimates) -> _Estimates:
        return _Estimates(
            self.areas, self.estimate - other.estimate, self.chance + other.chance, self.rounding + other.rounding,
            self.enough & other.enough,
        )  # fmt: skip

    def scaled(self, scatter: float) -> _Estimates:
        """With so much of the variance of chance."""
        return dataclasses.replace(self, chance=self.chance * scatter)


def _scatter(past: Sequence[_Estimates]) -> float:
    """How much changes scatter, as a share of what two independent samples would: by the changes of earlier years.

    1 where they are too few to say, and at most: what exceeds chance is the variance between areas.
    """
    chosen = [
        (p.estimate[p.enough], p.chance[p.enough], p.rounding[p.enough]) for p in past if p.enough.sum() > 1
    ]
    if sum(len(estimate) for estimate, _, _ in chosen) < LEAST_PAST:
        return 1.0
    scores = np.concatenate([
        (estimate - np.median(estimate)) / np.sqrt(np.maximum(chance + rounding, 1e-12)) for estimate, chance, rounding in chosen
    ])  # fmt: skip
    chance, rounding = (float(np.mean(np.concatenate([c[n] for c in chosen]))) for n in (1, 2))
    if chance <= 0:
        return 1.0
    # The upper end of what so many scores say: a lucky estimate must not make every change a sure one.
    spread = _winsorised_spread(scores) * (1 + 2 * np.sqrt(2 / len(scores)))
    return float(np.clip((spread * (chance + rounding) - rounding) / chance, LEAST_SCATTER, 1.0))


@dataclass(frozen=True)
class _Spread:
    """How far areas were from the middle of their year, with the variances of chance and rounding."""

    areas: npt.NDArray[np.object_]
    distance: Floats
    variance: Floats

    @classmethod
    def of(cls, years: Sequence[_Estimates]) -> _Spread:
        chosen = [year for year in years if year.enough.any()]
        return cls(
            np.concatenate(
                [np.zeros(0, dtype=object), *(y.areas.to_numpy(dtype=object)[y.enough] for y in chosen)]
            ),
            np.concatenate(
                [np.zeros(0), *(y.estimate[y.enough] - np.median(y.estimate[y.enough]) for y in chosen)]
            ),
            np.concatenate([np.zeros(0), *(y.variance[y.enough] for y in chosen)]),
        )

    def without(self, area: str) -> _Spread:
        return self._where(self.areas != area)

    def within(self, limit: float, between: float) -> _Spread:
        """The areas that are not farther off than so many standard deviations."""
        return self._where(np.abs(self.distance) <= limit * np.sqrt(self.variance + between))

    def _where(self, kept: npt.NDArray[np.bool_]) -> _Spread:
        return _Spread(self.areas[kept], self.distance[kept], self.variance[kept])


def _random_effects(estimate: Floats, variance: Floats, earlier: _Spread) -> tuple[float, float, float]:
    """Mean of the areas, the variance between them, and that of the mean; those far off must not widen the funnel.

    Additive between-area variance by the moments of winsorised scores (Spiegelhalter 2005, Handling over-dispersion of
    performance indicators), those of earlier years among them. Where more than a tenth of the areas lie far off at one
    end, they are no outliers but one of two kinds of area (schools with and without all-day classes), and count.
    """
    centre = float(np.median(estimate))
    between = _between(estimate - centre, variance, earlier)
    # Once more without those that are far off by this: a few of them still widen it.
    near = np.abs(estimate - centre) <= FAR_OFF * np.sqrt(variance + between)
    if near.mean() >= LEAST_NEAR:
        centre = float(np.median(estimate[near]))
        between = _between(estimate[near] - centre, variance[near], earlier.within(FAR_OFF, between))
    total = variance + between
    # The mean of what is not far off; the weights of the others are cut.
    weights = np.minimum(1, 2 / np.maximum(np.abs(estimate - centre) / np.sqrt(total), 1e-9)) / total
    return float((weights * estimate).sum() / weights.sum()), between, float(1 / weights.sum())


def _between(distance: Floats, variance: Floats, earlier: _Spread) -> float:
    """The variance between areas at these distances from their middle: what exceeds chance and rounding."""
    distance, variance = np.append(distance, earlier.distance), np.append(variance, earlier.variance)
    weights, n = 1 / variance, len(distance)
    excess = n * _winsorised_spread(distance / np.sqrt(variance)) - (n - 1)
    return max(0.0, float(excess / (weights.sum() - (weights**2).sum() / weights.sum())))


def _winsorised_spread(scores: Floats) -> float:
    """The mean square of scores, the outermost drawn in; 1 for standard normal ones."""
    low, high = np.quantile(scores, [WINSORISED, 1 - WINSORISED])
    return float(np.mean(np.clip(scores, low, high) ** 2)) / _WINSORISED_VARIANCE


_EDGE = float(norm.ppf(1 - WINSORISED))
_WINSORISED_VARIANCE = float(1 - 2 * WINSORISED - 2 * _EDGE * norm.pdf(_EDGE) + 2 * WINSORISED * _EDGE**2)
"""The variance of a standard normal distribution whose ends are drawn in."""


def _freedom(areas: int, between: float, total: float) -> float:
    """Degrees of freedom of a variance of which the part between areas is an estimate (Satterthwaite).

    Never more than `MOST_FREEDOM` times what the areas give: that nothing exceeds chance is an estimate, too.
    """
    of_areas = FREEDOM_LEFT * max(areas, 1)
    return of_areas * min((total / between) ** 2, MOST_FREEDOM) if between > 0 else of_areas * MOST_FREEDOM


def _as_finding(
    question: Question, indicator: Indicator, reference: float, difference: float | None,
    names: dict[str, str], p_value: float, q_value: float,
) -> dict[str, object]:  # fmt: skip
    """A finding in numbers and in two sentences; every figure in them stands in the release or follows from it."""
    row, digits = question.row, indicator.decimals
    value = float(row["value"])
    by = _POINTS if indicator.unit == "percent" else UNITS[indicator.unit]
    if question.scale.is_logarithm:
        by = UNITS["percent"]
    facts: dict[str, object] = {
        "label": indicator.label,
        "area": names.get(question.area, question.area).split(",")[0],  # without ", kreisfreie Stadt"
        "when": Period(str(row["period_label"])),
        "now": _figure(value, digits),
        "unit": UNITS[indicator.unit],
        "members": question.peers.members,
        "why": _OF_AREAS if question.scale is Scale.PLAIN else _OF_CASES,
    }
    if question.kind == "outlier":
        side = Text(de="über", en="above") if value > reference else Text(de="unter", en="below")
        sentence = said(
            "{label}: {area} liegt {when} mit {now} {unit} {side} dem, was die anderen {members} zeigen "
            "({reference} {unit}); der Abstand ist größer als {why} zu erwarten.",
            "{label}: {area} at {now} {unit} {when} lies {side} what the other {members} show ({reference} {unit}), "
            "further than expected {why}.",
            side=side, reference=_figure(reference, digits), **facts,
        )  # fmt: skip
    else:
        now, before = question.now_and_before
        facts |= {
            "before": _figure(before, digits),
            "by": by,
            # From nothing there is no change in percent.
            "own": "" if difference is None else said(
                " ({own} {by})", " ({own} {by})", own=_change(reference + difference, _change_decimals(digits)), by=by
            ),
            "reference": _change(reference, _change_decimals(digits)),
        }  # fmt: skip
        if question.gap:
            facts |= {
                "groups": _GAPS[question.group],
                "now": _change(now, digits),
                "before": _change(before, digits),
            }
            sentence = said(
                "{label}, {area}: Der Abstand ({groups}) beträgt {when} {now} Prozentpunkte nach {before} im Jahr davor{own}; "
                "bei den anderen {members} veränderte er sich um {reference} {by}. Der Unterschied ist größer als {why} zu erwarten.",
                "{label}, {area}: the gap ({groups}) is {now} percentage points {when} after {before} the year before{own}; "
                "that of the other {members} changed by {reference} {by}. The difference is larger than expected {why}.",
                **facts,
            )  # fmt: skip
        else:
            sentence = said(
                "{label}, {area}: {now} {unit} {when} nach {before} im Jahr davor{own}; die Werte der anderen {members} "
                "veränderten sich um {reference} {by}. Der Unterschied ist größer als {why} zu erwarten.",
                "{label}, {area}: {now} {unit} {when} after {before} the year before{own}; the values of the other "
                "{members} changed by {reference} {by}. The difference is larger than expected {why}.",
                **facts,
            )  # fmt: skip
    is_implausible = abs(question.z) > IMPLAUSIBLE
    evidence = _evidence(question, p_value, q_value)
    if is_implausible:
        evidence = said(
            "{evidence}; so weit ist eher ein Fehler der Daten als ein Befund: prüfen",
            "{evidence}; so far off an error of the data is likelier than an event: check", evidence=evidence,
        )  # fmt: skip
    return {
        "finding_id": "/".join(filter(None, (
            question.kind, question.indicator, question.area, str(row["period_label"]), question.group, question.peers.id,
        ))),
        "kind": question.kind,
        "indicator_id": question.indicator,
        "area_code": question.area,
        "period_end": row["period_end"],
        "period_label": str(row["period_label"]),
        "group_breakdown": question.group or None,
        "compared_with": question.peers.id,
        "value": value,
        "reference": round(reference, digits + 1),
        "difference": None if difference is None else round(difference, digits + 1),
        "people": _concerned(question, difference),
        "z": round(question.z, 2),
        "is_implausible": is_implausible,
        "p_value": float(f"{p_value:.3g}"),
        "q_value": float(f"{q_value:.3g}"),
        "sentence_de": sentence.de,
        "sentence_en": sentence.en,
        "evidence_de": evidence.de,
        "evidence_en": evidence.en,
    }  # fmt: skip


_POINTS = UNITS["percentage points"]
_GAPS = {
    "sex": Text(de="Frauen minus Männer", en="women minus men"),
    "nationality": Text(de="Ausländerinnen und Ausländer minus Deutsche", en="foreigners minus Germans"),
}
_OF_CASES = Text(de="bei dieser Fallzahl", en="with so many cases")
_OF_AREAS = Text(de="nach der Streuung der anderen", en="from how the others scatter")


def _change(value: float, decimals: int) -> Text:
    """A change with its sign."""
    return Text(de=number(value, "de", decimals, signed=True), en=number(value, "en", decimals, signed=True))


def _change_decimals(decimals: int) -> int:
    """Decimals of a change: of whole numbers one, or a change in percent could not be read."""
    return max(decimals, 1)


def _in_units(question: Question, indicator: Indicator) -> tuple[float, float | None]:
    """What the others say and how far the area is from it, in the indicator's unit; changes of logarithms in percent.

    The area's own side is what is published, so that readers can follow the arithmetic. None where it changed from
    nothing, of which there is no percentage.
    """
    scale, reference = question.scale, question.reference
    if question.kind == "outlier":
        match scale:
            case Scale.SHARE:
                reference = 100 * float(expit(reference))
            case Scale.RATIO:
                reference = indicator.multiplier * float(np.exp(reference))
        return reference, float(question.row["value"]) - reference
    now, before = question.now_and_before
    if scale.is_logarithm:
        reference = 100 * float(np.expm1(reference))
        return reference, 100 * (now / before - 1) - reference if before else None
    reference *= 100 if scale is Scale.SHARE else 1
    return reference, now - before - reference


def _is_visible(question: Question, indicator: Indicator, reference: float, difference: float | None) -> bool:
    """Do the published figures show what the question found? Some differences are smaller than their last decimal."""
    if difference is None:
        return True
    is_change = question.kind != "outlier"
    digits = _change_decimals(indicator.decimals) if is_change else indicator.decimals
    is_apart = round(reference + difference, digits) != round(reference, digits)
    return is_apart and (difference > 0) == (question.z > 0)


def _concerned(question: Question, difference: float | None) -> float | None:
    """How many people the difference stands for, to the step that counts are rounded to: it is no count of anybody.

    None where the figure's parts are not published, or where they count no people.
    """
    row = question.row
    if question.scale is Scale.PLAIN or not question.counts_people:
        return None
    if question.scale is Scale.SHARE:
        assert difference is not None
        people = abs(difference) / 100 * float(row["denominator"])
    else:
        # Half a case more, as in the estimate: of an area that has none left the others say how many it lacks.
        people = abs(float(np.expm1(question.reference - question.estimate))) * (
            float(row["numerator"]) + 0.5
        )
    base = 5.0 if pd.isna(row["rounded_to"]) else max(5.0, float(row["rounded_to"]))
    return base * round(people / base)


def _evidence(question: Question, p_value: float, q_value: float) -> Text:
    """How many cases, how far, and how sure."""
    count, people = float(question.row["numerator"]), float(question.row["denominator"])
    cases: Text | str
    if question.gap:
        both = [frame.loc[[question.area]].iloc[0] for frame in question.gap[-1]]
        cases = said(
            "{n} von {of} und {other} von {of_other} Fällen; ", "{n} of {of} and {other} of {of_other} cases; ",
            n=float(both[0]["numerator"]), of=float(both[0]["denominator"]),
            other=float(both[1]["numerator"]), of_other=float(both[1]["denominator"]),
        )  # fmt: skip
    elif question.scale is Scale.SHARE:
        cases = said("{n} von {of} Fällen; ", "{n} of {of} cases; ", n=count, of=people)
    elif question.scale is Scale.RATIO:
        cases = said("{n} zu {of}; ", "{n} to {of}; ", n=count, of=people)
    else:
        cases = ""
    return said(
        "{cases}Abstand {z} Standardabweichungen; {p}; von so sicheren Reihen sind {false} falsch",
        "{cases}a distance of {z} standard deviations; {p}; of series as sure as this {false} are false",
        cases=cases, z=_figure(question.z, 1), p=_at_most("p", p_value, 0.001), false=_share_of_false(q_value),
    )  # fmt: skip


def _figure(value: float, decimals: int) -> Text:
    """A figure with the indicator's decimals."""
    return Text(de=number(value, "de", decimals), en=number(value, "en", decimals))


def _at_most(name: str, value: float, least: float) -> Text:
    """p = 0,012, or p < 0,001 where it is smaller than anybody needs to know."""
    if value < least:
        return Text(de=f"{name} < {number(least, 'de', 3)}", en=f"{name} < {number(least, 'en', 3)}")
    return Text(de=f"{name} = {number(value, 'de', 3)}", en=f"{name} = {number(value, 'en', 3)}")


def _share_of_false(q_value: float) -> Text:
    """How many of such series are false, in percent and never as nothing."""
    if q_value < 0.001:
        return said("weniger als {least}", "fewer than {least}", least=Percent(0.001, 1))
    return said("höchstens {share}", "at most {share}", share=Percent(math.ceil(1000 * q_value) / 1000, 1))
