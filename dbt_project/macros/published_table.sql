{# One published table: its indicators' values with the names a reader needs beside the codes. #}
{% macro published_table(name) -%}
select
    v.indicator_id,
    i.indicator_name_de,
    i.indicator_name_en,
    v.area_code,
    a.area_name,
    v.area_level,
    v.period_start,
    v.period_end,
    v.period_label,
    {{ breakdown_columns('v.') }},
    v.value,
    v.numerator,
    v.denominator,
    v.unit,
    v.status,
    v.sign,
    v.series_break_before,
    (
        select {{ list_of('n.footnotes') }}
        from {{ ref('fct_value_footnote') }} as n
        where n.indicator_id = v.indicator_id
          and n.area_code = v.area_code
          and n.period_start = v.period_start
          and n.period_end = v.period_end
          and (
            n.breakdown is null
            {%- for name in var('breakdowns') %}
            or (n.breakdown = '{{ name }}' and n.cell = v.{{ name }})
            {%- endfor %}
          )
    ) as footnotes,
    v.source,
    v.retrieved_at
from {{ ref('fct_indicator_value') }} as v
inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
inner join {{ ref('dim_area') }} as a on a.area_code = v.area_code
where i.published_table = '{{ name }}'
{%- endmacro %}
