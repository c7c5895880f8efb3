{{ changed_part('table_code', 'source') }}
with ranked as (
    select
        o.*,
        row_number() over (
            partition by
                o.table_code, o.measure_code, o.area_code, o.period_start, o.period_end,
                {{ breakdown_columns('o.') }}
            order by s.age_rank desc
        ) as newest
    from {{ ref('int_genesis__observation_coded') }} as o
    inner join {{ ref('stg_genesis__snapshot') }} as s on s.snapshot_id = o.snapshot_id
    where {{ is_changed('o.table_code', 'source') }}
),

with_peers as (
    select
        o.*,
        case when o.period_end between v.valid_from and v.valid_to then 1 else 0 end as measure_is_valid,
        a.area_exists,
        {{ any_true('o.value is not null') }} over (
            partition by o.table_code, o.period_end, o.area_code
        ) as area_has_number,
        {{ any_true('o.value is not null') }} over (
            partition by o.table_code, o.period_end, o.area_level
        ) as level_has_number,
        {{ any_true('o.value is not null') }} over (
            partition by
                o.table_code, o.period_end, o.area_level, o.measure_code,
                {{ breakdown_columns('o.') }}
        ) as peer_has_number,
        case when y.area_code is not null then 1 else 0 end as area_has_number_in_year
    from ranked as o
    inner join {{ source('catalogue', 'measure_validity') }} as v
        on v.table_code = o.table_code and v.measure_code = o.measure_code
    inner join {{ ref('int_area_existence') }} as a
        on a.area_code = o.area_code and a.period_end = o.period_end
    left join {{ ref('int_genesis__area_year') }} as y
        on y.area_code = o.area_code and y.year = extract(year from o.period_end)
    where o.newest = 1
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
    case
        when {{ dash_is_zero('sign', 'measure_is_valid', 'area_exists', 'area_has_number', 'peer_has_number') }}
            then 0
        else value
    end as value,
    case
        when {{ dash_is_zero('sign', 'measure_is_valid', 'area_exists', 'area_has_number', 'peer_has_number') }}
            then 'reported'
        else {{ status_of('value', 'sign', 'measure_is_valid', 'peer_has_number') }}
    end as status,
    sign,
    unit,
    measure_is_valid,
    delivered_value,
    correction_id
from with_peers
-- A number is kept whatever the register of areas says: tables are calculated back to new keys and
-- carry old ones on. An area without any number in the table and period does not exist then, if the
-- reforms say so, or if no delivery of any table has one for the year while its level was delivered.
where area_has_number = 1
   or (area_exists = 1 and (level_has_number = 0 or area_has_number_in_year = 1))
