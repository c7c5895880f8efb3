"""Dagster's history in SQLite, with one connection kept for each of its files.

Belongs here: how the history is written. Does not belong here: what stands in it. Dagster's own storage opens and closes
a connection for every event; a night has more than a thousand of them, and that took longer than writing them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import sqlalchemy as sa
import yaml
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import StaticPool

from orchestration.resources.files import write_bytes
from orchestration.resources.home import Home

NIGHT_YAML = "night.yaml"
"""Dagster's settings as a night in this process uses them; written from dagster.yaml every time."""


def instance_of(home: Home) -> dg.DagsterInstance:
    """Dagster's instance of a home, as its dagster.yaml has it, but with a history that keeps its files open.

    A storage that somebody has declared in dagster.yaml stays.
    """
    settings: dict[str, Any] = (
        yaml.safe_load((home.dagster / "dagster.yaml").read_text(encoding="utf-8")) or {}
    )
    if not {"storage", "event_log_storage"} & settings.keys():
        settings["event_log_storage"] = {
            "module": __name__, "class": SqliteHistory.__name__, "config": {"home": str(home.dagster)},
        }  # fmt: skip
    write_bytes(home.dagster / NIGHT_YAML, yaml.safe_dump(settings, sort_keys=False).encode())
    return dg.DagsterInstance.from_config(str(home.dagster), NIGHT_YAML)


_SECONDS_TO_WAIT = 15
"""For another process that writes to the same file."""


class SqliteHistory(SqliteEventLogStorage):
    """The event log below `<home>/history/runs`, where Dagster's own storage has it; either can read the other's."""

    def __init__(self, home: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, sa.Engine] = {}
        self._tables: set[str] = set()
        """Those that are known to be there."""
        super().__init__(str(Path(home) / "history" / "runs"), inst_data)

    @classmethod
    def config_type(cls) -> Any:
        return {"home": dg.StringSource}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> SqliteHistory:
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Dagster asks this at every event; a table that is there once stays."""
        if table_name not in self._tables:
            if not super().has_table(table_name):
                return False
            self._tables.add(table_name)
        return True

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        # The lock lets one thread at a time use the one connection.
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.begin() as connection:
                yield connection

    def _engine(self, shard: str) -> sa.Engine:
        engine = sa.create_engine(
            self.conn_string_for_shard(shard),
            poolclass=StaticPool,
            connect_args={"timeout": _SECONDS_TO_WAIT, "check_same_thread": False},
        )

        @sa.event.listens_for(engine, "connect")
        def write_ahead(connection: Any, _: Any) -> None:
            # With a write-ahead log the file stays whole without waiting for the disk at every event.
            connection.execute("pragma synchronous = normal")

        return engine

    def dispose(self) -> None:
        """Close the files."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()
