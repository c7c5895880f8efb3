{#
  K6.1: the social index of a Stadtteil: the weighted mean of its components' scores, as the catalogue declares them
  (index_component). Higher means more burdened. It is made of published figures and of nothing else, so that readers can
  compute it again; a Stadtteil has one where enough of its components are published. One that is not published counts
  as the mean of all, as it would if chance alone made it. The spread between Stadtteile is the population's (all of
  them are there, none is drawn).
#}
with confidential as (
    {{ confidential_figures() }}
),

declared as (
    select *, sum(weight) over (partition by index_id) as weights
    from {{ source('catalogue', 'index_component') }}
),

figure as (
    select
        c.index_id,
        c.indicator_id,
        c.weight,
        c.weights,
        c.at_least,
        i.kind,
        i.unit,
        cast(i.decimals as integer) as decimals,
        i.multiplier,
        i.needs_denominator,
        v.area_code,
        v.area_level,
        -- Children in care on 1 March belong to the winter before: to the year that ended then.
        cast(extract(year from {{ months_before('v.period_end', 3) }}) as integer) as year,
        v.value as exact_value,
        {{ rounded_count('v.numerator', 'v.numerator_protection') }} as numerator,
        {{ rounded_count('v.denominator', 'v.denominator_protection') }} as denominator,
        greatest(coalesce(v.numerator_protection, 1), coalesce(v.denominator_protection, 1)) as base,
        v.source,
        v.retrieved_at
    from declared as c
    inner join {{ ref('int_formula_value') }} as v
        on v.indicator_id = c.indicator_id and v.area_level = c.area_level
        {%- for name in var('breakdowns') %}
        and v.{{ name }} = 'total'
        {%- endfor %}
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    left join confidential as x
        on x.indicator_id = v.indicator_id
        and x.area_code = v.area_code
        and x.period_end = v.period_end
        {{ same_breakdowns('x', 'v') }}
    where v.value is not null and x.indicator_id is null and not {{ too_few_people('v.', 'i.') }}
),

component as (
    select
        *,
        case
            when kind = 'reported' or numerator is null then exact_value
            else {{ formula('numerator', 'denominator') }}
        end as value
    from figure
),

-- Chance and rounding move a share of few people farther than one of many: by this variance.
counted as (
    select
        *,
        case when unit = 'percent' and multiplier = 100 and numerator >= 0 and denominator > 0 then denominator end as people
    from component
),

noisy as (
    select *, 100 * sum(case when people is not null then numerator end) over here / nullif(sum(people) over here, 0) as rate
    from counted
    window here as (partition by index_id, indicator_id, year)
),

measured as (
    select
        *,
        greatest(rate * (100 - rate), 0) / people
        + (base * base - 1) / 12 * (10000 + value * value) / (people * people) as noise
    from noisy
),

-- What the Stadtteile differ by beyond that (Marshall 1991): so much of a figure's distance from the rate of all is kept.
related as (
    select
        *,
        greatest(
            (sum(people * (value - rate) * (value - rate)) over here - sum(people * noise) over here)
            / nullif(sum(people) over here, 0), 0
        ) as between_areas
    from measured
    window here as (partition by index_id, indicator_id, year)
),

smoothed as (
    select
        *,
        case
            when noise is null then value
            else rate + coalesce(between_areas / nullif(between_areas + noise, 0), 1) * (value - rate)
        end as smoothed_value
    from related
),

scored as (
    select
        *,
        (smoothed_value - avg(smoothed_value) over here) / nullif(stddev_pop(value) over here, 0) as score
    from smoothed
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
    {{ rounded('round(sum(weight * score) / max(weights), 6)', 2) }} as value,
    {{ list_of('source') }} as source,
    max(retrieved_at) as retrieved_at
from scored
where score is not null
group by index_id, area_code, area_level, year
having count(distinct indicator_id) >= max(at_least)
