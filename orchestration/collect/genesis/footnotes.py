"""Footnotes of a table: what each one says, and of which Land, years and heading it speaks.

Belongs here: the office's text → single notes with their scope. Does not belong here: which of our
cells a heading means (the catalogue knows) and which values a note is shown beside (dbt).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestration.collect.genesis.notation import STATE_CODES

_HEADING = re.compile(r'^zu +"+(.+?)"+ *:? *$')
_WHOLE = re.compile(r"(gesamte|ganze)[rn]? Tabelle|Tabelle gesamt|Gesamttabelle", re.IGNORECASE)
_STATES = "|".join(sorted((re.escape(name) for name in STATE_CODES), key=len, reverse=True))
_SUBJECT = re.compile(
    rf"^(?:\((?P<before>[^()]*\d{{4}}[^()]*)\) *)?"
    rf"(?P<areas>(?:{_STATES})(?:ergebnis)?(?:(?:, | und )(?:{_STATES}))*)"
    rf"(?: *\((?P<years>[^()]*\d{{4}}[^()]*)\))? *:"
)
_OPENING_YEARS = re.compile(
    r"^(?:[Aa]b(?: dem)?(?: Berichtsjahr| Schuljahr)? \d{4}|[Bb]is \d{4}|Schuljahr \d{4})"
)


@dataclass(frozen=True)
class Footnote:
    """One note. `heading`: the part of the table it stands under, None for the whole table.

    `areas`: codes of the Länder (DG for Germany) it names, empty if it speaks of all. `years`: the
    spans of reporting years it names, None where one is left open; empty if it speaks of all.
    """

    text: str
    heading: str | None = None
    areas: tuple[str, ...] = ()
    years: tuple[tuple[int | None, int | None], ...] = ()


def footnotes_of(text: str) -> list[Footnote]:
    """The single notes of a table's footnote text, in their order.

    The office wraps lines at a fixed width, so a note ends where the next one names its subject,
    under a new heading, or at an empty line.
    """
    found: list[Footnote] = []
    heading: str | None = None
    pending: list[str] = []

    def close() -> None:
        if pending:
            found.append(_scoped(_unwrap(pending), heading))
            pending.clear()

    lines = [line.strip() for line in text.replace('""', '"').split("\n")]
    for line in _join_headings(lines):
        if match := _HEADING.match(line):
            close()
            heading = None if _WHOLE.search(match[1]) else match[1]
        elif not line:
            close()
        else:
            if pending and _begins(line):
                close()
            pending.append(line)
    close()
    return found


def _join_headings(lines: list[str]) -> list[str]:
    """A heading may be wrapped like any text: `zu "Absolventen (einschl.` / `Abitur)":`."""
    joined: list[str] = []
    for line in lines:
        if joined and joined[-1].startswith('zu "') and not _HEADING.match(joined[-1]) and line:
            joined[-1] += " " + line
        else:
            joined.append(line)
    return joined


def _begins(line: str) -> bool:
    return bool(_SUBJECT.match(line) or re.match(r"(?:Ab|Bis) .*\d{4}|Schuljahr \d{4}(?:/\d{2,4})?:", line))


def _unwrap(lines: list[str]) -> str:
    text = lines[0]
    for line in lines[1:]:
        # A word broken at the end of a line is joined; `Haupt-/ Realschule` keeps its hyphen.
        broken = text.endswith("-") and re.match(r"(?!und\b|oder\b|bzw|sowie\b|bis\b)[a-zäöüß]", line)
        text = text[:-1] + line if broken else f"{text} {line}"
    return text


def _scoped(text: str, heading: str | None) -> Footnote:
    match = _SUBJECT.match(text)
    years = None
    areas: tuple[str, ...] = ()
    if match:
        names = re.findall(_STATES, match["areas"])
        areas = tuple(dict.fromkeys(STATE_CODES[name] for name in names))
        years = match["years"] or match["before"]
        if years is None and (opening := re.match(r" *(ab|bis)(?: dem)? (\d{4})", text[match.end() :])):
            years = opening[0]
    elif opening := _OPENING_YEARS.match(text):
        years = opening[0]
    return Footnote(text, heading, areas, _spans(years) if years else ())


def _spans(text: str) -> tuple[tuple[int | None, int | None], ...]:
    """`ab 2011` is open at its end, `bis 2000` at its start; `1995-2010` is one span, `1995, 1998` two."""
    # A day's year is no reporting year, and of a school year the first one counts.
    text = re.sub(r"\d{2}\.\d{2}\.(?=\d{4})", "", text)
    text = re.sub(r"(\d{4})/\d{2,4}", r"\1", text)
    years = [int(year) for year in re.findall(r"\b(?:19|20)\d{2}\b", text)]
    if not years:
        return ()
    if re.search(r"\b[Aa]b\b|\bseit\b", text):
        return ((min(years), None),)
    if re.search(r"\b[Bb]is\b", text) and len(years) == 1:
        return ((None, years[0]),)
    if re.search(r"\b[Bb]is\b|\d{4} *[-–] *\d{4}", text):
        return ((min(years), max(years)),)
    return tuple((year, year) for year in years)
