"""Kill the publisher with SIGKILL at random moments, files and PostgreSQL being its targets.

    python -m tests.campaigns.publisher_kills --kills 50

After every kill the files must serve a whole release (every hash is the manifest's) and PostgreSQL a whole one, too (every table
has the rows its release has in its files, and both numbers are that release's). Then either the next night or, every other
time, `release verify --repair` follows, and both must serve the same release. The publisher is a process of its own that has
imported everything before the clock starts, so that kills strike publishing and not the start of Python.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import sqlalchemy as sa

from orchestration.publish.database import Target
from orchestration.publish.publication import publish
from orchestration.publish.release import ReleaseStore
from orchestration.publish.targets import bring_up_to_date
from orchestration.resources.home import Home
from orchestration.settings import catalogue_of, load_settings
from tests.campaigns.publications import FIRST, PAIR, SECOND, judge_number, moment_of
from tests.support.nights import PROJECT, environment, plain_config, run
from tests.support.servers import postgresql


def publish_once(home_path: Path, config: Path, number: int) -> None:
    """The publisher: says when it begins, publishes what was judged, brings PostgreSQL along."""
    settings = load_settings(config)
    home, catalogue = Home(home_path), catalogue_of(settings)
    print("ready", flush=True)
    with home.lock():
        publish(home, settings, catalogue, moment_of(number))
        states = bring_up_to_date(home, settings, moment_of(number))
    if errors := [state.error for state in states if state.error]:
        raise SystemExit("\n".join(errors))


class Place:
    """A home and a database, and what readers find in them."""

    def __init__(self, folder: Path, url: str) -> None:
        self.home, self.config, self.url = folder / "var", folder / "city.yaml", url
        self.engine = sa.create_engine(url)
        if not self.config.exists():
            plain_config(self.config)
        if not self.home.exists():
            night = run("nightly", "--config", str(self.config), "--home", str(self.home), "--json")
            assert night.code == 0, night.err
        with self.config.open("a", encoding="utf-8") as file:
            file.write(f'publication: {{databases: [{{url: "{url}"}}]}}\n')
        self.store = ReleaseStore(self.home / "releases")

    def start(self, number: int) -> subprocess.Popen[str]:
        """The publisher, after it has said that it begins."""
        process = subprocess.Popen(
            [sys.executable, "-m", __spec__.name if __spec__ else __name__, "--publish", str(number), str(self.home), str(self.config)],
            cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert process.stdout is not None
        if process.stdout.readline().strip() != "ready":
            raise SystemExit(process.communicate()[1][-3000:])
        return process

    def problems(self) -> list[str]:
        """What is wrong with what readers get from the files and from PostgreSQL."""
        served = self.store.current()
        assert served is not None
        found = [f"files: {line}" for line in served.damage()]
        in_database = self.in_database()
        release = self.store.read(in_database)
        with self.engine.connect() as connection:
            for path in sorted((release.folder / "parquet").glob("*.parquet")):
                rows = connection.execute(
                    sa.text(f'select count(*) from bildungsmonitor."{path.stem}"')
                ).scalar()
                if rows != pq.ParquetFile(path).metadata.num_rows:
                    found.append(f"postgresql: {path.stem} of {in_database} has {rows} rows")
            numbers = [
                float(connection.execute(sa.text(sql.replace("from ", "from bildungsmonitor."))).scalar() or 0) for sql in PAIR
            ]  # fmt: skip
        expected = [float(release.query(sql, {})[0][0]) for sql, _ in zip(PAIR, (FIRST, SECOND), strict=True)]
        if numbers != expected:
            found.append(f"postgresql: found {numbers} of {in_database}, expected {expected}")
        return found

    def in_database(self) -> str:
        with self.engine.connect() as connection:
            return str(connection.execute(sa.text("select release_id from bildungsmonitor.release")).scalar())


def campaign(kills: int, seed: int, folder: Path, url: str) -> bool:
    """True if every kill left both whole, and both were the same after every recovery."""
    chance = random.Random(seed)
    place = Place(folder, url)
    judge_number(place.home, place.config, 1)
    started = time.monotonic()
    whole = place.start(1)
    assert whole.wait() == 0, whole.communicate()[1]
    duration = time.monotonic() - started
    good, struck = True, Counter[str]()
    number = 1
    for kill in range(1, kills + 1):
        number += 1
        judge_number(place.home, place.config, number)
        before = place.store.current(), place.in_database()
        publisher = place.start(number)
        time.sleep(chance.uniform(0, duration * 1.05))
        publisher.send_signal(signal.SIGKILL)
        publisher.wait()
        served = place.store.current()
        assert served is not None
        staged = bool(list(place.store.folder.glob(".staging-*")))
        moment = (
            "writing files" if staged else "before the switch" if served == before[0]
            else "loading PostgreSQL" if place.in_database() == before[1] else "after both"
        )  # fmt: skip
        struck[moment] += 1
        wrong = place.problems()
        if kill % 2:
            recovery = place.start(number)
            code, said = recovery.wait(), recovery.communicate()[1]
        else:
            done = run(
                "release", "verify", "--repair", "--config", str(place.config), "--home", str(place.home)
            )
            code, said = done.code, done.out + done.err
        if code:
            wrong.append(f"recovery ended with {code}: {said[-500:]}")
        served = place.store.current()
        assert served is not None
        if place.in_database() != served.id:
            wrong.append(f"files serve {served.id}, PostgreSQL {place.in_database()}")
        wrong += place.problems()
        good &= not wrong
        print(f"kill {kill}: {moment}" + "".join(f"\n  WRONG: {line}" for line in wrong), flush=True)
    with (
        Target(load_settings(place.config).publication.databases[0]) as target,
        target._engine.connect() as connection,
    ):
        left = len(target._parts(connection))
    print(
        f"{kills} kills {dict(struck)}, a whole publication takes {duration:.1f} s; {left} parts left; "
        + ("all whole" if good else "NOT ALL WHOLE")
    )
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--publish", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.publish:
        publish_once(Path(chosen.publish[1]), Path(chosen.publish[2]), int(chosen.publish[0]))
        return
    with postgresql("publisher-kills") as (folder, url):
        good = campaign(chosen.kills, chosen.seed, folder, url)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
