select
    delivery_id,
    register_id,
    measure_id,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {{ breakdown_columns() }},
    value,
    accepted_at
from {{ source('raw', 'register_measure') }}
