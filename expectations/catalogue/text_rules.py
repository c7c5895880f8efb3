"""What the sentences of an indicator may say: nothing that its declaration does not hold. Others do not load.

Belongs here: rules on labels, purposes, interpretations and calculations that a program can check. Does not belong here: sentences that are made
from the declaration (availability.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from expectations.catalogue.availability import availability
from expectations.catalogue.base import OLDEST, ages_of
from expectations.catalogue.model import Catalogue, Indicator, Kind, PeriodMeaning
from expectations.catalogue.registers import Term
from expectations.catalogue.text_ages import ages_in

FORBIDDEN = re.compile(
    r"(?:Zell|Wert|Fallzahl|Angabe)\w*[^.;]{0,40}\b(?:gesperrt|sperren|Sperrung)|\bZellsperrung"
    r"|\bSperrung (?:kleiner|von) |suppress|teilweise gesichert|partly confirmed|noch festzulegen|to be determined|…"
    r"|(?:^|[.;:–] )(?:[^\s.;:,]+ ){1,3}(?:angeben|beachten)(?=[.;]|$)"
    r"|nicht (?:zu )?mischen|do not mix|state the population|\bmind (?:the|that)\b"
)
"""What a release does not do (it rounds), and notes of the authors to themselves."""

BREAKDOWN_WORDS = {
    "Art": "care_type", "Alter": "age_group", "Altersgruppe": "age_group", "Geschlecht": "sex", "Schulart": "school_type",
    "Nationalität": "nationality", "Staatsangehörigkeit": "nationality", "Klassenstufe": "grade",
    "Abschluss": "qualification", "Programmbereich": "category", "Handlungsfeld": "category",
    "Altersgruppen": "age_group", "Schularten": "school_type", "Klassenstufen": "grade",
    "Geschlechtern": "sex", "Nationalitäten": "nationality", "Staatsangehörigkeiten": "nationality", "Abschlüssen": "qualification",
    "Träger": None, "Trägern": None, "Altersstruktur": None, "Form": None, "Förderschwerpunkt": None, "Religion": None,
    "Monat": None, "Monaten": None, "Wochentag": None,
}  # fmt: skip
"""What a text may say that a figure is broken down by, and the breakdown it needs; None: no indicator has it."""

BREAKDOWN_WORDS_EN = {
    "sex": "sex", "gender": "sex", "age group": "age_group", "nationality": "nationality", "citizenship": "nationality",
    "school type": "school_type", "type of school": "school_type", "grade": "grade", "type of care": "care_type",
    "qualification": "qualification", "field of action": "category", "provider": None, "religion": None, "month": None,
}  # fmt: skip

_BROKEN_DOWN = re.compile(r"\bnach (?:dem |der |den )?([A-ZÄÖÜ]\w+)(?:(?:, | und | sowie )([A-ZÄÖÜ]\w+))*")
_NO_BREAKDOWN = re.compile(r" (?:de[rs]|(?:ein|ihr|sein|dies)e[rs]|von)\b|\. ?\d")
"""After Abschluss, or Art, it is no breakdown: nach Abschluss der Grundschule, nach Art. 24."""
_BROKEN_DOWN_EN = re.compile(
    r"\bby (?:(?:{})(?:, | and )?)+\b".format("|".join(sorted(BREAKDOWN_WORDS_EN, key=len, reverse=True)))
)
_PERIODS = re.compile(r"gegliedert|getrennt nach|Berichtsmonat\b.*Gliederung|im Halbjahr|im Monat\b")
_THOUSANDS = r"\d{1,3}(?:[.,\s]\d{3})+|\d[\d.,]*\d|\d"
_SCALE = re.compile(
    rf"(?:[×·*]\s?|\bx (?=\d)|\b(?:mal|times|multipliziert mit|multiplied by) )({_THOUSANDS})\b(?!(?<!\d\d)\. [A-Z]| Gruppe)"
    rf"|\b(?:je|per) (?=[\d.,\s]*00\b|10\b|12\b)({_THOUSANDS})\b(?!(?<!\d\d)\. [A-Z]| Gruppe)"
    rf"|^({_THOUSANDS}) [×·]"
)
_IN_YEAR = re.compile(r"\bim \w*[Jj]ahr\b(?! davor| zuvor)|\bin the (?:calendar )?year\b(?! before)")
_ON_DAY = re.compile(
    r"\b(?:[Aa]m|[Zz]um) (?:Stichtag\b|\d\d\.\d\d\.|31\. Dezember\b)(?! des)|\bon (?:the reference day|31 December)\b(?! of)"
)
_IN_PERCENT = re.compile(
    r"\bin (?:Prozent|percent)\b|\bin %|× ?100 ?%|\bje Hundert\b|\bper hundred\b|\bas a percentage\b"
)
_MEANS = (
    (re.compile(r"zwölf Monate|twelve months"), 1 / 12),
    (re.compile(r"Hälfte der zwei|half of the two"), 2),
    (re.compile(r"Drittel der drei|third of the three"), 3),
)
"""Means in words, and what the formula's scale is then multiplied by."""
_SENTENCES = ("purpose", "interpretation", "calculation")
_LEVEL_WORDS = {
    "city_district": re.compile(r"\bStadtteil(?:en?|s)?\b"),
    "school": re.compile(r"\b(?:je|pro|für jede) Schule\b"),
    "school_district": re.compile(r"\b(?:je|pro|nach|für jeden|in den) Schulbezirk(?:en)?\b"),
    "planning_district": re.compile(r"\b(?:je|pro|nach|für jeden|in den) Planungsbezirk(?:en)?\b"),
    "local_district": re.compile(r"\b(?:je|pro|nach|für jeden|in den) Ortsbezirk(?:en)?\b"),
}


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
            if _NO_BREAKDOWN.match(getattr(indicator, field).de[match.end() :]):
                continue
            for word in re.findall(r"[A-ZÄÖÜ]\w+", match[0]):
                if word in BREAKDOWN_WORDS and BREAKDOWN_WORDS[word] not in indicator.breakdowns:
                    yield field, f"the {field} says 'nach {word}', the indicator has no such breakdown"
        for match in _BROKEN_DOWN_EN.finditer(getattr(indicator, field).en):
            for word, breakdown in BREAKDOWN_WORDS_EN.items():
                if re.search(rf"\b{word}\b", match[0]) and breakdown not in indicator.breakdowns:
                    yield field, f"the {field} says 'by {word}', the indicator has no such breakdown"
    if period := _PERIODS.search(indicator.calculation.de):
        yield "calculation", f"the calculation says '{period[0]}', which no declaration holds"


