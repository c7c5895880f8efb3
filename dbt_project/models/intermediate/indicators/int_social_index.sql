{#
  K6.1: the social index of a Stadtteil: the weighted mean of its components' z-scores, as the catalogue
  declares them (index_component). Higher means more burdened. Only Stadtteile and years with every
  component; the spread between Stadtteile is the population's (all of them are there, none is drawn).
#}
with component as (
    select
        c.index_id,
        c.indicator_id,
        c.weight,
        c.components,
        v.area_code,
        v.area_level,
        -- Children in care on 1 March belong to the winter before: to the year that ended then.
        cast(extract(year from {{ months_before('v.period_end', 3) }}) as integer) as year,
        v.value,
        v.source,
        v.retrieved_at
    from {{ source('catalogue', 'index_component') }} as c
    inner join {{ ref('int_formula_value') }} as v
        on v.indicator_id = c.indicator_id and v.area_level = c.area_level
        {%- for name in var('breakdowns') %}
        and v.{{ name }} = 'total'
        {%- endfor %}
    -- What may not be told does not shine through an index either.
    where v.value is not null and coalesce(v.denominator, 30) >= 30
),

scored as (
    select
        *,
        weight * (value - avg(value) over here) / nullif(stddev_pop(value) over here, 0) as score
    from component
    window here as (partition by index_id, indicator_id, year)
)

select
    index_id,
    area_code,
    area_level,
    make_date(year, 12, 31) as period_start,
    make_date(year, 12, 31) as period_end,
    '31.12.' || year as period_label,
    {%- for name in var('breakdowns') %}
    'total' as {{ name }},
    {%- endfor %}
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    1 as numerator_rounding,
    1 as denominator_rounding,
    1 as numerator_protection,
    1 as denominator_protection,
    round(sum(score) / sum(weight), 2) as value,
    {{ list_of('source') }} as source,
    max(retrieved_at) as retrieved_at
from scored
group by index_id, area_code, area_level, year
having count(score) = max(components)
