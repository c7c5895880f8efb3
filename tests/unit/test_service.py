"""The HTTP service: what it answers, what it refuses, and that nothing in a request is ever SQL."""

from __future__ import annotations

import csv
import datetime as dt
import io
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from orchestration import service as service_module
from orchestration.publish.release import Release, ReleaseStore
from orchestration.service import service
from tests.support.releases import FIRST, add

ROWS = "/releases/current/tables/pub_leavers/rows"

HOSTILE = (
    "' or 1=1 --", "'; drop table pub_leavers; --", '" or "" = "', "1) union select * from duckdb_settings() --",
    "x'; attach '/etc/passwd' as p; --", "read_csv('/etc/passwd')", "%27%20or%201%3D1", "\\'; select 1; --",
    "area_code\" from read_text('/etc/passwd') --", "a, (select 1)", "value desc, (select 1)", "../../../etc/passwd",
    "..%2f..%2fmanifest.json", "\x00", "ä" * 300, "{{7*7}}", "${jndi:ldap://x}", "1e999", "NaN", "-1",
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> ReleaseStore:
    store = ReleaseStore(tmp_path_factory.mktemp("releases"))
    add(store, FIRST, [("a", "07111", 1.0)])
    add(
        store, FIRST + dt.timedelta(1),
        [("a", "07111", 1.5), ("b", "07111", None), ("a", "07", 3.0), ("c", "DG", 4.0)], both=True,
        period_end=dt.date(2025, 12, 31), is_break=False,
    )  # fmt: skip
    return store


@pytest.fixture(scope="module")
def client(store: ReleaseStore) -> Iterator[TestClient]:
    with TestClient(service(store.folder, requests_per_minute=1_000_000)) as client:
        yield client


def served(store: ReleaseStore) -> Release:
    release = store.current()
    assert release is not None
    return release


def test_rows_are_filtered_sorted_and_paged(client: TestClient, store: ReleaseStore) -> None:
    page = client.get(
        ROWS, params={"indicator_id": "a", "sort": "-value", "columns": "area_code,value"}
    ).json()
    assert page["rows"] == [{"area_code": "07", "value": 3.0}, {"area_code": "07111", "value": 1.5}]
    assert (page["release"], page["total"], page["next"]) == (served(store).id, 2, None)
    assert client.get(ROWS, params={"value__gte": "1.5", "value__lte": "3"}).json()["total"] == 2
    assert client.get(ROWS, params={"value": ""}).json()["rows"][0]["indicator_id"] == "b"
    assert client.get(f"{ROWS}?area_code=07&area_code=DG").json()["total"] == 2
    assert client.get(f"{ROWS}?period_end__lte=2025-12-30").json()["total"] == 0
    assert client.get(f"{ROWS}?is_break=false").json()["total"] == 4
    seen: list[str] = []
    following: str | None = f"{ROWS}?limit=3&columns=area_code"
    while following:
        page = client.get(following).json()
        seen += [row["area_code"] for row in page["rows"]]
        following = page["next"]
    assert seen == ["07111", "07111", "07", "DG"]


def test_the_same_rows_as_csv_and_parquet(client: TestClient) -> None:
    expected = client.get(ROWS).json()["rows"]
    text = client.get(ROWS, params={"format": "csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["value"] for row in rows] == ["1.5", "", "3.0", "4.0"]
    table = pq.read_table(io.BytesIO(client.get(ROWS, params={"format": "parquet"}).content))
    assert table.column("area_code").to_pylist() == [row["area_code"] for row in expected]
    assert table.column("value").to_pylist() == [row["value"] for row in expected]


def test_what_has_not_changed_is_not_sent_again(client: TestClient) -> None:
    first = client.get(ROWS)
    again = client.get(ROWS, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(f"{ROWS}?limit=1").headers["etag"] != first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    pinned = client.get(ROWS.replace("current", first.headers["x-release"]))
    assert pinned.headers["cache-control"] == "public, max-age=300, must-revalidate"


def test_files_come_whole_or_in_ranges(client: TestClient, store: ReleaseStore) -> None:
    place = "/releases/current/files/parquet/pub_leavers.parquet"
    data = served(store).parquet("pub_leavers").read_bytes()
    assert client.get(place).content == data
    part = client.get(place, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content, part.headers["content-range"]) == (
        206,
        b"PAR1",
        f"bytes 0-3/{len(data)}",
    )
    assert client.get(place, headers={"Range": f"bytes={len(data)}-"}).status_code == 416
    assert client.get("/releases/current/files/manifest.json").status_code == 404
    assert client.get("/releases/current/files/%2e%2e/%2e%2e/history.jsonl").status_code in (404, 422)


def test_earlier_releases_and_days(client: TestClient, store: ReleaseStore) -> None:
    ids = [release["release"] for release in client.get("/releases").json()]
    assert ids == ["20260901T020000Z", "20260902T020000Z"]
    assert client.get(f"/releases/{ids[0]}/tables/pub_leavers/rows").json()["total"] == 1
    assert client.get(f"/releases/on/{FIRST:%Y-%m-%d}").json()["release"] == ids[0]
    assert client.get("/releases/on/2020-01-01").status_code == 404
    facts = client.get("/releases/current/tables/pub_leavers").json()
    assert (facts["rows"], facts["columns"]["value"], facts["schema_version"]) == (4, "DOUBLE", "1.0.0")
    page = client.get("/")
    assert "pub_schools" in page.text
    assert "http" not in page.text.replace("https://www.govdata.de", "").replace("http-equiv", "")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nonsense=1", "found filter 'nonsense'"),
        ("value__like=1", "found filter 'value__like'"),
        ("value=viel", "value: found 'viel', expected a double"),
        ("period_end=2025-13-01", "expected a date"),
        ("columns=value,nonsense", "found column 'nonsense'"),
        ("sort=-nonsense", "found column 'nonsense'"),
        ("value__gte=", "expected one to compare with"),
    ],
)
def test_a_wrong_question_is_told_what_was_expected(client: TestClient, query: str, said: str) -> None:
    answer = client.get(f"{ROWS}?{query}")
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_parameters_are_harmless(client: TestClient, store: ReleaseStore, text: str) -> None:
    """As a value they match nothing, as a name they are unknown; nothing else of the house comes out."""
    value = client.get(ROWS, params={"area_code": text})
    assert (value.status_code, value.json()["total"]) == (200, 0)
    for name in ("columns", "sort"):
        assert client.get(ROWS, params={name: text}).status_code in (400, 422)
    assert client.get(ROWS, params={text: "1"}).status_code == 400
    for field in ("limit", "offset", "format"):
        assert client.get(ROWS, params={field: text}).status_code == 422
    part = urllib.parse.quote(text, safe="")
    for place in (f"{part}", f"current/tables/{part}/rows", f"current/files/{part}", f"on/{part}"):
        answer = client.get(f"/releases/{place}")
        assert answer.status_code in (404, 422), place
        assert "root:" not in answer.text
    assert client.get(ROWS).json()["total"] == 4
    assert not served(store).damage()


def test_too_many_requests_are_refused(store: ReleaseStore) -> None:
    with TestClient(service(store.folder, requests_per_minute=3)) as client:
        codes = [client.get("/releases/current").status_code for _ in range(5)]
        assert codes == [200, 200, 200, 429, 429]
        assert client.get("/releases/current").headers["retry-after"] == "60"


def until(question: Callable[[], bool]) -> None:
    """Ask until it is so; fails after ten seconds."""
    for _ in range(200):
        if question():
            return
        time.sleep(0.05)
    raise AssertionError("it never was")


def test_one_request_is_of_one_release_while_another_is_served(tmp_path: Path) -> None:
    store = ReleaseStore(tmp_path)
    first = add(store, FIRST, [("a", "07111", 1.0)])
    with TestClient(service(tmp_path)) as client:
        assert client.get(ROWS).json()["rows"][0]["value"] == 1.0
        second = add(store, FIRST + dt.timedelta(1), [("a", "07111", 2.0)])

        def is_second() -> bool:
            answer = client.get(ROWS)
            release = answer.json()["release"]
            assert answer.headers["x-release"] == release
            assert answer.json()["rows"][0]["value"] == {first.id: 1.0, second.id: 2.0}[release]
            return bool(release == second.id)

        until(is_second)


def test_nobody_waits_while_a_new_release_is_opened_but_not_for_longer_than_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ReleaseStore(tmp_path)
    first = add(store, FIRST, [("a", "07111", 1.0)])
    asked, go_on, really = threading.Event(), threading.Event(), service_module._mart

    def slowly(release: Release) -> Any:
        if release.id != first.id:
            asked.set()
            assert go_on.wait(10)
        return really(release)

    monkeypatch.setattr(service_module, "_mart", slowly)
    with TestClient(service(tmp_path)) as client:
        held = lambda: client.get(ROWS).json()["release"]  # noqa: E731
        until(lambda: held() == first.id)
        time.sleep(0.3)  # it has been looked at by now
        second = add(store, FIRST + dt.timedelta(1), [("a", "07111", 2.0)])
        assert asked.wait(10)
        assert held() == first.id
        # What was seen more than a second ago is trusted no more: the next one waits for the new release.
        time.sleep(1.1)
        threading.Timer(0.3, go_on.set).start()
        assert held() == second.id


def test_the_service_keeps_the_contract_it_describes(store: ReleaseStore) -> None:
    """Schemathesis asks whatever the OpenAPI description allows: no server error, no answer that it does not describe."""
    application = service(store.folder, requests_per_minute=10_000_000)
    description = schemathesis.openapi.from_asgi("/openapi.json", application)

    for found in description.get_all_operations():
        operation = found.ok()

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            case.call_and_validate()

        ask()
