"""A city whose official statistics come over the network: the replay server and its configuration."""

from __future__ import annotations

from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import read_official
from orchestration.collect.sample.generate import write_sample
from tests.printing import cells_of_rows, flat_today
from tests.replay.server import PASSWORD, USER, Replay

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
