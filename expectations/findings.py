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
from expectations.catalogue.model import Indicator, Kind

FALSE_DISCOVERY_RATE = 0.05
LEAST_AREAS = 8
"""Fewer areas of a level say nothing about how much areas differ."""
PUPILS = "pupils"
"""The indicator that tells a school's type."""
LEAST_CASES = 5
"""Expected cases and non-cases below which the normal approximation is not used."""
GROUPS = {"sex": ("female", "male"), "nationality": ("foreign", "german")}
"""Whose gaps are watched: breakdown → first and second cell."""

COLUMNS = [
    "finding_id", "kind", "indicator_id", "area_code", "period_end", "period_label", "group_breakdown", "value",
    "reference", "difference", "z", "p_value", "q_value", "sentence_de", "sentence_en", "evidence_de", "evidence_en",
]  # fmt: skip


_LOOKED_AT = [
    "indicator_id", "area_code", "area_level", "period_end", "period_label", "value", "numerator", "denominator",
    "rounded_to", "series_break_before",
]  # fmt: skip
"""The columns that findings are made of, beside the breakdowns."""


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


def findings(values: pd.DataFrame, catalogue: Catalogue, home: str, names: dict[str, str]) -> pd.DataFrame:
    """The findings of a release, the surest first.

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
            asked += _questions(of_indicator[indicator.id], indicator, names_of, home, types)
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
    return frame.sort_values(["q_value", "finding_id"], kind="stable", ignore_index=True)


def _questions(
    rows: pd.DataFrame, indicator: Indicator, breakdowns: list[str], home: str, types: dict[str, str]
) -> Iterable[Question]:
    for level, of_level in rows.groupby("area_level", sort=True):
        if level == "district":  # the own Land's districts; only the home city is spoken of
            of_level = of_level[of_level["area_code"].str[:2] == home[:2]]
        elif level in ("country", "state", "region", "local_district", "statistical_district"):
            continue  # the first three are no peers of anything; the last two repeat the Stadtteile
        ends = sorted(of_level["period_end"].unique())
        newest = of_level[of_level["period_end"] == ends[-1]]
        before = of_level[of_level["period_end"] == ends[-2]] if len(ends) > 1 else of_level.iloc[:0]
        spoken = {home} if level == "district" else None
        # How high a rate is, depends on the type of school; how it changes, hardly.
        kinds = newest["area_code"].map(types).fillna("") if level == "school" else newest["area_level"]
        for _, of_kind in newest.groupby(kinds, sort=True):
            now = _cell(of_kind, breakdowns, {})
            yield from _Estimates.of(now).questions("outlier", indicator, now, None, spoken)
        yield from _changes(newest, before, indicator, breakdowns, spoken)


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
) -> Iterable[Question]:
    now = _cell(newest, breakdowns, {})
    then = _cell(before, breakdowns, {})
    # A break between the two years: nothing is compared.
    same = now.index.intersection(then.index).difference(now.index[now["series_break_before"]])
    if len(same):
        change = _Estimates.of(now.loc[same]).less(_Estimates.of(then.loc[same]))
        yield from change.questions("change", indicator, now.loc[same], then.loc[same], spoken)
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
                "gap", indicator, cells[0].loc[both], cells[2].loc[both], spoken, breakdown
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
                float(z), len(chosen), group,
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


def _number(value: float, decimals: int, comma: bool = True) -> str:
    text = f"{value:.{decimals}f}"
    return text.replace(".", ",") if comma else text


def _told(
    question: Question, indicator: Indicator, names: dict[str, str], p_value: float, q_value: float
) -> dict[str, object]:
    """A finding in numbers and in two sentences; every figure in them stands in the release."""
    row, digits = question.row, indicator.decimals
    name = names.get(question.area, question.area)
    value, label = float(row["value"]), str(row["period_label"])
    reference, difference = 100 * question.reference, 100 * (question.estimate - question.reference)
    german, english = _number(value, digits), _number(value, digits, comma=False)
    up = difference > 0
    if question.kind == "outlier":
        sentence_de = (
            f"{indicator.label.de}: {name} liegt {label} mit {german} Prozent {'über' if up else 'unter'} dem, was die "
            f"anderen Gebiete zeigen ({_number(reference, digits)} Prozent); der Abstand ist größer als bei dieser Fallzahl zu erwarten."
        )
        sentence_en = (
            f"{indicator.label.en}: {name} at {english} percent ({label}) lies {'above' if up else 'below'} what the other "
            f"areas show ({_number(reference, digits, comma=False)} percent), further than expected with so many cases."
        )
    elif question.kind == "change":
        before = question.before or 0.0
        sentence_de = (
            f"{indicator.label.de}: In {name} {'stieg' if value > before else 'sank'} der Wert von "
            f"{_number(before, digits)} auf {german} Prozent ({label}); die anderen Gebiete veränderten sich um "
            f"{_number(reference, digits)} Punkte, die Schwankung ist größer als bei dieser Fallzahl zu erwarten."
        )
        sentence_en = (
            f"{indicator.label.en}: in {name} the value {'rose' if value > before else 'fell'} from "
            f"{_number(before, digits, comma=False)} to {english} percent ({label}); the other areas changed by "
            f"{_number(reference, digits, comma=False)} points, more than expected with so many cases."
        )
    else:
        group_de = {"sex": "Frauen und Männern", "nationality": "Ausländern und Deutschen"}[question.group]
        group_en = {"sex": "women and men", "nationality": "foreigners and Germans"}[question.group]
        change = 100 * question.estimate
        sentence_de = (
            f"{indicator.label.de}: In {name} veränderte sich der Abstand zwischen {group_de} um "
            f"{_number(change, digits)} Punkte ({label}); das ist mehr als bei dieser Fallzahl zu erwarten."
        )
        sentence_en = (
            f"{indicator.label.en}: in {name} the gap between {group_en} changed by "
            f"{_number(change, digits, comma=False)} points ({label}), more than expected with so many cases."
        )
    cases = f"{row['numerator']:g} / {row['denominator']:g}"
    sure = _number(100 * q_value, 2)
    return {
        "finding_id": "/".join(filter(None, (question.kind, question.indicator, question.area, label, question.group))),
        "kind": question.kind,
        "indicator_id": question.indicator,
        "area_code": question.area,
        "period_end": row["period_end"],
        "period_label": label,
        "group_breakdown": question.group or None,
        "value": value,
        "reference": round(reference, digits + 1),
        "difference": round(difference, digits + 1),
        "z": round(question.z, 2),
        "p_value": float(f"{p_value:.3g}"),
        "q_value": float(f"{q_value:.3g}"),
        "sentence_de": sentence_de,
        "sentence_en": sentence_en,
        "evidence_de": f"{cases}; Abstand {_number(question.z, 1)} Standardabweichungen; Anteil falscher Befunde unter solchen höchstens {sure} %",
        "evidence_en": f"{cases}; {_number(question.z, 1, comma=False)} standard deviations; at most "
        f"{_number(100 * q_value, 2, comma=False)} % of such findings are false",
    }  # fmt: skip
