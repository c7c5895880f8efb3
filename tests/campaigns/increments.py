"""Nights that compute a part of the mart: is it the mart that a computation from nothing makes?

    python -m tests.campaigns.increments --nights 40

A synthetic city lives through nights in which one source says something else: a register is delivered again,
an official table is revised, a district loses all its numbers of a year, an area gets another name, or
nothing happens. After each night every table of the candidate is compared, row by row, with one that was
computed from nothing on the same landing. Prints a line a night.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import duckdb

from expectations.catalogue import Catalogue, load_catalogue
from orchestration.collect.sample.register_files import Delivery
from orchestration.compute.candidate import load_candidate
from orchestration.compute.mart import Mart, compute_mart
from tests.support import cities
from tests.support.registers import NIGHT, city, deliver

SCHEMAS = ("conformed", "indicators", "monitoring", "published")
HAPPENINGS = ("register", "revision", "lost year", "other name", "nothing")
REGISTERS = (
    "library",
    "day_care_children",
    "music_school",
    "residents",
    "pupils",
    "employment_agency_districts",
)
"""Registers whose rows may go missing without anything else becoming wrong."""

FIGURE = re.compile(r"(\d+)(,\d+)?")


class Town:
    """A city whose sources change from night to night, and the one candidate it keeps."""

    def __init__(
        self, folder: Path, seed: int, *, files: Sequence[str] = (), registers: Sequence[str] = ()
    ) -> None:
        """All files and registers of the sample, or those named."""
        self.random = random.Random(seed)
        self.day = 0
        self.catalogue: Catalogue = load_catalogue()
        self.settings, self.home = cities.settled(folder, self.catalogue, files=files)
        self.drops, self.official = folder / "drops", folder / "official"
        self.deliveries = {n: d for n, d in city()[1].items() if not registers or n in registers}
        deliver(self.catalogue, self.drops, self.deliveries)

    def night(self) -> Mart:
        """Collect and compute, as a night does."""
        self.day += 1
        moment = NIGHT + dt.timedelta(days=self.day)
        cities.collected(self.settings, self.home, self.catalogue, moment)
        load_candidate(self.home, self.settings, self.catalogue, moment)
        return compute_mart(self.home, self.settings, self.catalogue, moment)

    def happen(self, what: str) -> str:
        """Let something happen; what and where, in words."""
        if what == "register":
            name = self.random.choice([n for n in REGISTERS if n in self.deliveries])
            before = self.deliveries[name]
            fewer = before.frame.drop(index=self.random.choice(before.frame.index.to_list()[:20]))
            self.deliveries[name] = Delivery(name, before.reference, fewer)
            deliver(self.catalogue, self.drops, self.deliveries, only=[name])
            return name
        if what == "nothing":
            return ""
        file = self.random.choice(self._files())
        data = file.read_bytes()
        encoding = "cp1252" if b"\xfc" in data or b"\xf6" in data else "utf-8"  # ü or ö as one byte
        text = data.decode(encoding)
        changed = {"revision": self._revised, "lost year": self._without_a_year, "other name": self._renamed}[
            what
        ](text)
        stand = f"Stand: {self.day % 28 + 1:02d}.{11 + self.day // 28}.2027 / 08:{self.day % 60:02d}:00"
        file.write_text(re.sub(r"Stand: [0-9.]+ / [0-9:]+", stand, changed), encoding=encoding)
        return file.name

    def _files(self) -> list[Path]:
        """The files of tables the mart is made from that say of what day they are."""
        with duckdb.connect(str(self.home.candidate), read_only=True) as connection:
            used = {
                r[0] for r in connection.execute("select source_id from evidence.source_in_use").fetchall()
            }
        named = [
            f
            for f in sorted(self.official.glob("*.csv"))
            if f.name.split("_")[0].removesuffix(".csv") in used
        ]
        return [f for f in named if b"Stand: " in f.read_bytes()]

    def _lines(self, text: str) -> list[int]:
        """Where the figures of districts stand."""
        return [n for n, line in enumerate(text.split("\n")) if re.search(r"(^|;)07\d{3};", line)]

    def _revised(self, text: str) -> str:
        lines = text.split("\n")
        for n in self.random.sample(self._lines(text), 3):
            cells = lines[n].split(";")
            last = max((i for i, cell in enumerate(cells) if i > 2 and FIGURE.fullmatch(cell)), default=None)
            if last is not None:
                cells[last] = FIGURE.sub(lambda m: f"{int(m[1]) + 1}{m[2] or ''}", cells[last])
                lines[n] = ";".join(cells)
        return "\n".join(lines)

    def _without_a_year(self, text: str) -> str:
        lines = text.split("\n")
        chosen = lines[self.random.choice(self._lines(text))].split(";")
        area = next(cell for cell in chosen if re.fullmatch(r"07\d{3}", cell))
        for n in self._lines(text):
            cells = lines[n].split(";")
            if area in cells and cells[0] == chosen[0]:
                at = cells.index(area)
                lines[n] = ";".join(
                    c if i <= at + 1 or not FIGURE.fullmatch(c) else "." for i, c in enumerate(cells)
                )
        return "\n".join(lines)

    def _renamed(self, text: str) -> str:
        # A name alone is no new state of a table: some figures are others, too.
        return re.sub(r"Ahrweiler[^;,]*, Landkreis", f"Ahrweiler {self.day}, Landkreis", self._revised(text))


def differences(one: Path, other: Path) -> list[str]:
    """The tables of two candidates that have not the same rows."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        listed = [
            connection.execute(
                "select schema_name || '.' || table_name from duckdb_tables() "
                f"where database_name = '{database}' and schema_name in {SCHEMAS} order by 1"
            ).fetchall()
            for database in ("one", "other")
        ]
        if listed[0] != listed[1]:
            return ["not the same tables"]
        found = []
        for (name,) in listed[0]:
            rows = connection.execute(
                f"""select count(*) from (
                    (select * from one.{name} except all select * from other.{name})
                    union all (select * from other.{name} except all select * from one.{name}))"""
            ).fetchall()[0][0]
            if rows:
                found.append(f"{name}: {rows} rows")
    return found


