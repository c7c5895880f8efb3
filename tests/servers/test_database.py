"""Releases in a database: what readers get of them, while and after they are switched."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import sqlalchemy as sa

from orchestration.publish.database import Target, TargetError
from orchestration.publish.release import Release, ReleaseStore
from orchestration.settings import DatabaseTarget
from tests.support.releases import FIRST, Row, add


@pytest.fixture(params=["postgresql", "sqlite"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of one's own, on a real server and in a file."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/dashboards.sqlite"
        return
    server = request.getfixturevalue("postgresql").replace("postgresql://", "postgresql+psycopg://")
    name = f"target_{abs(hash(tmp_path)) % 10**9}"
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"create database {name}"))
    engine.dispose()
    yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    (tmp_path / "releases").mkdir()
    return ReleaseStore(tmp_path / "releases")


def target(address: str, keep: int = 3) -> Target:
    return Target(DatabaseTarget.model_validate({"url": address, "keep": keep}))


def read(address: str, sql: str) -> list[tuple[object, ...]]:
    """As a dashboard reads: a connection of its own."""
    if address.startswith("sqlite"):
        sql = sql.replace("bildungsmonitor.", "bildungsmonitor__")
    engine = sa.create_engine(address)
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql))]
    finally:
        engine.dispose()


def tomorrow(release: Release) -> dt.datetime:
    return dt.datetime.fromisoformat(release.manifest["created_at"]) + dt.timedelta(1)


def test_readers_get_the_served_release_types_and_missing_values_included(
    store: ReleaseStore, address: str
) -> None:
    rows: list[Row] = [("a", "07111", 1.5), ("b", "07111", None), ("c", "07111", 0.1 + 0.2)]
    first = add(store, FIRST, rows, is_break=True, period_end=dt.date(2025, 12, 31), rank=pa.scalar(3, pa.int32()),
                retrieved_at=pa.scalar(dt.datetime(2026, 9, 1, 2, 3, 4), pa.timestamp("us")), note="Ä; \"x\"\n")  # fmt: skip
    with target(address) as database:
        assert database.serve(first, FIRST)
        assert not database.serve(first, FIRST)  # nothing to do
        assert database.served() == first.id
        numbered = f"select _row, indicator_id from {database._of_store('pub_leavers__v1')} order by 1"
    assert read(address, numbered) == [(0, "a"), (1, "b"), (2, "c")]
    found = read(address, "select indicator_id, value from bildungsmonitor.pub_leavers order by 1")
    assert found == [("a", 1.5), ("b", None), ("c", 0.1 + 0.2)]
    others = "select distinct is_break, rank, note from bildungsmonitor.pub_leavers"
    assert [(bool(a), b, c) for a, b, c in read(address, others)] == [(True, 3, 'Ä; "x"\n')]
    assert (
        str(read(address, "select distinct period_end from bildungsmonitor.pub_leavers")[0][0])
        == "2025-12-31"
    )
    assert read(address, "select release_id from bildungsmonitor.release") == [(first.id,)]
    assert "release_id" not in columns_of(address, "pub_leavers")
    second = add(store, tomorrow(first), [("a", "07111", 2.0)])
    with target(address) as database:
        assert database.serve(second, tomorrow(first))
        assert read(address, "select * from bildungsmonitor.release")[0][0] == second.id
        assert read(address, "select indicator_id, value from bildungsmonitor.pub_leavers") == [("a", 2.0)]
        # Going back is a switch alone.
        assert database.serve(first, tomorrow(second))
    assert len(read(address, "select 1 from bildungsmonitor.pub_leavers")) == 3


def test_a_switch_stands_between_two_rests(
    store: ReleaseStore, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After loading and before tidying up; where there is nothing to switch nobody rests."""
    events: list[object] = []
    monkeypatch.setattr("orchestration.publish.release.time.sleep", events.append)
    for step in ("_load", "_switch", "_prune"):
        monkeypatch.setattr(Target, step, _noted(getattr(Target, step), step, events))
    first = add(store, FIRST, [("a", "x", 1.0)])
    with target(address) as database:
        database.serve(first, FIRST, rest_seconds=0.25)
        assert events == ["_load", 0.25, "_switch", 0.25, "_prune"]
        database.serve(first, FIRST, rest_seconds=0.25)
    assert len(events) == 5


