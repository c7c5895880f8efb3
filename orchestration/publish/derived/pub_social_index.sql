-- One row per social index, area and year: its place, and how much of it hangs on the weights.
with component as (
    select
        c.index_id, c.indicator_id, c.weight, v.area_code,
        -- As in the index: children in care on 1 March belong to the year that ended before.
        cast(year(v.period_end - interval 3 month) as integer) as year,
        v.value
    from index_component as c
    inner join total_value as v on v.indicator_id = c.indicator_id and v.area_level = c.area_level
    where v.value is not null
),

index_value as (
    select indicator_id as index_id, area_code, period_label, period_end, value, cast(year(period_end) as integer) as year
    from indicator_value
    where indicator_id in (select index_id from index_component) and value is not null
),

scored as (
    select c.*, (c.value - avg(c.value) over here) / nullif(stddev_pop(c.value) over here, 0) as score
    from component as c
    inner join index_value as x
        on x.index_id = c.index_id and x.area_code = c.area_code and x.year = c.year
    window here as (partition by c.index_id, c.indicator_id, c.year)
),

-- Each component once left out, and once weighing twice as much.
weighting as (
    select
        s.index_id, s.area_code, s.year, k.indicator_id as changed, f.factor,
        sum(s.score * s.weight * case when s.indicator_id = k.indicator_id then f.factor else 1 end)
        / sum(s.weight * case when s.indicator_id = k.indicator_id then f.factor else 1 end) as value
    from scored as s
    inner join index_component as k on k.index_id = s.index_id
    cross join (select unnest([0, 2]) as factor) as f
    group by s.index_id, s.area_code, s.year, k.indicator_id, f.factor
),

ranked as (
    select *, rank() over (partition by index_id, year, changed, factor order by value desc) as place
    from weighting
),

spread as (
    select
        index_id, area_code, year,
        min(value) as value_low, max(value) as value_high, min(place) as rank_low, max(place) as rank_high
    from ranked
    group by index_id, area_code, year
)

select
    x.index_id,
    x.area_code,
    a.area_name,
    x.period_label,
    x.period_end,
    x.value,
    cast(rank() over (partition by x.index_id, x.year order by x.value desc) as integer) as rank,
    cast(count(*) over (partition by x.index_id, x.year) as integer) as rank_of,
    round(least(s.value_low, x.value), 2) as value_low,
    round(greatest(s.value_high, x.value), 2) as value_high,
    cast(s.rank_low as integer) as rank_low,
    cast(s.rank_high as integer) as rank_high
from index_value as x
inner join area as a on a.area_code = x.area_code
left join spread as s on s.index_id = x.index_id and s.area_code = x.area_code and s.year = x.year
