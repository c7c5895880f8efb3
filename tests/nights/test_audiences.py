"""The statistics office's own release beside the public one: what is exact in it, and that nobody else gets to it."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa

from expectations.catalogue import Catalogue
from orchestration.publish.assets import notices
from orchestration.publish.imprint import INTERNAL
from orchestration.publish.publication import publish
from orchestration.publish.release import Release, ReleaseStore
from orchestration.publish.targets import bring_up_to_date
from orchestration.resources.home import Home
from orchestration.settings import Publishing, Settings, catalogue_of, load_settings
from tests.support.nights import CLOCK, invoke
from tests.support.seeds import clone

MOMENT = dt.datetime.fromtimestamp(int(CLOCK), dt.UTC)
KEY = "indicator_id, area_code, period_start, period_end"


def settings_with(settings: Settings, **publication: object) -> Settings:
    return settings.model_copy(update={"publication": Publishing.model_validate(publication)})


@pytest.fixture(scope="module")
def plain(office_base: Path) -> Settings:
    """The configuration of the office's night."""
    return load_settings(office_base / "city.yaml")


@pytest.fixture(scope="module")
def catalogue(plain: Settings) -> Catalogue:
    """The catalogue of the office's night."""
    return catalogue_of(plain)


@pytest.fixture(scope="module")
def home(
    office_base: Path, plain: Settings, catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory
) -> Home:
    """A night's home, published for both audiences; a count of one or two stays hidden in the office as well."""
    home = Home(clone(office_base / "var", tmp_path_factory.mktemp("audiences") / "var"))
    settings = settings_with(plain, internal={"least_count": 3, "least_denominator": 5})
    assert not publish(home, settings, catalogue, MOMENT).is_new
    return home


@pytest.fixture(scope="module")
def releases(home: Home) -> tuple[Release, Release]:
    """The public release and the internal one."""
    public, internal = ReleaseStore.of(home).current(), ReleaseStore.of(home, "internal").current()
    assert public is not None
    assert internal is not None
    return public, internal


def test_the_office_sees_exact_counts_where_the_public_sees_rounded_or_hidden_ones(
    home: Home, releases: tuple[Release, Release], catalogue: Catalogue
) -> None:
    public, internal = releases
    with duckdb.connect() as both:
        for name, release in (("p", public), ("i", internal)):
            both.execute(f"attach '{release.folder}/mart.duckdb' as {name} (read_only)")
        both.execute(f"attach '{home.candidate}' as night (read_only)")
        same = " and ".join(f"p.{c} = i.{c}" for c in [*KEY.split(", "), *catalogue.breakdowns])
        joined = f"from p.pub_population as p join i.pub_population as i on {same}"
        rows, in_both = both.execute(
            f"select (select count(*) from p.pub_population), count(*) {joined}"
        ).fetchall()[0]
        assert rows == in_both  # the same figures, none more and none less
        ours = f"{joined} where p.rounded_to > 1"
        more, odd = both.execute(
            f"""select count(*) filter (p.status = 'confidential' and i.status = 'reported'),
                count(*) filter (i.numerator % 5 <> 0) {ours}"""
        ).fetchall()[0]
        assert more > 0
        assert odd > 0
        exact = " and ".join(f"v.{c} = i.{c}" for c in [*KEY.split(", "), *catalogue.breakdowns])
        told, wrong, small, hidden = both.execute(
            f"""select count(*), count(*) filter (i.value is distinct from v.value),
                count(*) filter (i.numerator in (1, 2) or i.denominator between 1 and 4 and k.needs_denominator),
                (select count(*) from i.pub_population where status = 'confidential' and value is not null)
                from i.pub_population as i join night.monitoring.fct_indicator_value as v on {exact}
                join night.monitoring.dim_indicator as k on k.indicator_id = i.indicator_id
                where i.status = 'reported' and v.numerator_protection > 1"""
        ).fetchall()[0]
    assert told > 1000
    assert (wrong, small, hidden) == (0, 0, 0)


