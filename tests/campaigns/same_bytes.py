"""Nights on the same inputs and the same clock: is every file of their releases the same?

    python -m tests.campaigns.same_bytes --nights 3

Each night runs in a process of its own, with a home of its own. The first computes in one process, the others with as
many workers as there are processors, two at least. Prints a line a night.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import yaml

from orchestration.resources.workers import worker_count
from orchestration.settings import DEFAULT_CONFIG
from tests.support.nights import contents, run


def campaign(nights: int, config: Path, folder: Path) -> bool:
    """Are the releases of so many nights of a configuration the same?"""
    facts = yaml.safe_load(config.read_text(encoding="utf-8"))
    releases: list[dict[str, str]] = []
    for number in range(1, nights + 1):
        workers = 1 if number == 1 else max(2, worker_count("auto"))
        own = folder / f"city-{number}.yaml"
        own.write_text(yaml.safe_dump({**facts, "workers": workers}), encoding="utf-8")
        home = folder / f"var-{number}"
        night = run("nightly", "--config", str(own), "--home", str(home), "--json")
        assert night.code == 0, night.err
        releases.append(contents(home))
        assert releases[-1], "a release has files"
        other = sorted(
            n for n in releases[0].keys() | releases[-1].keys() if releases[0].get(n) != releases[-1].get(n)
        )
        print(
            f"night {number}, workers {workers}: {len(releases[-1])} files, {len(other)} other than in the first",
            *other,
        )
    return all(release == releases[0] for release in releases)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="same-bytes-") as folder:
        good = campaign(arguments.nights, arguments.config, Path(folder))
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
