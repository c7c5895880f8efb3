select
    s.measure_id,
    o.area_code,
    o.area_level,
    o.period_start,
    o.period_end,
    o.period_label,
    {{ breakdown_columns('o.') }},
    o.value * s.factor as value,
    o.status,
    o.sign,
    o.table_code as source_table,
    t.taken_at as retrieved_at,
    s.priority
from {{ ref('int_genesis__observation') }} as o
inner join {{ source('catalogue', 'measure_source') }} as s
    on s.table_code = o.table_code
    and s.measure_code = o.measure_code
inner join {{ ref('stg_genesis__snapshot') }} as t on t.snapshot_id = o.snapshot_id
where o.measure_is_valid = 1
