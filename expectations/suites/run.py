"""Run a suite on a pandas frame.

Great Expectations is imported inside the functions: its import alone costs seconds.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import lru_cache
from typing import Any

import pandas as pd

from expectations.suites.build import Expectation


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
    """The results of every expectation as plain dictionaries, in the order of the suite."""
    gx, definition = _context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = definition.get_batch(batch_parameters={"dataframe": frame.reset_index(drop=True)})
        result = batch.validate(
            gx.ExpectationSuite(name="suite", expectations=suite),
            result_format={"result_format": "COMPLETE", "partial_unexpected_count": 5},
        )
    return [r.to_json_dict() for r in result.results]
