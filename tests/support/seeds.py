"""Homes after a night, made once and kept in the user's cache for all later runs of the same code.

Belongs here: where a seed lies, when it is made again, how a test gets a home of its own from it, and the proof that no
test has written into a seed. Does not belong here: which nights there are (conftest.py).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from filelock import FileLock

from tests.support.nights import PROJECT

CODE = ("orchestration", "expectations", "dbt_project", "config")
"""What a night is made of; the lock of the packages counts as well."""

KEPT = 2
"""So many seeds of one name stay in the cache: those of this code and of the code before."""

LINKED = ("landing", "releases", "sample")
"""Folders whose files are replaced and never written in place: a clone shares them by hard links."""

COPIED = (".sqlite", ".jsonl")
"""Files below them that are written in place all the same."""

SMALL = 256 * 1024
"""Up to so many bytes a seed's file is compared by its content, a larger one by size and time."""


def cache_folder() -> Path:
    """Where seeds are kept across runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bildungsmonitor" / "test-seeds"


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Over every file that a night can depend on."""
    digest = hashlib.sha256(sys.version.encode())
    for folder in CODE:
        for path in sorted((PROJECT / folder).rglob("*")):
            ignored = {"__pycache__", "target", "logs"} & set(path.parts)
            if path.is_file() and not ignored and path.name != ".user.yml":
                digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    digest.update((PROJECT / "requirements-dev.lock").read_bytes())
    return digest.hexdigest()


def seed(name: str, inputs: Iterable[bytes], make: Callable[[Path], None]) -> Path:
    """The folder `make` fills, once per code and `inputs`, for all workers and all later runs. Read only: clone it."""
    digest = hashlib.sha256(code_hash().encode())
    for part in inputs:
        digest.update(hashlib.sha256(part).digest())
    base = cache_folder()
    base.mkdir(parents=True, exist_ok=True)
    folder = base / f"{name}-{digest.hexdigest()[:16]}"
    stamp = folder.with_suffix(".json")
    with FileLock(folder.with_suffix(".lock")):
        if not stamp.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            stamp.write_text(json.dumps(_state_of(folder)), encoding="utf-8")
        else:
            os.utime(stamp)
    _prune(base, name)
    return folder


def _prune(base: Path, name: str) -> None:
    """Remove all but the newest seeds of one name."""
    stamps = [p for p in base.glob(f"{name}-*.json") if p.stem.rpartition("-")[0] == name]
    for stamp in sorted(stamps, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT:]:
        stamp.unlink(missing_ok=True)
        shutil.rmtree(stamp.with_suffix(""), ignore_errors=True)
        stamp.with_suffix(".lock").unlink(missing_ok=True)


def proof_folder() -> Path:
    """Where all homes of this code keep why their counts are safe; that of the code before is kept, older ones are removed."""
    base = cache_folder()
    mine = base / f"proof-{code_hash()[:16]}"
    base.mkdir(parents=True, exist_ok=True)
    others = [p for p in base.glob("proof-*") if p != mine]
    for old in sorted(others, key=lambda p: p.stat().st_mtime, reverse=True)[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)
    return mine


def clone(source: Path, target: Path) -> Path:
    """A home or city of one's own that shares with its seed what nobody writes in place."""

    def copy(this: str, that: str) -> str:
        inside = Path(this).relative_to(source).parts
        if set(LINKED) & set(inside[:-1]) and Path(this).suffix not in COPIED:
            os.link(this, that)
            return that
        return str(shutil.copy2(this, that))

    try:
        shutil.copytree(source, target, symlinks=True, copy_function=copy)
    except (OSError, shutil.Error):  # another file system, or one without hard links
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)
    return target


def _state_of(folder: Path) -> dict[str, list[int | str]]:
    """Every file's size, time and, of small ones, content."""
    found: dict[str, list[int | str]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[path.relative_to(folder).as_posix()] = [os.readlink(path)]
        elif path.is_file() and path.name != "night.lock":
            facts = path.stat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if facts.st_size <= SMALL else ""
            found[path.relative_to(folder).as_posix()] = [facts.st_size, facts.st_mtime_ns, content]
    return found


def changed(folder: Path) -> list[str]:
    """The files of a seed that are not as its night left them."""
    before = json.loads(folder.with_suffix(".json").read_text(encoding="utf-8"))
    now = _state_of(folder)
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def forget(folder: Path) -> None:
    """Make this seed again in the next run."""
    folder.with_suffix(".json").unlink(missing_ok=True)
