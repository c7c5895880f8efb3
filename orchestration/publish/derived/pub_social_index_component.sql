-- One row per social index, area, year and component: what it says, how sure that is, and the score that the index is the weighted
-- sum of. The same computation as of the index itself (int_social_index), from published figures.
with declared as (
    select *, weight / sum(weight) over (partition by index_id) as share
    from index_component
),

component as (
    select
        c.index_id, c.indicator_id, c.share, v.area_code, v.period_label as component_period_label, v.unit, i.multiplier,
        -- Children in care on 1 March belong to the year that ended before.
        cast(year(v.period_end - interval 3 month) as integer) as year,
        v.estimate as value, v.value as published_value, v.value_from, v.value_to,
        v.numerator, v.denominator, coalesce(v.rounded_to, 1) as base
    from declared as c
    inner join public_total_value as v on v.indicator_id = c.indicator_id and v.area_level = c.area_level
    inner join indicator as i on i.indicator_id = c.indicator_id
    where v.estimate is not null
),

-- Chance and rounding move a share of few people farther than one of many: by this variance.
counted as (
    select
        *,
        case when unit = 'percent' and multiplier = 100 and numerator >= 0 and denominator > 0 then denominator end as people
    from component
),

noisy as (
    select *, 100 * sum(numerator) filter (where people is not null) over here / nullif(sum(people) over here, 0) as rate
    from counted
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
),

-- A component that is not published of an area counts as the mean of all; how far off that may be, is what the areas differ by.
cell as (
    select a.index_id, a.year, a.area_code, k.indicator_id, k.share, k.spread, k.between_areas
    from (select distinct index_id, year, area_code from scored) as a
    inner join (
        select index_id, year, indicator_id, max(share) as share, max(spread) as spread, max(between_areas) as between_areas
        from scored
        group by index_id, year, indicator_id
    ) as k on k.index_id = a.index_id and k.year = a.year
    where k.spread is not null
),

centred as (
    select *, smoothed_value - avg(smoothed_value) over (partition by index_id, indicator_id, year) as distance
    from scored
)

select
    c.index_id,
    c.indicator_id,
    c.area_code,
    '31.12.' || c.year as period_label,
    make_date(c.year, 12, 31) as period_end,
    s.component_period_label,
    c.share as weight,
    s.published_value as value,
    s.value_from,
    s.value_to,
    round(coalesce(s.reliability, 0), 3) as reliability,
    round(s.smoothed_value, 3) as smoothed_value,
    round(coalesce(s.distance, 0) / c.spread, 4) as score,
    round(
        case
            when s.value is not null then coalesce(sqrt(s.reliability * s.noise), 0)
            else coalesce(sqrt(c.between_areas), c.spread)
        end / c.spread, 4
    ) as standard_error
from cell as c
left join centred as s
    on s.index_id = c.index_id and s.year = c.year and s.area_code = c.area_code and s.indicator_id = c.indicator_id
