"""Publish many times while readers read: no failed and no mixed read.

    python -m tests.campaigns.publications --publications 20 --readers 2

Every publication writes its number into two published tables of the candidate, judges all tables
and publishes. Readers in processes of their own open the served mart over and over; both numbers
must agree in every read, and a reader that keeps its connection keeps its release. Every fourth
publication is poisoned in one of the two tables: that table keeps its last number, held, and
readers see the pair the release promises.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import multiprocessing as mp
import shutil
import tempfile
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb

from tests.support.nights import plain_config, run

FIRST, SECOND = "pub_leavers", "pub_vocational"
CELLS = (
    (FIRST, {"area_code": "07111", "indicator_id": "leavers_by_qualification", "sex": "total", "qualification": "BILABS14",
             "period_label": "2018/19"}),
    (SECOND, {"area_code": "07111", "indicator_id": "vocational_pupils", "sex": "total", "school_type": "SCHULE171",
              "nationality": "total", "period_label": "2018/19"}),
)  # fmt: skip
PAIR = tuple(
    f"select max(numerator) from {table} where " + " and ".join(f"{name} = '{value}'" for name, value in cell.items())
    for table, cell in CELLS
)  # fmt: skip
"""One small cell in each of two tables; their values are the publication's number."""


LEAST = 90
"""Every number is larger: the cells are totals, which no part exceeds, and small, so that the Land need not follow."""


def read_again_and_again(releases: str, stop: Event, results: mp.Queue[tuple[int, int, int]]) -> None:
    """One reader: reads, failures and mixed reads."""
    reads = failed = mixed = 0
    kept = duckdb.connect(str((Path(releases) / "current" / "mart.duckdb").resolve()), read_only=True)
    at_first = [kept.execute(sql).fetchall() for sql in PAIR]
    while not stop.is_set():
        try:
            folder = (Path(releases) / "current").resolve()
            promised = json.loads((folder / "manifest.json").read_text())["tables"]
            with duckdb.connect(str(folder / "mart.duckdb"), read_only=True) as mart:
                numbers = [int(mart.execute(sql).fetchall()[0][0]) for sql in PAIR]
                held = promised[FIRST]["status"] == "held"
                rows = [mart.execute(f"select count(*) from {t}").fetchall()[0][0] for t in (FIRST, SECOND)]
            mixed += numbers[0] != numbers[1] and not held
            mixed += rows != [promised[t]["rows"] for t in (FIRST, SECOND)]
            mixed += [kept.execute(sql).fetchall() for sql in PAIR] != at_first
        except Exception as error:
            failed += 1
            print(f"  READ FAILED: {type(error).__name__}: {error}", flush=True)
        reads += 1
    results.put((reads, failed, mixed))


def moment_of(number: int) -> dt.datetime:
    """When the publication of that number is."""
    return dt.datetime(2026, 11, 25, tzinfo=dt.UTC) + dt.timedelta(minutes=number)


def judge_number(home_path: Path, config: Path, number: int, poison: bool = False) -> None:
    """Write the number into both tables of the candidate and judge everything."""
    from orchestration.confirm.gate import confirm_tables
    from orchestration.resources.home import Home
    from orchestration.settings import catalogue_of, load_settings

    settings = load_settings(config)
    home, catalogue, moment = Home(home_path), catalogue_of(settings), moment_of(number)
    number += LEAST
    with home.lock():
        with duckdb.connect(str(home.candidate)) as candidate:
            candidate.execute("update raw.night set night_id = $id", {"id": f"{moment:%Y%m%dT%H%M%SZ}"})
            # As if every source had delivered anew: what nobody delivered may not change.
            candidate.execute("update evidence.source_in_use set fingerprint = $n", {"n": str(number)})
            for sql, table in zip(PAIR, (FIRST, SECOND), strict=True):
                where = sql.split(" where ", 1)[1]
                candidate.execute(
                    f"update published.{table} set value = {number}, numerator = {number} where {where}"
                )
            unit = "nonsense" if poison else "persons"
            candidate.execute(
                f"update published.{FIRST} set unit = '{unit}' where indicator_id = 'leavers_by_qualification'"
            )
        confirm_tables(home, settings, catalogue, moment)


def publish_number(home_path: Path, config: Path, number: int, poison: bool) -> tuple[str, bool]:
    """Write the number into both tables of the candidate, judge everything, publish."""
    from orchestration.publish.publication import publish
    from orchestration.resources.home import Home
    from orchestration.settings import catalogue_of, load_settings

    judge_number(home_path, config, number, poison)
    settings = load_settings(config)
    home, catalogue = Home(home_path), catalogue_of(settings)
    with home.lock():
        done = publish(home, settings, catalogue, moment_of(number))
    assert done.release is not None
    held = {d.table for d in done.decisions if not d.published}
    return done.release.id, held == ({FIRST} if poison else set())


def campaign(publications: int, readers: int, folder: Path) -> bool:
    """Run the campaign; True if no read failed or was mixed and every gate decided rightly.

    `folder` may hold a configuration `city.yaml` and a home `var` after a night of it already.
    """
    home, config = folder / "var", folder / "city.yaml"
    if not home.exists():
        plain_config(config)
        night = run("nightly", "--config", str(config), "--home", str(home), "--json")
        if night.code != 0:
            print(night.err)
            return False
    publish_number(home, config, 1, poison=False)
    context = mp.get_context("spawn")
    stop, results = context.Event(), context.Queue()
    processes = [
        context.Process(target=read_again_and_again, args=(str(home / "releases"), stop, results))
        for _ in range(readers)
    ]
    for process in processes:
        process.start()
    time.sleep(2)
    started, right = time.monotonic(), True
    for number in range(2, publications + 2):
        release, as_expected = publish_number(home, config, number, poison=number % 4 == 0)
        right &= as_expected
        print(
            f"{number - 1:3d}  published {release}{' (poisoned: one table held)' if number % 4 == 0 else ''}",
            flush=True,
        )
    spent = time.monotonic() - started
    stop.set()
    found = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
    reads, failed, mixed = (sum(column) for column in zip(*found, strict=True))
    print(
        f"{publications} publications in {spent:.0f} s, {readers} readers: {reads} reads, "
        f"{failed} failed, {mixed} mixed; gate {'as expected' if right else 'WRONG'}"
    )
    return right and reads > 0 and failed == 0 and mixed == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--publications", type=int, default=20)
    parser.add_argument("--readers", type=int, default=2)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="publications-"))
    try:
        good = campaign(chosen.publications, chosen.readers, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
