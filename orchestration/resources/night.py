"""The night as a Dagster resource: home, configuration, catalogue, clock, held together by the lock.

Belongs here: what every stage of one run shares. Does not belong here: what a stage does.
"""

import datetime as dt
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from expectations.catalogue import Catalogue
from orchestration.resources.clock import now
from orchestration.resources.files import write_json
from orchestration.resources.home import Home
from orchestration.resources.workers import Workers, worker_count
from orchestration.settings import DEFAULT_CONFIG, DEFAULT_HOME, Settings, catalogue_of, load_settings

LOG = logging.getLogger("bildungsmonitor")

HOME_VARIABLE = "BILDUNGSMONITOR_HOME"
CONFIG_VARIABLE = "BILDUNGSMONITOR_CONFIG"

NICENESS = 5
"""Of a night's process; whoever reads has 0. More would leave a night no time at all beside other work."""


def home_from_environment() -> Home:
    """The home folder this process works on; ./var by default."""
    return Home(Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME))


def config_from_environment() -> Path:
    """The municipality's configuration; config/koblenz.yaml by default."""
    return Path(os.environ.get(CONFIG_VARIABLE) or DEFAULT_CONFIG)


def step_back() -> None:
    """Let readers on the same machine go first: this process, and what it starts from now on, takes the processors they leave."""
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(mine, NICENESS))


class Night(dg.ConfigurableResource):
    """One run's home, settings, catalogue and moment. Holds the home's lock while the run lasts."""

    home_path: str
    config_path: str

    _home: Home = PrivateAttr()
    _settings: Settings = PrivateAttr()
    _catalogue: Catalogue = PrivateAttr()
    _moment: dt.datetime = PrivateAttr()
    _seconds: dict[str, float] = PrivateAttr(default_factory=dict)
    _computed: dict[str, Any] | None = PrivateAttr(default=None)
    _workers: Workers = PrivateAttr()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["Night"]:
        """Take the lock, read configuration and catalogue, and close what killed runs left open. The process steps back."""
        step_back()
        self._home = Home(Path(self.home_path))
        self._settings = load_settings(Path(self.config_path))
        self._catalogue = catalogue_of(self._settings)
        self._moment = now()
        self._seconds = {}
        self._computed = None
        self._workers = Workers(worker_count(self._settings.workers))
        self._workers.prepare()
        with self._home.lock():
            if context.instance is not None and context.run is not None:
                close_abandoned_runs(context.instance, context.run.run_id)
            try:
                yield self
            finally:
                self._workers.close()
                # Whatever became of the night, one message says so; a run of one stage alone says nothing.
                if context.run is not None and context.run.job_name == "nightly":
                    self._tell(context.instance, context.run.run_id)

    @property
    def home(self) -> Home:
        return self._home

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def catalogue(self) -> Catalogue:
        return self._catalogue

    @property
    def moment(self) -> dt.datetime:
        """The night's time; the same in every stage."""
        return self._moment

    @property
    def workers(self) -> Workers:
        """The run's worker processes."""
        return self._workers

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Measure a stage; its seconds go into the night's outcome, never into a release.

        No task outlives its stage, and no worker: the memory that its tasks took is free for the next stage.
        """
        started = time.perf_counter()
        try:
            yield
        finally:
            self._workers.close()
            spent = time.perf_counter() - started
            self._seconds[name] = round(self._seconds.get(name, 0.0) + spent, 2)

    def say_computed(self, facts: dict[str, Any]) -> None:
        """Which part of the mart this night computed; it goes into the night's outcome."""
        self._computed = facts

    def _tell(self, instance: dg.DagsterInstance | None, run_id: str) -> None:
        from orchestration.resources.message import composed, send

        try:
            outcome = read_outcome(self._home)
            if outcome is not None and outcome["run_id"] != run_id:
                outcome = None
            reasons = [] if outcome or instance is None else _failures(instance, run_id)
            message = composed(self._home, self._settings, self._moment.isoformat(), outcome, reasons)
            send(self._home, message, self._settings.notify)
        except Exception:
            LOG.exception("message | could not be made")

    def write_outcome(self, run_id: str, outcome: dict[str, Any]) -> None:
        """Keep what the night did, for `status` and the command line."""
        facts = {
            "run_id": run_id,
            "at": self._moment.isoformat(),
            "landing": self._settings.official_statistics.landing_name,
            "registers": self._settings.registers.landing_name,
            **outcome,
            "computed": self._computed,
            "seconds": self._seconds,
        }
        write_json(self._home.warehouse / "last_night.json", facts)

    def say_databases(self, databases: list[dict[str, Any]]) -> None:
        """Of every database `name`, `release`, and `error` if it could not be brought to it; added to the night's outcome."""
        facts = read_outcome(self._home) or {}
        write_json(
            self._home.warehouse / "last_night.json",
            {**facts, "databases": databases, "seconds": self._seconds},
        )


def read_outcome(home: Home) -> dict[str, Any] | None:
    """What the last night did; None if there was none."""
    path = home.warehouse / "last_night.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _failures(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Why steps of a run failed, innermost cause first, in one line each."""
    found = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        error = getattr(entry.get_dagster_event().event_specific_data, "error", None)
        if error is not None:
            found.append((error.cause or error).message.strip().splitlines()[0][:300])
    return list(dict.fromkeys(found))


def close_abandoned_runs(instance: dg.DagsterInstance, own_run_id: str) -> None:
    """Mark runs that were killed as failed: whoever holds the lock knows that no other is alive."""
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    for run in instance.get_runs(filters=started):
        if run.run_id != own_run_id:
            instance.report_run_failed(run, message="The process was killed before the run had ended.")
