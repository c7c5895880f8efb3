"""The night's message on its way: a real mail server and a real receiver of webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from orchestration.resources.home import Home
from orchestration.resources.message import composed, last_message, send
from orchestration.settings import Email, Notify, Settings, Webhook
from tests.support.servers import free_port
from tests.unit.test_message import HELD, LATE, outcome


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[tuple[list[str], bytes]] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.mails.append((envelope.rcpt_tos, envelope.content))  # type: ignore[arg-type]
        return "250 taken"


def test_a_real_mail_server_gets_one_mail(bare_home: Home, default_settings: Settings) -> None:
    mailbox = Mailbox()
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        to = Email(
            host="127.0.0.1", port=port, security="none", sender="monitor@koblenz.example",
            recipients=["statistik@koblenz.example", "schulamt@koblenz.example"],
        )  # fmt: skip
        message = composed(bare_home, default_settings, "2026-11-24", outcome(HELD, is_new=True), [])
        assert send(bare_home, message, Notify(email=to)) == {"email": "sent"}
    finally:
        controller.stop()
    ((recipients, content),) = mailbox.mails
    assert recipients == ["statistik@koblenz.example", "schulamt@koblenz.example"]
    mail = message_from_bytes(content, policy=policy.default)
    assert mail["Subject"] == message.subject
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "zurückgehalten" in mail["Subject"]
    assert mail.get_content().replace("\r\n", "\n") == message.text  # type: ignore[attr-defined]


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]], list[int]]]:
    """A local HTTP server: its address, what it got, and the states it answers with (the last one for ever)."""
    got: list[tuple[dict[str, str], bytes]] = []
    states = [204]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((dict(self.headers), body))
            self.send_response(states.pop(0) if len(states) > 1 else states[0])
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got, states
    server.shutdown()


def webhook(url: str) -> Notify:
    return Notify(webhook=Webhook(url=url, secret="a secret", first_wait_seconds=0))  # type: ignore[arg-type]


def test_a_webhook_gets_signed_json_after_a_busy_answer(
    bare_home: Home,
    default_settings: Settings,
    receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]],
) -> None:
    url, got, states = receiver
    states[:] = [503, 204]
    message = composed(bare_home, default_settings, "2026-11-24", outcome(HELD, LATE, is_new=True), [])
    assert send(bare_home, message, webhook(url)) == {"webhook": "sent"}
    assert len(got) == 2
    headers, body = got[-1]
    signature = hmac.new(b"a secret", body, hashlib.sha256).hexdigest()
    assert headers["X-Bildungsmonitor-Signature"] == f"sha256={signature}"
    document = json.loads(body)
    assert document["held"][0]["key"] == "pub_leavers"
    assert document["late"][0]["is_new"]
    assert document["published"] == ["pub_schools"]


def test_a_message_that_can_not_be_sent_fails_no_night(
    bare_home: Home,
    default_settings: Settings,
    receiver: tuple[str, list[tuple[dict[str, str], bytes]], list[int]],
) -> None:
    url, got, states = receiver
    states[:] = [400]
    nobody = Email(
        host="127.0.0.1", port=1, security="none", sender="a@b.example", recipients=["c@d.example"]
    )
    message = composed(bare_home, default_settings, "2026-11-24", outcome(HELD), [])
    done = send(bare_home, message, Notify(email=nobody, webhook=webhook(url).webhook))
    assert done == {"email": "not sent: ConnectionRefusedError", "webhook": "not sent: HTTPStatusError"}
    assert len(got) == 1, "a refusal is not repeated"
    told = last_message(bare_home)
    assert told is not None
    assert told["delivery"] == done
