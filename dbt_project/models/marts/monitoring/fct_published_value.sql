{# Every told value with the names, comparators and footnotes a reader needs beside it; the published tables are its parts. #}
{{ changed_part('indicator_id', 'indicator') }}
with cell_footnote as (
    select
        v.indicator_id, v.area_code, v.period_start, v.period_end, {{ breakdown_columns('v.') }},
        {{ list_of('n.footnotes') }} as footnotes
    from {{ ref('fct_told_value') }} as v
    inner join {{ ref('fct_value_footnote') }} as n
        on n.indicator_id = v.indicator_id
        and n.area_code = v.area_code
        and n.period_start = v.period_start
        and n.period_end = v.period_end
        and n.breakdown is not null
    where {{ is_changed('v.indicator_id', 'indicator') }} and (
        false
        {%- for name in var('breakdowns') %}
        or (n.breakdown = '{{ name }}' and n.cell = v.{{ name }})
        {%- endfor %}
    )
    group by v.indicator_id, v.area_code, v.period_start, v.period_end, {{ breakdown_columns('v.') }}
)

select
    i.published_table,
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
    cast(v.value_from as double) as value_from,
    cast(v.value_to as double) as value_to,
    v.numerator,
    v.denominator,
    v.unit,
    v.status,
    v.sign,
    cast(v.rounded_to as integer) as rounded_to,
    cast(v.tolerance as double) as tolerance,
    cast(c.value_city as double) as value_city,
    cast(c.value_state as double) as value_state,
    cast(c.value_country as double) as value_country,
    cast(c.value_peers as double) as value_peers,
    c.rank,
    c.rank_of,
    cast(c.distance as double) as distance,
    cast(c.change_previous_year as double) as change_previous_year,
    cast(c.change_tolerance as double) as change_tolerance,
    c.is_change_uncertain,
    cast(c.trend_per_year as double) as trend_per_year,
    cast(c.trend_tolerance as double) as trend_tolerance,
    c.is_trend_uncertain,
    v.series_break_before,
    case
        when f.footnotes is null then g.footnotes
        when g.footnotes is null then f.footnotes
        else g.footnotes || ', ' || f.footnotes
    end as footnotes,
    v.source,
    v.retrieved_at
from {{ ref('fct_told_value') }} as v
left join {{ ref('fct_comparison') }} as c
    on c.indicator_id = v.indicator_id
    and c.area_code = v.area_code
    and c.period_start = v.period_start
    and c.period_end = v.period_end
    {{ same_breakdowns('c', 'v') }}
left join {{ ref('fct_value_footnote') }} as g
    on g.indicator_id = v.indicator_id
    and g.area_code = v.area_code
    and g.period_start = v.period_start
    and g.period_end = v.period_end
    and g.breakdown is null
left join cell_footnote as f
    on f.indicator_id = v.indicator_id
    and f.area_code = v.area_code
    and f.period_start = v.period_start
    and f.period_end = v.period_end
    {{ same_breakdowns('f', 'v') }}
inner join {{ ref('dim_indicator') }} as i on i.indicator_id = v.indicator_id
inner join {{ ref('dim_area') }} as a on a.area_code = v.area_code
where {{ is_changed('v.indicator_id', 'indicator') }}
