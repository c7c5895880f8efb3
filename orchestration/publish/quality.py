"""What a release says of its own quality: the report for people, and the list of changes.

Belongs here: gathering verdicts, waivers, corrections and changes for reading. Does not belong here: deciding
anything, and the look of the page (templates/quality.html).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from expectations.catalogue import Catalogue
from expectations.catalogue.model import FAMILIES, Text
from expectations.wording import number, release_of, span
from orchestration.publish.contents import Contents

GREEN = Text(de="freigegeben", en="published")
YELLOW = Text(de="freigegeben mit Hinweisen", en="published with remarks")
RED = Text(de="zurückgehalten", en="held")

MOST_LISTED = 40
"""So many changed rows of a table stand in CHANGES.md; all of them stand in changes.parquet."""


def quality_context(contents: Contents, catalogue: Catalogue) -> dict[str, Any]:
    """Everything the quality report shows, table by table."""
    rows = _rows(contents, "verdict")
    by_table: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_table.setdefault(row["table"], []).append(row)
    tables = [
        _table(name, state, by_table.get(name, []), catalogue) for name, state in contents.states.items()
    ]
    tables.sort(key=lambda t: (t["order"], t["title"].de))
    return {
        "tables": tables,
        "lights": Counter(t["light"] for t in tables),
        "fit": sum(t["fit"] for t in tables),
        "checks": len(catalogue.checks),
        "verdicts": len(rows),
        "waivers": _rows(contents, "waiver"),
        "corrections": _rows(contents, "correction"),
        "changes": Counter(contents.changes["kind"].to_pylist()),
    }


def _table(
    name: str, state: dict[str, Any], verdicts: list[dict[str, Any]], catalogue: Catalogue
) -> dict[str, Any]:
    declared = catalogue.published[name]
    held = state["status"] == "held"
    open_ = [_finding(v, catalogue) for v in verdicts if v["status"] != "PASS"]
    open_.sort(key=lambda f: (not f["holds"], f["check"], f["scope"]))
    light = "red" if held else "yellow" if open_ else "green"
    return {
        "id": name,
        "title": declared.title,
        "description": declared.description,
        "owner": declared.owner,
        "state": state,
        "light": light,
        "order": {"red": 0, "yellow": 1, "green": 2}[light],
        "word": {"red": RED, "yellow": YELLOW, "green": GREEN}[light],
        "fit": bool(state.get("fit_for_machines")) and not held,
        "counts": Counter(v["status"] for v in verdicts),
        "findings": open_,
        "families": list(_families(verdicts, catalogue)),
    }


def _finding(row: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    policy = catalogue.checks[row["check"]]
    return {**row, "title": policy.title, "holds": row["status"] in ("FAIL", "NOT_EVALUATED")}


def _families(verdicts: list[dict[str, Any]], catalogue: Catalogue) -> Iterable[dict[str, Any]]:
    """What was checked of a table: every check with how many scopes it had, by family."""
    counts: dict[str, Counter[str]] = {}
    for row in verdicts:
        counts.setdefault(row["check"], Counter())[row["status"]] += 1
    for family, title in FAMILIES.items():
        checks = [
            {"policy": policy, "counts": counts[name], "total": sum(counts[name].values())}
            for name, policy in catalogue.checks.items()
            if policy.family == family and name in counts
        ]
        if checks:
            yield {"title": title, "checks": checks}


def changes_text(contents: Contents, catalogue: Catalogue, follows: str | None, synthetic: str | None) -> str:
    """CHANGES.md: what this release changes of the one before it, German with English beside it."""
    lines = ["# Änderungen / Changes", ""]
    if synthetic:
        lines += [f"**{synthetic}**", ""]
    if follows is None:
        lines += ["Erste Veröffentlichung: alles ist neu. / First publication: everything is new.", ""]
    else:
        lines += [f"Gegenüber Stand {follows}. / Against release {follows}.", ""]
    rows = contents.changes.to_pylist()
    for name, state in contents.states.items():
        mine = [r for r in rows if r["table"] == name]
        counts = Counter(r["kind"] for r in mine)
        title = catalogue.published[name].title
        lines += [f"## {title.de} / {title.en} (`{name}`)", ""]
        if state["status"] == "held":
            lines += [
                f"Zurückgehalten seit {release_of(state['held_since'], 'de')}: {state['reason_de']}",
                f"Held since {release_of(state['held_since'], 'en')}: {state['reason_en']}",
                f"{counts['held']} Werte zurückgehalten / {counts['held']} values held back.", "",
            ]  # fmt: skip
            continue
        if not mine:
            lines += ["Unverändert. / Unchanged." if follows else "Neu. / New.", ""]
            continue
        lines += [
            f"{counts['new']} neu, {counts['changed']} geändert, {counts['withdrawn']} zurückgezogen. / "
            f"{counts['new']} new, {counts['changed']} changed, {counts['withdrawn']} withdrawn.", "",
        ]  # fmt: skip
        listed = [r for r in mine if r["kind"] in ("changed", "withdrawn")]
        if listed:
            lines += [
                "| Indikator | Gebiet | Zeitraum | Zellen | alt / old | neu / new | warum / why |",
                "|---|---|---|---|---|---|---|",
            ]
            lines += [_line(r) for r in listed[:MOST_LISTED]]
            if len(listed) > MOST_LISTED:
                lines.append(
                    f"\n{len(listed) - MOST_LISTED} weitere in changes.parquet / further ones in changes.parquet."
                )
            lines.append("")
    for heading, name, shown in (
        ("Ausnahmen / Waivers", "waiver", lambda r: f"`{r['waiver_id']}`: {r['check']} ({r['table']}, {r['scope']}) bis / until {r['expires']}, {r['owner']}: {r['reason']}"),
        ("Korrekturen / Corrections", "correction", lambda r: f"`{r['correction_id']}`: {r['evidence_de']} / {r['evidence_en']}"),
    ):  # fmt: skip
        entries = _rows(contents, name)
        if entries:
            lines += [f"## {heading}", "", *(f"* {shown(r)}" for r in entries), ""]
    return "\n".join(lines)


def _line(row: dict[str, Any]) -> str:
    old, new = (
        number(row[f"value_{when}"], "de")
        if row[f"value_from_{when}"] is None
        else span(row[f"value_from_{when}"], row[f"value_to_{when}"], "de")
        for when in ("before", "after")
    )
    cells = row["cells"] or "–"
    return (
        f"| {row['indicator_id']} | {row['area_code']} | {row['period_label']} | {cells} | {old} | {new} | "
        f"{row['why_de']} / {row['why_en']} |"
    )


def _rows(contents: Contents, name: str) -> list[dict[str, Any]]:
    return next((t.rows.to_pylist() for t in contents.tables if t.name == name), [])
