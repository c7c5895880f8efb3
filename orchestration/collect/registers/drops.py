"""Watched folders: <drops>/<register>/drop, with accepted/ and rejected/ beside it.

Belongs here: which files have arrived, and where they go. Does not belong here: reading them.
The folders lie in the delivering offices' reach, outside the home; what is in them is theirs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from orchestration.resources.files import write_bytes

REPORT = ".bericht.txt"
"""What follows a delivery's name in the name of its reception report."""

_UNFINISHED = (".part", ".tmp", ".crdownload", ".filepart")


def waiting(drops: Path, settle_seconds: float) -> str | None:
    """A short name for all files that wait in the drop folders as they are now; None if none does."""
    found = []
    for folder in sorted(p for p in drops.iterdir() if p.is_dir()) if drops.is_dir() else []:
        for path in Drop(folder).arrivals(settle_seconds):
            facts = path.stat()
            found.append(f"{folder.name}/{path.name}/{facts.st_size}/{facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(found).encode()).hexdigest() if found else None


@dataclass(frozen=True)
class Drop:
    """One register's folders."""

    folder: Path

    @property
    def inbox(self) -> Path:
        return self.folder / "drop"

    @property
    def accepted(self) -> Path:
        return self.folder / "accepted"

    @property
    def rejected(self) -> Path:
        return self.folder / "rejected"

    def prepare(self) -> None:
        for folder in (self.inbox, self.accepted, self.rejected):
            folder.mkdir(parents=True, exist_ok=True)

    def arrivals(self, settle_seconds: float = 0) -> list[Path]:
        """Files that have come whole, by name: not hidden, not being written any more."""
        if not self.inbox.is_dir():
            return []
        # A share's clock may run ahead of ours: only who asks for rest is held to it.
        before = time.time() - settle_seconds if settle_seconds else float("inf")
        return [
            path for path in sorted(self.inbox.iterdir())
            if path.is_file() and not path.name.startswith((".", "~$"))
            and not path.name.endswith(_UNFINISHED) and path.stat().st_mtime <= before
        ]  # fmt: skip

    def accept(self, path: Path, report: str, *, keep_original: bool) -> None:
        """Write the report, then move the original beside it or delete it."""
        self.prepare()
        write_bytes(self.accepted / f"{path.name}{REPORT}", report.encode())
        if keep_original:
            os.replace(path, self.accepted / path.name)
        else:
            path.unlink()

    def reject(self, path: Path, report: str) -> None:
        """Move the file out of the way and say why beside it."""
        self.prepare()
        os.replace(path, self.rejected / path.name)
        write_bytes(self.rejected / f"{path.name}{REPORT}", report.encode())

    def overdue(self, moment: dt.datetime, accepted_days: int, rejected_days: int) -> list[Path]:
        """Originals that lie there for more days than they may; reports stay, for they hold no record."""
        found = []
        for folder, days in ((self.accepted, accepted_days), (self.rejected, rejected_days)):
            if folder.is_dir():
                before = moment.timestamp() - days * 86_400
                found += [
                    p for p in sorted(folder.iterdir())
                    if p.is_file() and not p.name.endswith(REPORT) and p.stat().st_mtime < before
                ]  # fmt: skip
        return found
