select
    snapshot_id,
    area_code,
    area_name
from {{ source('raw', 'genesis_area_name') }}
