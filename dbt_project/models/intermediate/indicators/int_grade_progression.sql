{#
  D5.3: pupils in the next grade a year later, per 100 pupils of a grade. A formula of two terms
  can't shift the grade. The cell is the grade that was left; from told counts.
#}
with pupils as (
    select
        m.*,
        m.value as exact_pupils,
        try_cast(right(m.grade, 2) as integer) as grade_number,
        {{ published_count('m.value', 'p.rounding', 'm.kept') }} as told_pupils,
        p.rounding
    from {{ ref('fct_measure') }} as m
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = m.measure_id
    where m.measure_id = 'register_pupils_by_grade' and m.school_type = 'total' and m.grade <> 'total'
)

select
    later.area_code,
    later.area_level,
    later.period_start,
    later.period_end,
    later.period_label,
    {{ breakdown_columns('earlier.') }},
    later.grade as later_grade,
    earlier.period_end as earlier_period_end,
    later.exact_pupils as later_pupils,
    earlier.exact_pupils as earlier_pupils,
    later.told_pupils as numerator,
    earlier.told_pupils as denominator,
    later.rounding as numerator_rounding,
    earlier.rounding as denominator_rounding,
    later.rounding as numerator_protection,
    earlier.rounding as denominator_protection,
    round(100 * later.told_pupils / earlier.told_pupils, 1) as value,
    later.source_table as source,
    later.retrieved_at
from pupils as later
inner join pupils as earlier
    on earlier.area_code = later.area_code
    and earlier.grade_number = later.grade_number - 1
    and earlier.period_end = {{ one_year_before('later.period_end') }}
-- A few pupils make no cohort; where a school ends or begins, nobody moves up. Rounded counts decide.
where earlier.told_pupils >= {{ var('least_per_base') }} * earlier.rounding and later.told_pupils > 0
