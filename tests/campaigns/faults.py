"""Seeded faults: real mistakes in whole nights. Does anything wrong go out, and is anything right held back?

    python -m tests.campaigns.faults --variations 10 --clean 50

A city lives with last year's figures; then a source delivers its newest year with one mistake in it: an analyst's, an
office's, a spreadsheet's. The night collects, computes and judges as any night does, in this process. A fault counts
as caught if its file is refused, or if every published table that has other figures than it would have
without the fault is held. A variation that changes no published figure is drawn anew. Clean nights deliver the same year
without a mistake, with natural variation and one declared revision; none of their tables may be held.
Prints a line a kind of fault and the confusion table.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.model import AcceptedRevision, Text
from orchestration.collect.landing import landing_of
from orchestration.collect.sample.register_files import Delivery
from orchestration.compute.candidate import load_candidate
from orchestration.compute.mart import compute_mart
from orchestration.confirm import evidence
from orchestration.confirm.gate import confirm_tables
from orchestration.publish.publication import publish
from orchestration.settings import catalogue_of
from tests.support import cities
from tests.support.registers import NIGHT, city, deliver

HOME, NEIGHBOUR, REGION = "07111", "07137", "071"
NUMBER = re.compile(r"-?\d+(,\d+)?")

FILES = (
    "12612-01-01-4_00.csv", "12711-04-02-4_00.csv", "13211-02-05-4.csv", "21111-01-03-4.csv", "21111-02-06-4.csv",
    "21121-01-05-4_00.csv", "21121-02-02-4.csv", "22311-01-02-4_00.csv", "22541-01-04-4_00.csv",
    "22543-01-02-4_00.csv", "22811-01-01-4_00.csv",
)  # fmt: skip
"""The sample's files that give a whole series, a period a row."""

_NOT_FIGURES = ["retrieved_at", "footnotes"]
"""What differs between two nights without any figure being another one."""


def _figures(rows: pa.Table) -> pa.Table:
    """What is wrong when it differs: rows with a value, and no dates of delivery."""
    return _statements(rows).filter(pc.is_valid(rows["value"]))


def _statements(rows: pa.Table) -> pa.Table:
    """What a night judges anew when it differs: rows without a value, too."""
    return rows.drop_columns(_NOT_FIGURES)


STAND = re.compile(r"Stand: [0-9.]+ / [0-9:]+")


def _copied_or_linked(source: str, target: str) -> None:
    """Files of a release never change again, and they are most of a home."""
    if "/releases/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)


_STATE = ("home", "official", "drops")
"""The folders that make a city's state."""


class NotHere(Exception):
    """This fault can't be made in this file."""


@dataclass
class File:
    """A delivered file in its lines: what stands above the data, the rows, what stands below."""

    head: list[str]
    rows: list[list[str]]
    foot: list[str]
    encoding: str
    first: int
    """Where the figures begin."""
    raw: Callable[[bytes], bytes] | None = None
    """What is done to the bytes at last."""

    @classmethod
    def of(cls, path: Path) -> File:
        data = path.read_bytes()
        try:
            encoding, text = "utf-8", data.decode("utf-8")
        except UnicodeDecodeError:
            encoding, text = "cp1252", data.decode("cp1252")
        lines = text.split("\n")
        is_row = [bool(re.match(r"(\d{4}|\d\d\.\d\d\.\d{4});(DG|\d+);", line)) for line in lines]
        begin, end = is_row.index(True), len(lines) - is_row[::-1].index(True)
        rows = [line.split(";") for line in lines[begin:end]]
        # The units stand above the figures: a column of text has none.
        sample = rows[0]
        first = 3 if NUMBER.fullmatch(sample[3]) or sample[3] in ("-", "x", ".") else 4
        return cls(lines[:begin], rows, lines[end:], encoding, first)

    def bytes(self, stand: str) -> bytes:
        lines = [*self.head, *(";".join(row) for row in self.rows), *self.foot]
        text = STAND.sub(f"Stand: {stand} / 08:15:30", "\n".join(lines))
        data = text.encode(self.encoding)
        return self.raw(data) if self.raw else data

    def periods(self) -> list[str]:
        return sorted({r[0] for r in self.rows}, key=lambda p: p.split(".")[::-1])

    @property
    def newest(self) -> str:
        return self.periods()[-1]

    @property
    def previous(self) -> str:
        return self.periods()[-2]

    def of_period(self, period: str, area: str | None = None) -> list[list[str]]:
        return [r for r in self.rows if r[0] == period and (area is None or r[1] == area)]

    def without(self, period: str) -> File:
        return File(
            self.head, [list(r) for r in self.rows if r[0] != period], self.foot, self.encoding, self.first
        )

    def columns(self) -> list[int]:
        """The columns that hold figures of the home municipality in the newest period."""
        home = self.of_period(self.newest, HOME)
        return [
            i
            for i in range(self.first, len(home[0]))
            if any(NUMBER.fullmatch(r[i]) and number(r[i]) > 0 for r in home)
        ]

    def districts(self, period: str) -> list[list[str]]:
        return [r for r in self.of_period(period) if re.fullmatch(r"\d{5}", r[1])]

    def key(self, row: list[str]) -> tuple[str, ...]:
        """Area and the text columns after it: what tells a row within its period."""
        return (row[1], *row[3 : self.first])


