"""Hidden share: does a table hide so much that it should be made coarser instead?

What: of all figures of a table, those that are confidential; more than three in ten are too many.
When it matters: a table full of dots tells little, and says loudly where few people are.
How to resolve: leave out the breakdown that the message names, or show it for the whole city only.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import TOTAL, Text
from expectations.checks.base import Check, Subject, Words, both, table_scope
from expectations.disclosure.declaration import MOST_HIDDEN
from expectations.verdict import Status, Verdict
from expectations.wording import Percent

_WORDS = Words("hidden_share")


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    hidden = (subject.frame["status"].astype("object") == "confidential").to_numpy()
    share = float(hidden.mean())
    expected = f"at most {MOST_HIDDEN:.0%} of the figures hidden"
    observed = f"{int(hidden.sum())} of {len(hidden)}"
    if share <= MOST_HIDDEN:
        return _WORDS.say(
            subject, scope, Status.PASS, observed=observed, expected=expected,
            **both("Von {figures} Werten sind {share} geheim.", "Of {figures} figures {share} are hidden.",
                   figures=len(hidden), share=Percent(share, 1)),
        )  # fmt: skip
    coarser = _coarser(subject, hidden)
    return _WORDS.say(
        subject, scope, Status.FAIL, observed=observed, expected=expected,
        **both("Von {figures} Werten sind {share} geheim. Am wenigsten geht verloren ohne: {coarser}.",
               "Of {figures} figures {share} are hidden. Least is lost without: {coarser}.", figures=len(hidden), share=Percent(share, 1),
               coarser=coarser or Text(de="keine Aufgliederung hilft", en="no breakdown helps")),
    )  # fmt: skip


def _coarser(subject: Subject, hidden: object) -> str | None:
    """Without which breakdown of an indicator, or else of all, the table tells most and hides few enough; None if none helps."""
    frame = subject.frame
    assert frame is not None
    rows = pd.DataFrame({
        "indicator_id": frame["indicator_id"].astype("object"), "hidden": hidden,
        **{name: frame[name].astype("object") != TOTAL for name in subject.names},
    })  # fmt: skip
    of_one = [
        (f"{indicator} / {name}", rows[name] & (rows["indicator_id"] == indicator))
        for name in subject.names
        for indicator in sorted(set(rows.loc[rows[name], "indicator_id"]))
    ]
    of_all = [(name, rows[name]) for name in subject.names if rows[name].any()]
    for ways in (of_one, of_all):
        enough: list[tuple[int, str]] = []
        for words, gone in ways:
            left = rows.loc[~gone, "hidden"]
            if not left.all() and left.mean() <= MOST_HIDDEN:
                enough.append((int((~left).sum()), words))
        if enough:
            return max(enough, key=lambda way: way[0])[1]
    return None


CHECK = Check("hidden_share", table_scope, _run)
