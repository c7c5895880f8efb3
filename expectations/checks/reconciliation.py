"""Reconciliation: do the city's registers and the official tables tell of the same city?

What: every declared pair of figures of the home municipality (a count, or a rate of two), period by
period, as far as both were delivered. They may differ by the declared tolerance; eight times of it breaks the rule.
When it matters: a gap means a register that came incomplete, was counted twice, or an official table
that was read wrong; analysts would work on two truths.
How to resolve: compare both deliveries of the period named; correct the one that is wrong, or widen
the declared tolerance with a reason.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.protection import rounding_of
from expectations.catalogue.registers import Side, Term
from expectations.checks.base import Check, Subject, Words, both
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

_WORDS = Words("reconciliation")

_FAR = 8.0
"""So many times the declared tolerance is no other reference day any more."""


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return sorted(r.id for r in catalogue.reconciliations.values() if r.table == table)


def _run(subject: Subject, scope: str) -> Verdict:
    declared = subject.catalogue.reconciliations[scope]
    if subject.frame is None or subject.frame.empty:
        return _WORDS.not_built(subject, scope)
    ours, theirs = _figures(subject, declared.register_), _figures(subject, declared.official)
    shared = sorted(set(ours) & set(theirs))
    allowed = f"{declared.percent:g} % + {declared.absolute:g}"
    if not shared:
        what = ("Register", "register") if not ours else ("amtliche Tabelle", "official table")
        return _WORDS.say(
            subject, scope, Status.PASS, observed="nothing to compare", expected=f"a difference up to {allowed}",
            de=f"{declared.title.de}: nichts zu vergleichen, {what[0]} ohne Werte.",
            en=f"{declared.title.en}: nothing to compare, the {what[1]} has no values.",
        )  # fmt: skip
    apart = [
        (label, ours[label], theirs[label]) for label in shared
        if abs(ours[label] - theirs[label]) > abs(theirs[label]) * declared.percent / 100 + declared.absolute
    ]  # fmt: skip
    if not apart:
        return _WORDS.say(
            subject, scope, Status.PASS, observed=f"{len(shared)} periods agree", expected=f"a difference up to {allowed}",
            **both("{title}: Register und amtliche Tabelle stimmen in {n:Zeitraum|Zeiträumen} überein.",
                   "{title}: register and official table agree in {n:period|periods}.", title=declared.title, n=len(shared)),
        )  # fmt: skip
    far = declared.holds or any(
        abs(mine - official) > _FAR * (abs(official) * declared.percent / 100 + declared.absolute)
        for _, mine, official in apart
    )
    base = _base(subject.catalogue, declared.register_)
    found = listed([
        said("{period}: {mine} / {official}", "{period}: {mine} / {official}",
             period=label[1], mine=base * round(mine / base), official=official)
        for label, mine, official in apart
    ])  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.FAIL if far else Status.WARN, observed=found.en,
        expected=f"a difference up to {allowed}",
        **both("{title}: Register und amtliche Tabelle gehen auseinander ({found}). {note}",
               "{title}: register and official table differ ({found}). {note}", title=declared.title, found=found, note=declared.note),
    )  # fmt: skip


def _base(catalogue: Catalogue, side: Side) -> float:
    """What a register's figure is rounded to in a text: as in the tables; a rate to a whole percentage."""
    if side.denominator is not None:
        return 1.0
    return max(rounding_of(catalogue, catalogue.measures[part.measure]) for _, part in side.numerator.parts())


def _figures(subject: Subject, side: Side) -> dict[tuple[pd.Timestamp, str], float]:
    """Value by period; a rate in percent, its denominator aligned as declared."""
    above = _cells(subject, side.numerator)
    if side.denominator is None:
        return above
    below = {end: value for (end, _), value in _cells(subject, side.denominator).items()}
    found = {}
    for (end, label), value in above.items():
        other = end if side.alignment == "same_period" else pd.Timestamp(end.year - 1, 12, 31)
        if below.get(other):
            found[end, label] = value / below[other] * 100
    return found


def _cells(subject: Subject, term: Term) -> dict[tuple[pd.Timestamp, str], float]:
    """The value of a term for the home municipality by period; nothing where a part of it is missing."""
    parts = [(sign, _sum_of_cells(subject, part)) for sign, part in term.parts()]
    known = set.intersection(*(set(values) for _, values in parts))
    return {period: sum(sign * values[period] for sign, values in parts) for period in known}


def _sum_of_cells(subject: Subject, term: Term) -> dict[tuple[pd.Timestamp, str], float]:
    rows = subject.reconciled
    if not len(rows):
        return {}
    keep = (rows["measure_id"] == term.measure) & (rows["area_code"] == subject.home_area)
    wanted = 1
    for name in subject.catalogue.breakdowns:
        cells = term.cells(name) or ["total"]
        wanted *= len(cells)
        keep &= rows[name].isin(cells)
    found = {}
    for (end, label), group in rows[keep].groupby(["period_end", "period_label"]):
        if len(group) == wanted and group["value"].notna().all():
            found[pd.Timestamp(str(end)), str(label)] = float(group["value"].sum())
    return found


CHECK = Check("reconciliation", _scopes, _run)
