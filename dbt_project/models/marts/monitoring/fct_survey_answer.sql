{# Answers and people behind them by stratum, as they may be told: what weighted shares are made of. #}
with answered as (
    select
        s.survey_id,
        m.period_start,
        m.period_end,
        m.period_label,
        case s.stratum
            {%- for name in var('breakdowns') %}
            when '{{ name }}' then m.{{ name }}
            {%- endfor %}
        end as stratum,
        m.category as answer,
        {{ rounded_count('m.value', 'p.rounding') }} as answers,
        p.rounding as rounded_to
    from {{ source('catalogue', 'survey') }} as s
    inner join {{ ref('fct_measure') }} as m on m.measure_id = s.answers_measure and m.area_level = 'district'
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = m.measure_id
    where m.category <> 'total'
      {%- for name in var('breakdowns') if name != 'category' %}
      and (m.{{ name }} <> 'total' or s.stratum <> '{{ name }}')
      and (m.{{ name }} = 'total' or s.stratum = '{{ name }}')
      {%- endfor %}
),

population as (
    select
        s.survey_id,
        m.period_end,
        case s.stratum
            {%- for name in var('breakdowns') %}
            when '{{ name }}' then m.{{ name }}
            {%- endfor %}
        end as stratum,
        sum({{ rounded_count('m.value', 'p.rounding') }}) as people
    from {{ source('catalogue', 'survey') }} as s
    inner join {{ source('catalogue', 'survey_population') }} as w on w.survey_id = s.survey_id
    inner join {{ ref('fct_measure') }} as m on m.measure_id = s.population_measure and m.area_level = 'district'
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = m.measure_id
    where true
      {%- for name in var('breakdowns') %}
      and case
          when s.stratum = '{{ name }}' then m.{{ name }} <> 'total'
          else m.{{ name }} = w.{{ name }}
      end
      {%- endfor %}
    group by s.survey_id, m.period_end, 3
)

select
    a.survey_id,
    a.period_start,
    a.period_end,
    a.period_label,
    a.stratum,
    a.answer,
    a.answers,
    a.rounded_to,
    p.people
from answered as a
left join population as p
    on p.survey_id = a.survey_id and p.period_end = a.period_end and p.stratum = a.stratum
