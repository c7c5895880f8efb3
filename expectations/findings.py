"""Findings: what deserves a look tonight, by statistics that respect how few people stand behind a rate.

Belongs here: told values → findings. They are made of what a release tells and of nothing else, so none
can speak of a value that may not be told. Does not belong here: publishing them.

Three questions are asked of every rate, each of all areas of a level at once:
  outlier  does an area lie outside what its level shows?
  change   did it change against the year before unlike the others?
  gap      did the gap between two groups open or close unlike elsewhere?
A rate's spread is its binomial variance plus that of rounding, plus what the areas differ by anyhow
(the between-area variance of a funnel with random effects, after Spiegelhalter 2005, robustly). All questions of a night
share one false-discovery rate (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control, norm
from scipy.stats import t as student

from expectations.catalogue import Catalogue
from expectations.catalogue.base import TOTAL
from expectations.catalogue.model import Indicator, Kind, Text
from expectations.wording import Percent, Period, number, said

FALSE_DISCOVERY_RATE = 0.05
LEAST_AREAS = 8
"""Fewer areas of a level say nothing about how much areas differ."""
PUPILS = "pupils"
"""The indicator that tells a school's type."""
IMPLAUSIBLE = 10.0
"""So many standard deviations away an error of the data is likelier than an event."""
LEAST_CASES = 5
"""Expected cases and non-cases below which the normal approximation is not used."""
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
    """One test of one area: its estimate, what the others say, and how likely such a distance is."""

    kind: str
    indicator: str
    area: str
    row: pd.Series
    before: float | None
    estimate: float
    reference: float
    z: float
    areas: int
    group: str = ""
    peers: Peers | None = None


def findings(values: pd.DataFrame, catalogue: Catalogue, home: str, names: dict[str, str]) -> pd.DataFrame:
    """The findings of a release, those of most consequence first: how many people, how far, how sure.

    `values`: told values, one row per indicator, area, period and cells. `names`: area code → name.
    """
    asked: list[Question] = []
    types = _school_types(values)
    names_of = list(catalogue.breakdowns)
    rates = [i for i in catalogue.in_order() if i.kind in (Kind.SHARE, Kind.RATE) and i.unit == "percent"]
    known = values["value"].notna() & (values["denominator"] > 0)
    known &= (values["numerator"] <= values["denominator"]) & values["indicator_id"].isin(
        [i.id for i in rates]
    )
    # Every comparison of texts costs more than all the arithmetic: only what is looked at is kept, as plain texts.
    rows = values.loc[known, [*_LOOKED_AT, *names_of]]
    rows = rows.astype({c: "object" for c in rows.columns if isinstance(rows[c].dtype, pd.StringDtype)})
    of_indicator = dict(list(rows.groupby("indicator_id", sort=False)))
    for indicator in rates:
        if indicator.id in of_indicator:
            asked += _questions(of_indicator[indicator.id], indicator, names_of, home, types, catalogue)
    if not asked:
        return pd.DataFrame(columns=COLUMNS)
    # The spread is an estimate of so many areas, so its tails are those of Student's distribution.
    p_values = 2 * student.sf(np.abs([q.z for q in asked]), [q.areas - 1 for q in asked])
    q_values = false_discovery_control(p_values)
    found = [
        _told(question, catalogue.indicators[question.indicator], names, p, q)
        for question, p, q in zip(asked, p_values, q_values, strict=True)
        if q <= FALSE_DISCOVERY_RATE
    ]
    frame = pd.DataFrame(found, columns=COLUMNS)
    order = frame.assign(far=-frame["z"].abs(), many=-frame["people"])
    order = order.sort_values(["many", "far", "finding_id"], kind="stable", ignore_index=True)
    return order[COLUMNS]


