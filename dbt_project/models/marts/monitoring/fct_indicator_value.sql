{#
  ONE model for every indicator of a common kind. The catalogue lands as tables: a term says
  which cells of which measure make the numerator or denominator ('*': every cell, because the
  indicator is broken down by it; null: the denominator does not know this breakdown).
#}
with cells as (
    select
        t.indicator_id,
        t.role,
        t.expected_cells,
        m.area_code,
        m.area_level,
        m.period_start,
        m.period_end,
        m.period_label,
        {%- for name in var('breakdowns') %}
        case t.{{ name }}_shown when 'cell' then m.{{ name }} when 'total' then 'total' end
            as {{ name }},
        {%- endfor %}
        m.value,
        {{ status_rank('m.status') }} as status_rank,
        m.sign,
        m.source_table,
        m.retrieved_at
    from {{ source('catalogue', 'indicator_term') }} as t
    inner join {{ source('catalogue', 'indicator_level') }} as l on l.indicator_id = t.indicator_id
    inner join {{ ref('fct_measure') }} as m
        on m.measure_id = t.measure_id
        and m.area_level = l.area_level
        {%- for name in var('breakdowns') %}
        and (t.{{ name }} = '*' or t.{{ name }} = m.{{ name }})
        {%- endfor %}
),

terms as (
    select
        indicator_id, role, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }},
        case when count(value) = max(expected_cells) then sum(value) end as value,
        -- A cell that is not there at all is as missing as one that carries a sign.
        max(case when status_rank is not null then status_rank end) as found_rank,
        case when count(*) < max(expected_cells) then 1 else 0 end as cells_missing,
        case when max(expected_cells) = 1 then max(sign) end as sign,
        {{ list_of('source_table') }} as source,
        max(retrieved_at) as retrieved_at
    from cells
    group by
        indicator_id, role, area_code, area_level, period_start, period_end, period_label,
        {{ breakdown_columns() }}
),

ranked_terms as (
    select
        *,
        case when cells_missing = 1 and found_rank < 4 then 4 else found_rank end as status_rank
    from terms
),

-- Which breakdowns a denominator knows; on the others it serves every cell of the numerator.
denominator_shapes as (
    select distinct
        indicator_id,
        {%- for name in var('breakdowns') %}
        {{ name }}_shown{{ ',' if not loop.last }}
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
        case when s.{{ name }}_shown is null then '*' else t.{{ name }} end as {{ name }}_key,
        {%- endfor %}
        case i.alignment
            when 'previous_year_end' then {{ previous_year_end('t.period_end') }}
            else t.period_end
        end as denominator_period_end
    from ranked_terms as t
    inner join {{ ref('dim_indicator') }} as i on i.indicator_id = t.indicator_id
    left join denominator_shapes as s on s.indicator_id = t.indicator_id
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
        and d.area_code = n.area_code
        and d.period_end = n.denominator_period_end
        {%- for name in var('breakdowns') %}
        and d.{{ name }}_key = n.{{ name }}_key
        {%- endfor %}
),

computed as (
    select
        *,
        -- Integers first, one division, rounding last; a tie is then exact and rounds up.
        case
            when not needs_denominator then round(numerator, decimals)
            when kind = 'difference' then round(numerator - denominator, decimals)
            else
                round(numerator * multiplier * power(10, decimals) / nullif(denominator, 0))
                / power(10, decimals)
        end as value,
        case
            when numerator_rank > denominator_rank then numerator_rank else denominator_rank
        end as status_rank
    from joined
    -- Without any denominator there is nothing to relate to: the period is not offered at all.
    where not needs_denominator or has_denominator
),

-- A break counts from the last period that has a value, so that an empty one can't swallow it.
following as (
    select
        *,
        max(case when value is not null then period_end end) over (
            partition by indicator_id, area_code, {{ breakdown_columns() }}
            order by period_end
            rows between unbounded preceding and 1 preceding
        ) as previous_period_end
    from computed
)

select
    c.indicator_id,
    c.area_code,
    c.area_level,
    c.period_start,
    c.period_end,
    c.period_label,
    {{ breakdown_columns('c.') }},
    c.value,
    case when c.kind <> 'reported' then c.numerator end as numerator,
    c.denominator,
    c.unit,
    case
        -- Nothing to relate to: both parts are known and the denominator is zero.
        when c.value is null and c.denominator = 0 and c.status_rank < 3 then 'not_applicable'
        else {{ status_name('c.status_rank') }}
    end as status,
    c.sign,
    exists (
        select 1
        from {{ source('catalogue', 'indicator_break') }} as b
        where b.indicator_id = c.indicator_id
          and (b.area_scope = '*' or substr(c.area_code, 1, length(b.area_scope)) = b.area_scope)
          and b.break_from > c.previous_period_end
          and b.break_from <= c.period_end
          {%- for name in var('breakdowns') %}
          and (b.{{ name }} = '*' or b.{{ name }} = c.{{ name }})
          {%- endfor %}
    ) as series_break_before,
    c.source,
    c.retrieved_at
from following as c
