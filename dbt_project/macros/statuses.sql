{#
  A value's state. Where several cells make one value, the gravest of their states is its state.
  The order is the one argument for the whole project; both directions stand here.
#}
{% macro status_rank(status) -%}
  case {{ status }}
    when 'reported' then 0 when 'estimated' then 1 when 'unreliable' then 2
    when 'not_applicable' then 3 when 'unavailable' then 4 when 'confidential' then 5
  end
{%- endmacro %}

{% macro status_name(rank) -%}
  case {{ rank }}
    when 0 then 'reported' when 1 then 'estimated' when 2 then 'unreliable'
    when 3 then 'not_applicable' when 4 then 'unavailable' when 5 then 'confidential'
  end
{%- endmacro %}

{#
  The offices' signs → status. `-` is decided by dash_is_zero; when it is not zero, the measure was
  not collected or the area does not exist (not_applicable), or the whole level is missing
  (unavailable).
#}
{% macro status_of(value, sign, measure_is_valid, peer_has_number) -%}
  case
    when {{ value }} is not null and {{ sign }} = 's' then 'estimated'
    when {{ value }} is not null and {{ sign }} = '()' then 'unreliable'
    when {{ value }} is not null then 'reported'
    when {{ sign }} = '/' then 'unreliable'
    when {{ sign }} = 'x' then 'not_applicable'
    when {{ sign }} in ('.', '*') then 'confidential'
    when {{ sign }} = '-' and ({{ measure_is_valid }} = 0 or {{ peer_has_number }} = 1) then 'not_applicable'
    else 'unavailable'
  end
{%- endmacro %}

{#
  `-` ("nothing there") is a true zero only if all of this holds, otherwise it is missing:
    the measure is collected in that period (the table's contract),
    the area exists on the period's last day (the reforms of districts),
    the area has a number in the same table and period (so it delivered at all),
    a peer of its level has a number for the same measure in the same cell (so the cell is collected).
  Source: legend of the offices; the four meanings proven in real files. The one place of the rule.
#}
{% macro dash_is_zero(sign, measure_is_valid, area_exists, area_has_number, peer_has_number) -%}
  ({{ sign }} = '-' and {{ measure_is_valid }} = 1 and {{ area_exists }} = 1
    and {{ area_has_number }} = 1 and {{ peer_has_number }} = 1)
{%- endmacro %}
