"""Publish: ask for evidence about exactly this content, then release what may go out.

Fails closed, also when run alone: a table without fresh, complete and passing verdicts keeps its
last good version.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import logging
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from expectations.catalogue import Catalogue
from expectations.verdict import Decision, Verdict, decide
from expectations.wording import day
from orchestration.compute.dbt import manifest
from orchestration.confirm import evidence
from orchestration.confirm.gate import expected_checks
from orchestration.confirm.opened import told_counts
from orchestration.ledger import write_down
from orchestration.publish.contents import Built, Contents, compose, verdict_rows
from orchestration.publish.formats import column_descriptions, write_release
from orchestration.publish.imprint import Imprint
from orchestration.publish.internal import Contradiction, contradiction, internal_rows
from orchestration.publish.release import Release, ReleaseStore, at_rest
from orchestration.resources.home import Home
from orchestration.resources.workers import ALONE, Workers
from orchestration.settings import PROJECT, Internal, Settings

LOG = logging.getLogger("bildungsmonitor")


@dataclass(frozen=True)
class Publication:
    """What publishing did: the release that is served now and the decision on every table.

    `contradicted`: by table, what of the internal release contradicts the public one; it keeps its last good version.
    """

    release: Release | None
    is_new: bool
    decisions: list[Decision]
    verdicts: list[Verdict]
    contradicted: Mapping[str, Contradiction] = field(default_factory=dict)


def publish(
    home: Home, settings: Settings, catalogue: Catalogue, moment: dt.datetime, workers: Workers = ALONE
) -> Publication:
    """Decide on every table, write a release if anything a reader sees has changed, and serve it; then the internal one.

    Raises CandidateError if there is no candidate, and WorkerError if a worker process died; the served release
    stays untouched.
    """
    done = _publish_for_all(home, settings, catalogue, moment, workers)
    if settings.publication.internal is not None:
        thresholds = settings.publication.internal
        found = _publish_internal(home, settings, catalogue, moment, done, thresholds, workers)
        return replace(done, contradicted=found)
    return done


def _publish_for_all(
    home: Home, settings: Settings, catalogue: Catalogue, moment: dt.datetime, workers: Workers
) -> Publication:
    store = ReleaseStore.of(home)
    served = store.current()
    with evidence.connect(home) as connection:
        night = evidence.night_of(connection)
        built = _built(connection, catalogue)
        against = evidence.served_release(home)
        back, taken_back = _taken_back(store, served)
        decisions, verdicts = _decisions(connection, built, night, settings, catalogue, taken_back)
        sources = _sources(connection)
        synthetic = any(source["synthetic"] for source in sources)
        good = _last_good(store, settings, synthetic)
        decisions = _held_together(decisions, built, good, catalogue)
        rows = verdict_rows(verdicts, built, catalogue.content_hash)
        contents = compose(connection, catalogue, decisions, built, rows, night.night_id, good)
    if not contents.tables:
        return Publication(served, False, decisions, verdicts)
    digest = contents.digest

    def same(release: Release) -> bool:
        return release.manifest["content_digest"] == digest and not release.damage()

    if served is not None and same(served):
        return Publication(served, False, decisions, verdicts)
    if any(release.manifest["content_digest"] == digest for release in back):
        # What was taken back as a whole is not served again by a night.
        return Publication(served, False, decisions, verdicts)
    # A night killed between writing and serving has left this very release behind.
    release = store.newest(lambda r: r.id == night.night_id and same(r))
    if release is None:
        # Before anybody can read it: a night killed in between has told less than the ledger says, never more.
        with evidence.connect(home) as connection:
            told = told_counts(connection, catalogue, [d.table for d in decisions if d.published])
        write_down(home, night.night_id, told)
        imprint = Imprint.of(settings, moment, synthetic, "public")
        facts = _manifest(settings, catalogue, contents, sources, imprint, against)
        release = _written(store, night.night_id, home, catalogue, contents, facts, imprint, workers)
    with at_rest(settings.publication.rest_seconds):
        store.serve(release, moment)
    store.prune(settings.publication.keep_nights)
    return Publication(release, True, decisions, verdicts)


def _publish_internal(
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    moment: dt.datetime,
    public: Publication,
    thresholds: Internal,
    workers: Workers,
) -> dict[str, Contradiction]:
    """The statistics office's release of what was decided for the public one, in a store of its own.

    Returns by table what contradicts the public figures.
    """
    store = ReleaseStore.of(home, "internal")
    store.folder.parent.mkdir(mode=0o700, exist_ok=True)
    store.folder.parent.chmod(0o700)
    store.folder.mkdir(exist_ok=True)
    served = store.current()
    back, taken_back = _taken_back(store, served)
    with evidence.connect(home) as connection:
        night = evidence.night_of(connection)
        built: dict[str, Built] = {}
        wrong: dict[str, Contradiction] = {}
        tables = _built(connection, catalogue)
        for name, table in tables.items():
            rows = internal_rows(connection, catalogue, name, table.rows, thresholds)
            built[name] = replace(table, rows=rows, content_hash=evidence.content_hash(rows))
            if (found := contradiction(connection, catalogue, table.rows, rows)) is not None:
                wrong[name] = found
        sources = _sources(connection)
        synthetic = any(source["synthetic"] for source in sources)
        rows = verdict_rows(public.verdicts, built, catalogue.content_hash)
        good = _last_good(store, settings, synthetic)
        decisions = [
            _unless_taken_back(
                _unless_contradicted(d, wrong.get(d.table)),
                built[d.table].content_hash if d.table in built else None,
                taken_back,
            )
            for d in public.decisions
        ]
        for name, found in wrong.items():
            LOG.warning("publish | internal, held: %s – %s", name, found.de)
        shown = {name: table.rows for name, table in tables.items()}
        contents = compose(connection, catalogue, decisions, built, rows, night.night_id, good, shown)
    is_served = (
        served is not None and served.manifest["content_digest"] == contents.digest and not served.damage()
    )
    is_back = any(r.manifest["content_digest"] == contents.digest for r in back)
    if contents.tables and not is_served and not is_back:
        imprint = Imprint.of(settings, moment, synthetic, "internal")
        facts = _manifest(settings, catalogue, contents, sources, imprint, served.id if served else None)
        release = _written(store, night.night_id, home, catalogue, contents, facts, imprint, workers)
        with at_rest(settings.publication.rest_seconds):
            store.serve(release, moment)
        store.prune(settings.publication.keep_nights)
    return wrong


def _last_good(store: ReleaseStore, settings: Settings, synthetic: bool) -> Release | None:
    """The release that held tables keep their version of."""
    withdrawn = store.withdrawn()
    return store.newest(
        lambda r: r.id not in withdrawn and _same_kind(r, settings, synthetic) and not r.damage()
    )


def _written(
    store: ReleaseStore,
    night_id: str,
    home: Home,
    catalogue: Catalogue,
    contents: Contents,
    facts: dict[str, Any],
    imprint: Imprint,
    workers: Workers,
) -> Release:
    """Written whole into the store, not served yet."""
    descriptions = column_descriptions(manifest(home), catalogue)
    follows = facts["follows"]
    return store.add(
        night_id,
        lambda folder: write_release(folder, contents, catalogue, descriptions, follows, imprint, workers),
        facts,
    )


def _taken_back(
    store: ReleaseStore, served: Release | None
) -> tuple[list[Release], dict[str, dict[str, str]]]:
    """The releases that were taken back; by table, the contents (by hash) that differ from what is served, and why."""
    why = store.withdrawn()
    back = [release for release in store.all() if release.id in why]
    found: dict[str, dict[str, str]] = {}
    now = served.manifest["tables"] if served else {}
    for release in back:
        for name, state in release.manifest["tables"].items():
            if state["content_hash"] and state["content_hash"] != now.get(name, {}).get("content_hash"):
                found.setdefault(name, {})[state["content_hash"]] = why[release.id]
    return back, found


def _same_kind(previous: Release, settings: Settings, synthetic: bool) -> bool:
    """May a held table keep its version of that release? Never across cities or into real data."""
    return (
        previous.manifest["municipality"]["code"] == settings.municipality.code
        and previous.manifest["synthetic"] == synthetic
    )


def _built(connection: Any, catalogue: Catalogue) -> dict[str, Built]:
    """Every table that dbt built, read and hashed once: for the decision and for the release."""
    found = {name: evidence.published_table(connection, catalogue, name) for name in catalogue.published}
    return {
        name: Built(
            rows, evidence.content_hash(rows),
            {i.id: catalogue.definition_hash(i) for i in catalogue.indicators_of(name)},
            evidence.sources_behind(connection, catalogue, name),
            evidence.deliveries_behind(connection, catalogue, name),
        )
        for name, rows in found.items() if rows is not None
    }  # fmt: skip


def _decisions(
    connection: Any,
    built: dict[str, Built],
    night: evidence.Night,
    settings: Settings,
    catalogue: Catalogue,
    taken_back: dict[str, dict[str, str]],
) -> tuple[list[Decision], list[Verdict]]:
    """The decision on every table, and all verdicts."""
    decisions: list[Decision] = []
    all_verdicts: list[Verdict] = []
    for name in catalogue.published:
        found = built[name].content_hash if name in built else None
        verdicts, stale = evidence.verdicts_on(connection, name, night, found, catalogue.content_hash)
        if night.catalogue_hash != catalogue.content_hash:
            stale = "the data were computed with another catalogue"
        if night.municipality != settings.municipality.code:
            stale = "the data were computed for another municipality"
        decision = decide(name, verdicts, expected_checks(catalogue, name), stale)
        decision = _unless_taken_back(decision, found, taken_back)
        decisions.append(decision)
        all_verdicts += verdicts
    return decisions, all_verdicts


def _held_together(
    decisions: list[Decision], built: dict[str, Built], good: Release | None, catalogue: Catalogue
) -> list[Decision]:
    """The decisions, with every table held that would stand beside another delivery of one of its registers and periods.

    A held table keeps figures of the delivery before. Beside figures of the new one they would say what was corrected
    (decision 0034). Tables that do not read that register and period go out.
    """
    states = good.manifest["tables"] if good else {}
    found = {decision.table: decision for decision in decisions}
    while True:
        refused: dict[str, Decision] = {}
        for held in found.values():
            if held.published:
                continue
            kept = (states.get(held.table) or {}).get("deliveries", {})
            for name, decision in found.items():
                if not decision.published or name not in built or name in refused:
                    continue
                both = _of_two_deliveries(kept, built[name].deliveries)
                if both is not None:
                    register, end = catalogue.registers[both[0]].title, dt.date.fromisoformat(both[1])
                    refused[name] = _refused(
                        decision,
                        f"„{catalogue.published[held.table].title.de}“ ist zurückgehalten und zeigt noch die frühere Lieferung von "
                        f"„{register.de}“ bis {day(end, 'de')}",
                        f'"{catalogue.published[held.table].title.en}" is held and still shows the earlier delivery of '
                        f'"{register.en}" up to {day(end, "en")}',
                    )
        if not refused:
            return [found[decision.table] for decision in decisions]
        found |= refused


def _of_two_deliveries(
    kept: dict[str, dict[str, str]], now: dict[str, dict[str, str]]
) -> tuple[str, str] | None:
    """The first register and last day of a period that two tables have from different deliveries."""
    for register in sorted(set(kept) & set(now)):
        for end in sorted(set(kept[register]) & set(now[register])):
            if kept[register][end] != now[register][end]:
                return register, end
    return None


def _unless_contradicted(decision: Decision, found: Contradiction | None) -> Decision:
    """The decision, or a refusal where an internal figure can't be beside the public one; the office may read both."""
    if found is None:
        return decision
    figures = f"{found.internal}; {found.public}"
    return _refused(decision, f"{found.de}: {figures}", f"{found.en}: {figures}")


