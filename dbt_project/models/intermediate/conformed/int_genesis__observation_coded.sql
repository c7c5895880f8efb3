{{ changed_part('table_code', 'raw') }}
{%- set slots = range(1, var('genesis_slots') + 1) -%}
with coded as (
select
    o.snapshot_id,
    o.table_code,
    o.area_code,
    o.area_level,
    o.period_start,
    o.period_end,
    o.period_label,
    o.measure_code,
    {%- for name in var('breakdowns') %}
    coalesce(
        {%- for n in slots %}
        case when c{{ n }}.breakdown = '{{ name }}' then c{{ n }}.cell end,
        {%- endfor %}
        'total'
    ) as {{ name }},
    {%- endfor %}
    o.value,
    o.sign,
    o.unit
from {{ ref('stg_genesis__observation') }} as o
{%- for n in slots %}
left join {{ source('catalogue', 'classification_item') }} as c{{ n }}
    on c{{ n }}.variable_code = o.variable_{{ n }}_code
    and c{{ n }}.item_code = o.item_{{ n }}_code
{%- endfor %}
where {{ is_changed('o.table_code', 'raw') }}
    and {% for n in slots -%}
    (o.variable_{{ n }}_code is null or c{{ n }}.cell is not null)
    {{ 'and ' if not loop.last }}
{%- endfor %}
)

select
    o.snapshot_id,
    o.table_code,
    o.area_code,
    o.area_level,
    o.period_start,
    o.period_end,
    o.period_label,
    o.measure_code,
    {{ breakdown_columns('o.') }},
    o.sign,
    o.unit,
    case when k.correction_id is null then o.value else k.right_value end as value,
    o.value as delivered_value,
    k.correction_id
from coded as o
left join {{ source('catalogue', 'correction') }} as k
    on k.table_code = o.table_code
    and k.measure_code = o.measure_code
    and k.area_code = o.area_code
    and k.period_end = o.period_end
    and k.found_value = o.value
    {{ same_breakdowns('k', 'o') }}
