"""Hidden share: does a table hide so much that it should be made coarser instead?

What: of all figures of a table, those that are confidential; more than three in ten are too many.
When it matters: a table full of dots tells little, and says loudly where few people are.
How to resolve: leave out the breakdown that the message names, or show it for the whole city only.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import TOTAL
from expectations.checks.base import Check, Subject, Words, table_scope
from expectations.verdict import Status, Verdict

MOST_HIDDEN = 0.3

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
            de=f"Von {len(hidden)} Werten sind {share:.1%} geheim.", en=f"Of {len(hidden)} figures {share:.1%} are hidden.",
        )  # fmt: skip
    coarser = _coarser(subject, hidden)
    return _WORDS.say(
        subject, scope, Status.FAIL, observed=observed, expected=expected,
        de=f"Von {len(hidden)} Werten sind {share:.1%} geheim. Am wenigsten geht verloren ohne: {coarser or 'keine Aufgliederung hilft'}.",
        en=f"Of {len(hidden)} figures {share:.1%} are hidden. Least is lost without: {coarser or 'no breakdown helps'}.",
    )  # fmt: skip


def _coarser(subject: Subject, hidden: object) -> str | None:
    """Of an indicator and a breakdown of it: without which the table keeps most figures and hides few enough."""
    frame = subject.frame
    assert frame is not None
    rows = pd.DataFrame({
        "indicator_id": frame["indicator_id"].astype("object"), "hidden": hidden,
        **{name: frame[name].astype("object") != TOTAL for name in subject.names},
    })  # fmt: skip
    best: tuple[int, str] | None = None
    for size in (1, 2):  # one indicator's breakdown, or that breakdown wherever it stands
        for name in subject.names:
            for indicator in sorted(set(rows.loc[rows[name], "indicator_id"])) if size == 1 else [None]:
                gone = rows[name] & ((rows["indicator_id"] == indicator) if indicator else True)
                left = rows[~gone]
                told = int((~left["hidden"]).sum())
                if (
                    gone.any()
                    and told
                    and left["hidden"].mean() <= MOST_HIDDEN
                    and (best is None or told > best[0])
                ):
                    best = (told, f"{indicator} / {name}" if indicator else name)
        if best is not None:
            return best[1]
    return None


CHECK = Check("hidden_share", table_scope, _run)
