"""Take every rule out that catches a trap, and want its test red.

    python -m tests.campaigns.traps            all of tests/campaigns/traps.yml
    python -m tests.campaigns.traps --only guest_login,darunter
    python -m tests.campaigns.traps --list     the table of docs/traps.md

Works on a copy of the project; the project itself is never changed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.nights import PROJECT, environment

FOLDERS = ("orchestration", "expectations", "dbt_project", "config", "tests")


@dataclass(frozen=True)
class Trap:
    """A trap, the test that catches it, and the change that takes its rule out."""

    id: str
    trap: str
    test: str
    file: str
    find: str
    replace: str


def traps() -> list[Trap]:
    """The list, in its order."""
    text = (PROJECT / "tests" / "campaigns" / "traps.yml").read_text(encoding="utf-8")
    return [Trap(**entry) for entry in yaml.safe_load(text)]


def is_caught(trap: Trap) -> bool:
    """Is the trap's test red once its rule is taken out?"""
    with tempfile.TemporaryDirectory(prefix="trap-") as folder:
        copy = Path(folder) / "project"
        for name in FOLDERS:
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
            shutil.copytree(PROJECT / name, copy / name, ignore=ignored)
        shutil.copy(PROJECT / "pyproject.toml", copy)
        path = copy / trap.file
        text = path.read_text(encoding="utf-8")
        assert text.count(trap.find) == 1, f"{trap.id}: its rule is not in {trap.file} once"
        path.write_text(text.replace(trap.find, trap.replace), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", trap.test, "-x", "-q", "-p", "no:cacheprovider"],
            cwd=copy, env=environment(PYTHONPATH=str(copy)), capture_output=True, text=True, timeout=600,
        )  # fmt: skip
    if done.returncode not in (0, 1):
        print(done.stdout[-1500:])
    return done.returncode == 1


def page() -> str:
    """The list for readers."""
    lines = [
        "# Traps of the offices' files and services",
        "",
        "Each rule below was taken out and its test seen to fail: `python -m tests.campaigns.traps`.",
        "Section numbers are those of the project's notes on GENESIS (§) and on the field (domain §).",
        "",
        "| trap | rule stands in | test |",
        "|---|---|---|",
    ]
    lines += [f"| {t.trap.replace('|', '/')} | `{t.file}` | `{t.test}` |" for t in traps()]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", help="ids, comma-separated")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print(page(), end="")
        return
    chosen = [t for t in traps() if not arguments.only or t.id in arguments.only.split(",")]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(is_caught, chosen))
    for trap, caught in zip(chosen, results, strict=True):
        print(f"{'caught' if caught else 'MISSED':<8}{trap.id}")
    missed = [t.id for t, caught in zip(chosen, results, strict=True) if not caught]
    print(f"{len(chosen) - len(missed)} of {len(chosen)} rules are held by their tests")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
