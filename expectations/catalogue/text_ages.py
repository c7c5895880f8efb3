"""The ages that a sentence names: in figures or in words, in German and in English.

Belongs here: words → borders of ages. Does not belong here: whether they are right (text_rules.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

_NUMBERS = {
    "ein": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9, "zehn": 10,
    "elf": 11, "zwölf": 12, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12,
}  # fmt: skip
_IN_WORDS = re.compile(
    rf"\b({'|'.join(_NUMBERS)})(?:-?(j)(?=ährig)|(?=[- ]year-old| Jahren?\b| years\b))", re.IGNORECASE
)
_LASTS = re.compile(
    r"(?:dauer|[Ll]aufzeit|[Zz]eitraum|seit|alle|letzten|gemittelt|[Dd]uration|[Pp]eriod|lasting|last|averaged)\b[^.;,]{0,20}$"
)
"""Before a span of years that is no age: eine Ausbildungsdauer von 2 bis 3 Jahren."""

_DE = r"(?:-?[Jj]ähr\w*|\s?Jahren?\b)"
_EN = r"(?:[- ]years?\b(?:-olds?| old)?)"
_SPANS = {
    "de": (
        rf"(?P<low>\d{{1,2}})(?:-?\s?bis (?P<under>unter )?|\s?[–-]\s?)(?P<high>\d{{1,2}}){_DE}",
        r"(?:Alter von|Altersgruppe|im Alter) (?P<low>\d{1,2})(?: bis (?P<under>unter )?|\s?[–-]\s?)(?P<high>\d{1,2})\b",
        rf"[Zz]wischen (?P<low>\d{{1,2}}) (?P<under>und) (?P<high>\d{{1,2}}){_DE}",
    ),
    "en": (
        rf"(?P<low>\d{{1,2}})(?:-? ?to[- ](?P<under>under )?|\s?[–-]\s?)(?P<high>\d{{1,2}}){_EN}",
        r"\b(?:aged|ages?|age group) (?P<low>\d{1,2})(?:-? to (?P<under>under )?|\s?[–-]\s?)(?P<high>\d{1,2})\b",
        r"\b(?P<low>\d{1,2}) to (?P<under>under) (?P<high>\d{1,2})\b",
        rf"\bbetween (?P<low>\d{{1,2}}) (?P<under>and) (?P<high>\d{{1,2}}){_EN}",
    ),
}
_OPEN = {
    "de": (
        rf"(?:[Uu]nter|[Aa]b)[ -](?P<edge>\d{{1,2}}){_DE}",
        rf"(?:[Üü]ber[ -](?=\d{{1,2}}-?[Jj]ähr)|(?:jünger|älter) als )(?P<edge>\d{{1,2}}){_DE}",
    ),
    "en": (
        r"(?:(?:\b[A-Za-z]+s|children|people|aged|population) under(?: the age of)?|below the age of|(?:younger|older) than) (?P<edge>\d{1,2})\b(?![.,]\d)",
        r"\b(?:under|over)[- ](?P<edge>\d{1,2})-year",
        r"\baged (?P<edge>\d{1,2}) and over\b",
    ),
}
_ONE_YEAR = {
    "de": r"(?P<one>\d{1,2})-?(?:Jährige[nr]?\b(?! [A-ZÄÖÜ])|jährige[nr]? (?:Kinder|Personen|Einwohner))",
    "en": r"(?P<one>\d{1,2})-year-olds?\b",
}


def ages_in(text: str, language: str, edges: Set[int]) -> Iterator[tuple[str, set[int]]]:
    """Each age or span of ages that a text names, in its words, with its lower and upper border in whole years.

    "7 bis 18" includes the age of 18, unless 18 is one of the `edges` of what is counted.
    """
    text = _IN_WORDS.sub(_figure, text)
    for pattern in (*_SPANS[language], *_OPEN[language], _ONE_YEAR[language]):
        for match in re.finditer(pattern, text):
            if not _LASTS.search(text[: match.start()]):
                yield match[0], _borders(match.groupdict(), edges)
        # What has been read must not be read again as a part of itself.
        text = re.sub(pattern, lambda found: "_" * len(found[0]), text)


def _figure(word: re.Match[str]) -> str:
    """Zweijährige are people of an age, a zweijährige Ausbildung is a time: the noun keeps its capital."""
    years = ("-J" if word[1][0].isupper() else "-j") if word[2] else ""
    return f"{_NUMBERS[word[1].lower()]}{years}"


def _borders(found: dict[str, str | None], edges: Set[int]) -> set[int]:
    if found.get("edge"):
        return {int(found["edge"] or 0)}
    if found.get("one"):
        return {int(found["one"] or 0), int(found["one"] or 0) + 1}
    low, high = int(found["low"] or 0), int(found["high"] or 0)
    includes = not found["under"] and high not in edges
    return {low, high + 1 if includes else high}
