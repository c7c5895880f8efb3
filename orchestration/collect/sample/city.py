"""An invented Koblenz, person by person: births, deaths, moves, schools, care, year after year.

Belongs here: what happens. Does not belong here: how an office writes it down (registers.py).
Everybody in it is invented. The numbers follow the sample's official tables (population.py): arrivals
balance the population of every age, sex and nationality, in-commuters balance every type of school,
so that registers and official tables tell of the same city.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from orchestration.collect.sample.population import AGES, Unit, registered

Array = np.ndarray

NATIONALITIES = ("000", "163", "475", "166", "154", "125", "137", "152", "423", "434", "130", "148")
"""Codes of states; the first is German. Which ones is of no account: nobody here exists."""

EDGES = np.array([low for low, _ in AGES])
OUTSIDE = 5_000_000
"""Numbers of pupils who live elsewhere begin here."""

GENERAL = ("SCHULE03", "SCHULE06", "SCHULE08", "SCHULE09", "SCHULE11", "SCHULE28")
PRIMARY, SECONDARY_PLUS, GRAMMAR, COMPREHENSIVE, SPECIAL, COLLEGE = range(6)
VOCATIONAL = ("SCHULE17", "SCHULE171", "SCHULE21", "SCHULE23", "SCHULE24", "SCHULE25")
_SCHOOLS = {PRIMARY: 25, SECONDARY_PLUS: 5, GRAMMAR: 7, COMPREHENSIVE: 1, SPECIAL: 3, COLLEGE: 1, 6: 5}
"""The 47 schools by type; 6 are vocational ones. Source: the city's school guide."""

QUALIFICATIONS = ("oBR", "BR", "QSI", "FHR", "HR")
NONE, LOWER, INTERMEDIATE, TECHNICAL, GENERAL_ENTRANCE = QUALIFICATIONS

_LAST_GRADE = np.array([4, 10, 13, 13, 10, 13, 13])
"""By type of school."""

_LIKELY: dict[str, tuple[str, dict[tuple[int, int], float]]] = {
    GENERAL_ENTRANCE: ("BILABS15", {
        **{(kind, 13): 1000.0 for kind in (GRAMMAR, COMPREHENSIVE, COLLEGE)}, (GRAMMAR, 12): 1.0, (COLLEGE, 12): 1.0,
    }),
    TECHNICAL: ("BILABS14", {(GRAMMAR, 12): 1.0, (COMPREHENSIVE, 12): 1.0, (COLLEGE, 12): 1.0}),
    INTERMEDIATE: ("BILABS13", {
        (SECONDARY_PLUS, 10): 100.0, (COMPREHENSIVE, 10): 4.0, (GRAMMAR, 10): 0.4, (SECONDARY_PLUS, 9): 0.1,
    }),
    LOWER: ("BILABS12", {
        (SPECIAL, 10): 4.0, (SECONDARY_PLUS, 9): 4.0, (SECONDARY_PLUS, 10): 4.0, (COMPREHENSIVE, 9): 2.0,
    }),
    NONE: ("BILABS11", {
        (SPECIAL, 10): 100.0, (SPECIAL, 9): 4.0, (SECONDARY_PLUS, 9): 1.0, (COMPREHENSIVE, 9): 0.3,
    }),
}  # fmt: skip
"""By qualification: its official key, and how likely somebody in a grade of a type of school leaves with it."""


def day_number(year: int, month: int, day: int) -> int:
    """Days since 1970."""
    return int(np.datetime64(f"{year:04d}-{month:02d}-{day:02d}").astype("datetime64[D]").astype(int))


def age_at(births: Array, year: int, month: int, day: int) -> Array:
    """Completed years on a day; `births` in days since 1970."""
    born = births.astype("datetime64[D]")
    months = born.astype("datetime64[M]")
    years = months.astype("datetime64[Y]").astype(int) + 1970
    month_of = months.astype(int) % 12 + 1
    day_of = (born - months).astype(int) + 1
    had_none = (month_of > month) | ((month_of == month) & (day_of > day))
    return year - years - had_none


@dataclass(frozen=True)
class Layout:
    """The city's map: Stadtteile, block sides, schools and centres, the same in every year."""

    weights: Array
    need: Array
    """How poor a Stadtteil is, from 0 to 1."""
    block_sides: list[str]
    block_district: Array
    block_statistical: list[str]
    block_school: Array
    block_planning: list[str]
    first_block: Array
    block_count: Array
    school_type: Array
    school_district: Array


