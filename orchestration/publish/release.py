"""The release store: complete releases side by side, one of them served through `current`.

    releases/<id>/…          written whole under another name, then renamed
    releases/current → <id>  replaced in one step; readers follow it when they open
    releases/history.jsonl   a line per switch: which release from when on, and which one was withdrawn for it, why
    releases/purged.jsonl    a line per release whose figures were destroyed: when, why, and the hashes of what it was

Belongs here: finding, adding, switching and removing releases. Does not belong here: what stands in one.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestration.resources.files import file_hash, remove, replace_folder, sync_folder, write_json
from orchestration.resources.home import Home
from orchestration.settings import Audience

MANIFEST = "manifest.json"
HISTORY = "history.jsonl"
PURGES = "purged.jsonl"
STAGING = ".staging-"
"""What stands before a release's name while it is written."""


@contextmanager
def at_rest(seconds: float) -> Iterator[None]:
    """Around a switch: publishing has ended its work some time before, and begins none for as long after.

    Whoever waits for new figures comes at once when they are there, and then has the processors for himself.
    """
    time.sleep(seconds)
    yield
    time.sleep(seconds)


class AudienceError(ValueError):
    """A release stands, or should be served, where other people read than those it was made for."""


Query = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
"""SQL and its parameters → rows."""


FIGURES = "(from indicator_value union all by name select null::double as value_from, null::double as value_to where false)"
"""SQL of all figures of a release's mart; one of an earlier version has no ranges."""


@dataclass(frozen=True)
class Release:
    """One release on disk and its manifest."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def audience(self) -> Audience:
        """Whom it was made for."""
        return "internal" if self.manifest.get("audience") == "internal" else "public"

    @property
    def is_purged(self) -> bool:
        """Were its figures destroyed? Its manifest stays: what it was, and that it must not go out again."""
        return "purged" in self.manifest

    def parquet(self, table: str) -> Path:
        return self.folder / "parquet" / f"{table}.parquet"

    def query(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Rows of a query on the release's mart."""
        with self.reading() as query:
            return query(sql, parameters)

    @contextmanager
    def reading(self) -> Iterator[Query]:
        """For many queries on the release's mart: a function from SQL and its parameters to rows."""
        import duckdb

        with duckdb.connect(str(self.folder / "mart.duckdb"), read_only=True) as connection:
            yield lambda sql, parameters: connection.execute(sql, dict(parameters)).fetchall()

    def damage(self) -> list[str]:
        """Files that are missing or not what the manifest says; empty for a whole release. A purged one is none."""
        if self.is_purged:
            return ["its figures were destroyed"]
        wrong = []
        for name, facts in self.manifest["files"].items():
            path = self.folder / name
            if not path.is_file():
                wrong.append(f"{name}: missing")
            elif file_hash(path) != facts["sha256"]:
                wrong.append(f"{name}: content differs from the manifest")
        return wrong


@dataclass(frozen=True)
class Span:
    """How long readers had a release, in moments with a time zone; `until` is None for the one they have now."""

    release_id: str
    since: dt.datetime
    until: dt.datetime | None
    is_withdrawn: bool
    """Was it taken back, and not served again since?"""


