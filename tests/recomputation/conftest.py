"""The two folders that the recomputation reads: the deliveries of a city and a release made from them."""

import os
from pathlib import Path

import pytest


def folder_named_by(variable: str) -> Path:
    """The folder that an environment variable names; the tests are skipped without it."""
    if variable not in os.environ:
        pytest.skip(f"{variable} names no folder")
    return Path(os.environ[variable])


@pytest.fixture(scope="session")
def city() -> Path:
    """The folder of a city, with drops/<register>/drop/<file> below it."""
    return folder_named_by("RECOMPUTATION_CITY")


@pytest.fixture(scope="session")
def release() -> Path:
    """The folder of a release, with parquet/indicator_value.parquet below it."""
    return folder_named_by("RECOMPUTATION_RELEASE")
