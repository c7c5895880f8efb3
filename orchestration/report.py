"""What `status` says, gathered from the served release, the landing and the catalogue.

Belongs here: reading what is there. Does not belong here: printing (cli.py) and writing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.model import NEVER_WAIVED
from expectations.wording import release_of
from orchestration.collect.genesis import FormatError
from orchestration.collect.landing import Landing, Snapshot
from orchestration.collect.official_network import Checks
from orchestration.confirm import evidence
from orchestration.publish.release import ReleaseStore
from orchestration.resources.clock import now
from orchestration.resources.home import Home
from orchestration.resources.message import last_message
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
        "message": last_message(home),
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


def verdicts_of(home_path: Path) -> list[dict[str, Any]]:
    """The verdicts of the last night, from the served release; before the first one, from the candidate.

    Raises LookupError if there was no night yet.
    """
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    if release is not None:
        return pq.read_table(release.parquet("verdict")).to_pylist()
    try:
        with evidence.connect(home) as connection:
            return evidence.all_verdicts(connection)
    except evidence.CandidateError as error:
        raise LookupError("no night has run yet") from error


def why_of(home_path: Path, table: str, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Why a published table is as it is: a few plain sentences, German and English.

    Raises LookupError if there was no night yet or the table is none of its tables.
    """
    rows = [v for v in verdicts_of(home_path) if v["table"] == table]
    if not rows:
        raise LookupError(f"the last night has no verdict on '{table}'")
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    state = release.manifest["tables"].get(table, {}) if release else {}
    title = catalogue.published[table].title
    holding = [v for v in rows if v["status"] in ("FAIL", "NOT_EVALUATED")]
    found: list[tuple[str, str]] = []
    if holding or state.get("status") == "held" or release is None:
        since = state.get("held_since")
        kept = state.get("published_by")
        found.append(
            (
                f"„{title.de}“ wird zurückgehalten" + (f" seit {release_of(since, 'de')}." if since else "."),
                f"“{title.en}” is held" + (f" since {release_of(since, 'en')}." if since else "."),
            )
        )
        found.append(
            (
                f"Gezeigt wird weiter der Stand vom {release_of(kept, 'de')}.",
                f"Readers still get the state of {release_of(kept, 'en')}.",
            )
            if kept
            else ("Es gibt noch keinen Stand, den jemand sieht.", "There is no state yet that anybody sees.")
        )
        if not holding and state.get("reason_de"):
            found.append((state["reason_de"], state["reason_en"]))
    else:
        found.append((f"„{title.de}“ ist freigegeben.", f"“{title.en}” is published."))
        if not state.get("fit_for_machines"):
            found.append(
                ("Für Maschinen ist die Tabelle nicht geeignet.", "The table is not fit for machine use.")
            )
    for verdict in holding or [v for v in rows if v["status"] == "WARN"]:
        policy = catalogue.checks[verdict["check"]]
        found.append(
            (f"{policy.title.de}: {verdict['message_de']}", f"{policy.title.en}: {verdict['message_en']}")
        )
        found.append(
            (
                f"Was tun: {verdict['guidance_de']} Zuständig: {verdict['owner']}.",
                f"What to do: {verdict['guidance_en']} Owner: {verdict['owner']}.",
            )
        )
        if holding and verdict["check"] not in NEVER_WAIVED:
            command = f"bildungsmonitor waive {verdict['check']} {table} {verdict['scope']} --reason … --owner … --days 30"
            found.append(
                (f"Oder als befristete Ausnahme annehmen: {command}", f"Or accept it for a time: {command}")
            )
    return found
