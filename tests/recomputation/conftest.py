"""The two folders that the recomputation reads: the deliveries of a city and a release made from them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a city, with drops/<register>/drop/<file> below it: what the first night of the default collects."""
    folder = tmp_path_factory.mktemp("recomputation") / "city"
    command = [
        str(Path(sys.executable).with_name("bildungsmonitor")),
        "sample",
        "--out",
        str(folder),
        "--years",
        "5",
    ]
    subprocess.run(command, check=True, capture_output=True)
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.fixture(scope="session")
def release(night_home: Path) -> Path:
    """The folder of a release, with parquet/indicator_value.parquet below it."""
    return night_home / "releases" / "current"
