{#
  K4.1: classrooms less classes of the same school. Only schools of which both are known count, and the city is their
  sum: rooms of a school whose classes nobody delivers are neither lacking nor to spare.
#}
{%- set counts -%}
c.category = 'total' or (c.category = 'rooms_lacking' and b.spare < 0) or (c.category = 'rooms_to_spare' and b.spare > 0)
{%- endset %}
with school as (
    select
        m.area_code,
        m.area_level,
        m.period_start,
        m.period_end,
        m.period_label,
        max(case when m.measure_id = 'school_classrooms' then m.value end) as rooms,
        max(case when m.measure_id = 'classrooms_needed' then m.value end) as classes,
        max(m.retrieved_at) as retrieved_at
    from {{ ref('fct_measure') }} as m
    where m.measure_id in ('school_classrooms', 'classrooms_needed') and m.area_level = 'school'
    group by m.area_code, m.area_level, m.period_start, m.period_end, m.period_label
),

balance as (
    select
        *,
        rooms - classes as spare
    from school
    where rooms is not null and classes is not null
),

-- Of every school year all three rows: where no school lacks rooms, none are lacking.
city as (
    select
        h.area_code,
        'district' as area_level,
        b.period_start, b.period_end, b.period_label,
        c.category,
        sum(case when {{ counts }} then b.rooms else 0 end) as rooms,
        sum(case when {{ counts }} then b.classes else 0 end) as classes,
        max(b.retrieved_at) as retrieved_at
    from balance as b
    cross join (
        values ('total'), ('rooms_lacking'), ('rooms_to_spare')
    ) as c (category)
    cross join {{ source('raw', 'municipality') }} as h
    group by h.area_code, b.period_start, b.period_end, b.period_label, c.category
),

figure as (
    select area_code, area_level, period_start, period_end, period_label, 'total' as category, rooms, classes, retrieved_at
    from balance
    union all
    select area_code, area_level, period_start, period_end, period_label, category, rooms, classes, retrieved_at
    from city
)

select
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {%- for name in var('breakdowns') %}
    {{ name if name == 'category' else "'total'" }} as {{ name }},
    {%- endfor %}
    rooms as numerator,
    classes as denominator,
    1 as numerator_rounding,
    1 as denominator_rounding,
    1 as numerator_protection,
    1 as denominator_protection,
    rooms - classes as value,
    'school_rooms, classes' as source,
    retrieved_at
from figure
