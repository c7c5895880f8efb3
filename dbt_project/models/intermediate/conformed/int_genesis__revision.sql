with states as (
    select
        o.*,
        s.stand,
        s.age_rank,
        row_number() over (
            partition by
                o.table_code, o.measure_code, o.unit, o.area_code, o.period_start, o.period_end,
                {%- for n in range(1, var('genesis_slots') + 1) %}
                o.variable_{{ n }}_code, o.item_{{ n }}_code{{ ',' if not loop.last }}
                {%- endfor %}
            order by s.age_rank
        ) as nth
    from {{ ref('stg_genesis__observation') }} as o
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = o.snapshot_id
),

-- Few cells have been told more than once; only those are compared.
told_again as (
    select * from states where nth > 1
)

select
    b.table_code,
    b.measure_code,
    b.unit,
    b.area_code,
    b.period_start,
    b.period_end,
    b.period_label,
    concat_ws(
        '; '
        {%- for n in range(1, var('genesis_slots') + 1) %},
        b.variable_{{ n }}_code || '=' || b.item_{{ n }}_code
        {%- endfor %}
    ) as items,
    a.value as value_before,
    a.sign as sign_before,
    b.value as value_after,
    b.sign as sign_after,
    a.stand as stand_before,
    b.stand as stand_after,
    a.snapshot_id as snapshot_before,
    b.snapshot_id as snapshot_after,
    case
        when a.value is not null and b.value is not null then 'value'
        -- An older zero is a newer `-`: another notation of the same thing, not another figure.
        when coalesce(a.value, 0) = 0 and coalesce(b.value, 0) = 0
            and coalesce(a.sign, '0') in ('0', '-') and coalesce(b.sign, '0') in ('0', '-') then 'notation'
        when a.value is not null then 'withdrawn'
        when b.value is not null then 'delivered'
        else 'sign'
    end as change_kind
from told_again as b
inner join states as a
    on a.table_code = b.table_code
    and a.measure_code = b.measure_code
    and a.unit = b.unit
    and a.area_code = b.area_code
    and a.period_start = b.period_start
    and a.period_end = b.period_end
    {%- for n in range(1, var('genesis_slots') + 1) %}
    and a.variable_{{ n }}_code is not distinct from b.variable_{{ n }}_code
    and a.item_{{ n }}_code is not distinct from b.item_{{ n }}_code
    {%- endfor %}
    and a.nth = b.nth - 1
where a.value is distinct from b.value
   or (a.value is null and a.sign is distinct from b.sign)
