{# One published table: its part of every told value. #}
{% macro published_table(name) -%}
{{ changed_part('indicator_id', 'indicator') }}
select * {{ without_column('published_table') }}
from {{ ref('fct_published_value') }}
where published_table = '{{ name }}' and {{ is_changed('indicator_id', 'indicator') }}
{%- endmacro %}