def _days(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """A stock is counted on a day, a flow over a year: what the calculation says of the numerator, and what is counted."""
    if indicator.numerator is None:
        return
    is_day, is_year = False, False
    for measure in (catalogue.measures[part.measure] for _, part in indicator.numerator.parts()):
        if (source := measure.register_) is not None:
            is_of_day = catalogue.registers[source.register_].period == "reference_day" and not source.in_year
            is_day |= is_of_day
            is_year |= source.in_year or catalogue.registers[source.register_].period == "calendar_year"
        for table in (catalogue.tables[origin] for origin in measure.origins if origin in catalogue.tables):
            is_day |= table.period in (PeriodMeaning.REFERENCE_DAY, PeriodMeaning.YEAR_END_DAY)
            is_year |= table.period is PeriodMeaning.CALENDAR_YEAR
    for language, line in (("de", r" / |geteilt durch"), ("en", r" / |divided by")):
        above = re.split(line, getattr(indicator.calculation, language))[0]
        if is_day and not is_year and (match := _IN_YEAR.search(above)):
            yield "calculation", f"the calculation says '{match[0]}', the numerator is counted on a day"
        if is_year and not is_day and (match := _ON_DAY.search(above)):
            yield "calculation", f"the calculation says '{match[0]}', the numerator is counted over a year"


def _levels(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """Levels inside the city that a purpose or calculation promises; an interpretation may warn of them."""
    for level, words in _LEVEL_WORDS.items():
        has_level = level in indicator.all_levels or indicator.kind.is_modelled
        for field in ("purpose", "calculation"):
            if (match := words.search(getattr(indicator, field).de)) and not has_level:
                yield field, f"the {field} says '{match[0]}', the indicator has no such level"


def _scale(indicator: Indicator) -> Iterator[Wrong]:
    """What a calculation multiplies by, or relates to so many: that is said, and is what the formula has."""
    for language in ("de", "en"):
        text = getattr(indicator.calculation, language)
        is_percent = _IN_PERCENT.search(text)
        if is_percent and indicator.multiplier != 100 and not indicator.kind.is_modelled:
            yield (
                "calculation",
                f"the calculation says '{is_percent[0]}', the formula multiplies by {indicator.multiplier:g}",
            )
        says_so = _SCALE.search(text) or (is_percent and indicator.multiplier == 100)
        if indicator.kind.needs_denominator and indicator.multiplier != 1 and not says_so:
            yield "calculation", f"the calculation does not say '× {indicator.multiplier:g}' ({language})"
        for match in _SCALE.finditer(text):
            said = match[1] or match[2] or match[3]
            number = float(re.sub(r"[.,\s](?=\d{3}\b)|[.,]0+$", "", said).replace(",", "."))
            for mean, factor in _MEANS:
                if mean.search(text):
                    number *= factor
            if abs(number - indicator.multiplier) > 1e-3 and not indicator.kind.is_modelled:
                yield (
                    "calculation",
                    f"the calculation multiplies by {said}, the formula by {indicator.multiplier:g}",
                )


def _ages(catalogue: Catalogue, indicator: Indicator) -> Iterator[Wrong]:
    """Ages that a label or calculation names must be borders of the ages that are counted there.

    Above the line those of the numerator, below it those of either term (of the same age); an official figure whose
    measure names its ages itself has them, too.
    """
    numerators = [n for n, _ in indicator.formulas.values()]
    denominators = [d for _, d in indicator.formulas.values() if d is not None]
    above, below = (_edges(catalogue, indicator, terms) for terms in (numerators, denominators))
    if indicator.kind.is_modelled or (indicator.kind is Kind.REPORTED and not above):
        return
    for language, line in (("de", r" / |geteilt durch| je 100 "), ("en", r" / |divided by| per 100 ")):
        text = re.split(line, getattr(indicator.calculation, language), maxsplit=1)
        both = above | below
        for where, words, edges in (
            ("label", getattr(indicator.label, language), both),
            ("calculation's numerator", text[0], both if indicator.kind is Kind.REPORTED else above),
            ("calculation's denominator", text[1] if len(text) > 1 else "", both),
        ):
            for said, borders in ages_in(words, language, edges):
                if lost := sorted(borders - edges):
                    spans = ", ".join(map(str, sorted(edges))) or "none"
                    message = f"says '{said}', the formula has no age border {lost[0]} (it has {spans})"
                    yield where.partition("'")[0], f"the {where} {message}"


def _edges(catalogue: Catalogue, indicator: Indicator, terms: list[Term]) -> set[int]:
    """The ages at which what some terms count begins or ends; none if nothing is counted by age."""
    cells = [*indicator.cells.get("age_group", [])]
    edges: set[int] = set()
    for part in (part for term in terms for _, part in term.parts()):
        measure = catalogue.measures[part.measure]
        edges |= {int(number) for number in re.findall(r"(?<![\d.])\d{1,2}(?![\d.])", measure.label.de)}
        chosen = part.cells("age_group")
        if chosen is not None and "age_group" not in indicator.breakdowns:
            # Cells that are added up are one span: 15 to under 65 has no border at 18.
            edges |= _ends(span for span in map(ages_of, chosen) if span is not None)
        elif chosen is not None:
            cells += chosen
        elif "age_group" in indicator.breakdowns:
            cells += sorted(catalogue.cells_of_measure(part.measure, "age_group"))
        people = catalogue.people_of_measure(part.measure, "age_group")
        if people and measure.register_ is not None and len(people) < OLDEST:
            edges |= {min(people), max(people) + 1}
    for low, high in filter(None, map(ages_of, cells)):
        edges |= {low, high}
    return edges


def _ends(spans: Iterable[tuple[int, int]]) -> set[int]:
    """Where spans of ages begin and end, those that touch taken together."""
    ends: set[int] = set()
    for span in spans:
        ends ^= set(span)  # a border between two of them is in both
    return ends
