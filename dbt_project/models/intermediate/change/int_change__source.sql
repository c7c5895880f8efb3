{#
  The sources whose part of the mart is computed tonight: those that delivered something else than they had
  when the mart was computed last, and official tables with a row in an area and year about which it is
  known only since tonight, or no longer, that it has a number at all (see int_genesis__observation).
#}
with told as (
    select area_code, year from {{ ref('int_genesis__area_year') }}
),

told_before as (
    select area_code, year from {{ source('raw', 'area_year_before') }}
),

other as (
    (select * from told except select * from told_before)
    union all
    (select * from told_before except select * from told)
)

select source_id from {{ source('raw', 'changed_source') }}
union
select o.table_code as source_id
from {{ ref('int_genesis__observation_coded') }} as o
inner join other as y on y.area_code = o.area_code and y.year = extract(year from o.period_end)