def _unless_taken_back(
    decision: Decision, content_hash: str | None, taken_back: dict[str, dict[str, str]]
) -> Decision:
    """The decision, or a refusal where exactly this content was withdrawn."""
    reason = taken_back.get(decision.table, {}).get(content_hash or "")
    if reason is None:
        return decision
    return _refused(
        decision,
        f"Genau dieser Stand wurde zurückgezogen: {reason}",
        f"This very content was withdrawn: {reason}",
    )


def _refused(decision: Decision, de: str, en: str) -> Decision:
    """The table is held for this reason, unless it is held already for another."""
    if not decision.published:
        return decision
    return Decision(table=decision.table, published=False, reason_de=de, reason_en=en)


def _sources(connection: Any) -> list[dict[str, Any]]:
    rows = connection.execute(
        """
        select table_code, file_name, sha256, taken_at, stand, licence, is_synthetic
        from raw.genesis_snapshot order by table_code, age_rank"""
    ).fetchall()
    names = ("table_code", "file", "sha256", "taken_at", "stand", "licence", "synthetic")
    return [
        {
            name: value.isoformat() if isinstance(value, dt.datetime) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


def _manifest(
    settings: Settings,
    catalogue: Catalogue,
    contents: Contents,
    sources: list[dict[str, Any]],
    imprint: Imprint,
    follows: str | None,
) -> dict[str, Any]:
    """What the manifest says but for the files. `follows`: the release readers had before."""
    return {
        "created_at": imprint.created.isoformat(),
        "municipality": settings.municipality.model_dump(),
        "synthetic": imprint.synthetic,
        "notice": imprint.notice,
        "licence": imprint.licence_name,
        "product": {
            "name": "bildungsmonitor",
            "version": importlib.metadata.version("bildungsmonitor"),
            "commit": _commit(),
        },
        "catalogue_hash": catalogue.content_hash,
        "content_digest": contents.digest,
        "tables": contents.states,
        "sources": sources,
        "follows": follows,
    }


def _commit() -> str | None:
    """The commit the code was run from; None outside a checkout of this project."""
    if not (PROJECT / ".git").exists():
        return None
    try:
        answer = subprocess.run(
            ["git", "-C", str(PROJECT), "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
