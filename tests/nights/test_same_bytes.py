"""Another night on the same inputs and the same clock; on the whole sample `tests.campaigns.same_bytes`."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.same_bytes import campaign
from tests.support.nights import tiny_config

TABLES = ("pub_schools", "pub_population")
REGISTERS = ("block_sides", "schools", "pupils", "residents")


def test_the_same_inputs_and_clock_give_the_same_bytes(tmp_path: Path) -> None:
    """With as many workers as there are processors, and with one: official tables, records, and counts that stay hidden."""
    config = tiny_config(tmp_path / "city.yaml", *TABLES, registers=REGISTERS)
    assert campaign(config, tmp_path) == []
