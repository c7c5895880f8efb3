select
    cell as school_type_code,
    label_de as school_type_name_de,
    label_en as school_type_name_en,
    subset_of as subset_of_code,
    sort_order
from {{ source('catalogue', 'breakdown_cell') }}
where breakdown = 'school_type'
