select
    snapshot_id,
    table_code,
    file_name,
    sha256,
    taken_at,
    stand,
    licence,
    is_synthetic,
    age_rank
from {{ source('raw', 'genesis_snapshot') }}
