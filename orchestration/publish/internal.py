"""The statistics office's own release: the figures that went out to everyone, as exact as the registers have them.

Rounding and hiding are for those who must not know; whoever counts the people must. So the counts of the city's registers stand in it
unrounded, under the office's own thresholds (`publication.internal`), and nothing is hidden to protect another cell. Which
tables go out is the gate's decision on the public ones. It lies in a store of its own that no public command reads.

Belongs here: which figures are exact, and the thresholds. Does not belong here: keeping audiences apart (release, database).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Text
from orchestration.compute.increment import has_table
from orchestration.settings import Internal

_PROBLEMS = {
    "key": Text(de="andere Zeile", en="another row"),
    "changed": Text(de="aus keinem Register und doch verschieden", en="of no register and yet different"),
    "value": Text(de="Wert außerhalb der Toleranz", en="value outside the tolerance"),
    "count": Text(de="Anzahl weiter weg als eine halbe Basis", en="count further away than half a base"),
    "told": Text(de="unter der Schwelle und doch genannt", en="under the threshold and yet told"),
}
"""Why two figures can't both be."""


@dataclass(frozen=True)
class Contradiction:
    """A figure of the internal table and the public one beside it, in the indicator's unit, that can't both be.

    `de` and `en` name the place and no figure: logs and messages are read by others as well.
    """

    indicator: str
    area: str
    period_end: dt.date
    public: float | None
    internal: float | None
    problem: str
    """One of `_PROBLEMS`."""

    @property
    def de(self) -> str:
        return (
            f"Interne und öffentliche Zahlen widersprechen sich: {self._place}: {_PROBLEMS[self.problem].de}"
        )

    @property
    def en(self) -> str:
        return (
            f"Internal and public figures contradict each other: {self._place}: {_PROBLEMS[self.problem].en}"
        )

    @property
    def _place(self) -> str:
        return f"{self.indicator}, {self.area}, {self.period_end}"


def internal_rows(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    name: str,
    shown: pa.Table,
    thresholds: Internal,
) -> pa.Table:
    """A published table of the candidate with exact counts of registers; same rows in the same order, same columns.

    Grain and keys are those of `shown`, its published form. What is not of registers stays as it is, comparisons as well.
    Thresholds are of people: a count or denominator of anything else (hours, positions) is never too small.
    """
    keys = _keys(catalogue)
    same = " and ".join(f"v.{key} = p.{key}" for key in keys)
    few, least = thresholds.least_count, thresholds.least_denominator
    rows = connection.execute(
        f"""
        with figure as (
            select
                p.*, v.value as exact_value, v.numerator as exact_numerator, v.denominator as exact_denominator,
                v.status as exact_status, v.sign as exact_sign,
                greatest(coalesce(v.numerator_protection, 1), coalesce(v.denominator_protection, 1)) > 1 as is_ours,
                coalesce(v.numerator_protection > 1 and v.numerator > 0 and v.numerator < $few, false)
                or coalesce(
                    i.needs_denominator
                    and v.denominator_protection > 1
                    and (
                        (v.denominator > 0 and v.denominator < $least)
                        or (i.kind = 'share' and v.denominator - v.numerator > 0 and v.denominator - v.numerator < $few)
                    ),
                    false
                ) as is_few
            from published.{name} as p
            left join monitoring.fct_indicator_value as v on {same}
            left join monitoring.dim_indicator as i on i.indicator_id = p.indicator_id
        )
        select * exclude (exact_value, exact_numerator, exact_denominator, exact_status, exact_sign, is_ours, is_few) replace (
            case when not is_ours then value when not is_few then exact_value end as value,
            case when not is_ours then value_from end as value_from,
            case when not is_ours then value_to end as value_to,
            case when not is_ours then numerator when not is_few then exact_numerator end as numerator,
            case when not is_ours then denominator when not is_few then exact_denominator end as denominator,
            case when not is_ours then status when is_few then 'confidential' else exact_status end as status,
            case when not is_ours then sign when is_few then '.' else exact_sign end as sign,
            case when not is_ours then rounded_to end as rounded_to,
            case when not is_ours then tolerance end as tolerance
        )
        from figure order by {", ".join(keys)}""",
        {"few": few, "least": least},
    ).to_arrow_table()
    assert rows.num_rows == shown.num_rows, f"{name}: found {rows.num_rows} rows, expected {shown.num_rows}"
    return rows.select(shown.column_names).cast(shown.schema)


def contradiction(
    connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, shown: pa.Table, exact: pa.Table
) -> Contradiction | None:
    """The first figure of an internal table that can't be, beside what the public one shows of it; None if all can.

    A figure that is of no register is the same in both. Of one that is, a value lies within what the public table says of its
    tolerance, or within its range, a count within half its base, and what has too few people has no figures. `shown` and `exact` have the same order.
    """
    keys = _keys(catalogue)
    figures = ("value", "value_from", "value_to", "numerator", "denominator")
    apart = " or ".join(f"p.{name} is distinct from e.{name}" for name in (*keys, "source"))
    changed = " or ".join(f"p.{name} is distinct from e.{name}" for name in (*figures, "status", "sign"))
    # What stays published of an earlier delivery may be a whole base away (decision 0034).
    room = "case when k.indicator_id is null then p.rounded_to / 2 else p.rounded_to end"
    off = " or ".join(f"abs(p.{name} - e.{name}) > {room}" for name in ("numerator", "denominator"))
    told = " or ".join(f"e.{name} is not null" for name in figures)
    row = connection.execute(
        f"""
        select e.indicator_id, e.area_code, e.period_end, p.value, e.value, case
            when {apart} then 'key'
            when p.rounded_to is null and ({changed}) then 'changed'
            when abs(p.value - e.value) > coalesce(p.tolerance, 0) + 0.5 * power(10.0, -i.decimals) + 1e-9 then 'value'
            when not e.value between p.value_from - 0.5 * power(10.0, -i.decimals) and p.value_to + 0.5 * power(10.0, -i.decimals)
                then 'value'
            when {off} then 'count'
            when e.status = 'confidential' and ({told}) then 'told'
        end as problem
        from exact as e positional join shown as p
        left join monitoring.dim_indicator as i on i.indicator_id = e.indicator_id
        left join ({_kept(connection, catalogue)}) as k on k.indicator_id = e.indicator_id and k.period_end = e.period_end
        where problem is not null
        order by all limit 1"""
    ).fetchone()
    return None if row is None else Contradiction(*row)


def _kept(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> str:
    """SQL of the indicators and periods of which some figure stays as an earlier delivery was published."""
    if not has_table(connection, "disclosure", "int_kept_count"):
        return "select null::varchar as indicator_id, null::date as period_end where false"
    same = " ".join(f"and k.counted_{name} = t.counted_{name}" for name in catalogue.breakdowns)
    return f"""select distinct t.indicator_id, t.period_end from disclosure.int_told_count as t
        join disclosure.int_kept_count as k on k.measure_id = t.measure_id and k.area_code = t.area_code
            and k.counted_period_end = t.counted_period_end {same}
        where k.published is not null"""


def _keys(catalogue: Catalogue) -> list[str]:
    return ["indicator_id", "area_code", "period_end", "period_start", *catalogue.breakdowns]
