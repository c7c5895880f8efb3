"""Waiver: is every declared exception alive, and still an exception from something?

What: every waiver of the table: it has not expired, and a finding of tonight (or of the release it let out) is what it was made for.
When it matters: an exception nobody remembers lets the next error out.
How to resolve: delete the waiver's file; if the finding is still true, decide anew and date it.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, both
from expectations.verdict import Status, Verdict

_WORDS = Words("waiver")

_SOON_DAYS = 14


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return sorted(w.id for w in catalogue.waivers.values() if w.table == table)


def _run(subject: Subject, scope: str) -> Verdict:
    waiver = subject.catalogue.waivers[scope]
    used = any(v.waiver == scope for v in subject.verdicts)
    left = (waiver.expires - subject.today.date()).days
    expected = "alive, and made for a finding there is"
    what = f"{waiver.check} ({waiver.scope})"
    if left < 0:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed=f"expired on {waiver.expires}", expected=expected,
            **both("Ausnahme {waiver} für {what} ist am {day} abgelaufen.", "Waiver {waiver} for {what} expired on {day}.",
                   waiver=scope, what=what, day=waiver.expires),
        )  # fmt: skip
    if not used and scope not in subject.used_waivers:
        return _WORDS.say(
            subject, scope, Status.FAIL, observed="matches nothing", expected=expected,
            de=f"Ausnahme {scope} für {what} trifft auf nichts mehr zu.", en=f"Waiver {scope} for {what} matches nothing any more.",
        )  # fmt: skip
    soon = left <= _SOON_DAYS
    return _WORDS.say(
        subject, scope, Status.WARN if soon else Status.PASS, observed=f"until {waiver.expires}", expected=expected,
        **both("Ausnahme {waiver} für {what} gilt bis {day} ({owner}): {reason}",
               "Waiver {waiver} for {what} holds until {day} ({owner}): {reason}",
               waiver=scope, what=what, day=waiver.expires, owner=waiver.owner, reason=waiver.reason),
    )  # fmt: skip


CHECK = Check("waiver", _scopes, _run, is_last=True)
