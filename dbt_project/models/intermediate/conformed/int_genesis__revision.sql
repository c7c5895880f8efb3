{{ changed_part('table_code', 'raw') }}
with cells as (
    select
        o.snapshot_id,
        o.table_code,
        o.measure_code,
        o.unit,
        o.area_code,
        o.period_start,
        o.period_end,
        o.period_label,
        o.value,
        o.sign,
        s.stand,
        s.age_rank,
        -- The same cell in any file: a total is not written, whether the file says '' or INSGESAMT.
        concat_ws(
            '; '
            {%- for n in range(1, var('genesis_slots') + 1) %},
            case
                when o.item_{{ n }}_code <> '' and o.item_{{ n }}_code not like 'INSGESAMT%'
                    then o.variable_{{ n }}_code || '=' || o.item_{{ n }}_code
            end
            {%- endfor %}
        ) as items
    from {{ ref('stg_genesis__observation') }} as o
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = o.snapshot_id
    where {{ is_changed('o.table_code', 'raw') }}
),

with_before as (
    select
        *,
        {%- for column in ['value', 'sign', 'stand', 'snapshot_id'] %}
        lag({{ column }}) over told as {{ column }}_before,
        {%- endfor %}
        row_number() over told as nth
    from cells
    window told as (
        partition by table_code, measure_code, unit, area_code, period_start, period_end, items
        order by age_rank
    )
)

select
    table_code,
    measure_code,
    unit,
    area_code,
    period_start,
    period_end,
    period_label,
    items,
    value_before,
    sign_before,
    value as value_after,
    sign as sign_after,
    stand_before,
    stand as stand_after,
    snapshot_id_before as snapshot_before,
    snapshot_id as snapshot_after,
    case
        when value_before is not null and value is not null then 'value'
        -- An older zero is a newer `-`: another notation of the same thing, not another figure.
        when (value_before = 0 and sign = '-') or (value = 0 and sign_before = '-') then 'notation'
        when value_before is not null then 'withdrawn'
        when value is not null then 'delivered'
        else 'sign'
    end as change_kind
from with_before
where nth > 1
  and (
    value_before is distinct from value
    or (value is null and sign_before is distinct from sign)
  )
