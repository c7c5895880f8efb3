"""What a GENESIS web service says: every shape and status code of its replies → one meaning.

Belongs here: one reply's bytes → `Reply`. Does not belong here: sending requests and deciding what
to do next (client.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Meaning(StrEnum):
    """What a reply means for the one who asked."""

    FILE = "a file"
    FOUND = "objects or a message of success"
    NOTHING = "no such object, an empty selection, or a job that is not ready"
    NOTHING_NEWER = "nothing newer than the state asked for"
    ABSENT = "the table does not exist"
    TOO_LARGE = "too large for the dialog, a job is needed"
    JOB_STARTED = "a job was started"
    CHANGED = "answered, but with another parameter than asked for"
    BUSY = "too many requests at a time"
    CREDENTIALS = "credentials missing or wrong"
    BROKEN_TABLE = "the office's own table is broken"
    SYSTEM_FAULT = "a fault of the system over there"
    MAINTENANCE = "a page for people instead of a reply"
    NOT_ALLOWED = "the method is not allowed"
    UNKNOWN = "a reply of no known kind"


_BY_CODE = {
    "0": Meaning.FOUND,
    "6": Meaning.BUSY,
    "15": Meaning.CREDENTIALS,
    "22": Meaning.CHANGED,
    "50": Meaning.NOTHING_NEWER,
    "90": Meaning.ABSENT,
    "98": Meaning.TOO_LARGE,
    "99": Meaning.JOB_STARTED,
    "103": Meaning.NOTHING,
    "104": Meaning.NOTHING,
    "-1": Meaning.BROKEN_TABLE,
}

_JOB_NAME = re.compile(r": *(\S*_\d+)\s*$")
_TRANSLATED = {
    "area": {
        "all": {"Alle", "all"},
        "user": {"Benutzer", "user"},
        "free": {"Alle", "Katalog", "free", "public"},
    },
    "type": {"all": {"Alle", "all"}},
}
_NEVER_ECHOED = {"quality"}  # accepted and obeyed, but missing from the echo in every recorded reply


@dataclass(frozen=True)
class Reply:
    """One reply, understood. `text` is the service's own wording."""

    meaning: Meaning
    text: str = ""
    code: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    objects: list[dict[str, Any]] = field(default_factory=list)
    body: bytes = b""
    user: str | None = None

    @property
    def job_name(self) -> str | None:
        """The name of the job that was started, from the end of the message."""
        match = _JOB_NAME.search(self.text)
        return match[1] if match else None

    def ignored(self, sent: Mapping[str, str]) -> list[str]:
        """Parameters that were sent and did not come back as sent.

        The service drops unknown or misspelt fields without a word; only the echo shows it.
        """
        found = []
        for name, value in sent.items():
            if name in _NEVER_ECHOED or not value:
                continue
            echoed = self.parameters.get(name)
            allowed = _TRANSLATED.get(name, {}).get(value, {value})
            if echoed is None or (echoed not in allowed and echoed.split(" ")[0] not in allowed):
                found.append(f"{name}={value} came back as {echoed!r}")
        return found


def understand(status: int, body: bytes) -> Reply:
    """What a reply means, by its body and not by its headers: they are often wrong."""
    text = body.lstrip(b"\xef\xbb\xbf \r\n\t")
    if body.startswith(b"PK\x03\x04"):
        return Reply(Meaning.FILE, body=body)
    if text.startswith(b"{"):
        try:
            return _from_json(status, json.loads(text.decode("utf-8")))
        except (ValueError, AttributeError):
            return Reply(Meaning.UNKNOWN, "JSON that breaks off")
    if status == 405:
        return Reply(Meaning.NOT_ALLOWED, "HTTP 405")
    if text.startswith(b"<"):
        kind = Meaning.MAINTENANCE if status == 200 else Meaning.UNKNOWN
        return Reply(kind, f"HTTP {status} with an HTML page instead of a reply")
    if status in (401, 403):
        return Reply(Meaning.CREDENTIALS, f"HTTP {status}")
    if status != 200:
        return Reply(Meaning.UNKNOWN, f"HTTP {status}")
    return Reply(Meaning.FILE, body=body) if text else Reply(Meaning.UNKNOWN, "an empty reply")


def _from_json(status: int, data: dict[str, Any]) -> Reply:
    state = data.get("Status")
    if isinstance(state, dict):
        code, text = str(state.get("Code")), str(state.get("Content", ""))
        meaning = _BY_CODE.get(code, Meaning.UNKNOWN)
        found = data.get("List") or data.get("Object") or []
        return Reply(
            meaning,
            text,
            code,
            {str(k): str(v) for k, v in (data.get("Parameter") or {}).items()},
            found if isinstance(found, list) else [found],
        )
    if isinstance(state, str):  # helloworld/logincheck: always HTTP 200, whatever it says
        return Reply(_login(state, str(data.get("Username", ""))), state, user=str(data.get("Username", "")))
    if "Code" in data:
        code, text = str(data["Code"]), str(data.get("Content", ""))
        if code == "2":  # wrong credentials and faults of the system share a code; the text tells
            wrong = re.search("Nutzernamen|Passwort|password|user name", text) is not None
            return Reply(Meaning.CREDENTIALS if wrong else Meaning.SYSTEM_FAULT, text, code)
        return Reply(_BY_CODE.get(code, Meaning.UNKNOWN), text, code)
    return Reply(Meaning.UNKNOWN, f"HTTP {status} with JSON of no known shape")


def _login(text: str, user: str) -> Meaning:
    """Success is said to guests too: only a name of one's own proves a login."""
    if user.strip().upper() == "GAST" or not re.search("erfolgreich|successful", text):
        return Meaning.CREDENTIALS
    return Meaning.FOUND
