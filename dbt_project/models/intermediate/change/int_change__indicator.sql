{# Names and levels of areas stand beside every value: if one of them is another, everything is. #}
with area as (
    select area_code, area_name, area_level, parent_area_code, valid_from, valid_to from {{ ref('dim_area') }}
),

area_before as (
    select area_code, area_name, area_level, parent_area_code, valid_from, valid_to from {{ source('raw', 'area_before') }}
),

other_areas as (
    select count(*) as found
    from (
        (select * from area except select * from area_before)
        union all
        (select * from area_before except select * from area)
    ) as o
)

select distinct i.indicator_id
from {{ source('catalogue', 'indicator_origin') }} as i
cross join other_areas as o
where o.found > 0
   or i.source_id in (select s.source_id from {{ ref('int_change__source') }} as s)
