"""One nightly job on one clock. Publishing is its last step, never a schedule of its own."""

from __future__ import annotations

import dagster as dg

from orchestration.publish.assets import GROUP as PUBLISH_GROUP

NIGHTLY = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="collect → compute → confirm → publish, in one process: DuckDB has one writer.",
)

PUBLISH = dg.define_asset_job(
    "publish",
    selection=dg.AssetSelection.groups(PUBLISH_GROUP),
    executor_def=dg.in_process_executor,
    description="The last stage alone; it asks for the same evidence as at night.",
)

AT_TWO = dg.ScheduleDefinition(
    name="nightly_at_two",
    job=NIGHTLY,
    cron_schedule="0 2 * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
