select distinct m.measure_id
from {{ source('catalogue', 'measure_origin') }} as m
inner join {{ ref('int_change__source') }} as s on s.source_id = m.source_id
