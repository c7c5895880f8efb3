"""Another night on the same inputs and the same clock; on the whole sample: python -m tests.campaigns.same_bytes."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.same_bytes import campaign
from tests.support.nights import TINY_TABLES, tiny_config

REGISTERS = ("block_sides", "schools", "pupils", "classes")


def test_the_same_inputs_and_clock_give_the_same_bytes(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "city.yaml", *TINY_TABLES, registers=REGISTERS)
    assert campaign(2, config, tmp_path)
