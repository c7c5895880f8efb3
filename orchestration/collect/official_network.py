"""Official tables over the network: which to ask for tonight, from whom, and what to do until they come.

Belongs here: the night's plan for every host, change detection, open jobs, the login-free way round,
and the record of it all. Does not belong here: how a request looks (genesis/client.py) and what
happens to the bytes (landing.py): from there on a download is a file like any other.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations.catalogue import Catalogue
from expectations.catalogue.model import OfficialTable, PeriodMeaning
from orchestration.collect.genesis.client import (
    FORM,
    GenesisClient,
    LoginError,
    NotReadyError,
    TableFile,
    TableRequest,
    TooLargeError,
    WrongJobError,
)
from orchestration.collect.http import (
    Budget,
    BudgetError,
    Limits,
    SourceError,
    TransientError,
    Transport,
    UncertainError,
)
from orchestration.collect.landing import Delivery, Landing, Reception, landing_of
from orchestration.resources.files import remove, write_json
from orchestration.resources.home import Home
from orchestration.settings import Host, OfficialStatistics

LOG = logging.getLogger("bildungsmonitor")

JOB_EXPIRES = dt.timedelta(days=14)
"""After this time a job is given up and the table asked for anew: hosts do not keep results."""


@dataclass(frozen=True)
class Job:
    """A job a host runs for us; kept on disk, so that a killed night's successor takes it up.

    Written before it is started, then without a name: `known` are the account's jobs for the table
    that were there before and are somebody else's, or dead. One that appears after is ours.
    """

    table_code: str
    host: str
    name: str
    started_at: str
    known: list[str] = field(default_factory=list)


class Jobs:
    """The open jobs and those whose results are still to be given back, one small file each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / ".jobs"

    def of(self, table_code: str, moment: dt.datetime) -> Job | None:
        path = self._folder / f"{table_code}.json"
        if not path.exists():
            return None
        job = Job(**json.loads(path.read_text(encoding="utf-8")))
        if _is_expired(job, moment):
            self.close(job)
            return None
        return job

    def open(self, job: Job) -> None:
        self._folder.mkdir(exist_ok=True)
        write_json(self._folder / f"{job.table_code}.json", dataclasses.asdict(job))

    def close(self, job: Job) -> None:
        remove(self._folder / f"{job.table_code}.json")

    def owe(self, job: Job) -> None:
        """Keep in mind that a job's result takes up a place at the host until it is removed there."""
        write_json(self._owed_path(job), dataclasses.asdict(job))

    def owed(self, host: str, moment: dt.datetime) -> list[Job]:
        """The jobs whose results a host still keeps and nobody needs."""
        found = [Job(**json.loads(p.read_text("utf-8"))) for p in sorted(self._folder.glob("*.owed.json"))]
        for job in found:
            if _is_expired(job, moment):
                self.given_back(job)
        return [job for job in found if job.host == host and not _is_expired(job, moment)]

    def given_back(self, job: Job) -> None:
        remove(self._owed_path(job))

    def _owed_path(self, job: Job) -> Path:
        return self._folder / f"{job.name}.owed.json"


def _is_expired(job: Job, moment: dt.datetime) -> bool:
    return moment - dt.datetime.fromisoformat(job.started_at) > JOB_EXPIRES


class Checks:
    """When every table was last asked for and last fetched, and with what outcome."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "checks.json"
        found = self._path.read_text(encoding="utf-8") if self._path.exists() else "{}"
        self.entries: dict[str, dict[str, Any]] = json.loads(found)

    def note(self, reception: Reception, moment: dt.datetime, *, from_service: bool = False) -> None:
        """Keep an outcome. Only the service's own file counts as fetched: others may be older."""
        assert reception.table_code is not None
        entry = self.entries.setdefault(reception.table_code, {"fetched_at": None})
        entry |= {"checked_at": moment.isoformat(), "status": reception.status, "reason": reception.reason}
        if from_service and reception.status in ("accepted", "known"):
            entry["fetched_at"] = moment.isoformat()
        write_json(self._path, self.entries)

    def fetched_on(self, table_code: str) -> dt.date | None:
        fetched = self.entries.get(table_code, {}).get("fetched_at")
        return dt.datetime.fromisoformat(fetched).date() if fetched else None


