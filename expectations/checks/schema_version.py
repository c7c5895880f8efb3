"""Schema version: does a table that lost or renamed columns say so in its version?

What: the columns of tonight's table against those of the served one; columns gone need a new major version, columns added a new one at
all.
When it matters: the bare name is the stable interface; who reads it must be able to see that it changed.
How to resolve: raise `schema_version` in the published table's declaration.
"""

from __future__ import annotations

from expectations.checks.base import Check, Subject, Words, listed, table_scope
from expectations.verdict import Status, Verdict

_WORDS = Words("schema_version")


def _run(subject: Subject, scope: str) -> Verdict:
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    version = subject.catalogue.published[scope].schema_version
    expected = "changed columns come with a new version"
    before = subject.before
    if before is not None:
        gone = [f"-{c}" for c in before.columns if c not in subject.frame.columns]
        new = [f"+{c}" for c in subject.frame.columns if c not in before.columns]
        same_major = before.schema_version.split(".")[0] == version.split(".")[0]
        if (gone and same_major) or (new and before.schema_version == version):
            return _WORDS.say(
                subject, scope, Status.FAIL, observed=f"{version}: {listed([*gone, *new])}", expected=expected,
                de=f"Spalten geändert ({listed([*gone, *new])}), schema_version ist noch {version}.",
                en=f"Columns changed ({listed([*gone, *new])}), schema_version is still {version}.",
            )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=version, expected=expected,
        de=f"Spalten und Version {version} passen zusammen.", en=f"Columns and version {version} agree.",
    )  # fmt: skip


CHECK = Check("schema_version", table_scope, _run)
