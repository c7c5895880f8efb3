"""Collect as Dagster assets: one per official table of the catalogue, landed in one step."""

from collections.abc import Iterator

import dagster as dg

from expectations.catalogue import Catalogue
from orchestration.collect.landing import landing_of
from orchestration.collect.official_statistics import collect_official_statistics
from orchestration.collect.registers.collect import collect_registers, prepare_registers
from orchestration.resources.night import Night

GROUP = "collect"

REGISTER_TAG = ("bildungsmonitor/source", "register")
"""Marks the assets of registers, so that a job can select them alone."""


def raw_key(name: str) -> dg.AssetKey:
    """Asset key = SQL address: raw/genesis__21111_01_03_4."""
    return dg.AssetKey(["raw", name])


def build_collect_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """The raw assets of every official table the catalogue declares."""
    specs = [
        dg.AssetSpec(
            raw_key(table.raw_name),
            group_name=GROUP,
            kinds={"csv"},
            description=f"{table.code} {table.title.de} / {table.title.en}",
        )
        for table in catalogue.tables.values()
    ]

    @dg.multi_asset(name="official_statistics", specs=specs)
    def official_statistics(
        context: dg.AssetExecutionContext, night: Night
    ) -> Iterator[dg.MaterializeResult]:
        with night.stage("collect"):
            source = night.settings.official_statistics
            # The invented registers are written meanwhile.
            registers = night.workers.submit(prepare_registers, (night.settings, night.home, night.catalogue))
            receptions = collect_official_statistics(
                night.settings, night.home, night.catalogue, night.moment
            )
            landing = landing_of(night.home, source, night.catalogue)
            for table in night.catalogue.tables.values():
                snapshots = landing.snapshots(table.code)
                refused = [
                    r.reason for r in receptions if r.status == "refused" and r.table_code == table.code
                ]
                yield dg.MaterializeResult(
                    asset_key=raw_key(table.raw_name),
                    metadata={
                        "snapshots": len(snapshots),
                        "newest": snapshots[-1].id if snapshots else "none",
                        "refused": "\n".join(r for r in refused if r) or "none",
                    },
                )
            if unknown := [r for r in receptions if r.status == "refused" and r.table_code is None]:
                reasons = "\n".join(r.reason or "" for r in unknown)
                context.log.warning(f"refused without a table's code:\n{reasons}")
            night.workers.results([registers])

    register_specs = [
        dg.AssetSpec(
            raw_key(register.raw_name),
            group_name=GROUP,
            kinds={"duckdb"},
            tags=dict([REGISTER_TAG]),
            description=f"{register.title.de} / {register.title.en}: counts of {register.system}, kept by {register.owner.en}",
        )
        for register in catalogue.registers.values()
    ]

    @dg.multi_asset(name="registers", specs=register_specs)
    def registers(night: Night) -> Iterator[dg.MaterializeResult]:
        with night.stage("collect: registers"):
            arrived = collect_registers(
                night.settings, night.home, night.catalogue, night.moment, night.workers
            )
        for register in night.catalogue.registers.values():
            mine = [a for a in arrived if a.register == register.id]
            yield dg.MaterializeResult(
                asset_key=raw_key(register.raw_name),
                metadata={
                    "accepted": sum(a.status == "accepted" for a in mine),
                    "refused": "; ".join(r for a in mine if a.status == "refused" for r in a.reasons)
                    or "none",
                    "unmatched": str({k: v for a in mine for k, v in a.unmatched.items()} or "none"),
                },
            )

    return [official_statistics, registers]
