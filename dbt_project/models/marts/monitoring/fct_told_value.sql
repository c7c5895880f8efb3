{#
  What may leave the house (decision 0016). Counts of people from registers are told as multiples of
  their register's base, and everything made of them is made of the rounded counts; a rate of fewer than
  thirty people is not told, nor a figure that would let a small count be worked out (decision 0022).
  Official values pass as they are.
#}
{{ changed_part('indicator_id', 'indicator') }}
with confidential as (
    {{ confidential_figures() }}
),

parts as (
    select
        v.*,
        i.kind,
        i.needs_denominator,
        i.multiplier,
        cast(i.decimals as integer) as decimals,
        i.kind in ('model', 'index') as is_modelled,
        {{ rounded_count('v.numerator', 'v.numerator_protection') }} as told_numerator,
        {{ rounded_count('v.denominator', 'v.denominator_protection') }} as told_denominator,
        {{ too_few_people('v.', 'i.') }} or c.indicator_id is not null as is_hidden
    from {{ ref('fct_indicator_value') }} as v
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    left join confidential as c
        on c.indicator_id = v.indicator_id
        and c.area_code = v.area_code
        and c.period_end = v.period_end
        {{ same_breakdowns('c', 'v') }}
    where {{ is_changed('v.indicator_id', 'indicator') }}
)

select
    indicator_id,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {{ breakdown_columns() }},
    case
        when is_hidden then null
        when is_modelled or kind = 'reported' or numerator is null then value
        else {{ formula('told_numerator', 'told_denominator') }}
    end as value,
    case when not is_hidden then told_numerator end as numerator,
    case when not is_hidden then told_denominator end as denominator,
    unit,
    case when is_hidden then 'confidential' else status end as status,
    -- A count that rounds to zero may be zero or a few: its sign must not say which.
    case
        when is_hidden then '.'
        when sign is null and not needs_denominator and numerator_protection > 1 and told_numerator = 0 then '0'
        else sign
    end as sign,
    case
        when greatest(coalesce(numerator_protection, 1), coalesce(denominator_protection, 1)) > 1
            then greatest(coalesce(numerator_protection, 1), coalesce(denominator_protection, 1))
    end as rounded_to,
    -- How far a value may be from the one of unrounded counts, its own decimals included: told by us, or rounded by a Land.
    case
        when is_hidden or value is null or kind = 'reported' or (is_modelled and unit <> 'percent')
            or greatest(coalesce(numerator_rounding, 1), coalesce(denominator_rounding, 1)) = 1 then null
        when not needs_denominator and not is_modelled then {{ rounding_error('numerator_rounding') }}
        when kind = 'difference'
            then {{ rounding_error('numerator_rounding') }} + {{ rounding_error('denominator_rounding') }}
        when told_denominator > {{ rounding_error('denominator_rounding') }}
            then {{ rounded_up(
                "case when is_modelled then 100 else multiplier end * (" ~ rounding_error('numerator_rounding') ~ " * told_denominator + "
                ~ rounding_error('denominator_rounding') ~ " * told_numerator) / (told_denominator * (told_denominator - "
                ~ rounding_error('denominator_rounding') ~ ")) + 0.5 * power(10.0, -decimals)", 'decimals + 1'
            ) }}
    end as tolerance,
    series_break_before,
    source,
    retrieved_at
from parts

-- An index is made of published figures already.
union all
select
    m.index_id as indicator_id,
    m.area_code,
    m.area_level,
    m.period_start,
    m.period_end,
    m.period_label,
    {{ breakdown_columns('m.') }},
    m.value,
    cast(null as double) as numerator,
    cast(null as double) as denominator,
    i.unit,
    'reported' as status,
    cast(null as varchar) as sign,
    cast(null as integer) as rounded_to,
    cast(null as double) as tolerance,
    false as series_break_before,
    m.source,
    m.retrieved_at
from {{ ref('int_social_index') }} as m
inner join {{ ref('dim_indicator') }} as i on i.indicator_id = m.index_id
where {{ is_changed('m.index_id', 'indicator') }}
