"""Nights that compute a part of the mart: the same mart, and no trust in what should not have changed."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.campaigns.increments import Town, campaign

FILES = ("12411-01-01-4", "12411-07-01-4", "12612-01-01-4", "22543-01-02-4")
REGISTERS = ("block_sides", "schools", "library", "employment_agency_districts", "music_school")


def test_a_part_makes_the_mart_that_everything_makes_and_is_not_trusted_blindly(tmp_path: Path) -> None:
    """The whole of it: python -m tests.campaigns.increments --nights 40."""
    town = Town(tmp_path, 1, files=FILES, registers=REGISTERS)
    assert campaign(town, ("register", "lost year"))
    rows = "select value from monitoring.fct_indicator_value where indicator_id = 'live_births' order by all"
    with duckdb.connect(str(town.home.candidate)) as connection:
        before = connection.execute(rows).fetchall()
        assert before
        connection.execute(
            "update monitoring.fct_indicator_value set value = value + 1 where indicator_id = 'live_births'"
        )
    assert town.night().is_full  # though no source changed
    with duckdb.connect(str(town.home.candidate), read_only=True) as connection:
        assert connection.execute(rows).fetchall() == before