def number(text: str) -> float:
    return float(text.replace(",", "."))


def shown(value: float, like: str) -> str:
    return f"{value:.{len(like.split(',')[1])}f}".replace(".", ",") if "," in like else str(round(value))


def scaled(rows: Sequence[list[str]], columns: Sequence[int], factor: float, least: float = 0) -> None:
    """Multiply figures; nothing to do with so small ones is no fault."""
    done = 0
    for row in rows:
        for i in columns:
            if NUMBER.fullmatch(row[i]) and number(row[i]) > least:
                row[i] = shown(number(row[i]) * factor, row[i])
                done += 1
    if not done:
        raise NotHere


def put(rows: Sequence[list[str]], columns: Sequence[int], text: str) -> None:
    if not rows or not columns:
        raise NotHere
    for row in rows:
        for i in columns:
            row[i] = text


@dataclass(frozen=True)
class Fault:
    """One kind of mistake: what it does to a file that delivers its newest year."""

    name: str
    make: Callable[[File, random.Random], None]
    files: Sequence[str] = FILES
    stand: str = "20.11.2026"
    keep_old: bool = field(default=False)
    """The file was known before with its newest year: the fault changes a period that is published."""


def _one(rng: random.Random, file: File) -> int:
    return rng.choice(file.columns())


def _two(rng: random.Random, file: File) -> tuple[int, int]:
    columns = file.columns()
    home = file.of_period(file.newest, HOME)[-1]
    pairs = [
        (a, b) for a in columns for b in columns
        if a < b and NUMBER.fullmatch(home[a]) and NUMBER.fullmatch(home[b])
        and abs(number(home[a]) - number(home[b])) > 0.3 * max(number(home[a]), number(home[b]))
        and min(number(home[a]), number(home[b])) > 20
    ]  # fmt: skip
    if not pairs:
        raise NotHere
    return rng.choice(pairs)


def _home(file: File, period: str | None = None) -> list[list[str]]:
    return file.of_period(period or file.newest, HOME)


def _swap(rows: Sequence[list[str]], a: int, b: int) -> None:
    for row in rows:
        row[a], row[b] = row[b], row[a]


def _shift(rows: Sequence[list[str]], first: int) -> None:
    for row in rows:
        row[first:] = [*row[first + 1 :], row[first]]


def _areas_swapped(file: File, one: str, other: str) -> None:
    ours, theirs = file.of_period(file.newest, one), file.of_period(file.newest, other)
    if len(ours) != len(theirs):
        raise NotHere
    for a, b in zip(ours, theirs, strict=True):
        a[file.first :], b[file.first :] = b[file.first :], a[file.first :]


def _copied(file: File, rows: Sequence[list[str]], period: str) -> None:
    """The figures of another period under this one's name."""
    old = {file.key(r): r for r in file.of_period(period)}
    for row in rows:
        if file.key(row) in old:
            row[file.first :] = old[file.key(row)][file.first :]


def _drop(file: File, wanted: Callable[[list[str]], bool]) -> None:
    before = len(file.rows)
    file.rows[:] = [r for r in file.rows if not wanted(r)]
    if len(file.rows) == before:
        raise NotHere


def _rounded(file: File, base: int) -> None:
    for row in file.districts(file.newest):
        for i in range(file.first, len(row)):
            if re.fullmatch(r"\d+", row[i]):
                row[i] = str(base * round(int(row[i]) / base))


