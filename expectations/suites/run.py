"""Run a suite on a pandas frame and turn its results into one verdict.

Great Expectations is imported inside the functions: its import alone costs seconds.
Measured trap: an expectation on no elements succeeds. Here it counts as not evaluated.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import lru_cache
from typing import Any

import pandas as pd

from expectations.checks.base import Subject, Words, listed, place
from expectations.suites.build import Expectation
from expectations.verdict import Status, Verdict


@lru_cache(maxsize=1)
def _context() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    # The package sets its own module loggers to INFO while it is imported.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    definition = (
        context.data_sources.add_pandas("candidate")
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    return gx, definition


def run_suite(frame: pd.DataFrame, suite: list[Expectation]) -> list[dict[str, Any]]:
    """The results of every expectation as plain dictionaries (GX's result format SUMMARY)."""
    gx, definition = _context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = definition.get_batch(batch_parameters={"dataframe": frame.reset_index(drop=True)})
        result = batch.validate(
            gx.ExpectationSuite(name="suite", expectations=suite),
            result_format={"result_format": "COMPLETE", "partial_unexpected_count": 5},
        )
    return [r.to_json_dict() for r in result.results]


def verdict_of(
    words: Words, subject: Subject, scope: str, frame: pd.DataFrame, suite: list[Expectation]
) -> Verdict:
    """One verdict on all expectations of a suite; the first broken one gives the message."""
    results = run_suite(frame, suite)
    expected = f"{len(suite)} expectations met"
    broken = [r for r in results if not r["success"]]
    unseen = [r for r in results if r["success"] and r["result"].get("element_count", 1) == 0]
    errors = [r for r in broken if (r.get("exception_info") or {}).get("raised_exception")]
    if unseen or errors or len(results) != len(suite):
        return words.say(
            subject,
            scope,
            Status.NOT_EVALUATED,
            observed=f"{len(unseen) + len(errors)} expectations without an answer",
            expected=expected,
            de=f"{scope}: Prüfung ohne Ergebnis.",
            en=f"{scope}: a check gave no answer.",
        )
    if not broken:
        return words.say(
            subject,
            scope,
            Status.PASS,
            observed=f"{len(frame)} rows",
            expected=expected,
            de=f"{scope}: {len(frame)} Zeilen geprüft, keine Abweichung.",
            en=f"{scope}: {len(frame)} rows checked, no deviation.",
        )
    first = broken[0]
    what = _in_words(first)
    rows = _offending(subject, frame, first)
    detail = listed(rows) if rows else str(first["result"].get("observed_value", ""))[:200]
    count = first["result"].get("unexpected_count")
    observed = f"{count} rows" if count else detail
    return words.say(
        subject,
        scope,
        Status.FAIL,
        observed=observed,
        expected=what,
        de=f"{scope}: {count or ''} Werte verletzen „{what}“: {detail}.".replace("  ", " "),
        en=f"{scope}: {count or ''} values break “{what}”: {detail}.".replace("  ", " "),
    )


def _in_words(result: dict[str, Any]) -> str:
    config = result["expectation_config"]
    kwargs = config["kwargs"]
    if "value_set" in kwargs:
        return f"{kwargs['column']} in {', '.join(map(str, kwargs['value_set']))[:120]}"
    return config["type"].removeprefix("expect_").replace("_", " ")


def _offending(subject: Subject, frame: pd.DataFrame, result: dict[str, Any]) -> list[str]:
    indices = result["result"].get("unexpected_index_list")
    if not indices:
        return []
    column = result["expectation_config"]["kwargs"]["column"]
    names = list(subject.catalogue.breakdowns)
    rows = frame.reset_index(drop=True)
    return [f"{place(rows.loc[i], names)}: {rows.loc[i, column]}" for i in list(indices)]
