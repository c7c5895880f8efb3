"""Publish as a Dagster asset: the release that is served."""

import dagster as dg

from expectations.catalogue import Catalogue
from orchestration.confirm.assets import gate_key
from orchestration.resources.night import LOG, Night

GROUP = "publish"

RELEASE_KEY = dg.AssetKey(["release", "current"])


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
            done = publish(night.home, night.settings, night.catalogue, night.moment)
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

    return [release]
