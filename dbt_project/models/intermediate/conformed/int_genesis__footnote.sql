-- Values of older years may come from an older delivery, so the notes of every delivery stay; the
-- same note of several is told once, with the newest state that has it.
with notes as (
    select
        s.table_code,
        f.heading,
        f.note,
        f.area_scope,
        f.first_year,
        f.last_year,
        f.breakdown,
        f.cell,
        max(cast(s.stand as date)) as stand,
        max(s.age_rank) as age_rank,
        min(f.number) as number
    from {{ source('raw', 'genesis_footnote') }} as f
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = f.snapshot_id
    group by
        s.table_code, f.heading, f.note, f.area_scope, f.first_year, f.last_year, f.breakdown, f.cell
),

numbered as (
    select
        *,
        dense_rank() over (
            partition by table_code order by age_rank desc, number, heading, note
        ) as position
    from notes
)

select
    table_code || '/' || lpad(cast(position as varchar), 3, '0') as footnote_id,
    table_code,
    cast(position as integer) as number,
    heading,
    area_scope,
    first_year,
    last_year,
    breakdown,
    cell,
    note,
    stand
from numbered
