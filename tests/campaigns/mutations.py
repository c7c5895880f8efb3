"""Deliveries damaged in every way that offices manage, one after the other, at the door.

    python -m tests.campaigns.mutations --deliveries 200

Each is a clean delivery with one thing wrong. It must be refused for the right reason, the counts must
stay as they are, and the clean delivery after it must be taken. Then clean deliveries of other cities
and years go through the same door: every refusal of those is a false alarm.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import logging
import os
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from expectations.catalogue import Catalogue, load_catalogue
from expectations.catalogue.registers import Column, ColumnType, MeanRule, OrderRule, Register, ShareRule
from orchestration.collect.registers.collect import collect_registers
from orchestration.collect.registers.drops import REPORT, Drop
from orchestration.collect.registers.landing import register_landing
from orchestration.collect.sample.register_files import Delivery, write_delivery
from orchestration.resources.home import Home
from orchestration.settings import Settings, load_settings
from tests.support.registers import KEY, NIGHT, city, config_of

Mutation = Callable[[Register, Delivery, random.Random], tuple[Delivery | None, str]]
"""A mutated delivery and what was done; None where the register has nothing of the kind."""


@dataclass(frozen=True)
class Damage:
    """One kind of damage and the reasons that are right for it."""

    name: str
    right: frozenset[str]
    values: Mutation | None = None
    data: Callable[[Register, bytes, random.Random], bytes | None] | None = None


def _columns(register: Register, *types: ColumnType) -> list[Column]:
    return [c for c in register.kept if c.type in types]


def _cell(kind: Callable[[Register], list[Column]], values: list[str], rows: int = 1) -> Mutation:
    """Write one of the values into a column of some kind, in a few rows."""

    def mutate(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
        columns = kind(register)
        if not columns:
            return None, ""
        column, value = rng.choice(columns), rng.choice(values)
        frame = delivery.frame.copy()
        frame[column.name] = frame[column.name].astype(object)
        for _ in range(rows):
            frame.iloc[rng.randrange(len(frame)), frame.columns.get_loc(column.name)] = value
        return dataclasses.replace(delivery, frame=frame), column.name

    return mutate


def _whole(kind: Callable[[Register], list[Column]], change: Callable[[pd.Series], pd.Series]) -> Mutation:
    """Change a whole column of some kind."""

    def mutate(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
        columns = kind(register)
        if not columns:
            return None, ""
        column = rng.choice(columns)
        frame = delivery.frame.copy()
        changed = change(frame[column.name])
        if changed.equals(frame[column.name]):
            return None, ""
        frame[column.name] = changed
        return dataclasses.replace(delivery, frame=frame), column.name

    return mutate


def _swapped(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    """The contents of two columns of different kinds, under the headings as they were."""
    kept = [c for c in register.kept if c.name in delivery.frame]
    pairs = [
        (a, b)
        for a in kept
        for b in kept
        if a.type != b.type and a.required and b.required and a.name < b.name
    ]
    if not pairs:
        return None, ""
    first, second = rng.choice(pairs)
    frame = delivery.frame.rename(columns={first.name: second.name, second.name: first.name})
    return dataclasses.replace(
        delivery, frame=frame[list(delivery.frame.columns)]
    ), f"{first.name} / {second.name}"


def _duplicate(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    if not any(c.key for c in register.kept):
        return None, ""
    frame = delivery.frame
    again = frame.iloc[[rng.randrange(len(frame)) for _ in range(2)]]
    return dataclasses.replace(delivery, frame=pd.concat([frame, again], ignore_index=True)), "key"


def _without_column(
    register: Register, delivery: Delivery, rng: random.Random
) -> tuple[Delivery | None, str]:
    if register.format.kind in ("fixed_width", "fhir"):
        return None, ""
    column = rng.choice(register.kept)
    return dataclasses.replace(delivery, frame=delivery.frame.drop(columns=column.name)), column.name


def _with_column(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    if register.format.kind in ("fixed_width", "fhir"):
        return None, ""
    return dataclasses.replace(delivery, frame=delivery.frame.assign(Bemerkung="siehe Akte")), "Bemerkung"


def _future(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    later = dt.date(2031, delivery.reference.month, delivery.reference.day)
    if register.reference.file is not None:
        return dataclasses.replace(delivery, reference=later), "file name"
    name = register.column(register.reference.column or "").name
    frame = delivery.frame.copy()
    year = str(delivery.reference.year)
    frame[name] = frame[name].astype(str).str.replace(str(int(year) - 1), "2031").str.replace(year, "2031")
    return dataclasses.replace(delivery, frame=frame), name


def _one_sex(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    shares = [r for r in register.rules if isinstance(r, ShareRule)]
    if not shares:
        return None, ""
    rule = rng.choice(shares)
    column = register.column(rule.column)
    other = next((code for code, word in column.codes.items() if word != rule.value and code != "*"), None)
    if other is None or len(delivery.frame) < rule.from_rows:
        return None, ""
    return dataclasses.replace(delivery, frame=delivery.frame.assign(**{column.name: other})), column.name


def _backwards(register: Register, delivery: Delivery, rng: random.Random) -> tuple[Delivery | None, str]:
    rules = [r for r in register.rules if isinstance(r, OrderRule)]
    if not rules:
        return None, ""
    first, second = (register.column(n).name for n in (rules[0].first, rules[0].second))
    both = delivery.frame[
        (delivery.frame[first].astype(str) != "") & (delivery.frame[second].astype(str) != "")
    ]
    both = both[both[first].astype(str) != both[second].astype(str)]
    if both.empty:
        return None, ""
    frame = delivery.frame.copy()
    row = rng.choice(list(both.index))
    frame.loc[row, [first, second]] = frame.loc[row, [second, first]].to_numpy().copy()
    return dataclasses.replace(delivery, frame=frame), f"{first} / {second}"


def _times_ten(column: pd.Series) -> pd.Series:
    if column.dtype == object or str(column.dtype).startswith("str"):
        numbers = column.astype(str).str.replace(",", ".").astype(float) * 10
        return numbers.map(lambda value: f"{value:.2f}".replace(".", ","))
    return column * 10


def _with_mean(register: Register) -> list[Column]:
    return [c for r in register.rules if isinstance(r, MeanRule) for c in [register.column(r.column)] if c.type is not ColumnType.AGE]  # fmt: skip


def _zeros(register: Register) -> list[Column]:
    return [c for c in register.kept if c.pattern and c.type is not ColumnType.FLAG]


def _required(register: Register) -> list[Column]:
    return [c for c in register.kept if c.required]


def _half(register: Register, data: bytes, rng: random.Random) -> bytes | None:
    return data[: rng.randrange(len(data) // 3, len(data) * 9 // 10)]


def _mixed(register: Register, data: bytes, rng: random.Random) -> bytes | None:
    """The second half in the other encoding, where it has an umlaut."""
    encoding = getattr(register.format, "encoding", None)
    if encoding is None:
        return None
    middle = data.find(b"\n", len(data) // 2) + 1
    tail = data[middle:].decode(encoding)
    other = tail.encode("utf-8" if encoding == "cp1252" else "cp1252", errors="replace")
    return None if other == data[middle:] else data[:middle] + other


def _other_delimiter(register: Register, data: bytes, rng: random.Random) -> bytes | None:
    return data.replace(b";", b",") if register.format.kind == "csv" else None


def _merged(register: Register, data: bytes, rng: random.Random) -> bytes | None:
    """A heading over two columns: the second one's is empty."""
    if register.format.kind != "csv":
        return None
    head, _, rest = data.partition(b"\n")
    names = head.split(b";")
    names[rng.randrange(1, len(names))] = b""
    return b";".join(names) + b"\n" + rest


