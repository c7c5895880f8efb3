"""Confidentiality: what hiding costs and how long it takes, beside τ-Argus on the same tables, under one attacker.

    python -m tests.benchmarks.disclosure [--k 3] [--tables 5] [--peer-minutes 1]

The seeded city of pupils (tests/disclosure/pupils.py), five tables of growing size, the last of 60,192 cells. A line each: sensitive cells, cells
hidden beside them and the pupils in those, seconds, peak memory; then what readers open who know only that counts are
not negative, and readers who also know that zeros are shown. τ-Argus (pytauargus, HiGHS inside) does the same tables in a
process of its own with a limit; its patterns are attacked as they are, then repaired to our guarantee (its cells stay
hidden, ours are added), so that the cost compares at equal protection.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from expectations.disclosure.attack import Attacker
from expectations.disclosure.knowledge import knowledge_of
from expectations.disclosure.population import population_of
from expectations.disclosure.primary import needs_of
from expectations.disclosure.protect import protect, true_population
from expectations.disclosure.tables import Figures
from expectations.disclosure.verify import unproved
from tests.disclosure import cases
from tests.disclosure.pupils import HIERARCHIES, LEAVES, by_nationality, declaration, pupils, table
from tests.support.nights import PROJECT

TABLES = (
    ("area", "type"),
    ("area", "type", "sex"),
    ("area", "type", "grade"),
    ("area", "type", "grade", "sex"),
    ("area", "type", "grade", "sex", "nationality"),
)


def audited(figures: Figures, dimensions: tuple[str, ...], k: int, hidden: np.ndarray) -> str:
    """Of the sensitive cells: exact / surely below k / as high as we ask, for both readers."""
    found = []
    for zeros in ("hideable", "open"):
        declared = declaration(dimensions, k=k, zeros=zeros)
        shown = {figures.name: replace(figures, declared=declared.tables[figures.name], hidden=hidden)}
        population = population_of(declared, shown)
        x = true_population(
            population_of(declared, {figures.name: replace(shown[figures.name], hidden=hidden & False)})
        )
        values = (population.functionals @ x).astype(np.int64)
        needs = needs_of(population, values)
        attacker = Attacker(knowledge_of(population, shown), x)
        targets = [(int(f), int(needs.at_least[f])) for f in np.flatnonzero(needs.primary)]
        opened = attacker.attack(targets).opened
        exact = sum(o.lower == o.upper for o in opened)
        small = sum(o.upper < k for o in opened)
        found.append(f"{exact}/{small}/{len(targets) - len(opened)}")
    return f"{found[0]:>14} {found[1]:>14}"


def ours(finest: pd.DataFrame, dimensions: tuple[str, ...], k: int, zeros: str) -> tuple[Figures, np.ndarray]:
    declared = declaration(dimensions, k=k, zeros=zeros)
    name = "_".join(dimensions)
    figures = table(declared, name, finest)
    started = time.perf_counter()
    done = protect(declared, {name: figures})
    spent = time.perf_counter() - started
    hidden = done.hidden[name]
    primary = done.needs.primary[done.population.of_cell[name]]
    targets = [(int(f), int(n)) for f, n in enumerate(done.needs.at_least) if n]
    started = time.perf_counter()
    attacked = Attacker(done.knowledge, done.attack.base).attack(targets)
    audit = time.perf_counter() - started
    started = time.perf_counter()
    assert not unproved(done.knowledge, done.attack.base, done.pattern.witnesses, targets)
    verified = time.perf_counter() - started
    assert not attacked.opened
    report("ours, zeros " + zeros, name, figures, hidden, primary, spent)
    print(
        f"{'':24} audit {audit:.1f} s for {len(targets)} needs; verifier {verified:.2f} s for {len(done.pattern.witnesses)} "
        f"witnesses; opened {len(attacked.opened)}; peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MiB",
        flush=True,
    )
    return figures, hidden


def report(
    who: str,
    name: str,
    figures: Figures,
    hidden: np.ndarray,
    primary: np.ndarray,
    spent: float,
    more: str = "",
) -> None:
    second = hidden & ~primary
    print(
        f"{who:24} {name:20} {len(hidden):6} cells {int((primary & hidden).sum()):5} sensitive {int(second.sum()):6} secondary "
        f"{int(figures.values[second].sum()):8} pupils {spent:7.1f} s {more}",
        flush=True,
    )


def peer(
    finest: pd.DataFrame, dimensions: tuple[str, ...], k: int, minutes: float
) -> tuple[dict[tuple[str, ...], str], float] | None:
    """τ-Argus' status of every cell, or None if it did not come to an end in time."""
    with tempfile.TemporaryDirectory(prefix="tau-") as folder:
        place = Path(folder)
        finest.to_parquet(place / "finest.parquet")
        order = {"dimensions": list(dimensions), "k": k, "folder": folder, "minutes": minutes}
        started = time.perf_counter()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.benchmarks.disclosure", "--peer", json.dumps(order)],
                capture_output=True, text=True, timeout=60 * minutes + 30, check=False,
                cwd=folder, env={**os.environ, "PYTHONPATH": str(PROJECT)},  # it leaves logs where it runs
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        spent = time.perf_counter() - started
        found = place / "status.json"
        if done.returncode or not found.exists():
            print(f"τ-Argus: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
            return None
        return {tuple(cell): status for cell, status in json.loads(found.read_text())}, spent


def run_peer(order: dict[str, object]) -> None:
    """In the peer's own process: one record a pupil, its rule for frequencies, its optimal suppression."""
    import pytauargus

    dimensions, folder = [str(d) for d in order["dimensions"]], Path(str(order["folder"]))  # type: ignore[attr-defined]
    finest = pd.read_parquet(folder / "finest.parquet")
    records = finest.loc[finest.index.repeat(finest["value"])][dimensions].assign(pupils=1)
    width = {d: max(len(c) for c in [*LEAVES[d], *HIERARCHIES.get(d, {})]) for d in dimensions}
    for d in dimensions:
        records[d] = records[d].str.rjust(width[d], "0")
    files = {}
    for d in dimensions:
        if d in HIERARCHIES:
            grouped = {c for parts in HIERARCHIES[d].values() for c in parts}
            lines = [c.rjust(width[d], "0") for c in LEAVES[d] if c not in grouped]
            for code, parts in HIERARCHIES[d].items():
                lines += [code.rjust(width[d], "0"), *("@" + c.rjust(width[d], "0") for c in parts)]
            files[d] = str(folder / f"{d}.hrc")
            Path(files[d]).write_text("\n".join(lines) + "\n")
    result = pytauargus.protect(
        records, dimensions, response="pupils", safety_rules=f"FREQ({order['k']},60)",
        suppress=f"OPT(1,{max(int(float(str(order['minutes']))), 1)})", hrc=files, hierleadstring="@", totcode="Total", workdir=str(folder / "run"),
    )  # fmt: skip
    found = []
    protected = result.tables[0]
    for row, status in zip(protected.rows, protected.status(), strict=True):
        code = [str(row[d]).strip().lstrip("0") or "Total" for d in dimensions]
        found.append((code, status))
    (folder / "status.json").write_text(json.dumps(found))


def main(k: int, count: int, minutes: float) -> None:
    finest = pupils()
    print(
        "sensitive cells under attack, as exact / surely below k / as high as we ask; first a reader who knows only x >= 0"
    )
    for dimensions in TABLES[:count]:
        name = "_".join(dimensions)
        counted = by_nationality(finest) if "nationality" in dimensions else finest
        for zeros in ("open", "hideable") if len(dimensions) < 5 else ("open",):
            figures, _ = ours(counted, dimensions, k, zeros)
        if len(dimensions) >= 4:
            continue
        answer = peer(finest, dimensions, k, minutes)
        if answer is None:
            print(f"{'τ-Argus OPT':24} {name:20} no result within {minutes:g} minutes")
            continue
        statuses, spent = answer
        hidden = np.array(
            [statuses.get(tuple(c), "?") in ("U", "M") for c in figures.codes.to_numpy().tolist()]
        )
        primary = (figures.values > 0) & (figures.values < k)
        report("τ-Argus OPT", name, figures, hidden, primary, spent, audited(figures, dimensions, k, hidden))
        for zeros in ("open", "hideable"):
            declared = declaration(dimensions, k=k, zeros=zeros)
            start = replace(figures, declared=declared.tables[name], hidden=hidden | primary)
            mended = protect(declared, {name: start}).hidden[name]
            report("τ-Argus, repaired", name, figures, mended, primary, spent, "zeros " + zeros)


CENSUS = {"sal": ("sex", "age_h", "lms_h"), "sah": ("sex", "age_h", "hst_h"), "saf": ("sex", "age_h", "fst_h"), "slh": ("sex", "lms_h", "hst_h")}  # fmt: skip


def census() -> None:
    """Four linked tables of another package's synthetic census (shared/reference/sdc_cases, d53), beside its own pattern."""
    if not cases.CASES.is_dir():
        print(f"d53: left out, {cases.CASES} is absent")
        return
    finest = cases.read_csv("gauss_d53_input.csv")
    theirs = pd.read_csv(cases.CASES / "gauss_d53_global.csv.gz", dtype=str, keep_default_na=False)
    theirs = theirs.rename(columns={"freq": "value"}).astype({"value": int})
    dimensions = list(dict.fromkeys(d for table in CENSUS.values() for d in table))
    theirs = theirs.drop_duplicates(dimensions)
    groups: dict[str, dict[str, list[str]]] = {}
    for name, levels in (("age", "lmh"), ("lms", "lh"), ("hst", "lmh"), ("fst", "lmh")):
        groups[f"{name}_h"] = {
            code: sorted(parts)
            for high, low in itertools.pairwise(levels)
            for code, parts in finest.groupby(f"{name}_{high}")[f"{name}_{low}"].unique().items()
            if list(parts) != [code]
        }
    declared = cases.declared(CENSUS, groups, 4, zeros="open")
    tables = {}
    for name, own in CENSUS.items():
        rest = [d for d in dimensions if d not in own]
        tables[name] = cases.table(
            declared, name, theirs.loc[(theirs[rest] == "Total").all(axis=1), [*own, "value"]]
        )
    started = time.perf_counter()
    done = protect(declared, tables)
    spent = time.perf_counter() - started
    hidden: dict[tuple[str, ...], bool] = {}
    for name, figures in tables.items():
        for row, gone in zip(figures.codes.to_dict("records"), done.hidden[name], strict=True):
            hidden[tuple(str(row.get(d, "Total")) for d in dimensions)] = bool(gone)
    print(
        f"d53: {len(hidden)} distinct cells, ours hides {sum(hidden.values())} in {spent:.1f} s; "
        f"GaussSuppression {theirs['suppressed'].eq('TRUE').sum()}, whose criterion is less",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--k", type=int, default=3)
    parser.add_argument("--tables", type=int, default=5)
    parser.add_argument("--peer-minutes", type=float, default=1)
    parser.add_argument("--peer", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        run_peer(json.loads(arguments.peer))
    else:
        main(arguments.k, arguments.tables, arguments.peer_minutes)
        census()
