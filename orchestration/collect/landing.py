"""Landing: every accepted delivery as an immutable snapshot, every refusal with its reason.

    landing/<source>/<table>/<taken_at>_<sha8>/
        <file as delivered>          the untouched bytes
        origin.json                  what the file says about itself and when it came
        rows-<reading8>.parquet      long rows, as read under one version of reader and contract
        rows-<reading8>.json         what reading it found: codebook, periods, notes

A snapshot is written beside its place and renamed into it, so a crash leaves none or a whole
one. When the reader or a table's contract changes, a further reading is added; nothing is
replaced.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import FormatError, OfficialRows, read_official
from orchestration.collect.genesis.read import code_in_name
from orchestration.resources.clock import stamp
from orchestration.resources.files import remove, replace_folder, write_bytes, write_json
from orchestration.resources.home import Home
from orchestration.settings import OfficialFiles

READER_VERSION = 2
"""Raised whenever the same bytes would be read to different rows."""

LICENCE = "Datenlizenz Deutschland – Namensnennung – Version 2.0 (dl-de/by-2-0)"


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One accepted delivery. `taken_at` and `stand` in UTC and office time, ISO 8601."""

    folder: Path
    table_code: str
    file: str
    sha256: str
    taken_at: str
    stand: str | None
    licence: str
    synthetic: bool

    @property
    def id(self) -> str:
        return f"{self.table_code}/{self.folder.name}"

    @property
    def age_key(self) -> tuple[str, str, str]:
        """Orders snapshots from the oldest state of the data to the newest.

        Of two with the same state, the one taken later wins.
        """
        return (self.stand or self.taken_at, self.taken_at, self.sha256)


@dataclasses.dataclass(frozen=True)
class Reading:
    """A snapshot's rows as read under the present reader and contract."""

    snapshot: Snapshot
    parquet: Path
    dimensions: list[str]
    periods: list[str]
    codebook: dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Reception:
    """What became of one file of a delivery."""

    file: str
    status: Literal["accepted", "known", "refused"]
    table_code: str | None
    reason: str | None = None
    snapshot: str | None = None
    format: str | None = None


def landing_of(home: Home, source: OfficialFiles, catalogue: Catalogue) -> Landing:
    """The landing of the configured source; invented and real deliveries never share one."""
    return Landing(home.landing / source.landing_name, catalogue)


