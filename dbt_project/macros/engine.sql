{# What differs between engines, each behind a dispatched macro; the models use nothing else. #}

{% macro previous_year_end(day) -%}{{ return(adapter.dispatch('previous_year_end')(day)) }}{%- endmacro %}
{% macro default__previous_year_end(day) -%}
  make_date(cast(extract(year from {{ day }}) as integer) - 1, 12, 31)
{%- endmacro %}

{% macro same_year_end(day) -%}{{ return(adapter.dispatch('same_year_end')(day)) }}{%- endmacro %}
{% macro default__same_year_end(day) -%}
  make_date(cast(extract(year from {{ day }}) as integer), 12, 31)
{%- endmacro %}

{% macro one_year_before(day) -%}{{ return(adapter.dispatch('one_year_before')(day)) }}{%- endmacro %}
{% macro default__one_year_before(day) -%}
  cast({{ day }} - interval 1 year as date)
{%- endmacro %}

{% macro months_before(day, months) -%}{{ return(adapter.dispatch('months_before')(day, months)) }}{%- endmacro %}
{% macro default__months_before(day, months) -%}
  cast({{ day }} - interval {{ months }} month as date)
{%- endmacro %}

{# Every column but one: `exclude` here, `except` on Spark. #}
{% macro without_column(name) -%}{{ return(adapter.dispatch('without_column')(name)) }}{%- endmacro %}
{% macro default__without_column(name) -%}exclude ({{ name }}){%- endmacro %}
{% macro spark__without_column(name) -%}except ({{ name }}){%- endmacro %}

{% macro list_of(expression) -%}{{ return(adapter.dispatch('list_of')(expression)) }}{%- endmacro %}
{% macro default__list_of(expression) -%}
  string_agg(distinct {{ expression }}, ', ' order by {{ expression }})
{%- endmacro %}
{% macro spark__list_of(expression) -%}
  array_join(array_sort(collect_set({{ expression }})), ', ')
{%- endmacro %}

{# All values of a group, one for each row, in the order of another column. #}
{% macro joined(expression, order, separator) -%}{{ return(adapter.dispatch('joined')(expression, order, separator)) }}{%- endmacro %}
{% macro default__joined(expression, order, separator) -%}
  string_agg({{ expression }}, '{{ separator }}' order by {{ order }})
{%- endmacro %}
{% macro spark__joined(expression, order, separator) -%}
  array_join(transform(array_sort(collect_list(struct({{ order }} as o, {{ expression }} as e))), x -> x.e), '{{ separator }}')
{%- endmacro %}

{% macro any_true(condition) -%}{{ return(adapter.dispatch('any_true')(condition)) }}{%- endmacro %}
{% macro default__any_true(condition) -%}
  max(case when {{ condition }} then 1 else 0 end)
{%- endmacro %}

{% macro days_between(first, last) -%}{{ return(adapter.dispatch('days_between')(first, last)) }}{%- endmacro %}
{% macro default__days_between(first, last) -%}
  date_diff('day', cast({{ first }} as date), cast({{ last }} as date))
{%- endmacro %}
{% macro spark__days_between(first, last) -%}
  datediff({{ last }}, {{ first }})
{%- endmacro %}