def _pooled(file: File, rows: Sequence[list[str]]) -> None:
    old = {file.key(r): r for r in file.of_period(file.previous)}
    for row in rows:
        for i in range(file.first, len(row)):
            before = old.get(file.key(row), [""] * len(row))[i]
            if re.fullmatch(r"\d+", row[i]) and re.fullmatch(r"\d+", before):
                row[i] = str(int(row[i]) + int(before))


def _filled_down(file: File, column: int) -> None:
    rows = [r for r in file.districts(file.newest) if NUMBER.fullmatch(r[column])]
    by_kind: dict[tuple[str, ...], str] = {}
    for row in rows:
        row[column] = by_kind.setdefault(tuple(row[3 : file.first]), row[column])


def _each(rng: random.Random, file: File, do: Callable[[list[list[str]], int], None], where: str) -> None:
    rows = {
        "home": _home(file),
        "all": file.of_period(file.newest),
        "districts": file.districts(file.newest),
    }[where]
    do(rows, _one(rng, file))


def _moved_part(file: File, rng: random.Random) -> None:
    a, b = _two(rng, file)
    for row in _home(file):
        if NUMBER.fullmatch(row[a]) and NUMBER.fullmatch(row[b]):
            taken = number(row[a]) * 0.6
            row[a], row[b] = shown(number(row[a]) - taken, row[a]), shown(number(row[b]) + taken, row[b])


def _spelt_anew(file: File, rng: random.Random) -> None:
    """Two columns of the header change places, the figures stay."""
    a, b = _two(rng, file)
    done = False
    for n, line in enumerate(file.head):
        cells = line.split(";")
        if len(cells) > b and cells[a] != cells[b]:
            cells[a], cells[b] = cells[b], cells[a]
            file.head[n] = ";".join(cells)
            done = True
    if not done:
        raise NotHere


