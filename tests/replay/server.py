"""Something that answers like the offices' web services, over real HTTP on loopback.

It keeps accounts, makes jobs and fails on demand in every way the real hosts were seen to fail.
Replies have the shapes of the recorded ones; tables are whatever a test hands over.
"""

from __future__ import annotations

import io
import itertools
import json
import random
import socket
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

USER, PASSWORD = "statistik.koblenz@example.org", "S3hr-Geheim!"

TEXTS = {
    0: "erfolgreich",
    6: "Die Anzahl der parallelen Requests ist überschritten.",
    22: "erfolgreich (Warnung: Der Parameter startyear wurde geändert.)",
    50: "Es liegen keine neueren Daten vor.",
    90: "Die angeforderte Tabelle ist nicht vorhanden.",
    98: "Die Tabelle ist zu gross, um im Dialog abgerufen zu werden.",
    104: "Es gibt keine Objekte zum angegebenen Selektionskriterium",
    -1: "Ein Fehler ist aufgetreten. Es wurde kein Datenquader gefunden!",
}
ECHO = {"area": {"all": "Alle", "user": "Benutzer", "free": "Alle"}, "type": {"all": "Alle"}}

PASSING = (
    "http500",
    "busy",
    "system fault",
    "maintenance",
    "truncated zip",
    "half a body",
    "reset",
    "slow",
    "silent",
)
"""Faults that a second attempt cures."""

LASTING = ("code 22", "broken table", "redirect", "http405", "wrong credentials")
"""Replies that no second attempt changes."""


@dataclass
class Faults:
    """Which requests fail and how: by chance (seeded), or the next ones by name."""

    share: float = 0.0
    kinds: tuple[str, ...] = PASSING
    seed: int = 1
    next: list[str] = field(default_factory=list)
    always: dict[str, str] = field(default_factory=dict)
    """Table code → fault of every data request for it."""
    on: dict[str, list[str]] = field(default_factory=dict)
    """Path → the faults of the next requests to it."""
    seen: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()

    def draw(self, table: str, path: str) -> str | None:
        with self._lock:
            kind = self.always.get(table)
            if kind is None and self.on.get(path):
                kind = self.on[path].pop(0)
            if kind is None and self.next:
                kind = self.next.pop(0)
            if kind is None and self._random.random() < self.share:
                kind = self._random.choice(self.kinds)
            if kind:
                self.seen[kind] += 1
            return kind


@dataclass
class Replay:
    """The service's state: tables by code, jobs, what was asked."""

    tables: dict[str, bytes] = field(default_factory=dict)
    large: dict[str, int] = field(default_factory=dict)
    """Table code → how many polls its job takes."""
    downloads: dict[str, bytes] = field(default_factory=dict)
    modified: dict[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    slow_seconds: float = 3.0
    lose_job_reply: bool = False
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    jobs: dict[str, int] = field(default_factory=dict)
    echo_on_start_only: bool = False
    """Does only the reply that starts a job echo its parameters changed?"""
    removed: list[str] = field(default_factory=list)
    pages: dict[str, Callable[[dict[str, str]], tuple[int, bytes]]] = field(default_factory=dict)
    """Path → what a GET of it answers, by its parameters."""
    url: str = ""
    port: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(175879554))

    def count(self, path: str) -> int:
        return sum(asked == path for asked, _ in self.asked)


def zipped(code: str, text: bytes, name: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name or f"{code}_{int(time.time() * 1000)}_de_flat.csv", text)
    return buffer.getvalue()


@contextmanager
def serving(replay: Replay) -> Iterator[Replay]:
    """Serve on a free port of loopback while the block runs."""
    handler = type("Handler", (_Handler,), {"replay": replay})
    server = _Server(("127.0.0.1", 0), handler)
    replay.port = server.server_address[1]
    replay.url = f"http://127.0.0.1:{replay.port}/genesisws/rest/2020/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up on a slow reply is what the test wants."""


