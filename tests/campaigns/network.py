"""Nights of forty tables over the network, one request in twenty failing, again and again.

    python -m tests.campaigns.network --nights 100 --share 0.05

Each night has its own seed, its own home and a quiet night after it. After both: every table has
landed exactly once, nothing is half written, and every table of the first night had landed or was
named late with a reason.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import tempfile
from collections import Counter
from pathlib import Path

from expectations.catalogue import load_catalogue
from orchestration.collect.landing import landing_of
from orchestration.collect.official_network import collect_from_network
from orchestration.resources.home import Home
from tests.replay.city import NIGHT, codes_of, network_settings, table_text
from tests.replay.server import LASTING, PASSING, Faults, Replay, serving


def night(seed: int, share: float, folder: Path) -> tuple[Counter[str], Counter[str]]:
    """One night and its quiet successor; the first one's outcomes and the faults it met."""
    catalogue = load_catalogue()
    codes = codes_of(catalogue, 40)
    tables = {code: table_text(code, first=n) for n, code in enumerate(codes)}
    faults = Faults(share=share, kinds=PASSING + LASTING, seed=seed)
    home = Home(folder)
    large = dict.fromkeys(codes[seed % 9 :: 9], 2)
    with serving(Replay(tables=tables, large=large, faults=faults, slow_seconds=1.0)) as replay:
        source = network_settings(replay, codes, parallel=3)
        first = {r.table_code: r for r in collect_from_network(source, home, catalogue, NIGHT)}
        seen = Counter(faults.seen)
        faults.share = 0.0
        later = NIGHT + dt.timedelta(days=1)
        second = {r.table_code: r for r in collect_from_network(source, home, catalogue, later)}
        assert replay.jobs == {}, "every result was given back"
    assert set(first) == set(second) == set(codes)
    for code, reception in first.items():
        assert reception.status in ("accepted", "late"), (code, reception)
        assert reception.reason or reception.status == "accepted", (code, reception)
        expected = "known" if reception.status == "accepted" else "accepted"
        assert second[code].status == expected, (code, second[code])
    landing = landing_of(home, source, catalogue)
    assert sorted(s.table_code for s in landing.snapshots()) == codes, "each table once"
    assert not [p for p in folder.rglob("*") if p.name.endswith(".part")]
    assert not list((landing.folder / ".jobs").glob("*")), "no job is left open"
    return Counter(r.status for r in first.values()), seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=100)
    parser.add_argument("--share", type=float, default=0.05)
    arguments = parser.parse_args()
    logging.getLogger("bildungsmonitor").setLevel(logging.CRITICAL)
    outcomes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for seed in range(1, arguments.nights + 1):
        with tempfile.TemporaryDirectory(prefix="network-") as folder:
            landed, met = night(seed, arguments.share, Path(folder))
        outcomes += landed
        faults += met
    print(
        f"{arguments.nights} nights of 40 tables: {dict(outcomes)}; {faults.total()} faults met: {dict(faults)}; "
        "after a quiet night every table landed once, none half, no job left"
    )


if __name__ == "__main__":
    main()
