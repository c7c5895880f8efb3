{#
  Names and levels of areas stand beside every value: if one of them is another, everything is. Counts of registers
  are protected together (decision 0022): if one register is another, what may be told of all of them is.
#}
with area as (
    select area_code, area_name, area_level, parent_area_code, valid_from, valid_to from {{ ref('dim_area') }}
),

area_before as (
    select area_code, area_name, area_level, parent_area_code, valid_from, valid_to from {{ source('raw', 'area_before') }}
),

register as (
    select distinct register_id from {{ source('catalogue', 'measure') }} where register_id is not null
),

other_registers as (
    select count(*) as found
    from {{ ref('int_change__source') }} as s
    inner join register as r on r.register_id = s.source_id
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
cross join other_registers as g
where o.found > 0
   or (g.found > 0 and i.source_id in (select r.register_id from register as r))
   or i.source_id in (select s.source_id from {{ ref('int_change__source') }} as s)
