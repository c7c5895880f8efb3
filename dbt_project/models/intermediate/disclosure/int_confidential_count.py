"""The counts of int_count that stay hidden beside those of too few people: all of them together, and with what was told before."""


def model(dbt, session):
    """One row per count that must not be told; `problem` says why where its whole population could not be protected."""
    dbt.config(materialized="table")
    from orchestration.compute.confidential import confidential_counts

    return confidential_counts(
        counts=dbt.ref("int_count").df(),
        measures=dbt.ref("fct_measure"),
        register_measures=dbt.source("raw", "register_measure"),
        pieces=dbt.source("raw", "area_piece").df(),
        municipality=dbt.source("raw", "municipality").df(),
        cells=dbt.source("catalogue", "breakdown_cell").df(),
        known_zeros=dbt.source("catalogue", "measure_known_zero").df(),
        subsets=dbt.source("catalogue", "measure_subset").df(),
    )
