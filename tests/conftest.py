"""Fixtures and tiers: the catalogue, the sample, nights that run once and are shared, and what belongs to which command."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

# Rich asks for the width of the terminal once, when the command line is imported.
os.environ["COLUMNS"] = "160"

import pytest
import sqlalchemy as sa
from filelock import FileLock
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from expectations.catalogue import Catalogue, load_catalogue
from orchestration.resources.home import Home
from orchestration.settings import DEFAULT_CONFIG, Settings, load_settings
from tests.support import seeds, servers
from tests.support.nights import (
    FEW_TABLES,
    OFFICE_REGISTERS,
    OFFICE_TABLES,
    OFFICIAL,
    PROJECT,
    SHARED,
    folder_config,
    invoke,
    run,
    tiny_config,
)

# No deadlines on a shared machine, and the same examples in every run; campaigns look further.
EXAMPLES = int(os.environ.get("BILDUNGSMONITOR_EXAMPLES", "15"))
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("suite")


FULL_TIER = ("nights", "servers", "browser", "slices", "recomputation")
"""Folders of the second tier; single tests of other folders join it by the marker `full_tier`."""

ORDER = (
    "journey",
    "nights",
    "slices",
    "servers",
    "checks",
    "component",
    "recomputation",
    "browser",
    "contract",
)
"""Whole nights first: the many quick tests then fill both workers to the end."""

LONGEST = 20.0
"""Seconds that a test of the default tier may take, without its fixtures."""


COLLECTED = pytest.StashKey[list[tuple[str, bool]]]()
"""Every test that was found, and whether it belongs to the second tier: before a command leaves any out."""


def folder_of(item: pytest.Item) -> str:
    """The folder below tests/ that a test stands in."""
    inside = item.path.relative_to(PROJECT / "tests")
    return inside.parts[0] if len(inside.parts) > 1 else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the second tier, and put the heavy first.

    Within a folder nothing moves.
    """
    order = {name: n for n, name in enumerate(ORDER)}
    items.sort(key=lambda item: order.get(folder_of(item), len(order)))
    official = [item for item in items if "official_home" in getattr(item, "fixturenames", ())]
    items[:] = [*official, *(item for item in items if item not in official)]
    for item in items:
        if folder_of(item) in FULL_TIER:
            item.add_marker(pytest.mark.full_tier)
    config.stash[COLLECTED] = [(i.nodeid, i.get_closest_marker("full_tier") is not None) for i in items]


@cache
def is_one_group(module: str) -> bool:
    """Does a module build a fixture once for all its tests, or use a home that both workers would wait for?"""
    path = PROJECT / module
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    return 'scope="module"' in text or "official_home" in text


class Groups(LoadScopeScheduling):
    """Tests of a module that builds something once stay on one worker; all others go where there is room."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return module if is_one_group(module) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    """For `--dist loadscope`. xdist's own groups by mark (loadgroup) do nothing with this pytest."""
    return Groups(config, log) if config.getoption("dist") == "loadscope" else None