@dataclass
class Columns:
    """Arrays of one length, an element per person."""

    id: Array

    def take(self, keep: Array) -> Self:
        return type(self)(**{name: getattr(self, name)[keep] for name in vars(self)})

    def __add__(self, other: Self) -> Self:
        return type(self)(**{n: np.concatenate([getattr(self, n), getattr(other, n)]) for n in vars(self)})

    def __len__(self) -> int:
        return len(self.id)


@dataclass
class People(Columns):
    """Residents, one element each; `household` points into the city's households."""

    birth: Array
    sex: Array
    nationality: Array
    migration: Array
    household: Array
    arrived: Array


@dataclass
class Pupils(Columns):
    """Pupils of general schools at the beginning of a school year."""

    birth: Array
    sex: Array
    nationality: Array
    school: Array
    grade: Array
    german_at_home: Array
    special_needs: Array

    @property
    def is_outside(self) -> Array:
        return self.id >= OUTSIDE


@dataclass
class Events:
    """What happened, column by column; lists of arrays until they are asked for."""

    parts: dict[str, list[Array]] = field(default_factory=dict)

    def add(self, **columns: Array) -> None:
        for name, values in columns.items():
            self.parts.setdefault(name, []).append(np.asarray(values))

    def columns(self) -> dict[str, Array]:
        return {name: np.concatenate(parts) for name, parts in self.parts.items()}


@dataclass(frozen=True)
class Year:
    """One year of the city: who lives there on 31 December, and what happened before."""

    year: int
    people: People
    block: Array
    """The block side of every resident."""
    movements: dict[str, Array]
    pupils: Pupils
    school_events: dict[str, Array]


