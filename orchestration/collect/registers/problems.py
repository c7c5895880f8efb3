"""What can be wrong with a delivery, told to the office that sent it without a personal value.

Belongs here: one problem, and the words for it. Does not belong here: finding it (door.py, files.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from expectations.catalogue.base import Text

SHOWN = 20
"""How many rows of a problem are named."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where, what was found, what was expected.

    `rows` are the sender's own row or line numbers, the first few of `count`. `found` is empty where
    it would quote a personal value.
    """

    kind: str
    column: str | None
    expected: Text
    rows: list[int] = field(default_factory=list)
    count: int = 0
    found: list[str] = field(default_factory=list)


class RefusedError(ValueError):
    """A delivery that can't be accepted. Holds no personal value, nor does its message."""

    def __init__(self, *problems: Problem) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(in_words(problem).en for problem in problems))


class DatabaseError(RuntimeError):
    """A register's database does not answer. The message holds neither password nor data."""


def refused(kind: str, de: str, en: str, column: str | None = None, row: int | None = None) -> RefusedError:
    """A refusal for one reason."""
    rows = [] if row is None else [row]
    return RefusedError(Problem(kind, column, Text(de=de, en=en), rows, len(rows)))


def in_words(problem: Problem) -> Text:
    """One sentence in each language."""
    place = []
    if problem.column is not None:
        place.append((f"Spalte {problem.column}", f"column {problem.column}"))
    if problem.rows:
        shown = ", ".join(str(row) for row in problem.rows[:SHOWN])
        more = problem.count - len(problem.rows[:SHOWN])
        rest = (f" und {more} weitere", f" and {more} more") if more > 0 else ("", "")
        place.append((f"Zeile {shown}{rest[0]}", f"row {shown}{rest[1]}"))
    where_de, where_en = ", ".join(p[0] for p in place), ", ".join(p[1] for p in place)
    found_de = found_en = ""
    if problem.found:
        values = ", ".join(repr(value) for value in problem.found[:5])
        found_de, found_en = f" Gefunden: {values}.", f" Found: {values}."
    name = KINDS[problem.kind]
    return Text(
        de=f"{where_de + ': ' if where_de else ''}{name.de}.{found_de} Erwartet: {problem.expected.de}",
        en=f"{where_en + ': ' if where_en else ''}{name.en}.{found_en} Expected: {problem.expected.en}",
    )


KINDS = {
    "unreadable": Text(de="Die Datei ist nicht lesbar", en="The file can't be read"),
    "encoding": Text(de="Die Zeichen sind beschädigt oder anders kodiert", en="Characters are damaged or encoded otherwise"),
    "empty": Text(de="Die Lieferung ist leer", en="The delivery is empty"),
    "columns": Text(de="Die Spalten stimmen nicht", en="The columns are not right"),
    "shape": Text(de="Die Zeile hat eine falsche Form", en="The row has a wrong shape"),
    "cut_short": Text(de="Die Datei ist abgeschnitten", en="The file is cut short"),
    "formula": Text(de="Eine Formel oder ein Fehlerwert steht in der Zelle", en="A formula or an error stands in the cell"),
    "missing": Text(de="Die Angabe fehlt", en="The value is missing"),
    "malformed": Text(de="Die Angabe hat eine falsche Form", en="The value has a wrong form"),
    "code": Text(de="Der Schlüssel ist unbekannt", en="The code is unknown"),
    "range": Text(de="Der Wert liegt außerhalb des Möglichen", en="The value lies outside what is possible"),
    "future": Text(de="Das Datum liegt nach dem Stichtag", en="The date lies after the reference day"),
    "reference": Text(de="Der Stichtag stimmt nicht", en="The reference day is not right"),
    "duplicate": Text(de="Ein Schlüssel kommt mehrfach vor", en="A key occurs more than once"),
    "order": Text(de="Zwei Angaben widersprechen einander", en="Two values contradict each other"),
    "share": Text(de="Der Anteil ist unglaubwürdig", en="The share can't be believed"),
    "mean": Text(de="Der Durchschnitt ist unglaubwürdig", en="The mean can't be believed"),
    "volume": Text(de="Die Zahl der Zeilen hat sich unglaubwürdig verändert", en="The number of rows changed beyond belief"),
    "codebook": Text(de="Das Codebuch passt nicht zur Erklärung", en="The code book does not fit the declaration"),
}  # fmt: skip
"""Every kind of problem by name; the reception report and the campaign use them."""