def _questions(
    rows: pd.DataFrame,
    indicator: Indicator,
    breakdowns: list[str],
    home: str,
    types: dict[str, str],
    catalogue: Catalogue,
) -> Iterable[Question]:
    for level, of_level in rows.groupby("area_level", sort=True):
        if level in ("country", "state", "region", "local_district", "statistical_district"):
            continue  # the first three are no peers of anything; the last two repeat the Stadtteile
        if level != "district":
            yield from _among(of_level, str(level), indicator, breakdowns, None, types, _OF_LEVEL[str(level)])
            continue
        # Only the home city is spoken of: among every group of peers that names it, else among the Land's districts.
        groups = [group for group in catalogue.peer_groups.values() if home in group.areas]
        for group in groups:
            peers = Peers(group.id, group.members)
            members = of_level[of_level["area_code"].isin(group.areas)]
            yield from _among(members, "district", indicator, breakdowns, {home}, types, peers)
        if not groups:
            land = of_level[of_level["area_code"].str[:2] == home[:2]]
            yield from _among(land, "district", indicator, breakdowns, {home}, types, _OF_LEVEL["district"])


def _among(
    of_level: pd.DataFrame,
    level: str,
    indicator: Indicator,
    breakdowns: list[str],
    spoken: set[str] | None,
    types: dict[str, str],
    peers: Peers,
) -> Iterable[Question]:
    """The questions of areas that are peers of each other; `spoken`: the areas that are spoken of, by default all."""
    if len(of_level):
        ends = sorted(of_level["period_end"].unique())
        newest = of_level[of_level["period_end"] == ends[-1]]
        before = of_level[of_level["period_end"] == ends[-2]] if len(ends) > 1 else of_level.iloc[:0]
        # How high a rate is, depends on the type of school; how it changes, hardly.
        kinds = newest["area_code"].map(types).fillna("") if level == "school" else newest["area_level"]
        for _, of_kind in newest.groupby(kinds, sort=True):
            now = _cell(of_kind, breakdowns, {})
            alike = _OF_SCHOOL_TYPE if level == "school" else peers
            yield from _Estimates.of(now).questions("outlier", indicator, now, None, spoken, alike)
        yield from _changes(newest, before, indicator, breakdowns, spoken, peers)


def _school_types(values: pd.DataFrame) -> dict[str, str]:
    """The type most of a school's pupils are counted under."""
    rows = values[
        (values["area_level"] == "school") & (values["school_type"] != TOTAL) & (values["value"] > 0)
    ]
    rows = rows[rows["indicator_id"] == PUPILS].sort_values("value", kind="stable")
    return dict(zip(rows["area_code"], rows["school_type"], strict=True))


def _changes(
    newest: pd.DataFrame,
    before: pd.DataFrame,
    indicator: Indicator,
    breakdowns: list[str],
    spoken: set[str] | None,
    peers: Peers,
) -> Iterable[Question]:
    now = _cell(newest, breakdowns, {})
    then = _cell(before, breakdowns, {})
    # A break between the two years: nothing is compared.
    same = now.index.intersection(then.index).difference(now.index[now["series_break_before"]])
    if len(same):
        change = _Estimates.of(now.loc[same]).less(_Estimates.of(then.loc[same]))
        yield from change.questions("change", indicator, now.loc[same], then.loc[same], spoken, peers)
    for breakdown, (first, second) in GROUPS.items():
        if breakdown not in indicator.breakdowns:
            continue
        cells = [
            _cell(frame, breakdowns, {breakdown: cell})
            for frame in (newest, before)
            for cell in (first, second)
        ]
        both = cells[0].index
        for cell in cells[1:]:
            both = both.intersection(cell.index)
        both = both.difference(cells[0].index[cells[0]["series_break_before"]])
        if len(both):
            parts = [_Estimates.of(cell.loc[both]) for cell in cells]
            opened = parts[0].less(parts[1]).less(parts[2].less(parts[3]))
            yield from opened.questions(
                "gap", indicator, cells[0].loc[both], cells[2].loc[both], spoken, peers, breakdown
            )


def _cell(rows: pd.DataFrame, breakdowns: list[str], cells: dict[str, str]) -> pd.DataFrame:
    """The rows of one combination of cells, by area."""
    keep = np.ones(len(rows), dtype=bool)
    for name in breakdowns:
        keep &= (rows[name] == cells.get(name, TOTAL)).to_numpy()
    return rows[keep].set_index("area_code")


