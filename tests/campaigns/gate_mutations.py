"""Mutation test of the gate: disable any one check, and a test must fail.

    python -m tests.campaigns.gate_mutations [--home DIR]

Every check in turn finds nothing any more; then the test of its poisoned fixtures is run on a good night's tables. A
mutant that passes them all survives. Without --home a night on the embedded default is run first. Prints the survivors.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from expectations.checks import CHECKS, Check, Subject
from expectations.verdict import Status, Verdict
from orchestration.confirm import gate
from tests.checks.poisons import POISONS
from tests.checks.subjects import Subjects
from tests.checks.test_checks import test_each_poison_trips_its_own_check
from tests.support.nights import run


def disabled(check: Check) -> Check:
    """The same check, blind: whatever it sees, it says PASS."""

    def blind(subject: Subject, scope: str) -> Verdict:
        return Verdict(
            table=subject.table, check=check.name, scope=scope, status=Status.PASS, observed="", expected="",
            message_de="", message_en="",
        )  # fmt: skip

    return Check(check.name, check.scopes, blind, check.compares, check.is_last)


def survives(check: Check, clean: Subjects) -> bool:
    """Do all tests of the check's poisons pass though it is blind?"""
    with pytest.MonkeyPatch.context() as patch:
        mutants = [disabled(c) if c is check else c for c in CHECKS]
        patch.setattr(gate, "CHECKS", mutants)
        for case, poison in POISONS.items():
            if check.name in poison.expected:
                try:
                    test_each_poison_trips_its_own_check(clean, case)
                except AssertionError:
                    return False
    return True


def survivors(home: Path, checks: Sequence[Check] = tuple(CHECKS)) -> list[str]:
    """The checks without which every test passes. Nothing may be wrong with the tests themselves."""
    clean = Subjects(home)
    return [check.name for check in checks if survives(check, clean)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, help="A home after a night on the embedded default.")
    arguments = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mutations-") as name:
        home = arguments.home or Path(name) / "var"
        if arguments.home is None:
            night = run("nightly", "--home", str(home), "--json")
            assert night.code == 0, night.err
        found = survivors(home)
    print(
        f"{len(CHECKS)} checks disabled one by one, {len(POISONS)} poisoned fixtures: {len(found)} survivors {found or ''}"
    )
    print(f"{time.perf_counter() - started:.0f} s")
    sys.exit(bool(found))
