"""What the sentences of an indicator may say: nothing that its declaration does not hold. Others do not load.

Belongs here: rules on labels, purposes, interpretations and calculations that a program can check. Does not belong here: sentences that are made
from the declaration (availability.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from expectations.catalogue.availability import availability
from expectations.catalogue.base import OLDEST, ages_of
from expectations.catalogue.model import Catalogue, Indicator, Kind
from expectations.catalogue.registers import Term

FORBIDDEN = re.compile(
    r"gesperrt|sperren|Sperrung|suppress|teilweise gesichert|partly confirmed|noch festzulegen|to be determined|…"
    r"|angeben\b|nicht (?:zu )?mischen|do not mix|state the population|beachten\b|\bmind (?:the|that)\b"
)
"""What a release does not do (it rounds), and notes of the authors to themselves."""

BREAKDOWN_WORDS = {
    "Art": "care_type", "Alter": "age_group", "Altersgruppe": "age_group", "Geschlecht": "sex", "Schulart": "school_type",
    "Nationalität": "nationality", "Staatsangehörigkeit": "nationality", "Klassenstufe": "grade",
    "Abschluss": "qualification", "Programmbereich": "category", "Handlungsfeld": "category",
    "Altersgruppen": "age_group", "Schularten": "school_type", "Klassenstufen": "grade",
    "Träger": None, "Altersstruktur": None, "Form": None, "Förderschwerpunkt": None,
}  # fmt: skip
"""What a text may say that a figure is broken down by, and the breakdown it needs; None: no indicator has it."""

_BROKEN_DOWN = re.compile(r"\bnach ([A-ZÄÖÜ]\w+)(?:(?:, | und )([A-ZÄÖÜ]\w+))*")
_PERIODS = re.compile(r"gegliedert|getrennt nach|Berichtsmonat\b.*Gliederung|im Halbjahr|im Monat\b")
_SCALE = re.compile(
    r"(?:×\s?|\b(?:mal|times|je|per) )(?=[\d.,]*00\b|10\b|12\b)(\d[\d.,]*\d|\d)\b(?!\. [A-Z]| Gruppe)"
)
_MEANS = (
    (re.compile(r"zwölf Monate|twelve months"), 1 / 12),
    (re.compile(r"Hälfte der zwei|half of the two"), 2),
    (re.compile(r"Drittel der drei|third of the three"), 3),
)
"""Means in words, and what the formula's scale is then multiplied by."""
_YEARS = r"(?:-[Jj]ähr|(?: Jahren?)\b)"
_AGES = re.compile(
    rf"(?P<low>\d{{1,2}})(?:-? bis (?P<under>unter )?|–)(?P<high>\d{{1,2}}){_YEARS}"
    r"|[Zz]wischen (?P<from>\d{1,2}) und (?P<to>\d{1,2})(?= Jahren)"
    rf"|(?P<below>[Uu]nter|[Uu]nter-|bis unter|[Aa]b) (?P<edge>\d{{1,2}}){_YEARS}"
)
_AGES_EN = re.compile(
    r"(?:(?<=aged )|(?<=ages )|(?=\d{1,2} to under )|(?=\d{1,2}(?: to |- to |–)\d{1,2}(?: years|-year)))"
    r"(?P<low>\d{1,2})(?:-? to (?P<under>under )?|–)(?P<high>\d{1,2})\b"
    r"|between (?P<from>\d{1,2}) and (?P<to>\d{1,2})(?= years)"
    r"|(?:(?P<below>(?<=children )under|(?<=persons )under|(?<=people )under|(?<=aged )under|(?<=population )under"
    r"|below the age of) |(?<=aged )(?=\d{1,2} and over))(?P<edge>\d{1,2})\b(?![.,]\d)"
)
_SENTENCES = ("purpose", "interpretation", "calculation")
_LEVEL_WORDS = {"Stadtteil": "city_district", "je Schule": "school"}


Wrong = tuple[str, str]
"""The field of a sentence, and what it claims wrongly, in English."""


def text_problems(catalogue: Catalogue, indicator: Indicator) -> list[str]:
    """What an indicator's sentences claim and its declaration does not hold; one line each, in English."""
    return [text for _, text in wrong_texts(catalogue, indicator)]


def wrong_texts(catalogue: Catalogue, indicator: Indicator) -> list[Wrong]:
    """The same with the field that the claim stands in."""
    found = [*_forbidden(catalogue, indicator)]
    if indicator.status == "published":
        found += [
            *_days(catalogue, indicator),
            *_breakdowns(indicator),
            *_levels(catalogue, indicator),
            *_scale(indicator),
            *_ages(catalogue, indicator),
        ]
    return found


