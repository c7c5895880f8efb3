"""Confirm as Dagster assets: one gate per published table, with an asset check for every family of checks.

A gate itself never fails: it writes verdicts, and its asset checks show them.
"""

import logging
from collections import Counter

import dagster as dg

from expectations.catalogue import Catalogue
from expectations.catalogue.model import FAMILIES, PublishedTable
from expectations.checks import CHECKS
from expectations.verdict import Verdict
from orchestration.resources.night import LOG, Night

GROUP = "confirm"


def gate_key(table: str) -> dg.AssetKey:
    """The gate of a published table."""
    return dg.AssetKey(["confirm", table])


def build_confirm_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """One gate for every published table of the catalogue."""
    return [_gate(table, catalogue) for table in catalogue.published.values()]


def _gate(table: PublishedTable, catalogue: Catalogue) -> dg.AssetsDefinition:
    key = gate_key(table.id)
    asked = {check.name for check in CHECKS if check.scopes(catalogue, table.id)}
    families = {
        family: [name for name, policy in catalogue.checks.items() if policy.family == family and name in asked]
        for family in FAMILIES
    }  # fmt: skip

    @dg.asset(
        key=key,
        group_name=GROUP,
        kinds={"python"},
        deps=[dg.AssetKey(["published", table.id])],
        check_specs=[
            dg.AssetCheckSpec(
                family,
                asset=key,
                description=f"{FAMILIES[family].de} / {FAMILIES[family].en}: {', '.join(catalogue.checks[n].title.de for n in names)}",
            )
            for family, names in families.items()
            if names
        ],
        description=f"Gate of {table.id}: {table.title.de} / {table.title.en}",
    )
    def gate(night: Night) -> dg.MaterializeResult:
        from orchestration.confirm.gate import confirm_table

        with night.stage("confirm"):
            verdicts = confirm_table(night.home, night.settings, night.catalogue, table.id, night.moment)
        counts = Counter(v.status.value for v in verdicts)
        summary = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
        held = any(v.status.holds for v in verdicts)
        LOG.log(logging.WARNING if held else logging.INFO, "confirm | %s: %s", table.id, summary)
        return dg.MaterializeResult(
            metadata={"verdicts": summary, "notable": _as_table([v for v in verdicts if v.status != "PASS"])},
            check_results=[
                _result(family, [v for v in verdicts if v.check in names])
                for family, names in families.items()
                if names
            ],
        )

    return gate


def _result(family: str, verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """A family of checks as the web UI shows it: failed if it holds the table, a warning if it only names something.

    One result a family, every verdict in it: one result a check cost more time than all the checks.
    """
    open_ = [v for v in verdicts if v.status != "PASS"]
    each = Counter((v.check, v.status.value) for v in verdicts)
    rows = "\n".join(f"| {check} | {status} | {n} |" for (check, status), n in sorted(each.items()))
    return dg.AssetCheckResult(
        check_name=family,
        passed=not open_,
        severity=dg.AssetCheckSeverity.ERROR if any(v.status.holds for v in open_) else dg.AssetCheckSeverity.WARN,
        description=open_[0].message_de if open_ else None,
        metadata={
            "checks": dg.MetadataValue.md(f"| check | status | scopes |\n|---|---|---|\n{rows}"),
            **({"findings": _as_table(open_)} if open_ else {}),
        },
    )  # fmt: skip


def _as_table(verdicts: list[Verdict]) -> dg.MarkdownMetadataValue:
    rows = "\n".join(f"| {v.check} | {v.scope} | {v.status} | {v.message_de} | {v.owner} |" for v in verdicts)
    head = "| check | scope | status | message | owner |\n|---|---|---|---|---|"
    return dg.MetadataValue.md(f"{head}\n{rows}")
