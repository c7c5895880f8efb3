"""Publish as a Dagster asset: the release that is served."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import dagster as dg

from expectations.catalogue import Catalogue
from expectations.verdict import Status
from orchestration.confirm.assets import gate_key
from orchestration.resources.night import LOG, Night

if TYPE_CHECKING:  # its imports cost a second that `--help` need not spend
    from orchestration.publish.publication import Publication

GROUP = "publish"

RELEASE_KEY = dg.AssetKey(["release", "current"])
DATABASES_KEY = dg.AssetKey(["release", "databases"])


def notices(done: "Publication", catalogue: Catalogue) -> list[dict[str, str]]:
    """What deserves to be told of a night: held tables, late sources, remarks; each with who answers for it."""
    found = [
        {
            "kind": "held", "key": d.table, "de": f"{catalogue.published[d.table].title.de}: {d.reason_de}",
            "en": f"{catalogue.published[d.table].title.en}: {d.reason_en}", "owner": catalogue.published[d.table].owner,
        }
        for d in done.decisions if not d.published
    ]  # fmt: skip
    found += [
        {
            "kind": "held", "key": f"internal/{name}",
            "de": f"{catalogue.published[name].title.de}, intern: {found_there.de}",
            "en": f"{catalogue.published[name].title.en}, internal: {found_there.en}",
            "owner": catalogue.published[name].owner,
        }
        for name, found_there in done.contradicted.items()
    ]  # fmt: skip
    held = {d.table for d in done.decisions if not d.published}
    seen = set()
    for v in done.verdicts:
        late = catalogue.checks[v.check].family == "arrival"
        key = f"{v.check}/{v.scope}" if late else f"{v.table}/{v.check}/{v.scope}"
        # A late source stands behind several tables, and is told once.
        if v.status is Status.WARN and key not in seen and (late or v.table not in held):
            seen.add(key)
            found.append(
                {"kind": "late" if late else "warning", "key": key, "de": v.message_de, "en": v.message_en, "owner": v.owner}
            )  # fmt: skip
    return found


def build_publish_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """The release, behind every gate."""

    @dg.asset(
        key=RELEASE_KEY,
        group_name=GROUP,
        kinds={"duckdb", "parquet", "csv"},
        deps=[gate_key(name) for name in catalogue.published],
        description="The served release: releases/current, switched in one step.",
    )
    def release(context: dg.AssetExecutionContext, night: Night) -> dg.MaterializeResult:
        from orchestration.publish.publication import publish

        with night.stage("publish"):
            done = publish(night.home, night.settings, night.catalogue, night.moment, night.workers)
        held = [d for d in done.decisions if not d.published]
        for decision in held:
            LOG.warning("publish | held: %s – %s", decision.table, decision.reason_de)
        served = done.release.id if done.release else None
        LOG.info("publish | %s %s", "new release" if done.is_new else "unchanged, serving", served)
        counts = {d.table: {"PASS": 0, "WARN": 0, "FAIL": 0, "NOT_EVALUATED": 0} for d in done.decisions}
        for verdict in done.verdicts:
            counts[verdict.table][verdict.status.value] += 1
        night.write_outcome(
            context.run.run_id,
            {
                "release_id": served,
                "is_new": done.is_new,
                "tables": [{**d.model_dump(), "verdicts": counts[d.table]} for d in done.decisions],
                "notices": notices(done, night.catalogue),
            },
        )
        if done.release is None:
            reasons = "\n".join(f"{d.table}: {d.reason_en}" for d in held)
            raise dg.Failure(f"Nothing may be published, and nothing is served yet.\n{reasons}")
        return dg.MaterializeResult(
            metadata={
                "release": served or "",
                "new": done.is_new,
                "held": "\n".join(f"{d.table}: {d.reason_de}" for d in held) or "none",
            }
        )

    @dg.asset(
        key=DATABASES_KEY,
        group_name=GROUP,
        kinds={"postgres"},
        deps=[RELEASE_KEY],
        description="The served release in the configured databases, switched in one transaction; also what an earlier night missed.",
    )
    def databases(night: Night) -> dg.MaterializeResult:
        from orchestration.publish.targets import bring_up_to_date

        with night.stage("publish: databases"):
            states = bring_up_to_date(night.home, night.settings, night.moment)
        night.say_databases([asdict(state) for state in states])
        for state in states:
            if state.error is None:
                LOG.info("publish | %s serves %s", state.name, state.release)
        if errors := [state.error for state in states if state.error]:
            raise dg.Failure("\n".join(errors))
        return dg.MaterializeResult(metadata={state.name: state.release for state in states})

    return [release, databases]
