"""The client against something that answers like the real thing, over real HTTP on loopback."""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.genesis.client import (
    FORM,
    GenesisClient,
    LoginError,
    TableRequest,
    TooLargeError,
)
from orchestration.collect.http import Budget, Limits, SourceError, Transport
from orchestration.collect.landing import Reception, landing_of
from orchestration.collect.official_network import collect_from_network
from orchestration.resources.home import Home
from tests.replay import server
from tests.replay.city import NIGHT, codes_of, network_settings, table_text
from tests.replay.server import LASTING, PASSING, PASSWORD, USER, Faults, Replay, serving


@pytest.fixture
def replay() -> Iterator[Replay]:
    tables = {code: table_text(code) for code in ("12612-91-01-4", "13111-01-03-4", "22161-01-01-4")}
    with serving(Replay(tables=tables, slow_seconds=1.0)) as running:
        yield running


def client_of(replay: Replay, user: str = USER, password: str = PASSWORD) -> GenesisClient:
    limits = Limits(pause=0, connect=2, read=0.4, whole_reply=0.6, first_wait=0.01, longest_wait=0.05)
    headers = {**FORM, "username": user, "password": password}
    return GenesisClient(Transport(replay.url, limits, Budget(60), headers=headers, secrets=(user, password)))


def collect(
    replay: Replay,
    home: Home,
    catalogue: Catalogue,
    tables: list[str] | None = None,
    day: int = 0,
    **host: Any,
) -> dict[str, Reception]:
    source = network_settings(replay, tables, **host)
    found = collect_from_network(source, home, catalogue, NIGHT + dt.timedelta(days=day))
    assert len({r.table_code for r in found}) == len(found), "every table has exactly one outcome"
    return {str(r.table_code): r for r in found}


# --- login --------------------------------------------------------------------------------------


def test_the_right_account_is_let_in(replay: Replay) -> None:
    client_of(replay).check_login()


@pytest.mark.parametrize(("user", "password"), [("GAST", "GAST"), (USER, "falsch!"), ("wer?", PASSWORD)])
def test_success_said_to_a_guest_is_no_login(replay: Replay, user: str, password: str) -> None:
    """`erfolgreich an- und abgemeldet` is said to GAST too, and always with HTTP 200."""
    with pytest.raises(LoginError) as caught:
        client_of(replay, user, password).check_login()
    assert password not in str(caught.value)


def test_wrong_credentials_are_not_tried_again(replay: Replay) -> None:
    with pytest.raises(LoginError):
        client_of(replay, password="falsch!").table(TableRequest("12612-91-01-4"))
    assert replay.count("data/tablefile") == 1


# --- one table ----------------------------------------------------------------------------------


def test_a_request_says_what_is_wanted_and_how(replay: Replay) -> None:
    client_of(replay).table(TableRequest("12612-91-01-4", start_year="1995"))
    (path, form), *_ = replay.asked
    assert path == "data/tablefile"
    assert (form["startyear"], form["compress"], form["format"], form["job"]) == (
        "1995",
        "false",
        "ffcsv",
        "false",
    )
    assert "username" not in form
    assert "password" not in form


@pytest.mark.parametrize("fault", PASSING)
def test_a_passing_fault_is_cured_by_asking_again(replay: Replay, fault: str) -> None:
    replay.faults = Faults(next=[fault])
    file = client_of(replay).table(TableRequest("12612-91-01-4"))
    assert file.data.startswith(b"PK")
    assert file.name.startswith("12612-91-01-4_")
    assert replay.faults.seen == {fault: 1}
    assert replay.count("data/tablefile") == 2
    assert replay.count("helloworld/logincheck") == (1 if fault == "busy" else 0)


@pytest.mark.parametrize("fault", LASTING)
def test_a_lasting_refusal_is_asked_once_and_named(replay: Replay, fault: str) -> None:
    replay.faults = Faults(always={"12612-91-01-4": fault})
    with pytest.raises(SourceError) as caught:
        client_of(replay).table(TableRequest("12612-91-01-4"))
    assert replay.count("data/tablefile") == 1
    assert "127.0.0.1" in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert USER not in str(caught.value)


def test_a_table_that_is_not_there_is_named(replay: Replay) -> None:
    with pytest.raises(SourceError, match=r"99999-01-01-4: code 90, the table does not exist"):
        client_of(replay).table(TableRequest("99999-01-01-4"))


def test_a_redirect_is_not_followed_with_credentials(replay: Replay) -> None:
    replay.faults = Faults(next=["redirect"])
    with pytest.raises(SourceError, match=r"redirects to genesis\.example\.org; not followed"):
        client_of(replay).table(TableRequest("12612-91-01-4"))


