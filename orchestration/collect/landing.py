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
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import FormatError, OfficialRows, read_official
from orchestration.collect.genesis.read import code_in_name
from orchestration.resources.clock import stamp
from orchestration.resources.files import remove, replace_folder, write_bytes, write_json
from orchestration.resources.home import Home
from orchestration.settings import OfficialStatistics

READER_VERSION = 4
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
    footnotes: str
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
    content_sha256: str
    data_until: str | None


@dataclasses.dataclass(frozen=True)
class Delivery:
    """One file on its way in: its name, how to get its bytes, and where it came from.

    `origin` goes into origin.json and holds no secret: kind of source, address, parameters, moment.
    """

    name: str
    read: Callable[[], bytes]
    origin: dict[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def of_file(cls, path: Path) -> Delivery:
        return cls(path.name, path.read_bytes, {"kind": "folder"})


@dataclasses.dataclass(frozen=True)
class Reception:
    """What became of one file of a delivery, or of one table that was asked for.

    accepted: a new snapshot. known: the same bytes or the same content as before. refused: not what
    the table's contract says. late: not delivered, the last state goes on. unchanged: the source
    says that nothing is new.
    """

    file: str
    status: Literal["accepted", "known", "refused", "late", "unchanged"]
    table_code: str | None
    reason: str | None = None
    snapshot: str | None = None
    format: str | None = None


@dataclasses.dataclass(frozen=True)
class _Read:
    """A file that was read and is neither known nor refused so far."""

    delivery: Delivery
    data: bytes
    sha256: str
    rows: OfficialRows


def landing_of(home: Home, source: OfficialStatistics, catalogue: Catalogue) -> Landing:
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
        names = ("dimensions", "periods", "codebook", "content_sha256", "data_until")
        return Reading(snapshot, parquet, **{name: facts[name] for name in names})

    def table(self, table_code: str, *, as_of: dt.date | None = None) -> pa.Table:
        """A table as it was known on a day: of every cell the newest state until then.

        Columns as in a reading, plus `stand` and `snapshot_id`. Raises LookupError if there is no
        state of the table from that day or before.
        """
        latest = f"{as_of + dt.timedelta(days=1):%Y-%m-%d}" if as_of else "9999"
        states = [s for s in self.snapshots(table_code) if s.age_key[0] < latest]
        if not states:
            when = f"before {as_of}" if as_of else "in the landing"
            raise LookupError(f"no state of {table_code} {when}")
        parts, dimensions = [], []
        for rank, snapshot in enumerate(states):
            reading = self.reading(snapshot)
            dimensions += [d for d in reading.dimensions if d not in dimensions]
            rows = pq.read_table(reading.parquet)
            texts = [
                column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
                for column in rows.columns
            ]
            made = pa.table(texts, names=rows.column_names)
            for name, value in (("stand", snapshot.stand), ("snapshot_id", snapshot.id), ("_rank", rank)):
                kind = pa.int32() if name == "_rank" else pa.string()
                made = made.append_column(name, pa.array([value] * len(made), kind))
            parts.append(made)
        together = pa.concat_tables(parts, promote_options="permissive")
        keys = ["area_code", "period_start", "period_end", *dimensions, "measure", "unit"]
        quoted = ", ".join(f'"{key}"' for key in keys)
        with duckdb.connect() as connection:
            connection.register("states", together)
            return connection.sql(
                f"""select * exclude (_rank) from states
                qualify row_number() over (partition by {quoted} order by _rank desc) = 1
                order by {quoted}"""
            ).to_arrow_table()

    # --- what comes in ---------------------------------------------------------------------

    def receive(
        self, deliveries: Iterable[Delivery], taken_at: dt.datetime, *, synthetic: bool
    ) -> list[Reception]:
        """Land a delivery: every file becomes a snapshot, is known already, or is refused.

        One bad file refuses itself only; its table goes on with its last accepted snapshot.
        """
        results: list[Reception] = []
        read: list[_Read] = []
        for delivery in sorted(deliveries, key=lambda d: d.name):
            found = self._read(delivery)
            (results if isinstance(found, Reception) else read).append(found)  # type: ignore[arg-type]
        # Older states first, so that a series that ends too early is seen against what was before it.
        read.sort(key=lambda r: (r.rows.table_code, str(r.rows.stand or ""), r.delivery.name))
        results += [self._accept(one, taken_at, synthetic) for one in read]
        self.record(results)
        return results

    def receive_one(self, delivery: Delivery, taken_at: dt.datetime, *, synthetic: bool) -> Reception:
        """Land one file at once; `record` keeps the night's receptions when all are done."""
        found = self._read(delivery)
        return found if isinstance(found, Reception) else self._accept(found, taken_at, synthetic)

    def record(self, receptions: Iterable[Reception]) -> None:
        """Keep what became of a night's deliveries, for `status` and the gate."""
        ordered = sorted(receptions, key=lambda r: (r.file, r.table_code or ""))
        write_json(self.folder / "reception.json", [dataclasses.asdict(r) for r in ordered])

    def clean(self) -> None:
        """Remove what a killed night left half written."""
        for leftover in self.folder.glob("*/.*.part"):
            remove(leftover)

    def _read(self, delivery: Delivery) -> _Read | Reception:
        """The rows of a file that is new, or why there are none."""
        try:
            data = delivery.read()
        except OSError as error:
            unread = FormatError(delivery.name, error.strerror or "no answer", "a readable file")
            return Reception(delivery.name, "refused", code_in_name(delivery.name), reason=unread.message)
        sha256 = hashlib.sha256(data).hexdigest()
        if seen := self._with_bytes(sha256):
            return Reception(delivery.name, "known", seen.table_code, snapshot=seen.id)
        try:
            rows = read_official(delivery.name, data, self.catalogue)
        except FormatError as error:
            return Reception(delivery.name, "refused", code_in_name(delivery.name), reason=error.message)
        if rows.stand is None and "retrieved_at" in delivery.origin:
            moment = dt.datetime.fromisoformat(delivery.origin["retrieved_at"])
            rows.stand = moment.astimezone(dt.UTC).replace(tzinfo=None, microsecond=0)
        return _Read(delivery, data, sha256, rows)

    def _accept(self, read: _Read, taken_at: dt.datetime, synthetic: bool) -> Reception:
        name, rows = read.delivery.name, read.rows
        if seen := self._with_bytes(read.sha256) or self._with_content(rows):
            return Reception(name, "known", seen.table_code, snapshot=seen.id, format=rows.format)
        if reason := self._goes_backwards(name, rows):
            return Reception(name, "refused", rows.table_code, reason=reason)
        snapshot = self._land(read, taken_at, synthetic)
        return Reception(name, "accepted", rows.table_code, snapshot=snapshot.id, format=rows.format)

    def _with_bytes(self, sha256: str) -> Snapshot | None:
        found = self.folder.glob(f"*/*_{sha256[:8]}/origin.json")
        return next((s for path in sorted(found) if (s := _snapshot(path)).sha256 == sha256), None)

    def _with_content(self, rows: OfficialRows) -> Snapshot | None:
        """The state before this one, if it says the same: only its bytes and labels differ.

        One before that does not count: a figure that goes back to what it was is news. So are
        footnotes that say something else.
        """
        stand = rows.stand.isoformat() if rows.stand else "9999"
        before = [s for s in self.snapshots(rows.table_code) if s.age_key[0] <= stand]
        try:
            newest = self.reading(before[-1]) if before else None
        except FormatError:  # of an older contract: nothing to compare with
            return None
        if newest is None or newest.content_sha256 != rows.content_sha256:
            return None
        same_notes = not rows.footnotes or rows.footnotes == newest.snapshot.footnotes
        return newest.snapshot if same_notes else None

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

    def _land(self, read: _Read, taken_at: dt.datetime, synthetic: bool) -> Snapshot:
        name, data, sha256, rows = read.delivery.name, read.data, read.sha256, read.rows
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
            "origin": read.delivery.origin,
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
    fields = ("table_code", "file", "sha256", "taken_at", "stand", "licence", "footnotes", "synthetic")
    return Snapshot(folder=origin.parent, **{name: facts[name] for name in fields})


def _write_reading(folder: Path, name: str, rows: OfficialRows) -> None:
    """Rows first, facts last: a reading without facts does not exist."""
    part = folder / f".{name}.{os.getpid()}.parquet.part"
    pq.write_table(rows.table, part, compression="zstd")
    os.replace(part, folder / f"{name}.parquet")
    facts = {
        "rows": len(rows),
        "dimensions": rows.dimensions,
        "periods": rows.periods,
        "codebook": rows.codebook,
        "data_until": rows.data_until,
        "content_sha256": rows.content_sha256,
        "notes": rows.notes,
    }
    write_json(folder / f"{name}.json", facts)


__all__ = ["Delivery", "Landing", "Reading", "Reception", "Snapshot", "landing_of"]
