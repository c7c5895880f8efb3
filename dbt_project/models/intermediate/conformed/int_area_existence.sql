with asked as (
    select distinct area_code, area_level, period_end
    from {{ ref('int_genesis__observation_coded') }}
),

lists as (
    select distinct as_of from {{ source('raw', 'area_register') }}
),

-- The list of municipalities in force on the day: quarterly, so half a year after it nothing is known.
in_force as (
    select a.area_code, a.period_end, max(l.as_of) as as_of
    from asked as a
    inner join lists as l on l.as_of <= a.period_end and {{ days_between('l.as_of', 'a.period_end') }} <= 200
    where a.area_level in ('district', 'municipality') and length(a.area_code) in (5, 8)
    group by a.area_code, a.period_end
)

select
    a.area_code,
    a.period_end,
    case
        -- What a declared reform says goes before any list.
        when v.area_code is not null
            then case when a.period_end between v.valid_from and v.valid_to then 1 else 0 end
        when f.as_of is not null and r.area_code is null then 0
        else 1
    end as area_exists
from asked as a
left join {{ source('catalogue', 'area_validity') }} as v on v.area_code = a.area_code
left join in_force as f on f.area_code = a.area_code and f.period_end = a.period_end
left join {{ source('raw', 'area_register') }} as r on r.area_code = a.area_code and r.as_of = f.as_of