class _Handler(BaseHTTPRequestHandler):
    replay: Replay
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    # --- the two kinds of requests ----------------------------------------------------------

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        query = dict(parse_qsl(urlsplit(self.path).query))
        self.replay.asked.append((f"GET {path}", query))
        if "username" in self.headers or "password" in self.headers:
            self._send(400, b"credentials where none belong")
            return
        code = path.rsplit("/", 1)[-1].removesuffix("_00.csv")
        if path in self.replay.pages:
            self._send(*self.replay.pages[path](query))
        elif "/downloader/" in path and code in self.replay.downloads:
            self._send(200, self.replay.downloads[code], "text/csv")
        elif "/rest/2020/" in path:
            self._send(405, b"<html><body>Method Not Allowed</body></html>", "text/html")
        else:
            self._send(404, b"<html><body>Nicht gefunden</body></html>", "text/html")

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        raw = self.rfile.read(length).decode("utf-8")
        form = dict(parse_qsl(raw, keep_blank_values=True))
        path = urlsplit(self.path).path.split("/rest/2020/")[-1]
        self.replay.asked.append((path, form))
        if path != "helloworld/logincheck":
            kind = self.replay.faults.draw(form.get("name", "").rsplit("_", 1)[0], path)
            if kind and self._fail(kind, path, form):
                return
        # http.server reads headers as Latin-1; the real hosts read UTF-8.
        given = [
            (self.headers.get(n) or "").encode("latin-1").decode("utf-8", "replace")
            for n in ("username", "password")
        ]
        allowed = given == [USER, PASSWORD]
        if path == "helloworld/logincheck":
            self._login(allowed)
        elif not allowed:
            self._wrong_credentials()
        else:
            getattr(self, "_" + path.replace("/", "_").lower())(form)

    # --- the service ------------------------------------------------------------------------

    def _login(self, allowed: bool) -> None:
        user = self.headers.get("username", "GAST")
        if user == "GAST" or allowed:
            text = "Sie wurden erfolgreich an- und abgemeldet! Bei mehr als 10 parallelen Requests wurden …"
            self._json({"Status": text, "Username": user})
        else:
            text = "Ein Fehler ist aufgetreten. (Bitte prüfen und korrigieren Sie Ihren Nutzernamen bzw.\n das Passwort.)"
            self._json({"Status": text, "Username": user})

    def _wrong_credentials(self) -> None:
        if "username" not in self.headers:
            text = "Sie sind nicht berechtigt diesen Service aufzurufen."
            self._json({"Code": 15, "Content": text, "Type": "ERROR"}, 401)
        else:
            text = f"Bitte prüfen und korrigieren Sie Ihren Nutzernamen bzw. das Passwort: {self.headers['username']} / {self.headers['password']}"
            self._json({"Code": 2, "Content": text, "Type": "ERROR"}, 404)

    def _data_tablefile(self, form: dict[str, str]) -> None:
        code, replay = form["name"], self.replay
        if code not in replay.tables:
            self._status("data", "tablefile", 90, form)
        elif code in replay.large and form["job"] == "false":
            self._status("data", "tablefile", 98, form)
        elif code in replay.large:
            name = self._make_job(code)
            if replay.lose_job_reply:
                replay.lose_job_reply = False
                self._hang_up()
                return
            text = f"Der Bearbeitungsauftrag wurde erstellt. Die Tabelle kann in Kürze als Ergebnis mit folgendem Namen abgerufen werden: {name}"
            self._status("data", "tablefile", 99, form, text=text)
        else:
            self._table(code, zipped(code, replay.tables[code]))

    def _make_job(self, code: str) -> str:
        name = f"{code}_{next(self.replay._numbers)}"
        self.replay.jobs[name] = self.replay.large[code]
        return name

    def _catalogue_results(self, form: dict[str, str]) -> None:
        found = []
        for name in self._selected(form):
            if self.replay.jobs[name] > 0:
                if not form["selection"].endswith("*"):
                    self.replay.jobs[name] -= 1
            else:
                found.append({"Code": name, "Content": "fertig", "Values": "1980160"})
        self._list("catalogue", "results", form, found)

    def _catalogue_jobs(self, form: dict[str, str]) -> None:
        found = [{"Code": name, "State": "in Bearbeitung"} for name in self._selected(form)]
        self._list("catalogue", "jobs", form, found)

    def _selected(self, form: dict[str, str]) -> list[str]:
        pattern = form["selection"]
        assert len(pattern) <= 15 or not pattern.endswith("*"), "the service takes 15 characters at most"
        stem = pattern.removesuffix("*")
        return [n for n in self.replay.jobs if n.startswith(stem) and (stem != pattern or n == stem)]

    def _data_resultfile(self, form: dict[str, str]) -> None:
        name = form["name"]
        if self.replay.jobs.get(name, 1) > 0:
            self._status("data", "resultfile", 104, form, http=404)
            return
        code = name.rsplit("_", 1)[0]
        self._table(code, zipped(code, self.replay.tables[code], f"{name}_flat.csv"), f"{name}_flat.zip")

    def _profile_removeresult(self, form: dict[str, str]) -> None:
        self.replay.jobs.pop(form["name"], None)
        self.replay.removed.append(form["name"])
        self._status("profile", "removeResult", 0, form)

    def _catalogue_modifieddata(self, form: dict[str, str]) -> None:
        day = self.replay.modified.get(form["selection"])
        rows = [{"Code": form["selection"], "Type": "Aktualisierte Statistiken", "Date": day}] if day else []
        since = tuple(reversed(form["date"].split(".")))
        rows = [r for r in rows if tuple(reversed(str(r["Date"]).split("."))) >= since]
        self._list("catalogue", "modifieddata", form, rows)

    def _catalogue_cubes(self, form: dict[str, str]) -> None:
        day = self.replay.modified.get(form["selection"].removesuffix("*"))
        rows = [{"Code": "X", "LatestUpdate": f"{day} 19:09:09h"}] if day else []
        self._list("catalogue", "cubes", form, rows)

    # --- faults -----------------------------------------------------------------------------

    def _fail(self, kind: str, path: str, form: dict[str, str]) -> bool:
        data = path.startswith("data/")
        if kind == "gateway after all":
            self._make_job(form["name"])
            self._send(504, b"<html>Gateway Timeout</html>", "text/html")
        elif kind == "http500":
            self._send(500, b"<html><body>Internal Server Error</body></html>", "text/html")
        elif kind == "busy":
            self._status("data", "tablefile", 6, form)
        elif kind == "system fault":
            text = "Ein Fehler ist aufgetreten. (Die Aktion wurde wegen eines unerwarteten Systemfehlers abgebrochen.)"
            self._json({"Code": 2, "Content": text, "Type": "ERROR"}, 404)
        elif kind == "maintenance":
            page = (
                f"<!DOCTYPE html><html><body>Wartungsarbeiten ({self.headers.get('password')})</body></html>"
            )
            self._send(200, page.encode(), "text/html")
        elif kind == "truncated zip" and data:
            body = zipped("x", b"statistics_code;" * 500)
            self._send(200, body[: len(body) // 2], "application/zip")
        elif kind == "half a body":
            self._headers(200, 5000, "application/zip")
            self.wfile.write(b"PK\x03\x04" + b"\x00" * 2000)
            self._hang_up()
        elif kind == "reset":
            self._hang_up()
        elif kind == "slow":
            self._headers(200, 100000, "application/zip")
            ends = time.monotonic() + self.replay.slow_seconds
            while time.monotonic() < ends:
                self.wfile.write(b"P")
                self.wfile.flush()
                time.sleep(0.05)
            self._hang_up()
        elif kind == "silent":
            time.sleep(self.replay.slow_seconds)
            self._hang_up()
        elif kind == "code 22" and data:
            self._status("data", "tablefile", 22, form)
        elif kind == "broken table" and data:
            self._status("data", "tablefile", -1, form)
        elif kind == "redirect":
            self.send_response(307)
            self.send_header("Location", "https://genesis.example.org/genesisWS/rest/2020/" + path)
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "http405":
            self._send(405, b"")
        elif kind == "wrong credentials":
            self._wrong_credentials()
        else:
            return False
        return True

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.connection.close()

    # --- replies ----------------------------------------------------------------------------

    def _table(self, code: str, body: bytes, name: str | None = None) -> None:
        name = name or f"{code}_{int(time.time() * 1000)}_de_flat.zip"
        self._send(200, body, "application/zip", f"attachment; filename={name}")

    def _status(
        self, service: str, method: str, code: int, form: dict[str, str], *, text: str = "", http: int = 200
    ) -> None:
        kind = "Information" if code in (0, 50, 99, 103, 104) else "Warnung" if code == 22 else "Fehler"
        state = {"Code": code, "Content": text or TEXTS[code], "Type": kind}
        self._envelope(service, method, state, form, {"Object": None}, http)

    def _list(self, service: str, method: str, form: dict[str, str], rows: list[dict[str, Any]]) -> None:
        code = 0 if rows else 104
        state = {"Code": code, "Content": TEXTS[code], "Type": "Information"}
        self._envelope(service, method, state, form, {"List": rows or None}, 200)

    def _envelope(
        self,
        service: str,
        method: str,
        state: dict[str, Any],
        form: dict[str, str],
        found: dict[str, Any],
        http: int,
    ) -> None:
        honest = self.replay.echo_on_start_only and state["Code"] != 99
        echo = {
            k: v if honest and k == "startyear" else ECHO.get(k, {}).get(v, v)
            for k, v in form.items()
            if k != "quality"
        }
        masked = {"username": "********************", "password": "********************"}
        ident = {"Service": service, "Method": method}
        body = {
            "Ident": ident,
            "Status": state,
            "Parameter": {**masked, **echo},
            **found,
            "Copyright": "© Replay",
        }
        self._json(body, http)

    def _json(self, value: dict[str, Any], http: int = 200) -> None:
        self._send(http, json.dumps(value, ensure_ascii=False).encode(), "application/json;charset=UTF-8")

    def _send(self, http: int, body: bytes, kind: str = "text/plain", disposition: str | None = None) -> None:
        self._headers(http, len(body), kind, disposition)
        self.wfile.write(body)

    def _headers(self, http: int, length: int, kind: str, disposition: str | None = None) -> None:
        self.send_response(http)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        if disposition:
            self.send_header("Content-Disposition", disposition)
        self.end_headers()
