{#
  What stands beside a told value: the Land, Germany, the city (inside it), the peer group, its rank
  among areas of its level, and its change within a span without a break, with how far rounding and chance
  alone may have moved it.
#}
{{ changed_part('indicator_id', 'indicator') }}
{#- Fewer than five places, or more than a third of them tied, are no order. -#}
{%- set is_place = "r.value is not null and r.is_ranked and r.area_level not in ('country', 'region') and r.rank_of >= 5"
    ~ " and 3 * r.areas_tied <= r.rank_of" -%}
{%- set change = "case when r.year_before = r.year - 1 then " ~ rounded('r.value - r.value_before', 'r.decimals') ~ " end" -%}
{%- set trend = "case when r.years = 5 and r.first_year = r.year - 4 then "
    ~ rounded('r.slope', 'r.decimals + 1') ~ " end" -%}
{%- set change_tolerance = "case when " ~ change ~ " is not null then "
    ~ rounded_up('r.change_tolerance', 'r.decimals + 1') ~ " end" -%}
{%- set trend_tolerance = "case when " ~ trend ~ " is not null then "
    ~ rounded_up('r.trend_tolerance', 'r.decimals + 2') ~ " end" -%}
with told as (
    select
        v.*,
        i.better,
        i.is_ranked,
        cast(i.decimals as integer) as decimals,
        {{ variance_of_share('v', 'i') }} as variance,
        cast(extract(year from v.period_end) as integer) as year,
        -- A series between two breaks: nothing is compared across them.
        sum(case when v.series_break_before then 1 else 0 end) over (
            partition by v.indicator_id, v.area_code, {{ breakdown_columns('v.') }}
            order by v.period_end
        ) as span
    from {{ ref('fct_told_value') }} as v
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    -- A published range has the city, the Land and Germany beside it, and no place, distance or change.
    where (v.value is not null or v.status = 'range')
        and {{ is_changed('v.indicator_id', 'indicator') }}
        -- The whole that a distribution distributes is 100 everywhere: there is nothing to compare.
        and not (
            i.kind = 'distribution'
            {%- for name in var('breakdowns') %}
            and (v.{{ name }} = 'total' or position(', {{ name }},' in ', ' || i.constant_over || ',') = 0)
            {%- endfor %}
        )
),

above as (
    select
        indicator_id, period_start, period_end, {{ breakdown_columns() }},
        max(case when area_code = 'DG' then value end) as value_country,
        max(case when area_code = substr(m.code, 1, 2) then value end) as value_state,
        max(case when area_code = m.code then value end) as value_city
    from told
    cross join (select area_code as code from {{ source('raw', 'municipality') }}) as m
    where area_code in ('DG', substr(m.code, 1, 2), m.code)
    group by indicator_id, period_start, period_end, {{ breakdown_columns() }}
),

-- The peers' mean is a mean of cities: every one of them counts the same.
peers as (
    select
        t.indicator_id, t.period_start, t.period_end, {{ breakdown_columns('t.') }},
        cast(sum(cast(t.value as decimal(28, 6))) as double) / count(t.value) as value_peers
    from told as t
    inner join {{ source('raw', 'peer') }} as p on p.area_code = t.area_code
    group by t.indicator_id, t.period_start, t.period_end, {{ breakdown_columns('t.') }}
),

tied as (
    select
        *,
        count(*) over (
            partition by
                indicator_id, area_level, period_start, period_end, {{ breakdown_columns() }},
                case when area_level = 'district' then substr(area_code, 1, 2) end, value
        ) as areas_of_value
    from told
),

ranked as (
    select
        t.*,
        rank() over (place order by case when t.better = 'lower' then t.value else -t.value end nulls last) as rank,
        count(t.value) over (place) as rank_of,
        sum(case when t.value is not null and t.areas_of_value > 1 then 1 else 0 end) over (place) as areas_tied,
        -- The least-squares slope of five successive years, written out: in any order of rows the same bits.
        (2 * (t.value - lag(t.value, 4) over series) + lag(t.value, 1) over series - lag(t.value, 3) over series)
            / 10 as slope,
        count(*) over (series rows between 4 preceding and current row) as years,
        lag(t.year, 4) over series as first_year,
        lag(t.value) over series as value_before,
        lag(t.year) over series as year_before,
        {{ uncertainty([('t', 1), ('lag(t, 1)', 1)]) }} as change_tolerance,
        {{ uncertainty([('t', 0.2), ('lag(t, 4)', 0.2), ('lag(t, 1)', 0.1), ('lag(t, 3)', 0.1)]) }} as trend_tolerance
    from tied as t
    window
        -- Cities and counties of the own Land are ranked among each other, parts of the city among theirs.
        place as (
            partition by
                t.indicator_id, t.area_level, t.period_start, t.period_end, {{ breakdown_columns('t.') }},
                case when t.area_level = 'district' then substr(t.area_code, 1, 2) end
        ),
        series as (
            partition by t.indicator_id, t.area_code, {{ breakdown_columns('t.') }}, t.span
            order by t.period_end
        )
)

select
    r.indicator_id,
    r.area_code,
    r.period_start,
    r.period_end,
    {{ breakdown_columns('r.') }},
    case when r.area_level not in ('country', 'state', 'region', 'district') then a.value_city end as value_city,
    case when r.area_level <> 'country' then a.value_state end as value_state,
    case when r.area_level <> 'country' or r.area_code <> 'DG' then a.value_country end as value_country,
    case when r.area_code = m.area_code then round(p.value_peers, r.decimals + 1) end as value_peers,
    case when {{ is_place }} then cast(r.rank as integer) end as rank,
    case when {{ is_place }} then cast(r.rank_of as integer) end as rank_of,
    {{ rounded(
        "(r.value - case when r.area_level in ('country', 'state', 'region', 'district')"
        ~ " then a.value_state else a.value_city end)",
        'r.decimals'
    ) }} as distance,
    {{ change }} as change_previous_year,
    {{ change_tolerance }} as change_tolerance,
    {{ is_within(change, change_tolerance) }} as is_change_uncertain,
    {{ trend }} as trend_per_year,
    {{ trend_tolerance }} as trend_tolerance,
    {{ is_within(trend, trend_tolerance) }} as is_trend_uncertain
from ranked as r
cross join {{ source('raw', 'municipality') }} as m
left join above as a
    on a.indicator_id = r.indicator_id
    and a.period_start = r.period_start
    and a.period_end = r.period_end
    {{ same_breakdowns('a', 'r') }}
left join peers as p
    on p.indicator_id = r.indicator_id
    and p.period_start = r.period_start
    and p.period_end = r.period_end
    {{ same_breakdowns('p', 'r') }}
