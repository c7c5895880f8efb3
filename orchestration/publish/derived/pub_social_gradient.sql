-- One row per social index, educational outcome and year: how the outcome goes with the index over the areas.
with outcome as (
    select
        o.index_id, v.indicator_id, v.area_code, v.unit, v.estimate as value, v.denominator,
        cast(year(v.period_end - interval 3 month) as integer) as year,
        v.period_label
    from index_outcome as o
    inner join total_value as v on v.indicator_id = o.indicator_id and v.area_level = o.area_level
    where v.estimate is not null
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

-- Every area counts with its people where their number is known: a rate of forty children is no point like one of four hundred.
centre as (
    select
        *,
        coalesce(denominator, 1) as weight,
        value - sum(value * coalesce(denominator, 1)) over here / sum(coalesce(denominator, 1)) over here as y,
        burden - sum(burden * coalesce(denominator, 1)) over here / sum(coalesce(denominator, 1)) over here as x,
        sum(value * coalesce(denominator, 1)) over here / sum(coalesce(denominator, 1)) over here as mean
    from pair
    window here as (partition by index_id, indicator_id, period_label, unit)
),

line as (
    select
        index_id, indicator_id, period_label, unit,
        count(*) as areas,
        sum(weight * x * x) as sxx, sum(weight * x * y) as sxy, sum(weight * y * y) as syy,
        -- What chance alone moves a percentage by, times its people; nothing is known of other units.
        any_value(case when unit = 'percent' and denominator is not null and mean between 0 and 100 then mean * (100 - mean) else 0 end)
            as chance,
        sum(value * weight) filter (where fifth = 1) / sum(weight) filter (where fifth = 1) as least,
        sum(value * weight) filter (where fifth = 5) / sum(weight) filter (where fifth = 5) as most
    from centre
    group by index_id, indicator_id, period_label, unit
),

fitted as (
    select
        *,
        sxy / nullif(sxx, 0) as slope,
        sxy * sxy / nullif(sxx * syy, 0) as explained,
        -- The areas scatter about the line by chance, or by more than chance.
        sqrt(greatest((syy - sxy * sxy / nullif(sxx, 0)) / nullif(areas - 2, 0), chance, 0) / nullif(sxx, 0)) as standard_error,
        -- The 97.5 % quantile of Student's distribution, by Cornish and Fisher.
        1.96 + 2.372 / (areas - 2) + 2.822 / ((areas - 2) * (areas - 2)) as quantile
    from line
    where areas >= 10 -- a line through a handful of points says nothing
)

select
    index_id,
    indicator_id,
    period_label,
    unit,
    cast(areas as integer) as areas,
    round(slope, 2) as slope,
    round(standard_error, 2) as standard_error,
    round(slope - quantile * standard_error, 2) as slope_low,
    round(slope + quantile * standard_error, 2) as slope_high,
    round(explained, 2) as explained_share,
    round(least, 1) as value_least_burdened,
    round(most, 1) as value_most_burdened,
    round(most - least, 1) as difference
from fitted
-- An outcome that is a part of the index goes with it by construction.
where not exists (
    select 1 from index_component as c where c.index_id = fitted.index_id and c.indicator_id = fitted.indicator_id
)