KINDS = ColumnType
DAMAGES = [
    Damage("wrong code", frozenset({"code", "malformed"}), _cell(lambda r: _columns(r, KINDS.CODE), ["ZZ", "?", "unbekannt"])),
    Damage("swapped columns", frozenset({"code", "malformed", "missing", "range", "mean", "share", "duplicate", "reference", "future", "order"}), _swapped),
    Damage("duplicated key", frozenset({"duplicate"}), _duplicate),
    Damage("shifted decimal", frozenset({"mean", "range", "malformed", "order"}), _whole(_with_mean, _times_ten)),
    Damage("lost leading zeros", frozenset({"malformed", "code", "missing"}), _whole(_zeros, lambda c: c.astype(str).str.lstrip("0"))),
    Damage("mixed encodings", frozenset({"encoding", "shape"}), data=_mixed),
    Damage("formula", frozenset({"formula"}), _cell(lambda r: _required(r), ["=SUMME(A1:A9)", "#BEZUG!", "#REF!"])),
    Damage("merged headings", frozenset({"columns"}), data=_merged),
    Damage("truncated", frozenset({"cut_short", "shape", "unreadable", "malformed", "code"}), data=_half),
    Damage("future date", frozenset({"reference", "future"}), _future),
    Damage("impossible age", frozenset({"range", "future", "malformed"}), _cell(lambda r: _columns(r, KINDS.AGE), ["01.01.1850", "18500101", "24.12.2029", "20291224", "1850-01-01"])),
    Damage("Excel date for a code", frozenset({"code", "malformed"}), _cell(lambda r: _columns(r, KINDS.CODE), ["2025-03-01 00:00:00", "45717", "01. Mrz"])),
    Damage("missing value", frozenset({"missing"}), _cell(_required, [""])),
    Damage("column missing", frozenset({"columns"}), _without_column),
    Damage("column added", frozenset({"columns"}), _with_column),
    Damage("points between thousands", frozenset({"malformed"}), _cell(lambda r: _columns(r, KINDS.INTEGER), ["1.234", "1 234"])),
    Damage("words for a number", frozenset({"malformed"}), _cell(lambda r: _columns(r, KINDS.INTEGER, KINDS.NUMBER), ["k. A.", "zwölf", "-"])),
    Damage("negative number", frozenset({"range", "malformed"}), _cell(lambda r: [c for c in _columns(r, KINDS.INTEGER, KINDS.NUMBER) if c.min is not None], ["-5"])),
    Damage("another separator", frozenset({"columns", "shape"}), data=_other_delimiter),
    Damage("American dates", frozenset({"malformed"}), _cell(lambda r: _columns(r, KINDS.DATE, KINDS.AGE), ["12/24/2019", "24/12/2019"])),
    Damage("one code everywhere", frozenset({"share"}), _one_sex),
    Damage("end before beginning", frozenset({"order"}), _backwards),
]  # fmt: skip


