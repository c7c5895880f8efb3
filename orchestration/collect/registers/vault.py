"""The vault: pseudonymised single records, for the statistics office only, with an end by date.

Belongs here: keeping deliveries, deleting them when their time has come, and proving that it was done.
Does not belong here: what may be counted from them (counts.py).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import duckdb

from expectations.catalogue.registers import Register
from orchestration.collect.registers.door import Admitted, Span
from orchestration.resources.files import remove

FOLDER_MODE, FILE_MODE = 0o700, 0o600

_TABLES = """
create table if not exists delivery (
    delivery_id varchar primary key, register varchar, reference date,
    period_start date, period_end date, period_label varchar, row_count bigint,
    mark blob, accepted_at timestamp, keep_until date, deleted_on date
)"""


@dataclass(frozen=True)
class Kept:
    """One accepted delivery; `deleted_on` is set once its records are gone."""

    id: str
    register: str
    reference: dt.date
    span: Span
    rows: int
    mark: bytes
    accepted_at: dt.datetime
    keep_until: dt.date
    deleted_on: dt.date | None


@dataclass(frozen=True)
class Gone:
    """What was deleted: `records` of a delivery (so many rows) or the sender's `original`, and why."""

    what: Literal["records", "original"]
    register: str
    name: str
    rows: int | None
    reason: str


@dataclass(frozen=True)
class Deletion:
    """One line of the deletion log; each carries the hash of the one before it."""

    at: str
    what: str
    register: str
    name: str
    rows: int | None
    reason: str
    previous: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


class Vault:
    """`vault.duckdb`, a file of records per delivery and the deletion log, in a folder nobody else may enter."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "vault.duckdb"
        self.files = folder / "records"
        self.log = folder / "deletions.jsonl"

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The database for reading and writing; made on first use, closed to everybody else."""
        self._prepare()
        with duckdb.connect(str(self.path), config={"temp_directory": "", "threads": 2}) as connection:
            self.path.chmod(FILE_MODE)
            connection.execute(_TABLES)
            yield connection

    @property
    def staging(self) -> Path:
        """Where the door writes before anything is accepted."""
        self._prepare()
        return self.folder / ".admitted.duckdb"

    def clean(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Remove what a killed night left behind: what was not accepted, or not entered any more."""
        entered = {self.path_of(kept) for kept in self.deliveries(connection)}
        for path in {*self.folder.glob(".*.duckdb*"), *self.files.glob("*")} - entered:
            remove(path)

    def path_of(self, kept: Kept) -> Path:
        """The file with the records of a delivery."""
        return self.files / f"{kept.id}.duckdb"

    def has(self, kept: Kept) -> bool:
        """Are the records of a delivery still there?"""
        return self.path_of(kept).exists()

    @contextmanager
    def records(self, connection: duckdb.DuckDBPyConnection, kept: Kept) -> Iterator[str]:
        """The records of one delivery: their table's name in SQL, for as long as the block runs."""
        connection.execute(f"attach '{quoted(self.path_of(kept))}' as delivered (read_only)")
        try:
            yield "delivered.admitted"
        finally:
            connection.execute("detach delivered")

    def deliveries(self, connection: duckdb.DuckDBPyConnection, register: str | None = None) -> list[Kept]:
        """Accepted deliveries, oldest first."""
        rows = connection.execute(
            """select delivery_id, register, reference, period_start, period_end, period_label, row_count,
                      mark, accepted_at, keep_until, deleted_on
               from delivery where $register is null or register = $register
               order by accepted_at, delivery_id""",
            {"register": register},
        ).fetchall()
        return [Kept(r[0], r[1], r[2], Span(r[3], r[4], r[5]), *r[6:]) for r in rows]

    def keep(
        self,
        connection: duckdb.DuckDBPyConnection,
        register: Register,
        admitted: Admitted,
        mark: bytes,
        delivery_id: str,
        moment: dt.datetime,
    ) -> Kept:
        """Take the admitted rows in, all or none: their file gets its place, then its entry."""
        kept = Kept(
            delivery_id, register.id, admitted.reference, admitted.span, admitted.rows, mark,
            moment.replace(tzinfo=None), moment.date() + dt.timedelta(days=register.retention_days), None,
        )  # fmt: skip
        os.replace(admitted.path, self.path_of(kept))
        connection.execute(
            "insert into delivery values ($id, $register, $reference, $start, $end, $label, $rows, $mark, "
            "$accepted, $until, null)",
            {
                "id": kept.id, "register": kept.register, "reference": kept.reference,
                "start": kept.span.start, "end": kept.span.end, "label": kept.span.label,
                "rows": kept.rows, "mark": kept.mark, "accepted": kept.accepted_at,
                "until": kept.keep_until,
            },
        )  # fmt: skip
        return kept

    def purge(self, moment: dt.datetime) -> list[Deletion]:
        """Delete the records whose time is over, and log it; the deliveries' own lines stay.

        The file goes first and the line is changed last, so that whatever happens in between is done
        again, and never believed to be done.
        """
        if not self.path.exists():
            return []
        with self.opened() as connection:
            due = [
                k for k in self.deliveries(connection)
                if k.deleted_on is None and k.keep_until < moment.date()
            ]  # fmt: skip
            for kept in due:
                remove(self.path_of(kept))
            gone = [Gone("records", k.register, k.id, k.rows, f"kept until {k.keep_until}") for k in due]
            deletions = self.write_down(moment, gone)
            for kept in due:
                connection.execute(
                    "update delivery set deleted_on = $day where delivery_id = $id",
                    {"day": moment.date(), "id": kept.id},
                )
        return deletions

    # --- the deletion log -------------------------------------------------------------------------

    def write_down(self, moment: dt.datetime, gone: list[Gone]) -> list[Deletion]:
        """Append deletions to the log. Raises ValueError if the log was changed."""
        if not gone:
            return []
        self._prepare()
        before = self.deletions()
        previous = before[-1].digest if before else ""
        entries = []
        for one in gone:
            entries.append(Deletion(moment.isoformat(), **asdict(one), previous=previous))
            previous = entries[-1].digest
        with open(self.log, "a", encoding="utf-8") as handle:
            handle.writelines(json.dumps(asdict(e), ensure_ascii=False) + "\n" for e in entries)
            handle.flush()
            os.fsync(handle.fileno())
        self.log.chmod(FILE_MODE)
        return entries

    def deletions(self) -> list[Deletion]:
        """The whole log. Raises ValueError naming the line from which it was changed."""
        if not self.log.exists():
            return []
        found: list[Deletion] = []
        for number, line in enumerate(self.log.read_text(encoding="utf-8").splitlines(), start=1):
            entry = Deletion(**json.loads(line))
            if entry.previous != (found[-1].digest if found else ""):
                raise ValueError(f"{self.log}, line {number}: does not follow from the line before it")
            found.append(entry)
        return found

    def _prepare(self) -> None:
        self.files.mkdir(parents=True, exist_ok=True)
        for folder in (self.files, self.folder, self.folder.parent):
            folder.chmod(FOLDER_MODE)


def quoted(path: Path) -> str:
    """A path inside single quotes in SQL."""
    return str(path).replace("'", "''")