def _forbidden(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    texts = {name: getattr(indicator, name) for name in _SENTENCES}
    for field, text in {**texts, "code": availability(catalogue, indicator)}.items():
        for language in ("de", "en"):
            if match := FORBIDDEN.search(getattr(text, language)):
                yield field, f"says '{match[0]}', which no release does or no reader needs"


def _breakdowns(indicator: Indicator) -> Iterator[Wrong]:
    """Breakdowns that a text names by a word for them (not nach SGB II), and periods that a calculation names."""
    for field in _SENTENCES:
        for match in _BROKEN_DOWN.finditer(getattr(indicator, field).de):
            for word in re.findall(r"[A-ZÄÖÜ]\w+", match[0]):
                if word in BREAKDOWN_WORDS and BREAKDOWN_WORDS[word] not in indicator.breakdowns:
                    yield field, f"the {field} says 'nach {word}', the indicator has no such breakdown"
    if period := _PERIODS.search(indicator.calculation.de):
        yield "calculation", f"the calculation says '{period[0]}', which no declaration holds"


def _days(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """A stock is counted on a day, a flow over a year: what the calculation says of the numerator, and what is counted."""
    if indicator.numerator is None:
        return
    above = re.split(r" / |geteilt durch", indicator.calculation.de)[0]
    sources = [catalogue.measures[part.measure].register_ for _, part in indicator.numerator.parts()]
    registers = [(s, catalogue.registers[s.register_].period) for s in sources if s is not None]
    of_day = [s for s, period in registers if period == "reference_day" and not s.in_year]
    of_year = [s for s, period in registers if period == "calendar_year" or s.in_year]
    if of_day and (match := re.search(r"im \w*[Jj]ahr\b", above)):
        yield "calculation", f"the calculation says '{match[0]}', the numerator is counted on a day"
    if of_year and not of_day and (match := re.search(r"[Aa]m \d\d\.\d\d\.(?! des)", above)):
        yield "calculation", f"the calculation says '{match[0]}', the numerator is counted over a year"


def _levels(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """Levels inside the city that a purpose or calculation promises; an interpretation may warn of them."""
    for word, level in _LEVEL_WORDS.items():
        has_level = level in indicator.all_levels or indicator.kind.is_modelled
        for field in ("purpose", "calculation"):
            if word in getattr(indicator, field).de and not has_level:
                yield field, f"the {field} says '{word}', the indicator has no such level"


def _scale(indicator: Indicator) -> Iterator[Wrong]:
    """What a calculation multiplies by, or relates to so many: that is said, and is what the formula has."""
    for language in ("de", "en"):
        says_so = _SCALE.search(getattr(indicator.calculation, language))
        if indicator.kind.needs_denominator and indicator.multiplier != 1 and not says_so:
            yield "calculation", f"the calculation does not say '× {indicator.multiplier:g}' ({language})"
        for match in _SCALE.finditer(getattr(indicator.calculation, language)):
            number = float(re.sub(r"[.,](?=\d{3}\b)|[.,]0+$", "", match[1]))
            for mean, factor in _MEANS:
                if mean.search(getattr(indicator.calculation, language)):
                    number *= factor
            if abs(number - indicator.multiplier) > 1e-3 and not indicator.kind.is_modelled:
                yield (
                    "calculation",
                    f"the calculation multiplies by {match[1]}, the formula by {indicator.multiplier:g}",
                )


def _ages(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """Ages that a label or calculation names must be borders of the ages that are counted there.

    Above the line those of the numerator, below it those of either term (of the same age); an official figure whose
    measure names its ages itself has them, too.
    """
    if indicator.kind is Kind.REPORTED or indicator.kind.is_modelled:
        return
    numerators = [n for n, _ in indicator.formulas.values()]
    denominators = [d for _, d in indicator.formulas.values() if d is not None]
    above, below = (_edges(catalogue, indicator, terms) for terms in (numerators, denominators))
    for language, pattern, line in (
        ("de", _AGES, r" / |geteilt durch| je 100 "),
        ("en", _AGES_EN, r" / |divided by| per 100 "),
    ):
        text = re.split(line, getattr(indicator.calculation, language), maxsplit=1)
        for where, words, edges in (
            ("label", getattr(indicator.label, language), above | below),
            ("calculation's numerator", text[0], above),
            ("calculation's denominator", text[1] if len(text) > 1 else "", above | below),
        ):
            for match in pattern.finditer(words):
                if lost := sorted(_named(match, edges) - edges):
                    spans = ", ".join(map(str, sorted(edges))) or "none"
                    message = f"says '{match[0]}', the formula has no age border {lost[0]} (it has {spans})"
                    yield where.partition("'")[0], f"the {where} {message}"


def _named(match: re.Match[str], edges: set[int]) -> set[int]:
    """The borders of a span such as 6 bis unter 11, or 7 bis 18, which includes who is 18; or of one that is open."""
    found = match.groupdict()
    if found["edge"]:
        return {int(found["edge"])}
    low, high = int(found["low"] or found["from"]), int(found["high"] or found["to"])
    includes = not found["under"] and high not in edges
    return {low, high + 1 if includes else high}


def _edges(catalogue: Catalogue, indicator: Indicator, terms: list[Term]) -> set[int]:
    """The ages at which what some terms count begins or ends; none if nothing is counted by age."""
    cells = [*indicator.cells.get("age_group", [])]
    edges: set[int] = set()
    for part in (part for term in terms for _, part in term.parts()):
        measure = catalogue.measures[part.measure]
        edges |= {int(number) for number in re.findall(r"(?<![\d.])\d{1,2}(?![\d.])", measure.label.de)}
        chosen = part.cells("age_group")
        if chosen is not None:
            cells += chosen
        elif "age_group" in indicator.breakdowns:
            cells += sorted(catalogue.cells_of_measure(part.measure, "age_group"))
        people = catalogue.people_of_measure(part.measure, "age_group")
        if people and measure.register_ is not None and len(people) < OLDEST:
            edges |= {min(people), max(people) + 1}
    for low, high in filter(None, map(ages_of, cells)):
        edges |= {low, high}
    return edges
