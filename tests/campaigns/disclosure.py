"""Confidentiality against brute force: thousands of small tables, hundreds of mutated large patterns.

    python -m tests.campaigns.disclosure --tables 3000 --mutations 500

Small linked tables are drawn by hypothesis; every whole-number population that agrees with what is told is enumerated, and
must give the attacker's bounds and verdicts on every cell, and show every protected cell high enough. Large patterns of the
seeded city lose one hidden cell at a time; what the attacker then opens must be what the whole system of equations says of every
sensitive cell. Slices of both are in the suite.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from expectations.disclosure.attack import Attacker
from expectations.disclosure.knowledge import knowledge_of
from expectations.disclosure.protect import protect
from tests.disclosure.oracle import small_tables
from tests.disclosure.pupils import declaration, pupils, table
from tests.disclosure.test_properties import agrees_with_brute_force, is_protected_for_brute_force


def brute_force(tables: int) -> None:
    """Raises AssertionError with the smallest table on which attacker and enumeration differ."""
    many = settings(
        max_examples=tables, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    many(given(small_tables(), st.data())(agrees_with_brute_force))()
    many(given(small_tables())(is_protected_for_brute_force))()


def mutations(count: int, dimensions: tuple[str, ...] = ("area", "type", "grade")) -> tuple[int, int, int]:
    """Freed cells that opened something, those that did not, and those on which the attacker was wrong."""
    declared = declaration(dimensions)
    name = "_".join(dimensions)
    figures = table(declared, name, pupils())
    done = protect(declared, {name: figures})
    targets = [(int(f), int(n)) for f, n in enumerate(done.needs.at_least) if n]
    rows = np.flatnonzero(done.hidden[name])
    chosen = np.random.default_rng(1).permutation(rows)[:count]
    unsafe = safe = wrong = 0
    for row in chosen.tolist():
        hidden = done.hidden[name].copy()
        hidden[row] = False
        knowledge = knowledge_of(done.population, {name: replace(figures, hidden=hidden)})
        attacker = Attacker(knowledge, done.attack.base)
        opened = {o.functional for o in attacker.attack(targets).opened}
        # The oracle is asked only of the cells whose witnesses the freed cell breaks; the others still have theirs.
        whole = Attacker(knowledge, done.attack.base)
        whole.learn(done.pattern.witnesses)
        unproved = [(f, need) for f, need in targets if whole.result.highest[f] < need]
        expected = {f for f, need in unproved if whole.interval(f)[1] < need}
        wrong += opened != expected
        unsafe += bool(expected)
        safe += not expected
    return unsafe, safe, wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=3000)
    parser.add_argument("--mutations", type=int, default=500)
    arguments = parser.parse_args()
    started = time.perf_counter()
    brute_force(arguments.tables)
    print(
        f"{arguments.tables} small tables attacked, {arguments.tables} protected: brute force agrees on every cell",
        flush=True,
    )
    unsafe, safe, wrong = mutations(arguments.mutations)
    print(
        f"{unsafe + safe} mutations: {unsafe} unsafe, {safe} safe, {wrong} on which the attacker was wrong; {time.perf_counter() - started:.0f} s"
    )
    sys.exit(1 if wrong else 0)
