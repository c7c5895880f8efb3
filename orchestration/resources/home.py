"""The home folder: where landing, warehouse, releases and Dagster's history live, and its lock.

Belongs here: paths and the rule that one process at a time writes below them.
Does not belong here: what stands in the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.settings import Audience

DAGSTER_YAML = """\
# Written by bildungsmonitor; edit freely, it is never overwritten.
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster._core.run_coordinator
  class: QueuedRunCoordinator
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  poll_interval_seconds: 60
retention:
  schedule:
    purge_after_days: 90
"""


class HomeBusyError(RuntimeError):
    """Another night is running on the same home folder."""


class Home:
    """The folders of one installation; made on first use."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.landing = self.path / "landing"
        self.warehouse = self.path / "warehouse"
        self.releases = self.path / "releases"
        self.dagster = self.path / "dagster"
        self.sample = self.path / "sample"
        self.dbt = self.path / "dbt"
        self.vault = self.path / "vault"
        self.ledger = self.path / "ledger"

    @property
    def proof(self) -> Path:
        """Why the counts told are safe: near the truth, and nobody else's business.

        Homes that protect the same counts may share it (BILDUNGSMONITOR_PROOF).
        """
        return Path(os.environ.get("BILDUNGSMONITOR_PROOF") or self.vault / "proof")

    def releases_for(self, audience: Audience) -> Path:
        """Where the releases for an audience lie. Internal ones: nobody else on this machine may look into it."""
        return self.releases if audience == "public" else self.path / "internal" / "releases"

    @property
    def candidate(self) -> Path:
        """The private database that a night builds and no reader ever opens."""
        return self.warehouse / "candidate.duckdb"

    @property
    def current(self) -> Path:
        """The link to the release that is served."""
        return self.releases / "current"

    def prepare(self) -> None:
        """Make the folders and Dagster's settings (telemetry off) if they are missing."""
        for folder in (self.landing, self.warehouse, self.releases, self.dagster, self.dbt):
            folder.mkdir(parents=True, exist_ok=True)
        settings = self.dagster / "dagster.yaml"
        if not settings.exists():
            settings.write_text(DAGSTER_YAML, encoding="utf-8")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the home for writing. Raises HomeBusyError if another process holds it.

        The lock belongs to the process, so a killed night never leaves one behind.
        """
        self.prepare()
        lock = FileLock(self.path / "night.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise HomeBusyError(f"another night is running on {self.path}") from error
        try:
            yield
        finally:
            lock.release()
