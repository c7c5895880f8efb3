"""Checks that are nothing but their Great Expectations suite: results become verdicts.

Belongs here: the two kinds of such checks. Does not belong here: what is expected (suites/build.py).
Measured trap: an expectation on no elements succeeds. Here it counts as not evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from expectations import wording
from expectations.catalogue.model import Indicator, Text
from expectations.checks.base import (
    Check,
    Subject,
    Words,
    both,
    figure_of,
    has_figure,
    indicator_scopes,
    place,
    table_scope,
)
from expectations.suites.build import table_suite
from expectations.suites.run import run_suites
from expectations.verdict import Status, Verdict
from expectations.wording import said

GREAT_EXPECTATIONS = "great_expectations"
"""Under this name a table's results are remembered; the gate puts there those of its checkpoint over all tables."""


SUITE_CHECKS: set[str] = set()
"""The checks that are nothing but their suite."""


def results_of(subject: Subject, check: str) -> list[dict[str, Any]]:
    """What Great Expectations found for one check; the table's suite runs once for all of them."""

    def run(subject: Subject) -> list[dict[str, Any]]:
        assert subject.frame is not None
        return run_suites({subject.table: subject.frame}, subject.catalogue)[subject.table]

    results = subject.once(GREAT_EXPECTATIONS, run)
    return [r for r in results if r["expectation_config"]["meta"]["check"] == check]


def suite_check(check: str) -> Check:
    """A check of a whole table that is nothing but its expectations; the first broken one gives the message."""
    words = Words(check)
    SUITE_CHECKS.add(check)

    def run(subject: Subject, scope: str) -> Verdict:
        if subject.frame is None or subject.frame.empty:
            return words.not_built(subject, scope)
        results = results_of(subject, check)
        declared = [e for e in table_suite(subject.catalogue, scope) if e["meta"]["check"] == check]
        if unanswered := _unanswered(results, len(declared)):
            return _no_answer(words, subject, scope, unanswered, len(declared))
        expected = f"{len(declared)} expectations met"
        broken = [r for r in results if not r["success"]]
        if not broken:
            return words.say(
                subject, scope, Status.PASS, observed=f"{len(subject.frame)} rows", expected=expected,
                **both("{table}: {n:Zeile|Zeilen} geprüft, keine Abweichung.", "{table}: {n:row|rows} checked, no deviation.",
                       table=scope, n=len(subject.frame)),
            )  # fmt: skip
        first = broken[0]
        what = _in_words(first)
        rows = _offending(subject, first)
        observed = str(first["result"].get("observed_value", ""))[:200] or wording.NOTHING
        detail = wording.listed(rows) if rows else Text(de=observed, en=observed)
        count = first["result"].get("unexpected_count")
        return words.say(
            subject, scope, Status.FAIL, observed=f"{count} rows: {detail.en}" if count else detail.en, expected=what,
            **both("{scope}: {n:Wert verletzt|Werte verletzen} „{rule}“: {detail}.", "{scope}: {n:value breaks|values break} “{rule}”: {detail}.",
                   scope=scope, n=count or len(broken), rule=what, detail=detail),
        )  # fmt: skip

    return Check(check, table_scope, run)


def row_suite_check(check: str, what: Callable[[Indicator], Text], column: str) -> Check:
    """A check of rows that is nothing but its expectations; each indicator has its own verdict.

    `what`: the rule in words; `column`: the one whose values are shown.
    """
    words = Words(check)
    SUITE_CHECKS.add(check)

    def run(subject: Subject, scope: str) -> Verdict:
        indicator = subject.catalogue.indicators[scope]
        rows = subject.values(indicator)
        if not has_figure(rows).any():
            return words.without_values(subject, scope)
        results = results_of(subject, check)
        declared = [e for e in table_suite(subject.catalogue, subject.table) if e["meta"]["check"] == check]
        if unanswered := _unanswered(results, len(declared)):
            return _no_answer(words, subject, scope, unanswered, len(declared))
        # The suite saw the table by position; the rows of this indicator stand at these.
        positions = {i for r in results for i in r["result"].get("unexpected_index_list") or []}
        assert subject.frame is not None
        places = subject.once("positions", _positions)
        wrong = rows[places.loc[rows.index].isin(positions)]
        rule = what(indicator)
        if len(wrong):
            examples = [
                said(
                    "{place}: {value}",
                    "{place}: {value}",
                    place=place(row, subject.catalogue),
                    value=figure_of(row) if column == "value" else row[column],
                )
                for _, row in wrong.head(4).iterrows()
            ]
            detail = wording.listed([*examples[:3], *[""] * (len(wrong) - 3)])
            return words.say(
                subject, scope, Status.FAIL, observed=f"{len(wrong)} rows: {detail.en}", expected=rule.en,
                **both("{label}: {n:Wert verletzt|Werte verletzen} die Regel „{rule}“: {detail}.",
                       "{label}: {n:value breaks|values break} the rule “{rule}”: {detail}.",
                       label=indicator.label, n=len(wrong), rule=rule, detail=detail),
            )  # fmt: skip
        return words.say(
            subject, scope, Status.PASS, observed=f"{len(rows)} rows", expected=rule.en,
            **both("{label}: {n:Zeile|Zeilen} geprüft, keine Abweichung.", "{label}: {n:row|rows} checked, no deviation.",
                   label=indicator.label, n=len(rows)),
        )  # fmt: skip

    return Check(check, indicator_scopes, run)


def _positions(subject: Subject) -> pd.Series:
    assert subject.frame is not None
    return pd.Series(range(len(subject.frame)), index=subject.frame.index)


def _unanswered(results: list[dict[str, Any]], declared: int) -> int:
    """How many expectations gave no answer: an exception, no element seen, no result at all."""
    raised = [r for r in results if (r.get("exception_info") or {}).get("raised_exception")]
    unseen = [r for r in results if r["success"] and r["result"].get("element_count", 1) == 0]
    return len(raised) + len(unseen) + max(declared - len(results), 0)


def _no_answer(words: Words, subject: Subject, scope: str, unanswered: int, declared: int) -> Verdict:
    return words.say(
        subject, scope, Status.NOT_EVALUATED, observed=f"{unanswered} expectations without an answer",
        expected=f"{declared} expectations met", de=f"{scope}: Prüfung ohne Ergebnis.", en=f"{scope}: a check gave no answer.",
    )  # fmt: skip


def _in_words(result: dict[str, Any]) -> str:
    config = result["expectation_config"]
    kwargs = config["kwargs"]
    if "value_set" in kwargs:
        return f"{kwargs['column']} in {', '.join(map(str, kwargs['value_set']))[:120]}"
    what = config["type"].removeprefix("expect_").replace("_", " ")
    return f"{kwargs['column']}: {what}" if "column" in kwargs else what


def _offending(subject: Subject, result: dict[str, Any]) -> list[Text | str]:
    """The rows that break an expectation: the first few in words, an empty text for each of the others."""
    indices = result["result"].get("unexpected_index_list")
    if not indices:
        return []
    column = result["expectation_config"]["kwargs"].get("column")
    assert subject.frame is not None
    rows = subject.frame.iloc[list(indices)[:4]]
    return [
        *(
            said(
                "{id}, {place}: {value}" if column else "{id}, {place}",
                "{id}, {place}: {value}" if column else "{id}, {place}",
                id=row["indicator_id"], place=place(row, subject.catalogue), value=row[column] if column else "",
            )
            for _, row in rows.iterrows()
        ),
        *[""] * max(len(indices) - 4, 0),
    ]  # fmt: skip