def mutated(
    catalogue: Catalogue, deliveries: dict[str, Delivery], count: int, seed: int = 1
) -> Iterator[tuple[Damage, Register, str, bytes, str]]:
    """So many damaged files: damage, register, the file's name, its bytes, and where it was done."""
    rng = random.Random(seed)
    names = sorted(deliveries)
    with tempfile.TemporaryDirectory() as folder:
        made = 0
        while made < count:
            damage = DAMAGES[made % len(DAMAGES)]
            register = catalogue.registers[rng.choice(names)].for_city("07111")
            delivery, place = deliveries[register.id], ""
            if damage.values is not None:
                changed, place = damage.values(register, delivery, rng)
                if changed is None:
                    continue
                delivery = changed
            path = write_delivery(register, delivery, Path(folder))
            data = path.read_bytes()
            if damage.data is not None:
                other = damage.data(register, data, rng)
                if other is None:
                    continue
                data = other
            yield damage, register, path.name, data, place
            path.unlink()
            made += 1


def run(count: int, folder: Path, seed: int = 1) -> tuple[Counter[str], list[str]]:
    """Outcomes by name, and what went wrong in words."""
    os.environ["BILDUNGSMONITOR_REGISTER_KEY"] = KEY
    catalogue = load_catalogue()
    _, deliveries = city()
    drops, home = folder / "drops", Home(folder / "home")
    home.prepare()
    settings = load_settings(config_of(folder / "city.yaml", {"drops": str(drops)}))
    for name, delivery in deliveries.items():
        drop = Drop(drops / name)
        drop.prepare()
        write_delivery(catalogue.registers[name].for_city("07111"), delivery, drop.inbox)
    clean = collect_registers(settings, home, catalogue, NIGHT)
    assert [a.status for a in clean] == ["accepted"] * len(deliveries), clean
    before = _state(home, settings)
    outcomes: Counter[str] = Counter()
    wrong = []
    for number, (damage, register, name, data, place) in enumerate(
        mutated(catalogue, deliveries, count, seed)
    ):
        drop = Drop(drops / register.id)
        (drop.inbox / name).write_bytes(data)
        moment = NIGHT + dt.timedelta(seconds=number + 1)
        (arrived,) = [
            a for a in collect_registers(settings, home, catalogue, moment) if a.register == register.id
        ]
        kinds = {reason.split(" in ")[0] for reason in arrived.reasons}
        told = f"{damage.name} in {register.id} ({place}): {arrived.status} {sorted(kinds)}"
        if arrived.status != "refused":
            outcomes["missed"] += 1
            wrong.append(told)
            continue
        outcomes[
            "refused for the right reason" if kinds & damage.right else "refused for another reason"
        ] += 1
        if not kinds & damage.right:
            wrong.append(told)
        after = _state(home, settings)
        changed = [name for name in before | after if before.get(name) != after.get(name)]
        assert not changed, f"{told}: counts changed: {', '.join(changed)}"
        assert (drop.rejected / (name + REPORT)).exists()
        write_delivery(register, deliveries[register.id], drop.inbox)
        (healed,) = [
            a for a in collect_registers(settings, home, catalogue, moment) if a.register == register.id
        ]
        assert healed.status == "known", f"{told}: the clean delivery was {healed.status}"
    return outcomes, wrong


