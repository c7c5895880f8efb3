"""The release store: whole releases, one switch, and damage that is found."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from orchestration.publish.release import ReleaseStore


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path)


MORNING = dt.datetime(2026, 11, 1, 2, tzinfo=dt.UTC)


def facts(text: str, at: dt.datetime) -> dict[str, object]:
    return {"content_digest": text, "created_at": at.isoformat()}


def add(store: ReleaseStore, name: str, text: str = "x", at: dt.datetime = MORNING) -> None:
    def write(folder: Path) -> None:
        (folder / "csv").mkdir()
        (folder / "csv" / "a.csv").write_text(text)

    store.serve(store.add(name, write, facts(text, at)), at)


def test_nothing_is_served_before_the_first_release(store: ReleaseStore) -> None:
    assert store.current() is None


def test_serving_switches_and_keeps_the_old_release(store: ReleaseStore) -> None:
    add(store, "a", "one")
    first = store.current()
    add(store, "b", "two")
    second = store.current()
    assert first is not None
    assert second is not None
    assert (first.id, second.id) == ("a", "b")
    assert (store.folder / "current" / "csv" / "a.csv").read_text() == "two"
    assert (first.folder / "csv" / "a.csv").read_text() == "one"
    assert first.damage() == second.damage() == []


def test_the_same_name_twice_gets_a_number(store: ReleaseStore) -> None:
    add(store, "a", "one")
    add(store, "a", "two")
    current = store.current()
    assert current is not None
    assert current.id == "a-2"


def test_a_crash_while_writing_leaves_the_old_release_served(store: ReleaseStore) -> None:
    add(store, "a")

    def crash(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.add("b", crash, {})
    current = store.current()
    assert current is not None
    assert current.id == "a"
    assert current.damage() == []
    add(store, "c")
    assert not list(store.folder.glob(".staging-*"))


def test_damage_is_found(store: ReleaseStore) -> None:
    add(store, "a")
    current = store.current()
    assert current is not None
    file = current.folder / "csv" / "a.csv"
    file.chmod(0o644)
    file.write_text("y")
    assert current.damage() == ["csv/a.csv: content differs from the manifest"]
    file.unlink()
    assert current.damage() == ["csv/a.csv: missing"]
