{#
  ONE model for every indicator of a common kind. The catalogue lands as tables: a term says
  which cells of which measure make the numerator or denominator ('*': every cell, because the
  indicator is broken down by it; null: the denominator does not know this breakdown).
#}
{{ changed_part('indicator_id', 'indicator') }}
with combination as (
    select distinct measure_id, {{ breakdown_columns() }}
    from {{ ref('fct_measure') }}
),

-- Which cells a term takes, spelled out: the few combinations there are are looked through, not every value.
term as (
    select
        t.indicator_id, t.origin, t.role, t.measure_id, t.factor, t.expected_cells,
        {%- for name in var('breakdowns') %}
        m.{{ name }},
        case t.{{ name }}_shown when 'cell' then m.{{ name }} when 'total' then 'total' end
            as {{ name }}_told,
        {%- endfor %}
        p.rounding
    from {{ source('catalogue', 'indicator_term') }} as t
    inner join {{ source('catalogue', 'measure') }} as p on p.measure_id = t.measure_id
    inner join combination as m
        on m.measure_id = t.measure_id
        {%- for name in var('breakdowns') %}
        and (t.{{ name }} = '*' or t.{{ name }} = m.{{ name }})
        {%- endfor %}
    where {{ is_changed('t.indicator_id', 'indicator') }}
),

cells as (
    select
        t.indicator_id,
        t.origin,
        t.role,
        t.expected_cells,
        m.area_code,
        m.area_level,
        m.period_start,
        m.period_end,
        m.period_label,
        {%- for name in var('breakdowns') %}
        t.{{ name }}_told as {{ name }},
        {%- endfor %}
        t.factor * m.value as value,
        {{ status_rank('m.status') }} as status_rank,
        m.sign,
        greatest(t.rounding, coalesce(r.base, 1)) as rounding,
        t.rounding as protection,
        m.source_table,
        m.retrieved_at
    from term as t
    inner join {{ source('catalogue', 'indicator_level') }} as l
        on l.indicator_id = t.indicator_id and l.origin = t.origin
    inner join {{ ref('fct_measure') }} as m
        on m.measure_id = t.measure_id
        and m.area_level = l.area_level
        {{ same_breakdowns('m', 't') }}
    -- Some Länder publish their counts rounded; what is made of them is as exact as they are.
    left join {{ source('catalogue', 'measure_rounding') }} as r
        on r.measure_id = t.measure_id
        and r.area_scope = substr(m.area_code, 1, 2)
        and r.since <= m.period_end
),

terms as (
    -- One cell is its own sum; grouping all of them would take longer than everything else here.
    select
        indicator_id, origin, role, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        rounding,
        protection,
        {{ exact('value') }} as value,
        status_rank as found_rank,
        0 as cells_missing,
        sign,
        source_table as source,
        retrieved_at
    from cells
    where expected_cells = 1
    union all
    select
        indicator_id, origin, role, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        max(rounding) as rounding,
        max(protection) as protection,
        case when count(value) = max(expected_cells) then {{ exact('value', sum=true) }} end as value,
        max(status_rank) as found_rank,
        -- A cell that is not there at all is as missing as one that carries a sign.
        case when count(*) < max(expected_cells) then 1 else 0 end as cells_missing,
        cast(null as varchar) as sign,
        {{ list_of('source_table') }} as source,
        max(retrieved_at) as retrieved_at
    from cells
    where expected_cells > 1
    group by
        indicator_id, origin, role, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }}
),

ranked_terms as (
    select
        *,
        case when cells_missing = 1 and found_rank < 4 then 4 else found_rank end as status_rank
    from terms
),

-- Which breakdowns a denominator does not know; on these it serves every cell of the numerator.
denominator_shapes as (
    select distinct
        indicator_id,
        origin,
        {%- for name in var('breakdowns') %}
        {{ name }}_shown is null as serves_every_{{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ source('catalogue', 'indicator_term') }}
    where role = 'denominator'
),

denominators as (
    select
        t.*,
        {%- for name in var('breakdowns') %}
        coalesce(t.{{ name }}, '*') as {{ name }}_key{{ ',' if not loop.last }}
        {%- endfor %}
    from ranked_terms as t
    where t.role = 'denominator'
),

numerators as (
    select
        t.*,
        {%- for name in var('breakdowns') %}
        case when coalesce(s.serves_every_{{ name }}, true) then '*' else t.{{ name }} end as {{ name }}_key,
        {%- endfor %}
        case i.alignment
            when 'previous_year_end' then {{ previous_year_end('t.period_end') }}
            when 'same_year_end' then {{ same_year_end('t.period_start') }}
            when 'previous_period' then {{ one_year_before('t.period_end') }}
            else t.period_end
        end as denominator_period_end
    from ranked_terms as t
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = t.indicator_id
    left join denominator_shapes as s on s.indicator_id = t.indicator_id and s.origin = t.origin
    where t.role = 'numerator'
),

joined as (
    select
        n.indicator_id,
        n.area_code,
        n.area_level,
        n.period_start,
        n.period_end,
        n.period_label,
        {{ breakdown_columns('n.') }},
        i.kind,
        i.unit,
        cast(i.decimals as integer) as decimals,
        i.multiplier,
        i.needs_denominator,
        n.value as numerator,
        d.value as denominator,
        n.rounding as numerator_rounding,
        d.rounding as denominator_rounding,
        n.protection as numerator_protection,
        d.protection as denominator_protection,
        n.status_rank as numerator_rank,
        case when i.needs_denominator then coalesce(d.status_rank, 4) else 0 end as denominator_rank,
        n.sign,
        d.indicator_id is not null as has_denominator,
        case
            when d.source is null or d.source = n.source then n.source
            else n.source || ' / ' || d.source
        end as source,
        case when d.retrieved_at > n.retrieved_at then d.retrieved_at else n.retrieved_at end
            as retrieved_at
    from numerators as n
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = n.indicator_id
    left join denominators as d
        on d.indicator_id = n.indicator_id
        and d.origin = n.origin
        and d.area_code = n.area_code
        and d.period_end = n.denominator_period_end
        {%- for name in var('breakdowns') %}
        and d.{{ name }}_key = n.{{ name }}_key
        {%- endfor %}
)

select
    indicator_id, area_code, area_level, period_start, period_end, period_label,
    {{ breakdown_columns() }},
    numerator, denominator,
    numerator_rounding, denominator_rounding, numerator_protection, denominator_protection,
    {{ formula('numerator', 'denominator') }} as value,
    case when numerator_rank > denominator_rank then numerator_rank else denominator_rank end as status_rank,
    sign, source, retrieved_at
from joined
-- Without any denominator there is nothing to relate to: the period is not offered at all.
where not needs_denominator or has_denominator
