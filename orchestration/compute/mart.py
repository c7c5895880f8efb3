"""The mart of a night: as much of it as has to be computed, or all of it.

Belongs here: when a part is enough. Does not belong here: what a part is (increment.py, int_change__*).
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable
from dataclasses import dataclass

from expectations.catalogue import Catalogue
from orchestration.compute import increment
from orchestration.compute.candidate import load_candidate
from orchestration.compute.dbt import NodeResult, build, recorded
from orchestration.compute.increment import Proof
from orchestration.resources.home import Home
from orchestration.settings import Settings

LOG = logging.getLogger("bildungsmonitor")


@dataclass(frozen=True)
class Mart:
    """What became of models and tests, the sources that were computed anew, and the proof of the others.

    `proof` is None where a model or test failed: then nothing is built on this computation.
    """

    results: list[NodeResult]
    changed: list[str]
    is_full: bool
    proof: Proof | None


def compute_mart(
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    moment: dt.datetime,
    *,
    left_out: Iterable[str] = (),
    exclude_tests: bool = False,
) -> Mart:
    """Compute what the loaded candidate asks for, without the models `left_out`, and prove the rest.

    Whatever goes wrong with a part (a model or test fails, something changed that nothing should have
    changed), everything is computed from nothing in the same night, so that a failure looks as it always
    does: what stands on it is not there. Raises DbtError if dbt can't run at all.
    """
    left_out = list(left_out)
    changed, is_full = increment.begun(home)
    if not is_full and not exclude_tests:
        results = build(home, left_out=left_out) if changed else recorded(home)
        proof = _proof(home, catalogue, results)
        if proof is not None and not proof.broken:
            return Mart(results, changed, False, proof)
        why = ", ".join(proof.broken[:5]) if proof else "a model or test failed"
        LOG.warning("compute | not in part: %s; everything is computed from nothing", why)
    if not is_full:
        changed = load_candidate(home, settings, catalogue, moment, anew=True).plan.changed
    results = build(home, left_out=left_out, exclude_tests=exclude_tests)
    return Mart(results, changed, True, None if exclude_tests else _proof(home, catalogue, results))


def _proof(home: Home, catalogue: Catalogue, results: list[NodeResult]) -> Proof | None:
    """Nothing is proved, and nothing kept for the next night, unless every model and test is well."""
    if all(result.status in ("success", "pass") for result in results):
        return increment.complete(home, catalogue.published)
    return None
