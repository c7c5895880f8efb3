select *
from {{ source('catalogue', 'indicator') }}
where status = 'published'
