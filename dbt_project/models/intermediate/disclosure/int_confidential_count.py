"""The counts of int_count that stay hidden beside those of too few people: all of them together, and with what was told before."""


def model(dbt, session):
    """One row per count that must not be told, and one per population that could not be protected (`problem`)."""
    dbt.config(materialized="table")
    from orchestration.compute.confidential import confidential_counts

    return confidential_counts(
        counts=dbt.ref("int_count").df(),
        measures=dbt.ref("fct_measure"),
        deliveries=dbt.source("raw", "register_measure")
        .query("counted", "select distinct measure_id, period_end, delivery_id from counted")
        .df(),
        pieces=dbt.source("raw", "area_piece").df(),
        municipality=dbt.source("raw", "municipality").df(),
        cells=dbt.source("catalogue", "breakdown_cell").df(),
        known_zeros=dbt.source("catalogue", "measure_known_zero").df(),
    )
