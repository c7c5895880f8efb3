"""Compute as Dagster assets: the candidate's raw schemas, then every dbt model with its tests."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg

from expectations.catalogue import Catalogue
from orchestration.collect.assets import raw_key
from orchestration.compute.candidate import load_candidate
from orchestration.compute.dbt import BETWEEN
from orchestration.compute.mart import compute_mart
from orchestration.resources.night import LOG, Night

GROUP = "compute"


class LoadConfig(dg.Config):
    """How the candidate is loaded: in part where that is enough, or always from nothing."""

    anew: bool = False


class BuildConfig(dg.Config):
    """How dbt runs. Without its tests nothing has evidence, so every table will be held."""

    exclude_tests: bool = False


def model_key(node: dict[str, Any]) -> dg.AssetKey:
    """Asset key = SQL address of a dbt model or source: schema, then name."""
    return dg.AssetKey([node["schema"], node["name"]])


def build_compute_assets(catalogue: Catalogue, manifest: dict[str, Any]) -> list[dg.AssetsDefinition]:
    """Assets and checks as dbt's manifest describes them."""
    sources = {name: node for name, node in manifest["sources"].items() if name not in BETWEEN}
    between = {name: manifest["sources"][name] for name in BETWEEN}
    models = {name: node for name, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    # A published table that this city does not make is no asset of it.
    unwanted = {
        name
        for name, node in models.items()
        if node["schema"] == "published" and node["name"] not in catalogue.published
    }
    left_out = [models.pop(name)["name"] for name in sorted(unwanted)]
    tests = {n: t for n, t in manifest["nodes"].items() if t["resource_type"] == "test"}
    # Dagster wants a step's assets reported parents first.
    steps = {**between, **models}
    depends_on = {
        name: BETWEEN.get(name) or tuple(node["depends_on"]["nodes"]) for name, node in steps.items()
    }
    parents = {name: [p for p in of if p in steps] for name, of in depends_on.items()}
    steps = {name: steps[name] for name in TopologicalSorter(parents).static_order()}
    keys = {name: model_key(node) for name, node in {**sources, **steps}.items()}
    check_specs = {
        name: dg.AssetCheckSpec(_check_name(test), asset=keys[test["attached_node"]])
        for name, test in tests.items()
        if test.get("attached_node") in keys
    }
    raw = [raw_key(table.raw_name) for table in catalogue.tables.values()]
    raw += [raw_key(register.raw_name) for register in catalogue.registers.values()]

    @dg.multi_asset(
        name="candidate",
        specs=[
            dg.AssetSpec(
                model_key(source),
                group_name=GROUP,
                kinds={"duckdb"},
                description=source["description"],
                deps=raw if source["schema"] == "raw" else [],
            )
            for source in sources.values()
        ],
    )
    def candidate(config: LoadConfig, night: Night) -> Iterator[dg.MaterializeResult]:
        with night.stage("compute: load"):
            loaded = load_candidate(
                night.home, night.settings, night.catalogue, night.moment, anew=config.anew
            )
        LOG.info("compute | %s rows of %d tables loaded", f"{sum(loaded.rows.values()):,}", len(loaded.rows))
        if loaded.plan.is_full:
            LOG.info("compute | everything anew: %s", loaded.plan.reason)
        for table, reason in loaded.unreadable.items():
            LOG.warning("compute | a snapshot of %s is no longer readable: %s", table, reason)
        for source in sources.values():
            yield dg.MaterializeResult(asset_key=model_key(source))

    @dg.multi_asset(
        name="dbt_build",
        specs=[
            dg.AssetSpec(
                keys[name],
                group_name=GROUP,
                kinds={"python" if name in BETWEEN else "dbt", "duckdb"},
                description=node["description"],
                deps=[keys[parent] for parent in depends_on[name] if parent in keys],
            )
            for name, node in steps.items()
        ],
        check_specs=list(check_specs.values()),
    )
    def dbt_build(config: BuildConfig, night: Night) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        mart = compute_mart(
            night.home, night.settings, night.catalogue, night.moment, workers=night.workers,
            left_out=left_out, exclude_tests=config.exclude_tests, stage=night.stage,
        )  # fmt: skip
        results = mart.results
        if mart.proof is not None:
            night.say_computed(
                {
                    "is_full": mart.is_full,
                    "changed_sources": mart.changed,
                    "indicators_computed": mart.proof.computed,
                    "indicators_proved_unchanged": mart.proof.unchanged,
                }
            )
            LOG.info(
                "compute | %d indicators computed, %d proved unchanged",
                mart.proof.computed,
                mart.proof.unchanged,
            )
        by_id = {r.unique_id: r for r in results}
        built = [r for r in results if r.unique_id in models and r.status == "success"]
        bad = [r for r in results if r.status in ("error", "fail", "skipped")]
        LOG.info(
            "compute | dbt: %d models, %d tests passed, %d not",
            len(built),
            sum(r.status == "pass" for r in results),
            len(bad),
        )
        for result in bad:
            if result.status != "skipped":
                LOG.warning("compute | %s: %s", result.unique_id, (result.message or "").split("\n")[0])
        # Every asset is reported, also one that was not built: the gate holds what stands on it.
        for name in steps:
            found = by_id.get(name)
            yield dg.MaterializeResult(
                asset_key=keys[name],
                metadata={
                    "status": found.status if found else "not run",
                    "seconds": found.seconds if found else 0.0,
                },
            )
        for name, spec in check_specs.items():
            found = by_id.get(name)
            yield dg.AssetCheckResult(
                check_name=spec.name,
                asset_key=spec.asset_key,
                passed=found is not None and found.status == "pass",
                metadata={"status": found.status if found else "not run"},
            )

    return [candidate, dbt_build]


def _check_name(test: dict[str, Any]) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", test["name"])[:120]
