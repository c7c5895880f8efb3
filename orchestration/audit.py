"""What `catalogue audit` says of an indicator: what it promises, what it computes, and where both come apart.

Belongs here: holding an indicator's sentences and its published figures against its declaration. Does not belong here:
rules on texts (expectations/catalogue/text_rules.py), checks on data (expectations/checks).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import availability
from expectations.catalogue.base import OLDEST
from expectations.catalogue.model import TOTAL, Indicator, Kind, Term
from expectations.catalogue.text_rules import text_problems
from expectations.wording import span
from orchestration.explanation import formula_in_words, formula_sql
from orchestration.publish.release import FIGURES, Query

LAST_PERIODS = 5


@dataclass(frozen=True)
class Population:
    """Whom or what one measure of a formula counts."""

    formula: str
    role: str
    measure: str
    unit: str
    sources: list[str]
    ages: str | None
    levels: list[str]


@dataclass(frozen=True)
class PartsAndTotal:
    """The cells of a breakdown that add up, beside their total: the city's newest period, as published."""

    breakdown: str
    period: str
    cells: float
    total: float


@dataclass(frozen=True)
class LevelAndCity:
    """The areas of a level, added up, beside the city: numerator or denominator of one period, as published."""

    level: str
    role: str
    period: str
    areas: float
    city: float
    hidden: int


@dataclass(frozen=True)
class Audit:
    """One indicator, from its sentences to its figures. `problems`: where they come apart; none if all is well."""

    code: str
    indicator_id: str
    status: str
    label_de: str
    label_en: str
    calculation_de: str
    interpretation_de: str
    availability_de: str
    better: str
    valid_range: tuple[float | None, float | None]
    formula: list[str]
    sql: str | None
    populations: list[Population]
    parts: list[PartsAndTotal] = field(default_factory=list)
    levels: list[LevelAndCity] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self)


def audit(catalogue: Catalogue, indicator: Indicator, query: Query | None, city: str) -> Audit:
    """Hold one indicator against its declaration; with a release (`query`) also against what it
    publishes for a city."""
    found = Audit(
        code=indicator.code,
        indicator_id=indicator.id,
        status=indicator.status,
        label_de=indicator.label.de,
        label_en=indicator.label.en,
        calculation_de=indicator.calculation.de,
        interpretation_de=indicator.interpretation.de,
        availability_de=availability(catalogue, indicator).de,
        better=indicator.better,
        valid_range=indicator.valid_range,
        formula=_formula(indicator),
        sql=formula_sql(catalogue, indicator),
        populations=list(_populations(catalogue, indicator)),
        problems=text_problems(catalogue, indicator),
    )
    if query is None or indicator.status != "published":
        return found
    found.parts.extend(_parts(catalogue, indicator, query, city))
    found.levels.extend(_levels(catalogue, indicator, query, city))
    found.values.extend(_values(catalogue, indicator, query, city))
    found.problems.extend(_verdicts(catalogue, indicator, query))
    found.problems.extend(_without_values(indicator, query))
    found.problems.extend(_other_days(indicator, found.values))
    return found


def _formula(indicator: Indicator) -> list[str]:
    if indicator.missing is not None:
        return [f"planned: {indicator.missing.en}"]
    if indicator.reason is not None:
        return [f"{indicator.model or 'index'}: {indicator.reason.en}"]
    return [formula_in_words(indicator, *terms, origin) for origin, terms in indicator.formulas.items()]


def _populations(catalogue: Catalogue, indicator: Indicator) -> Iterable[Population]:
    for origin, terms in indicator.formulas.items():
        for role, term in zip(("numerator", "denominator"), terms, strict=True):
            for _, part in term.parts() if term else []:
                measure = catalogue.measures[part.measure]
                yield Population(
                    origin, role, measure.id, measure.unit, sorted(measure.origins), _ages(catalogue, part),
                    sorted(catalogue.levels_of_measure(measure.id)),
                )  # fmt: skip


def _ages(catalogue: Catalogue, part: Term) -> str | None:
    """The ages a term counts, where its source knows ages."""
    chosen = part.cells("age_group")
    if chosen is not None:
        return ", ".join(chosen)
    people = catalogue.people_of_measure(part.measure, "age_group")
    if not people:
        return None
    last = max(people) + 1
    return f"{min(people)} to under {last}" if last < OLDEST else f"{min(people)} and over"


def _totals(catalogue: Catalogue, without: str = "") -> str:
    return " and ".join(f"v.{name} = '{TOTAL}'" for name in catalogue.breakdowns if name != without)


def _parts(catalogue: Catalogue, indicator: Indicator, query: Query, city: str) -> Iterable[PartsAndTotal]:
    """Of every breakdown whose cells add up: their sum beside the total."""
    if indicator.kind not in (Kind.COUNT, Kind.SUM) or indicator.numerator is None:
        return
    for rule in catalogue.measures[indicator.numerator.measure].additivity:
        if rule.rule != "sum" or rule.breakdown not in indicator.breakdowns:
            continue
        rows = query(
            f"""select period_label, sum(value) filter (where list_contains($parts, {rule.breakdown})),
                any_value(value) filter (where {rule.breakdown} = '{TOTAL}')
            from indicator_value as v
            where indicator_id = $indicator and area_code = $city and {_totals(catalogue, rule.breakdown)}
            group by period_label, period_end order by period_end desc""",
            {"indicator": indicator.id, "city": city, "parts": rule.parts},
        )
        for label, cells, total in rows:
            if cells is not None and total is not None:
                yield PartsAndTotal(rule.breakdown, label, cells, total)
                break


