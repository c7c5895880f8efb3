"""A night of the registers: what has arrived goes through the door, what has expired is deleted, and
what the catalogue declares is counted.

Belongs here: the order of things and what becomes of each delivery. Does not belong here: any rule
about a column or a cell.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import duckdb

from expectations.catalogue import Catalogue
from expectations.catalogue.registers import Register
from orchestration.collect.registers import databases, report
from orchestration.collect.registers.areas import Areas, add_bridge, add_schools, areas_of
from orchestration.collect.registers.counts import Counted, CountTask, count_deliveries
from orchestration.collect.registers.door import Admitted, Arrival, Span, admit, span_of
from orchestration.collect.registers.drops import Drop
from orchestration.collect.registers.keys import SAMPLE_KEY, delivery_key, mark, register_key
from orchestration.collect.registers.landing import Snapshot, register_landing
from orchestration.collect.registers.problems import DatabaseError, Problem, RefusedError
from orchestration.collect.registers.reception import Received, Reception, ReceptionTask, receive
from orchestration.collect.registers.vault import Gone, Kept, Vault
from orchestration.resources.clock import stamp
from orchestration.resources.files import remove, write_json
from orchestration.resources.home import Home
from orchestration.resources.workers import ALONE, WorkerError, Workers
from orchestration.settings import ConfigurationError, Settings

LOG = logging.getLogger("bildungsmonitor")


@dataclass(frozen=True)
class Arrived:
    """What became of one delivery, or of one that should have come. Holds no file's name."""

    register: str
    status: str
    """accepted, known, refused or late."""
    delivery: str | None = None
    period: str | None = None
    rows: int | None = None
    reasons: list[str] = field(default_factory=list)
    unmatched: dict[str, int] = field(default_factory=dict)


def vault_of(home: Home, settings: Settings) -> Vault:
    """The vault of this configuration's registers."""
    return Vault(home.vault / settings.registers.landing_name)


def prepare_registers(task: tuple[Settings, Home, Catalogue]) -> None:
    """Write the invented registers, if the city has no others and they are not there yet; a task for a worker."""
    settings, home, catalogue = task
    if settings.registers.source == "sample":
        _places(settings, home, catalogue)


def collect_registers(
    settings: Settings, home: Home, catalogue: Catalogue, moment: dt.datetime, workers: Workers = ALONE
) -> list[Arrived]:
    """Take in what has arrived, delete what has expired, count what may be known.

    One bad delivery or silent database harms its own register only. Raises ConfigurationError if
    there is no key, and WorkerError if a worker process died.
    """
    if settings.registers.source == "none":
        return []
    check_registers(settings, home, catalogue)
    night = _RegisterNight(settings, home, catalogue, moment, workers)
    found = night.run()
    write_json(night.landing.folder / "arrived.json", [asdict(a) for a in found])
    for arrived in found:
        told = ", ".join(arrived.reasons) or arrived.period or ""
        level = logging.WARNING if arrived.status in ("refused", "late") else logging.INFO
        LOG.log(level, "collect | register %s %s: %s", arrived.register, arrived.status, told)
    return found


def check_registers(settings: Settings, home: Home, catalogue: Catalogue) -> None:
    """Is everything there that a night of the registers needs? Said before one begins.

    Raises ConfigurationError for a missing key, a drop folder inside the home, or an unknown register.
    """
    source = settings.registers
    names = {*(source.only or []), *(name for d in source.databases for name in d.registers)}
    if unknown := sorted(names - set(catalogue.registers)):
        raise ConfigurationError(f"registers: no register {', '.join(unknown)} is declared")
    if source.drops is not None and source.drops.resolve().is_relative_to(home.path):
        raise ConfigurationError(
            f"registers.drops: {source.drops} lies inside the home; offices must reach it"
        )
    if source.source == "city":
        register_key(source.key_file, home.path)


def purge(settings: Settings, home: Home, catalogue: Catalogue, moment: dt.datetime) -> int:
    """Delete what has expired: records in the vault, originals beside the drop folders. How many."""
    if settings.registers.source == "none":
        return 0
    return _RegisterNight(settings, home, catalogue, moment, ALONE).purge()


def _places(settings: Settings, home: Home, catalogue: Catalogue) -> tuple[Path | None, dict[str, str]]:
    """The drop folders, and the database of every register that is read from one."""
    source = settings.registers
    if source.source == "sample":
        from orchestration.collect.sample.registers import write_sample_registers

        return write_sample_registers(home.sample / "registers", settings, catalogue)
    drops = source.drops.resolve() if source.drops else None
    urls = {name: d.url.get_secret_value() for d in source.databases for name in d.registers}
    return drops, urls