@dataclass(frozen=True)
class _Came:
    """A table's bytes arrived; `done` gives its job back once they have landed."""

    delivery: Delivery
    done: Callable[[], None] | None = None


@dataclass(frozen=True)
class _Outcome:
    """What a host said about one table: the bytes, or a reception that needs none."""

    table_code: str
    came: _Came | None = None
    reception: Reception | None = None


def tables_wanted(source: OfficialStatistics, catalogue: Catalogue) -> list[OfficialTable]:
    """The tables to ask for: those configured, else all that measures need.

    Raises LookupError for a configured table the catalogue does not declare.
    """
    if source.tables is None:
        codes = {s.table for m in catalogue.measures.values() for s in m.sources}
    else:
        codes = set(source.tables)
        if unknown := sorted(codes - set(catalogue.tables)):
            raise LookupError(f"official_statistics.tables: no official table {', '.join(unknown)}")
    return [catalogue.tables[code] for code in sorted(codes)]


def request_for(table: OfficialTable) -> TableRequest:
    """The whole series of a table, every cell of it: empty ones are told apart from absent ones."""
    start = str(table.since)
    if table.period is PeriodMeaning.WINTER_TERM:
        start = f"{table.since}/{(table.since + 1) % 100:02d}"
    return TableRequest(table.code, start_year=start)


def collect_from_network(
    source: OfficialStatistics, home: Home, catalogue: Catalogue, moment: dt.datetime
) -> list[Reception]:
    """Ask every host for its tables and land them one by one as they come.

    A table that does not come is `late` with its reason and carries on with its last state; nothing
    here raises for a host's sake.
    """
    landing = landing_of(home, source, catalogue)
    landing.clean()
    jobs, checks = Jobs(landing.folder), Checks(landing.folder)
    budget = Budget(source.budget_minutes * 60)
    wanted = tables_wanted(source, catalogue)
    receptions: list[Reception] = []

    def note(reception: Reception, *, from_service: bool = False) -> None:
        receptions.append(reception)
        checks.note(reception, moment, from_service=from_service)
        level = logging.WARNING if reception.status in ("late", "refused") else logging.INFO
        reason = f": {reception.reason}" if reception.reason else ""
        LOG.log(level, "collect | %s %s%s", reception.table_code, reception.status, reason)

    by_host: dict[str, list[OfficialTable]] = {}
    for table in wanted:
        if table.database in source.hosts:
            by_host.setdefault(table.database, []).append(table)
        else:
            note(_late(table, f"no host is configured for {table.database}"))
    nights = [
        _HostNight(name, source.hosts[name], tables, budget, jobs, checks, moment)
        for name, tables in by_host.items()
    ]
    try:
        for outcome in _outcomes(nights):
            if outcome.reception is not None:
                note(outcome.reception)
            elif outcome.came is not None:
                from_service = outcome.came.delivery.origin["kind"] == "genesis"
                note(_landed(landing, outcome, moment), from_service=from_service)
    finally:
        for night in nights:  # not before all has landed: only then are results given back
            night.close()
    return receptions


def _landed(landing: Landing, outcome: _Outcome, moment: dt.datetime) -> Reception:
    assert outcome.came is not None
    reception = landing.receive_one(outcome.came.delivery, moment, synthetic=False)
    if reception.table_code != outcome.table_code:
        # Whatever came, it answers for the table that was asked for.
        reception = dataclasses.replace(reception, table_code=outcome.table_code)
    if outcome.came.done is not None:
        outcome.came.done()
    return reception


def _late(table: OfficialTable, reason: str) -> Reception:
    return Reception(table.code, "late", table.code, reason=reason)


def _outcomes(nights: list[_HostNight]) -> Iterator[_Outcome]:
    """What the hosts say, as it comes; hosts work at the same time, landing is one at a time."""
    said: queue.Queue[_Outcome | None] = queue.Queue()

    def run(night: _HostNight) -> None:
        try:
            night.run(said.put)
        finally:
            said.put(None)

    threads = [threading.Thread(target=run, args=(night,), daemon=True) for night in nights]
    for thread in threads:
        thread.start()
    running = len(threads)
    while running:
        outcome = said.get()
        if outcome is None:
            running -= 1
        else:
            yield outcome