@dataclass(frozen=True)
class _Estimates:
    """Estimates of areas (a rate, a change, a gap) with their sampling variances."""

    areas: pd.Index
    estimate: np.ndarray
    variance: np.ndarray
    enough: np.ndarray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> _Estimates:
        count, people = (rows[c].to_numpy(dtype=float) for c in ("numerator", "denominator"))
        rate = count / people
        pooled = count.sum() / people.sum() if people.sum() else np.nan
        base = rows["rounded_to"].fillna(1).to_numpy(dtype=float)
        rounding = (base**2 - 1) / 12
        # The variance under the level's own rate: that of an extreme rate would call itself sure.
        spread = pooled * (1 - pooled) / people + rounding * (1 + rate**2) / people**2
        enough = np.minimum(pooled, 1 - pooled) * people >= LEAST_CASES
        return cls(rows.index, rate, np.maximum(spread, 1e-12), enough)

    def less(self, other: _Estimates) -> _Estimates:
        return _Estimates(
            self.areas,
            self.estimate - other.estimate,
            self.variance + other.variance,
            self.enough & other.enough,
        )

    def questions(
        self,
        kind: str,
        indicator: Indicator,
        now: pd.DataFrame,
        then: pd.DataFrame | None,
        spoken: set[str] | None,
        peers: Peers,
        group: str = "",
    ) -> Iterable[Question]:
        """How far each area lies from the others, in standard deviations that include how areas differ."""
        chosen = np.flatnonzero(self.enough)
        if len(chosen) < LEAST_AREAS:
            return
        estimate, variance = self.estimate[chosen], self.variance[chosen]
        names = [str(area) for area in self.areas.to_list()]
        rows = {str(area): row for area, row in now.iterrows()}
        for position, index in enumerate(chosen):
            area = names[int(index)]
            if spoken is not None and area not in spoken:
                continue
            others = np.delete(np.arange(len(chosen)), position)
            reference, between = _random_effects(estimate[others], variance[others])
            weights = 1 / (variance[others] + between)
            total = variance[position] + between + 1 / weights.sum()
            z = (estimate[position] - reference) / np.sqrt(total)
            before = None if then is None else float(then["value"].to_dict()[area])
            yield Question(
                kind, indicator.id, area, rows[area], before, float(estimate[position]), float(reference),
                float(z), len(chosen), group, peers,
            )  # fmt: skip


