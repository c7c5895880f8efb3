"""The night's one message: what went out, what was held and why, what is new, who owns what stays open.

Belongs here: composing it from the night's outcome, remembering what was told before, and sending it by e-mail and
webhook. Does not belong here: deciding anything about a table.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import logging
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any

import httpx
import tenacity

from expectations.wording import day
from orchestration.resources.clock import now
from orchestration.resources.files import write_json
from orchestration.resources.home import Home
from orchestration.settings import Email, Notify, Settings, Webhook

LOG = logging.getLogger("bildungsmonitor")

NAMED_AFTER_NIGHTS = 3
"""A remark this old is told with its owner, every night, until it is gone."""

_SECONDS = 20


@dataclass(frozen=True)
class Notice:
    """One thing to tell: a held table, a remark of a check, a late source, a failed night.

    `key` is the same every night as long as it is the same thing.
    """

    kind: str
    key: str
    de: str
    en: str
    owner: str = ""
    nights: int = 1

    @property
    def is_new(self) -> bool:
        return self.nights == 1


@dataclass(frozen=True)
class Message:
    """What is told of one night."""

    night: str
    municipality: str
    release_id: str | None
    is_new: bool
    published: list[str]
    notices: list[Notice]
    gone: list[str] = field(default_factory=list)
    """Keys told last night that are no more."""
    quiet_nights: int = 0
    """How many nights in a row nothing has changed; then the message is folded."""

    def of(self, kind: str) -> list[Notice]:
        return [n for n in self.notices if n.kind == kind]

    @property
    def subject(self) -> str:
        held, failed = len(self.of("held")), bool(self.of("failed"))
        if failed:
            state = "Nachtlauf gescheitert / night failed"
        else:
            state = f"{len(self.published)} freigegeben / published, {held} zurückgehalten / held"
        same = f" – unverändert, {self.quiet_nights + 1}. Nacht / unchanged" if self.quiet_nights else ""
        return f"[Bildungsmonitor {self.municipality}] {state}{same}"

    @property
    def text(self) -> str:
        """German with English beside it; what was told before is folded into one line a kind."""
        date = dt.datetime.fromisoformat(self.night).date()
        lines = [
            f"Nachtlauf vom {day(date, 'de')} / night of {day(date, 'en')}",
            f"Release: {self.release_id or '–'} ({'neu / new' if self.is_new else 'unverändert / unchanged'})",
            "",
        ]
        if self.quiet_nights:
            lines += [
                f"Nichts Neues seit {self.quiet_nights + 1} Nächten. / Nothing new for {self.quiet_nights + 1} nights.",
                "",
            ]
        else:
            lines += [
                f"Freigegeben / published ({len(self.published)}): {', '.join(self.published) or '–'}",
                "",
            ]
        for kind, heading in _KINDS.items():
            told = self.of(kind)
            fresh = [n for n in told if n.is_new]
            standing = [n for n in told if n.nights >= NAMED_AFTER_NIGHTS]
            folded = len(told) - len(fresh) - len(standing)
            if not told:
                continue
            lines.append(f"{heading} ({len(told)})")
            lines += [f"  NEU / NEW {n.de} / {n.en}{_by(n)}" for n in fresh]
            lines += [f"  seit {n.nights} Nächten / for {n.nights} nights: {n.de}{_by(n)}" for n in standing]
            if folded:
                lines.append(f"  {folded} wie gestern / as yesterday")
            lines.append("")
        if self.gone:
            lines.append(f"Erledigt / gone: {len(self.gone)}: {', '.join(self.gone[:5])}")
        return "\n".join(lines).rstrip() + "\n"

    @property
    def document(self) -> dict[str, Any]:
        """The same for machines."""
        return {
            "product": "bildungsmonitor", "municipality": self.municipality, "night": self.night,
            "release_id": self.release_id, "is_new": self.is_new, "published": self.published,
            **{kind: [{**n.__dict__, "is_new": n.is_new} for n in self.of(kind)] for kind in _KINDS},
            "gone": self.gone, "quiet_nights": self.quiet_nights, "subject": self.subject, "text": self.text,
        }  # fmt: skip


_KINDS = {
    "failed": "Gescheitert / failed",
    "held": "Zurückgehalten / held",
    "late": "Überfällige Quellen / late sources",
    "warning": "Hinweise / remarks",
}


def _by(notice: Notice) -> str:
    return f" [{notice.owner}]" if notice.owner else ""


def composed(
    home: Home, settings: Settings, night: str, outcome: dict[str, Any] | None, reasons: list[str]
) -> Message:
    """Tonight's message, beside what was told the nights before. `outcome` is None if the night did not get that far."""
    before = _told(home)
    if outcome is None:
        notices = [Notice("failed", "night", r, r) for r in reasons or ["no outcome"]][:3]
        published: list[str] = []
    else:
        notices = [Notice(**n) for n in outcome.get("notices", [])]
        failed = [state for state in outcome.get("databases", []) if state["error"]]
        notices += [Notice("failed", s["name"], s["error"], s["error"]) for s in failed]
        published = [t["table"] for t in outcome["tables"] if t["published"]]
    nights: dict[str, int] = before.get("nights", {})
    aged = [
        Notice(n.kind, n.key, n.de, n.en, n.owner, nights.get(f"{n.kind}:{n.key}", 0) + 1) for n in notices
    ]
    now = {f"{n.kind}:{n.key}" for n in aged}
    gone = sorted(set(nights) - now)
    is_new = bool(outcome and outcome["is_new"])
    quiet = 0 if is_new or gone or any(n.is_new for n in aged) or not before else before["quiet_nights"] + 1
    return Message(
        night, settings.municipality.name, outcome["release_id"] if outcome else None, is_new, published, aged, gone, quiet
    )  # fmt: skip


