"""Corrections: is every declared correction of a source error still needed?

What: each correction of a table behind this published table; the source must still show the
wrong value, or have no such cell in what was delivered.
When it matters: once the office has repaired the cell, our correction would damage it.
How to resolve: delete the correction's file.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, both
from expectations.verdict import Status, Verdict

_WORDS = Words("correction")


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    behind = {official.code for official in catalogue.tables_behind(table)}
    return sorted(c.id for c in catalogue.corrections.values() if c.table in behind)


def _run(subject: Subject, scope: str) -> Verdict:
    declared = subject.catalogue.corrections[scope]
    result = subject.corrections.get(scope)
    if result is None:
        return _WORDS.not_built(subject, scope)
    if result.seen and result.delivered != result.found:
        shown = "nothing" if result.delivered is None else f"{result.delivered:g}"
        return _WORDS.say(
            subject,
            scope,
            Status.FAIL,
            observed=shown,
            expected=f"{result.found:g}",
            **both(
                "Korrektur {id}: Die Quelle zeigt jetzt {now} statt {found}.",
                "Correction {id}: the source now shows {now} instead of {found}.",
                id=scope,
                now=result.delivered,
                found=result.found,
            ),
        )
    state = "applied" if result.seen else "not delivered"
    return _WORDS.say(
        subject,
        scope,
        Status.PASS,
        observed=state,
        expected=f"{result.found:g} in the source, or no such cell",
        de=f"Korrektur {scope}: {'angewandt' if result.seen else 'Zelle nicht geliefert'}. "
        f"{declared.evidence.de}",
        en=f"Correction {scope}: {state}. {declared.evidence.en}",
    )


CHECK = Check("correction", _scopes, _run)
