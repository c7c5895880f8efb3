-- One row per field of action and indicator that serves it: where the city stands, and what is done about it.
with served as (
    select trim(f.field_of_action) as field_of_action, i.indicator_id, i.indicator_name_de, i.indicator_name_en, i.unit
    from indicator as i
    cross join lateral (select unnest(string_split(i.fields_of_action, ',')) as field_of_action) as f
),

field as (
    select substr(cell, 7) as field_of_action, label_de, label_en
    from breakdown_cell
    where breakdown = 'category' and starts_with(cell, 'field_')
),

city as (
    select *
    from total_value
    where area_code = getvariable('home') and coalesce(value, value_to) is not null
    qualify row_number() over (partition by indicator_id order by period_end desc) = 1
),

done as (
    select
        field_of_action,
        count(distinct measure_number) filter (where measure_status = 'implemented') as implemented,
        count(distinct measure_number) filter (where measure_status = 'running') as running,
        count(distinct measure_number) filter (where measure_status = 'planned') as planned
    from pub_measures
    group by field_of_action
),

partner as (
    select field_of_action, count(*) as partners from pub_network group by field_of_action
),

finding as (
    select indicator_id, count(*) as findings from pub_findings group by indicator_id
)

select
    f.field_of_action,
    f.label_de as field_name_de,
    f.label_en as field_name_en,
    s.indicator_id,
    s.indicator_name_de,
    s.indicator_name_en,
    c.period_label,
    c.value,
    c.value_from,
    c.value_to,
    s.unit,
    c.value_state,
    c.value_country,
    c.value_peers,
    c.change_previous_year,
    c.change_tolerance,
    c.is_change_uncertain,
    c.trend_per_year,
    c.is_trend_uncertain,
    cast(coalesce(g.findings, 0) as integer) as findings,
    cast(coalesce(d.implemented, 0) as integer) as measures_implemented,
    cast(coalesce(d.running, 0) as integer) as measures_running,
    cast(coalesce(d.planned, 0) as integer) as measures_planned,
    cast(coalesce(p.partners, 0) as integer) as network_partners
from field as f
inner join served as s on s.field_of_action = f.field_of_action
left join city as c on c.indicator_id = s.indicator_id
left join done as d on d.field_of_action = f.field_of_action
left join partner as p on p.field_of_action = f.field_of_action
left join finding as g on g.indicator_id = s.indicator_id
