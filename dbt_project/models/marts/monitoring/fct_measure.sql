{{ changed_part('measure_id', 'measure') }}
with every_origin as (
    {%- for origin in ['msr_state_statistics', 'msr_registers'] %}
    select
        measure_id, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        value, status, sign, source_table, retrieved_at, priority
    from {{ ref(origin) }}
    where {{ is_changed('measure_id', 'measure') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

delivered as (
    select
        *,
        row_number() over (
            partition by measure_id, area_code, period_start, period_end, {{ breakdown_columns() }}
            order by priority asc
        ) as preferred
    from every_origin
),

derived as (
{%- for name in var('breakdowns') %}
    select
        t.measure_id,
        t.area_code,
        t.area_level,
        t.period_start,
        t.period_end,
        t.period_label,
        {%- for column in var('breakdowns') %}
        {{ 'r.gives_cell' if column == name else 't.' ~ column }} as {{ column }},
        {%- endfor %}
        t.value - o.value as value,
        {{ status_name('greatest(' ~ status_rank('t.status') ~ ', ' ~ status_rank('o.status') ~ ')') }}
            as status,
        cast(null as varchar) as sign,
        t.source_table,
        t.retrieved_at
    from delivered as t
    inner join {{ source('catalogue', 'measure_complement') }} as r
        on r.measure_id = t.measure_id and r.breakdown = '{{ name }}'
    inner join delivered as o
        on o.measure_id = t.measure_id
        and o.area_code = t.area_code
        and o.period_start = t.period_start
        and o.period_end = t.period_end
        {{ same_breakdowns('o', 't', without=name) }}
        and o.{{ name }} = r.of_cell
    left join delivered as d
        on d.measure_id = t.measure_id
        and d.area_code = t.area_code
        and d.period_start = t.period_start
        and d.period_end = t.period_end
        {{ same_breakdowns('d', 't', without=name) }}
        and d.{{ name }} = r.gives_cell
        and d.preferred = 1
    where t.{{ name }} = 'total'
      and t.preferred = 1
      and o.preferred = 1
      and d.measure_id is null
    {{ 'union all' if not loop.last }}
{%- endfor %}
),

both_kinds as (
    select
        measure_id, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        value, status, sign, source_table, retrieved_at
    from delivered
    where preferred = 1
    union all
    select
        measure_id, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        value, status, sign, source_table, retrieved_at
    from derived
)

select
    b.measure_id,
    b.area_code,
    b.area_level,
    b.period_start,
    b.period_end,
    b.period_label,
    {{ breakdown_columns('b.') }},
    b.value,
    b.status,
    b.sign,
    b.source_table,
    b.retrieved_at,
    -- The figure of an earlier delivery that stays published (decision 0034).
    k.published as kept
from both_kinds as b
left join {{ source('disclosure', 'int_kept_count') }} as k
    on k.measure_id = b.measure_id
    and k.counted_period_end = b.period_end
    and k.area_code = b.area_code
    {%- for name in var('breakdowns') %}
    and k.counted_{{ name }} = b.{{ name }}
    {%- endfor %}
