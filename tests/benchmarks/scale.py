"""The registers of many districts, ten years each, from the drop folders to every indicator.

    python -m tests.benchmarks.scale --scale 36 --years 10
    python -m tests.benchmarks.scale --scale 12 --years 10 --against a94b228

With `--against` a commit computes the same districts in the same run, by turns at 1, 4 and 12 districts, in an environment
of its own lock; two districts at a time, so that both use both processors.

Every district is a city of Koblenz' kind with a home of its own, in a process of its own; two at a time.
`generate` invents and writes the deliveries (not part of the product's cost), `collect` takes them through
the door into the vault and counts, `compute` loads the candidate and runs dbt with its tests. At scale 1 the
same numbers are also counted by plain pandas (tests/plain_counts.py) from the same deliveries.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from orchestration.collect.sample.population import DISTRICTS
from tests.benchmarks.night import Tree, checked_out, here
from tests.support.nights import apart, environment

HOME = "07111"
MODULE = "tests.benchmarks.scale"
STEPS = ("generate", "collect", "compute")


def codes(scale: int) -> list[str]:
    """As `bildungsmonitor sample --scale` counts them: Koblenz, then the Land's other districts; 36 at most."""
    return [HOME, *(c for c in DISTRICTS if c != HOME)][:scale]


def one_district(folder: Path, code: str, years: int) -> dict[str, Any]:
    """All of a district's years; seconds by step, rows kept, values computed, CPU seconds and peak MiB."""
    import resource

    from expectations.catalogue import load_catalogue
    from orchestration.collect.sample import events, population
    from orchestration.collect.sample.registers import RegisterWriter, write_registers
    from orchestration.confirm import evidence
    from tests.support import cities
    from tests.support.registers import koblenz_districts

    seconds: dict[str, float] = {}
    clock = time.perf_counter()

    def done(step: str) -> None:
        nonlocal clock
        seconds[step] = time.perf_counter() - clock
        clock = time.perf_counter()

    catalogue = load_catalogue()
    last = max(population.YEARS)
    writer = RegisterWriter(code, koblenz_districts(), population.unit_of(code), events.SEED)
    write_registers(writer, catalogue, folder / "drops", last - years + 1, last)
    settings, home = cities.settled(folder, catalogue, code=code)
    done("generate")
    before = _cpu()
    arrived = cities.collected(settings, home, catalogue)
    done("collect")
    cities.computed(settings, home, catalogue)
    done("compute")
    with evidence.connect(home) as connection:
        values = connection.execute("select count(*) from monitoring.fct_indicator_value").fetchall()[0][0]
    return {
        "code": code, "seconds": seconds, "rows": sum(a.rows or 0 for a in arrived), "values": values,
        "cpu": _cpu() - before, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def _cpu() -> float:
    """Seconds this process has computed, on all cores: unlike the wall's, the same beside other work."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def plain_pandas(years: int) -> dict[str, Any]:
    """Every indicator of registers at scale 1, counted by pandas from the deliveries in memory."""
    import resource

    from expectations.catalogue import load_catalogue
    from orchestration.collect.sample import events, population
    from orchestration.collect.sample.registers import RegisterWriter
    from tests.component.test_indicators import BY_REGISTER
    from tests.support.plain_counts import PlainCity
    from tests.support.registers import koblenz_districts

    catalogue, districts = load_catalogue(), koblenz_districts()
    last = max(population.YEARS)
    writer = RegisterWriter(HOME, districts, population.unit_of(HOME), events.SEED)
    deliveries = list(writer.deliveries(last - years + 1, last))
    clock = time.perf_counter()
    plain = PlainCity(catalogue, HOME, districts, deliveries)
    numbers = 0
    for name, origin in BY_REGISTER:
        indicator = catalogue.indicators[name]
        levels = indicator.levels if origin == "main" or indicator.local is None else indicator.local.levels
        available = catalogue.breakdowns_of_measure(indicator.formulas[origin][0].measure)
        shown = [
            {},
            *(
                {b: c.id}
                for b in indicator.breakdowns
                if b in available
                for c in catalogue.breakdowns[b].cells
            ),
        ]
        for level in set(levels) & {"district", "city_district", "school"}:
            for cells in shown:
                for term in indicator.formulas[origin]:
                    if term is not None:
                        numbers += len(plain.term(term, level, cells, indicator))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": time.perf_counter() - clock, "numbers": numbers, "peak": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=int, default=36)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--parallel", type=int, default=2)
    parser.add_argument("--against", help="a commit of this repository")
    parser.add_argument("--district", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--pandas", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    years = str(arguments.years)
    if arguments.pandas:
        print(json.dumps(plain_pandas(arguments.years)))
        return
    if arguments.district:
        print(json.dumps(one_district(arguments.folder, arguments.district, arguments.years)))
        return

    with tempfile.TemporaryDirectory(prefix="scale-") as name:
        folder = Path(name)
        trees = [here()]
        if arguments.against:
            trees.append(checked_out(arguments.against, folder))
        alone = _district(trees[0], folder, HOME, years)
        _say("alone", 1, sum(alone["seconds"][s] for s in STEPS[1:]), [alone])
        pandas = apart(MODULE, "--pandas", "--years", years)
        product = alone["seconds"]["collect"] + alone["seconds"]["compute"]
        print(
            f"plain pandas at scale 1: {pandas['numbers']:,} numbers in {pandas['seconds']:.0f} s, {pandas['peak']:,.0f} MiB; "
            f"it / ours: {pandas['seconds'] / product:.1f} (ours: the door, the vault and dbt's tests included)",
            flush=True,
        )
        for scale in sorted({n for n in (1, 4, 12) if n < arguments.scale} | {arguments.scale}):
            spent = []
            for tree in trees:
                started = time.perf_counter()
                with ThreadPoolExecutor(arguments.parallel) as pool:
                    found = list(
                        pool.map(lambda code, t=tree: _district(t, folder, code, years), codes(scale))
                    )
                spent.append(time.perf_counter() - started)
                _say(tree.name, scale, spent[-1], found)
            if len(spent) == 2:
                print(f"scale {scale}: {spent[1] / spent[0]:.2f} times as fast per district", flush=True)


def _district(tree: Tree, folder: Path, code: str, years: str) -> dict[str, Any]:
    """One district computed by a tree, in a process of its own; its folder is gone afterwards."""
    own = Path(tempfile.mkdtemp(dir=folder, prefix=code))
    command = [str(tree.python), "-m", MODULE, "--district", code, "--folder", str(own), "--years", years]
    try:
        done = subprocess.run(
            command, cwd=tree.folder, env=environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{tree.name}, {code}: {done.stderr[-3000:]}")
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result
    finally:
        shutil.rmtree(own)


def _say(how: str, scale: int, wall: float, found: list[dict[str, Any]]) -> None:
    mean = {step: sum(f["seconds"][step] for f in found) / len(found) for step in STEPS}
    print(
        f"{how}: scale {scale:>3}, {sum(f['rows'] for f in found):>12,} records, {sum(f['values'] for f in found):>10,} values, "
        f"{wall:7.0f} s, {wall / scale:6.1f} s a district, peak {max(f['peak'] for f in found):,.0f} MiB a process; "
        f"{sum(f['cpu'] for f in found) / len(found):.1f} CPU seconds a district; "
        + ", ".join(f"{step} {spent:.1f} s" for step, spent in mean.items()),
        flush=True,
    )


if __name__ == "__main__":
    main()
