"""Where a night's time goes, against dbt alone on the same data in the same run.

    python -m tests.benchmarks.night --runs 3

Prints the median seconds of every stage of `bildungsmonitor nightly` on the embedded default, of
the whole night, and of `dbt build` as a process of its own on the candidate that the night left.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.nights import PROJECT, environment, run


def dbt_alone(home: Path) -> float:
    """Seconds of `dbt build` with its tests on the candidate of a home."""
    project = PROJECT / "dbt_project"
    started = time.perf_counter()
    subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), "--quiet", "build", "--exclude-resource-type=unit_test",
            f"--project-dir={project}", f"--profiles-dir={project}",
            f"--target-path={home / 'dbt-alone'}", f"--log-path={home / 'dbt-alone'}",
        ],
        env=environment(BILDUNGSMONITOR_CANDIDATE=str(home / "warehouse" / "candidate.duckdb")),
        check=True,
    )  # fmt: skip
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    nights, alone, walls = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            home = Path(folder) / "var"
            started = time.perf_counter()
            night = run("nightly", "--home", str(home), "--json")
            walls.append(time.perf_counter() - started)
            assert night.code == 0, night.err
            nights.append(night.json["seconds"])
            alone.append(dbt_alone(home))
    for stage in nights[0]:
        print(f"{stage:<18}{statistics.median(n[stage] for n in nights):7.1f} s")
    wall, dbt = statistics.median(walls), statistics.median(alone)
    print(f"{'whole night':<18}{wall:7.1f} s   (median of {runs}, first night on an empty home)")
    print(f"{'dbt alone':<18}{dbt:7.1f} s   whole night / dbt alone = {wall / dbt:.2f}")


if __name__ == "__main__":
    main()