_SLOW: list[tuple[float, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember the tests of the default tier that are too slow for it; with xdist the controller hears of all."""
    exempt = report.nodeid.startswith("tests/journey/") or "full_tier" in report.keywords
    if report.when == "call" and report.duration > LONGEST and not exempt:
        _SLOW.append((report.duration, report.nodeid))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the offenders."""
    for seconds, name in sorted(_SLOW, reverse=True):
        terminalreporter.write_line(
            f"OFFENDER {seconds:.0f} s, at most {LONGEST:.0f} s in `make test`: {name} (mark it full_tier)"
        )


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real files beside the project; absent on most machines."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is absent: real official files are not part of the project")
    return SHARED


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all workers of this run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def shared_proof() -> None:
    """The many homes of all runs hold the same registers: what is found out about their counts, one finds for all."""
    os.environ["BILDUNGSMONITOR_PROOF"] = str(seeds.proof_folder())


_SEEDS: set[Path] = set()

HELPERS = (PROJECT / "tests" / "support" / "nights.py").read_bytes()
"""What writes the configurations of small nights."""


@pytest.fixture(scope="session", autouse=True)
def seeds_stay_as_they_are() -> Iterator[None]:
    """No test has written into a home that others use, in this run and in later ones."""
    yield
    for folder in sorted(_SEEDS):
        if wrong := seeds.changed(folder):
            seeds.forget(folder)
            pytest.fail(f"a test has changed the seed {folder.name}: {', '.join(wrong[:5])}")


def _night(folder: Path, *arguments: str, **extra: str) -> None:
    finished = run("nightly", "--home", str(folder / "var"), "--json", *arguments, **extra)
    assert finished.code == 0, finished.out + finished.err


def _invoked(folder: Path, config: Path) -> None:
    done = invoke("nightly", "--config", str(config), "--home", str(folder / "var"), "--json")
    assert done.code == 0, done.out + done.err


def _seed(name: str, inputs: list[bytes], make: Any) -> Path:
    folder = seeds.seed(name, inputs, make)
    _SEEDS.add(folder)
    return folder


@pytest.fixture(scope="session")
def night_home() -> Path:
    """A home after one night on the embedded default. Read only: clone it before changing it."""
    return _seed("sample", [], _night) / "var"


@pytest.fixture(scope="session")
def official_home(shared: Path) -> Path:
    """A home after one night on the real official files. Read only."""
    config = str(PROJECT / "config" / "koblenz-official.yaml")
    files = sorted(p for p in OFFICIAL.rglob("*") if p.is_file())
    listed = "\n".join(f"{p.relative_to(OFFICIAL)} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files)

    def make(folder: Path) -> None:
        _night(folder, "--config", config, BILDUNGSMONITOR_OFFICIAL_DIR=str(OFFICIAL))

    return _seed("official", [listed.encode()], make) / "var"


@pytest.fixture(scope="session")
def tiny_home() -> Path:
    """A home after one night on the tiny sample, made with `tiny_config`. Read only."""

    def make(folder: Path) -> None:
        _invoked(folder, tiny_config(folder / "city.yaml"))

    return _seed("tiny", [HELPERS], make) / "var"


@pytest.fixture(scope="session")
def office_base() -> Path:
    """A statistics office after one night on the tiny sample with registers: `city.yaml`, `var`. Read only."""

    def make(folder: Path) -> None:
        config = tiny_config(folder / "city.yaml", *OFFICE_TABLES, registers=OFFICE_REGISTERS)
        _invoked(folder, config)

    return _seed("office", [HELPERS], make)


@pytest.fixture(scope="session")
def city_base(catalogue: Catalogue) -> Path:
    """A city on a folder of files after one good night: `delivery`, `city.yaml`, `var`. Read only.

    The folder has what its few tables need, and one file more.
    """
    measures = (
        m for name in FEW_TABLES for i in catalogue.indicators_of(name) for m in catalogue.measures_of(i)
    )
    needed = {source.table for measure in measures for source in measure.sources} | {"22811-01-01-4"}

    def make(folder: Path) -> None:
        from orchestration.collect.sample.generate import write_sample
        from orchestration.collect.sample.population import TINY

        (folder / "delivery").mkdir()
        for path in write_sample(folder / "written", catalogue, TINY):
            if path.name.split("_")[0].removesuffix(".csv") in needed:
                shutil.copy(path, folder / "delivery")
        shutil.rmtree(folder / "written")
        config = folder_config(folder / "city.yaml", folder / "delivery")
        _invoked(folder, config)

    return _seed("city", [HELPERS], make)


@pytest.fixture
def city(city_base: Path, tmp_path: Path) -> Iterator[Path]:
    """A city of one's own, with a folder `own` for its own declarations."""
    folder = seeds.clone(city_base, tmp_path / "city")
    own = folder_config(folder / "city.yaml", folder / "delivery")
    (folder / "own").mkdir()
    own.write_text(own.read_text() + f"catalogue: {folder / 'own'}\n", encoding="utf-8")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def bare_home(tmp_path: Path) -> Home:
    """A home of one's own in which nothing has happened yet."""
    home = Home(tmp_path / "var")
    home.prepare()
    return home


@pytest.fixture(scope="session")
def default_settings() -> Settings:
    """The configuration of the embedded default."""
    return load_settings(DEFAULT_CONFIG)


@pytest.fixture
def home(night_home: Path, tmp_path: Path) -> Iterator[Path]:
    """A home of one's own after one night on the embedded default."""
    yield seeds.clone(night_home, tmp_path / "var")
    shutil.rmtree(tmp_path / "var", ignore_errors=True)


@pytest.fixture(scope="session")
def sample(common: Path, catalogue: Catalogue) -> Path:
    """The sample's files. Read only."""
    from orchestration.collect.sample.generate import write_sample

    folder = common / "sample"
    with FileLock(common / "sample.lock"):
        if not folder.exists():
            write_sample(folder, catalogue)
    return folder


@pytest.fixture
def delivery(sample: Path, tmp_path: Path) -> Path:
    """A folder of one's own with the sample's files, and a configuration `city.yaml` beside it."""
    folder = tmp_path / "delivery"
    shutil.copytree(sample, folder, ignore=shutil.ignore_patterns(".*"))
    folder_config(tmp_path / "city.yaml", folder)
    return folder


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A real server, one a worker; the address of its first database.

    Its files don't lie in pytest's temporary folder: a pytest that a test starts closes that folder to all other users,
    and the server runs as another one.
    """
    with servers.postgresql("suite") as (_, url):
        yield url


@pytest.fixture(scope="module")
def postgresql(postgresql_server: str, request: pytest.FixtureRequest) -> str:
    """A database of the module's own on the worker's server; its address. Its roles are the server's."""
    name = request.module.__name__.rpartition(".")[2]
    server = sa.make_url(postgresql_server)
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with contextlib.closing(engine.connect()) as connection:
        connection.execute(sa.text(f"create database {name}"))
    engine.dispose()
    return server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