def send(home: Home, message: Message, notify: Notify) -> dict[str, str]:
    """Send the message wherever the city wants it, and remember what was told. By channel: `sent`, or why not.

    Never raises: a message that can't be sent is no reason for a night to fail.
    """
    done: dict[str, str] = {}
    for name, channel in (("email", notify.email), ("webhook", notify.webhook)):
        if channel is None:
            continue
        try:
            if isinstance(channel, Email):
                _mail(message, channel)
            else:
                _post(message, channel)
            done[name] = "sent"
        except Exception as error:
            # The error's own words may quote an address with a password in it.
            done[name] = f"not sent: {type(error).__name__}"
            LOG.warning("message | %s %s", name, done[name])
    told = {
        "nights": {f"{n.kind}:{n.key}": n.nights for n in message.notices},
        "quiet_nights": message.quiet_nights,
        "delivery": done,
        "message": message.document,
    }
    write_json(_path(home), told)
    return done


def _told(home: Home) -> dict[str, Any]:
    path = _path(home)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _path(home: Home) -> Path:
    return home.warehouse / "message.json"


def last_message(home: Home) -> dict[str, Any] | None:
    """The last message as it was told, and what became of it; None before the first night."""
    return _told(home) or None


def _mail(message: Message, to: Email) -> None:
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = to.sender
    mail["To"] = ", ".join(to.recipients)
    mail["Date"] = format_datetime(now())
    mail["Message-ID"] = make_msgid(domain=to.sender.rsplit("@", 1)[-1])
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    context = ssl.create_default_context()
    smtp: smtplib.SMTP = (
        smtplib.SMTP_SSL(to.host, to.port, timeout=_SECONDS, context=context)
        if to.security == "tls"
        else smtplib.SMTP(to.host, to.port, timeout=_SECONDS)
    )
    with smtp:
        if to.security == "starttls":
            smtp.starttls(context=context)
        if to.username:
            smtp.login(to.username, to.password.get_secret_value())
        smtp.send_message(mail)


def _post(message: Message, to: Webhook) -> None:
    body = json.dumps(message.document, ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if secret := to.secret.get_secret_value():
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers["X-Bildungsmonitor-Signature"] = f"sha256={signature}"
    retry = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(multiplier=to.first_wait_seconds),
        retry=tenacity.retry_if_exception(_may_be_repeated),
        reraise=True,
    )
    retry(
        lambda: httpx.post(
            to.url.get_secret_value(), content=body, headers=headers, timeout=_SECONDS
        ).raise_for_status()
    )


def _may_be_repeated(error: BaseException) -> bool:
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code >= 500 or error.response.status_code == 429
    return isinstance(error, httpx.TransportError)
