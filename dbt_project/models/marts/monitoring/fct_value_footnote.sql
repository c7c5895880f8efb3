{{ changed_part('indicator_id', 'indicator') }}
with periods as (
    select distinct indicator_id, area_code, period_start, period_end
    from {{ ref('fct_indicator_value') }}
    -- The offices' notes speak of their own figures, not of those of the city's registers.
    where area_level in ('country', 'state', 'region', 'district')
        and {{ is_changed('indicator_id', 'indicator') }}
),

spoken_of as (
    select
        p.indicator_id,
        p.area_code,
        p.period_start,
        p.period_end,
        -- A note on a cell that the indicator is fixed to speaks of all its values.
        case when c.cell is null then f.breakdown end as breakdown,
        case when c.cell is null then f.cell end as cell,
        f.footnote_id
    from periods as p
    inner join {{ source('catalogue', 'indicator_table') }} as t on t.indicator_id = p.indicator_id
    inner join {{ ref('int_genesis__footnote') }} as f on f.table_code = t.table_code
    left join {{ source('catalogue', 'indicator_cell') }} as c
        on c.indicator_id = p.indicator_id and c.breakdown = f.breakdown and c.cell = f.cell
    where (
            f.area_scope is null
            or f.area_scope = p.area_code
            or (f.area_scope <> 'DG' and substr(p.area_code, 1, length(f.area_scope)) = f.area_scope)
        )
      and coalesce(f.first_year, 0)
        <= extract(year from case when t.reports_by_start then p.period_start else p.period_end end)
      and coalesce(f.last_year, 9998)
        >= extract(year from case when t.reports_by_start then p.period_start else p.period_end end)
)

select
    indicator_id,
    area_code,
    period_start,
    period_end,
    breakdown,
    cell,
    {{ list_of('footnote_id') }} as footnotes
from spoken_of
group by indicator_id, area_code, period_start, period_end, breakdown, cell
