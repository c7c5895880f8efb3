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