def _noted(step: Callable[..., object], name: str, events: list[object]) -> Callable[..., object]:
    def noted(*arguments: object) -> object:
        events.append(name)
        return step(*arguments)

    return noted


def test_tables_and_columns_say_what_they_are_and_nobody_waits_for_new_words(
    store: ReleaseStore, address: str
) -> None:
    if address.startswith("sqlite"):
        pytest.skip("SQLite has no comments")

    def said() -> list[tuple[object, ...]]:
        return read(address, """
            select distinct obj_description(c.oid), col_description(c.oid, a.attnum) from pg_class c join pg_attribute a on a.attrelid = c.oid
            where c.relnamespace = 'bildungsmonitor'::regnamespace and c.relname like 'pub\\_leavers%' and a.attname = 'value'
        """)  # fmt: skip

    first = add(store, FIRST, [("a", "x", 1.0)], description="L'école; 50 % :nicht \\ bekannt")
    with target(address) as database:
        database.serve(first, FIRST)
    assert said() == [("L'école; 50 % :nicht \\ bekannt",) * 2]  # of all three views
    other = add(store, tomorrow(first), [("a", "x", 2.0)], description="anders")
    engine = sa.create_engine(address)
    with engine.connect() as reader:
        reader.execute(sa.text("select * from bildungsmonitor.pub_leavers"))  # and holds its lock
        with target(address) as database:
            database.serve(other, tomorrow(first))
    engine.dispose()
    assert said() == [("anders",) * 2]
    about = "select obj_description('bildungsmonitor.release'::regclass)"
    assert "The release that all tables show" in str(read(address, about))


def test_what_was_published_on_a_day(store: ReleaseStore, address: str) -> None:
    """Five nights: the second release was taken back for the first, and only the last two stay in the database."""
    days = [FIRST + dt.timedelta(n) for n in range(5)]
    releases: list[Release] = []

    def bring_along(night: int) -> None:
        served = store.current()
        assert served is not None
        with target(address, keep=2) as database:
            assert database.serve(served, days[night], store.spans())

    def publish(night: int) -> None:
        releases.append(add(store, days[night], [("a", "x", float(len(releases)))]))
        bring_along(night)

    def on(night: int) -> list[tuple[object, ...]]:
        return read(address, f"""
            select value from bildungsmonitor.pub_leavers_history where release_id = (
                select release_id from bildungsmonitor.release_history
                where served_from < '{(days[night] + dt.timedelta(1)).date()}' order by served_from desc limit 1
            )""")  # fmt: skip

    publish(0)
    publish(1)
    assert (on(0), on(1)) == ([(0.0,)], [(1.0,)])
    store.serve(releases[0], days[2], withdraw=[releases[1].id], reason="Zehnfaches")
    bring_along(2)
    # What was taken back is not told again, and nothing else is told in its place.
    assert (on(0), on(1), on(2)) == ([(0.0,)], [], [(0.0,)])
    publish(3)
    publish(4)
    assert (on(3), on(4)) == ([(2.0,)], [(3.0,)])
    spans = read(
        address,
        "select release_id, served_until is null, is_withdrawn, is_loaded from bildungsmonitor.release_history order by served_from",
    )
    loaded = {str(name): bool(is_loaded) for name, *_, is_loaded in spans}
    assert loaded == {release.id: n in (2, 3) for n, release in enumerate(releases)}
    assert [name for name, is_served, *_ in spans if is_served] == [releases[3].id]
    assert {name for name, _, is_withdrawn, _ in spans if is_withdrawn} == {releases[1].id}
    # The store says the same of every day.
    assert [store.served_on(day.date()) for day in days] == [name for name, *_ in spans]