def _levels(catalogue: Catalogue, indicator: Indicator, query: Query, city: str) -> Iterable[LevelAndCity]:
    """Of every level inside the city its areas, added up, in the newest period that city and level share."""
    for level in indicator.levels_inside:
        rows = query(
            f"""with v as (select * from indicator_value as v where indicator_id = $indicator and {_totals(catalogue)}),
            parts as (
                select period_end, sum(numerator) as numerator, sum(denominator) as denominator,
                    count(*) filter (where status = 'confidential') as hidden
                from v where area_level = $level group by period_end
            )
            select c.period_label, p.numerator, c.numerator, p.denominator, c.denominator, p.hidden
            from parts as p inner join v as c on c.period_end = p.period_end and c.area_code = $city
            order by c.period_end desc limit 1""",
            {"indicator": indicator.id, "level": level, "city": city},
        )
        for label, above, whole_above, below, whole_below, hidden in rows:
            terms = [("numerator", above, whole_above), ("denominator", below, whole_below)]
            if indicator.kind is Kind.DIFFERENCE and None not in (above, whole_above, below, whole_below):
                terms = [("difference", above - below, whole_above - whole_below)]
            for role, areas, whole in terms:
                if areas is not None and whole is not None:
                    yield LevelAndCity(level, role, label, areas, whole, hidden)


def _values(catalogue: Catalogue, indicator: Indicator, query: Query, city: str) -> Iterable[dict[str, Any]]:
    """The city's newest values that are not broken down, with what stands beside them."""
    names = ("period_label", "value", "value_from", "value_to", "unit", "status", "numerator", "denominator", "value_state", "value_country", "value_peers", "rank", "rank_of")  # fmt: skip
    rows = query(
        f"""select {", ".join(names)} from {FIGURES} as v
        where indicator_id = $indicator and area_code = $city and {_totals(catalogue)}
        order by period_end desc limit {LAST_PERIODS}""",
        {"indicator": indicator.id, "city": city},
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def _verdicts(catalogue: Catalogue, indicator: Indicator, query: Query) -> list[str]:
    """What the checks of meaning found of the indicator, its measures or its reconciliations in the last night."""
    measures = {m.id for m in catalogue.measures_of(indicator)}
    scopes = {indicator.id, f"{indicator.id}_denominator", *measures}
    meaning = [
        name for name, policy in catalogue.checks.items() if policy.family == "meaning" and name != "coverage"
    ]
    rows = query(
        """select "check", scope, status, message_en from verdict
        where "table" = $table and status <> 'PASS' and list_contains($meaning, "check") order by 1, 2""",
        {"table": indicator.table, "meaning": meaning},
    )
    return [
        f"{check} {status}: {text}" for check, scope, status, text in rows if scope.split("/")[0] in scopes
    ]


def _other_days(indicator: Indicator, values: Iterable[dict[str, Any]]) -> list[str]:
    """Reference days of published values that are other than the one the calculation names."""
    named = re.search(r"[Aa]m (\d\d\.\d\d\.)", re.split(r" / |geteilt durch", indicator.calculation.de)[0])
    labels = {str(row["period_label"]) for row in values}
    if named is None:
        return []
    return [
        f"the calculation says 'am {named[1]}', a value is of {label}"
        for label in sorted(labels)
        if re.fullmatch(r"\d\d\.\d\d\.\d{4}", label) and not label.startswith(named[1])
    ]


def _without_values(indicator: Indicator, query: Query) -> list[str]:
    """Levels that the indicator promises and the release has no value for."""
    rows = query(
        f"select distinct area_level from {FIGURES} as v where indicator_id = $indicator and coalesce(value, value_to) is not null",
        {"indicator": indicator.id},
    )
    told = {level for (level,) in rows}
    return [f"no value for level '{level}'" for level in indicator.all_levels if level not in told]


def audit_lines(one: Audit) -> Iterator[str]:
    """An audit as a reader of a terminal takes it: sentences, formula, populations, sums, figures, problems."""
    yield ""
    yield f"{one.code} {one.label_de} / {one.label_en}   [{one.indicator_id}, {one.status}, better: {one.better}]"
    yield f"  Berechnung      {one.calculation_de}"
    yield f"  Aussage         {one.interpretation_de}"
    yield f"  Verfügbarkeit   {one.availability_de}"
    yield from (f"  formula         {line}" for line in one.formula)
    yield from (f"  SQL             {line}" for line in (one.sql or "").splitlines())
    low, high = one.valid_range
    yield f"  valid           {low} … {high}"
    for p in one.populations:
        ages = f", ages {p.ages}" if p.ages else ""
        yield f"  {p.formula + ' ' + p.role:<15} {p.measure} ({p.unit}{ages}) from {', '.join(p.sources)}; levels {', '.join(p.levels)}"
    for s in one.parts:
        yield f"  parts           {s.period}, by {s.breakdown}: {s.cells:,.0f} of {s.total:,.0f}"
    for v in one.levels:
        hidden = f", {v.hidden} areas hidden" if v.hidden else ""
        yield f"  level           {v.period}, {v.level}, {v.role}: {v.areas:,.0f} of the city's {v.city:,.0f}{hidden}"
    for row in one.values:
        beside = ", ".join(
            f"{name} {row[key]}"
            for name, key in (
                ("Land", "value_state"),
                ("Deutschland", "value_country"),
                ("peers", "value_peers"),
            )
            if row[key] is not None
        )
        rank = f", rank {row['rank']} of {row['rank_of']}" if row["rank"] is not None else ""
        shown = row["value"] if row["value"] is not None else row["status"]
        if row["value_from"] is not None:
            shown = span(row["value_from"], row["value_to"], "en")
        yield f"  value           {row['period_label']}: {shown} {row['unit']}{' (' + beside + ')' if beside else ''}{rank}"
    yield from (f"  PROBLEM         {line}" for line in one.problems)
