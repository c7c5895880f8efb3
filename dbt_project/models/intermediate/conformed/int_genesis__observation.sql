with ranked as (
    select
        *,
        row_number() over (
            partition by
                table_code, measure_code, area_code, period_start, period_end,
                {{ breakdown_columns() }}
            order by age_rank desc
        ) as newest
    from {{ ref('int_genesis__observation_coded') }}
),

with_peers as (
    select
        *,
        {{ any_true('value is not null') }} over (
            partition by table_code, period_end, area_code
        ) as area_has_number,
        {{ any_true('value is not null') }} over (
            partition by table_code, period_end, area_level
        ) as level_has_number,
        {{ any_true('value is not null') }} over (
            partition by
                table_code, period_end, area_level, measure_code,
                {{ breakdown_columns() }}
        ) as peer_has_number,
        {{ any_true('value is not null') }} over (
            partition by area_code, extract(year from period_end)
        ) as area_has_number_in_year
    from ranked
    where newest = 1
)

select
    snapshot_id,
    table_code,
    area_code,
    area_level,
    period_start,
    period_end,
    period_label,
    measure_code,
    {{ breakdown_columns() }},
    case when {{ dash_is_zero('sign', 'area_has_number', 'peer_has_number') }} then 0 else value end
        as value,
    case
        when {{ dash_is_zero('sign', 'area_has_number', 'peer_has_number') }} then 'reported'
        else {{ status_of('value', 'sign', 'peer_has_number') }}
    end as status,
    sign,
    unit,
    delivered_value,
    correction_id
from with_peers
-- An area without any number in any table of the year, while its level was delivered, does not
-- exist then; one that is only unknown here keeps its rows and their status.
where area_has_number = 1 or level_has_number = 0 or area_has_number_in_year = 1