def campaign(town: Town, happenings: Sequence[str]) -> bool:
    """Prints a line a night; True if every night's mart was the one computed from nothing."""
    first = town.night()
    assert first.is_full
    assert first.proof is not None
    assert not first.proof.broken
    seen: Counter[str] = Counter()
    spent = {"in part": 0.0, "from nothing": 0.0}
    good = True
    for night, what in enumerate(happenings, start=1):
        where = town.happen(what)
        started = time.perf_counter()
        mart = town.night()
        spent["in part"] += time.perf_counter() - started
        assert mart.proof is not None
        kept = town.home.candidate.with_suffix(".kept")
        shutil.copy(town.home.candidate, kept)
        started = time.perf_counter()
        cities.computed(town.settings, town.home, town.catalogue)
        spent["from nothing"] += time.perf_counter() - started
        wrong = differences(kept, town.home.candidate)
        shutil.move(kept, town.home.candidate)
        good &= not wrong
        seen[f"{what}, {'from nothing' if mart.is_full else 'in part'}"] += 1
        print(
            f"night {night}: {what} {where}: {'everything' if mart.is_full else f'{len(mart.changed)} sources'}, "
            f"{mart.proof.computed} indicators computed, {mart.proof.unchanged} proved unchanged"
            + (f"; DIFFERS: {wrong}" if wrong else ""),
            flush=True,
        )
    print(dict(seen))
    nights = len(happenings)
    print(
        f"{spent['in part'] / nights:.1f} s a night with its collecting, {spent['from nothing'] / nights:.1f} s from nothing"
    )
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [HAPPENINGS[n % len(HAPPENINGS)] for n in range(arguments.nights)]
    with tempfile.TemporaryDirectory(prefix="increments-") as name:
        raise SystemExit(0 if campaign(Town(Path(name), arguments.seed), chosen) else 1)
