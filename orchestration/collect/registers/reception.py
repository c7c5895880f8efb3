"""The files in a register's drop folder, read and admitted or refused one after another; a task for a worker.

Belongs here: files → admitted rows in files of their own, or why not. Does not belong here: what becomes of a file, and
where its rows are kept (collect.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

from expectations.catalogue.registers import Register
from orchestration.collect.registers.door import Admitted, admit
from orchestration.collect.registers.files import read_file
from orchestration.collect.registers.keys import delivery_key, mark
from orchestration.collect.registers.problems import Problem, RefusedError
from orchestration.collect.registers.vault import Kept


@dataclass(frozen=True)
class ReceptionTask:
    """The files that have arrived for one register.

    `before`: its accepted deliveries, oldest first. `staging`: the folder that admitted rows are written to.
    """

    register: Register
    paths: list[Path]
    before: list[Kept]
    staging: Path
    today: dt.date
    master: bytes = field(repr=False)


@dataclass(frozen=True)
class Received:
    """What came of one file: rows that were admitted, or problems; neither, where the same was accepted before."""

    path: Path
    fingerprint: bytes
    admitted: Admitted | None = None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Reception:
    """What came of a register's files, in their order; `fault`: the kind of our own error that ended it."""

    received: list[Received]
    fault: str | None = None


def receive(task: ReceptionTask) -> Reception:
    """Read and admit a register's files. A fault of ours ends it; its own words may quote a cell and are left out."""
    register, found = task.register, []
    marks = {kept.mark for kept in task.before}
    rows, newest = task.before[-1].rows if task.before else None, dt.date.min
    for number, path in enumerate(task.paths):
        try:
            content = f"{register.id}/{_period_in(register, path)}/".encode() + _sha256(path)
            fingerprint = mark(task.master, content)
            if fingerprint in marks:
                found.append(Received(path, fingerprint))
                continue
            key = delivery_key(task.master, register.id, None if register.linked else fingerprint.hex())
            staged = task.staging / f".admitted-{register.id}-{number}.duckdb"
            admitted = admit(register, read_file(register, path), key, staged, task.today, rows)
        except RefusedError as error:
            found.append(Received(path, fingerprint, problems=error.problems))
            continue
        except Exception as error:
            return Reception(found, type(error).__name__)
        marks.add(fingerprint)
        if (
            admitted.reference >= newest
        ):  # of a night's deliveries the one of the newest day counts as the last
            rows, newest = admitted.rows, admitted.reference
        found.append(Received(path, fingerprint, admitted))
    return Reception(found)


def _period_in(register: Register, path: Path) -> str:
    """What a file's name adds to its content: the same list may hold for another day."""
    match = re.search(register.reference.file, path.name) if register.reference.file else None
    return match[1] if match else ""


def _sha256(path: Path) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
