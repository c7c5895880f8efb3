{# Every measure and indicator has the same breakdown columns; these write them out once. #}

{% macro breakdown_columns(prefix='') -%}
  {%- for name in var('breakdowns') -%}
    {{ prefix }}{{ name }}{{ ', ' if not loop.last }}
  {%- endfor -%}
{%- endmacro %}

{% macro same_breakdowns(left, right, without='') -%}
  {%- for name in var('breakdowns') if name != without %}
    and {{ left }}.{{ name }} = {{ right }}.{{ name }}
  {%- endfor -%}
{%- endmacro %}

{# The cells of a breakdown that a term counts, in words: a cell, or several of them, in order. #}
{% macro cells_of(name) -%}
{{ list_of("case when t." ~ name ~ " = '*' then v." ~ name ~ " else t." ~ name ~ " end") }}
{%- endmacro %}
