{# One published table: its part of every told value. #}
{% macro published_table(name) -%}
select * {{ without_column('published_table') }}
from {{ ref('fct_published_value') }}
where published_table = '{{ name }}'
{%- endmacro %}
