"""The reception report: what became of a delivery, for the office that sent it.

Belongs here: plain language, German first, English below. Does not belong here: any decision.
A report never quotes a personal value; it names rows and columns.
"""

from __future__ import annotations

import datetime as dt

from expectations.catalogue.registers import Register
from orchestration.collect.registers.problems import Problem, in_words
from orchestration.collect.registers.vault import Kept


def accepted(
    register: Register, file: str, kept: Kept, unmatched: dict[str, int], moment: dt.datetime
) -> str:
    """The delivery was taken."""
    de = [
        f"Ihre Lieferung „{file}“ für „{register.title.de}“ wurde angenommen.",
        f"Zeitraum: {kept.span.label}. Stichtag: {kept.reference:%d.%m.%Y}. Zeilen: {kept.rows}.",
        f"Die Einzelsätze werden am {kept.keep_until:%d.%m.%Y} gelöscht.",
    ]
    en = [
        f'Your delivery "{file}" for "{register.title.en}" was accepted.',
        f"Period: {kept.span.label}. Reference day: {kept.reference.isoformat()}. Rows: {kept.rows}.",
        f"The single records will be deleted on {kept.keep_until.isoformat()}.",
    ]
    if unmatched:
        total = sum(unmatched.values())
        names = ", ".join(f"{name} ({count})" for name, count in sorted(unmatched.items())[:20])
        de.append(f"{total} Sätze ließen sich keinem Gebiet zuordnen: {names}.")
        en.append(f"{total} records belong to no area that we know: {names}.")
    return _both(moment, de, en)


def known(register: Register, file: str, kept: Kept, moment: dt.datetime) -> str:
    """The same delivery had come before."""
    return _both(
        moment,
        [
            f"Ihre Lieferung „{file}“ für „{register.title.de}“ liegt schon vor ({kept.span.label}, "
            f"angenommen am {kept.accepted_at:%d.%m.%Y}). Es hat sich nichts geändert."
        ],
        [
            f'Your delivery "{file}" for "{register.title.en}" was here before ({kept.span.label}, '
            f"accepted on {kept.accepted_at:%Y-%m-%d}). Nothing has changed."
        ],
    )


def rejected(register: Register, file: str, problems: list[Problem], moment: dt.datetime) -> str:
    """The delivery was refused whole, with every reason."""
    sentences = [in_words(problem) for problem in problems]
    return _both(
        moment,
        [
            f"Ihre Lieferung „{file}“ für „{register.title.de}“ wurde nicht angenommen. Es wurde nichts davon übernommen.",
            *(f"{n}. {sentence.de}" for n, sentence in enumerate(sentences, start=1)),
            "Bitte berichtigen Sie die Datei und legen Sie sie noch einmal in den Ordner „drop“.",
        ],
        [
            f'Your delivery "{file}" for "{register.title.en}" was not accepted. None of it was taken over.',
            *(f"{n}. {sentence.en}" for n, sentence in enumerate(sentences, start=1)),
            'Please correct the file and put it into the folder "drop" once more.',
        ],
    )


def _both(moment: dt.datetime, de: list[str], en: list[str]) -> str:
    head = f"{moment:%d.%m.%Y %H:%M} UTC"
    return "\n".join(
        [f"Empfangsbericht – {head}", "", *de, "", "---", f"Reception report – {head}", "", *en, ""]
    )
