with occurring as (
    select period_start, period_end, period_label from {{ ref('int_genesis__observation') }}
    union
    select period_start, period_end, period_label from {{ ref('stg_register__measure') }}
)

select distinct
    period_start,
    period_end,
    period_label,
    case
        when period_start = period_end then 'reference_day'
        when extract(month from period_start) = 8 then 'school_year'
        when extract(month from period_start) = 1 and extract(month from period_end) = 12
            then 'calendar_year'
        else 'term'
    end as period_type,
    cast(extract(year from period_end) as integer) as period_end_year
from occurring
