-- One row per partner of the education office and field of action they work together in.
with newest as (
    select * from network_partners
    where period_end = (select max(period_end) from network_partners)
),

measure as (
    select distinct measure_number, field_of_action, partners from pub_measures
)

select
    n.partner,
    n.kind as partner_kind,
    replace(n.field_of_action, 'field_', '') as field_of_action,
    n.since as began_on,
    cast((
        select count(*)
        from measure as m
        where m.field_of_action = replace(n.field_of_action, 'field_', '')
          and list_contains(regexp_split_to_array(m.partners, '\s*,\s*'), n.partner)
    ) as integer) as joint_measures
from newest as n
