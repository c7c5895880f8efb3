{#
  Which counts of registers every figure is made of: what a reader learns of whom from a numerator or denominator.
  A term that adds several measures up is a count of its own, their sum: its measures, and its cells where they
  differ, stand in one text with ` + ` between them. What models of several measures publish stands here, too.
#}
{{ changed_part('indicator_id', 'indicator') }}
with counting as (
    select t.indicator_id, t.origin, t.role, max(p.rounding) as base
    from {{ source('catalogue', 'indicator_term') }} as t
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = t.measure_id
    where {{ is_changed('t.indicator_id', 'indicator') }}
    group by t.indicator_id, t.origin, t.role
    -- Lesson hours of pupils are protected, but no count: parts do not bound them as they bound a number of people.
    having max(p.rounding) > 1 and max(case when p.rounding > 1 and not p.is_count then 1 else 0 end) = 0
),

term as (
    select
        t.*,
        l.area_level,
        c.base
    from {{ source('catalogue', 'indicator_term') }} as t
    inner join counting as c
        on c.indicator_id = t.indicator_id and c.origin = t.origin and c.role = t.role
    inner join {{ source('catalogue', 'indicator_level') }} as l
        on l.indicator_id = t.indicator_id and l.origin = t.origin
),

figure as (
    select
        v.*,
        i.alignment,
        {{ too_few_people('v.', 'i.') }} as is_hidden,
        -- That there is nobody to relate to says that the denominator is published as 0, and nothing of the numerator.
        {{ nobody_to_relate('v.', 'i.') }} as is_of_nobody
    from {{ ref('fct_indicator_value') }} as v
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    where (v.value is not null or {{ nobody_to_relate('v.', 'i.') }}) and {{ is_changed('v.indicator_id', 'indicator') }}
),

-- What a figure's terms count, spelled out for the few combinations of cells there are and not for every figure.
combination as (
    select distinct indicator_id, area_level, {{ breakdown_columns() }}
    from figure
),

counted as (
    select
        v.indicator_id,
        v.area_level,
        {{ breakdown_columns('v.') }},
        t.role,
        t.measure_id,
        {%- for name in var('breakdowns') %}
        {{ cells_of(name) }} as counted_{{ name }},
        {%- endfor %}
        any_value(t.base) as base
    from combination as v
    inner join term as t
        on t.indicator_id = v.indicator_id
        and t.area_level = v.area_level
        {%- for name in var('breakdowns') %}
        and (
            t.{{ name }}_shown is null
            or (t.{{ name }}_shown = 'total' and v.{{ name }} = 'total')
            or (t.{{ name }}_shown = 'cell' and t.{{ name }} in ('*', v.{{ name }}))
        )
        {%- endfor %}
    group by v.indicator_id, v.area_level, {{ breakdown_columns('v.') }}, t.role, t.measure_id
),

summed as (
    select
        indicator_id,
        area_level,
        {{ breakdown_columns() }},
        role,
        {{ joined('measure_id', 'measure_id', ' + ') }} as measure_id,
        {%- for name in var('breakdowns') %}
        case
            when min(counted_{{ name }}) = max(counted_{{ name }}) then min(counted_{{ name }})
            else {{ joined('counted_' ~ name, 'measure_id', ' + ') }}
        end as counted_{{ name }},
        {%- endfor %}
        any_value(base) as base
    from counted
    group by indicator_id, area_level, {{ breakdown_columns() }}, role
)

select
    v.indicator_id,
    v.area_code,
    v.area_level,
    v.period_end,
    {{ breakdown_columns('v.') }},
    t.role,
    t.measure_id,
    case
        when t.role = 'numerator' then v.period_end
        when v.alignment = 'previous_year_end' then {{ previous_year_end('v.period_end') }}
        when v.alignment = 'same_year_end' then {{ same_year_end('v.period_start') }}
        when v.alignment = 'previous_period' then {{ one_year_before('v.period_end') }}
        else v.period_end
    end as counted_period_end,
    {{ breakdown_columns('t.counted_') }},
    case when t.role = 'numerator' then v.numerator else v.denominator end as value,
    t.base,
    v.is_hidden,
    false as is_worked_out
from figure as v
inner join summed as t
    on t.indicator_id = v.indicator_id
    and t.area_level = v.area_level
    {{ same_breakdowns('t', 'v') }}
where case when t.role = 'numerator' then v.numerator else v.denominator end is not null
    and not (v.is_of_nobody and t.role = 'numerator')

{#-
  What models publish. D5.3: the pupils of a grade and those of the next one a year later. K2.1: the answers, pupils and pupils
  of all-day school that a school's demand and places are worked out from; the city's row has none of its own.
#}
{%- set primary = {'school_type': "'SCHULE03'"} %}
{%- for model, role, measure, period_end, value, base, cells, is_worked_out in (
    ('int_grade_progression', 'numerator', 'register_pupils_by_grade', 'period_end', 'later_pupils', 'm.numerator_protection',
        {'grade': 'm.later_grade'}, 'false'),
    ('int_grade_progression', 'denominator', 'register_pupils_by_grade', 'earlier_period_end', 'earlier_pupils',
        'm.denominator_protection', {}, 'false'),
    ('int_all_day_gap', 'numerator', 'all_day_demand', 'period_end', 'wanted', '5', {}, 'true'),
    ('int_all_day_gap', 'numerator', 'all_day_survey_answers', 'period_end', 'answers', '5', {}, 'true'),
    ('int_all_day_gap', 'numerator', 'register_pupils', 'period_end', 'pupils', '5', primary, 'true'),
    ('int_all_day_gap', 'denominator', 'register_all_day_pupils', 'period_end', 'all_day_pupils', '5', primary, 'true'),
) %}

union all
select
    k.indicator_id,
    m.area_code,
    m.area_level,
    m.period_end,
    {{ breakdown_columns('m.') }},
    '{{ role }}' as role,
    '{{ measure }}' as measure_id,
    m.{{ period_end }} as counted_period_end,
    {%- for name in var('breakdowns') %}
    {{ cells.get(name, 'm.' ~ name) }} as counted_{{ name }},
    {%- endfor %}
    m.{{ value }} as value,
    {{ base }} as base,
    false as is_hidden,
    {{ is_worked_out }} as is_worked_out
from {{ ref(model) }} as m
inner join {{ ref('dim_indicator') }} as k on k.model = '{{ model }}'
where m.{{ value }} is not null and {{ is_changed('k.indicator_id', 'indicator') }}
{%- endfor %}