def test_exact_figures_lie_within_the_tolerance_that_readers_are_told(
    home: Home, releases: tuple[Release, Release], catalogue: Catalogue
) -> None:
    public, internal = releases
    assert {state["status"] for state in internal.manifest["tables"].values()} == {"published"}
    same = " and ".join(f"p.{c} = i.{c}" for c in [*KEY.split(", "), *catalogue.breakdowns])
    with duckdb.connect() as both:
        for name, release in (("p", public), ("i", internal)):
            both.execute(f"attach '{release.folder}/mart.duckdb' as {name} (read_only)")
        both.execute(f"attach '{home.candidate}' as night (read_only)")
        rates, outside = both.execute(f"""
            select count(*), count(*) filter (abs(p.value - k.multiplier * i.numerator / i.denominator) > p.tolerance + 1e-9)
            from p.indicator_value as p join i.indicator_value as i on {same}
            join night.monitoring.dim_indicator as k on k.indicator_id = p.indicator_id
            where k.needs_denominator and k.kind <> 'difference' and p.rounded_to > 1 and p.tolerance is not null and i.denominator > 0
        """).fetchall()[0]  # fmt: skip
        ranges, beyond = both.execute(f"""
            select count(*), count(*) filter (not k.multiplier * i.numerator / i.denominator between p.value_from - 1e-9 and p.value_to + 1e-9)
            from p.indicator_value as p join i.indicator_value as i on {same}
            join night.monitoring.dim_indicator as k on k.indicator_id = p.indicator_id
            where p.status = 'range' and i.denominator > 0
        """).fetchall()[0]  # fmt: skip
        unsure = both.execute(
            "select count(*) from p.indicator_value where unit = 'percent' and value is not null and tolerance > 5"
        ).fetchall()[0][0]
    assert rates > 3000
    assert outside == 0
    assert ranges > 100
    assert (beyond, unsure) == (0, 0)


def test_thresholds_are_of_people_and_not_of_hours_or_positions(
    home: Home, releases: tuple[Release, Release]
) -> None:
    """Of half a position for social work the office sees what everybody sees."""
    sql = (
        "select count(*), count(value) from pub_youth_welfare where indicator_id = 'pupils_per_social_worker'"
    )
    (public,), (internal,) = (release.query(sql, {}) for release in releases)
    assert public == internal
    assert public[1] > 0