def _other_rows(file: File, rng: random.Random) -> None:
    """A line too many was pasted: all keys from there on stand one row off."""
    rows = file.districts(file.newest)
    keys = [(r[1], r[2]) for r in rows]
    start = rng.randrange(0, len(rows) // 2)
    for n in range(start, len(rows) - 1):
        rows[n + 1][1:3] = keys[n]
    rows[start][1:3] = keys[-1]


def _raw(file: File, change: Callable[[bytes], bytes]) -> None:
    file.raw = change


def _twice(file: File, rng: random.Random) -> None:
    for row in [list(r) for r in _home(file)]:
        scaled([row], file.columns(), 1.4)
        file.rows.append(row)


def _old_period(file: File, rng: random.Random) -> list[list[str]]:
    return file.of_period(rng.choice(file.periods()[1:-2]))


FAULTS: list[Fault] = [
    Fault("decimal lost at home (×10)", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], 10, 20), "home")),
    Fault("decimal lost in a column (×10)", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], 10), "all")),
    Fault("a zero lost in a column (÷10)", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], 0.1), "all")),
    Fault("percent for a share of one (×100)", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], 100), "all")),
    Fault("thousands for units, whole file", lambda f, r: scaled(f.of_period(f.newest), f.columns(), 0.001)),
    Fault("columns off by one, whole year", lambda f, r: _shift(f.of_period(f.newest), f.first)),
    Fault("columns off by one at home", lambda f, r: _shift(_home(f), f.first)),
    Fault("two columns exchanged, whole year", lambda f, r: _swap(f.of_period(f.newest), *_two(r, f))),
    Fault("two columns exchanged at home", lambda f, r: _swap(_home(f), *_two(r, f))),
    Fault("header exchanged, figures not", _spelt_anew),
    Fault("Koblenz has Mayen-Koblenz's figures", lambda f, r: _areas_swapped(f, HOME, NEIGHBOUR)),
    Fault("Koblenz has the region's figures", lambda f, r: _areas_swapped(f, HOME, REGION)),
    Fault("two other districts exchanged", lambda f, r: _areas_swapped(f, *r.sample(["07312", "07131", "07138", "07211", "07336", "07315"], 2))),
    Fault("keys one row off", _other_rows),
    Fault("home missing", lambda f, r: _drop(f, lambda row: row[0] == f.newest and row[1] == HOME)),
    Fault("half of the districts missing", lambda f, r: _drop(f, lambda row: row[0] == f.newest and row[1][:3] in ("072", "073"))),
    Fault("Land and Germany missing", lambda f, r: _drop(f, lambda row: row[0] == f.newest and row[1] in ("07", "DG"))),
    Fault("a few districts missing", lambda f, r: _drop_some(f, r)),
    Fault("home twice, with other figures", _twice),
    Fault("dash for every figure of home", lambda f, r: put(_home(f), f.columns(), "-")),
    Fault("zero for missing at home", lambda f, r: put(_home(f), [_one(r, f)], "0")),
    Fault("zero for missing in a column", lambda f, r: put(f.of_period(f.newest), [_one(r, f)], "0")),
    Fault("dash in a column", lambda f, r: put(f.of_period(f.newest), [_one(r, f)], "-")),
    Fault("secret where nothing was", lambda f, r: put(_home(f), f.columns(), ".")),
    Fault("x for a column", lambda f, r: put(f.of_period(f.newest), [_one(r, f)], "x")),
    Fault("empty cells", lambda f, r: put(f.of_period(f.newest), [_one(r, f)], "")),
    Fault("last year's file as this year's", lambda f, r: _copied(f, f.of_period(f.newest), f.previous)),
    Fault("last year's row of home", lambda f, r: _copied(f, _home(f), f.previous)),
    Fault("an earlier year's figures", lambda f, r: _copied(f, f.of_period(f.newest), f.periods()[-5])),
    Fault("two years pooled", lambda f, r: _pooled(f, f.of_period(f.newest))),
    Fault("two years pooled at home", lambda f, r: _pooled(f, _home(f))),
    Fault("rounded to 10", lambda f, r: _rounded(f, 10)),
    Fault("rounded to 5", lambda f, r: _rounded(f, 5)),
    Fault("rounded to 3", lambda f, r: _rounded(f, 3)),
    Fault("filled down", lambda f, r: _filled_down(f, _one(r, f))),
    Fault("a minus before a figure", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], -1), "home")),
    Fault("a part counted in another cell", _moved_part),
    Fault("one column a third higher", lambda f, r: _each(r, f, lambda rows, i: scaled(rows, [i], 1.34), "all")),
    Fault("everything a quarter lower", lambda f, r: scaled(f.of_period(f.newest), f.columns(), 0.75)),
    Fault("leading zeros lost", lambda f, r: _zeros_lost(f)),
    Fault("a thousands point", lambda f, r: _thousands(f)),
    Fault("words in a cell", lambda f, r: put(_home(f), [_one(r, f)], r.choice(["n/a", "k. A.", "NULL", "#WERT!"]))),
    Fault("cut short", lambda f, r: _raw(f, lambda data: data[: int(len(data) * 0.8)])),
    Fault("read in the wrong encoding", lambda f, r: _raw(f, lambda data: data.decode(f.encoding).encode("utf-8").decode("cp1252", "replace").encode("utf-8"))),
    Fault("footer lost", lambda f, r: f.foot.clear()),
    Fault("a past figure of home changed", lambda f, r: scaled([x for x in _old_period(f, r) if x[1] == HOME], f.columns(), 1.1), keep_old=True),
    Fault("a past year changed everywhere", lambda f, r: scaled(_old_period(f, r), f.columns(), 1.03), keep_old=True),
    Fault("a past year taken back", lambda f, r: put(_old_period(f, r), f.columns(), "."), keep_old=True),
    Fault("the published year changed a little", lambda f, r: scaled(_home(f), [_one(r, f)], 1.05, 30), keep_old=True),
    Fault("the same state of the data twice", lambda f, r: scaled(f.of_period(f.newest), [_one(r, f)], 1.02, 60), keep_old=True, stand="02.11.2026"),
]  # fmt: skip


def _drop_some(file: File, rng: random.Random) -> None:
    newest = file.newest
    chosen = set(
        rng.sample(
            ["07131", "07132", "07133", "07134", "07135", "07138", "07140", "07141", "07143", "07211"], 3
        )
    )
    _drop(file, lambda row: row[0] == newest and row[1] in chosen)


def _zeros_lost(file: File) -> None:
    for row in file.of_period(file.newest):
        row[1] = row[1].lstrip("0")