def test_a_parameter_that_did_not_come_back_is_an_error(
    replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service ignores misspelt fields without a word; only the echo shows it."""
    replay.large["12612-91-01-4"] = 0
    form = TableRequest.form
    monkeypatch.setattr(
        TableRequest, "form", lambda *a, **k: {**form(*a, **k), "startjahr": "1995"} | {"startyear": "1995"}
    )
    from tests.replay import server

    monkeypatch.setitem(server.ECHO, "startyear", {"1995": "2024"})
    with pytest.raises(SourceError, match="startyear=1995 came back as '2024'"):
        client_of(replay).table(TableRequest("12612-91-01-4"))


def test_a_dripping_reply_is_broken_off(replay: Replay) -> None:
    """Bytes that keep coming never trip the time limit for silence; the one for the reply does."""
    replay.slow_seconds = 15.0
    replay.faults = Faults(next=["slow"])
    started = time.monotonic()
    client_of(replay).table(TableRequest("12612-91-01-4"))
    assert time.monotonic() - started < 5


# --- jobs ---------------------------------------------------------------------------------------


def test_a_large_table_is_made_by_a_job(replay: Replay, tmp_path: Path, catalogue: Catalogue) -> None:
    """98 → 99 → 104 … → 0 → resultfile → removeResult."""
    replay.large["12612-91-01-4"] = 3
    home = Home(tmp_path)
    found = collect(replay, home, catalogue)
    assert {r.status for r in found.values()} == {"accepted"}
    polls = [form for path, form in replay.asked if path == "catalogue/results" and form["pagelength"] == "1"]
    assert len(polls) == 4
    assert replay.removed == [polls[0]["selection"]]
    assert replay.jobs == {}
    assert list((home.landing / "official" / ".jobs").iterdir()) == []


def test_a_job_whose_reply_was_lost_is_found_again(replay: Replay) -> None:
    replay.large["12612-91-01-4"] = 2
    replay.lose_job_reply = True
    client = client_of(replay)
    with pytest.raises(TooLargeError):
        client.table(TableRequest("12612-91-01-4"))
    replay.jobs["12612-91-01-4_100"] = 0  # somebody else's, from before
    known = client.jobs_of("12612-91-01-4")
    assert known == ["12612-91-01-4_100"]
    assert client.start_job(TableRequest("12612-91-01-4"), known) in set(replay.jobs) - set(known)
    assert len(replay.jobs) == 2


def test_a_gateway_that_gives_up_does_not_start_a_job_twice(replay: Replay) -> None:
    """504 behind which the job was started all the same."""
    replay.large["12612-91-01-4"] = 2
    replay.faults = Faults(next=["gateway after all"])
    client = client_of(replay)
    name = client.start_job(TableRequest("12612-91-01-4"), [])
    assert list(replay.jobs) == [name]
    assert [f["job"] for p, f in replay.asked if p == "data/tablefile"] == ["true"]


@pytest.fixture
def another_year(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The host starts jobs for another year than it is asked for, until this is called."""
    replay.large["12612-91-01-4"] = 0
    monkeypatch.setitem(server.ECHO, "startyear", {"1995": "2025"})
    replay.echo_on_start_only = True
    return lambda: monkeypatch.setitem(server.ECHO, "startyear", {})


def test_a_job_with_other_parameters_is_given_back_and_never_taken_over(
    replay: Replay, tmp_path: Path, catalogue: Catalogue, another_year: Callable[[], None]
) -> None:
    home = Home(tmp_path)
    first = collect(replay, home, catalogue)
    assert first["12612-91-01-4"].status == "late"
    assert "startyear=1995 came back as '2025'" in (first["12612-91-01-4"].reason or "")
    assert len(replay.removed) == 1
    replay.jobs[replay.removed[0]] = 0  # should the host keep it all the same
    another_year()
    second = collect(replay, home, catalogue, day=1)
    assert second["12612-91-01-4"].status == "accepted"
    assert len(replay.removed) == 2
    assert replay.removed[0] != replay.removed[1]


def test_a_result_that_was_not_removed_is_removed_the_next_night(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    replay.large["12612-91-01-4"] = 1
    replay.faults = Faults(on={"profile/removeResult": ["wrong credentials"]})
    home = Home(tmp_path)
    assert collect(replay, home, catalogue)["12612-91-01-4"].status == "accepted"
    (job,) = replay.jobs
    replay.faults = Faults(on={"profile/removeResult": ["wrong credentials"]})
    found = collect(replay, home, catalogue, day=1)
    assert found["12612-91-01-4"].status == "known", (
        "what is owed does not keep the table from being asked for"
    )
    assert list(replay.jobs) == [job]
    collect(replay, home, catalogue, day=2)
    assert replay.jobs == {}
    assert list((home.landing / "official" / ".jobs").iterdir()) == []


def test_a_result_the_host_never_lets_go_is_forgotten_when_it_has_expired(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    replay.large["12612-91-01-4"] = 1
    replay.faults = Faults(on={"profile/removeResult": ["wrong credentials"]})
    home = Home(tmp_path)
    collect(replay, home, catalogue)
    replay.large.clear()
    collect(replay, home, catalogue, day=15)
    assert list((home.landing / "official" / ".jobs").iterdir()) == []
    assert replay.removed == []


def test_a_wrong_job_that_could_not_be_removed_is_not_taken_over_either(
    replay: Replay, tmp_path: Path, catalogue: Catalogue, another_year: Callable[[], None]
) -> None:
    replay.faults = Faults(on={"profile/removeResult": ["wrong credentials"]})
    home = Home(tmp_path)
    collect(replay, home, catalogue)
    (wrong,) = replay.jobs
    another_year()
    assert collect(replay, home, catalogue, day=1)["12612-91-01-4"].status == "accepted"
    assert replay.removed[0] == wrong
    assert [f["name"] for p, f in replay.asked if p == "data/resultfile"] == replay.removed[1:]
    assert replay.jobs == {}


def test_a_rough_spell_does_not_end_a_job(replay: Replay, tmp_path: Path, catalogue: Catalogue) -> None:
    replay.large["12612-91-01-4"] = 3
    replay.faults = Faults(on={"catalogue/results": ["", *["http500"] * 4]})
    found = collect(replay, Home(tmp_path), catalogue, attempts=2)
    assert found["12612-91-01-4"].status == "accepted"


def test_a_job_that_is_dead_is_not_asked_for_ever(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    """After two weeks it is given up, and a new one is started beside it."""
    replay.large["12612-91-01-4"] = 10**6
    home = Home(tmp_path)
    for day in (0, 1):
        found = collect(replay, home, catalogue, day=day, job_minutes=0.002)
        assert found["12612-91-01-4"].status == "late"
    assert len(replay.jobs) == 1
    replay.large["12612-91-01-4"] = 0
    found = collect(replay, home, catalogue, day=15)
    assert found["12612-91-01-4"].status == "accepted"
    assert len(replay.removed) == 1


def test_a_job_that_does_not_end_is_taken_up_the_next_night(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    replay.large["12612-91-01-4"] = 10**6
    home = Home(tmp_path)
    source = network_settings(replay).model_copy(update={"budget_minutes": 0.02})
    (late,) = [r for r in collect_from_network(source, home, catalogue, NIGHT) if r.status == "late"]
    assert late.table_code == "12612-91-01-4"
    assert "taken up again next night" in (late.reason or "")
    (job,) = replay.jobs
    replay.jobs[job] = 1
    found = collect(replay, home, catalogue, day=1)
    assert found["12612-91-01-4"].status == "accepted"
    assert [f["job"] for p, f in replay.asked if p == "data/tablefile"].count("true") == 1, "one job only"
    assert replay.removed == [job]


# --- nights -------------------------------------------------------------------------------------


def test_what_came_says_where_it_came_from(replay: Replay, tmp_path: Path, catalogue: Catalogue) -> None:
    home = Home(tmp_path)
    collect(replay, home, catalogue)
    landing = landing_of(home, network_settings(replay), catalogue)
    (snapshot,) = landing.snapshots("12612-91-01-4")
    origin = json.loads((snapshot.folder / "origin.json").read_text())["origin"]
    assert origin["kind"] == "genesis"
    assert origin["address"] == replay.url + "data/tablefile"
    assert origin["parameters"]["startyear"] == "1995"
    assert landing.reading(snapshot).periods == ["2024-12-31"]


def test_a_second_night_with_the_same_figures_lands_nothing(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    """The archive, its name and its bytes are others each time; what it says is not."""
    home = Home(tmp_path)
    collect(replay, home, catalogue)
    again = collect(replay, home, catalogue, day=1)
    assert {r.status for r in again.values()} == {"known"}
    replay.tables["12612-91-01-4"] = table_text("12612-91-01-4", first=2)
    changed = collect(replay, home, catalogue, day=2)
    assert changed["12612-91-01-4"].status == "accepted"
    assert len(landing_of(home, network_settings(replay), catalogue).snapshots()) == 4


@pytest.mark.parametrize("changes", ["modifieddata", "cubes"])
def test_where_the_host_can_be_trusted_nothing_unchanged_is_downloaded(
    replay: Replay, tmp_path: Path, catalogue: Catalogue, changes: str
) -> None:
    home = Home(tmp_path)
    replay.modified = {"12612": "01.02.2026", "13111": "25.11.2026", "22161": "01.02.2026"}
    collect(replay, home, catalogue, changes=changes)
    replay.asked.clear()
    found = collect(replay, home, catalogue, day=3, changes=changes)
    assert {c: r.status for c, r in found.items()} == {
        "12612-91-01-4": "unchanged", "13111-01-03-4": "known", "22161-01-01-4": "unchanged",
    }  # fmt: skip
    assert replay.count("data/tablefile") == 1
    found = collect(replay, home, catalogue, day=40, changes=changes)
    assert {r.status for r in found.values()} == {"known"}, "after a month everything is compared once"


def test_without_an_account_the_login_free_files_are_taken(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    text = table_text("12612-91-01-4")
    replay.downloads = {"12612-91-01-4": text}
    address = f"http://127.0.0.1:{replay.port}/genesisws/downloader/00/tables/{{code}}_00.csv"
    home = Home(tmp_path)
    found = collect(replay, home, catalogue, username="", password="", downloader=address)
    assert found["12612-91-01-4"].status == "accepted"
    late = found["13111-01-03-4"]
    assert late.status == "late"
    assert "no account is configured" in (late.reason or "")
    assert "HTTP 404" in (late.reason or "")
    (snapshot,) = landing_of(home, network_settings(replay), catalogue).snapshots()
    assert json.loads((snapshot.folder / "origin.json").read_text())["origin"]["kind"] == "download"


def test_a_login_free_file_does_not_count_as_fetched(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    """It may be years old or hold the last period only: the service is asked again at once."""
    replay.downloads = dict(replay.tables)
    address = f"http://127.0.0.1:{replay.port}/genesisws/downloader/00/tables/{{code}}_00.csv"
    home = Home(tmp_path)
    found = collect(replay, home, catalogue, downloader=address, changes="modifieddata", password="falsch!")
    assert {r.status for r in found.values()} == {"accepted"}
    again = collect(replay, home, catalogue, day=1, downloader=address, changes="modifieddata")
    assert {r.status for r in again.values()} == {"known"}, "asked, not taken for unchanged"
    assert replay.count("data/tablefile") == len(replay.tables)


def test_a_password_may_hold_umlauts(replay: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.replay import server

    monkeypatch.setattr(server, "PASSWORD", "Müller§ 7")
    client_of(replay, password="Müller§ 7").check_login()


def test_a_wrong_account_makes_every_table_late_and_asks_for_none(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    found = collect(replay, Home(tmp_path), catalogue, password="falsch-und-lang")
    assert {r.status for r in found.values()} == {"late"}
    assert replay.count("data/tablefile") == 0
    assert not any("falsch-und-lang" in (r.reason or "") for r in found.values())


def test_a_host_that_is_down_is_named(replay: Replay, tmp_path: Path, catalogue: Catalogue) -> None:
    found = collect(
        replay, Home(tmp_path), catalogue, base_url="http://127.0.0.1:9/genesisws/rest/2020/", attempts=2
    )
    assert {r.status for r in found.values()} == {"late"}
    assert all("127.0.0.1:9: not reached" in (r.reason or "") for r in found.values())


@pytest.mark.parametrize("seed", [1, 2])
def test_forty_tables_with_one_request_in_twenty_failing(
    tmp_path: Path, catalogue: Catalogue, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    """Every table has landed or is named late; nothing twice, nothing half, no secret anywhere."""
    codes = codes_of(catalogue, 40)
    tables = {code: table_text(code, first=n) for n, code in enumerate(codes)}
    faults = Faults(share=0.05, kinds=PASSING + LASTING, seed=seed)
    large = dict.fromkeys(codes[::9], 2)
    home = Home(tmp_path)
    caplog.set_level(logging.DEBUG)
    with serving(Replay(tables=tables, large=large, faults=faults, slow_seconds=1.0)) as replay:
        first = collect(replay, home, catalogue, parallel=3)
        assert set(first) == set(codes)
        assert {r.status for r in first.values()} <= {"accepted", "late"}
        assert all(r.reason for r in first.values() if r.status == "late")
        assert faults.seen.total() > 0
        replay.faults.share = 0.0
        second = collect(replay, home, catalogue, day=1, parallel=3)
    landed = {c for c, r in first.items() if r.status == "accepted"}
    assert {c: r.status for c, r in second.items()} == {
        c: "known" if c in landed else "accepted" for c in codes
    }
    landing = landing_of(home, network_settings(replay), catalogue)
    assert sorted(s.table_code for s in landing.snapshots()) == codes, "each table once"
    for snapshot in landing.snapshots():
        assert landing.reading(snapshot).parquet.exists()
    assert not [p for p in landing.folder.rglob("*") if p.name.endswith(".part")]
    assert_no_secret(tmp_path, caplog.text)


def assert_no_secret(folder: Path, said: str) -> None:
    """No credential in any file (zipped ones included, as they came) nor in anything that was said."""
    for secret in (USER, PASSWORD):
        assert secret not in said
        for path in (p for p in folder.rglob("*") if p.is_file()):
            assert secret.encode() not in path.read_bytes(), path
