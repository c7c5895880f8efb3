"""From what a check found to what it means: the catalogue's severities, the live waivers, who owns it.

Belongs here: applying what is declared. Does not belong here: any declaration (catalogue/checks, catalogue/waivers).
"""

from __future__ import annotations

import datetime as dt

from expectations.catalogue import Catalogue
from expectations.verdict import Status, Verdict


def decided(found: Verdict, catalogue: Catalogue, today: dt.date) -> Verdict:
    """The verdict that counts: a finding of a check under the policy of its table and scope.

    A live waiver lets a holding finding pass as a warning that names it; it is still not fit for machines.
    """
    broken, notable, machines = catalogue.policy(found.check, found.table, found.scope)
    status = found.status
    if status is Status.FAIL and broken == "warn":
        status = Status.WARN
    elif status is Status.WARN and notable == "hold":
        status = Status.FAIL
    unfit = {
        "broken": found.status.holds,
        "notable": found.status is not Status.PASS,
        "never": found.status is Status.NOT_EVALUATED,
    }[machines]
    waiver = ""
    if status.holds:
        waiver = next(
            (
                w.id
                for _, w in sorted(catalogue.waivers.items())
                if (w.check, w.table, w.scope) == (found.check, found.table, found.scope)
                and w.made_on <= today <= w.expires
            ),
            "",
        )
        status = Status.WARN if waiver else status
    guidance = catalogue.checks[found.check].guidance
    quiet = status is Status.PASS
    return found.model_copy(
        update={
            "status": status,
            "waiver": waiver,
            "fit_for_machines": not unfit,
            "owner": _owner(found, catalogue),
            "guidance_de": "" if quiet else found.guidance_de or guidance.de,
            "guidance_en": "" if quiet else found.guidance_en or guidance.en,
        }
    )


def _owner(found: Verdict, catalogue: Catalogue) -> str:
    """Who answers for a finding: a register's keeper, else the indicator's or the table's owner."""
    if found.scope in catalogue.registers and found.check in ("register_arrival", "unmatched_places"):
        return catalogue.registers[found.scope].owner.de
    if found.scope in catalogue.indicators:
        return catalogue.indicators[found.scope].owner
    return catalogue.published[found.table].owner
