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
        v.indicator_id, v.period_end, v.period_label, v.value, v.value_state, v.unit,
        coalesce(v.tolerance, 0) as tolerance,
        case
            when i.is_share_of_people and v.denominator > 0
                then power(i.multiplier, 2) * greatest(v.numerator * (v.denominator - v.numerator), 0)
                    / power(v.denominator, 3)
            else 0
        end as variance,
        sum(case when v.series_break_before then 1 else 0 end) over (
            partition by v.indicator_id order by v.period_end
        ) as span
    from total_value as v
    left join indicator as i on i.indicator_id = v.indicator_id
    -- A range is the last figure, too: what changed since is not known then.
    where v.area_code = getvariable('home') and v.estimate is not null
),

-- The last figure from before a measure began, and the last one before it ended: what it may have changed lies between.
ends as (
    select
        l.number, l.indicator_id,
        max(c.period_end) filter (where c.period_end <= l.since) as start_end,
        max(c.period_end) filter (where c.period_end <= coalesce(l.until, date '9999-12-31')) as last_end
    from linked as l
    inner join city as c on c.indicator_id = l.indicator_id
    where l.since is not null and l.status <> 'planned'
    group by l.number, l.indicator_id
),

compared as (
    select
        e.number, e.indicator_id, b.unit,
        b.period_label as period_at_start, b.value as value_at_start,
        z.period_label as period_at_end, z.value as value_at_end,
        b.span = z.span as is_comparable,
        z.value - b.value as change,
        z.value_state - b.value_state as change_state,
        b.tolerance + z.tolerance + 1.96 * sqrt(b.variance + z.variance) as change_tolerance
    from ends as e
    inner join city as b on b.indicator_id = e.indicator_id and b.period_end = e.start_end
    inner join city as z on z.indicator_id = e.indicator_id and z.period_end = e.last_end
    where e.last_end > e.start_end
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
    k.unit,
    c.period_at_start,
    c.value_at_start,
    c.period_at_end,
    c.value_at_end,
    -- Nothing is compared across a break.
    case when c.is_comparable then round(c.change, 4) end as change_during_measure,
    case when c.is_comparable then round(c.change_tolerance, 4) end as change_tolerance,
    case when c.is_comparable then abs(c.change) <= c.change_tolerance end as is_change_uncertain,
    case when c.is_comparable then round(c.change_state, 4) end as change_state,
    not c.is_comparable as series_break_between
from linked as l
left join compared as c on c.number = l.number and c.indicator_id = l.indicator_id
left join (select distinct indicator_id, unit from city) as k on k.indicator_id = l.indicator_id
