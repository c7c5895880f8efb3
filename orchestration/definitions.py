"""Assembly only: the assets of the four stages, the job, the schedule, the night.

Dagster loads `defs`; everything else calls `build_defs`. Great Expectations, dbt and pandas-heavy
modules are imported inside the steps that use them.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.collect.assets import build_collect_assets
from orchestration.compute.assets import build_compute_assets
from orchestration.compute.dbt import manifest
from orchestration.confirm.assets import build_confirm_assets
from orchestration.publish.assets import build_publish_assets
from orchestration.resources.home import Home
from orchestration.resources.night import Night, config_from_environment, home_from_environment
from orchestration.schedules import ARRIVALS, AT_TWO, NIGHTLY, PUBLISH, register_arrivals
from orchestration.settings import catalogue_of, load_settings


def build_defs(home: Home | None = None, config: Path | None = None) -> dg.Definitions:
    """The definitions for one home and configuration; by default those of the environment.

    Raises ConfigurationError or CatalogueError, so that a wrong file stops the start, not a night.
    """
    home = home or home_from_environment()
    home.prepare()
    config = (config or config_from_environment()).resolve()
    settings = load_settings(config)
    catalogue = catalogue_of(settings)
    return dg.Definitions(
        assets=[
            *build_collect_assets(catalogue),
            *build_compute_assets(catalogue, manifest(home)),
            *build_confirm_assets(catalogue),
            *build_publish_assets(catalogue),
        ],
        jobs=[NIGHTLY, PUBLISH, ARRIVALS],
        schedules=[AT_TWO],
        sensors=[register_arrivals],
        resources={"night": Night(home_path=str(home.path), config_path=str(config))},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster's own processes load; nothing is read until they do."""
    return build_defs()
