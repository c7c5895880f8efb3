"""Confirm as Dagster assets: one gate per published table, with an asset check for every family of checks.

A gate itself never fails: it writes verdicts, and its asset checks show them.
"""

import logging
from collections import Counter
from collections.abc import Iterator

import dagster as dg

from expectations.catalogue import Catalogue
from expectations.catalogue.model import FAMILIES
from expectations.checks import CHECKS
from expectations.verdict import Verdict
from orchestration.resources.night import LOG, Night

GROUP = "confirm"


def gate_key(table: str) -> dg.AssetKey:
    """The gate of a published table."""
    return dg.AssetKey(["confirm", table])


def build_confirm_assets(catalogue: Catalogue) -> list[dg.AssetsDefinition]:
    """One gate for every published table of the catalogue, all in one step; any of them can be run alone."""
    checks = {name: _families(catalogue, name) for name in catalogue.published}

    @dg.multi_asset(
        name="gates",
        can_subset=True,
        specs=[
            dg.AssetSpec(
                gate_key(table.id),
                group_name=GROUP,
                kinds={"python"},
                deps=[dg.AssetKey(["published", table.id])],
                description=f"Gate of {table.id}: {table.title.de} / {table.title.en}",
            )
            for table in catalogue.published.values()
        ],
        check_specs=[
            dg.AssetCheckSpec(
                family,
                asset=gate_key(table),
                description=f"{FAMILIES[family].de} / {FAMILIES[family].en}: {', '.join(catalogue.checks[n].title.de for n in names)}",
            )
            for table, families in checks.items()
            for family, names in families.items()
        ],
    )
    def gates(context: dg.AssetExecutionContext, night: Night) -> Iterator[dg.MaterializeResult]:
        from orchestration.confirm.gate import confirm_tables

        selected = {key.path[-1] for key in context.selected_asset_keys}
        names = [name for name in catalogue.published if name in selected]
        with night.stage("confirm"):
            found = confirm_tables(
                night.home, night.settings, night.catalogue, night.moment, night.workers, names
            )
        for name in names:
            yield _materialized(name, found[name], checks[name])

    return [gates] if catalogue.published else []


def _families(catalogue: Catalogue, table: str) -> dict[str, list[str]]:
    """The checks that are asked of a table, by family."""
    asked = {check.name for check in CHECKS if check.scopes(catalogue, table)}
    found = {
        family: [name for name, policy in catalogue.checks.items() if policy.family == family and name in asked]
        for family in FAMILIES
    }  # fmt: skip
    return {family: names for family, names in found.items() if names}


def _materialized(
    table: str, verdicts: list[Verdict], families: dict[str, list[str]]
) -> dg.MaterializeResult:
    """A gate's verdicts as Dagster shows them, with a result for every family of checks."""
    counts = Counter(v.status.value for v in verdicts)
    summary = ", ".join(f"{n} {status}" for status, n in sorted(counts.items()))
    held = any(v.status.holds for v in verdicts)
    LOG.log(logging.WARNING if held else logging.INFO, "confirm | %s: %s", table, summary)
    return dg.MaterializeResult(
        asset_key=gate_key(table),
        metadata={"verdicts": summary, "notable": _as_table([v for v in verdicts if v.status != "PASS"])},
        check_results=[
            _result(table, family, [v for v in verdicts if v.check in names])
            for family, names in families.items()
        ],
    )


def _result(table: str, family: str, verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """A family of checks as the web UI shows it: failed if it holds the table, a warning if it only names something.

    One result a family, every verdict in it: one result a check cost more time than all the checks.
    """
    open_ = [v for v in verdicts if v.status != "PASS"]
    each = Counter((v.check, v.status.value) for v in verdicts)
    rows = "\n".join(f"| {check} | {status} | {n} |" for (check, status), n in sorted(each.items()))
    return dg.AssetCheckResult(
        check_name=family,
        asset_key=gate_key(table),
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