class City:
    """The simulation; `years()` runs it once, from its first year to its last."""

    def __init__(self, unit: Unit, districts: int, seed: int) -> None:
        self.unit = unit
        self.rng = np.random.default_rng([seed, 7])
        self.layout = _layout(np.random.default_rng([seed, 1]), districts)
        self._next_person = 1
        self._next_outside = OUTSIDE
        self._house_block = np.empty(0, dtype=np.int32)
        self._postponed = np.empty(0, dtype=np.int64)

    def years(self, first: int, last: int) -> Iterator[Year]:
        """Every year from `first` to `last`. The people of the year before `first` are made from counts."""
        people = self._settle(registered(self.unit, first - 1), first - 1)
        pupils = self._first_pupils(people, first - 1)
        for year in range(first, last + 1):
            people, movements = self._live(people, year)
            pupils, events = self._school(pupils, people, year)
            yield Year(year, people, self._house_block[people.household], movements, pupils, events)

    # --- people -----------------------------------------------------------------------------------

    def _settle(self, wanted: Array, year: int) -> People:
        """New residents, so many per age group, sex and nationality, in households of their own."""
        rng = self.rng
        group, sex, foreign = (np.repeat(axis, wanted.ravel()) for axis in _axes(wanted.shape))
        count = len(group)
        low = EDGES[group]
        width = np.array([high - low for low, high in AGES])[group]
        age = low + (rng.random(count) * width).astype(int)
        birth = day_number(year, 12, 31) - (age * 365.2425).astype(int) - rng.integers(0, 365, count)
        exact = age_at(birth, year, 12, 31)
        birth += np.where(exact > age, 3, 0) - np.where(exact < age, 3, 0)
        nationality = np.where(foreign == 1, rng.integers(1, len(NATIONALITIES), count), 0).astype(np.int16)
        migration = (foreign == 1) | (rng.random(count) < np.where(age < 18, 0.22, 0.11))
        people = People(
            np.arange(self._next_person, self._next_person + count), birth, sex.astype(np.int8), nationality,
            migration, np.zeros(count, dtype=np.int64), np.full(count, year, dtype=np.int16),
        )  # fmt: skip
        people.arrived -= np.minimum(rng.integers(0, 30, count), np.maximum(age, 0)).astype(np.int16)
        self._next_person += count
        self._form_households(people, age)
        return people

    def _form_households(self, people: People, age: Array) -> None:
        """Adults alone or in pairs, children with an adult of their own background where there is one."""
        rng = self.rng
        adult = age >= 18
        places = np.flatnonzero(adult)
        rng.shuffle(places)
        starts = rng.random(len(places)) < 0.72  # the others join the one before
        if len(starts):
            starts[0] = True
        household = np.cumsum(starts) - 1 + len(self._house_block)
        people.household[places] = household
        heads = places[starts]
        children = np.flatnonzero(~adult)
        if len(heads) == 0:  # children alone join households that are there already
            people.household[children] = rng.integers(0, max(len(self._house_block), 1), len(children))
            return
        parent = (age[heads] >= 24) & (age[heads] <= 52)
        for background in (0, 1):
            mine = children[(people.nationality[children] > 0) == bool(background)]
            fitting = heads[parent & ((people.nationality[heads] > 0) == bool(background))]
            if not len(fitting):
                fitting = heads
            people.household[mine] = people.household[rng.choice(fitting, len(mine))]
        self._house_block = np.concatenate(
            [self._house_block, self._find_homes(people.nationality[heads] > 0)]
        )

    def _find_homes(self, foreign: Array) -> Array:
        """A block side for every household; Stadtteile differ in who lives there."""
        layout, rng = self.layout, self.rng
        district = np.empty(len(foreign), dtype=np.int32)
        for flag, tilt in ((False, 0.35), (True, 1.9)):
            weights = layout.weights * (1 + (tilt - 1) * layout.need)
            mine = foreign == flag
            district[mine] = rng.choice(len(weights), mine.sum(), p=weights / weights.sum())
        return (
            layout.first_block[district] + rng.random(len(foreign)) * layout.block_count[district]
        ).astype(np.int32)

    def _live(self, people: People, year: int) -> tuple[People, dict[str, Array]]:
        """One year: deaths, births, departures, arrivals, moves; ends on the year's official counts."""
        rng, events = self.rng, Events()
        start = day_number(year, 1, 1)
        age = age_at(people.birth, year, 12, 31)
        arrivals, departures = self._official_moves(year)
        wanted = registered(self.unit, year)
        births = self.unit.births[year, "male"] + self.unit.births[year, "female"]
        # So many deaths that moves and births make up the official change of the population.
        deaths = len(people) + births + arrivals - departures - int(wanted.sum())
        risk = np.minimum(0.00025 * np.exp(0.088 * np.maximum(age - 30, 0)), 0.6)
        risk = risk * np.clip(deaths / risk.sum(), 0.4, 2.5) + (age > 104)
        dead = rng.random(len(people)) < risk
        self._note(events, "ST", people.take(dead), start + rng.integers(0, 365, dead.sum()))
        people = people.take(~dead)
        born = self._born(people, year, start)
        self._note(events, "GE", born, born.birth)
        people = people + born
        cell = _cell(people, year)
        have = np.bincount(cell, minlength=wanted.size)
        mobile = np.array([0.03] * 4 + [0.05] * 2 + [0.12] * 3 + [0.06] * 3 + [0.025] * 9)
        rate = np.repeat(mobile, 4) * np.tile([1.0, 1.8], wanted.size // 2)
        # Where there are more people than the official count, they leave anyway; the others by chance.
        leaving = np.maximum(have - wanted.ravel(), 0)
        others = have - leaving
        rate *= max(departures - leaving.sum(), 0) / (others * rate).sum()
        leaving += rng.binomial(others, np.minimum(rate, 0.5))
        coming = wanted.ravel() - (have - leaving)
        order = np.lexsort((rng.random(len(people)), cell))
        rank = np.empty(len(people), dtype=np.int64)
        rank[order] = np.arange(len(people)) - np.concatenate([[0], np.cumsum(have)])[cell[order]]
        leaves = rank < leaving[cell]
        days = start + rng.integers(0, 365, leaves.sum())
        self._note(events, "WE", people.take(leaves), np.maximum(days, people.birth[leaves]))
        people = people.take(~leaves)
        new = self._settle(coming.reshape(wanted.shape), year)
        new.arrived[:] = year
        self._note(events, "ZU", new, np.maximum(start + rng.integers(0, 365, len(new)), new.birth))
        people = people + new
        self._adopt(people, year)
        self._move(people, events, start)
        return people, events.columns()

    def _official_moves(self, year: int) -> tuple[int, int]:
        """Arrivals and departures across the city's border, as the official tables count them."""
        moves = [
            (str(n), c) for (y, table, n), c in self.unit.further.items() if (y, table) == (year, "12711")
        ]
        into, out = (sum(c for n, c in moves if n.startswith(way)) for way in ("in_", "out_"))
        return into, out

    def _born(self, people: People, year: int, start: int) -> People:
        rng = self.rng
        boys, girls = self.unit.births[year, "male"], self.unit.births[year, "female"]
        age = age_at(people.birth, year, 12, 31)
        mothers = np.flatnonzero((people.sex == 1) & (age >= 20) & (age <= 42))
        mother = rng.choice(mothers, boys + girls, replace=len(mothers) < boys + girls)
        german = (people.nationality[mother] == 0) | (rng.random(len(mother)) < 0.45)
        made = People(
            np.arange(self._next_person, self._next_person + len(mother)),
            start + rng.integers(0, 365, len(mother)),
            np.repeat([0, 1], [boys, girls]).astype(np.int8),
            np.where(german, 0, people.nationality[mother]).astype(np.int16),
            people.migration[mother].copy(),
            people.household[mother].copy(),
            np.full(len(mother), year, dtype=np.int16),
        )
        self._next_person += len(mother)
        return made

    def _adopt(self, people: People, year: int) -> None:
        """Children whose household has no adult left find another in the city."""
        adult = age_at(people.birth, year, 12, 31) >= 18
        has_adult = np.zeros(len(self._house_block), dtype=bool)
        has_adult[people.household[adult]] = True
        alone = np.flatnonzero(~has_adult[people.household])
        people.household[alone] = self.rng.choice(people.household[adult], len(alone))

    def _move(self, people: People, events: Events, start: int) -> None:
        """Some households change their block side."""
        rng = self.rng
        lived_in = np.unique(people.household)
        moving = lived_in[rng.random(len(lived_in)) < 0.06]
        foreign = np.zeros(len(self._house_block), dtype=bool)
        foreign[people.household[people.nationality > 0]] = True
        lived_at = self._house_block.copy()
        self._house_block[moving] = self._find_homes(foreign[moving])
        moves = np.zeros(len(self._house_block), dtype=bool)
        moves[moving] = True
        movers = people.take(moves[people.household])
        day_of = np.zeros(len(self._house_block), dtype=np.int64)
        day_of[moving] = start + rng.integers(0, 365, len(moving))
        days = np.maximum(day_of[movers.household], movers.birth)
        self._note(events, "UM", movers, days, lived_at[movers.household])

    def _note(
        self, events: Events, kind: str, people: People, days: Array, former_block: Array | None = None
    ) -> None:
        events.add(
            kind=np.full(len(people), kind), day=days, id=people.id, birth=people.birth, sex=people.sex,
            nationality=people.nationality, block=self._house_block[people.household],
            former_block=np.full(len(people), -1) if former_block is None else former_block,
        )  # fmt: skip

    # --- schools ----------------------------------------------------------------------------------

    def _first_pupils(self, people: People, year: int) -> Pupils:
        """Every resident of school age at a school, as if it had always been so."""
        age = age_at(people.birth, year, 8, 31)
        chosen = people.take((age >= 6) & (age < 19))
        empty = np.empty(0, dtype=np.int64)
        flags = empty.astype(bool)
        none = Pupils(empty, empty, empty, empty, empty, empty, flags, flags)
        pupils = self._enrol(none, chosen, year, Events())
        kind = self.layout.school_type[pupils.school]
        return pupils.take((pupils.grade <= 10) | np.isin(kind, (GRAMMAR, COMPREHENSIVE)))

    def _enrol(self, pupils: Pupils, people: People, year: int, events: Events) -> Pupils:
        """Put residents without a school into one: the primary school of their block, or by chance."""
        rng, layout = self.rng, self.layout
        age = age_at(people.birth, year, 8, 31)
        grade = np.where(np.isin(people.id, self._postponed), 1, np.clip(age - 5, 1, 13))
        block = self._house_block[people.household]
        need = layout.need[layout.block_district[block]]
        kind = np.where(grade <= 4, PRIMARY, self._choose_type(need))
        kind = np.where(rng.random(len(people)) < 0.025, SPECIAL, kind)
        school = np.where(kind == PRIMARY, layout.block_school[block], self._choose_school(kind))
        german = (people.nationality == 0) & (~people.migration | (rng.random(len(people)) < 0.6))
        new = Pupils(
            people.id, people.birth, people.sex, people.nationality, school, grade, german,
            (kind == SPECIAL) | (rng.random(len(people)) < 0.02),
        )  # fmt: skip
        self._tell(events, "EIN", new.take(grade == 1), day_number(year, 9, 1))
        return pupils + new

    def _choose_type(self, need: Array) -> Array:
        """The type of secondary school; need lowers the chance of a Gymnasium, never by decree."""
        draw = self.rng.random(len(need))
        grammar = 0.68 - 0.40 * need
        return np.select(
            [draw < grammar, draw < grammar + 0.12], [GRAMMAR, COMPREHENSIVE], default=SECONDARY_PLUS
        )

    def _choose_school(self, kind: Array) -> Array:
        school = np.zeros(len(kind), dtype=np.int64)
        for type_ in range(6):
            places = np.flatnonzero(self.layout.school_type == type_)
            mine = kind == type_
            school[mine] = self.rng.choice(places, mine.sum())
        return school

    def _school(self, pupils: Pupils, people: People, year: int) -> tuple[Pupils, dict[str, Array]]:
        """From one school year to the next: leave, transfer, repeat, enter; ends on the official totals."""
        rng, events, layout = self.rng, Events(), self.layout
        pupils = pupils.take(pupils.is_outside | np.isin(pupils.id, people.id))
        kind = layout.school_type[pupils.school]
        leaves = self._leave(pupils, kind, year, events)
        left = pupils.id[leaves]
        pupils, kind = pupils.take(~leaves), kind[~leaves]
        repeats = (rng.random(len(pupils)) < np.where(kind == PRIMARY, 0.008, 0.022)) & (pupils.grade > 1)
        repeats |= (kind != PRIMARY) & (pupils.grade >= _LAST_GRADE[kind])
        self._tell(events, "WDH", pupils.take(repeats), day_number(year, 9, 1))
        pupils.grade = pupils.grade + ~repeats
        transfers = (kind == PRIMARY) & (pupils.grade > 4)
        pupils.school = pupils.school.copy()
        if transfers.any():
            place = self._blocks_of(pupils.id[transfers], people)
            target = self._choose_type(layout.need[layout.block_district[place]])
            self._tell(events, "UEB", pupils.take(transfers), day_number(year, 9, 1), target=target)
            pupils.school[transfers] = self._choose_school(target)
        kind = layout.school_type[pupils.school]
        drops = (kind == GRAMMAR) & (pupils.grade < 10) & (rng.random(len(pupils)) < 0.012)
        pupils.school[drops] = self._choose_school(np.full(drops.sum(), SECONDARY_PLUS))
        age = age_at(people.birth, year, 8, 31)
        missing = people.take(
            (age >= 6) & (age < 16) & ~np.isin(people.id, pupils.id) & ~np.isin(people.id, left)
        )
        # Some children start a year later than they must.
        waits = (age_at(missing.birth, year, 8, 31) == 6) & (rng.random(len(missing)) < 0.05)
        pupils = self._enrol(pupils, missing.take(~waits), year, events)
        self._postponed = missing.id[waits]
        pupils = self._balance(pupils, year, events)
        return pupils, events.columns()

    def _blocks_of(self, ids: Array, people: People) -> Array:
        """Where pupils live; in-commuters are given a block by chance, for their choice of school only."""
        order = np.argsort(people.id)
        at = np.searchsorted(people.id[order], ids)
        at = np.minimum(at, len(order) - 1)
        found = people.id[order][at] == ids
        block = self._house_block[people.household[order][at]]
        return np.where(found, block, self.rng.integers(0, len(self.layout.block_sides), len(ids)))

    def _leave(self, pupils: Pupils, kind: Array, year: int, events: Events) -> Array:
        """Who leaves school this summer, and with what: as many as the official tables say, where there are so many."""
        result = np.full(len(pupils), "", dtype="U3")
        place = kind * 20 + pupils.grade
        for qualification, (code, likely) in _LIKELY.items():
            weight = np.zeros(len(_LAST_GRADE) * 20)
            for (kind_of, grade), value in likely.items():
                weight[kind_of * 20 + grade] = value
            # The smallest of waiting times: a draw without replacement, by weight.
            mine = np.flatnonzero((weight[place] > 0) & (result == ""))
            waiting = self.rng.exponential(size=len(mine)) / weight[place[mine]]
            result[mine[np.argsort(waiting)[: self.unit.leavers[year, code, "total"]]]] = qualification
        leaves = result != ""
        self._tell(events, "AUS", pupils.take(leaves), day_number(year, 8, 1), qualification=result[leaves])
        return leaves

    def _balance(self, pupils: Pupils, year: int, events: Events) -> Pupils:
        """In-commuters come and go until every type of school has its official numbers of Germans and foreigners."""
        rng, layout = self.rng, self.layout
        for type_, code in enumerate(GENERAL):
            abroad = self.unit.pupils[year, code, "foreign"]
            missing = [0, 0]
            for foreign, wanted in enumerate((self.unit.pupils[year, code, "total"] - abroad, abroad)):
                of_type = layout.school_type[pupils.school] == type_
                mine = np.flatnonzero(of_type & ((pupils.nationality > 0) == bool(foreign)))
                missing[foreign] = max(wanted - len(mine), 0)
                # Those from outside go first; then residents attend a school elsewhere.
                order = np.lexsort((rng.random(len(mine)), ~pupils.is_outside[mine]))
                keep = np.ones(len(pupils), dtype=bool)
                keep[mine[order[: max(len(mine) - wanted, 0)]]] = False
                pupils = pupils.take(keep)
            if sum(missing):
                mine = np.flatnonzero(layout.school_type[pupils.school] == type_)
                pupils = pupils + self._from_outside(pupils.take(mine), type_, code, missing, year)
        return pupils

    def _from_outside(self, mine: Pupils, type_: int, code: str, missing: list[int], year: int) -> Pupils:
        """New in-commuters of a type of school: so many Germans, so many foreigners."""
        rng, count = self.rng, sum(missing)
        low, high = {PRIMARY: (1, 4), SECONDARY_PLUS: (5, 10), SPECIAL: (1, 10), COLLEGE: (11, 13)}.get(
            type_, (5, 13)
        )
        grade = rng.integers(low, high + 1, count)
        school = self._choose_school(np.full(count, type_))
        age = grade + 5 + (rng.random(count) < 0.2) + (6 if type_ == COLLEGE else 0)
        women = self.unit.pupils[year, code, "female"] - int((mine.sex == 1).sum())
        sex = np.zeros(count, dtype=np.int8)
        sex[rng.permutation(count)[: np.clip(women, 0, count)]] = 1
        nationality = np.zeros(count, dtype=np.int16)
        nationality[missing[0] :] = rng.integers(1, len(NATIONALITIES), missing[1])
        made = Pupils(
            np.arange(self._next_outside, self._next_outside + count),
            day_number(year, 8, 31) - (age * 365.2425).astype(int) - rng.integers(1, 364, count),
            sex, nationality, school, grade, nationality == 0, np.full(count, type_ == SPECIAL),
        )  # fmt: skip
        self._next_outside += count
        return made

    def _tell(self, events: Events, kind: str, pupils: Pupils, day: int, **more: Array) -> None:
        count = len(pupils)
        events.add(
            kind=np.full(count, kind), day=np.full(count, day), id=pupils.id, birth=pupils.birth,
            sex=pupils.sex, nationality=pupils.nationality, school=pupils.school,
            qualification=more.get("qualification", np.full(count, "", dtype="U3")),
            target=more.get("target", np.full(count, -1)),
        )  # fmt: skip


def _axes(shape: tuple[int, ...]) -> list[Array]:
    return [axis.ravel() for axis in np.indices(shape)]


def _cell(people: People, year: int) -> Array:
    group = np.searchsorted(EDGES, age_at(people.birth, year, 12, 31), side="right") - 1
    return (group * 2 + people.sex) * 2 + (people.nationality > 0)


def _layout(rng: np.random.Generator, districts: int) -> Layout:
    weights = rng.dirichlet(np.full(districts, 3.0))
    need = np.clip(rng.beta(2, 3, districts), 0, 1)
    sides = np.rint(weights * 1800).astype(int) // 2 * 2 + 20
    block_sides, statistical, block_district, planning = [], [], [], []
    for district, count in enumerate(sides):
        parts = 1 + int(weights[district] * districts > 0.8) + int(weights[district] * districts > 1.5)
        for n in range(count):
            part = n * parts // count
            block_sides.append(f"{district + 1:02d}{part + 1:01d}{n // 2:03d}{'LR'[n % 2]}")
            statistical.append(f"{district + 1:02d}{part + 1}")
            planning.append(f"{district * min(10, districts) // districts + 1:02d}")
            block_district.append(district)
    primary = _SCHOOLS[PRIMARY]
    kinds = np.repeat(list(_SCHOOLS), list(_SCHOOLS.values()))
    district_of = np.array(block_district)
    school_district = np.concatenate(
        [np.arange(primary) * districts // primary, rng.integers(0, districts, len(kinds) - primary)]
    )
    return Layout(
        weights=weights,
        need=need,
        block_sides=block_sides,
        block_district=district_of,
        block_statistical=statistical,
        block_school=district_of * primary // districts,
        block_planning=planning,
        first_block=np.concatenate([[0], np.cumsum(sides)[:-1]]),
        block_count=sides,
        school_type=kinds,
        school_district=school_district,
    )