def columns_of(address: str, view: str) -> list[str]:
    engine = sa.create_engine(address)
    try:
        if address.startswith("sqlite"):
            return [c["name"] for c in sa.inspect(engine).get_columns(f"bildungsmonitor__{view}")]
        return [c["name"] for c in sa.inspect(engine).get_columns(view, schema="bildungsmonitor")]
    finally:
        engine.dispose()


def test_new_columns_come_last_and_another_type_is_refused(store: ReleaseStore, address: str) -> None:
    first = add(store, FIRST, [("a", "x", 1.0)])
    more = add(store, tomorrow(first), [("a", "x", 2.0)], unit="percent")
    other = add(store, tomorrow(more), [("a", "x", 3.0)], unit=pa.scalar(5, pa.int32()))
    with target(address) as database:
        database.serve(first, FIRST)
        database.serve(more, FIRST)
        assert columns_of(address, "pub_leavers") == ["indicator_id", "area_code", "value", "unit"]
        with pytest.raises(
            TargetError, match=r"pub_leavers__v1, column unit: found INTEGER, expected TEXT as before"
        ):
            database.serve(other, FIRST)
        assert read(address, "select value from bildungsmonitor.pub_leavers") == [(2.0,)]
        # Another major version is another stored table; who waits for no breaking change keeps the last of the old one.
        raised = add(
            store, tomorrow(other), [("a", "x", 4.0)], version="2.0.0", unit=pa.scalar(5, pa.int32())
        )
        database.serve(raised, FIRST)
    assert read(address, "select value, unit from bildungsmonitor.pub_leavers") == [(4.0, 5)]
    assert read(address, "select value, unit from bildungsmonitor.pub_leavers_v1") == [(2.0, "percent")]


def test_old_releases_go_and_what_a_killed_load_left_behind(store: ReleaseStore, address: str) -> None:
    served = [add(store, FIRST + dt.timedelta(n), [("a", "x", float(n))]) for n in range(5)]
    with target(address, keep=2) as database:
        for release in served[:4]:
            database.serve(release, FIRST)
        load = database._load

        def killed(release: Release) -> None:
            load(release)
            with database._engine.begin() as connection:  # it had not been written down when the process died
                connection.execute(
                    sa.text(f"delete from {database._of_store('release')} where release_id = :r"),
                    {"r": release.id},
                )
            raise KeyboardInterrupt

        database._load = killed  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            database.serve(served[4], FIRST)
        assert database.served() == served[3].id
        database._load = load  # type: ignore[method-assign]
        assert database.serve(served[4], FIRST)
        stored = f"select distinct release_id from {database._of_store('pub_leavers__v1')} order by 1"
    assert read(address, stored) == [(served[3].id,), (served[4].id,)]
    assert read(address, "select value from bildungsmonitor.pub_leavers") == [(4.0,)]


def test_the_reader_s_role_reads_views_and_nothing_else(store: ReleaseStore, address: str) -> None:
    if address.startswith("sqlite"):
        pytest.skip("SQLite has no roles")
    with target(address) as database:
        database.serve(add(store, FIRST, [("a", "x", 1.0)]), FIRST)
    engine = sa.create_engine(address)
    with engine.connect() as connection:
        connection.execute(sa.text("set role bildungsmonitor_reader"))
        assert connection.execute(sa.text("select count(*) from bildungsmonitor.pub_leavers")).scalar() == 1
        connection.commit()
        for forbidden in (
            "select 1 from bildungsmonitor_store.served", "delete from bildungsmonitor.pub_leavers",
            "update bildungsmonitor.release set release_id = 'x'", "create table bildungsmonitor.mine (x int)",
        ):  # fmt: skip
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                connection.execute(sa.text(forbidden))
            connection.rollback()
            connection.execute(sa.text("set role bildungsmonitor_reader"))
    engine.dispose()


