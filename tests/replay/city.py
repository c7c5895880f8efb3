"""A city whose official statistics come over the network: the replay server and its configuration."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from orchestration.collect.sample.generate import write_sample
from orchestration.settings import Host, OfficialStatistics
from tests.replay.server import PASSWORD, USER, Replay
from tests.support.nights import FEW_TABLES
from tests.support.printing import cells_of_rows, flat_today

NIGHT = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
QUICK: dict[str, Any] = {
    "pause_seconds": 0.0, "connect_seconds": 2.0, "read_seconds": 0.4, "reply_seconds": 0.6,
    "first_wait_seconds": 0.01, "poll_seconds": 0.02, "attempts": 6,
}  # fmt: skip
"""A host that is asked without regard, so that tests take seconds."""

SECRETS = {"CITY_USER": USER, "CITY_PASSWORD": PASSWORD}
"""What the environment of a night holds; the configuration names the variables only."""


def sample_tables(folder: Path, catalogue: Catalogue) -> dict[str, bytes]:
    """The embedded sample's tables as today's flat files; of several files of a table, the largest."""
    found: dict[str, bytes] = {}
    for path in write_sample(folder, catalogue):
        rows = read_official(path.name, path.read_bytes(), catalogue)
        table = catalogue.tables[rows.table_code]
        text = flat_today(table.evas, cells_of_rows(rows, table.period)).encode()
        if len(text) > len(found.get(table.code, b"")):
            found[table.code] = text
    return found


def table_text(code: str, areas: int = 3, first: int = 1) -> bytes:
    """An ffcsv of today for any table code."""
    statistic = "99910" if code.startswith("AI") else code.split("-")[0]
    header = (
        "statistics_code;statistics_label;time_code;time_label;time;1_variable_code;1_variable_label;"
        "1_variable_attribute_code;1_variable_attribute_label;value;value_unit;value_variable_code;"
        "value_variable_label"
    )
    keys = ["DG", "07", *(f"071{n:02d}" for n in range(11, 11 + areas))]
    lines = [
        f"{statistic};Statistik;STAG;Stichtag;2024-12-31;KREISE;Kreise;{key};Gebiet {key};{first + n};Anzahl;X001;Wert"
        for n, key in enumerate(keys)
    ]
    return ("\ufeff" + "\n".join([header, *lines]) + "\n").encode()


def codes_of(catalogue: Catalogue, count: int) -> list[str]:
    found = [c for c, t in catalogue.tables.items() if not t.is_bound and t.database == "regionalstatistik"]
    return sorted(found)[:count]


def network_settings(replay: Replay, tables: list[str] | None = None, **host: Any) -> OfficialStatistics:
    """One host on the replay server, asked for some tables or for all it has."""
    settings = {"base_url": replay.url, "username": USER, "password": PASSWORD, **QUICK, **host}
    return OfficialStatistics(
        source="network",
        hosts={"regionalstatistik": Host(**settings)},
        tables=tables or sorted(replay.tables),
        budget_minutes=1,
    )


def network_config(path: Path, replay: Replay, tables: list[str], *, poll_seconds: float = 0.1) -> Path:
    """Koblenz with two hosts on the replay server."""
    host = f"""
      base_url: {replay.url}
      username: ${{CITY_USER}}
      password: ${{CITY_PASSWORD}}
      parallel: 2
      pause_seconds: 0
      connect_seconds: 2
      read_seconds: 1
      reply_seconds: 2
      first_wait_seconds: 0.05
      poll_seconds: {poll_seconds}"""
    path.write_text(
        f"""municipality: {{code: "07111", name: Koblenz}}
tables: [{", ".join(FEW_TABLES)}]
official_statistics:
  source: network
  tables: {tables}
  budget_minutes: 5
  hosts:
    regionalstatistik:{host}
    destatis:{host}
""",
        encoding="utf-8",
    )
    return path
