{#
  K2.1: places wanted after lessons less places there are, per primary school: the share of parents who
  want one, times the pupils, less places. Three terms, one of them a product: no formula of two.
#}
with school as (
    select
        t.area_code,
        t.area_level,
        t.period_start,
        t.period_end,
        t.period_label,
        max(case when t.measure_id = 'all_day_demand' and t.grade = 'total' then t.value end) as wanted,
        max(case when t.measure_id = 'all_day_survey_answers' and t.grade = 'total' then t.value end) as answers,
        max(case when t.measure_id = 'register_pupils' and t.school_type = 'SCHULE03' then t.value end) as pupils,
        max(case when t.measure_id = 'after_school_places' then t.value end) as places,
        max(t.retrieved_at) as retrieved_at
    from {{ ref('fct_measure') }} as t
    where t.sex = 'total' and t.nationality = 'total'
        and t.measure_id in ('all_day_demand', 'all_day_survey_answers', 'register_pupils', 'after_school_places')
    group by t.area_code, t.area_level, t.period_start, t.period_end, t.period_label
),

estimated as (
    select
        *,
        {{ told('wanted', '5') }} / {{ told('answers', '5') }} * {{ told('pupils', '5') }} as demand
    from school
    -- A share of fewer than thirty answers says nothing and tells too much.
    where answers >= 30 and pupils > 0 and places is not null
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
    round(demand) as numerator,
    places as denominator,
    5 as numerator_rounding,
    1 as denominator_rounding,
    1 as numerator_protection,
    1 as denominator_protection,
    round(demand) - places as value,
    'survey_all_day, pupils, after_school_care' as source,
    retrieved_at
from estimated
