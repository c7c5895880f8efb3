"""The published tables of a good night as the gate sees them: what every check is tried on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb

from expectations.checks import Subject
from orchestration.confirm import evidence
from orchestration.resources.home import Home
from orchestration.settings import DEFAULT_CONFIG, catalogue_of, load_settings
from tests.support.nights import CLOCK


class Subjects(Mapping[str, Subject]):
    """Read from a home when they are first asked for; the home stays as it is."""

    def __init__(self, home: Path, config: Path = DEFAULT_CONFIG) -> None:
        self.home = Home(home)
        self.settings = load_settings(config)
        self.catalogue = catalogue_of(self.settings)
        self.moment = dt.datetime.fromtimestamp(int(CLOCK), dt.UTC)
        self._read: dict[str, Subject] = {}

    def __getitem__(self, name: str) -> Subject:
        if name not in self._read:
            with duckdb.connect(str(self.home.candidate), read_only=True) as connection:
                table = evidence.published_table(connection, self.catalogue, name)
                self._read[name] = evidence.subject(
                    connection, self.home, self.settings, self.catalogue, name, table, self.moment
                )
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.catalogue.published)

    def __len__(self) -> int:
        return len(self.catalogue.published)
