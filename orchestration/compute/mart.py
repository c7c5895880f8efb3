"""The mart of a night: as much of it as has to be computed, or all of it.

Belongs here: when a part is enough. Does not belong here: what a part is (increment.py, int_change__*).
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from expectations.catalogue import Catalogue
from orchestration.compute import dbt, increment
from orchestration.compute.candidate import load_candidate
from orchestration.compute.confidential import write_confidential_counts
from orchestration.compute.dbt import NodeResult, recorded
from orchestration.compute.increment import Proof
from orchestration.resources.home import Home
from orchestration.resources.workers import ALONE, Workers
from orchestration.settings import Settings

LOG = logging.getLogger("bildungsmonitor")


Stage = Callable[[str], AbstractContextManager[None]]
"""Measures a step of this name, as `Night.stage` does."""


def _unmeasured(name: str) -> AbstractContextManager[None]:
    return nullcontext()


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
    workers: Workers = ALONE,
    left_out: Iterable[str] = (),
    exclude_tests: bool = False,
    stage: Stage = _unmeasured,
) -> Mart:
    """Compute what the loaded candidate asks for, without the models `left_out`, and prove the rest.

    Whatever goes wrong with a part (a model or test fails, something changed that nothing should have
    changed), everything is computed from nothing in the same night, so that a failure looks as it always
    does: what stands on it is not there. `stage` measures the steps. Raises DbtError if dbt can't run at all,
    WorkerError if a worker process died.
    """

    def computed() -> list[NodeResult]:
        return build_mart(home, workers=workers, left_out=left_out, exclude_tests=exclude_tests, stage=stage)

    left_out = list(left_out)
    changed, is_full = increment.begun(home)
    if not is_full and not exclude_tests:
        results = computed() if changed else recorded(home)
        proof = _proof(home, catalogue, results)
        if proof is not None and not proof.broken:
            return Mart(results, changed, False, proof)
        why = ", ".join(proof.broken[:5]) if proof else "a model or test failed"
        LOG.warning("compute | not in part: %s; everything is computed from nothing", why)
    if not is_full:
        changed = load_candidate(home, settings, catalogue, moment, anew=True).plan.changed
    results = computed()
    return Mart(results, changed, True, None if exclude_tests else _proof(home, catalogue, results))


def build_mart(
    home: Home,
    *,
    workers: Workers = ALONE,
    left_out: Iterable[str] = (),
    exclude_tests: bool = False,
    stage: Stage = _unmeasured,
) -> list[NodeResult]:
    """Run dbt up to the counts, find those that stay hidden, and run dbt on what is published; keep the results.

    What is computed from a failed model or test is skipped, as in one run of dbt. Raises as `compute_mart` does.
    """
    options: dict[str, Any] = {"left_out": left_out, "exclude_tests": exclude_tests}
    with stage("compute: dbt"):
        results = dbt.build(home, dbt.BEFORE_DISCLOSURE, **options)
    between: list[NodeResult] = []
    needed = {model for models in dbt.BETWEEN.values() for model in models}
    if not needed & {r.unique_id for r in results if r.status != "success"}:
        with stage("compute: confidential counts"):
            started = time.perf_counter()
            again = write_confidential_counts(home, workers)
            if again:
                results = dbt.build(home, dbt.BEFORE_DISCLOSURE, **options)
                write_confidential_counts(home, workers)
            spent = time.perf_counter() - started
        between = [NodeResult(name, "success", None, None, spent) for name in dbt.BETWEEN]
    with stage("compute: dbt"):
        results += dbt.build(home, dbt.AFTER_DISCLOSURE, before=results, **options)
    results += between
    dbt.record(home, results)
    return results


def _proof(home: Home, catalogue: Catalogue, results: list[NodeResult]) -> Proof | None:
    """Nothing is proved, and nothing kept for the next night, unless every model and test is well."""
    if all(result.status in ("success", "pass") for result in results):
        return increment.complete(home, catalogue.published)
    return None
