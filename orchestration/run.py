"""Run a job of the definitions in this process, through Dagster's own execution.

Belongs here: what the shell and a daemonless timer share: instance, execution, outcome.
Does not belong here: arguments and printing (cli.py).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestration.resources.home import Home, HomeBusyError

ALL_PUBLISHED, FAILED, USAGE, SOME_HELD = 0, 1, 2, 3
"""Exit codes, as others script against them."""


@dataclass(frozen=True)
class Ran:
    """What a run did. `outcome` is what publishing wrote; None if the run did not get that far."""

    run_id: str
    outcome: dict[str, Any] | None
    reasons: list[str] = field(default_factory=list)
    start_seconds: float = 0.0

    @property
    def held(self) -> list[dict[str, Any]]:
        return [] if self.outcome is None else [t for t in self.outcome["tables"] if not t["published"]]

    @property
    def code(self) -> int:
        if self.outcome is None or self.outcome["release_id"] is None:
            return FAILED
        if any(state["error"] for state in self.outcome.get("databases", [])):
            return FAILED
        return SOME_HELD if self.held else ALL_PUBLISHED


def run_job(job: str, config: Path, home: Home, run_config: dict[str, Any]) -> Ran:
    """Run `nightly` or `publish`; the run is in the web UI's history like any other.

    Raises ConfigurationError and CatalogueError before anything runs, HomeBusyError if another
    night holds the home.
    """
    started = time.perf_counter()
    home.prepare()
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    from orchestration.collect.registers.collect import check_registers
    from orchestration.definitions import build_defs
    from orchestration.resources.history import instance_of
    from orchestration.resources.night import read_outcome, step_back
    from orchestration.resources.workers import Workers, worker_count
    from orchestration.settings import catalogue_of, load_settings

    settings = load_settings(config)
    step_back()
    Workers(worker_count(settings.workers)).prepare()  # they import while this process does
    check_registers(settings, home, catalogue_of(settings))
    definitions = build_defs(home, config)
    start_seconds = time.perf_counter() - started
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    with instance_of(home) as instance:
        result = definitions.resolve_job_def(job).execute_in_process(
            instance=instance, run_config={**run_config, **quiet}, raise_on_error=False
        )
    outcome = read_outcome(home)
    if outcome is not None and outcome["run_id"] != result.run_id:
        outcome = None
    reasons = [] if result.success else _reasons(result.all_events)
    if any(HomeBusyError.__name__ in reason for reason in reasons):
        raise HomeBusyError(f"another night is running on {home.path}")
    return Ran(result.run_id, outcome, reasons, start_seconds)


def _reasons(events: Any) -> list[str]:
    """The messages of what failed, each once, innermost cause first."""
    found = []
    for event in events:
        error = getattr(event.event_specific_data, "error", None) if event.is_failure else None
        if error is not None:
            found.append((error.cause or error).message.strip())
    return list(dict.fromkeys(found))
