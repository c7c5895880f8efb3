-- One row per social index, area, year and published component: what it says, how sure that is, and the score that the index is
-- the weighted mean of. The same computation as of the index itself (int_social_index), from the release.
with component as (
    select
        c.index_id, c.indicator_id, c.weight, v.area_code, v.period_label as component_period_label, v.unit,
        -- Children in care on 1 March belong to the year that ended before.
        cast(year(v.period_end - interval 3 month) as integer) as year,
        v.value, v.numerator, v.denominator, coalesce(v.rounded_to, 1) as base
    from index_component as c
    inner join total_value as v on v.indicator_id = c.indicator_id and v.area_level = c.area_level
    where v.value is not null
),

-- Chance and rounding move a share of few people farther than one of many: by this variance.
noisy as (
    select
        *,
        case when unit = 'percent' and numerator >= 0 and denominator > 0 then denominator end as people,
        100 * sum(numerator) over here / nullif(sum(denominator) over here, 0) as rate
    from component
    window here as (partition by index_id, indicator_id, year)
),

measured as (
    select
        *,
        greatest(rate * (100 - rate), 0) / people
        + (base * base - 1) / 12 * (10000 + value * value) / (people * people) as noise
    from noisy
),

-- What the areas differ by beyond that (Marshall 1991): so much of a figure's distance from the rate of all is kept.
related as (
    select
        *,
        greatest(
            (sum(people * (value - rate) * (value - rate)) over here - sum(people * noise) over here)
            / nullif(sum(people) over here, 0), 0
        ) as between_areas
    from measured
    window here as (partition by index_id, indicator_id, year)
),

smoothed as (
    select
        *,
        case when noise is null then 1 else coalesce(between_areas / nullif(between_areas + noise, 0), 1) end as reliability
    from related
),

scored as (
    select
        *,
        case when noise is null then value else rate + reliability * (value - rate) end as smoothed_value,
        nullif(stddev_pop(value) over (partition by index_id, indicator_id, year), 0) as spread
    from smoothed
)

select
    index_id,
    indicator_id,
    area_code,
    '31.12.' || year as period_label,
    make_date(year, 12, 31) as period_end,
    component_period_label,
    weight,
    value,
    round(reliability, 3) as reliability,
    round(smoothed_value, 3) as smoothed_value,
    round((smoothed_value - avg(smoothed_value) over here) / spread, 4) as score,
    round(coalesce(sqrt(reliability * noise), 0) / spread, 4) as standard_error
from scored
where spread is not null
window here as (partition by index_id, indicator_id, year)
