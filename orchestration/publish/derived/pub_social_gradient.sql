-- One row per social index, educational outcome and year: how the outcome goes with the index over the areas.
with outcome as (
    select
        o.index_id, v.indicator_id, v.area_code, v.unit, v.value, v.denominator,
        cast(year(v.period_end - interval 3 month) as integer) as year,
        v.period_label
    from index_outcome as o
    inner join total_value as v on v.indicator_id = o.indicator_id and v.area_level = o.area_level
    where v.value is not null
),

pair as (
    select
        o.*, s.value as burden,
        ntile(5) over (
            partition by o.index_id, o.indicator_id, o.period_label order by s.value, o.area_code
        ) as fifth
    from outcome as o
    inner join pub_social_index as s
        on s.index_id = o.index_id and s.area_code = o.area_code and year(s.period_end) = o.year
),

line as (
    select
        index_id, indicator_id, period_label, unit,
        count(*) as areas,
        regr_slope(value, burden) as slope,
        regr_r2(value, burden) as explained,
        sqrt(
            greatest(regr_syy(value, burden) - regr_slope(value, burden) * regr_sxy(value, burden), 0)
            / nullif(count(*) - 2, 0) / nullif(regr_sxx(value, burden), 0)
        ) as standard_error,
        -- A mean of people, not of areas, where it is known how many stand behind a value.
        sum(value * coalesce(denominator, 1)) filter (where fifth = 1)
            / sum(coalesce(denominator, 1)) filter (where fifth = 1) as least,
        sum(value * coalesce(denominator, 1)) filter (where fifth = 5)
            / sum(coalesce(denominator, 1)) filter (where fifth = 5) as most
    from pair
    group by index_id, indicator_id, period_label, unit
)

select
    index_id,
    indicator_id,
    period_label,
    unit,
    cast(areas as integer) as areas,
    round(slope, 2) as slope,
    round(standard_error, 2) as standard_error,
    round(explained, 2) as explained_share,
    round(least, 1) as value_least_burdened,
    round(most, 1) as value_most_burdened,
    round(most - least, 1) as difference
from line
-- A line through a handful of points says nothing.
where areas >= 10
