{# Every count of registers that some table tells, once: what int_confidential_count protects together. #}
select
    t.measure_id,
    t.counted_period_end,
    t.area_code,
    t.area_level,
    {{ breakdown_columns('t.counted_') }},
    any_value(t.value) as value,
    any_value(t.base) as base,
    -- The city decides how few are few: in the whole city, in parts of it, and of special categories.
    any_value(case when t.base > 5 then n.few_special when t.area_level = 'district' then n.few_city else n.few_parts end) as k,
    min(case when t.is_hidden then 1 else 0 end) = 1 as is_hidden,
    count(*) as figures
from {{ ref('int_told_count') }} as t
cross join {{ source('raw', 'confidentiality') }} as n
group by t.measure_id, t.counted_period_end, t.area_code, t.area_level, {{ breakdown_columns('t.counted_') }}
order by all
