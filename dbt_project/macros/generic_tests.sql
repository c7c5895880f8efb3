{# Structure and integrity only: whether a figure is right is decided in expectations/. #}

{% test unique_combination(model, columns) %}
select {{ columns | join(', ') }}, count(*) as found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}

{% test no_sign_inside_number(model, value, status) %}
select *
from {{ model }}
where ({{ value }} is null and {{ status }} in ('reported', 'estimated'))
   or ({{ value }} is not null and {{ status }} in ('range', 'not_applicable', 'unavailable', 'confidential'))
{% endtest %}

{% test has_rows(model) %}
select 1 as empty where not exists (select 1 from {{ model }})
{% endtest %}
