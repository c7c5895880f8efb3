"""What the gate costs: its share of a night, and its time beside the same rules as plain SQL.

    python -m tests.benchmarks.gate [--home DIR] [--runs 3]

Judges every table of a good night as the night does, with all its workers, and asks DuckDB the rules that one statement can say (range, unit,
level, keys, code lists, states, whole numbers, part of whole, rates recomputed, comparators, changes between
neighbouring years). Both in this run; Great Expectations is imported and the workers are started before. Prints medians, the ratio, and how the time
grows when the tables have one, four, twelve and thirty-six times the districts.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import duckdb
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.checks import Subject
from orchestration.confirm.gate import judge, judge_all
from orchestration.resources.workers import Workers, worker_count
from tests.checks.subjects import Subjects
from tests.support.nights import run

_RULES = {
    "range": "value < low or value > high",
    "unit": "unit <> declared_unit",
    "level": "not list_contains(levels, area_level)",
    "states": "status not in ('reported','estimated','unreliable','not_applicable','unavailable','confidential')",
    "value_or_reason": "(value is not null) <> (status in ('reported','estimated','unreliable'))",
    "sign_misuse": "sign in ('.','...','/','x') and value is not null",
    "whole_numbers": "kind = 'count' and decimals = 0 and value % 1 <> 0",
    "part_of_whole": "kind in ('share','distribution') and numerator > denominator + coalesce(rounded_to, 0)",
    "rate_recomputed": "of_two and abs(value - scale * numerator / nullif(denominator, 0)) > 0.51 * pow(10, -decimals)",
    "provenance": "value is not null and coalesce(source, '') = ''",
    "periods": "period_start > period_end",
}


def declared(catalogue: Catalogue) -> pd.DataFrame:
    """What the rules need of every indicator."""
    return pd.DataFrame([
        {
            "indicator_id": i.id, "low": i.valid_range[0], "high": i.valid_range[1], "declared_unit": str(i.unit), "kind": i.kind.value,
            "decimals": i.decimals, "scale": i.multiplier, "levels": i.all_levels,
            "of_two": i.kind.needs_denominator and i.kind.value != "difference",
            "points": i.continuity.max_change_points, "percent": i.continuity.max_change_percent,
        }
        for i in catalogue.indicators.values()
    ])  # fmt: skip


def in_sql(connection: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> int:
    """All rules on one table; how many rows break one."""
    keys = ", ".join(["indicator_id", "area_code", "period_start", "period_end", *names])
    series = ", ".join(["indicator_id", "area_code", *names])
    rules = " + ".join(f"count(*) filter ({rule})" for rule in _RULES.values())
    found = connection.execute(
        f"select {rules} from published.{table} join declared using (indicator_id)"
    ).fetchall()[0][0]
    found += connection.execute(
        f"select count(*) from (select {keys} from published.{table} group by all having count(*) > 1)"
    ).fetchall()[0][0]
    found += connection.execute(
        f"""
        with pairs as (
            select *, lag(value) over w as before, lag(period_end) over w as before_end from published.{table}
            where value is not null window w as (partition by {series} order by period_end)
        )
        select count(*) filter (abs(value - before) > coalesce(points, percent / 100 * before))
        from pairs join declared using (indicator_id) where not series_break_before and period_end - before_end <= 400"""
    ).fetchall()[0][0]
    return int(found)


def enlarged(subject: Subject, times: int) -> Subject:
    """The same table with so many times the districts: every area again under another key."""
    if times == 1 or subject.frame is None:
        return subject
    parts = [subject.frame]
    for n in range(1, times):
        copy = subject.frame[subject.frame["area_level"].astype(str) == "district"].copy()
        copy["area_code"] = copy["area_code"].astype(str).str.replace("^07", f"{20 + n}", regex=True)
        parts.append(copy)
    frame = pd.concat(parts, ignore_index=True)
    kinds = {
        c: "category"
        for c in subject.frame.columns
        if isinstance(subject.frame[c].dtype, pd.CategoricalDtype)
    }
    return dataclasses.replace(subject, frame=frame.astype(kinds), before=None)


def main(home: Path, runs: int, sizes: tuple[int, ...] = (1, 4, 12, 36)) -> None:
    import great_expectations  # noqa: F401  # its import is the night's, not the rules'

    subjects = Subjects(home)
    for name in subjects:
        assert subjects[name] is not None
    ours, theirs = [], []
    workers = Workers(worker_count("auto"))
    workers.map(abs, range(workers.count))  # the processes have started
    with duckdb.connect(str(home / "warehouse" / "candidate.duckdb"), read_only=True) as connection:
        connection.register("declared", declared(subjects.catalogue))
        for _ in range(runs):
            started = time.perf_counter()
            verdicts, _ = judge_all({n: dataclasses.replace(s) for n, s in subjects.items()}, workers)
            ours.append(time.perf_counter() - started)
            started = time.perf_counter()
            for name in subjects:
                in_sql(connection, name, list(subjects.catalogue.breakdowns))
            theirs.append(time.perf_counter() - started)
    a, b = statistics.median(ours), statistics.median(theirs)
    print(
        f"all checks, all tables: {a:.1f} s; {len(_RULES) + 2} of the rules as plain SQL: {b:.2f} s; ratio {a / b:.1f}"
    )
    rows = sum(len(s.frame) for s in subjects.values() if s.frame is not None)
    count = sum(len(found) for found in verdicts.values())
    print(
        f"{rows:,} rows judged, {1e6 * a / rows:.0f} µs a row; {count / a:,.0f} verdicts and {rows / a:,.0f} rows a second"
    )
    workers.close()
    if not sizes:
        return
    first = 0.0
    for times in sizes:
        larger = [
            enlarged(subjects[n], times) for n in ("pub_leavers", "pub_early_childhood", "pub_population")
        ]
        size = sum(len(s.frame) for s in larger if s.frame is not None)
        started = time.perf_counter()
        for subject in larger:
            judge(subject)
        spent = time.perf_counter() - started
        first = first or spent / size
        print(
            f"districts ×{times}: {size:,} rows, {spent:.1f} s, {spent / size / first:.2f} of the time a row"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gate-") as folder:
        place = arguments.home or Path(folder) / "var"
        if arguments.home is None:
            night = run("nightly", "--home", str(place), "--json")
            assert night.code == 0, night.err
            seconds = night.json["seconds"]
            share = seconds["confirm"] / night.json["seconds_total"]
            print(
                f"confirm {seconds['confirm']:.1f} s of a first night of {night.json['seconds_total']:.1f} s: {share:.0%}"
            )
        main(place, arguments.runs)
