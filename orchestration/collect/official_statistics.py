"""Tonight's official statistics, wherever the city takes them from; bytes land the same way."""

from __future__ import annotations

import datetime as dt
import logging
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.landing import Delivery, Landing, Reception, landing_of
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
    receptions += _others(settings, home, landing, moment)
    landing.record(receptions)
    counts = {status: sum(r.status == status for r in receptions) for status in _STATUSES}
    LOG.info("collect | %s", ", ".join(f"{count} {status}" for status, count in counts.items() if count))
    return receptions


def _others(settings: Settings, home: Home, landing: Landing, moment: dt.datetime) -> list[Reception]:
    """The sources beside GENESIS; whatever one of them does, the night goes on without it."""
    found: list[Reception] = []
    if (agency := settings.employment_agency) is not None:
        from orchestration.collect.agency_network import collect_from_agency

        try:
            found += collect_from_agency(agency, settings.municipality, landing, moment)
        except Exception as error:
            LOG.exception("collect | employment agency")
            found += [Reception(t.name, "late", t.name, reason=type(error).__name__) for t in agency.tables]
    if (directory := settings.school_directory) is not None:
        from orchestration.collect.school_directory import NAME, collect_school_directory

        try:
            found.append(collect_school_directory(directory, home, moment))
        except Exception as error:
            LOG.exception("collect | school directory")
            found.append(Reception(NAME, "late", NAME, reason=type(error).__name__))
    return found


_STATUSES = ("accepted", "known", "unchanged", "refused", "late")


def _files(source: OfficialStatistics, home: Home, catalogue: Catalogue) -> list[Path]:
    """The files of tonight's delivery; the sample is written first if it is the source."""
    if source.source == "sample":
        from orchestration.collect.sample.generate import write_sample
        from orchestration.collect.sample.population import FULL, TINY

        return write_sample(home.sample, catalogue, TINY if source.extent == "tiny" else FULL)
    assert source.directory is not None
    return sorted(p for p in source.directory.rglob("*") if p.is_file() and not p.name.startswith("."))
