"""The verdict: one row per check and scope, and the rule by which rows decide on a table.

Belongs here: what a result looks like and what lets a table out.
Does not belong here: the checks themselves, and where verdicts are kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Status(StrEnum):
    """PASS and WARN let a table out; FAIL and NOT_EVALUATED hold it."""

    PASS = "PASS"
    WARN = "WARN"
    FAIL = "FAIL"
    NOT_EVALUATED = "NOT_EVALUATED"

    @property
    def holds(self) -> bool:
        return self in (Status.FAIL, Status.NOT_EVALUATED)


class Verdict(BaseModel):
    """What one check found in one scope (an indicator, a measure, a source, the table itself).

    `message` is one plain sentence with the offending values, `guidance` says what to do; both
    in German with English beside it. `owner` answers for it, `waiver` is the declared exception that lets
    it pass. `fit_for_machines` is the second bar: what nobody reads before using it asks for more than
    what a person reads with its notes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    check: str
    scope: str
    status: Status
    observed: str
    expected: str
    message_de: str
    message_en: str
    guidance_de: str = ""
    guidance_en: str = ""
    owner: str = ""
    waiver: str = ""
    fit_for_machines: bool = True

    @property
    def key(self) -> tuple[str, str]:
        return self.check, self.scope


class Decision(BaseModel):
    """Whether a table goes out, and if not, why: one plain sentence in each language.

    `fit_for_machines`: it meets the second bar, too; a held table does not.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    published: bool
    fit_for_machines: bool = False
    reason_de: str | None = None
    reason_en: str | None = None


def decide(
    table: str, verdicts: Iterable[Verdict], expected: set[tuple[str, str]], stale: str | None
) -> Decision:
    """The gate: positive, fresh evidence about exactly this content, or the table is held.

    `expected` are the (check, scope) pairs that must have been evaluated; `stale` names why the
    evidence does not speak of this content (other hash, other night), None if it does.
    """
    if stale:
        return Decision(
            table=table,
            published=False,
            reason_de=f"Für diesen Inhalt liegt kein gültiges Prüfergebnis vor ({stale}).",
            reason_en=f"There is no valid verdict on this content ({stale}).",
        )
    rows = list(verdicts)
    missing = sorted(expected - {v.key for v in rows})
    surplus = sorted({v.key for v in rows} - expected)
    if missing or surplus:
        names = ", ".join(f"{check} ({scope})" for check, scope in [*missing, *surplus][:5])
        return Decision(
            table=table,
            published=False,
            reason_de=f"Die Prüfungen sind nicht vollständig: {names}.",
            reason_en=f"The checks are incomplete: {names}.",
        )
    bad = [v for v in rows if v.status.holds]
    if not bad:
        return Decision(table=table, published=True, fit_for_machines=all(v.fit_for_machines for v in rows))
    further = f" (+{len(bad) - 1})" if len(bad) > 1 else ""
    return Decision(
        table=table,
        published=False,
        reason_de=f"{bad[0].check}: {bad[0].message_de}{further}",
        reason_en=f"{bad[0].check}: {bad[0].message_en}{further}",
    )