def _random_effects(estimate: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
    """Mean of the areas and the variance between them, both robust.

    The spread comes from the middle of the areas: those that are far off must not widen the funnel until
    they fit in. The middle half tells it, and so do the middle six tenths: where more lie far off, they are no
    outliers but one of two kinds of area (schools with and without all-day classes). What the spread exceeds
    chance by is the variance between the areas.
    """
    centre = float(np.median(estimate))
    scores = (estimate - centre) / np.sqrt(variance)
    low, high = np.quantile(scores, [0.2, 0.8])
    spread = max(float(np.median(np.abs(scores))) / _MEDIAN_DISTANCE, float(high - low) / _MIDDLE)
    between = max(0.0, spread**2 - 1) * float(np.median(variance))
    total = np.sqrt(variance + between)
    # The mean of what is not far off; the weights of the others are cut.
    weights = np.minimum(1, 2 / np.maximum(np.abs(estimate - centre) / total, 1e-9)) / total**2
    return float((weights * estimate).sum() / weights.sum()), between


_MEDIAN_DISTANCE = float(norm.ppf(0.75))
"""The median distance of a standard normal value from zero."""
_MIDDLE = float(2 * norm.ppf(0.8))
"""How wide the middle six tenths of a standard normal distribution are."""


def _told(
    question: Question, indicator: Indicator, names: dict[str, str], p_value: float, q_value: float
) -> dict[str, object]:
    """A finding in numbers and in two sentences; every figure in them stands in the release."""
    row, digits = question.row, indicator.decimals
    assert question.peers is not None
    value, before = float(row["value"]), question.before or 0.0
    reference, difference = 100 * question.reference, 100 * (question.estimate - question.reference)
    facts: dict[str, object] = {
        "label": indicator.label,
        "area": names.get(question.area, question.area).split(",")[0],  # without ", kreisfreie Stadt"
        "when": Period(str(row["period_label"])),
        "now": _figure(value, digits),
        "reference": _figure(reference, digits),
        "members": question.peers.members,
    }
    if question.kind == "outlier":
        side = Text(de="über", en="above") if difference > 0 else Text(de="unter", en="below")
        sentence = said(
            "{label}: {area} liegt {when} mit {now} Prozent {side} dem, was die anderen {members} zeigen "
            "({reference} Prozent); der Abstand ist größer als bei dieser Fallzahl zu erwarten.",
            "{label}: {area} at {now} percent {when} lies {side} what the other {members} show ({reference} percent), "
            "further than expected with so many cases.",
            side=side, **facts,
        )  # fmt: skip
    elif question.kind == "change":
        moved = Text(de="stieg", en="rose") if value > before else Text(de="sank", en="fell")
        sentence = said(
            "{label}: In {area} {moved} der Wert {when} von {before} auf {now} Prozent; die anderen {members} veränderten "
            "sich um {reference} Prozentpunkte. Die Veränderung ist größer als bei dieser Fallzahl zu erwarten.",
            "{label}: in {area} the value {moved} from {before} to {now} percent {when}; the other {members} changed by "
            "{reference} percentage points. The change is larger than expected with so many cases.",
            moved=moved, before=_figure(before, digits), **facts,
        )  # fmt: skip
    else:
        groups = {
            "sex": Text(de="Frauen und Männern", en="women and men"),
            "nationality": Text(de="Ausländern und Deutschen", en="foreigners and Germans"),
        }[question.group]
        sentence = said(
            "{label}: In {area} veränderte sich {when} der Abstand zwischen {groups} um {change} Prozentpunkte; das ist mehr "
            "als bei dieser Fallzahl zu erwarten.",
            "{label}: in {area} the gap between {groups} changed by {change} percentage points {when}, more than expected "
            "with so many cases.",
            groups=groups, change=_figure(100 * question.estimate, digits), **facts,
        )  # fmt: skip
    evidence = said(
        "{cases} von {people} Fällen; Abstand {z} Standardabweichungen; {p}; von so sicheren Befunden sind {false} falsch",
        "{cases} of {people} cases; a distance of {z} standard deviations; {p}; of findings as sure as this {false} are false",
        cases=float(row["numerator"]), people=float(row["denominator"]), z=_figure(question.z, 1),
        p=_at_most("p", p_value, 0.001), false=_share_of_false(q_value),
    )  # fmt: skip
    is_implausible = abs(question.z) > IMPLAUSIBLE
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
        "difference": round(difference, digits + 1),
        # To the step that the counts are rounded to: it is no count of anybody.
        "people": 5.0 * round(abs(difference) / 100 * float(row["denominator"]) / 5),
        "z": round(question.z, 2),
        "is_implausible": is_implausible,
        "p_value": float(f"{p_value:.3g}"),
        "q_value": float(f"{q_value:.3g}"),
        "sentence_de": sentence.de,
        "sentence_en": sentence.en,
        "evidence_de": evidence.de,
        "evidence_en": evidence.en,
    }  # fmt: skip


def _figure(value: float, decimals: int) -> Text:
    """A figure with the indicator's decimals."""
    return Text(de=number(value, "de", decimals), en=number(value, "en", decimals))


def _at_most(name: str, value: float, least: float) -> Text:
    """p = 0,012, or p < 0,001 where it is smaller than anybody needs to know."""
    if value < least:
        return Text(de=f"{name} < {number(least, 'de', 3)}", en=f"{name} < {number(least, 'en', 3)}")
    return Text(de=f"{name} = {number(value, 'de', 3)}", en=f"{name} = {number(value, 'en', 3)}")


def _share_of_false(q_value: float) -> Text:
    """How many of such findings are false, in percent and never as nothing."""
    if q_value < 0.001:
        return said("weniger als {least}", "fewer than {least}", least=Percent(0.001, 1))
    return said("höchstens {share}", "at most {share}", share=Percent(q_value, 1))