def false_alarms(seeds: int, folder: Path) -> tuple[int, list[str]]:
    """Clean deliveries of other cities and years: how many, and the refusals among them."""
    catalogue = load_catalogue()
    count, refused = 0, []
    for seed in range(1, seeds + 1):
        for year in (2018, 2024):
            _, deliveries = city(seed=seed, year=year)
            drops, home = folder / f"drops-{seed}-{year}", Home(folder / f"home-{seed}-{year}")
            home.prepare()
            settings = load_settings(config_of(folder / f"city-{seed}-{year}.yaml", {"drops": str(drops)}))
            for name, delivery in deliveries.items():
                Drop(drops / name).prepare()
                write_delivery(
                    catalogue.registers[name].for_city("07111"), delivery, Drop(drops / name).inbox
                )
            arrived = [a for a in collect_registers(settings, home, catalogue, NIGHT) if a.status != "late"]
            count += len(arrived)
            refused += [
                f"{a.register} {year} seed {seed}: {a.reasons}" for a in arrived if a.status != "accepted"
            ]
    return count, refused


def _state(home: Home, settings: Settings) -> dict[str, bytes]:
    """Every count in use, byte for byte."""
    return {s.delivery: s.measures.read_bytes() for s in register_landing(home, settings).snapshots()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=200)
    parser.add_argument("--cities", type=int, default=3)
    arguments = parser.parse_args()
    logging.getLogger("bildungsmonitor").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
        outcomes, wrong = run(arguments.deliveries, Path(folder))
        clean, refused = false_alarms(arguments.cities, Path(folder))
    for line in [*wrong, *refused]:
        print(line)
    print(
        f"{arguments.deliveries} damaged deliveries: {dict(outcomes)}; counts unchanged, clean ones taken after each"
    )
    print(f"{clean} clean deliveries of other cities and years: {len(refused)} false alarms")


if __name__ == "__main__":
    main()
