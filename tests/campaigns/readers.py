"""Readers under fire: dashboards read files, PostgreSQL and the HTTP service while releases are published and rolled back.

    python -m tests.campaigns.readers --publications 20 --rollbacks 5 --readers 8

Every publication writes its number into two published tables, judges all of them, publishes files and brings PostgreSQL along.
Readers in processes of their own ask again and again for both numbers and for the release they come from: through the
mart's file, through Parquet files, through a kept connection to PostgreSQL in one statement, over HTTP. An answer is mixed if it
is not what the release that it names was published with. Prints reads, errors, mixed answers, and the 95th percentile of the
latency in quiet, around the switches (a quarter of a second to both sides), and while the publisher works between them, which
slows whoever shares processors with it. Exit code 1 for any error, any mixed answer, or a latency around switches of more than
one and a half times the quiet one.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np
import sqlalchemy as sa

from orchestration.publish.database import Target
from orchestration.publish.release import ReleaseStore
from orchestration.publish.targets import bring_up_to_date
from orchestration.resources.clock import now
from orchestration.resources.home import Home
from orchestration.resources.night import step_back
from orchestration.settings import load_settings
from tests.campaigns.publications import CELLS, FIRST, LEAST, PAIR, SECOND, publish_number
from tests.support.nights import plain_config, run
from tests.support.servers import http_service, postgresql

KINDS = ("duckdb", "parquet", "postgresql", "http")
PAUSE = 1.0
AROUND = 0.25
QUIET = 60.0

Answer = tuple[str, int, int]
Read = tuple[float, float, str, Answer | None]
"""When it began and ended, which way, and the answer; None for an error."""


def _from_mart(releases: str) -> Answer:
    folder = (Path(releases) / "current").resolve()
    with duckdb.connect(str(folder / "mart.duckdb"), read_only=True, config={"threads": 1}) as mart:
        first, second = (int(mart.execute(sql).fetchall()[0][0]) for sql in PAIR)
    return folder.name, first, second


def _from_parquet(releases: str) -> Answer:
    folder = (Path(releases) / "current").resolve()
    with duckdb.connect(config={"threads": 1}) as connection:
        first, second = (
            int(connection.execute(sql.replace(f"from {table}", f"from '{folder}/parquet/{table}.parquet'")).fetchall()[0][0])
            for sql, table in zip(PAIR, (FIRST, SECOND), strict=True)
        )  # fmt: skip
    return folder.name, first, second


def _from_postgresql(connection: sa.Connection) -> Answer:
    parts = ", ".join(f"({sql.replace('from ', 'from bildungsmonitor.')})" for sql in PAIR)
    row = connection.execute(
        sa.text(f"select (select release_id from bildungsmonitor.release), {parts}")
    ).one()
    connection.commit()
    return str(row[0]), int(row[1]), int(row[2])


def _from_service(client: httpx.Client) -> Answer:
    """The second number is asked of the release that answered with the first."""
    release, numbers = "current", []
    for table, cell in CELLS:
        answer = client.get(f"/releases/{release}/tables/{table}/rows", params=cell)
        answer.raise_for_status()
        page = answer.json()
        release = page["release"]
        numbers.append(max(int(row["numerator"]) for row in page["rows"]))
    return release, numbers[0], numbers[1]


def read_on(
    kind: str, releases: str, url: str, address: str, stop: Event, results: mp.Queue[list[Read]]
) -> None:
    """One reader until it is stopped."""
    ask: Callable[[], Answer]
    if kind == "postgresql":
        connection = sa.create_engine(url).connect()
        ask = lambda: _from_postgresql(connection)  # noqa: E731
    elif kind == "http":
        client = httpx.Client(base_url=address, timeout=60)
        ask = lambda: _from_service(client)  # noqa: E731
    else:
        way = _from_mart if kind == "duckdb" else _from_parquet
        ask = lambda: way(releases)  # noqa: E731
    done: list[Read] = []
    parent = os.getppid()
    while not stop.is_set() and os.getppid() == parent:  # a campaign that was killed leaves nobody reading
        began = time.monotonic()
        answer: Answer | None = None
        try:
            answer = ask()
        except Exception as error:
            print(f"  READ FAILED: {kind}: {type(error).__name__}: {error}", flush=True)
        done.append((began, time.monotonic(), kind, answer))
        time.sleep(PAUSE)
    results.put(done)


def _p95(seconds: list[float]) -> float:
    """In milliseconds."""
    return float(np.percentile(seconds, 95)) * 1000 if seconds else float("nan")


class Switches:
    """When `current` and PostgreSQL were switched."""

    def __init__(self) -> None:
        self.moments: list[float] = []
        for owner, name in ((ReleaseStore, "serve"), (Target, "_switch")):
            self._watch(owner, name)

    def _watch(self, owner: Any, name: str) -> None:
        switch = getattr(owner, name)

        def watched(*arguments: Any, **more: Any) -> Any:
            try:
                return switch(*arguments, **more)
            finally:
                self.moments.append(time.monotonic())

        setattr(owner, name, watched)


def campaign(publications: int, rollbacks: int, readers: int, folder: Path, url: str) -> bool:
    """Run it; `folder` may hold a home `var` after a night of `city.yaml` already."""
    home, config = folder / "var", folder / "city.yaml"
    if not config.exists():
        plain_config(config)
    if not home.exists():
        night = run("nightly", "--config", str(config), "--home", str(home), "--json", timeout=1200)
        assert night.code == 0, night.err
    with http_service(home) as address:
        return under_fire(publications, rollbacks, readers, home, config, url, address)


def under_fire(
    publications: int, rollbacks: int, readers: int, home: Path, config: Path, url: str, address: str
) -> bool:
    """Publish, roll back and read."""
    with config.open("a", encoding="utf-8") as file:
        file.write(f'publication: {{databases: [{{url: "{url}"}}]}}\n')
    settings, store = load_settings(config), ReleaseStore(home / "releases")
    published: dict[str, int] = {}

    def publish(number: int) -> None:
        release, as_expected = publish_number(home, config, number, poison=False)
        assert as_expected
        published[release] = number + LEAST
        states = bring_up_to_date(Home(home), settings, now())
        assert not any(state.error for state in states), states

    publish(1)
    context = mp.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    processes = [
        context.Process(
            target=read_on, args=(KINDS[n % len(KINDS)], str(home / "releases"), url, address, stop, results)
        )
        for n in range(readers)
    ]
    for process in processes:
        process.start()
    time.sleep(5)
    quiet_from = time.monotonic()
    time.sleep(QUIET)
    quiet_to = time.monotonic()
    switches = Switches()
    step_back()  # as a night does
    back_after = {round((n + 1) * publications / (rollbacks + 1)) for n in range(rollbacks)}
    for number in range(2, publications + 2):
        publish(number)
        if number - 1 in back_after:
            served, before = store.current(), sorted(published)[-2]
            assert served is not None
            store.serve(store.read(before), now(), withdraw=[served.id], reason="campaign")
            assert not any(state.error for state in bring_up_to_date(Home(home), settings, now()))
        print(f"{number - 1:3d}  published{', rolled back' if number - 1 in back_after else ''}", flush=True)
    stop.set()
    reads = [read for _ in processes for read in results.get(timeout=120)]
    for process in processes:
        process.join(60)
    failed = sum(answer is None for *_, answer in reads)
    mixed = sum(
        answer is not None and {answer[1], answer[2]} != {published[answer[0]]} for *_, answer in reads
    )
    good = not failed and not mixed
    for kind in KINDS:
        own = [(began, ended) for began, ended, way, _ in reads if way == kind]
        quiet = [e - b for b, e in own if quiet_from <= b and e <= quiet_to]
        near = [any(b <= s + AROUND and e >= s - AROUND for s in switches.moments) for b, e in own]
        around = [e - b for (b, e), at_switch in zip(own, near, strict=True) if at_switch]
        working = [
            e - b for (b, e), at_switch in zip(own, near, strict=True) if b > quiet_to and not at_switch
        ]
        p95 = [_p95(times) for times in (quiet, around, working)]
        good &= p95[1] <= 1.5 * p95[0]
        print(
            f"{kind:<11} {len(own):>6} reads; p95 quiet {p95[0]:.1f} ms ({len(quiet)}), around switches {p95[1]:.1f} ms"
            f" ({len(around)}), ratio {p95[1] / p95[0]:.2f}; between them {p95[2]:.1f} ms ({len(working)})"
        )
    print(
        f"{publications} published, {len(back_after)} rolled back, {readers} readers: {len(reads)} reads, {failed} failed, {mixed} mixed"
    )
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publications", type=int, default=20)
    parser.add_argument("--rollbacks", type=int, default=5)
    parser.add_argument("--readers", type=int, default=8)
    chosen = parser.parse_args()
    with postgresql("readers") as (folder, url):
        good = campaign(chosen.publications, chosen.rollbacks, chosen.readers, folder, url)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
