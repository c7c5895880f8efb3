"""Shrunken register: has a register's newest delivery about as many records as the one before?

What: records of the newest delivery against those of the delivery before it, the period before or the same one.
When it matters: an export stopped in the middle, a school that did not send its file, every record sent twice.
The door refuses a period that leaves its register's declared limit; this one looks at all of them, and at what was delivered anew.
How to resolve: ask the register's owner; if it is true, waive the finding.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, both, registers_behind
from expectations.verdict import Status, Verdict
from expectations.wording import Percent, percent

_WORDS = Words("shrunken_register")

_NOTABLE, _BROKEN = 0.2, 0.3


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return registers_behind(catalogue, table)


def _run(subject: Subject, scope: str) -> Verdict:
    title = subject.catalogue.registers[scope].title
    state = subject.registers.get(scope)
    expected = f"within {_NOTABLE:.0%} of the delivery before"
    if state is None or state.deliveries == 0:
        told = any(
            scope in subject.catalogue.registers_of(i) for i in subject.indicators if i.id in subject.told
        )
        return _WORDS.without_values(subject, scope, told=told)
    change = state.growth or 0.0
    if abs(change) <= _NOTABLE:
        return _WORDS.say(
            subject, scope, Status.PASS, observed="about as many as before", expected=expected,
            de=f"Register {title.de}: etwa so viele Datensätze wie zuvor.",
            en=f"Register {title.en}: about as many records as before.",
        )  # fmt: skip
    status = Status.FAIL if abs(change) > _BROKEN else Status.WARN
    return _WORDS.say(
        subject, scope, status, observed=f"{percent(change, 'en', signed=True)} records", expected=expected,
        **both("Register {title}: {change} Datensätze gegenüber der Lieferung davor.",
               "Register {title}: {change} records against the delivery before.",
               title=title, change=Percent(change, signed=True)),
    )  # fmt: skip


CHECK = Check("shrunken_register", _scopes, _run)
