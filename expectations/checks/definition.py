"""Definition: does an indicator still mean what it meant in the last release?

What: the unit of every told indicator against the served one; another unit under the same name and the same major version breaks
whoever reads it.
When it matters: percent today, a share of one tomorrow: a dashboard shows 0.5 percent.
How to resolve: a changed meaning gets a new id; at the least raise the first number of `schema_version`.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, listed, table_scope
from expectations.verdict import Status, Verdict

_WORDS = Words("definition")


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    expected = "told indicators keep their unit"
    before = subject.before
    if before is not None and _major(before.schema_version) == _major(
        subject.catalogue.published[scope].schema_version
    ):
        rows = subject.frame[["indicator_id", "unit"]].drop_duplicates().astype("object")
        changed = [
            f"{name}: {before.units[name]} → {unit}"
            for name, unit in zip(rows["indicator_id"], rows["unit"], strict=True)
            if name in before.units and before.units[name] != unit
        ]
        if changed:
            return _WORDS.say(
                subject, scope, Status.FAIL, observed=listed(changed), expected=expected,
                de=f"Einheiten geändert, ohne dass schema_version es sagt: {listed(changed)}.",
                en=f"Units changed without schema_version saying so: {listed(changed)}.",
            )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed="unchanged", expected=expected,
        de="Die Indikatoren haben ihre Einheiten.", en="The indicators keep their units.",
    )  # fmt: skip


def _major(version: str) -> str:
    return version.split(".")[0]


CHECK = Check("definition", table_scope, _run)
