"""Run nights as a user would, and look at what they leave behind. Shared by tests and campaigns."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from orchestration.publish.release import file_hash

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT.parent / "shared"
OFFICIAL = SHARED / "data" / "official"
CLOCK = "1795500000"
"""2026-11-24 06:00 UTC: tests name their time, so that a sample never becomes late."""


@dataclass(frozen=True)
class Finished:
    """One run of the command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(**extra: str) -> dict[str, str]:
    """This process's environment with a fixed clock and no foreign settings."""
    foreign = ("BILDUNGSMONITOR_", "DAGSTER_")
    kept = {k: v for k, v in os.environ.items() if k == "BILDUNGSMONITOR_PROOF" or not k.startswith(foreign)}
    return {**kept, "SOURCE_DATE_EPOCH": CLOCK, "COLUMNS": "160", **extra}


def command(*arguments: str) -> list[str]:
    """The console script of this environment."""
    return [str(Path(sys.executable).with_name("bildungsmonitor")), *arguments]


def run(*arguments: str, cwd: Path = PROJECT, timeout: float = 900, **extra: str) -> Finished:
    """Run the console script to its end, in a process of its own: where the process itself is the matter."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def invoke(*arguments: str, cwd: Path = PROJECT, **extra: str) -> Finished:
    """Run a command in this process. It sees the environment that `run` gives its process, and imports nothing twice."""
    from typer.testing import CliRunner

    from orchestration.cli import app

    with _surroundings(cwd, environment(**extra)):
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    err = done.stderr
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        err += "".join(traceback.format_exception(done.exception))
    return Finished(done.exit_code, done.stdout, err)


@contextlib.contextmanager
def _surroundings(cwd: Path, variables: dict[str, str]) -> Iterator[None]:
    """Working folder, environment and log handlers for one command; everything is put back afterwards."""
    before = dict(os.environ)
    loggers = [logging.getLogger(), logging.getLogger("bildungsmonitor")]
    states = [(log.handlers[:], log.level, log.propagate) for log in loggers]
    os.environ.clear()
    os.environ.update(variables)
    try:
        with contextlib.chdir(cwd):
            yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for log, (handlers, level, propagate) in zip(loggers, states, strict=True):
            log.handlers[:] = handlers
            log.setLevel(level)
            log.propagate = propagate


def apart(module: str, *arguments: str) -> dict[str, Any]:
    """A module of tests in a process of its own: the JSON on its last line.

    Raises SystemExit with the end of what it said if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=PROJECT, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-4000:])
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def contents(home: Path) -> dict[str, str]:
    """Every file of the served release and its hash."""
    folder = (home / "releases" / "current").resolve()
    return {p.relative_to(folder).as_posix(): file_hash(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def differing(one: Path, other: Path) -> list[str]:
    """The files of two homes' served releases that differ, but for the manifest's `product`.

    The product names the commit. Trees of two commits make the same release, and a seed in the cache is as old as the
    last commit that changed what a night depends on: only the rest of the manifest is compared, field by field.
    """
    ours, theirs = contents(one), contents(other)
    found = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    if "manifest.json" in found and "manifest.json" in ours.keys() & theirs.keys():
        found.remove("manifest.json")
        first, second = (
            json.loads((home / "releases" / "current" / "manifest.json").read_text(encoding="utf-8"))
            for home in (one, other)
        )
        fields = (first.keys() | second.keys()) - {"product"}
        found |= {f"manifest.json: {field}" for field in fields if first.get(field) != second.get(field)}
    return sorted(found)


FEW_TABLES = ("pub_leavers", "pub_population", "pub_schools", "pub_vocational")
"""Enough tables to hold one and let the others out."""


TINY_TABLES = ("pub_schools", "pub_vocational")
"""Tables that four official tables are enough for."""


OFFICE_TABLES = ("pub_population", "pub_schools", "pub_youth_welfare")
OFFICE_REGISTERS = (
    "block_sides", "schools", "residents", "resident_movements", "pupils", "classes", "learning_materials",
    "teaching_staff", "school_social_work", "vocational_pupils", "youth_welfare", "youth_work",
)  # fmt: skip
"""Tables of people, and the registers behind them: what rounding and hiding are seen on."""


# Small nights compute in one process: the suite runs on all processors as it is, and to start a pool takes a second.


def plain_config(path: Path, *tables: str) -> Path:
    """The sample without registers and with few tables: a quicker night, where they are not the matter."""
    path.write_text(
        'municipality: {code: "07111", name: Koblenz}\nofficial_statistics: {source: sample}\n'
        f"tables: [{', '.join(tables or FEW_TABLES)}]\nworkers: 1\n",
        encoding="utf-8",
    )
    return path


def tiny_config(path: Path, *tables: str, registers: tuple[str, ...] = (), **more: Any) -> Path:
    """Koblenz on the tiny sample: the quickest night there is. `registers`: of its newest year; `more`: further sections."""
    facts: dict[str, Any] = {
        "municipality": {"code": "07111", "name": "Koblenz"},
        "official_statistics": {"source": "sample", "extent": "tiny"},
        "workers": 1,
        "tables": list(tables or TINY_TABLES),
        **more,
    }
    if registers:
        default = yaml.safe_load((PROJECT / "config" / "koblenz.yaml").read_text(encoding="utf-8"))
        facts["registers"] = {
            "source": "sample", "extent": "tiny", "only": list(registers),
            "districts": default["registers"]["districts"],
        }  # fmt: skip
    path.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    return path


def folder_config(path: Path, directory: Path) -> Path:
    """A configuration of Koblenz on a folder of files."""
    path.write_text(
        'municipality: {code: "07111", name: Koblenz}\n'
        f"official_statistics: {{source: folder, directory: {json.dumps(str(directory))}}}\n"
        f"tables: [{', '.join(FEW_TABLES)}]\nworkers: 1\n",
        encoding="utf-8",
    )
    return path