def _thousands(file: File) -> None:
    done = False
    for row in file.of_period(file.newest):
        for i in range(file.first, len(row)):
            if re.fullmatch(r"\d{4,}", row[i]):
                row[i] = f"{int(row[i]):,}".replace(",", ".")
                done = True
    if not done:
        raise NotHere


REGISTER_FAULTS: dict[str, Callable[[Delivery, random.Random], Delivery]] = {
    "a register lost a third": lambda d, r: Delivery(d.register, d.reference, d.frame.sample(frac=0.67, random_state=r.randrange(10**6))),
    "a register cut in half": lambda d, r: Delivery(d.register, d.reference, d.frame.head(len(d.frame) // 2)),
    "a register with every record twice": lambda d, r: Delivery(d.register, d.reference, _doubled(d)),
}  # fmt: skip

REGISTERS = ("residents", "pupils", "day_care_children", "vocational_pupils")


def _doubled(delivery: Delivery) -> object:
    import pandas as pd

    twin = delivery.frame.copy()
    for name in twin.columns:
        if name.lower().startswith(("id", "pid", "schluessel", "kennung")) or "_id" in name:
            twin[name] = twin[name].astype(str) + "9"
    return pd.concat([delivery.frame, twin], ignore_index=True)


CORRECTED = {
    "12612-01-01-4_00.csv": {0: 1, 1: 1},
    "13211-02-05-4.csv": {6: 1},
    "21111-02-06-4.csv": {4: -1, 6: 1},
    "21121-02-02-4.csv": {2: -1, 4: 1},
}
"""Where an office corrects a figure of the past: column and change, so that parts and totals still agree."""


@dataclass(frozen=True)
class Outcome:
    """One night: refused at the door, or by table whether it was held and its content's fingerprint."""

    refused: list[str]
    contents: dict[str, str | None]
    statements: dict[str, str | None]
    """The fingerprint of all rows, with a value or without."""
    held: dict[str, list[str]]


class FaultyCity:
    """A city with last year's figures, brought back to that state before every case."""

    def __init__(self, folder: Path, files: Sequence[str] = FILES, tables: tuple[str, ...] = ()) -> None:
        """Everything the sample has, or the files and published tables named, then without registers."""
        self.folder, self.files = folder, files
        chosen = [*cities.AREAS, *files] if tables else ()
        self.settings, self.home = cities.settled(folder, load_catalogue(), files=chosen, tables=tables)
        self.catalogue: Catalogue = catalogue_of(self.settings)
        self.official, self.drops = folder / "official", folder / "drops"
        self.deliveries = {} if tables else city(year=2025)[1]
        self.originals = {name: File.of(self.official / name) for name in files}
        for name, file in self.originals.items():
            (self.official / name).write_bytes(file.without(file.newest).bytes("02.11.2025"))
        deliver(self.catalogue, self.drops, self.deliveries)
        first = self._night(self.catalogue, NIGHT, list(self.catalogue.published))
        assert not first.refused, first.refused
        assert not first.held, first.held
        assert publish(self.home, self.settings, self.catalogue, NIGHT).is_new
        self.base_statements = first.statements
        self._clean: dict[str, Outcome] = {}
        self._keep(folder / "kept")
        # The other beginning: everything delivered and told, for faults in published periods.
        for name, file in self.originals.items():
            (self.official / name).write_bytes(file.bytes("02.11.2026"))
        moment = NIGHT + dt.timedelta(days=1)
        second = self._night(self.catalogue, moment, list(self.catalogue.published))
        assert not second.held, second.held
        publish(self.home, self.settings, self.catalogue, moment)
        self.told, self.told_statements = second.contents, second.statements
        self._keep(folder / "kept_told")

    def _keep(self, place: Path) -> None:
        self.drops.mkdir(exist_ok=True)
        for name in _STATE:
            shutil.copytree(self.folder / name, place / name, symlinks=True, copy_function=_copied_or_linked)

    def _back(self, told: bool) -> None:
        place = self.folder / ("kept_told" if told else "kept")
        for name in _STATE:
            shutil.rmtree(self.folder / name)
            shutil.copytree(place / name, self.folder / name, symlinks=True, copy_function=_copied_or_linked)

    def _night(
        self, catalogue: Catalogue, moment: dt.datetime, tables: Sequence[str] | None, told: bool = False
    ) -> Outcome:
        """Collect, compute, and judge: all tables, or those whose content is another one than before."""
        from orchestration.collect.official_statistics import collect_official_statistics
        from orchestration.collect.registers.collect import collect_registers

        collect_official_statistics(self.settings, self.home, catalogue, moment)
        arrived = collect_registers(self.settings, self.home, catalogue, moment)
        receptions = landing_of(self.home, self.settings.official_statistics, catalogue).receptions()
        refused = [r.reason or "" for r in receptions if r.status == "refused"]
        refused += ["; ".join(a.reasons) for a in arrived if a.status == "refused"]
        load_candidate(self.home, self.settings, catalogue, moment)
        compute_mart(self.home, self.settings, catalogue, moment)
        contents: dict[str, str | None] = {}
        statements: dict[str, str | None] = {}
        with evidence.connect(self.home) as connection:
            for name in catalogue.published:
                rows = evidence.published_table(connection, catalogue, name)
                contents[name] = None if rows is None else evidence.content_hash(_figures(rows))
                statements[name] = None if rows is None else evidence.content_hash(_statements(rows))
        before = {} if tables is not None else (self.told_statements if told else self.base_statements)
        held: dict[str, list[str]] = {}
        names = [n for n in contents if statements[n] != before.get(n)] if tables is None else list(tables)
        verdicts = confirm_tables(self.home, self.settings, catalogue, moment, names=names) if names else {}
        for name, of_one in verdicts.items():
            if why := [f"{v.check}/{v.scope}: {v.observed[:100]}" for v in of_one if v.status.holds]:
                held[name] = why
        return Outcome(refused, contents, statements, held)

    def clean(self, name: str) -> Outcome:
        """The night in which a file delivers its newest year without a mistake."""
        if name not in self._clean:
            self._back(told=False)
            (self.official / name).write_bytes(self.originals[name].bytes("20.11.2026"))
            self._clean[name] = self._night(self.catalogue, NIGHT + dt.timedelta(days=1), None)
        return self._clean[name]

    def faulty(self, fault: Fault, seed: int) -> tuple[str, Outcome, dict[str, str | None]]:
        """One night with a fault: the file, what became of it, and the contents it should have had."""
        rng = random.Random(f"{fault.name}/{seed}")
        for _ in range(12):
            name = rng.choice([n for n in fault.files if n in self.files])
            should = self.told if fault.keep_old else self.clean(name).contents
            file = File.of(self.folder / "kept_told" / "official" / name)
            before = file.bytes("20.11.2026")
            try:
                fault.make(file, rng)
            except NotHere:
                continue
            data = file.bytes(fault.stand)
            if data == before:
                continue
            self._back(told=fault.keep_old)
            (self.official / name).write_bytes(data)
            done = self._night(self.catalogue, NIGHT + dt.timedelta(days=2), None, told=fault.keep_old)
            if done.refused or done.contents != should:
                return name, done, should
        raise RuntimeError(f"{fault.name}: no variation changes a published figure")

    def faulty_register(self, name: str, seed: int) -> tuple[str, Outcome, dict[str, str | None]]:
        rng = random.Random(f"{name}/{seed}")
        register = REGISTERS[seed % len(REGISTERS)]
        self._back(told=True)
        changed = REGISTER_FAULTS[name](self.deliveries[register], rng)
        deliver(self.catalogue, self.drops, {register: changed})
        done = self._night(self.catalogue, NIGHT + dt.timedelta(days=2), None, told=True)
        return register, done, self.told

    def natural(self, seed: int) -> Outcome:
        """A clean night: a file delivers its newest year, and an office corrects two districts' past, as it declared."""
        rng = random.Random(seed)
        name = self.files[seed % len(self.files)]
        other = rng.choice([n for n in CORRECTED if n in self.files])
        self._back(told=False)
        (self.official / name).write_bytes(self.originals[name].bytes("20.11.2026"))
        revised = File.of(self.official / other)
        rows = revised.districts(rng.choice(revised.periods()[1:-1]))
        for row in rng.sample([r for r in rows if NUMBER.fullmatch(r[revised.first])], 2):
            for column, change in CORRECTED[other].items():
                at = revised.first + column
                row[at] = str(int(row[at]) + change)
        day = 20 if other == name else 18
        (self.official / other).write_bytes(revised.bytes(f"{day}.11.2026"))
        code = other.split("_")[0].removesuffix(".csv")
        note = Text(de="Berichtigung des Amts", en="correction by the office")
        stand = dt.date(2026, 11, day)
        table = self.catalogue.tables[code].model_copy(
            update={"accepted_revisions": [AcceptedRevision(stand=stand, note=note)]}
        )
        catalogue = self.catalogue.model_copy(update={"tables": {**self.catalogue.tables, code: table}})
        return self._night(catalogue, NIGHT + dt.timedelta(days=2), None)


def judged(town: FaultyCity, kind: str, name: str, seed: int) -> tuple[bool, str]:
    """One case: whether the night ended as it should, and what happened."""
    if kind == "clean":
        done = town.natural(seed)
        return not done.held and not done.refused, json.dumps({"held": done.held, "refused": done.refused})
    if kind == "register":
        where, done, should = town.faulty_register(name, seed)
    else:
        where, done, should = town.faulty(next(f for f in FAULTS if f.name == name), seed)
    wrong = [t for t, content in done.contents.items() if content != should.get(t)]
    missed = [t for t in wrong if t not in done.held]
    if missed and not done.refused:
        return False, f"{where}: went out: {', '.join(missed)}"
    checks = sorted({w.split("/")[0] for t in wrong for w in done.held.get(t, [])})
    return True, f"{where}: " + (f"refused: {done.refused[0][:80]}" if done.refused else ", ".join(checks))


def _case(arguments: tuple[str, str, int]) -> tuple[bool, str]:
    """One case in a worker's own city."""
    return judged(_town(), *arguments)


_TOWNS: dict[str, FaultyCity] = {}


def _town() -> FaultyCity:
    if "town" not in _TOWNS:
        folder = Path(tempfile.mkdtemp(prefix="faults-"))
        _TOWNS["town"] = FaultyCity(folder)
    return _TOWNS["town"]


def campaign(variations: int, clean: int, workers: int, only: str | None = None) -> bool:
    """Prints a line a kind and the confusion table; True if at least 97 percent are caught and nothing right is held."""
    kinds = [*(("file", fault.name) for fault in FAULTS), *(("register", name) for name in REGISTER_FAULTS)]
    # Every kind once before any a second time: a campaign that is stopped has seen them all.
    rounds = max(variations, 1)
    cases = []
    for n in range(rounds):
        cases += [(*kind, n) for kind in kinds if variations]
        cases += [("clean", "clean", seed) for seed in range(clean) if seed % rounds == n]
    cases = [case for case in cases if only is None or only in case[1]]
    started = time.perf_counter()
    caught: Counter[str] = Counter()
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(workers) as pool:
        for (_, name, seed), (good, what) in zip(cases, pool.map(_case, cases), strict=True):
            total[name] += 1
            caught[name] += good
            if sum(total.values()) % 50 == 0:
                print(
                    f"… {sum(total.values())} of {len(cases)} nights, {sum(total.values()) - sum(caught.values())} not as they should",
                    flush=True,
                )
            if not good:
                print(
                    f"MISSED {name} #{seed}: {what}" if name != "clean" else f"FALSE HOLD #{seed}: {what}",
                    flush=True,
                )
            elif name != "clean" and seed == 0:
                print(f"{name}: {what}", flush=True)
    bad = [n for n in total if n != "clean"]
    for name in bad:
        print(f"{name:45s} {caught[name]:3d} of {total[name]}")
    hits, all_ = sum(caught[n] for n in bad), sum(total[n] for n in bad)
    print("\n                 held or refused   let out")
    print(f"faulty nights    {hits:15d}   {all_ - hits:7d}   of {all_} ({len(bad)} kinds)")
    print(
        f"clean nights     {total['clean'] - caught['clean']:15d}   {caught['clean']:7d}   of {total['clean']}"
    )
    share = hits / all_ if all_ else 1.0
    print(f"caught {share:.1%}; {time.perf_counter() - started:.0f} s")
    return share >= 0.97 and caught["clean"] == total["clean"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variations", type=int, default=10)
    parser.add_argument("--clean", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="Only kinds whose name has this in it.")
    arguments = parser.parse_args()
    sys.exit(0 if campaign(arguments.variations, arguments.clean, arguments.workers, arguments.only) else 1)
