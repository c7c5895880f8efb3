{#
  What may leave the house (decision 0016). Counts of people from registers are told as multiples of
  their register's base, and everything made of them is made of the rounded counts; a rate of too few people
  is not published, nor a figure that would let a small count be worked out (decision 0022). What is published
  of a figure, its status and sign included, depends on rounded counts alone (decision 0033). Official values
  pass as they are.
#}
{{ changed_part('indicator_id', 'indicator') }}
{#- Of a share the whole is rounded with its part: a part rounded up would exceed an exact whole. -#}
{%- set whole_base = "case when i.kind = 'share' and coalesce(v.denominator_protection, 1) = 1"
    ~ " then coalesce(v.numerator_protection, 1) else coalesce(v.denominator_protection, 1) end" -%}
with confidential as (
    {{ confidential_figures() }}
),

-- K2.1 of the city adds up its schools: with one of them hidden, the city less the others would be that one.
opened_by_sum as (
    select distinct c.indicator_id, c.period_end
    from confidential as c
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = c.indicator_id
    where i.model = 'int_all_day_gap'
),

-- Counts of a period that was delivered again stay as they were published (decision 0034).
kept as (
    select
        t.indicator_id, t.area_code, t.period_end, {{ breakdown_columns('t.') }},
        {%- for role in ('numerator', 'denominator') %}
        max(case when t.role = '{{ role }}' then k.published end) as {{ role }},
        max(case when t.role = '{{ role }}' then 1 end) as {{ role }}_again,
        -- What stays whatever its count has no bounds.
        max(case when t.role = '{{ role }}' and k.published is not null and k.high is null then 1 end) as {{ role }}_unbound
        {{- ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('int_told_count') }} as t
    inner join {{ source('disclosure', 'int_kept_count') }} as k on {{ same_count('k', 't') }}
    where not t.is_worked_out
    group by t.indicator_id, t.area_code, t.period_end, {{ breakdown_columns('t.') }}
),

parts as (
    select
        v.*,
        i.kind,
        i.needs_denominator,
        i.multiplier,
        cast(i.decimals as integer) as decimals,
        i.kind in ('model', 'index') as is_modelled,
        case when i.kind in ('model', 'index') then 100 else i.multiplier end as scale,
        {{ published_count('v.numerator', 'v.numerator_protection', 'k.numerator') }} as told_numerator,
        {{ published_count('v.denominator', whole_base, 'k.denominator') }} as told_denominator,
        greatest({{ whole_base }}, coalesce(v.denominator_rounding, 1)) as denominator_base,
        -- How far a published count may be from the true one: by its whole base if its period was delivered again, whether the
        -- figure stayed or followed; what is no count (lesson hours) by half of it, a whole number by less.
        case
            when k.numerator_unbound = 1 then null
            when k.numerator_again = 1 then v.numerator_protection
            when i.kind = 'sum' and v.numerator_protection > 1 then v.numerator_protection / 2.0
            else {{ rounding_error('v.numerator_rounding') }}
        end as numerator_error,
        case
            when k.denominator_unbound = 1 then null
            when k.denominator_again = 1 then v.denominator_protection
            else {{ rounding_error('greatest(' ~ whole_base ~ ', coalesce(v.denominator_rounding, 1))') }}
        end as denominator_error,
        {{ too_few_people('v.', 'i.', published_count('v.denominator', whole_base, 'k.denominator')) }}
            or c.indicator_id is not null
            or (o.indicator_id is not null and v.area_level = 'district') as is_hidden,
        {{ nobody_to_relate('v.', 'i.', published_count('v.denominator', whole_base, 'k.denominator')) }} as is_of_nobody
    from {{ ref('fct_indicator_value') }} as v
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
    left join confidential as c
        on c.indicator_id = v.indicator_id
        and c.area_code = v.area_code
        and c.period_end = v.period_end
        {{ same_breakdowns('c', 'v') }}
    left join kept as k
        on k.indicator_id = v.indicator_id
        and k.area_code = v.area_code
        and k.period_end = v.period_end
        {{ same_breakdowns('k', 'v') }}
    left join opened_by_sum as o on o.indicator_id = v.indicator_id and o.period_end = v.period_end
    where {{ is_changed('v.indicator_id', 'indicator') }}
),

figure as (
    select
        *,
        case
            when is_hidden or is_of_nobody then null
            when is_modelled or kind = 'reported' or numerator is null then value
            -- A part that stayed may exceed its whole by what both may be off; nobody has more than all of it.
            when kind = 'share' and numerator_protection > 1 and told_numerator > told_denominator
                and told_numerator - told_denominator <= numerator_error + denominator_error then multiplier
            else {{ formula('told_numerator', 'told_denominator') }}
        end as published_value,
        -- How far a value may be from the one of unrounded counts, its own decimals included: told by us, or rounded by a Land.
        case
            when is_hidden or is_of_nobody or value is null or kind = 'reported' or (is_modelled and unit <> 'percent')
                or greatest(coalesce(numerator_rounding, 1), denominator_base) = 1 then null
            when not needs_denominator and not is_modelled then numerator_error
            when kind = 'difference' then numerator_error + denominator_error
            when told_denominator > denominator_error
                then {{ rounded_up(
                    "scale * (numerator_error * told_denominator + denominator_error * told_numerator)"
                    ~ " / (told_denominator * (told_denominator - denominator_error)) + 0.5 * power(10.0, -decimals)",
                    'decimals + 1'
                ) }}
        end as tolerance
    from parts
),

-- A percentage that rounding may move farther than the policy allows is published as the range it lies in; a rate per thousand
-- by the same share of its people.
judged as (
    select
        *,
        coalesce(
            unit in ('percent', 'per 100', 'per 1000') and published_value is not null
            and 100 * tolerance / scale > {{ var('widest_tolerance') }},
            false
        ) as is_range
    from figure
)

select
    indicator_id,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    {{ breakdown_columns() }},
    case when not is_range then published_value end as value,
    case
        when is_range
            then {{ rounded_down(
                "least(published_value, scale * greatest(told_numerator - numerator_error, 0) / (told_denominator + denominator_error))",
                'decimals'
            ) }}
    end as value_from,
    case
        when is_range
            then least(
                {{ rounded_up(
                    "greatest(published_value, scale * (told_numerator + numerator_error) / (told_denominator - denominator_error))",
                    'decimals'
                ) }},
                case when kind in ('share', 'distribution') then scale end
            )
    end as value_to,
    case when not is_hidden and not is_of_nobody then told_numerator end as numerator,
    case when not is_hidden then told_denominator end as denominator,
    unit,
    case
        when is_hidden then 'confidential'
        when is_of_nobody then 'not_applicable'
        when is_range then 'range'
        else status
    end as status,
    -- A count that rounds to zero may be zero or a few: its sign must not say which.
    case
        when is_hidden then '.'
        when is_of_nobody or is_range then null
        when sign is null and not needs_denominator and numerator_protection > 1 and told_numerator = 0 then '0'
        else sign
    end as sign,
    case
        when greatest(coalesce(numerator_protection, 1), coalesce(denominator_protection, 1)) > 1
            then greatest(coalesce(numerator_protection, 1), coalesce(denominator_protection, 1))
    end as rounded_to,
    case when not is_range then tolerance end as tolerance,
    series_break_before,
    source,
    retrieved_at
from judged

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
    cast(null as double) as value_from,
    cast(null as double) as value_to,
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
