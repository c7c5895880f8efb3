select
    snapshot_id,
    table_code,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {%- for n in range(1, var('genesis_slots') + 1) %}
    variable_{{ n }}_code,
    item_{{ n }}_code,
    {%- endfor %}
    measure_code,
    value,
    sign,
    unit
from {{ source('raw', 'genesis_observation') }}
