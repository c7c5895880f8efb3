{#
  K2.1: places wanted less all places there are, per primary school: the share of parents who want one, times the
  pupils, less the places of after-school care and those taken in all-day school. A pupil of an all-day school is in it
  whether the parents asked for it or not, so only places of after-school care can be free. The city's value adds up
  what each school lacks: free places of one school are no places of another.
#}
{%- set published = published_count('t.value', '5', 't.kept') -%}
with school as (
    select
        t.area_code,
        t.area_level,
        t.period_start,
        t.period_end,
        t.period_label,
        max(case when t.measure_id = 'all_day_demand' and t.grade = 'total' then t.value end) as wanted,
        max(case when t.measure_id = 'all_day_demand' and t.grade = 'total' then {{ published }} end) as published_wanted,
        max(case when t.measure_id = 'all_day_survey_answers' and t.grade = 'total' then t.value end) as answers,
        max(case when t.measure_id = 'all_day_survey_answers' and t.grade = 'total' then {{ published }} end) as published_answers,
        max(case when t.measure_id = 'register_pupils' and t.school_type = 'SCHULE03' then t.value end) as pupils,
        max(case when t.measure_id = 'register_pupils' and t.school_type = 'SCHULE03' then {{ published }} end) as published_pupils,
        max(case when t.measure_id = 'after_school_places' then t.value end) as after_school_places,
        max(case when t.measure_id = 'register_all_day_pupils' and t.school_type = 'SCHULE03' then t.value end)
            as all_day_pupils,
        max(case when t.measure_id = 'register_all_day_pupils' and t.school_type = 'SCHULE03' then {{ published }} end)
            as published_all_day_pupils,
        max(t.retrieved_at) as retrieved_at
    from {{ ref('fct_measure') }} as t
    where t.sex = 'total' and t.nationality = 'total' and t.area_level = 'school'
        and t.measure_id in (
            'all_day_demand', 'all_day_survey_answers', 'register_pupils', 'after_school_places',
            'register_all_day_pupils'
        )
    group by t.area_code, t.area_level, t.period_start, t.period_end, t.period_label
),

estimated as (
    select
        *,
        round(published_wanted / published_answers * published_pupils) as demand,
        after_school_places,
        published_all_day_pupils as all_day_places
    from school
    -- A share of few answers says nothing and tells too much. Rounded counts decide.
    where published_answers >= {{ var('least_per_base') }} * 5 and published_pupils > 0
        and after_school_places is not null and all_day_pupils is not null
),

supplied as (
    select
        *,
        -- Whom all-day school takes in beyond the demand takes no place away that anybody else could have.
        case when demand < all_day_places then demand else all_day_places end + after_school_places as places
    from estimated
),

figure as (
    select
        area_code, area_level, period_start, period_end, period_label, demand, places,
        wanted, answers, pupils, all_day_pupils, retrieved_at
    from supplied
    union all
    select
        h.area_code,
        'district' as area_level,
        e.period_start, e.period_end, e.period_label,
        sum(case when e.demand > e.places then e.demand else 0 end) as demand,
        sum(case when e.demand > e.places then e.places else 0 end) as places,
        cast(null as double) as wanted,
        cast(null as double) as answers,
        cast(null as double) as pupils,
        cast(null as double) as all_day_pupils,
        max(e.retrieved_at) as retrieved_at
    from supplied as e
    cross join {{ source('raw', 'municipality') }} as h
    group by h.area_code, e.period_start, e.period_end, e.period_label
)

select
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {%- for name in var('breakdowns') %}
    'total' as {{ name }},
    {%- endfor %}
    demand as numerator,
    places as denominator,
    5 as numerator_rounding,
    5 as denominator_rounding,
    1 as numerator_protection,
    1 as denominator_protection,
    demand - places as value,
    wanted,
    answers,
    pupils,
    all_day_pupils,
    'survey_all_day, pupils, after_school_care' as source,
    retrieved_at
from figure
