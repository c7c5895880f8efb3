"""Unmatched places: does nearly every record of a register lie in an area we know?

What: the share of records of the last delivery whose place (block side, school, Stadtteil) is in no list. How many they are and
where is in the sender's reception report: a verdict is published.
When it matters: they are missing in every Stadtteil and present in the city: parts no longer make up the whole.
How to resolve: enter the spelling as an alias, or have the list of block sides or schools brought up to date.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, both, registers_behind
from expectations.verdict import Status, Verdict
from expectations.wording import Percent, percent

_WORDS = Words("unmatched_places")

_NOTABLE, _BROKEN = 0.01, 0.1


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    placed = {m.register_.register_ for m in catalogue.measures.values() if m.register_ and m.register_.area}
    return [name for name in registers_behind(catalogue, table) if name in placed]


def _run(subject: Subject, scope: str) -> Verdict:
    state = subject.registers.get(scope)
    title = subject.catalogue.registers[scope].title
    expected = f"at most {_NOTABLE:.0%} of the records without an area"
    if state is None or state.deliveries == 0:
        told = any(
            scope in subject.catalogue.registers_of(i) for i in subject.indicators if i.id in subject.told
        )
        return _WORDS.without_values(subject, scope, told=told)
    share = state.without_area
    status = Status.FAIL if share > _BROKEN else Status.WARN if share > _NOTABLE else Status.PASS
    if status is Status.PASS:
        return _WORDS.say(
            subject, scope, status, observed=f"at most {_NOTABLE:.0%}", expected=expected,
            de=f"Register {title.de}: die Datensätze liegen in bekannten Gebieten.",
            en=f"Register {title.en}: the records lie in known areas.",
        )  # fmt: skip
    return _WORDS.say(
        subject, scope, status, observed=percent(share, "en"), expected=expected,
        **both("Register {title}: {share} der Datensätze ohne bekanntes Gebiet. Die Orte nennt der Empfangsbericht der Lieferung.",
               "Register {title}: {share} of the records without a known area. The delivery's reception report names the places.",
               title=title, share=Percent(share)),
    )  # fmt: skip


CHECK = Check("unmatched_places", _scopes, _run)
