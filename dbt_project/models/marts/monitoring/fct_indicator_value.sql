{# Exact values of every indicator but indices. They are never published: see fct_told_value. #}
{{ changed_part('indicator_id', 'indicator') }}
with computed as (
    select * from {{ ref('int_formula_value') }}
    where {{ is_changed('indicator_id', 'indicator') }}
    {%- for model in ['int_grade_progression', 'int_transition_gap', 'int_all_day_gap', 'int_room_balance'] %}
    union all
    select
        k.indicator_id, m.area_code, m.area_level, m.period_start, m.period_end, m.period_label,
        {{ breakdown_columns('m.') }},
        m.numerator, m.denominator,
        m.numerator_rounding, m.denominator_rounding, m.numerator_protection, m.denominator_protection,
        m.value, case when m.value is null then 4 else 0 end as status_rank,
        cast(null as varchar) as sign, m.source, m.retrieved_at
    from {{ ref(model) }} as m
    inner join {{ ref('dim_indicator') }} as k
        on k.model = '{{ model }}'
    where {{ is_changed('k.indicator_id', 'indicator') }}
    {%- endfor %}
),

-- A break counts from the last period that has a value, so that an empty one can't swallow it. Where the denominator is
-- protected, nobody below the line counts as a value, too: the flag would say where there is somebody.
following as (
    select
        *,
        max(case
            when value is not null or (denominator_protection > 1 and numerator is not null and denominator is not null)
                then period_end
        end) over (
            partition by indicator_id, area_code, {{ breakdown_columns() }}
            order by period_end
            rows between unbounded preceding and 1 preceding
        ) as previous_period_end
    from computed
)

select
    c.indicator_id,
    c.area_code,
    c.area_level,
    c.period_start,
    c.period_end,
    c.period_label,
    {{ breakdown_columns('c.') }},
    c.value,
    case when i.kind <> 'reported' then c.numerator end as numerator,
    c.denominator,
    c.numerator_rounding,
    c.denominator_rounding,
    c.numerator_protection,
    c.denominator_protection,
    i.unit,
    case
        -- Nothing to relate to: both parts are known and the denominator is zero.
        when c.value is null and c.denominator = 0 and c.status_rank < 3 then 'not_applicable'
        else {{ status_name('c.status_rank') }}
    end as status,
    -- '-' is a zero that the office counted. Where it did not collect the figure it prints '-' as well: that is no sign.
    case when c.value is null and c.sign = '-' then null else c.sign end as sign,
    exists (
        select 1
        from {{ source('catalogue', 'indicator_break') }} as b
        where b.indicator_id = c.indicator_id
          and (b.area_scope = '*' or substr(c.area_code, 1, length(b.area_scope)) = b.area_scope)
          and b.break_from > c.previous_period_end
          and b.break_from <= c.period_end
          {%- for name in var('breakdowns') %}
          and (b.{{ name }} = '*' or b.{{ name }} = c.{{ name }})
          {%- endfor %}
    ) as series_break_before,
    c.source,
    c.retrieved_at
from following as c
inner join {{ ref('dim_indicator') }} as i on i.indicator_id = c.indicator_id
