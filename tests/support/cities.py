"""A city of one's own from its files to the mart, without Dagster. Shared by campaigns and benchmarks."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Sequence
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.official_statistics import collect_official_statistics
from orchestration.collect.registers.collect import Arrived, collect_registers
from orchestration.collect.sample.generate import write_sample
from orchestration.compute.candidate import load_candidate
from orchestration.compute.mart import build_mart
from orchestration.resources.home import Home
from orchestration.settings import Settings, load_settings
from tests.support.registers import KEY, NIGHT, config_of

AREAS = ("12411-01-01-4",)
"""The one file without which there are no areas and inhabitants."""


def settled(
    folder: Path,
    catalogue: Catalogue,
    *,
    code: str = "07111",
    files: Sequence[str] = AREAS,
    tables: tuple[str, ...] = (),
) -> tuple[Settings, Home]:
    """A configuration with a key, a folder `official` with the sample's files of these names, an empty home.

    Its registers are delivered to `folder / "drops"`. No names: every file. `tables`: the published tables it makes; none named: all.
    """
    (folder / "key").write_text(KEY)
    registers = {"drops": str(folder / "drops"), "key_file": str(folder / "key")}
    settings = load_settings(config_of(folder / "city.yaml", registers, code=code, tables=tables))
    for path in write_sample(folder / "sample", catalogue):
        if not files or path.name.startswith(tuple(files)):
            shutil.copy(path, folder / "official")
    home = Home(folder / "home")
    home.prepare()
    return settings, home


def collected(
    settings: Settings, home: Home, catalogue: Catalogue, moment: dt.datetime = NIGHT
) -> list[Arrived]:
    """Everything through the door; what arrived of registers. Nothing may be refused."""
    collect_official_statistics(settings, home, catalogue, moment)
    arrived = collect_registers(settings, home, catalogue, moment)
    wrong = [a for a in arrived if a.status == "refused"]
    assert not wrong, wrong[:3]
    return arrived


def computed(settings: Settings, home: Home, catalogue: Catalogue) -> None:
    """The whole mart from nothing, with dbt's tests. Nothing may fail."""
    load_candidate(home, settings, catalogue, NIGHT, anew=True)
    broken = [r for r in build_mart(home) if r.status not in ("success", "pass")]
    assert not broken, broken[:3]
