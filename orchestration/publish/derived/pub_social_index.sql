-- One row per social index, area and year: its place, and how much of it hangs on the weights and on chance.
with index_value as (
    select indicator_id as index_id, area_code, period_label, period_end, value
    from indicator_value
    where indicator_id in (select index_id from index_component) and value is not null
),

scored as (
    select s.*
    from pub_social_index_component as s
    inner join index_value as x
        on x.index_id = s.index_id and x.area_code = s.area_code and x.period_end = s.period_end
),

-- As declared, each component once left out, and once weighing twice as much.
variant as (
    select index_id, cast(null as varchar) as changed, 1 as factor from (select distinct index_id from index_component)
    union all
    select k.index_id, k.indicator_id, f.factor
    from index_component as k
    cross join (select unnest([0, 2]) as factor) as f
),

weighting as (
    select
        s.index_id, s.area_code, s.period_end, v.changed, v.factor,
        count(s.smoothed_value) as components,
        round(sum(s.score * s.weight * w.factor) / nullif(sum(s.weight * w.factor), 0), 6) as value,
        sqrt(sum(power(s.standard_error * s.weight * w.factor, 2))) / nullif(sum(s.weight * w.factor), 0) as standard_error
    from scored as s
    inner join variant as v on v.index_id = s.index_id
    cross join lateral (select case when s.indicator_id = v.changed then v.factor else 1 end as factor) as w
    group by s.index_id, s.area_code, s.period_end, v.changed, v.factor
),

ranked as (
    select *, rank() over (partition by index_id, period_end, changed, factor order by value desc) as place
    from weighting
),

-- An area is surely more burdened than another where they are farther apart than chance puts them.
surely as (
    select
        one.index_id, one.area_code, one.period_end,
        count(*) filter (where other.value - one.value > 1.96 * sqrt(power(one.standard_error, 2) + power(other.standard_error, 2)))
            as above,
        count(*) filter (where one.value - other.value > 1.96 * sqrt(power(one.standard_error, 2) + power(other.standard_error, 2)))
            as below,
        count(*) as areas
    from weighting as one
    inner join weighting as other
        on other.index_id = one.index_id and other.period_end = one.period_end and other.changed is null
    where one.changed is null
    group by one.index_id, one.area_code, one.period_end
),

spread as (
    select
        index_id, area_code, period_end,
        max(components) as components,
        max(value) filter (where changed is null) as value,
        max(standard_error) filter (where changed is null) as standard_error,
        min(value - 1.96 * standard_error) as value_low, max(value + 1.96 * standard_error) as value_high,
        min(place) as rank_low, max(place) as rank_high
    from ranked
    group by index_id, area_code, period_end
),

placed as (
    select *, rank() over (partition by index_id, period_end order by value desc) as rank
    from index_value
)

select
    x.index_id,
    x.area_code,
    a.area_name,
    x.period_label,
    x.period_end,
    x.value,
    cast(s.components as integer) as components,
    round(s.standard_error, 2) as standard_error,
    cast(x.rank as integer) as rank,
    cast(count(*) over (partition by x.index_id, x.period_end) as integer) as rank_of,
    case when s.value is not null then round(least(s.value_low, x.value), 2) end as value_low,
    case when s.value is not null then round(greatest(s.value_high, x.value), 2) end as value_high,
    case when s.value is not null then cast(least(s.rank_low, c.above + 1, x.rank) as integer) end as rank_low,
    case when s.value is not null then cast(greatest(s.rank_high, c.areas - c.below, x.rank) as integer) end as rank_high
from placed as x
inner join area as a on a.area_code = x.area_code
-- Where a component's table is held, what is published of it is not what the index is made of: then nothing is said of the band.
left join spread as s
    on s.index_id = x.index_id and s.area_code = x.area_code and s.period_end = x.period_end
    and abs(s.value - x.value) <= 0.0051
left join surely as c on c.index_id = x.index_id and c.area_code = x.area_code and c.period_end = x.period_end