@dataclass
class _HostNight:
    """One host's part of the night. Every table ends in exactly one outcome."""

    name: str
    host: Host
    tables: list[OfficialTable]
    budget: Budget
    jobs: Jobs
    checks: Checks
    moment: dt.datetime
    _changed: dict[tuple[str, dt.date], bool] = field(default_factory=dict)
    _waiting: list[tuple[OfficialTable, Job]] = field(default_factory=list)
    _transport: Transport | None = None
    _closed: str | None = None
    """Why nothing more can be asked of the service tonight."""

    def run(self, say: Callable[[_Outcome], None]) -> None:
        open_tables = {table.code: table for table in self.tables}
        try:
            for outcome in self._work():
                open_tables.pop(outcome.table_code, None)
                say(outcome)
        except Exception as error:  # a fault of ours ends this host's night, not the whole night
            LOG.exception("collect | %s", self.name)
            self._closed = f"{type(error).__name__} while asking {self.name}"
        for table in open_tables.values():
            say(_Outcome(table.code, reception=_late(table, self._closed or "not reached")))

    def _work(self) -> Iterator[_Outcome]:
        user, password = (s.get_secret_value() for s in (self.host.username, self.host.password))
        headers = {**FORM, "username": user, "password": password}
        self._transport = Transport(
            self.host.base_url, self._limits(), self.budget, headers=headers, secrets=(user, password)
        )
        client = GenesisClient(self._transport, language=self.host.language)
        self._open(client)
        if not self._closed:
            for job in self.jobs.owed(self.name, self.moment):
                self._give_back(client, job)
        with concurrent.futures.ThreadPoolExecutor(self.host.parallel) as pool:
            asked = [pool.submit(self._ask, client, table) for table in self.tables]
            for done in concurrent.futures.as_completed(asked):
                if (outcome := done.result()) is not None:
                    yield outcome
        yield from self._wait_for_jobs(client)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _limits(self) -> Limits:
        host = self.host
        return Limits(
            parallel=host.parallel,
            pause=host.pause_seconds,
            connect=host.connect_seconds,
            read=host.read_seconds,
            whole_reply=host.reply_seconds,
            attempts=host.attempts,
            first_wait=host.first_wait_seconds,
        )

    def _open(self, client: GenesisClient) -> None:
        if not self.host.has_account:
            self._closed = f"no account is configured for {self.name}"
            return
        try:
            client.check_login()
        except SourceError as error:
            self._closed = str(error)

    def _ask(self, client: GenesisClient, table: OfficialTable) -> _Outcome | None:
        """One table's outcome; None if a job has to make it first."""
        if self._closed:
            return self._without_login(table, self._closed)
        if (job := self.jobs.of(table.code, self.moment)) is not None and job.name:
            self._waiting.append((table, job))
            return None
        request = request_for(table)
        try:
            if not self._is_changed(client, table):
                return _Outcome(table.code, reception=Reception(table.code, "unchanged", table.code))
            return self._came(table, client.table(request), request)
        except TooLargeError as error:
            return self._start_job(client, table, request, str(error))
        except LoginError as error:
            self._open(client)  # is it the account, or only this reply?
            return self._without_login(table, str(error))
        except SourceError as error:
            return self._without_login(table, str(error))

    def _start_job(
        self, client: GenesisClient, table: OfficialTable, request: TableRequest, reason: str
    ) -> _Outcome | None:
        if not self.host.jobs:
            return self._without_login(table, reason)
        intent = self.jobs.of(table.code, self.moment)
        try:
            there = client.jobs_of(table.code)
            if intent is None:
                intent = Job(table.code, self.name, "", self.moment.isoformat(), there)
                self.jobs.open(intent)
            # A killed night may have started one and not lived to write down its name.
            new = [name for name in there if name not in intent.known]
            name = new[-1] if new else client.start_job(request, intent.known)
        except WrongJobError as error:
            assert intent is not None
            wrong = dataclasses.replace(intent, name=error.job)
            self.jobs.owe(wrong)
            self.jobs.open(dataclasses.replace(intent, known=[*intent.known, error.job]))
            self._give_back(client, wrong)
            return self._without_login(table, str(error))
        except SourceError as error:
            return self._without_login(table, str(error))
        job = dataclasses.replace(intent, name=name)
        self.jobs.open(job)
        self._waiting.append((table, job))
        return None

    def _wait_for_jobs(self, client: GenesisClient) -> Iterator[_Outcome]:
        """Ask for all open jobs in turn until each has ended or the time for waiting is used up."""
        ends = time.monotonic() + self.host.job_minutes * 60
        while self._waiting:
            for table, job in list(self._waiting):
                try:
                    if not client.job_is_ready(job.name):
                        continue
                    outcome = self._result(client, table, job)
                except (NotReadyError, TransientError):
                    continue  # a rough spell over there is no reason to give a job up
                except SourceError as error:
                    reason = f"{error}; job {job.name} is taken up again next night"
                    outcome = _Outcome(table.code, reception=_late(table, reason))
                self._waiting.remove((table, job))
                yield outcome
            if self._waiting:
                left = min(self.budget.left, ends - time.monotonic())
                if left <= self.host.poll_seconds:
                    break
                time.sleep(self.host.poll_seconds)
        for table, job in self._waiting:
            reason = f"job {job.name} still runs at {self.name}; it is taken up again next night"
            yield _Outcome(table.code, reception=_late(table, reason))

    def _result(self, client: GenesisClient, table: OfficialTable, job: Job) -> _Outcome:
        file = client.result(table.code, job.name)

        def done() -> None:
            self.jobs.owe(job)
            self.jobs.close(job)
            self._give_back(client, job)

        return self._came(table, file, request_for(table), job=job.name, done=done)

    def _give_back(self, client: GenesisClient, job: Job) -> None:
        """Remove a result nobody needs any more; what the host refuses tonight is tried again next night."""
        try:
            client.remove_result(job.name)
        except SourceError as error:
            LOG.warning("collect | %s: result %s not removed: %s", self.name, job.name, error)
        else:
            self.jobs.given_back(job)

    def _is_changed(self, client: GenesisClient, table: OfficialTable) -> bool:
        """Does the host say that the statistic is new since the table was fetched?

        Where it can't be told, or was told for too long, the table is fetched and compared.
        """
        fetched = self.checks.fetched_on(table.code)
        if self.host.changes == "content" or fetched is None:
            return True
        if (self.moment.date() - fetched).days >= self.host.recheck_days:
            return True
        key = (table.evas, fetched)
        if key not in self._changed:
            if self.host.changes == "modifieddata":
                self._changed[key] = client.modified(table.evas, fetched) is not None
            else:
                updated = client.cubes_updated(table.evas)
                self._changed[key] = updated is None or updated >= fetched
        return self._changed[key]

    def _without_login(self, table: OfficialTable, reason: str) -> _Outcome:
        """The login-free file where the host offers one, else the table is late."""
        if self.host.downloader is None:
            return _Outcome(table.code, reception=_late(table, reason))
        transport = Transport(self.host.downloader, self._limits(), self.budget)
        address = self.host.downloader.format(code=table.code)
        try:
            received = transport.attempt(lambda: transport.send("GET", address), again=UncertainError)
        except (SourceError, BudgetError) as error:
            return _Outcome(table.code, reception=_late(table, f"{reason}; login-free file: {error}"))
        finally:
            transport.close()
        if received.status != 200 or received.body.lstrip()[:1] == b"<":
            found = f"{reason}; login-free file: HTTP {received.status}, no table"
            return _Outcome(table.code, reception=_late(table, found))
        origin = {
            "kind": "download",
            "address": address,
            "retrieved_at": received.at.isoformat(),
            "instead_of": reason,
        }
        name = f"{table.code}_00.csv"
        return _Outcome(table.code, _Came(Delivery(name, lambda: received.body, origin)))

    def _came(
        self,
        table: OfficialTable,
        file: TableFile,
        request: TableRequest,
        *,
        job: str | None = None,
        done: Callable[[], None] | None = None,
    ) -> _Outcome:
        origin = {
            "kind": "genesis",
            "address": f"{self.host.base_url.rstrip('/')}/data/{'resultfile' if job else 'tablefile'}",
            "parameters": request.form(self.host.language, job=job is not None),
            "job": job,
            "retrieved_at": file.retrieved_at.isoformat(),
        }
        return _Outcome(table.code, _Came(Delivery(file.name, lambda: file.data, origin), done))
