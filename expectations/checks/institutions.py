"""Institutions: are the schools above the line those below it?

What: of every formula whose terms are counted by school, the schools with a count in the newest period. In a share,
rate or distribution every school above the line must stand below it; in a mean or difference both must have the same
schools; in a ratio no school may stand below the line only (positions at a school whose pupils are not counted).
When it matters: a figure divides one kind of school by another: rooms of all schools less classes of some.
How to resolve: take a measure of the same schools, or add the one that is missing to the formula.
"""

from __future__ import annotations

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Kind
from expectations.checks.base import Check, Subject, Words, listed
from expectations.verdict import Status, Verdict

_WORDS = Words("institutions")

_NOT_ALONE = {
    Kind.SHARE: ("numerator",),
    Kind.RATE: ("numerator",),
    Kind.DISTRIBUTION: ("numerator",),
    Kind.RATIO: ("denominator",),
    Kind.MEAN: ("numerator", "denominator"),
    Kind.DIFFERENCE: ("numerator", "denominator"),
}
"""By kind, in which term no school may stand that the other has not."""


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return [i.id for i in catalogue.indicators_of(table) if catalogue.terms_over_schools(i)]


def _run(subject: Subject, scope: str) -> Verdict:
    indicator = subject.catalogue.indicators[scope]
    if subject.values(indicator).empty:
        return _WORDS.without_values(subject, scope)
    rows = subject.lone_institutions
    rows = rows[(rows["indicator_id"] == scope) & rows["role"].isin(_NOT_ALONE[indicator.kind])]
    expected = "the same schools above and below the line"
    if not len(rows):
        return _WORDS.say(
            subject, scope, Status.PASS, observed="the same schools", expected=expected,
            de=f"{indicator.label.de}: Zähler und Nenner gelten denselben Schulen.",
            en=f"{indicator.label.en}: numerator and denominator are of the same schools.",
        )  # fmt: skip
    german = {"numerator": "nur im Zähler", "denominator": "nur im Nenner"}
    english = {"numerator": "above the line only", "denominator": "below the line only"}
    pairs = list(zip(rows["area_code"], rows["role"], strict=True))
    return _WORDS.say(
        subject, scope, Status.FAIL, observed=listed([f"{code} {english[role]}" for code, role in pairs]), expected=expected,
        de=f"{indicator.label.de}: Zähler und Nenner gelten nicht denselben Schulen ({listed([f'{code} {german[role]}' for code, role in pairs])}).",
        en=f"{indicator.label.en}: numerator and denominator are of different schools ({listed([f'{code} {english[role]}' for code, role in pairs])}).",
    )  # fmt: skip


CHECK = Check("institutions", _scopes, _run)
