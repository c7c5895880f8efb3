"""One nightly job on one clock, and a sensor for what arrives by day.

Publishing is the night's last step, never a schedule of its own.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.collect.assets import REGISTER_TAG
from orchestration.collect.registers.drops import waiting
from orchestration.publish.assets import GROUP as PUBLISH_GROUP
from orchestration.resources.night import config_from_environment
from orchestration.settings import load_settings

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

ARRIVALS = dg.define_asset_job(
    "arrivals",
    selection=dg.AssetSelection.tag(*REGISTER_TAG),
    executor_def=dg.in_process_executor,
    description="The registers alone: what lies in the drop folders goes through the door. The mart follows at night.",
)

AT_TWO = dg.ScheduleDefinition(
    name="nightly_at_two",
    job=NIGHTLY,
    cron_schedule="0 2 * * *",
    execution_timezone="Europe/Berlin",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)


@dg.sensor(
    name="register_arrivals",
    job=ARRIVALS,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Starts the arrival when a file has come whole into a drop folder.",
)
def register_arrivals() -> Iterator[dg.RunRequest | dg.SkipReason]:
    """One run per state of the drop folders: what lies there unchanged asks for no second one."""
    registers = load_settings(config_from_environment()).registers
    state = waiting(registers.drops, registers.settle_seconds) if registers.drops else None
    if state is None:
        yield dg.SkipReason("nothing has arrived")
    else:
        yield dg.RunRequest(run_key=state)
