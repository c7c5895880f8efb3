"""The ten questions of docs/questions.md: how long each takes on the mart's file, in PostgreSQL, and over HTTP.

    python -m tests.benchmarks.questions --home var

The file is opened anew for every question, as an analyst does; PostgreSQL keeps its connection, as a dashboard does; over HTTP the
question's tables are fetched as Parquet from a real server and asked where they arrive. Medians of several runs, in ms.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import duckdb
import httpx
import sqlalchemy as sa

from orchestration.publish.database import Target
from orchestration.publish.release import ReleaseStore
from orchestration.settings import DatabaseTarget
from tests.support.questions import QUESTIONS, over_http
from tests.support.servers import http_service, postgresql


def median(work: Callable[[], object], runs: int) -> float:
    """Milliseconds, the first run left out."""
    spent = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent[1:])


def fetched(connection: sa.Connection, statement: sa.TextClause) -> Sequence[object]:
    return connection.execute(statement).fetchall()


def measure(home: Path, runs: int, url: str) -> None:
    release = ReleaseStore(home / "releases").current()
    assert release is not None, f"{home}: nothing is served yet"
    with Target(DatabaseTarget.model_validate({"url": url})) as target:
        target.serve(release, dt.datetime.now(dt.UTC))
    engine = sa.create_engine(url)
    print(f"{'question':<58} {'rows':>5} {'file':>8} {'postgres':>9} {'http':>8}")
    with (
        engine.connect() as dashboard,
        http_service(home) as address,
        httpx.Client(base_url=address) as client,
    ):
        dashboard.execute(sa.text("set search_path to bildungsmonitor"))
        for title, query in QUESTIONS:
            statement = sa.text(query.rstrip().rstrip(";"))

            def on_file(query: str = query) -> list[tuple[object, ...]]:
                with duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True) as mart:
                    return mart.execute(query).fetchall()

            times = [
                median(on_file, runs),
                median(partial(fetched, dashboard, statement), runs),
                median(partial(over_http, client, query), runs),
            ]
            print(f"{title[:58]:<58} {len(on_file()):>5} {times[0]:>8.1f} {times[1]:>9.1f} {times[2]:>8.1f}")
    engine.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var"))
    parser.add_argument("--runs", type=int, default=9)
    chosen = parser.parse_args()
    with postgresql("questions") as (_, url):
        measure(chosen.home, chosen.runs, url)


if __name__ == "__main__":
    main()