def test_an_internal_figure_that_can_not_be_beside_the_public_one_is_held(
    home: Home, releases: tuple[Release, Release], plain: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    """The exact figures of the candidate are spoilt behind the gate's back: the table keeps its last good internal version."""
    office = Home(clone(home.path, tmp_path / "var"))
    with duckdb.connect(str(office.candidate)) as candidate:
        candidate.execute(
            "update monitoring.fct_indicator_value set value = value + 9 where indicator_id = 'foreign_pupils_percent'"
        )
    settings = settings_with(plain, internal={})
    done = publish(office, settings, catalogue, MOMENT + dt.timedelta(1))
    (told,) = (notice for notice in notices(done, catalogue) if notice["key"] == "internal/pub_schools")
    assert told["kind"] == "held"
    assert told["de"].endswith(": Wert außerhalb der Toleranz")  # and no figure: others read it as well
    release = ReleaseStore.of(office, "internal").current()
    assert release is not None
    assert release.id != releases[1].id
    state = release.manifest["tables"]["pub_schools"]
    assert state["status"] == "held"
    assert "foreign_pupils_percent" in state["reason_de"]
    assert "widersprechen" in state["reason_de"]
    before = releases[1].manifest["tables"]["pub_schools"]
    assert state["content_hash"] == before["content_hash"]
    assert {s["status"] for n, s in release.manifest["tables"].items() if n != "pub_schools"} == {"published"}


def test_every_file_says_that_it_is_internal_and_the_folder_is_closed(
    home: Home, office_base: Path, releases: tuple[Release, Release]
) -> None:
    public, internal = releases
    assert internal.manifest["notice"].startswith(INTERNAL)
    assert internal.folder.parents[1].stat().st_mode & 0o077 == 0
    for name in ("dictionary.html", "quality/index.html", "fields_of_action.html", "datapackage.json", "CHANGES.md",
                 "csv/csv-metadata.json"):  # fmt: skip
        assert "statistics office only" in (internal.folder / name).read_text(encoding="utf-8"), name
        assert "statistics office only" not in (public.folder / name).read_text(encoding="utf-8"), name
    assert (public.folder / "catalog.ttl").exists()
    assert not list(internal.folder.glob("catalog.*"))  # nothing for portals
    assert internal.manifest["licence"] is None
    with zipfile.ZipFile(internal.folder / "xlsx" / "pub_population.xlsx") as book:
        assert any(b"statistics office only" in book.read(name) for name in book.namelist())
    with duckdb.connect(str(internal.folder / "mart.duckdb"), read_only=True) as mart:
        comment = mart.execute(
            "select comment from duckdb_tables() where table_name = 'pub_population'"
        ).fetchall()
    assert "statistics office only" in comment[0][0]
    assert "gerundet" not in (internal.folder / "fields_of_action.html").read_text(encoding="utf-8")
    # What it says is in no ledger of what everybody knows.
    written = {p.relative_to(home.ledger): p.read_bytes() for p in home.ledger.rglob("*") if p.is_file()}
    before = Home(office_base / "var").ledger
    assert written == {p.relative_to(before): p.read_bytes() for p in before.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def server(postgresql: str, home: Home, plain: Settings) -> tuple[str, Settings]:
    """A real PostgreSQL with both releases, and the settings that brought them there."""
    url = postgresql.replace("postgresql://", "postgresql+psycopg://")
    databases = [{"url": url}, {"url": url, "audience": "internal"}]
    settings = settings_with(plain, internal={}, databases=databases)
    states = bring_up_to_date(home, settings, MOMENT)
    assert [state.error for state in states] == [None, None]
    return url, settings


def test_the_roles_of_a_database_keep_the_audiences_apart(
    server: tuple[str, Settings], releases: tuple[Release, Release]
) -> None:
    public, internal = releases
    engine = sa.create_engine(server[0])
    sums = "select sum(numerator), (select release_id from {0}.release) from {0}.pub_population"
    with engine.connect() as connection:
        told = connection.execute(sa.text(sums.format("bildungsmonitor"))).one()
        exact = connection.execute(sa.text(sums.format("bildungsmonitor_internal"))).one()
        assert (told[1], exact[1]) == (public.id, internal.id)
        assert told[0] != exact[0]
        connection.commit()
        for statement in (
            "select 1 from bildungsmonitor_internal.pub_population", "select 1 from bildungsmonitor_internal.release",
            "select 1 from bildungsmonitor_internal_store.pub_population__v1", "set role bildungsmonitor_internal_reader",
            "create view bildungsmonitor.peek as select * from bildungsmonitor_internal.pub_population",
            "grant bildungsmonitor_internal_reader to bildungsmonitor_reader",
        ):  # fmt: skip
            # As one who logs in with that role alone, not as an administrator who has taken it on.
            connection.execute(sa.text("set session authorization bildungsmonitor_reader"))
            with pytest.raises(
                sa.exc.DBAPIError, match=r"permission denied|must be able to SET|must have admin"
            ):
                connection.execute(sa.text(statement))
            connection.rollback()
            connection.execute(sa.text("reset session authorization"))
            connection.commit()
        connection.execute(sa.text("set session authorization bildungsmonitor_internal_reader"))
        assert connection.execute(
            sa.text("select count(*) from bildungsmonitor_internal.pub_population")
        ).scalar()
    engine.dispose()


def test_no_command_brings_the_internal_release_to_the_public(
    home: Home, releases: tuple[Release, Release], server: tuple[str, Settings], tmp_path: Path
) -> None:
    public, internal = releases
    office = clone(home.path, tmp_path / "var")
    at = ("--home", str(office))
    stolen = office / "releases" / f"{internal.id}-2"
    shutil.copytree(internal.folder, stolen)
    back = invoke("release", "rollback", stolen.name, "--reason", "Versuch", *at)
    assert back.code == 2, back.out + back.err
    assert "no release" in back.out + back.err
    for command in (("release", "show", stolen.name), ("release", "diff", public.id, stolen.name),
                    ("cite", "pub_population", "--release", stolen.name)):  # fmt: skip
        assert invoke(*command, *at).code == 2
    listed = invoke("release", "list", "--json", *at)
    assert [r["release"] for r in listed.json] == [public.id]
    assert [
        r["release"] for r in invoke("release", "list", "--audience", "internal", "--json", *at).json
    ] == [internal.id]
    # Moved by hand: neither the database nor `verify --repair` takes it for a public one.
    (office / "releases" / "current").unlink()
    (office / "releases" / "current").symlink_to(stolen.name)
    assert len(bring_up_to_date(Home(office), server[1], MOMENT)) == 1  # the internal one alone
    assert invoke("release", "verify", "--repair", *at).code == 0
    assert (office / "releases" / "current").resolve().name == public.id


def test_what_the_office_took_back_the_next_night_does_not_serve_again(
    home: Home, plain: Settings, catalogue: Catalogue, tmp_path: Path
) -> None:
    office = Home(clone(home.path, tmp_path / "var"))
    store = ReleaseStore.of(office, "internal")
    first = store.current()
    settings = settings_with(plain, internal={})
    publish(office, settings, catalogue, MOMENT)
    second = store.current()
    assert first is not None
    assert second is not None
    assert second.id != first.id
    back = invoke(
        "release",
        "rollback",
        first.id,
        "--reason",
        "Versuch",
        "--audience",
        "internal",
        "--home",
        str(office.path),
    )
    assert back.code == 0, back.out + back.err
    publish(office, settings, catalogue, MOMENT)
    now = store.current()
    assert now is not None
    content = [r.manifest["tables"]["pub_population"]["content_hash"] for r in (first, second, now)]
    assert content[2] == content[0] != content[1]
