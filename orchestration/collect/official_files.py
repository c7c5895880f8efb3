"""The official-files source: a folder of GENESIS exports, or the embedded synthetic sample."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.landing import Delivery, Reception, landing_of
from orchestration.resources.home import Home
from orchestration.settings import OfficialStatistics

LOG = logging.getLogger("bildungsmonitor")


def files_to_receive(source: OfficialStatistics, home: Home, catalogue: Catalogue) -> list[Path]:
    """The files of tonight's delivery; the sample is written first if it is the source."""
    if source.source == "sample":
        from orchestration.collect.sample.generate import write_sample

        return write_sample(home.sample, catalogue)
    assert source.directory is not None
    return sorted(p for p in source.directory.rglob("*") if p.is_file() and not p.name.startswith("."))


def collect_official_files(
    source: OfficialStatistics, home: Home, catalogue: Catalogue, moment: dt.datetime
) -> list[Reception]:
    """Land tonight's files. One bad file refuses itself; the others are accepted."""
    files = files_to_receive(source, home, catalogue)
    landing = landing_of(home, source, catalogue)
    landing.clean()
    deliveries = [Delivery.of_file(path) for path in files]
    receptions = landing.receive(deliveries, moment, synthetic=source.source == "sample")
    for status in ("accepted", "known", "refused"):
        found = [r for r in receptions if r.status == status]
        LOG.info("collect | %d files %s", len(found), status)
        if status == "refused":
            for reception in found:
                LOG.warning("collect | refused: %s", reception.reason)
    return receptions
