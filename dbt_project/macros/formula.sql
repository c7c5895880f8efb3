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

{# A count as it may be told: the nearest multiple of its register's base. #}
{% macro told(value, rounding) -%}
case when {{ rounding }} > 1 then round({{ value }} / {{ rounding }}) * {{ rounding }} else {{ value }} end
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
round(ceil(({{ value }}) * power(10.0, {{ digits }}) - 1e-6) / power(10.0, {{ digits }}), {{ digits }})
{%- endmacro %}

{# Is a rate one of so few people that it is not told? `v`: of fct_indicator_value, `i`: of dim_indicator. #}
{% macro too_few_people(v, i) -%}
coalesce(
    {{ i }}needs_denominator
    and {{ v }}denominator_protection > 1
    and {{ v }}denominator < 30
    and {{ v }}denominator > 0,
    false
)
{%- endmacro %}
