"""The night's message: what it says, and what of it is folded."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from orchestration.resources.home import Home
from orchestration.resources.message import composed, send
from orchestration.settings import Email, Notify, Settings

HELD = {
    "kind": "held",
    "key": "pub_leavers",
    "de": "Schulabschlüsse: Werte fehlen",
    "en": "School leavers: values missing",
    "owner": "Statistikstelle",
}
WARNING = {
    "kind": "warning",
    "key": "pub_schools/continuity/pupils",
    "de": "Sprung",
    "en": "jump",
    "owner": "Schulamt",
}
LATE = {
    "kind": "late",
    "key": "freshness/21111-02-06-4",
    "de": "überfällig",
    "en": "late",
    "owner": "Statistikstelle",
}


def outcome(*notices: dict[str, str], is_new: bool = False) -> dict[str, Any]:
    held = {n["key"] for n in notices if n["kind"] == "held"}
    tables = [{"table": t, "published": t not in held} for t in ("pub_leavers", "pub_schools")]
    return {"release_id": "20261124T060000Z", "is_new": is_new, "tables": tables, "notices": list(notices)}


def night(
    home: Home,
    settings: Settings,
    number: int,
    facts: dict[str, Any] | None,
    reasons: list[str] | None = None,
) -> Any:
    message = composed(home, settings, f"2026-11-{number:02d}", facts, reasons or [])
    send(home, message, Notify())
    return message


def test_the_first_message_tells_everything(bare_home: Home, default_settings: Settings) -> None:
    message = night(bare_home, default_settings, 1, outcome(HELD, WARNING, LATE, is_new=True))
    assert message.subject == "[Bildungsmonitor Koblenz] 1 freigegeben / published, 1 zurückgehalten / held"
    for part in (
        "Nachtlauf vom 01.11.2026 / night of 1 November 2026",
        "NEU / NEW Schulabschlüsse: Werte fehlen",
        "[Statistikstelle]",
        "Sprung",
        "überfällig",
        "pub_schools",
    ):
        assert part in message.text


def test_the_same_message_is_folded_and_an_old_warning_names_its_owner(
    bare_home: Home, default_settings: Settings
) -> None:
    night(bare_home, default_settings, 1, outcome(HELD, WARNING, is_new=True))
    second = night(bare_home, default_settings, 2, outcome(HELD, WARNING))
    assert "unverändert, 2. Nacht" in second.subject
    assert "1 wie gestern / as yesterday" in second.text
    assert "Sprung" not in second.text
    third = night(bare_home, default_settings, 3, outcome(HELD, WARNING))
    assert "unverändert, 3. Nacht" in third.subject
    assert "seit 3 Nächten / for 3 nights: Sprung [Schulamt]" in third.text
    fourth = night(bare_home, default_settings, 4, outcome(WARNING, LATE))
    assert "unverändert" not in fourth.subject
    assert "NEU / NEW überfällig" in fourth.text
    assert fourth.gone == ["held:pub_leavers"]
    assert "Erledigt / gone: 1: held:pub_leavers" in fourth.text


def test_a_failed_night_says_so(bare_home: Home, default_settings: Settings) -> None:
    message = night(bare_home, default_settings, 1, None, ["DbtError: no such model"])
    assert "Nachtlauf gescheitert" in message.subject
    assert "DbtError: no such model" in message.text
    assert message.document["failed"][0]["is_new"]


def test_a_password_never_travels_in_the_clear() -> None:
    with pytest.raises(ValidationError, match="unencrypted"):
        Email(host="x", security="none", username="u", sender="a@b.example", recipients=["c@d.example"])