class _RegisterNight:
    def __init__(
        self, settings: Settings, home: Home, catalogue: Catalogue, moment: dt.datetime, workers: Workers
    ) -> None:
        self.workers = workers
        self.settings = settings
        self.home = home
        self.catalogue = catalogue
        self.moment = moment
        self.source = settings.registers
        self.vault = vault_of(home, settings)
        self.landing = register_landing(home, settings)
        self.drops, self.databases = _places(settings, home, catalogue)
        names = self.source.only if self.source.only is not None else sorted(catalogue.registers)
        city = settings.municipality.code
        self.registers = [catalogue.registers[name].for_city(city) for name in names]
        self._taken: list[tuple[Register, Drop, Path, Kept]] = []
        self._gone: list[Gone] = []

    def run(self) -> list[Arrived]:
        self.landing.folder.mkdir(parents=True, exist_ok=True)
        master = SAMPLE_KEY
        if self.source.source != "sample":
            master = register_key(self.source.key_file, self.home.path)
        found: list[Arrived] = []
        with self.vault.opened() as connection:
            self.vault.clean(connection)
            # Lists of areas first: the others are placed by them.
            ordered = sorted(self.registers, key=lambda r: (r.lists is None, r.id))
            receptions = self._receptions(connection, ordered, master)
            for register in ordered:
                try:
                    found.extend(self._receive(connection, register, master, receptions))
                except WorkerError:
                    raise
                except Exception as error:
                    # A fault of ours harms this register only. Its own words may quote a cell.
                    reason = _fault(type(error).__name__)
                    found.append(Arrived(register.id, "late", reasons=[reason]))
            self.vault.clean(connection)  # what was admitted and could not be filed
            found += self._overdue(connection, {a.register for a in found if a.status == "accepted"})
            self._count(connection, found)
        self._acknowledge(found)
        self.purge()
        return found

    # --- arrivals ---------------------------------------------------------------------------------

    def _receptions(
        self, connection: duckdb.DuckDBPyConnection, registers: list[Register], master: bytes
    ) -> dict[str, Future[Reception]]:
        """Start to read and admit the files of every register, those of the largest first."""
        found: dict[str, Future[Reception]] = {}
        tasks = []
        for register in registers if self.drops is not None else ():
            if register.id in self.databases:
                continue
            try:
                paths = self._arrivals(register)
                size = sum(path.stat().st_size for path in paths)
                before = self.vault.deliveries(connection, register.id)
            except Exception as error:
                # A folder that can't be read harms its own register only.
                found[register.id] = Future()
                found[register.id].set_result(Reception([], type(error).__name__))
                continue
            if paths:
                task = ReceptionTask(register, paths, before, self.vault.folder, self.moment.date(), master)
                tasks.append((size, task))
        tasks.sort(key=lambda sized: -sized[0])
        return found | {task.register.id: self.workers.submit(receive, task) for _, task in tasks}

    def _arrivals(self, register: Register) -> list[Path]:
        """The files that have arrived for a register. Raises OSError."""
        drop = self._drop(register)
        if self.source.source != "sample":
            drop.prepare()
        return drop.arrivals(self.source.settle_seconds)

    def _receive(
        self,
        connection: duckdb.DuckDBPyConnection,
        register: Register,
        master: bytes,
        receptions: dict[str, Future[Reception]],
    ) -> Iterator[Arrived]:
        if (url := self.databases.get(register.id)) is not None:
            yield from self._from_database(connection, register, url, master)
        elif register.id in receptions:
            (reception,) = self.workers.results([receptions[register.id]])
            for received in reception.received:
                yield self._from_file(connection, register, received)
            if reception.fault is not None:
                yield Arrived(register.id, "late", reasons=[_fault(reception.fault)])

    def _from_file(
        self, connection: duckdb.DuckDBPyConnection, register: Register, received: Received
    ) -> Arrived:
        drop, path = self._drop(register), received.path
        if received.problems:
            drop.reject(path, report.rejected(register, path.name, received.problems, self.moment))
            return Arrived(register.id, "refused", reasons=_kinds(received.problems))
        before = self.vault.deliveries(connection, register.id)
        if received.admitted is None:
            same = next(kept for kept in before if kept.mark == received.fingerprint)
            drop.accept(path, report.known(register, path.name, same, self.moment), keep_original=False)
            self._gone.append(Gone("original", register.id, same.id, None, "known"))
            return Arrived(register.id, "known", same.id, same.span.label, same.rows)
        kept = self._keep(connection, register, received.admitted, received.fingerprint, before)
        self._taken.append((register, drop, path, kept))
        return Arrived(register.id, "accepted", kept.id, kept.span.label, kept.rows)

    def _drop(self, register: Register) -> Drop:
        assert self.drops is not None, "asked of registers that arrive as files"
        return Drop(self.drops / register.id)

    def _from_database(
        self, connection: duckdb.DuckDBPyConnection, register: Register, url: str, master: bytes
    ) -> Iterator[Arrived]:
        """The newest reference day every night, an older one until it has been taken in."""
        try:
            days = databases.references(url, register)
        except DatabaseError as error:
            yield Arrived(register.id, "late", reasons=[str(error)])
            return
        taken = {k.span.end for k in self.vault.deliveries(connection, register.id)}
        for day in [d for d in days if span_of(register, d).end not in taken or d == days[-1]]:
            before = self.vault.deliveries(connection, register.id)
            scope = None if register.linked else day.isoformat()
            try:
                arrival = databases.read_database(url, register, day)
                admitted = self._admit(register, arrival, master, scope, before)
            except RefusedError as error:
                reasons = _kinds(error.problems)
                yield Arrived(register.id, "refused", period=day.isoformat(), reasons=reasons)
                continue
            except DatabaseError as error:
                yield Arrived(register.id, "late", period=day.isoformat(), reasons=[str(error)])
                continue
            fingerprint = mark(master, _content(admitted))
            if (same := _same(before, fingerprint)) is not None:
                remove(admitted.path)
                yield Arrived(register.id, "known", same.id, same.span.label, same.rows)
                continue
            kept = self._keep(connection, register, admitted, fingerprint, before)
            yield Arrived(register.id, "accepted", kept.id, kept.span.label, kept.rows)

    def _admit(
        self, register: Register, arrival: Arrival, master: bytes, scope: str | None, before: list[Kept]
    ) -> Admitted:
        key = delivery_key(master, register.id, scope)
        last = before[-1].rows if before else None
        return admit(register, arrival, key, self.vault.staging, self.moment.date(), last)

    def _keep(
        self,
        connection: duckdb.DuckDBPyConnection,
        register: Register,
        admitted: Admitted,
        fingerprint: bytes,
        before: list[Kept],
    ) -> Kept:
        number = sum(k.reference == admitted.reference for k in before)
        name = f"{register.id}__{admitted.reference:%Y%m%d}__{number + 1}"
        return self.vault.keep(connection, register, admitted, fingerprint, name, self.moment)

    def _overdue(self, connection: duckdb.DuckDBPyConnection, arrived: set[str]) -> list[Arrived]:
        """Registers whose next period should have come by now."""
        found = []
        for register in self.registers:
            before = self.vault.deliveries(connection, register.id)
            if register.id in arrived or not before:
                continue
            last = max(k.span.end for k in before)
            if self.moment.date() >= register.late_from(last):
                reason = f"nothing since {last}, late since {register.late_from(last)}"
                found.append(Arrived(register.id, "late", reasons=[reason]))
        return found

    def _acknowledge(self, found: list[Arrived]) -> None:
        """Only what is counted is acknowledged: a killed night's files lie in the drop folder still."""
        unmatched = {a.delivery: a.unmatched for a in found}
        for register, drop, path, kept in self._taken:
            text = report.accepted(register, path.name, kept, unmatched.get(kept.id, {}), self.moment)
            drop.accept(path, text, keep_original=register.original_days > 0)
            if register.original_days == 0:
                self._gone.append(Gone("original", register.id, kept.id, None, "accepted"))
        self.vault.write_down(self.moment, self._gone)

    # --- counts -----------------------------------------------------------------------------------

    def _count(self, connection: duckdb.DuckDBPyConnection, found: list[Arrived]) -> None:
        """Count every delivery whose counts are missing or were taken under other declarations."""
        areas = self._areas(connection)
        self.landing.write_areas(areas)
        placed = hashlib.sha256(repr((areas.places, areas.areas)).encode()).hexdigest()
        have = {s.delivery: s.fingerprint for s in self.landing.snapshots()}
        due: list[tuple[Kept, str]] = []
        deliveries: list[tuple[Path, Register, Span]] = []
        for kept in self._in_use(connection):
            register = self.catalogue.registers.get(kept.register)
            if register is None:
                continue
            fingerprint = self._fingerprint(register, placed)
            if have.get(kept.id) == fingerprint:
                continue
            if not self.vault.has(kept):
                LOG.warning("collect | %s can't be counted anew: its records are deleted", kept.id)
                continue
            if self.catalogue.measures_from(register.id):
                due.append((kept, fingerprint))
                deliveries.append((self.vault.path_of(kept), register, kept.span))
        # Every worker takes a share of the deliveries: those of one register lie together and weigh alike.
        parts = range(min(self.workers.count, len(deliveries)))
        tasks = [CountTask(deliveries[n :: len(parts)], self.catalogue, areas) for n in parts]
        counts: dict[int, Counted] = {}
        for n, of_part in zip(parts, self.workers.map(count_deliveries, tasks), strict=True):
            counts |= zip(range(n, len(deliveries), len(parts)), of_part, strict=True)
        for place, (kept, fingerprint) in enumerate(due):
            counted = counts[place]
            snapshot = Snapshot(
                self.landing.folder / kept.register / kept.id, kept.register, kept.id, kept.span.end,
                kept.accepted_at.isoformat(), fingerprint,
            )  # fmt: skip
            facts = {"period": kept.span.label, "rows": kept.rows, "unmatched": counted.unmatched}
            self.landing.write(snapshot, facts, counted.counts, counted.open_rows)
            for index, arrived in enumerate(found):
                if arrived.delivery == kept.id and counted.unmatched:
                    found[index] = replace(arrived, unmatched=counted.unmatched)

    def _in_use(self, connection: duckdb.DuckDBPyConnection) -> list[Kept]:
        """Of every register and period the delivery that was accepted last."""
        newest = {(k.register, k.span.end): k for k in self.vault.deliveries(connection)}
        return list(newest.values())

    def _areas(self, connection: duckdb.DuckDBPyConnection) -> Areas:
        found = areas_of(self.settings)
        for register in self.registers:
            usable = [k for k in self.vault.deliveries(connection, register.id) if self.vault.has(k)]
            if register.lists is None or not usable:
                continue
            newest = max(usable, key=lambda k: (k.reference, k.accepted_at))
            with self.vault.records(connection, newest) as records:
                if register.lists == "block_sides":
                    if unknown := add_bridge(found, connection, records):
                        LOG.warning("collect | block sides in unknown Stadtteile: %s", ", ".join(unknown))
                else:
                    rows = connection.execute(
                        f"select school, name, opened_on, closed_on from {records} order by 1"
                    )
                    add_schools(found, rows.fetchall())
        return found

    def _fingerprint(self, register: Register, placed: str) -> str:
        """Over everything a count depends on besides the records."""
        facts: list[Any] = [
            m.model_dump_json(by_alias=True) for m in self.catalogue.measures_from(register.id)
        ]
        facts += [register.model_dump_json(by_alias=True), sorted(self.catalogue.breakdowns), placed]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    # --- the end ----------------------------------------------------------------------------------

    def purge(self) -> int:
        """Records and originals whose time is over."""
        deleted = len(self.vault.purge(self.moment))
        if self.drops is None:
            return deleted
        gone = []
        for register in self.registers:
            drop = Drop(self.drops / register.id)
            for path in drop.overdue(self.moment, register.original_days, self.source.rejected_days):
                path.unlink()
                name = f"{register.id} {stamp(self.moment)}"
                gone.append(Gone("original", register.id, name, None, "retention is over"))
        return deleted + len(self.vault.write_down(self.moment, gone))


def _fault(kind: str) -> str:
    """Our own error in the night's record: its kind, for its words may quote a cell."""
    return f"not taken in: {kind}"


def _kinds(problems: list[Problem]) -> list[str]:
    """What was wrong, without rows: enough for the night's own record."""
    return [f"{p.kind}{f' in {p.column}' if p.column else ''}" for p in problems]


def _same(before: list[Kept], fingerprint: bytes) -> Kept | None:
    """The delivery that said the same, if one did."""
    return next((k for k in before if k.mark == fingerprint), None)


def _content(admitted: Admitted) -> bytes:
    """A fingerprint of the admitted rows, whatever their order."""
    with duckdb.connect(str(admitted.path), read_only=True) as connection:
        rows = connection.execute(
            "select count(*), sum(hash(t)::hugeint)::varchar, bit_xor(hash(t))::varchar from admitted as t"
        ).fetchall()
    return json.dumps([*rows[0], admitted.reference.isoformat()]).encode()
