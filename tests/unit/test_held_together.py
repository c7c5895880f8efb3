"""One release has one delivery of a register and period: a held table holds those that would stand beside it with another."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from expectations.catalogue import load_catalogue
from expectations.verdict import Decision
from orchestration.publish.contents import Built
from orchestration.publish.publication import _held_together
from orchestration.publish.release import Release

CATALOGUE = load_catalogue()
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


def decided(**published: bool) -> list[Decision]:
    return [
        Decision(table=t, published=p, reason_de="" if p else "anders", reason_en="" if p else "other")
        for t, p in published.items()
    ]


def after(
    decisions: list[Decision],
    now: dict[str, dict[str, dict[str, str]]],
    before: dict[str, dict[str, dict[str, str]]],
) -> dict[str, bool]:
    """Which tables are published, by what they read now and read in the release before."""
    built = {name: Built(pa.table({}), name, deliveries=deliveries) for name, deliveries in now.items()}
    good = Release(Path("r"), {"tables": {name: {"deliveries": d} for name, d in before.items()}})
    return {d.table: d.published for d in _held_together(decisions, built, good, CATALOGUE)}


def test_a_held_table_holds_those_that_read_the_same_period_from_another_delivery() -> None:
    year, later = "2024-12-31", "2025-12-31"
    decisions = decided(
        pub_schools=False, pub_leavers=True, pub_newcomers=True, pub_population=True, pub_vocational=True
    )
    now = {
        "pub_schools": {"pupils": {year: NEW}},
        "pub_leavers": {"pupils": {year: NEW}},  # the same register and period, delivered again
        "pub_newcomers": {"pupils": {year: NEW}, "residents": {year: OLD, later: NEW}},
        "pub_population": {
            "residents": {year: OLD, later: NEW}
        },  # the same delivery, and a new period beside it
        "pub_vocational": {"vocational_pupils": {year: NEW}},
    }
    before = {
        "pub_schools": {"pupils": {year: OLD}}, "pub_leavers": {"pupils": {year: OLD}},
        "pub_newcomers": {"pupils": {year: OLD}, "residents": {year: OLD}}, "pub_population": {"residents": {year: OLD}},
        "pub_vocational": {"vocational_pupils": {year: OLD}},
    }  # fmt: skip
    assert after(decisions, now, before) == {
        "pub_schools": False, "pub_leavers": False, "pub_newcomers": False, "pub_population": True, "pub_vocational": True,
    }  # fmt: skip


def test_what_is_held_with_it_holds_further_tables_and_says_why() -> None:
    year = "2024-12-31"
    decisions = decided(pub_schools=False, pub_newcomers=True, pub_population=True)
    now = {
        "pub_newcomers": {"pupils": {year: NEW}, "residents": {year: NEW}},
        "pub_population": {"residents": {year: NEW}},
    }
    before = {
        "pub_schools": {"pupils": {year: OLD}}, "pub_newcomers": {"pupils": {year: OLD}, "residents": {year: OLD}},
        "pub_population": {"residents": {year: OLD}},
    }  # fmt: skip
    assert after(decisions, now, before) == dict.fromkeys(
        ("pub_schools", "pub_newcomers", "pub_population"), False
    )
    built = {name: Built(pa.table({}), name, deliveries=d) for name, d in now.items()}
    good = Release(Path("r"), {"tables": {name: {"deliveries": d} for name, d in before.items()}})
    reason = next(d for d in _held_together(decisions, built, good, CATALOGUE) if d.table == "pub_newcomers")
    assert "zeigt noch die frühere Lieferung von „Schülerinnen und Schüler" in reason.reason_de
    assert reason.reason_de.endswith("bis 31.12.2024")
    assert reason.reason_en.endswith("up to 31 December 2024")


def test_without_a_release_before_or_with_the_same_deliveries_nothing_more_is_held() -> None:
    decisions = decided(pub_schools=False, pub_leavers=True)
    now = {"pub_leavers": {"pupils": {"2024-12-31": NEW}}}
    assert after(decisions, now, {}) == {"pub_schools": False, "pub_leavers": True}
    assert after(decisions, now, {"pub_schools": now["pub_leavers"]}) == {
        "pub_schools": False,
        "pub_leavers": True,
    }
