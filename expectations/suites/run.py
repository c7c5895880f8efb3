"""Run suites on pandas frames: all published tables in one checkpoint, or one frame alone.

Belongs here: calling Great Expectations and handing its results to the tables they speak of. Does not belong here:
what is expected (build.py). Great Expectations is imported inside the functions: its import alone costs seconds.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from expectations.catalogue import Catalogue
from expectations.suites.build import NUMBERS, Expectation, common_suite, table_suite, with_limits

Result = dict[str, Any]
"""What Great Expectations says of one expectation."""


def run_suites(frames: Mapping[str, pd.DataFrame], catalogue: Catalogue) -> dict[str, list[Result]]:
    """The results of every table's suite (`table_suite`); of all tables in one checkpoint.

    Tables with the same columns and types are judged as one batch, by expectations that are nowhere less strict
    than those of a single table. Of a table that breaks none of them every expectation is met. A table that may
    break one is judged again by itself, so that the result speaks of its own rows.
    """
    found: dict[str, list[Result]] = {}
    alike: dict[Any, list[str]] = {}
    for name, frame in frames.items():
        alike.setdefault(_signature(frame), []).append(name)
    for names in alike.values():
        limited = {n: with_limits(frames[n], catalogue, n) for n in names}
        broken = set(names)
        if len(names) > 1:
            broken = _broken(_together([limited[n] for n in names]), limited, catalogue)
        for name in names:
            if name in broken:
                found[name] = _alone(frames[name], limited[name], catalogue, name)
            else:
                suite = table_suite(catalogue, name)
                found[name] = [_met(expectation, limited[name]) for expectation in suite]
    return found


def run_suite(frame: pd.DataFrame, suite: list[Expectation]) -> list[Result]:
    """The results of every expectation as plain dictionaries, in the order of the suite."""
    checkpoint = _checkpoint(suite, {"result_format": "COMPLETE", "partial_unexpected_count": 5})
    result = _run(checkpoint, frame)
    return [r.to_json_dict() for r in result.results]


def _alone(frame: pd.DataFrame, limited: pd.DataFrame, catalogue: Catalogue, name: str) -> list[Result]:
    """The results of one table's suite on its own rows."""
    suite = table_suite(catalogue, name)
    of_columns = [e for e in suite if e["type"].startswith("expect_table")]
    of_rows = [e for e in suite if e not in of_columns]
    # The columns are judged as they are, without those that only a suite sees.
    return run_suite(frame.head(1), of_columns) + run_suite(limited, of_rows)


def _broken(together: pd.DataFrame, limited: Mapping[str, pd.DataFrame], catalogue: Catalogue) -> set[str]:
    """The tables of a batch with a row that breaks an expectation; all of them where it is not a matter of rows."""
    suite = common_suite(catalogue)
    checkpoint = _checkpoint(suite, {"result_format": "COMPLETE", "partial_unexpected_count": 0})
    results = [r.to_json_dict() for r in _run(checkpoint, together).results]
    if len(results) != len(suite):
        return set(limited)
    wrong = np.zeros(len(together), dtype=bool)
    for result in results:
        rows = result["result"].get("unexpected_index_list")
        if (result.get("exception_info") or {}).get("raised_exception") or (
            not result["success"] and not rows
        ):
            return set(limited)
        wrong[list(rows or [])] = True
    ends = np.cumsum([0, *(len(frame) for frame in limited.values())])
    return {
        name for name, start, end in zip(limited, ends[:-1], ends[1:], strict=True) if wrong[start:end].any()
    }


def _met(expectation: Expectation, limited: pd.DataFrame) -> Result:
    """The result of an expectation that a table meets, as Great Expectations says it of the table alone."""
    return {
        "success": True,
        "expectation_config": expectation,
        "result": {"element_count": len(limited), "unexpected_count": 0},
        "exception_info": {"raised_exception": False},
    }


def _signature(frame: pd.DataFrame) -> tuple[Any, ...]:
    """What must be the same for frames to be judged as one: the names of the columns and what is in them."""
    kinds = ("category" if isinstance(t, pd.CategoricalDtype) else str(t) for t in frame.dtypes)
    return (*frame.columns, *("number" if kind in NUMBERS else kind for kind in kinds))


def _together(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Frames of the same columns below one another, categories kept."""
    columns: dict[str, Any] = {}
    for name in frames[0].columns:
        parts = [frame[name] for frame in frames]
        if isinstance(parts[0].dtype, pd.CategoricalDtype):
            values = pd.unique(np.concatenate([p.cat.categories.to_numpy(dtype=object) for p in parts]))
            place = {value: n for n, value in enumerate(values)}
            codes = [
                np.append(np.array([place[c] for c in p.cat.categories], dtype=np.int64), -1)[p.cat.codes]
                for p in parts
            ]
            columns[name] = pd.Categorical.from_codes(np.concatenate(codes), pd.Index(values, dtype=object))
        else:
            columns[name] = pd.concat(parts, ignore_index=True)
    return pd.DataFrame(columns)


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
    return gx, context, definition


def _checkpoint(suite: list[Expectation], result_format: dict[str, Any]) -> Any:
    """A checkpoint of one suite."""
    gx, context, definition = _context()
    validation = gx.ValidationDefinition(
        name="rows",
        data=definition,
        suite=context.suites.add_or_update(gx.ExpectationSuite(name="suite", expectations=suite)),
    )
    validation = context.validation_definitions.add_or_update(validation)
    return context.checkpoints.add_or_update(
        gx.Checkpoint(name="gate", validation_definitions=[validation], result_format=result_format)
    )


def _run(checkpoint: Any, frame: pd.DataFrame) -> Any:
    """The result of a checkpoint's one validation."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = checkpoint.run(batch_parameters={"dataframe": frame.reset_index(drop=True)})
    (only,) = result.run_results.values()
    return only
