{#
  A mart is computed in parts: by official table, by measure, by indicator. A model of this kind says which
  part is computed (`where … in`), and forgets the same part of what it had (`pre_hook`). In a candidate that
  is made from nothing every part is a changed one. `changes` says who decides: `raw` (the source delivered
  something else), or int_change__`source`, `measure` or `indicator`. docs/decisions/0019-incremental-nights.md
#}
{% macro changed_part(column, changes) -%}
{{ config(materialized='incremental', incremental_strategy='append', on_schema_change='fail', pre_hook="{{ forget_part('" ~ column ~ "', '" ~ changes ~ "') }}") }}
{%- endmacro %}

{% macro forget_part(column, changes) -%}
{%- if is_incremental() -%}
delete from {{ this }} where {{ is_changed(column, changes) }}
{%- endif -%}
{%- endmacro %}

{% macro is_changed(column, changes) -%}
{%- if changes == 'raw' -%}
{{ column }} in (select source_id from {{ source('raw', 'changed_source') }})
{%- else -%}
{{ column }} in (select {{ changes }}_id from {{ ref('int_change__' ~ changes) }})
{%- endif -%}
{%- endmacro %}
