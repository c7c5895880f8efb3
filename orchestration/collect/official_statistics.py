"""Tonight's official statistics, wherever the city takes them from; bytes land the same way."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.landing import Delivery, Reception, landing_of
from orchestration.resources.home import Home
from orchestration.settings import OfficialStatistics, Settings

LOG = logging.getLogger("bildungsmonitor")


def collect_official_statistics(
    settings: Settings, home: Home, catalogue: Catalogue, moment: dt.datetime
) -> list[Reception]:
    """Land what tonight brings. One bad file or silent host harms its own table only."""
    source = settings.official_statistics
    landing = landing_of(home, source, catalogue)
    landing.clean()
    if source.source == "network":
        from orchestration.collect.official_network import collect_from_network

        receptions = collect_from_network(source, home, catalogue, moment)
    else:
        deliveries = [Delivery.of_file(path) for path in _files(source, home, catalogue)]
        receptions = landing.receive(deliveries, moment, synthetic=source.source == "sample")
        for reception in receptions:
            if reception.status == "refused":
                LOG.warning("collect | refused: %s", reception.reason)
    if settings.employment_agency is not None:
        from orchestration.collect.agency_network import collect_from_agency

        receptions += collect_from_agency(settings.employment_agency, settings.municipality, landing, moment)
    if settings.school_directory is not None:
        from orchestration.collect.school_directory import collect_school_directory

        receptions.append(collect_school_directory(settings.school_directory, home, moment))
    landing.record(receptions)
    counts = {status: sum(r.status == status for r in receptions) for status in _STATUSES}
    LOG.info("collect | %s", ", ".join(f"{count} {status}" for status, count in counts.items() if count))
    return receptions


_STATUSES = ("accepted", "known", "unchanged", "refused", "late")


def _files(source: OfficialStatistics, home: Home, catalogue: Catalogue) -> list[Path]:
    """The files of tonight's delivery; the sample is written first if it is the source."""
    if source.source == "sample":
        from orchestration.collect.sample.generate import write_sample

        return write_sample(home.sample, catalogue)
    assert source.directory is not None
    return sorted(p for p in source.directory.rglob("*") if p.is_file() and not p.name.startswith("."))
