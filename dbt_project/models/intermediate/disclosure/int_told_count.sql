{#
  Which counts of registers every figure is made of: what a reader learns of whom from a numerator or denominator.
  A term that adds up several measures tells none of them by itself and is not in here.
#}
{{ changed_part('indicator_id', 'indicator') }}
with of_one_measure as (
    select indicator_id, origin, role
    from {{ source('catalogue', 'indicator_term') }}
    group by indicator_id, origin, role
    having min(measure_id) = max(measure_id)
),

term as (
    select
        t.*,
        l.area_level,
        p.rounding as base
    from {{ source('catalogue', 'indicator_term') }} as t
    inner join of_one_measure as o
        on o.indicator_id = t.indicator_id and o.origin = t.origin and o.role = t.role
    inner join {{ source('catalogue', 'indicator_level') }} as l
        on l.indicator_id = t.indicator_id and l.origin = t.origin
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = t.measure_id
    where p.rounding > 1 and {{ is_changed('t.indicator_id', 'indicator') }}
),

figure as (
    select
        v.*,
        i.alignment,
        {{ too_few_people('v.', 'i.') }} as is_hidden
    from {{ ref('fct_indicator_value') }} as v
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    where v.value is not null and {{ is_changed('v.indicator_id', 'indicator') }}
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
    v.is_hidden
from figure as v
inner join counted as t
    on t.indicator_id = v.indicator_id
    and t.area_level = v.area_level
    {{ same_breakdowns('t', 'v') }}
where case when t.role = 'numerator' then v.numerator else v.denominator end is not null
