-- One row per measure of the education office and indicator linked to it; a measure without one has one row.
with newest as (
    select * from measures_and_projects
    where period_end = (select max(period_end) from measures_and_projects)
),

linked as (
    select n.*, trim(l.indicator_id) as indicator_id
    from newest as n
    left join lateral (select unnest(string_split(n.indicators, ',')) as indicator_id) as l
        on trim(l.indicator_id) <> ''
),

-- The city's own value of an indicator that is not broken down, by period; `span` counts breaks.
city as (
    select
        indicator_id, period_end, period_label, value, unit,
        sum(case when series_break_before then 1 else 0 end) over (
            partition by indicator_id order by period_end
        ) as span
    from total_value
    where area_code = getvariable('home') and value is not null
),

latest as (
    select indicator_id, unit, arg_max(value, period_end) as value, arg_max(period_label, period_end) as label,
        arg_max(span, period_end) as span, max(period_end) as period_end
    from city
    group by indicator_id, unit
),

-- Where the measure began: the last value that it can't have changed yet, else the first there is.
start as (
    select
        l.number, l.indicator_id,
        coalesce(
            max(c.period_end) filter (where c.period_end <= l.since), min(c.period_end)
        ) as period_end
    from linked as l
    inner join city as c on c.indicator_id = l.indicator_id
    where l.since is not null
    group by l.number, l.indicator_id
)

select
    cast(l.number as integer) as measure_number,
    l.title as measure_title,
    replace(l.field_of_action, 'field_', '') as field_of_action,
    l.status as measure_status,
    l.responsible,
    l.partners,
    l.since as began_on,
    l.until as finished_on,
    l.life_stage,
    l.target_group,
    l.indicator_id,
    e.unit,
    b.period_label as period_at_start,
    b.value as value_at_start,
    e.label as period_latest,
    e.value as value_latest,
    -- Nothing is compared across a break, nor before a measure has begun to work.
    case
        when b.span = e.span and b.period_end < e.period_end and l.status <> 'planned'
            then round(e.value - b.value, 4)
    end as change_since_start,
    case when b.span <> e.span then true when b.span is not null then false end as series_break_between
from linked as l
left join latest as e on e.indicator_id = l.indicator_id
left join start as s on s.number = l.number and s.indicator_id = l.indicator_id
left join city as b on b.indicator_id = s.indicator_id and b.period_end = s.period_end
