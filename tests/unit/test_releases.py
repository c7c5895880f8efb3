"""Going back, tidying up, comparing and citing releases."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from expectations.catalogue import load_catalogue
from orchestration.publish.citation import cite
from orchestration.publish.differences import differences
from orchestration.publish.release import ReleaseStore
from orchestration.publish.verification import repaired, wrong_in
from orchestration.settings import Publishing
from tests.support.releases import FIRST, add


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(tmp_path)


def test_two_releases_differ_in_cells_and_columns(store: ReleaseStore) -> None:
    old = add(store, FIRST, [("a", "07111", 1.0), ("b", "07111", None), ("c", "07111", 3.0)])
    new = add(
        store,
        FIRST + dt.timedelta(1),
        [("a", "07111", 1.0), ("b", "07111", 2.0), ("d", "07111", 4.0)],
        unit="percent",
    )
    (found,) = differences(old, new, cells=10)
    assert (found.new, found.changed, found.withdrawn) == (1, 1, 1)
    assert found.changed_columns == {"value": 1}
    assert found.columns == {"unit": "new"}
    changed = next(cell for cell in found.cells if cell["kind"] == "changed")
    assert (changed["indicator_id"], changed["columns"]) == ("b", {"value": (None, 2.0)})
    assert [c["kind"] for c in found.cells] == ["changed", "withdrawn", "new"]
    assert differences(old, old) == []


def test_what_is_taken_back_is_remembered_until_it_is_served_again(store: ReleaseStore) -> None:
    good, bad = add(store, FIRST, [("a", "x", 1.0)]), add(store, FIRST + dt.timedelta(1), [("a", "x", 10.0)])
    store.serve(good, FIRST + dt.timedelta(2), withdraw=[bad.id], reason="Zehnfaches")
    assert store.withdrawn() == {bad.id: "Zehnfaches"}
    assert store.current() == good
    assert store.served_on(dt.date(2026, 8, 31)) is None
    assert [store.served_on(dt.date(2026, 9, day)) for day in (1, 2, 3, 30)] == [
        good.id,
        bad.id,
        good.id,
        good.id,
    ]
    store.serve(bad, FIRST + dt.timedelta(5))
    assert store.withdrawn() == {}


def test_old_releases_go_but_not_the_last_of_a_month_the_served_or_the_withdrawn(store: ReleaseStore) -> None:
    all_of_them = [add(store, FIRST + dt.timedelta(n), [("a", "x", float(n))]) for n in range(65)]
    taken_back, served = all_of_them[10], all_of_them[12]
    store.serve(taken_back, FIRST + dt.timedelta(65))
    store.serve(served, FIRST + dt.timedelta(66), withdraw=[taken_back.id], reason="falsch")
    gone = store.prune(5)
    left = [release.id[:8] for release in store.all()]
    november = [f"202611{day:02d}" for day in range(1, 5)]
    assert left == ["20260911", "20260913", "20260930", "20261031", *november]
    assert len(gone) == 65 - len(left)
    assert store.prune(5) == []
    assert not list(store.folder.glob(".removed-*"))


def test_damage_is_named_and_repaired_by_serving_what_is_whole(store: ReleaseStore) -> None:
    good, bad = add(store, FIRST, [("a", "x", 1.0)]), add(store, FIRST + dt.timedelta(1), [("a", "x", 2.0)])
    assert wrong_in(bad) == []
    (store.folder / ".staging-half").mkdir()
    (bad.folder / "note.txt").write_text("mine")
    assert wrong_in(bad) == ["note.txt: not in the manifest"]
    assert repaired(store, FIRST) == ["entfernt / removed: .staging-half"]  # a stranger harms nobody
    table = bad.parquet("pub_leavers")
    table.chmod(0o644)
    table.write_bytes(b"")
    assert "parquet/pub_leavers.parquet: content differs from the manifest" in wrong_in(bad)
    assert repaired(store, FIRST) == [f"jetzt / now: {good.id}"]
    assert store.current() == good


def test_rows_that_are_not_those_of_the_manifest_are_found(store: ReleaseStore) -> None:
    release = add(store, FIRST, [("a", "x", 1.0)])
    release.manifest["tables"]["pub_leavers"]["rows"] = 2
    assert wrong_in(release) == ["pub_leavers: found 1 rows, expected 2"]


def test_a_citation_leads_to_exactly_these_figures(store: ReleaseStore) -> None:
    release = add(store, FIRST, [("a", "x", 1.0)])
    table = load_catalogue().published["pub_leavers"]
    digest = release.manifest["files"]["parquet/pub_leavers.parquet"]["sha256"]
    alone = cite(release, table, Publishing())
    assert alone.link == f"urn:sha256:{digest}"
    assert "Stadt Koblenz (2026): Bildungsmonitoring." in alone.text
    assert "vom 01.09.2026" in alone.text
    linked = cite(release, table, Publishing(base_url="https://daten.koblenz.example/bildung"))
    assert linked.link == f"https://daten.koblenz.example/bildung/{release.id}/parquet/pub_leavers.parquet"
    assert linked.link in linked.bibtex
