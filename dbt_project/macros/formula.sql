{#
  An indicator's value from its numerator and denominator; the columns kind, decimals, multiplier and
  needs_denominator come from dim_indicator. Integers first, one division, rounding last: a tie is
  then exact and rounds up. The one place of the formula; exact and told values both use it.
#}
{% macro formula(numerator, denominator) -%}
case
    when not needs_denominator then round({{ numerator }}, decimals)
    when kind = 'difference' then round({{ numerator }} - {{ denominator }}, decimals)
    else
        round({{ numerator }} * multiplier * power(10, decimals) / nullif({{ denominator }}, 0))
        / power(10, decimals)
end
{%- endmacro %}

{# A count as it may be published: the nearest multiple of its register's base. #}
{% macro rounded_count(value, rounding) -%}
case when {{ rounding }} > 1 then round({{ value }} / {{ rounding }}) * {{ rounding }} else {{ value }} end
{%- endmacro %}

{# A count as it is published: what stays published of it since an earlier delivery, or the rounded one. #}
{% macro published_count(value, rounding, kept) -%}
coalesce({{ kept }}, {{ rounded_count(value, rounding) }})
{%- endmacro %}

{# By how much a count rounded to multiples of a base may be off. #}
{% macro rounding_error(rounding) -%}
coalesce(floor({{ rounding }} / 2), 0)
{%- endmacro %}

{# A value, or the sum of all values of a group. Decimals add up to the same in any order of rows, doubles do not. #}
{% macro exact(value, sum=false) -%}
cast({{ 'sum' if sum }}(cast({{ value }} as decimal(28, 6))) as double)
{%- endmacro %}

{# Rounded, and nought without a sign: what rounds to nothing is neither less nor more than nothing. #}
{% macro rounded(value, digits) -%}
round({{ value }}, {{ digits }}) + 0
{%- endmacro %}

{# A bound: never below the value, but for what doubles add. #}
{% macro rounded_up(value, digits) -%}
round((ceil(({{ value }}) * power(10.0, {{ digits }}) - 1e-6) + 0.0) / power(10.0, {{ digits }}), {{ digits }})
{%- endmacro %}

{# A bound from below: never above the value, but for what doubles add. #}
{% macro rounded_down(value, digits) -%}
round(floor(({{ value }}) * power(10.0, {{ digits }}) + 1e-6) / power(10.0, {{ digits }}), {{ digits }}) + 0
{%- endmacro %}

{# Is a movement no larger than its tolerance, both as published? Null where there is no movement; false where it is exact. #}
{% macro is_within(movement, tolerance) -%}
case when {{ movement }} is not null then coalesce(abs({{ movement }}) <= {{ tolerance }} + 1e-9, false) end
{%- endmacro %}

{#
  Is a figure related to people whose number is protected? A difference is not: both its counts are published beside it.
  `v`: of fct_indicator_value, `i`: of dim_indicator.
#}
{% macro is_per_protected(v, i) -%}
({{ i }}needs_denominator and {{ i }}kind <> 'difference' and {{ v }}denominator_protection > 1)
{%- endmacro %}

{#
  Is a rate one of so few people that it is not published? It depends on the rounded count alone: what depended on the exact
  one would say which side of the limit that is. `published`: the denominator as it is published, without it rounded.
#}
{% macro too_few_people(v, i, published=none) -%}
{%- set published = published or rounded_count(v ~ 'denominator', v ~ 'denominator_protection') -%}
coalesce(
    {{ is_per_protected(v, i) }}
    and {{ published }} > 0
    and {{ published }} < {{ var('least_per_base') }} * {{ v }}denominator_protection,
    false
)
{%- endmacro %}

{# Is there nobody, or a few, to whom a rate could relate? The published denominator is 0 then. #}
{% macro nobody_to_relate(v, i, published=none) -%}
coalesce(
    {{ is_per_protected(v, i) }}
    and {{ v }}numerator is not null
    and {{ published or rounded_count(v ~ 'denominator', v ~ 'denominator_protection') }} = 0,
    false
)
{%- endmacro %}

{#
  How far chance moves a share of people: the variance of a proportion, in the figure's own scale. `v`: published values, `i`: of
  dim_indicator. Stocks of the same people vary less; the figure is an upper bound for them.
#}
{% macro variance_of_share(v, i) -%}
case
    when {{ i }}.is_share_of_people and {{ v }}.denominator > 0
        then power({{ i }}.multiplier, 2) * greatest({{ v }}.numerator * ({{ v }}.denominator - {{ v }}.numerator), 0)
            / power({{ v }}.denominator, 3)
end
{%- endmacro %}

{#
  How far a weighted sum of values of one series may be from the one without rounding and chance: their tolerances, and
  1.96 standard deviations. `parts`: (row, weight); a row is `t` or `lag(t, n)`. Null where neither is known of any value.
#}
{% macro uncertainty(parts) -%}
{%- set columns = namespace(tolerances=[], variances=[], known=[]) -%}
{%- for row, weight in parts -%}
    {%- for name in ('tolerance', 'variance') -%}
        {%- set value = 't.' ~ name if row == 't' else row | replace('(t,', '(t.' ~ name ~ ',') ~ ' over series' -%}
        {%- do columns.known.append(value) -%}
        {%- if name == 'tolerance' -%}
            {%- do columns.tolerances.append(weight ~ ' * coalesce(' ~ value ~ ', 0)') -%}
        {%- else -%}
            {%- do columns.variances.append((weight * weight) ~ ' * coalesce(' ~ value ~ ', 0)') -%}
        {%- endif -%}
    {%- endfor -%}
{%- endfor -%}
case
    when coalesce({{ columns.known | join(', ') }}) is not null
        then {{ columns.tolerances | join(' + ') }} + 1.96 * sqrt({{ columns.variances | join(' + ') }})
end
{%- endmacro %}

{# Are two rows about the same count: measure, period, area and cells? #}
{% macro same_count(left, right) -%}
{{ left }}.measure_id = {{ right }}.measure_id
    and {{ left }}.counted_period_end = {{ right }}.counted_period_end
    and {{ left }}.area_code = {{ right }}.area_code
    {%- for name in var('breakdowns') %}
    and {{ left }}.counted_{{ name }} = {{ right }}.counted_{{ name }}
    {%- endfor %}
{%- endmacro %}

{# The figures that are not published because of what they would give away: decision 0022. #}
{% macro confidential_figures() -%}
select distinct
    t.indicator_id, t.area_code, t.period_end, {{ breakdown_columns('t.') }}
from {{ ref('int_told_count') }} as t
inner join {{ source('disclosure', 'int_confidential_count') }} as c on {{ same_count('c', 't') }}
{%- endmacro %}
