-- One row per school and school year: the school guide in figures, as far as they may be published. A percentage that is
-- published as a range has its ends beside it.
with told as (
    select * from school_type_value
    where area_level = 'school' and regexp_full_match(period_label, '\d{4}/\d{2}')
),

-- The type most of a school's pupils are counted under; a school of two types has one.
school_type as (
    select area_code, arg_max(school_type, value) as school_type
    from told
    where indicator_id = 'pupils' and school_type <> 'total' and value > 0
    group by area_code
),

profile as (
    select
        area_code,
        period_label,
        max(period_end) as period_end,
        max(value) filter (where indicator_id = 'pupils') as pupils,
        max(value) filter (where indicator_id = 'pupils_per_class') as pupils_per_class,
        max(value) filter (where indicator_id = 'pupils_per_teacher') as pupils_per_teacher,
        max(value) filter (where indicator_id = 'foreign_pupils_percent') as foreign_pupils_percent,
        max(value_from) filter (where indicator_id = 'foreign_pupils_percent') as foreign_pupils_percent_from,
        max(value_to) filter (where indicator_id = 'foreign_pupils_percent') as foreign_pupils_percent_to,
        max(value) filter (where indicator_id = 'pupils_migration_background_percent') as pupils_migration_background_percent,
        max(value_from) filter (where indicator_id = 'pupils_migration_background_percent') as pupils_migration_background_percent_from,
        max(value_to) filter (where indicator_id = 'pupils_migration_background_percent') as pupils_migration_background_percent_to,
        max(value) filter (where indicator_id = 'newly_arrived_pupils') as newly_arrived_pupils,
        max(value) filter (where indicator_id = 'special_needs_percent') as special_needs_percent,
        max(value_from) filter (where indicator_id = 'special_needs_percent') as special_needs_percent_from,
        max(value_to) filter (where indicator_id = 'special_needs_percent') as special_needs_percent_to,
        max(value) filter (where indicator_id = 'all_day_pupils_percent') as all_day_pupils_percent,
        max(value_from) filter (where indicator_id = 'all_day_pupils_percent') as all_day_pupils_percent_from,
        max(value_to) filter (where indicator_id = 'all_day_pupils_percent') as all_day_pupils_percent_to,
        max(value) filter (where indicator_id = 'in_commuting_pupils_percent') as in_commuting_pupils_percent,
        max(value_from) filter (where indicator_id = 'in_commuting_pupils_percent') as in_commuting_pupils_percent_from,
        max(value_to) filter (where indicator_id = 'in_commuting_pupils_percent') as in_commuting_pupils_percent_to,
        max(value) filter (where indicator_id = 'free_learning_materials_percent') as free_learning_materials_percent,
        max(value_from) filter (where indicator_id = 'free_learning_materials_percent') as free_learning_materials_percent_from,
        max(value_to) filter (where indicator_id = 'free_learning_materials_percent') as free_learning_materials_percent_to,
        max(value) filter (where indicator_id = 'grade_repetition_percent') as grade_repetition_percent,
        max(value_from) filter (where indicator_id = 'grade_repetition_percent') as grade_repetition_percent_from,
        max(value_to) filter (where indicator_id = 'grade_repetition_percent') as grade_repetition_percent_to,
        max(value) filter (where indicator_id = 'room_balance') as room_balance,
        max(value) filter (where indicator_id = 'leavers_with_abitur_percent') as leavers_with_abitur_percent,
        max(value_from) filter (where indicator_id = 'leavers_with_abitur_percent') as leavers_with_abitur_percent_from,
        max(value_to) filter (where indicator_id = 'leavers_with_abitur_percent') as leavers_with_abitur_percent_to,
        max(value) filter (where indicator_id = 'leavers_without_certificate_percent') as leavers_without_certificate_percent,
        max(value_from) filter (where indicator_id = 'leavers_without_certificate_percent') as leavers_without_certificate_percent_from,
        max(value_to) filter (where indicator_id = 'leavers_without_certificate_percent') as leavers_without_certificate_percent_to
    from told
    where school_type = 'total'
    group by area_code, period_label
),

onward as (
    select
        area_code, period_label, max(value) as transition_to_grammar_percent,
        max(value_from) as transition_to_grammar_percent_from, max(value_to) as transition_to_grammar_percent_to
    from told
    where indicator_id = 'transition_rate_percent' and school_type = 'SCHULE08'
    group by area_code, period_label
)

select
    p.area_code,
    a.area_name,
    t.school_type,
    p.period_label,
    p.period_end,
    p.* exclude (area_code, period_label, period_end, leavers_with_abitur_percent, leavers_with_abitur_percent_from, leavers_with_abitur_percent_to, leavers_without_certificate_percent, leavers_without_certificate_percent_from, leavers_without_certificate_percent_to),
    o.transition_to_grammar_percent,
    o.transition_to_grammar_percent_from,
    o.transition_to_grammar_percent_to,
    p.leavers_with_abitur_percent,
    p.leavers_with_abitur_percent_from,
    p.leavers_with_abitur_percent_to,
    p.leavers_without_certificate_percent,
    p.leavers_without_certificate_percent_from,
    p.leavers_without_certificate_percent_to
from profile as p
left join onward as o on o.area_code = p.area_code and o.period_label = p.period_label
inner join area as a on a.area_code = p.area_code
left join school_type as t on t.area_code = p.area_code
where p.pupils is not null
