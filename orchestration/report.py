"""What `status` says, gathered from the served release, the landing and the catalogue.

Belongs here: reading what is there. Does not belong here: printing (cli.py) and writing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

from expectations.catalogue import load_catalogue
from orchestration.collect.genesis import FormatError
from orchestration.collect.landing import Landing, Snapshot
from orchestration.collect.official_network import Checks
from orchestration.publish.release import ReleaseStore
from orchestration.resources.clock import now
from orchestration.resources.home import Home
from orchestration.resources.night import read_outcome


def status_of(home_path: Path) -> dict[str, Any]:
    """The served release, the state of every published table, the last delivery and run."""
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    last_night = read_outcome(home)
    folder = home.landing / (last_night["landing"] if last_night else "none")
    landing = Landing(folder, load_catalogue()) if folder.exists() else None
    receptions = landing.receptions() if landing else []
    return {
        "release_id": release.id if release else None,
        "release_folder": str(release.folder) if release else None,
        "notice": release.manifest["notice"] if release else None,
        "tables": release.manifest["tables"] if release else {},
        "delivery": [dataclasses.asdict(r) for r in receptions],
        "sources": sources_of(landing, now().date()) if landing else [],
        "registers": _arrived(home, last_night),
        "last_night": last_night,
    }


def _arrived(home: Home, last_night: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What became of the registers' last deliveries."""
    path = home.landing / (last_night or {}).get("registers", "none") / "arrived.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def sources_of(landing: Landing, today: dt.date) -> list[dict[str, Any]]:
    """Every declared table that has been asked for or has a state: how far it goes, when more is due.

    `is_late`: the office should have the next period by now, by the statistic's freshness limit.
    """
    asked = {r.table_code: r for r in landing.receptions() if r.table_code}
    checks = Checks(landing.folder).entries
    found = []
    for code, table in sorted(landing.catalogue.tables.items()):
        snapshots = landing.snapshots(code)
        if not snapshots and code not in asked:
            continue
        statistic = landing.catalogue.statistic_of(table)
        ends = [end for snapshot in snapshots if (end := _data_until(landing, snapshot))]
        last = dt.date.fromisoformat(max(ends)) if ends else None
        goes_on = table.until is None and last is not None
        reception = asked.get(code)
        found.append(
            {
                "table_code": code,
                "title_de": table.title.de,
                "title_en": table.title.en,
                "snapshots": len(snapshots),
                "stand": snapshots[-1].stand if snapshots else None,
                "data_until": last,
                "next_due": statistic.due_on(last) if goes_on and last else None,
                "is_late": bool(goes_on and last and today >= statistic.late_from(last)),
                "checked_at": checks.get(code, {}).get("checked_at"),
                "status": reception.status if reception else None,
                "reason": reception.reason if reception else None,
            }
        )
    return found


def _data_until(landing: Landing, snapshot: Snapshot) -> str | None:
    try:
        return landing.reading(snapshot).data_until
    except FormatError:  # of an older contract; the arrival check says so
        return None


def revisions_of(home_path: Path, table_code: str) -> list[dict[str, Any]]:
    """What the deliveries of a table said otherwise than those before, newest first.

    Raises LookupError if nothing is served yet.
    """
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    if release is None:
        raise LookupError("nothing is served yet: run a night first")
    columns = [
        "area_code", "period_label", "measure_code", "items", "value_before", "sign_before", "value_after",
        "sign_after", "change_kind", "stand_before", "stand_after",
    ]  # fmt: skip
    rows = release.query(
        f"select {', '.join(columns)} from revision where table_code = $code "
        "order by stand_after desc, area_code, period_label, measure_code, items",
        {"code": table_code},
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]
