"""What a GENESIS reply means: every shape, every status code, and the recorded ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestration.collect.genesis.replies import Meaning, understand


def envelope(code: int, text: str = "…", **more: object) -> bytes:
    return json.dumps({"Status": {"Code": code, "Content": text, "Type": "Information"}, **more}).encode()


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (200, b"PK\x03\x04rest", Meaning.FILE),
        (200, b"\xef\xbb\xbfstatistics_code;statistics_label\n", Meaning.FILE),
        (200, envelope(0), Meaning.FOUND),
        (200, envelope(22), Meaning.CHANGED),
        (200, envelope(50), Meaning.NOTHING_NEWER),
        (200, envelope(90), Meaning.ABSENT),
        (200, envelope(98), Meaning.TOO_LARGE),
        (200, envelope(99), Meaning.JOB_STARTED),
        (200, envelope(103), Meaning.NOTHING),
        (200, envelope(104), Meaning.NOTHING),
        (200, envelope(6), Meaning.BUSY),
        (200, envelope(-1), Meaning.BROKEN_TABLE),
        (200, envelope(4711), Meaning.UNKNOWN),
        (401, b'{"Code":15,"Content":"nicht berechtigt","Type":"ERROR"}', Meaning.CREDENTIALS),
        (404, '{"Code":2,"Content":"Bitte prüfen Sie Ihren Nutzernamen","Type":"ERROR"}'.encode(), Meaning.CREDENTIALS),
        (404, b'{"Code":2,"Content":"unerwarteter Systemfehler","Type":"ERROR"}', Meaning.SYSTEM_FAULT),
        (200, b"<!DOCTYPE html><html>Wartung</html>", Meaning.MAINTENANCE),
        (404, b"<html>Not Found</html>", Meaning.UNKNOWN),
        (405, b"<html>Method Not Allowed</html>", Meaning.NOT_ALLOWED),
        (403, b"", Meaning.CREDENTIALS),
        (200, b"", Meaning.UNKNOWN),
        (200, b'{"Status":{"Code":0', Meaning.UNKNOWN),
        (200, b'{"anything":1}', Meaning.UNKNOWN),
        (200, b'{"Status":"Sie wurden erfolgreich an- und abgemeldet!","Username":"RE004711"}', Meaning.FOUND),
        (200, b'{"Status":"Sie wurden erfolgreich an- und abgemeldet!","Username":"GAST"}', Meaning.CREDENTIALS),
        (200, b'{"Status":"Ein Fehler ist aufgetreten.","Username":"RE004711"}', Meaning.CREDENTIALS),
    ],
)  # fmt: skip
def test_the_body_decides_what_a_reply_means(status: int, body: bytes, meaning: Meaning) -> None:
    assert understand(status, body).meaning is meaning


def test_the_name_of_a_job_stands_at_the_end_of_its_message() -> None:
    text = "Die Tabelle kann in Kürze als Ergebnis mit folgendem Namen abgerufen werden: 12531-0043_175879554"
    assert understand(200, envelope(99, text)).job_name == "12531-0043_175879554"
    assert understand(200, envelope(99, "ohne Namen")).job_name is None


def test_a_parameter_that_was_ignored_is_found() -> None:
    reply = understand(200, envelope(99, Parameter={"name": "X", "area": "Alle", "startyear": "2024"}))
    assert reply.ignored({"name": "X", "area": "all", "quality": "on", "endyear": ""}) == []
    assert reply.ignored({"startyear": "1995", "startjahr": "1995"}) == [
        "startyear=1995 came back as '2024'",
        "startjahr=1995 came back as None",
    ]


RECORDED = {
    "12531-0043__000": Meaning.TOO_LARGE,
    "12531-0043__001": Meaning.JOB_STARTED,
    "12531-0043__002": Meaning.NOTHING,
    "12531-0043__407": Meaning.FOUND,
}
ERRORS = {
    "documented_tablefile_104.json": (200, Meaning.NOTHING),
    "genesis_systemfehler_HTTP404.json": (404, Meaning.SYSTEM_FAULT),
    "regio_badcreds_logincheck_HTTP200.json": (200, Meaning.CREDENTIALS),
    "regio_badcreds_tablefile_HTTP404.json": (404, Meaning.CREDENTIALS),
    "regio_guest_logincheck_HTTP200.json": (200, Meaning.CREDENTIALS),
    "regio_guest_metadata_table_HTTP401.json": (401, Meaning.CREDENTIALS),
    "regio_qualitysigns_HTTP200.json": (200, Meaning.FOUND),
}


def test_every_recorded_reply_is_understood(shared: Path) -> None:
    """Recorded from the real hosts; the request's parameters are in their echo."""
    folder = shared / "data" / "genesis_api"
    manifest = json.loads((folder / "recorded" / "manifest.json").read_text())
    for entry in manifest:
        reply = understand(entry["status"]["code"], (folder / "recorded" / entry["file"]).read_bytes())
        expected = (
            Meaning.FILE
            if entry["file"].endswith(".zip")
            else RECORDED.get(entry["file"][:15], Meaning.FOUND)
        )
        assert reply.meaning is expected, entry["file"]
        if reply.parameters and "/metadata/" not in entry["uri"]:
            sent = dict(part.split("=", 1) for part in entry["request_body"].split("&"))
            assert reply.ignored(sent) == [], entry["file"]
    for name, (status, expected) in ERRORS.items():
        assert understand(status, (folder / "errors" / name).read_bytes()).meaning is expected, name
    assert len(manifest) == 35
    assert {p.name for p in (folder / "errors").iterdir()} == set(ERRORS)
    for path in (p for p in (folder / "metadata").glob("*.json") if "_fake_" not in p.name):
        assert understand(200, path.read_bytes()).meaning in (Meaning.FOUND, Meaning.NOTHING, Meaning.CHANGED)
