"""Register arrival: has every register behind the table come in, and come in time?

What: at least one accepted delivery of every register that readers have figures of; refused and outstanding ones and those past
the register's own limit are named.
When it matters: a register that stopped in spring shows spring's children in autumn.
How to resolve: ask its owner for the delivery; read the reason of the refusal.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, registers_behind
from expectations.verdict import Status, Verdict

_WORDS = Words("register_arrival")


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return registers_behind(catalogue, table)


def _run(subject: Subject, scope: str) -> Verdict:
    register = subject.catalogue.registers[scope]
    state = subject.registers.get(scope)
    told = any(scope in subject.catalogue.registers_of(i) for i in subject.indicators if i.id in subject.told)
    title, expected = register.title, "an accepted delivery, in time"
    if state is None or state.deliveries == 0:
        why = [*state.refused, *state.late][:1] if state else []
        return _WORDS.say(
            subject, scope, Status.FAIL if told else Status.WARN, observed=why[0] if why else "no delivery", expected=expected,
            de=f"Register {title.de}: keine angenommene Lieferung{f' ({why[0]})' if why else ''}.",
            en=f"Register {title.en}: no accepted delivery{f' ({why[0]})' if why else ''}.",
        )  # fmt: skip
    for reasons, de, en in (
        (state.refused, "letzte Lieferung abgelehnt", "last delivery refused"),
        (state.late, "Lieferung steht aus", "a delivery is outstanding"),
    ):
        if reasons:
            return _WORDS.say(
                subject, scope, Status.WARN, observed=reasons[0], expected=expected,
                de=f"Register {title.de}: {de} ({reasons[0]}).", en=f"Register {title.en}: {en} ({reasons[0]}).",
            )  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.PASS, observed=f"{state.deliveries} deliveries", expected=expected,
        de=f"Register {title.de}: angenommen.", en=f"Register {title.en}: accepted.",
    )  # fmt: skip


CHECK = Check("register_arrival", _scopes, _run)
