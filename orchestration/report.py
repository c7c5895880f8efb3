"""What `status` and `explain` say, gathered from the served release, the landing and the catalogue.

Belongs here: reading what is there. Does not belong here: printing (cli.py) and writing.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.model import UNITS, Indicator, Term
from orchestration.collect.genesis import FormatError
from orchestration.collect.landing import Landing, Snapshot
from orchestration.collect.official_network import Checks
from orchestration.publish.release import Release, ReleaseStore
from orchestration.resources.clock import now
from orchestration.resources.home import Home
from orchestration.resources.night import read_outcome
from orchestration.settings import Settings

Section = tuple[str, list[str]]


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
    rows = _query(
        release,
        f"select {', '.join(columns)} from revision where table_code = $code "
        "order by stand_after desc, area_code, period_label, measure_code, items",
        {"code": table_code},
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]


def explanation(
    home_path: Path, settings: Settings, catalogue: Catalogue, indicator_id: str
) -> list[Section]:
    """Everything there is to say about one indicator, as headed lists of lines."""
    indicator = catalogue.indicators[indicator_id]
    sections = [*_definition(indicator, catalogue), _sources(indicator, catalogue)]
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    if release is None:
        return [*sections, ("Veröffentlichung / release", ["keine / none: run a night first"])]
    return [
        *sections,
        _deliveries(indicator, catalogue, release),
        _state(indicator, release),
        _verdicts(indicator, catalogue, release),
        _values(indicator, settings, release),
    ]


def _definition(indicator: Indicator, catalogue: Catalogue) -> list[Section]:
    both = [
        ("Zweck / purpose", indicator.purpose),
        ("Aussagefähigkeit / meaning", indicator.interpretation),
        ("Berechnung / calculation", indicator.calculation),
        ("Datenverfügbarkeit / availability", indicator.availability),
    ]
    formula = _term(indicator.numerator)
    if indicator.denominator is not None:
        formula = f"{formula} / {_term(indicator.denominator)}"
        if indicator.multiplier != 1:
            formula += f" × {indicator.multiplier:g}"
        if indicator.alignment != "same_period":
            formula += f"   (denominator: {indicator.alignment.value.replace('_', ' ')})"
    low, high = indicator.valid_range
    names = ", ".join(catalogue.breakdowns[b].label.de for b in indicator.breakdowns) or "keine / none"
    breaks = [
        f"{entry.from_} ({'überall' if entry.scope == '*' else entry.scope}): {entry.note.de}"
        for entry, _ in catalogue.breaks_of(indicator)
    ]
    return [
        (
            f"{indicator.code} {indicator.label.de} / {indicator.label.en}",
            [
                f"{indicator.id}, {indicator.kind.value}, {UNITS[indicator.unit].de} / {indicator.unit}, "
                f"{indicator.decimals} Nachkommastellen / decimals",
                f"Tabelle / table: {indicator.table}; Gliederungen / breakdowns: {names}",
                f"declared in {catalogue.files[indicator.id]}",
            ],
        ),
        *((heading, [text.de, text.en]) for heading, text in both),
        ("Formel / formula", [formula, f"gültig / valid: {low} … {high}"]),
        ("Zeitreihenbrüche / series breaks", list(dict.fromkeys(breaks)) or ["keine / none"]),
    ]


def _term(term: Term) -> str:
    where = "; ".join(f"{b} = {' + '.join(term.cells(b) or [])}" for b in term.where)
    return f"{term.measure}[{where}]" if where else term.measure


def _sources(indicator: Indicator, catalogue: Catalogue) -> Section:
    lines = []
    for measure in catalogue.measures_of(indicator):
        for source in measure.sources:
            table = catalogue.tables[source.table]
            lines.append(
                f"{measure.id} ← {source.measure} in {table.code} {table.title.de} (EVAS {table.evas}, {catalogue.statistic_of(table).publisher.de})"
            )
    return "Quellen / sources", list(dict.fromkeys(lines))


def _deliveries(indicator: Indicator, catalogue: Catalogue, release: Release) -> Section:
    wanted = {s.table for m in catalogue.measures_of(indicator) for s in m.sources}
    return (
        "Lieferungen / deliveries",
        [
            f"{s['table_code']}: {s['file']}, Stand {(s['stand'] or 'unbekannt')[:10]}, "
            f"sha256 {s['sha256'][:12]}…{', synthetisch' if s['synthetic'] else ''}"
            for s in release.manifest["sources"]
            if s["table_code"] in wanted
        ],
    )


def _state(indicator: Indicator, release: Release) -> Section:
    state = release.manifest["tables"].get(indicator.table)
    lines = [f"Release {release.id}: {release.folder}"]
    if state and state["status"] == "held":
        lines.append(f"gehalten seit / held since {state['held_since']}: {state['reason_de']}")
    return "Veröffentlichung / release", lines


def _verdicts(indicator: Indicator, catalogue: Catalogue, release: Release) -> Section:
    behind = {s.table for m in catalogue.measures_of(indicator) for s in m.sources}
    measures = {m.id for m in catalogue.measures_of(indicator)}
    rows = _query(
        release,
        'select "check", scope, status, message_de from verdict where "table" = $table order by 1, 2',
        {"table": indicator.table},
    )
    relevant = {indicator.id, indicator.table, *behind}
    return (
        "Prüfungen / checks",
        [
            f"{status:<13} {check}: {message}"
            for check, scope, status, message in rows
            if scope in relevant or scope.split("/")[0] in measures
        ],
    )


def _values(indicator: Indicator, settings: Settings, release: Release) -> Section:
    city = settings.municipality
    rows = _query(
        release,
        """
        select period_label, area_code, value, numerator, denominator, status, series_break_before
        from indicator_value
        where indicator_id = $indicator and area_code in ($home, $state, 'DG')
            and sex = 'total' and nationality = 'total' and age_group = 'total'
            and school_type = 'total' and qualification = 'total' and care_type = 'total'
            and grade = 'total'
        order by period_end desc, area_code desc""",
        {"indicator": indicator.id, "home": city.code, "state": city.state_code},
    )
    lines: dict[str, list[str]] = {}
    for label, area, value, numerator, denominator, status, broken in rows:
        shown = status if value is None else f"{value:,.{indicator.decimals}f}"
        parts = f" ({numerator:,.0f} / {denominator:,.0f})" if denominator and area == city.code else ""
        mark = " ‖ Reihenbruch" if broken and area == city.code else ""
        name = {city.code: city.name, "DG": "Deutschland"}.get(area, "Land")
        lines.setdefault(label, []).append(f"{name} {shown}{parts}{mark}")
    latest = [f"{label}: {'; '.join(values)}" for label, values in list(lines.items())[:5]]
    return f"Neueste Werte / latest values ({indicator.unit})", latest or ["keine / none"]


def _query(release: Release, sql: str, parameters: dict[str, str]) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True) as connection:
        return connection.execute(sql, parameters).fetchall()
