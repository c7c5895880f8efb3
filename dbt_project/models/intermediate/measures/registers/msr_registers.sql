select
    measure_id,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {{ breakdown_columns() }},
    value,
    'reported' as status,
    cast(null as varchar) as sign,
    register_id as source_table,
    accepted_at as retrieved_at,
    0 as priority
from {{ ref('stg_register__measure') }}
