select
    d.school_number,
    d.school_name,
    d.school_type_name,
    d.street,
    d.postcode,
    d.town,
    d.longitude,
    d.latitude,
    -- The directory names towns, not keys: a school of the city is one in a town of its name.
    d.town = m.area_name as is_home
from {{ source('raw', 'school_directory') }} as d
cross join {{ source('raw', 'municipality') }} as m
