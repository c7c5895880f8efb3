"""At least six releases in a row, with what happens in an office between them; a reader of all their files attacks each.

    python -m tests.campaigns.releases

Between the releases a pupil comes late, another year is delivered, residents are put right, an answer is given out, and a day-care
delivery is corrected. The reader takes the figures out of the releases' Parquet files, not out of the ledger; which count
a figure is made of he takes from the night that published it. Prints a line a release: what was told, what was hidden beside
the rates of few people, what was told of the same deliveries before, and what opens. Exit code 1 if anything does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue, load_catalogue
from expectations.disclosure.blur import known_of_rounded
from expectations.disclosure.release import Memory, Opened, opened
from orchestration.collect.sample.population import unit_of
from orchestration.collect.sample.register_files import Delivery
from orchestration.collect.sample.registers import RegisterWriter
from orchestration.compute.confidential import CITY, city_of
from orchestration.compute.counted import KEY, areas_of, deliveries_of, plain
from orchestration.compute.redelivery import kept_counts, with_kept
from tests.support.nights import CLOCK, invoke, run
from tests.support.registers import KEY as SECRET
from tests.support.registers import config_of, deliver, koblenz_districts

Deliveries = dict[str, Delivery]


@dataclass(frozen=True)
class Told:
    """What one release told: counts of int_count with `told` (NaN: hidden) and their delivery, and how its city hangs together.

    `kept`: which figures stay as an earlier delivery was published, and what a reader knows of their counts.
    """

    release: str
    counts: pd.DataFrame
    kept: pd.DataFrame
    areas: pd.DataFrame
    city: tuple[pd.DataFrame, ...]
    hidden_beside: int


class Office:
    """A city whose registers are delivered, put right and answered from."""

    def __init__(
        self,
        folder: Path,
        *,
        tables: tuple[str, ...] = (),
        registers: tuple[str, ...] = (),
        small: bool = False,
    ) -> None:
        """All tables and registers, or those named. `small`: on the tiny sample, and its nights in this process."""
        self.command = invoke if small else partial(run, timeout=1200)
        self.home, self.drops = folder / "home", folder / "drops"
        self.catalogue: Catalogue = load_catalogue()
        self.breakdowns = list(self.catalogue.breakdowns)
        (folder / "key").write_text(SECRET)
        wanted = {"only": list(registers)} if registers else {}
        self.config = config_of(
            folder / "city.yaml", {"drops": str(self.drops), "key_file": str(folder / "key"), **wanted},
            {"source": "sample", "extent": "tiny" if small else "full"}, tables=tables,
        )  # fmt: skip
        writer = RegisterWriter("07111", koblenz_districts(), unit_of("07111"), 7111)
        self.years: list[Deliveries] = [{}, {}]
        for delivery in writer.deliveries(2024, 2025):
            if not registers or delivery.register in registers:
                self.years[delivery.register in self.years[0]][delivery.register] = delivery
        self.nights = 0
        self.told: list[Told] = []

    def deliver(self, deliveries: Deliveries, **without: int) -> None:
        """Put files into the drop folders; of some without so many of their last rows."""
        chosen = {
            name: Delivery(d.register, d.reference, d.frame.iloc[: len(d.frame) - without.get(name, 0)])
            for name, d in deliveries.items()
        }
        deliver(self.catalogue, self.drops, chosen)

    def night(self) -> Told:
        """A whole night, and what its release told. Raises AssertionError if a table was held."""
        self.nights += 1
        clock = str(int(CLOCK) + 86_400 * self.nights)
        done = self.command(
            "nightly",
            "--config",
            str(self.config),
            "--home",
            str(self.home),
            "--json",
            SOURCE_DATE_EPOCH=clock,
        )
        assert done.code == 0, done.out[-3000:] + done.err[-3000:]
        held = [row for row in done.json["tables"] if not row["published"]]
        assert not held, held
        self.told.append(self._read((self.home / "releases" / "current").resolve()))
        return self.told[-1]

    def _read(self, release: Path) -> Told:
        cells = ", ".join(f"t.counted_{name}" for name in self.breakdowns)
        same = " ".join(f"and f.{name} = t.{name}" for name in self.breakdowns)
        of_count, of_kept = (
            " ".join(f"and {side}.counted_{name} = t.counted_{name}" for name in self.breakdowns)
            for side in "ck"
        )
        columns = ", ".join(
            [
                "indicator_id",
                "area_code",
                "period_end",
                *self.breakdowns,
                "numerator",
                "denominator",
                "status",
            ]
        )
        figures = " union all ".join(
            f"select {columns} from read_parquet('{path}')" for path in sorted((release / "parquet").glob("pub_*.parquet"))
            if path.stem in self.catalogue.published
        )  # fmt: skip
        with duckdb.connect(str(self.home / "warehouse" / "candidate.duckdb"), read_only=True) as night:
            counts = night.execute(f"""with figure as ({figures}), told as (
                    select t.measure_id, t.counted_period_end, t.area_code, {cells}, max(case
                        when f.status = 'confidential' then null
                        when t.is_worked_out then coalesce(k.published, round(t.value / t.base) * t.base)
                        when t.role = 'numerator' then f.numerator else f.denominator end) as told
                    from disclosure.int_told_count as t
                    join figure as f on f.indicator_id = t.indicator_id and f.area_code = t.area_code
                        and f.period_end = t.period_end {same}
                    left join disclosure.int_kept_count as k on k.measure_id = t.measure_id and k.area_code = t.area_code
                        and k.counted_period_end = t.counted_period_end {of_kept}
                    group by all)
                select c.*, t.told from disclosure.int_count as c
                left join told as t on t.measure_id = c.measure_id and t.counted_period_end = c.counted_period_end
                    and t.area_code = c.area_code {of_count}
                order by all""").df()  # fmt: skip
            counts = plain(counts, self.breakdowns)
            deliveries = deliveries_of(night.table("raw.register_measure"), counts["measure_id"])
            counts = counts.merge(deliveries, on=["measure_id", "counted_period_end"])
            kept = kept_counts(night, self.breakdowns)
            beside = night.execute("select count(*) from disclosure.int_confidential_count").fetchall()[0][0]
            city = tuple(night.table(name).df() for name in CITY)
            return Told(
                release.name, counts, kept, areas_of(night.table("monitoring.fct_measure")), city, int(beside)
            )

    def attack(self, answers: pd.DataFrame) -> tuple[int, list[Opened]]:
        """The newest release with all before it: how many of its counts were told before of the same delivery, and what opens.

        `answers`: what was given out otherwise, with KEY, cells, `delivery_id`, `low` and `high`.
        """
        now = self.told[-1]
        keys = [*KEY, *self.breakdowns, "delivery_id"]
        earlier = []
        for told in self.told[:-1]:
            low, high = known_of_rounded(
                told.counts["told"].to_numpy(dtype=float), told.counts["base"].to_numpy()
            )
            unbound = told.counts.assign(low=np.nan, high=np.nan)
            known, stays, _ = with_kept(unbound, told.kept, self.breakdowns)
            low, high = np.where(stays, known["low"], low), np.where(stays, known["high"], high)
            earlier.append(told.counts[keys].assign(low=low, high=high)[told.counts["told"].notna()])
        before = pd.concat([*earlier, answers[[*keys, "low", "high"]]], ignore_index=True)
        counts = now.counts
        if len(before):
            bounds = before.groupby(keys, as_index=False).agg(low=("low", "max"), high=("high", "min"))
            counts = counts.merge(bounds, on=keys, how="left")
        else:
            counts = counts.assign(low=np.nan, high=np.nan)
        counts, _, _ = with_kept(counts, now.kept, self.breakdowns)
        # Witnesses of the night's own search are only shortcuts: each is multiplied out against what is told.
        memory = Memory(Path(os.environ.get("BILDUNGSMONITOR_PROOF", self.home / "vault" / "proof")))
        return int(counts["low"].notna().sum()), opened(
            counts, self.breakdowns, city_of(*now.city), now.areas, memory
        )

    def answer(self) -> pd.DataFrame:
        """Give out the exact number of pupils of a large school; what is known by it."""
        now = self.told[-1].counts
        undivided = (now[self.breakdowns] == "total").all(axis=1)
        schools = now[
            undivided
            & (now["measure_id"] == "register_pupils")
            & (now["area_level"] == "school")
            & now["told"].notna()
        ]
        one = schools.sort_values("value", kind="stable").iloc[[-1]]
        area, period, value = (
            one["area_code"].item(),
            one["counted_period_end"].item(),
            int(one["value"].item()),
        )
        done = self.command("ledger", "add", "register_pupils", str(value), "--area", area, "--period", f"{period:%Y-%m-%d}",
            "--to", "Anfrage 7/2026", "--config", str(self.config), "--home", str(self.home))  # fmt: skip
        assert done.code == 0, done.out + done.err
        return one.assign(low=float(value), high=float(value))


HAPPENINGS = (
    "the first year", "a late pupil", "another year", "residents put right", "an answer", "a correction in day care",
    "another late pupil",
)  # fmt: skip


def campaign(office: Office, happenings: Sequence[str] = HAPPENINGS) -> bool:
    """Prints a line a night; True if nothing opens in any of its releases."""
    first, second = office.years
    answers = pd.DataFrame(columns=[*KEY, *office.breakdowns, "delivery_id", "low", "high"])
    good = True
    for what in happenings:
        if what == "the first year":
            office.deliver(first, pupils=1)
        elif what == "a late pupil":
            office.deliver({"pupils": first["pupils"]})
        elif what == "another year":
            office.deliver(second, residents=40, day_care_children=3, pupils=1)
        elif what == "residents put right":
            office.deliver({n: d for n, d in second.items() if n == "residents"})
        elif what == "an answer":
            answers = pd.concat([answers, office.answer()], ignore_index=True)
        else:
            late = "pupils" if what == "another late pupil" else "day_care_children"
            office.deliver({late: second[late]})
        told = office.night()
        before, found = office.attack(answers)
        shown = int(told.counts["told"].notna().sum())
        print(
            f"{told.release}, after {what}: {shown:,} counts told, {before:,} of them told before of the same delivery, "
            f"{told.hidden_beside} more hidden; {len(found)} open",
            flush=True,
        )
        for one in found:
            print(f"  OPEN: {one.measure}, {one.period[:10]}: {one.what}")
        good &= not found
    return good


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    directory = Path(tempfile.mkdtemp(prefix="releases-"))
    try:
        fine = campaign(Office(directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    raise SystemExit(0 if fine else 1)
