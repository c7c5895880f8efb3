with newest as (
    select
        f.*,
        s.table_code,
        s.stand,
        rank() over (partition by s.table_code order by s.age_rank desc) as nth
    from {{ source('raw', 'genesis_footnote') }} as f
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = f.snapshot_id
)

select
    table_code || '/' || lpad(cast(number as varchar), 3, '0') as footnote_id,
    table_code,
    number,
    heading,
    area_scope,
    first_year,
    last_year,
    breakdown,
    cell,
    note,
    cast(stand as date) as stand
from newest
where nth = 1
