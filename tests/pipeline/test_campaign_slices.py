"""A small slice of each long campaign; the whole ones run by `make campaigns`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import kills, publications


@pytest.mark.slow
def test_two_kills_leave_whole_releases(tmp_path: Path) -> None:
    assert kills.campaign(2, seed=7, folder=tmp_path)


@pytest.mark.slow
def test_three_publications_disturb_no_reader(tmp_path: Path) -> None:
    assert publications.campaign(3, readers=1, folder=tmp_path)
