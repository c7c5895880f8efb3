with newest_name as (
    select
        n.area_code,
        n.area_name,
        row_number() over (
            partition by n.area_code order by s.age_rank desc, n.area_name asc
        ) as newest
    from {{ ref('stg_genesis__area_name') }} as n
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = n.snapshot_id
),

levels as (
    select area_code, min(area_level) as area_level
    from {{ ref('stg_genesis__observation') }}
    group by area_code
)

select
    n.area_code,
    n.area_name,
    l.area_level,
    case
        when l.area_level = 'country' then null
        when l.area_level = 'state' then 'DG'
        when l.area_level in ('region', 'district') then substr(n.area_code, 1, 2)
        else substr(n.area_code, 1, 5)
    end as parent_area_code,
    v.valid_from,
    v.valid_to,
    n.area_code = m.area_code as is_home
from newest_name as n
inner join levels as l on l.area_code = n.area_code
left join {{ source('catalogue', 'area_validity') }} as v on v.area_code = n.area_code
cross join {{ source('raw', 'municipality') }} as m
where n.newest = 1

union all

select
    a.area_code,
    a.area_name,
    a.area_level,
    a.parent_area_code,
    a.valid_from,
    a.valid_to,
    false as is_home
from {{ source('raw', 'local_area') }} as a
