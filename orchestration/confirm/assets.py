"""Confirm as Dagster assets: one gate per published table. A gate never fails; it writes verdicts."""

from collections import Counter

import dagster as dg

from expectations.catalogue import Catalogue
from expectations.catalogue.model import PublishedTable
from orchestration.resources.night import LOG, Night

GROUP = "confirm"


def gate_key(table: str) -> dg.AssetKey:
    """The gate of a published table."""
    return dg.AssetKey(["confirm", table])


def build_confirm_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """One gate for every published table of the catalogue."""
    return [_gate(table) for table in catalogue.published.values()]


def _gate(table: PublishedTable) -> dg.AssetsDefinition:
    @dg.asset(
        key=gate_key(table.id),
        group_name=GROUP,
        kinds={"python"},
        deps=[dg.AssetKey(["published", table.id])],
        description=f"Gate of {table.id}: {table.title.de} / {table.title.en}",
    )
    def gate(night: Night) -> dg.MaterializeResult:
        from orchestration.confirm.gate import confirm_table

        with night.stage("confirm"):
            verdicts = confirm_table(night.home, night.settings, night.catalogue, table.id, night.moment)
        counts = Counter(v.status.value for v in verdicts)
        summary = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
        LOG.info("confirm | %s: %s", table.id, summary)
        notable = [v for v in verdicts if v.status.value != "PASS"]
        rows = "\n".join(f"| {v.check} | {v.scope} | {v.status} | {v.message_de} |" for v in notable)
        return dg.MaterializeResult(
            metadata={
                "verdicts": summary,
                "notable": dg.MetadataValue.md(
                    f"| check | scope | status | message |\n|---|---|---|---|\n{rows}"
                ),
            }
        )

    return gate