class ReleaseStore:
    """A folder of releases for one audience. Releases for others are not seen in it, and never served from it."""

    def __init__(self, folder: Path, audience: Audience = "public") -> None:
        self.folder, self.audience = folder, audience

    @classmethod
    def of(cls, home: Home, audience: Audience = "public") -> ReleaseStore:
        """The store of a home for an audience."""
        return cls(home.releases_for(audience), audience)

    def current(self) -> Release | None:
        """The release that is served; None before the first one, and where its manifest can't be read."""
        link = self.folder / "current"
        try:
            return self.read(os.readlink(link)) if link.is_symlink() else None
        except (OSError, ValueError):
            return None

    def read(self, release_id: str) -> Release:
        """A release by its id. Raises FileNotFoundError if there is none, AudienceError if it is for others."""
        folder = self.folder / release_id
        return self._ours(Release(folder, json.loads((folder / MANIFEST).read_text(encoding="utf-8"))))

    def all(self) -> Iterator[Release]:
        """Every release with a manifest that can be read, the oldest first."""
        for folder in sorted(
            p for p in self.folder.iterdir() if p.is_dir() and not p.is_symlink() and p.name[0] != "."
        ):
            try:
                yield self.read(folder.name)
            except (OSError, ValueError):
                continue

    def newest(self, where: Callable[[Release], bool]) -> Release | None:
        """The newest release that answers a question with yes; the served one is asked first."""
        served = self.current()
        if served is not None and where(served):
            return served
        found = list(self.all())
        found.sort(key=lambda release: release.manifest["created_at"], reverse=True)
        return next((release for release in found if where(release)), None)

    def add(self, release_id: str, write: Callable[[Path], None], manifest: dict[str, Any]) -> Release:
        """Write a release whole and give it its name. It is not served yet.

        `write` fills the folder; file hashes are added to the manifest, which is written last.
        """
        self.clean()
        name = self._free_name(release_id)
        staging = self.folder / f"{STAGING}{name}"
        staging.mkdir()
        write(staging)
        files = {
            path.relative_to(staging).as_posix(): {
                "sha256": file_hash(path),
                "bytes": path.stat().st_size,
            }
            for path in sorted(staging.rglob("*"))
            if path.is_file()
        }
        facts = {"release_id": name, "audience": self.audience, **manifest, "files": files}
        self._ours(Release(staging, facts))
        write_json(staging / MANIFEST, facts)
        for path in staging.rglob("*"):
            if path.is_file():
                path.chmod(0o444)
        replace_folder(staging, self.folder / name)
        return self.read(name)

    def serve(
        self, release: Release, at: dt.datetime, *, withdraw: Sequence[str] = (), reason: str = ""
    ) -> None:
        """Switch `current` to a release: one rename, so a reader sees the old one or the new one.

        `withdraw`: the releases that are taken back by it, and why; their tables are not published again as they are there.
        Raises AudienceError if it is for others than the readers of this store.
        """
        self._ours(release)
        line: dict[str, Any] = {"release": release.id, "at": at.isoformat()}
        if withdraw:
            line |= {"withdrawn": list(withdraw), "reason": reason}
        # Written before the switch: a crash in between leaves a line too many, never a withdrawal that is forgotten.
        self._append(HISTORY, line)
        link = self.folder / ".current.part"
        remove(link)
        os.symlink(release.id, link)
        os.replace(link, self.folder / "current")
        sync_folder(self.folder)

    def purge(self, release: Release, at: dt.datetime, reason: str) -> list[str]:
        """Destroy the figures of a release that is not served; the names of the files that went.

        The log and the manifest keep what it was (hashes, sizes), when and why it went. A purge that was killed is
        completed by `clean`. Raises ValueError for the served release.
        """
        self._ours(release)
        served = self.current()
        if release.folder.is_symlink() or (served is not None and served.id == release.id):
            raise ValueError(f"{release.id} is served")
        if release.is_purged:
            return self._destroy(release, release.manifest["purged"])
        why = {"at": at.isoformat(), "reason": reason}
        self._append(PURGES, {"release": release.id, **why, "files": release.manifest["files"]})
        return self._destroy(release, why)

    def followers(self, release_id: str) -> list[Release]:
        """The releases whose changes and verdicts were made against this one, and so quote its figures."""
        return [r for r in self.all() if r.manifest.get("follows") == release_id and not r.is_purged]

    def _destroy(self, release: Release, line: dict[str, Any]) -> list[str]:
        """First the manifest says so, then the files go: what is half destroyed is no release."""
        facts = {**release.manifest, "purged": {"at": line["at"], "reason": line["reason"]}}
        write_json(release.folder / MANIFEST, facts)
        gone = sorted(
            p.relative_to(release.folder).as_posix()
            for p in release.folder.rglob("*")
            if p.is_file() and p.name != MANIFEST
        )
        for path in list(release.folder.iterdir()):
            if path.name != MANIFEST:
                remove(path)
        sync_folder(release.folder)
        return gone

    def _append(self, name: str, line: dict[str, Any]) -> None:
        """A line of a log, on the disk before anything follows from it."""
        with open(self.folder / name, "ab+") as log:
            end = log.seek(0, os.SEEK_END)
            if end and log.seek(end - 1) is not None and log.read(1) != b"\n":
                log.write(b"\n")  # after half a line of a process that died
            log.write((json.dumps(line, ensure_ascii=False) + "\n").encode())
            log.flush()
            os.fsync(log.fileno())

    def history(self) -> list[dict[str, Any]]:
        """Every switch, the oldest first: `release`, `at`, and where some were taken back `withdrawn` and `reason`."""
        return self._lines(HISTORY)

    def purges(self) -> list[dict[str, Any]]:
        """Every purge, the oldest first: `release`, `at`, `reason`, and the `files` there were, with hash and size."""
        return self._lines(PURGES)

    def _lines(self, name: str) -> list[dict[str, Any]]:
        path = self.folder / name
        found = []
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []:
            try:
                found.append(json.loads(line))
            except ValueError:
                continue  # half a line: what it announces did not happen
        return found

    def served_since(self, release_id: str) -> list[str]:
        """The releases that were served after the last time that this one was; all of them if it never was."""
        ids = [line["release"] for line in self.history()]
        last = max((n for n, name in enumerate(ids) if name == release_id), default=-1)
        return list(dict.fromkeys(name for name in ids[last + 1 :] if name != release_id))

    def withdrawn(self) -> dict[str, str]:
        """Releases that were taken back and not served again since, or destroyed, and why."""
        found: dict[str, str] = {}
        for line in self.history():
            found.pop(line["release"], None)
            found |= dict.fromkeys(line.get("withdrawn", ()), line.get("reason", ""))
        return found | {line["release"]: line["reason"] for line in self.purges()}

    def spans(self) -> list[Span]:
        """When readers had which release, the oldest span first. A release that was served again has several."""
        switches = [(line["release"], dt.datetime.fromisoformat(line["at"])) for line in self.history()]
        ends = [*(at for _, at in switches[1:]), None]
        withdrawn = self.withdrawn()
        return [
            Span(name, at, end, name in withdrawn) for (name, at), end in zip(switches, ends, strict=True)
        ]

    def served_on(self, day: dt.date) -> str | None:
        """The id of the release that readers had at the end of a day (UTC); None if there was none yet."""
        ids = [span.release_id for span in self.spans() if span.since.date() <= day]
        return ids[-1] if ids else None

    def prune(self, nights: int) -> list[str]:
        """Remove what is older than the newest `nights` releases, but for the served one, the last of every month, and what
        was withdrawn: by that the next nights know what must not go out again."""
        found = sorted(self.all(), key=lambda release: (release.manifest["created_at"], release.id))
        last_of_month = {release.manifest["created_at"][:7]: release.id for release in found}
        kept = {*last_of_month.values(), *(r.id for r in found[-nights:]), *self.withdrawn()}
        if (served := self.current()) is not None:
            kept.add(served.id)
        gone = [release for release in found if release.id not in kept]
        for release in gone:
            # Under another name first: what is half removed is no release.
            hidden = self.folder / f".removed-{release.id}"
            os.replace(release.folder, hidden)
            remove(hidden)
        return [release.id for release in gone]

    def clean(self) -> list[str]:
        """Remove what a killed process left behind; the names of it."""
        for line in self.purges():
            if (self.folder / line["release"]).exists():
                self._destroy(self.read(line["release"]), line)
        found = [p for kind in (f"{STAGING}*", ".removed-*", ".current.part") for p in self.folder.glob(kind)]
        for leftover in found:
            remove(leftover)
        return [path.name for path in found]

    def _ours(self, release: Release) -> Release:
        if release.audience != self.audience:
            raise AudienceError(
                f"{release.id}: found a release for '{release.audience}' readers, expected one for '{self.audience}'"
            )
        return release

    def _free_name(self, wanted: str) -> str:
        name, number = wanted, 1
        while (self.folder / name).exists():
            number += 1
            name = f"{wanted}-{number}"
        return name
