"""A release whose figures are destroyed: no byte of them is left, and what it was and why it went stays."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.publish.database import Target, TargetError
from orchestration.publish.release import MANIFEST, Release, ReleaseStore
from orchestration.publish.verification import repaired, wrong_in
from orchestration.service import service
from orchestration.settings import DatabaseTarget
from tests.support.releases import FIRST, add

SECRET = "Zwirnsteiner-93817"
"""Stands in the bad release only."""

DAY = dt.timedelta(1)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A good release, a bad one, and the good one served again."""
    (tmp_path / "releases").mkdir()
    store = ReleaseStore(tmp_path / "releases")
    good, bad = (
        add(store, FIRST, [("a", "07111", 1.0)]),
        add(store, FIRST + DAY, [(SECRET, "07111", 93817.5)]),
    )
    store.serve(good, FIRST + 2 * DAY, withdraw=[bad.id], reason="Kleine Zahlen")
    config = {
        "municipality": {"code": "07111", "name": "Koblenz"},
        "official_statistics": {"source": "sample"},
        "publication": {"databases": [{"url": f"sqlite:///{tmp_path}/dashboards.sqlite"}]},
    }
    (tmp_path / "city.yaml").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def store_of(home: Path) -> ReleaseStore:
    return ReleaseStore(home / "releases")


def bad_of(home: Path) -> Release:
    return store_of(home).read(f"{FIRST + DAY:%Y%m%dT%H%M%SZ}")


def purge(home: Path, release: str, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(
        app,
        ["release", "purge", release, "--reason", "Kleine Zahlen", "--home", str(home), "--config", str(home / "city.yaml"), *more],
    )  # fmt: skip
    return done.exit_code, done.output


def bytes_with(folder: Path, text: str) -> list[str]:
    return [str(p) for p in folder.rglob("*") if p.is_file() and text.encode() in p.read_bytes()]


def test_no_byte_is_left_in_files_and_databases_and_the_log_says_what_went(home: Path) -> None:
    store, bad = store_of(home), bad_of(home)
    database = DatabaseTarget.model_validate({"url": f"sqlite:///{home}/dashboards.sqlite"})
    good = store.current()
    assert good is not None
    with Target(database) as target:
        target.serve(bad, FIRST + DAY, store.spans())
        target.serve(good, FIRST + 2 * DAY, store.spans())
    files = bad.manifest["files"]
    assert len(bytes_with(home, SECRET)) >= 3
    code, printed = purge(home, bad.id)
    assert code == 0, printed
    assert f"{bad.id}: {len(files)} Dateien vernichtet" in printed
    assert bytes_with(home, SECRET) == []
    (line,) = store.purges()
    assert (line["release"], line["reason"], line["files"]) == (bad.id, "Kleine Zahlen", files)
    after = store.read(bad.id)
    assert after.is_purged
    assert after.manifest["tables"] == bad.manifest["tables"], (
        "what must not go out again is known by its hash"
    )
    assert store.withdrawn() == {bad.id: "Kleine Zahlen"}
    assert wrong_in(after) == []
    assert store.prune(1) == []
    assert store.current() == good
    listed = CliRunner().invoke(app, ["release", "list", "--home", str(home)])
    assert "vernichtet" in listed.output, listed.exception
    assert purge(home, bad.id)[0] == 0, "again is no harm"
    assert len(store.purges()) == 1


def test_the_service_answers_gone_and_lets_go_of_the_files(home: Path) -> None:
    store, bad = store_of(home), bad_of(home)
    place = f"/releases/{bad.id}/tables/pub_leavers/rows"
    store.serve(bad, FIRST + 3 * DAY)  # served again: no more withdrawn
    with TestClient(service(store.folder, requests_per_minute=1_000_000)) as client:
        pinned = client.get(place)
        assert pinned.status_code == 200
        assert pinned.headers["cache-control"] == "public, max-age=300, must-revalidate"
        good = store.read(f"{FIRST:%Y%m%dT%H%M%SZ}")
        store.serve(good, FIRST + 4 * DAY, withdraw=[bad.id], reason="Kleine Zahlen")
        for path in (place, f"/releases/{bad.id}", f"/releases/{bad.id}/files/parquet/pub_leavers.parquet"):
            answer = client.get(path, headers={"If-None-Match": pinned.headers["etag"]})
            assert answer.status_code == 410, path
            assert answer.json() == {"detail": f"release '{bad.id}' was withdrawn: Kleine Zahlen"}
        assert purge(home, bad.id)[0] == 0
        assert client.get(place).status_code == 410
        assert client.get(place.replace(bad.id, "current")).json()["release"] == good.id


def test_what_is_served_or_quoted_is_not_purged_by_itself(home: Path) -> None:
    store, bad = store_of(home), bad_of(home)
    served = store.current()
    assert served is not None
    code, printed = purge(home, served.id)
    assert (code, "roll back to an earlier release first" in printed) == (2, True)
    for name in (served.id, "current"):
        with pytest.raises(ValueError, match="is served"):
            store.purge(store.read(name), FIRST, "x")
    follower = add(store, FIRST + 3 * DAY, [("b", "07111", 2.0)])
    manifest = follower.folder / MANIFEST
    manifest.write_text(json.dumps({**follower.manifest, "follows": bad.id}), encoding="utf-8")
    store.serve(served, FIRST + 4 * DAY, withdraw=[follower.id], reason="zitiert")
    code, printed = purge(home, bad.id)
    assert (code, f"{follower.id} says what changed against {bad.id}" in printed) == (2, True)
    assert not store.read(bad.id).is_purged
    assert purge(home, bad.id, "--followers")[0] == 0
    assert [r.is_purged for r in store.all()] == [False, True, True]
    for words in ("", "[red]x"):
        done = CliRunner().invoke(app, ["release", "purge", bad.id, "--reason", words, "--home", str(home)])
        assert done.exit_code == 2


def test_a_killed_purge_is_completed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, bad = store_of(home), bad_of(home)

    def dies(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ReleaseStore, "_destroy", dies)
        with pytest.raises(KeyboardInterrupt):
            store.purge(bad, FIRST, "Kleine Zahlen")
    assert store.withdrawn() == {bad.id: "Kleine Zahlen"}, "from the log on it is not served again"
    repaired(store, FIRST)
    assert store.read(bad.id).is_purged
    assert bytes_with(home / "releases", SECRET) == []


def test_the_same_content_elsewhere_is_named(home: Path) -> None:
    store, bad = store_of(home), bad_of(home)
    served = store.current()
    assert served is not None
    twin = add(store, FIRST + 5 * DAY, [(SECRET, "07111", 93817.5)])
    store.serve(served, FIRST + 6 * DAY, withdraw=[twin.id], reason="Kleine Zahlen")
    code, printed = purge(home, bad.id)
    assert code == 0
    assert f"the same content still stands in {twin.id}" in printed


def test_a_database_does_not_forget_what_it_serves(home: Path) -> None:
    database = DatabaseTarget.model_validate({"url": f"sqlite:///{home}/dashboards.sqlite"})
    with Target(database) as target:
        target.serve(bad_of(home), FIRST + DAY)
        with pytest.raises(TargetError, match="is served here"):
            target.forget(bad_of(home).id)
