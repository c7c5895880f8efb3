"""Run nights as a user would, and look at what they leave behind. Shared by tests and campaigns."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
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
    """Run the console script to its end."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(**extra),
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


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


FEW_TABLES = ("pub_leavers", "pub_population", "pub_schools", "pub_vocational")
"""Enough tables to hold one and let the others out."""


def plain_config(path: Path, *tables: str) -> Path:
    """The sample without registers and with few tables: a quicker night, where they are not the matter."""
    path.write_text(
        'municipality: {code: "07111", name: Koblenz}\nofficial_statistics: {source: sample}\n'
        f"tables: [{', '.join(tables or FEW_TABLES)}]\n",
        encoding="utf-8",
    )
    return path


def folder_config(path: Path, directory: Path) -> Path:
    """A configuration of Koblenz on a folder of files."""
    path.write_text(
        'municipality: {code: "07111", name: Koblenz}\n'
        f"official_statistics: {{source: folder, directory: {json.dumps(str(directory))}}}\n"
        f"tables: [{', '.join(FEW_TABLES)}]\n",
        encoding="utf-8",
    )
    return path