class Landing:
    """The landing folder of one source."""

    def __init__(self, folder: Path, catalogue: Catalogue) -> None:
        self.folder = folder
        self.catalogue = catalogue
        self.folder.mkdir(parents=True, exist_ok=True)

    # --- what is there ---------------------------------------------------------------------

    def snapshots(self, table_code: str | None = None) -> list[Snapshot]:
        """All accepted snapshots, oldest state of the data first."""
        pattern = f"{table_code or '*'}/*/origin.json"
        found = [_snapshot(path) for path in self.folder.glob(pattern) if path.parent.name[0] != "."]
        return sorted(found, key=lambda s: (s.table_code, *s.age_key))

    def receptions(self) -> list[Reception]:
        """What became of the files of the last delivery."""
        path = self.folder / "reception.json"
        if not path.exists():
            return []
        entries = json.loads(path.read_text(encoding="utf-8"))
        return [Reception(**entry) for entry in entries]

    def reading(self, snapshot: Snapshot) -> Reading:
        """The snapshot's rows under today's contract; read again if the contract has changed.

        Raises FormatError if the file no longer meets its contract.
        """
        name = f"rows-{self._fingerprint(snapshot.table_code)}"
        parquet, about = snapshot.folder / f"{name}.parquet", snapshot.folder / f"{name}.json"
        if not about.exists():
            data = (snapshot.folder / snapshot.file).read_bytes()
            rows = read_official(snapshot.file, data, self.catalogue)
            _write_reading(snapshot.folder, name, rows)
        facts = json.loads(about.read_text(encoding="utf-8"))
        return Reading(snapshot, parquet, facts["dimensions"], facts["periods"], facts["codebook"])

    # --- what comes in ---------------------------------------------------------------------

    def receive(self, files: Iterable[Path], taken_at: dt.datetime, *, synthetic: bool) -> list[Reception]:
        """Land a delivery: every file becomes a snapshot, is known already, or is refused.

        One bad file refuses itself only; its table goes on with its last accepted snapshot.
        """
        for leftover in self.folder.glob("*/.*.part"):
            remove(leftover)
        known = {(s.table_code, s.sha256): s for s in self.snapshots()}
        by_hash = {sha: s for (_, sha), s in known.items()}
        results: list[Reception] = []
        fresh: list[tuple[Path, bytes, str, OfficialRows]] = []
        for path in sorted(files):
            try:
                data = path.read_bytes()
            except OSError as error:
                unread = FormatError(path.name, error.strerror or "no answer", "a readable file")
                code = code_in_name(path.name)
                results.append(Reception(path.name, "refused", code, reason=unread.message))
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            if sha256 in by_hash:
                seen = by_hash[sha256]
                results.append(Reception(path.name, "known", seen.table_code, snapshot=seen.id))
                continue
            try:
                rows = read_official(path.name, data, self.catalogue)
            except FormatError as error:
                code = code_in_name(path.name)
                results.append(Reception(path.name, "refused", code, reason=error.message))
                continue
            fresh.append((path, data, sha256, rows))
        fresh.sort(key=lambda f: (f[3].table_code, str(f[3].stand or ""), f[0].name))
        for path, data, sha256, rows in fresh:
            if reason := self._goes_backwards(path.name, rows):
                results.append(Reception(path.name, "refused", rows.table_code, reason=reason))
                continue
            if sha256 in by_hash:
                seen = by_hash[sha256]
                results.append(Reception(path.name, "known", seen.table_code, snapshot=seen.id))
                continue
            snapshot = self._land(path.name, data, sha256, rows, taken_at, synthetic)
            by_hash[sha256] = snapshot
            results.append(
                Reception(path.name, "accepted", rows.table_code, snapshot=snapshot.id, format=rows.format)
            )
        results.sort(key=lambda r: r.file)
        write_json(self.folder / "reception.json", [dataclasses.asdict(r) for r in results])
        return results

    def _goes_backwards(self, file: str, rows: OfficialRows) -> str | None:
        """Why a series that ends earlier than an older state of the same data is refused.

        Single periods may come late (an archived year); a series that overlaps what is there,
        is newer, and yet ends earlier has lost its end on the way.
        """
        periods = rows.periods
        if len(periods) < 2 or rows.stand is None:
            return None
        for old in self.snapshots(rows.table_code):
            if old.stand is None or old.stand > rows.stand.isoformat():
                continue
            try:
                before = self.reading(old).periods
            except FormatError:  # an older contract's file can't speak; arrival reports it
                continue
            if periods[-1] < before[-1] and set(periods) & set(before):
                return FormatError(
                    file,
                    f"the last period {periods[-1]} as of {rows.stand:%d.%m.%Y}",
                    f"at least {before[-1]}, which {old.file} held as of {old.stand[:10]} already",
                ).message
        return None

    def _land(
        self,
        name: str,
        data: bytes,
        sha256: str,
        rows: OfficialRows,
        taken_at: dt.datetime,
        synthetic: bool,
    ) -> Snapshot:
        folder = self.folder / rows.table_code / f"{stamp(taken_at)}_{sha256[:8]}"
        part = folder.with_name(f".{folder.name}.part")
        part.mkdir(parents=True)
        write_bytes(part / name, data)
        _write_reading(part, f"rows-{self._fingerprint(rows.table_code)}", rows)
        origin = {
            "table_code": rows.table_code,
            "file": name,
            "sha256": sha256,
            "bytes": len(data),
            "taken_at": taken_at.isoformat(),
            "stand": rows.stand.isoformat() if rows.stand else None,
            "format": rows.format,
            "encoding": rows.encoding,
            "licence": rows.licence or LICENCE,
            "footnotes": rows.footnotes,
            "synthetic": synthetic,
        }
        write_json(part / "origin.json", origin)
        replace_folder(part, folder)
        return _snapshot(folder / "origin.json")

    def _fingerprint(self, table_code: str) -> str:
        """What a reading depends on besides the bytes: the reader and the table's contract."""
        digest = hashlib.sha256(str(READER_VERSION).encode())
        contract = self.catalogue.tables.get(table_code)
        if contract:
            digest.update(contract.model_dump_json().encode())
            for variable in contract.row_dimensions:
                digest.update(self.catalogue.classifications[variable].model_dump_json().encode())
        return digest.hexdigest()[:8]


def _snapshot(origin: Path) -> Snapshot:
    facts = json.loads(origin.read_text(encoding="utf-8"))
    fields = ("table_code", "file", "sha256", "taken_at", "stand", "licence", "synthetic")
    return Snapshot(folder=origin.parent, **{name: facts[name] for name in fields})


def _write_reading(folder: Path, name: str, rows: OfficialRows) -> None:
    """Rows first, facts last: a reading without facts does not exist."""
    part = folder / f".{name}.parquet.part"
    pq.write_table(rows.table, part, compression="zstd")
    os.replace(part, folder / f"{name}.parquet")
    facts = {
        "rows": len(rows),
        "dimensions": rows.dimensions,
        "periods": rows.periods,
        "codebook": rows.codebook,
        "notes": rows.notes,
    }
    write_json(folder / f"{name}.json", facts)


__all__ = ["Landing", "Reading", "Reception", "Snapshot", "landing_of"]
