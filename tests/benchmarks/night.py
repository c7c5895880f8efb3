"""Where a night's time goes, beside an older commit and beside `dbt build` alone, in one run.

    python -m tests.benchmarks.night --against a94b228 --runs 3

Runs nights on the embedded default by turns with this tree and with the commit, each in an environment of its own lock
and on the same clock: a first night in a new home, then a second one in which nothing has changed. Then runs `dbt build`
with its tests alone, on the candidate that the night left. Prints the median seconds of every stage, the seconds of
processor time and the peak of memory (of all processes of a night together; what they share is counted once), and the
ratios. Both trees may keep what they keep in the user's cache; a night before the first counted one fills it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.support.nights import PROJECT, differing, environment

CONFIG = "config/koblenz.yaml"


@dataclass(frozen=True)
class Tree:
    """A checkout and the environment its nights run in."""

    name: str
    folder: Path
    python: Path

    def night(self, home: Path, *arguments: str) -> Night:
        """Run a night in a process of its own, and measure it with everything it starts."""
        command = [
            str(self.python.with_name("bildungsmonitor")),
            "nightly",
            "--home",
            str(home),
            "--json",
            *arguments,
        ]
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            started = time.perf_counter()
            process = psutil.Popen(
                command, cwd=self.folder, env=environment(), stdout=out, stderr=errors
            )  # fmt: skip
            watch = _Watch(process)
            code = process.wait()
            wall = time.perf_counter() - started
            watch.stop()
            out.seek(0)
            errors.seek(0)
            if code:
                raise SystemExit(f"{self.name}: a night ended with {code}:\n{errors.read().decode()[-3000:]}")
            seconds = json.loads(out.read())["seconds"]
        return Night(wall, watch.cpu, watch.peak, seconds)

    def dbt_alone(self, home: Path) -> float:
        """Seconds of `dbt build` with its tests on the candidate of a home."""
        project = self.folder / "dbt_project"
        started = time.perf_counter()
        subprocess.run(
            [
                str(self.python.with_name("dbt")), "--quiet", "build", "--exclude-resource-type=unit_test",
                f"--project-dir={project}", f"--profiles-dir={project}",
                f"--target-path={home / 'dbt-alone'}", f"--log-path={home / 'dbt-alone'}",
            ],
            env=environment(BILDUNGSMONITOR_CANDIDATE=str(home / "warehouse" / "candidate.duckdb")),
            check=True,
        )  # fmt: skip
        return time.perf_counter() - started


@dataclass(frozen=True)
class Night:
    """One night: seconds of wall time, of processor time, peak MiB, and seconds by stage."""

    wall: float
    cpu: float
    peak: float
    seconds: dict[str, float]


class _Watch:
    """Samples the memory and processor time of a process and all its descendants until it is stopped."""

    def __init__(self, process: psutil.Process) -> None:
        self.peak = 0.0
        self._spent: dict[int, float] = {}
        self._process = process
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def cpu(self) -> float:
        return sum(self._spent.values())

    def stop(self) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(0.25):
            total = 0.0
            try:
                processes = [self._process, *self._process.children(recursive=True)]
            except psutil.Error:
                continue
            for process in processes:
                try:
                    total += process.memory_full_info().pss / 2**20
                    times = process.cpu_times()
                    self._spent[process.pid] = times.user + times.system
                except psutil.Error:
                    continue
            self.peak = max(self.peak, total)


@dataclass
class Measured:
    """The nights of one tree."""

    first: list[Night] = field(default_factory=list)
    unchanged: list[Night] = field(default_factory=list)


def here() -> Tree:
    """This tree, in the environment that runs the benchmark."""
    return Tree("this tree", PROJECT, Path(sys.executable))


def checked_out(commit: str, folder: Path) -> Tree:
    """A commit beside this tree, in a new environment of its own lock."""
    tree = folder / "tree"
    subprocess.run(
        ["git", "clone", "--quiet", "--no-checkout", str(PROJECT), str(tree)], check=True
    )  # fmt: skip
    subprocess.run(["git", "-C", str(tree), "checkout", "--quiet", commit], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(tree / ".venv")], check=True)
    python = tree / ".venv" / "bin" / "python"
    uv = Path(sys.executable).with_name("uv")
    installer = (
        [str(uv), "pip", "install", "--python", str(python)]
        if uv.exists()
        else [str(python), "-m", "pip", "install"]
    )
    compiled = ["--compile-bytecode"] if uv.exists() else []
    subprocess.run(
        [*installer, "--quiet", *compiled, "--require-hashes", "-r", str(tree / "requirements.lock")],
        check=True,
    )
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "-e", str(tree)], check=True
    )  # fmt: skip
    return Tree(commit, tree, python)


def compare(
    trees: list[Tree], folder: Path, runs: int, arguments: list[str], warm: bool = True
) -> dict[str, Measured]:
    """Nights of the trees by turns; the homes of the last run stay below `folder`."""
    found = {tree.name: Measured() for tree in trees}
    for tree in trees if warm else ():  # what is kept for all homes of a user is there before anything counts
        tree.night(folder / "warm", *arguments)
        shutil.rmtree(folder / "warm")
    for _ in range(runs):
        for number, tree in enumerate(trees):
            home = folder / f"home-{number}"
            shutil.rmtree(home, ignore_errors=True)
            found[tree.name].first.append(tree.night(home, *arguments))
            found[tree.name].unchanged.append(tree.night(home, *arguments))
    return found


def report(trees: list[Tree], found: dict[str, Measured]) -> None:
    """Print stages, sums and ratios; the first tree is held against the second, where there is one."""
    names = [tree.name for tree in trees]
    print(f"{'median seconds of':<28}" + "".join(f"{name:>14}" for name in names))
    for kind in ("first", "unchanged"):
        nights: dict[str, list[Night]] = {name: getattr(found[name], kind) for name in names}
        print(f"{kind} night")
        stages = list(dict.fromkeys(stage for name in names for stage in nights[name][0].seconds))
        for stage in stages:
            _row(
                f"  {stage}",
                [[n.seconds.get(stage, 0.0) for n in nights[name]] for name in names],
                ratio=False,
            )
        _row("  wall time", [[n.wall for n in nights[name]] for name in names])
        _row("  processor time", [[n.cpu for n in nights[name]] for name in names])
        _row("  peak memory, MiB", [[n.peak for n in nights[name]] for name in names])
        share = [n.seconds["confirm"] / n.wall for n in nights[names[0]]]
        print(f"  confirm takes {statistics.median(share):.0%} of it")


def _row(label: str, figures: list[list[float]], *, ratio: bool = True) -> None:
    medians = [statistics.median(of_tree) for of_tree in figures]
    text = f"{label:<28}" + "".join(f"{median:>14.1f}" for median in medians)
    if ratio and len(medians) == 2:
        # Turn by turn: a machine that slows down slows both.
        text += f"   ratio {statistics.median(a / b for a, b in zip(*figures, strict=True)):.2f}"
    print(text, flush=True)


def main(arguments: list[str] | None = None) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--against", help="a commit of this repository")
    parser.add_argument("--config", default=CONFIG)
    parser.add_argument(
        "--no-warm-up", action="store_true", help="count what the first night of a user costs, too"
    )
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        trees = [here()]
        if given.against:
            trees.append(checked_out(given.against, folder))
        night = ["--config", given.config if os.path.isabs(given.config) else str(PROJECT / given.config)]
        found = compare(trees, folder, given.runs, night, warm=not given.no_warm_up)
        report(trees, found)
        if len(trees) == 2:
            others = differing(folder / "home-0", folder / "home-1")
            print(
                f"releases: {', '.join(others) or 'the same files, byte for byte, but for the product in the manifest'}"
            )
        alone = [trees[0].dbt_alone(folder / "home-0") for _ in range(given.runs)]
        wall = statistics.median(n.wall for n in found[trees[0].name].first)
        dbt = statistics.median(alone)
        print(
            f"dbt build alone on its candidate {dbt:.1f} s; first night / dbt build alone = {wall / dbt:.2f}"
        )
    return {"found": found, "dbt": dbt}


if __name__ == "__main__":
    main()
