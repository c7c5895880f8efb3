"""Internal releases are seen and served nowhere but in their own store and their own database."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import ValidationError

from orchestration.publish.database import Target, TargetError
from orchestration.publish.release import AudienceError, Release, ReleaseStore
from orchestration.settings import DatabaseTarget, Publishing
from tests.support.releases import FIRST, add

LATER = FIRST + dt.timedelta(1)


@pytest.fixture
def public(tmp_path: Path) -> ReleaseStore:
    (tmp_path / "releases").mkdir()
    store = ReleaseStore(tmp_path / "releases")
    add(store, FIRST, [("a", "07111", 5.0)])
    return store


@pytest.fixture
def internal(tmp_path: Path) -> Release:
    (tmp_path / "internal").mkdir()
    return add(ReleaseStore(tmp_path / "internal", "internal"), LATER, [("a", "07111", 4.0)])


def test_a_store_serves_only_what_was_made_for_its_readers(public: ReleaseStore, internal: Release) -> None:
    assert internal.audience == "internal"
    with pytest.raises(
        AudienceError, match="found a release for 'internal' readers, expected one for 'public'"
    ):
        public.serve(internal, LATER)
    served = public.current()
    assert served is not None
    assert served.audience == "public"
    # Nor is one written there that says it is for others.
    with pytest.raises(AudienceError):
        public.add("x", lambda folder: None, {"audience": "internal"})
    assert [r.id for r in public.all()] == [served.id]


def test_a_copy_among_the_public_ones_is_not_there_for_anybody(
    public: ReleaseStore, internal: Release
) -> None:
    served = public.current()
    assert served is not None
    shutil.copytree(internal.folder, public.folder / internal.id)
    assert [r.id for r in public.all()] == [served.id]
    with pytest.raises(AudienceError):
        public.read(internal.id)
    from orchestration.service import service

    with TestClient(service(public.folder)) as client:
        assert [r["release"] for r in client.get("/releases").json()] == [served.id]
        for path in ("", "/tables/pub_leavers", "/tables/pub_leavers/rows", "/files/mart.duckdb"):
            assert client.get(f"/releases/{internal.id}{path}").status_code == 404
        # Even where somebody moved the link by hand, nothing of it is told.
        (public.folder / "current").unlink()
        (public.folder / "current").symlink_to(internal.id)
        assert public.current() is None
        for _ in range(100):
            answer = client.get("/releases/current/tables/pub_leavers/rows")
            if answer.status_code == 404:
                break
            assert answer.headers["x-release"] == served.id
            time.sleep(0.05)
        assert answer.status_code == 404


def test_a_database_takes_only_releases_for_its_readers(
    tmp_path: Path, public: ReleaseStore, internal: Release
) -> None:
    address = f"sqlite:///{tmp_path}/dashboards.sqlite"
    everyone = DatabaseTarget.model_validate({"url": address})
    with Target(everyone) as database, pytest.raises(TargetError, match="release for 'internal' readers"):
        database.serve(internal, LATER)
    served = public.current()
    assert served is not None
    with Target(everyone) as database:
        assert database.serve(served, FIRST)
    # The same schema declared for others: what stands in it says no.
    same = DatabaseTarget.model_validate(
        {"url": address, "audience": "internal", "schema": everyone.db_schema}
    )
    with (
        Target(same) as database,
        pytest.raises(TargetError, match="found releases for 'public' readers in it"),
    ):
        database.serve(internal, LATER)
    office = DatabaseTarget.model_validate({"url": address, "audience": "internal"})
    assert (office.db_schema, office.reader) == (
        "bildungsmonitor_internal",
        "bildungsmonitor_internal_reader",
    )
    with Target(office) as database:
        assert database.serve(internal, LATER)


@pytest.mark.parametrize(
    ("databases", "wrong"),
    [
        ([{"url": "sqlite://", "audience": "internal"}], "expected `internal` beside it"),
        ([{"url": "sqlite://"}, {"url": "sqlite://", "audience": "internal", "schema": "bildungsmonitor"}], "schema bildungsmonitor for two"),
        ([{"url": "sqlite://"}, {"url": "sqlite://", "audience": "internal", "schema": "bildungsmonitor_store"}], "schema bildungsmonitor_store"),
        ([{"url": "sqlite://"}, {"url": "sqlite://", "audience": "internal", "reader": "bildungsmonitor_reader"}], "reader bildungsmonitor_reader"),
        ([{"url": "sqlite://", "audience": "secret"}], "'public' or 'internal'"),
    ],
)  # fmt: skip
def test_a_configuration_that_mixes_audiences_is_refused(databases: list[dict[str, str]], wrong: str) -> None:
    settings = {"databases": databases, **({} if "beside it" in wrong else {"internal": {}})}
    with pytest.raises(ValidationError, match=wrong):
        Publishing.model_validate(settings)


def test_an_older_version_stays_for_the_declared_time_and_then_goes(
    tmp_path: Path, public: ReleaseStore
) -> None:
    address = f"sqlite:///{tmp_path}/dashboards.sqlite"
    declared = DatabaseTarget.model_validate({"url": address, "old_version_days": 30})

    def views() -> set[str]:
        import sqlalchemy as sa

        engine = sa.create_engine(address)
        try:
            return set(sa.inspect(engine).get_view_names())
        finally:
            engine.dispose()

    served = public.current()
    assert served is not None
    with Target(declared) as database:
        database.serve(served, FIRST)
        second = add(public, LATER, [("a", "07111", 6.0)], version="2.0.0")
        database.serve(second, LATER)
        assert {"bildungsmonitor__pub_leavers_v1", "bildungsmonitor__pub_leavers_v2"} <= views()
        after = FIRST + dt.timedelta(31)
        third = add(public, after, [("a", "07111", 7.0)], version="2.0.0")
        database.serve(third, after)
    assert "bildungsmonitor__pub_leavers_v1" not in views()
    assert {"bildungsmonitor__pub_leavers_v2", "bildungsmonitor__pub_leavers"} <= views()
