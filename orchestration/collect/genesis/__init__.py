"""GENESIS files: bytes → long rows. Pure Python; knows no Dagster, no network, no warehouse.

from orchestration.collect.genesis import read_official
rows = read_official("12411-01-01-4_00.csv", data)
"""

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.read import read_official
from orchestration.collect.genesis.rows import OfficialRows

__all__ = ["FormatError", "OfficialRows", "read_official"]
