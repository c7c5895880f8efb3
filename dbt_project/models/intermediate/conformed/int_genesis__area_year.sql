select distinct
    area_code,
    extract(year from period_end) as year
from {{ ref('int_genesis__observation_coded') }}
where value is not null