def test_a_reader_never_sees_two_releases_at_once(store: ReleaseStore, address: str) -> None:
    """One connection reads on while releases are switched back and forth: both tables in one statement, always of one."""
    if address.startswith("sqlite"):
        pytest.skip("SQLite locks its one file: a writer and readers take turns")
    releases = [add(store, FIRST + dt.timedelta(n), [("a", "x", float(n))], both=True) for n in range(6)]
    seen: list[tuple[object, ...]] = []
    wrong: list[object] = []
    stop = threading.Event()

    def dashboard() -> None:
        engine = sa.create_engine(address)
        with engine.connect() as connection:
            while not stop.is_set():
                try:
                    row = connection.execute(sa.text(
                        "select (select release_id from bildungsmonitor.release), (select value from bildungsmonitor.pub_leavers), "
                        "(select value from bildungsmonitor.pub_schools)"
                    )).one()  # fmt: skip
                    connection.commit()
                    seen.append(tuple(row))
                except Exception as error:
                    wrong.append(error)
                    return
        engine.dispose()

    with target(address, keep=2) as database:
        database.serve(releases[0], FIRST)
        thread = threading.Thread(target=dashboard)
        thread.start()
        for n in (1, 2, 1, 3, 4, 3, 5):
            database.serve(releases[n], FIRST)
        stop.set()
        thread.join(30)
    assert not wrong
    number = {release.id: float(n) for n, release in enumerate(releases)}
    assert len({row[0] for row in seen}) >= 3
    assert all(row[1] == row[2] == number[str(row[0])] for row in seen)


class Shelf:
    """A cursor that gives back these rows."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows

    def execute(self, sql: str) -> None:
        pass

    def fetch_arrow_table(self) -> pa.Table:
        return self.rows


def test_rows_are_proved_in_whatever_order_the_server_has_them() -> None:
    rows = pa.table({"area_code": ["x", "y", None], "value": [1.0, None, 3.0]})
    stored = rows.add_column(0, "_row", pa.array([0, 1, 2], pa.int32()))
    with target("postgresql+psycopg://localhost/none") as database:
        for order in ([0, 1, 2], [2, 0, 1]):
            database._read_back(Shelf(stored.take(order)), "t", "t:x", rows)
        # Two rows that changed places, and one that is not there.
        changed = stored.take([1, 0, 2]).set_column(0, "_row", stored["_row"])
        for wrong in (changed, stored.slice(1)):
            with pytest.raises(TargetError, match=r"^t.*(read back|found 2 rows)"):
                database._read_back(Shelf(wrong), "t", "t:x", rows)


def test_an_unreachable_database_is_named_without_its_password(store: ReleaseStore) -> None:
    release = add(store, FIRST, [("a", "x", 1.0)])
    with (
        target("postgresql+psycopg://office:geheim@127.0.0.1:1/none") as database,
        pytest.raises(TargetError) as caught,
    ):
        database.serve(release, FIRST)
    assert "office:***@127.0.0.1:1/none" in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_an_old_version_that_others_build_on_stays_without_rows(store: ReleaseStore, address: str) -> None:
    if address.startswith("sqlite"):
        pytest.skip("SQLite lets a view go that others need")
    declared = DatabaseTarget.model_validate({"url": address, "old_version_days": 30})
    with Target(declared) as database:
        database.serve(add(store, FIRST, [("a", "x", 1.0)]), FIRST)
        engine = sa.create_engine(address)
        with engine.begin() as connection:
            connection.execute(
                sa.text("create view mine as select value from bildungsmonitor.pub_leavers_v1")
            )
        engine.dispose()
        at = FIRST + dt.timedelta(1)
        database.serve(add(store, at, [("a", "x", 2.0)], version="2.0.0"), at)
        assert read(address, "select value from mine") == [(1.0,)]
        at = FIRST + dt.timedelta(31)
        database.serve(add(store, at, [("a", "x", 3.0)], version="2.0.0"), at)
    assert read(address, "select value from mine") == []
    assert read(address, "select value from bildungsmonitor.pub_leavers") == [(3.0,)]
