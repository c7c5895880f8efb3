"""The GENESIS REST service of 2020: requests for tables, jobs and catalogues of one host.

Belongs here: which request is sent, and what each meaning of the reply leads to. Pure Python: no
Dagster, no landing. Does not belong here: which tables are wanted and when (official_network.py).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Container, Mapping
from dataclasses import dataclass

from orchestration.collect.genesis.replies import Meaning, Reply, understand
from orchestration.collect.http import (
    Received,
    SourceError,
    TransientError,
    Transport,
    UncertainError,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}

_AGAIN = {Meaning.BUSY, Meaning.SYSTEM_FAULT, Meaning.MAINTENANCE}


class LoginError(SourceError):
    """The host does not know these credentials; nothing can be asked of it tonight."""


class TooLargeError(SourceError):
    """The table has to be made by a job."""


class WrongJobError(SourceError):
    """The host started a job with other parameters than asked for."""

    def __init__(self, job: str, message: str) -> None:
        self.job = job
        super().__init__(message)


class NotReadyError(SourceError):
    """The job is still running."""


@dataclass(frozen=True)
class TableRequest:
    """What is asked of one table. Years and keys as the service takes them; empty means all."""

    code: str
    start_year: str = ""
    end_year: str = ""
    region_variable: str = ""
    region_key: str = ""
    compress: bool = False
    quality: bool = True

    def form(self, language: str, *, job: bool) -> dict[str, str]:
        return {
            "name": self.code,
            "area": "all",
            "compress": str(self.compress).lower(),
            "transpose": "false",
            "startyear": self.start_year,
            "endyear": self.end_year,
            "regionalvariable": self.region_variable,
            "regionalkey": self.region_key,
            "format": "ffcsv",
            "job": str(job).lower(),
            "quality": "on" if self.quality else "off",
            "language": language,
        }


@dataclass(frozen=True)
class TableFile:
    """The bytes of a table as they came, and the name and moment they came under."""

    name: str
    data: bytes
    retrieved_at: dt.datetime


class GenesisClient:
    """One host with its account. Every method raises SourceError or one of its kinds."""

    def __init__(self, transport: Transport, *, language: str = "de") -> None:
        self._transport = transport
        self._language = language

    def check_login(self) -> None:
        """Raises LoginError unless the host knows us by name; success alone is said to guests too."""
        reply = self._ask("helloworld/logincheck", {"language": self._language}, raising=False)
        if reply.meaning is not Meaning.FOUND:
            raise LoginError(self._say("logincheck", reply))

    def table(self, request: TableRequest) -> TableFile:
        """The table in dialog. Raises TooLargeError if the host wants a job for it."""
        form = request.form(self._language, job=False)
        received, reply = self._exchange("data/tablefile", form)
        if reply.meaning is Meaning.TOO_LARGE:
            self._assert_echo("tablefile", form, reply)
            raise TooLargeError(self._say(request.code, reply))
        return self._file(request.code, received, reply)

    def start_job(self, request: TableRequest, known: Container[str]) -> str:
        """Start a job and give its name; `known` are the jobs of the table that were there before.

        Not idempotent: when the reply is lost, the job may run all the same. Then a job that was
        not known before is taken over instead of starting another one.
        """
        form = request.form(self._language, job=True)
        try:
            _, reply = self._exchange("data/tablefile", form, again=TransientError)
        except UncertainError:
            if new := [name for name in self.jobs_of(request.code) if name not in known]:
                return new[-1]
            raise
        if reply.meaning is not Meaning.JOB_STARTED or not reply.job_name:
            raise self._error(request.code, reply)
        if ignored := reply.ignored(form):
            # The job makes something else than was asked for: it must be removed, never taken over.
            raise WrongJobError(
                reply.job_name, self._transport.scrub(f"{self._transport.host}: {'; '.join(ignored)}")
            )
        return reply.job_name

    def jobs_of(self, code: str) -> list[str]:
        """The account's jobs for a table that the host still knows, finished or not, oldest first."""
        selection = f"{code[:14]}*"  # the service takes 15 characters at most
        names = []
        for path in ("catalogue/results", "catalogue/jobs"):
            form = {"selection": selection, "area": "user", "pagelength": "100", "language": self._language}
            if path == "catalogue/jobs":
                form |= {"searchcriterion": "Code", "sortcriterion": "Code", "type": "all"}
                del form["area"]
            reply = self._ask(path, form)
            names += [str(found.get("Code", "")) for found in reply.objects]
        ours = {name for name in names if re.fullmatch(rf"{re.escape(code)}_\d+", name)}
        return sorted(ours, key=lambda name: int(name.rsplit("_", 1)[1]))

    def job_is_ready(self, job: str) -> bool:
        """Has the host the result of a job? `no objects` also means that it still runs."""
        form = {"selection": job, "area": "user", "pagelength": "1", "language": self._language}
        reply = self._ask("catalogue/results", form)
        self._assert_echo("results", form, reply)
        return any(found.get("Code") == job for found in reply.objects)

    def result(self, code: str, job: str) -> TableFile:
        """The file a job has made. Raises NotReadyError if it has not made it yet."""
        form = {
            "name": job, "area": "all", "compress": "false", "format": "ffcsv", "language": self._language,
        }  # fmt: skip
        received, reply = self._exchange("data/resultfile", form)
        if reply.meaning is Meaning.NOTHING or (received.status == 404 and reply.meaning is Meaning.UNKNOWN):
            raise NotReadyError(self._say(job, reply))
        return self._file(code, received, reply)

    def remove_result(self, job: str) -> None:
        """Give the place of a fetched result back; the host keeps only so many."""
        self._ask("profile/removeResult", {"name": job, "area": "user", "language": self._language})

    def modified(self, statistic: str, since: dt.date) -> dt.date | None:
        """The day the host last updated a statistic, if that was on or after `since`."""
        form = {
            "selection": statistic, "type": "all", "date": f"{since:%d.%m.%Y}", "pagelength": "100",
            "language": self._language,
        }  # fmt: skip
        reply = self._ask("catalogue/modifieddata", form)
        self._assert_echo("modifieddata", form, reply)
        days = [
            day
            for found in reply.objects
            if str(found.get("Code", "")).startswith(statistic) and (day := _day(str(found.get("Date", ""))))
        ]
        return max(days, default=None)

    def cubes_updated(self, statistic: str) -> dt.date | None:
        """The day the newest of a statistic's data cubes was last updated."""
        form = {
            "selection": f"{statistic}*", "area": "all", "pagelength": "500", "language": self._language,
        }  # fmt: skip
        reply = self._ask("catalogue/cubes", form)
        self._assert_echo("cubes", form, reply)
        days = [day for found in reply.objects if (day := _day(str(found.get("LatestUpdate", ""))))]
        return max(days, default=None)

    # --- underneath -------------------------------------------------------------------------

    def _ask(self, path: str, form: Mapping[str, str], *, raising: bool = True) -> Reply:
        _, reply = self._exchange(path, form)
        if raising and reply.meaning not in (Meaning.FOUND, Meaning.NOTHING, Meaning.NOTHING_NEWER):
            raise self._error(path, reply)
        return reply

    def _exchange(
        self, path: str, form: Mapping[str, str], *, again: type[TransientError] = UncertainError
    ) -> tuple[Received, Reply]:
        """One request, repeated while the host can't answer; forms are NFC, as the host stores them."""
        data = {name: unicodedata.normalize("NFC", value) for name, value in form.items()}

        def once() -> tuple[Received, Reply]:
            received = self._transport.send("POST", path, data=data)
            reply = understand(received.status, received.body)
            if reply.meaning is Meaning.BUSY:
                # Logging in makes the host end our requests that hang for over 15 minutes.
                self._transport.send("POST", "helloworld/logincheck", data={"language": self._language})
            if reply.meaning in _AGAIN:
                # Only "too many requests" says that nothing was done.
                kind = TransientError if reply.meaning is Meaning.BUSY else UncertainError
                raise kind(self._say(path, reply))
            if reply.meaning is Meaning.FILE and _is_cut_short(reply.body):
                raise UncertainError(f"{self._transport.host}, {path}: an archive that is cut short")
            return received, reply

        return self._transport.attempt(once, again=again)

    def _file(self, code: str, received: Received, reply: Reply) -> TableFile:
        if reply.meaning is not Meaning.FILE:
            raise self._error(code, reply)
        return TableFile(_file_name(code, received), received.body, received.at)

    def _assert_echo(self, what: str, form: Mapping[str, str], reply: Reply) -> None:
        if ignored := reply.ignored(form):
            host = self._transport.host
            raise SourceError(self._transport.scrub(f"{host}, {what}: parameter {'; '.join(ignored)}"))

    def _error(self, what: str, reply: Reply) -> SourceError:
        kind = LoginError if reply.meaning is Meaning.CREDENTIALS else SourceError
        return kind(self._say(what, reply))

    def _say(self, what: str, reply: Reply) -> str:
        code = f"code {reply.code}, " if reply.code else ""
        host = self._transport.host
        return self._transport.scrub(f"{host}, {what}: {code}{reply.meaning.value} ({reply.text})")


def _is_cut_short(body: bytes) -> bool:
    """An archive whose end is missing or whose contents are damaged; plain text can't be judged here."""
    if not body.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return archive.testzip() is not None
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError):
        return True


def _day(text: str) -> dt.date | None:
    match = re.match(r"(\d{2})\.(\d{2})\.(\d{4})", text)
    return dt.date(int(match[3]), int(match[2]), int(match[1])) if match else None


def _file_name(code: str, received: Received) -> str:
    """The host's name for the file if it is a plain one of this table, else one like it."""
    match = re.search(r'filename="?([A-Za-z0-9._-]+)"?', received.headers.get("content-disposition", ""))
    if match and match[1].startswith(f"{code}_"):
        return match[1]
    kind = "zip" if received.body.startswith(b"PK") else "csv"
    return f"{code}_{int(received.at.timestamp() * 1000)}_flat.{kind}"
