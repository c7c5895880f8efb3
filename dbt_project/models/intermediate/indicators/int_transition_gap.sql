{#
  D4.2: by how many points more children go on to a Gymnasium from primary schools where few pupils
  speak another language at home than from schools where many do. The groups lie on either side of
  the median school; no formula of two terms knows a median. From told counts.
#}
with school as (
    select
        t.area_code as school,
        t.period_start,
        t.period_end,
        t.period_label,
        max(case when t.measure_id = 'register_transitions' and t.school_type = 'total' then t.value end) as leavers,
        max(case when t.measure_id = 'register_transitions' and t.school_type = 'SCHULE08' then t.value end) as to_grammar,
        max(case when t.measure_id = 'register_pupils' and t.school_type = 'SCHULE03' then t.value end) as pupils,
        max(case when t.measure_id = 'register_pupils_other_language' and t.school_type = 'SCHULE03' then t.value end)
            as other_language,
        max(t.retrieved_at) as retrieved_at
    from {{ ref('fct_measure') }} as t
    where t.area_level = 'school' and t.sex = 'total' and t.nationality = 'total'
        and t.measure_id in ('register_transitions', 'register_pupils', 'register_pupils_other_language')
    group by t.area_code, t.period_start, t.period_end, t.period_label
),

halves as (
    select
        *,
        other_language / pupils > median(other_language / pupils) over (partition by period_end) as is_upper
    from school
    where pupils > 0 and leavers > 0
),

sums as (
    select
        period_start, period_end, period_label,
        {{ rounded_count('sum(case when not is_upper then to_grammar end)', '5') }} as low_to,
        {{ rounded_count('sum(case when not is_upper then leavers end)', '5') }} as low_all,
        {{ rounded_count('sum(case when is_upper then to_grammar end)', '5') }} as high_to,
        {{ rounded_count('sum(case when is_upper then leavers end)', '5') }} as high_all,
        max(retrieved_at) as retrieved_at
    from halves
    group by period_start, period_end, period_label
)

select
    m.area_code,
    'district' as area_level,
    s.period_start,
    s.period_end,
    s.period_label,
    {%- for name in var('breakdowns') %}
    'total' as {{ name }},
    {%- endfor %}
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    5 as numerator_rounding,
    5 as denominator_rounding,
    5 as numerator_protection,
    5 as denominator_protection,
    round(100 * s.low_to / s.low_all - 100 * s.high_to / s.high_all, 1) as value,
    'school_movements, pupils' as source,
    s.retrieved_at
from sums as s
cross join {{ source('raw', 'municipality') }} as m
where s.low_all >= {{ var('least_per_base') }} * 5 and s.high_all >= {{ var('least_per_base') }} * 5
