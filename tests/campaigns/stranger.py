"""A stranger's reader: what somebody who has the files of a release, and a solver, can prove about few people.

    python -m tests.campaigns.stranger [RELEASE [BEFORE …]] [--least 5] [--exact 200]

RELEASE and BEFORE are folders of releases, BEFORE older ones of the same city, the oldest first; without any a night on the
embedded default makes one. Printed is every count that is proved to be somebody and fewer than `--least`, and how; exit code 1
if there is one. It shares no code with
expectations/disclosure and knows nothing of how figures are protected. What it knows stands in the release:

* the legend: counts of people are rounded to multiples of `rounded_to`, a rate has its numerator and denominator beside it;
* which figures are about the same people: series that agree wherever both are published;
* which parts make up a whole: cells and areas whose published counts add up wherever all are published, within rounding;
* a part is no larger than its whole (numerator and denominator of a share);
* what changed against an earlier release, if a single record was corrected in between;
* texts: numbers of records, people and names of places that are in no table.

From these it draws the bounds of every count, over and over until none moves, and asks an exact solver where they are close.
"""

from __future__ import annotations

import argparse
import itertools
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
from scipy.optimize import Bounds, LinearConstraint, milp

from tests.support.nights import run

CELLS = ["sex", "nationality", "age_group", "school_type", "qualification", "care_type", "grade", "category"]
KEYS = ["period_end", "area_code", *CELLS]
PEOPLE = re.compile(
    r"(\d[\d.,]*)\s+(?:von|of)\s+(\d[\d.,]*)\s+(?:Datensätze\w*|records|Sätze\w*|Personen|persons|people|pupils|Kinder\w*|children)"
    r"|\((\d+)\)[.;,]?\s*$",
    re.IGNORECASE,
)
"""How a text counts records: 105 of 1405 records; a place with its number behind it."""


ENDLESS = 1e7
"""More people than there are in any city: a bound for what nothing bounds."""


@dataclass(frozen=True)
class Leak:
    """One count that is proved to be from `low` to `high`, and by what."""

    what: str
    low: float
    high: float
    how: str

    def __str__(self) -> str:
        return f"{self.what}: {self.low:g} to {self.high:g} ({self.how})"


@dataclass
class Sums:
    """Counts of one series and period: bounds, and which of them make up which."""

    names: list[str]
    low: np.ndarray
    high: np.ndarray
    rows: list[tuple[int, list[int]]] = field(default_factory=list)
    """A whole and its parts, as positions."""
    _where: dict[int, list[int]] = field(default_factory=dict)

    def narrow(self) -> None:
        """Bounds of wholes from their parts and of parts from their wholes, until none moves."""
        wholes = np.array([whole for whole, _ in self.rows])
        row = np.repeat(np.arange(len(self.rows)), [len(parts) for _, parts in self.rows])
        part = np.concatenate([parts for _, parts in self.rows])
        for _ in range(50):
            before = (self.low.copy(), self.high.copy())
            low, high = (np.bincount(row, bound[part], len(wholes)) for bound in before)
            np.maximum.at(self.low, wholes, low)
            np.minimum.at(self.high, wholes, high)
            np.maximum.at(self.low, part, self.low[wholes][row] - (high[row] - before[1][part]))
            np.minimum.at(self.high, part, self.high[wholes][row] - (low[row] - before[0][part]))
            if np.array_equal(before[0], self.low) and np.array_equal(before[1], self.high):
                return

    def least_of(self, position: int, most_sums: int = 60) -> float:
        """The least that a count can be in whole numbers, for all that the sums around it say."""
        chosen: list[int] = []
        reached, fresh = {position}, {position}
        while fresh and len(chosen) < most_sums:
            near = [n for n in sorted({n for at in fresh for n in self._sums_of(at)}) if n not in chosen]
            chosen += near[: most_sums - len(chosen)]
            members = {at for n in near for at in (self.rows[n][0], *self.rows[n][1])}
            fresh, reached = members - reached, reached | members
        columns = sorted({at for n in chosen for at in (self.rows[n][0], *self.rows[n][1])})
        place = {at: n for n, at in enumerate(columns)}
        matrix = sp.lil_array((len(chosen), len(columns)))
        for n, (whole, parts) in enumerate(self.rows[m] for m in chosen):
            matrix[n, place[whole]] = -1
            for part in parts:
                matrix[n, place[part]] += 1
        cost = np.zeros(len(columns))
        cost[place[position]] = 1
        found = milp(
            cost, integrality=np.ones(len(columns)), bounds=Bounds(self.low[columns], self.high[columns]),
            constraints=LinearConstraint(sp.csr_array(matrix), 0, 0), options={"time_limit": 5},
        )  # fmt: skip
        return float(np.round(found.fun)) if found.status == 0 else float(self.low[position])

    def _sums_of(self, position: int) -> list[int]:
        """The sums that a count stands in."""
        if not self._where:
            for n, (whole, parts) in enumerate(self.rows):
                for at in (whole, *parts):
                    self._where.setdefault(at, []).append(n)
        return self._where.get(position, [])


def read(release: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All figures of a release, its indicators and its areas; from the same files that everybody downloads."""
    tables = [
        pd.read_parquet(release / "parquet" / f"{name}.parquet")
        for name in ("indicator_value", "indicator", "area")
    ]
    return tables[0], tables[1], tables[2]


def counts(figures: pd.DataFrame, again: bool = False) -> pd.DataFrame:
    """One row per published numerator or denominator of people: `series`, KEYS, `low`, `high`, `figure`.

    `again`: their periods may have been delivered several times.
    """
    rounded = figures[figures["rounded_to"].fillna(1) > 1]
    found = []
    for role in ("numerator", "denominator"):
        rows = rounded[[*KEYS, "indicator_id", "area_level", "rounded_to", role]].rename(
            columns={role: "figure"}
        )
        rows = rows.assign(series=rows["indicator_id"] + "/" + role)
        for series, of in rows.groupby("series"):
            if of["figure"].notna().sum() == 0:
                continue
            base = next(
                (
                    b
                    for b in (10, 5)
                    if (of["figure"].dropna() % b == 0).all() and b <= of["rounded_to"].max()
                ),
                0,
            )
            if base == 0:
                continue  # places, positions, euros: no people
            # Half goes up; of a period that was delivered again a figure may be a whole base away.
            figure = of["figure"].to_numpy(dtype=float)
            low = figure - (base - 1 + (figure == base) if again else base // 2)
            high = figure + (base - 1 + (figure == 0) if again else (base - 1) // 2)
            found.append(of.assign(series=series, base=base, low=np.maximum(low, 0), high=high))
    nothing = pd.DataFrame(
        columns=["series", *KEYS, "area_level", "base", "low", "high", "figure", "rounded_to"]
    )
    return pd.concat(found or [nothing], ignore_index=True).drop(columns="rounded_to")


def same_people(told: pd.DataFrame) -> dict[str, str]:
    """By series the one it is the same as: they agree wherever both are published, often enough to be no chance."""
    known = told[told["figure"].notna()]
    name = {series: series for series in sorted(told["series"].unique())}
    figures = {
        s: dict(
            zip(
                pd.util.hash_pandas_object(rows[KEYS], index=False).tolist(),
                rows["figure"].tolist(),
                strict=True,
            )
        )
        for s, rows in known.groupby("series")
    }
    for one, other in itertools.combinations(sorted(figures), 2):
        few, many = sorted((figures[one], figures[other]), key=len)
        both = [(value, many[key]) for key, value in few.items() if key in many]
        if len(both) >= 30 and len({a for a, _ in both}) >= 10 and all(a == b for a, b in both):
            root = name[one]
            name = {s: root if r == name[other] else r for s, r in name.items()}
    return name


def systems(told: pd.DataFrame, areas: pd.DataFrame) -> Iterator[Sums]:
    """Every series and period as a system of sums."""
    city = areas.loc[areas["is_home"], "area_code"].iloc[0]
    told = told.assign(series=told["series"].map(same_people(told)))
    for series, rows in told.groupby("series"):
        # One figure may stand in several tables: it is the tightest of them.
        one = rows.groupby([*KEYS, "area_level"], as_index=False, observed=True).agg(
            low=("low", "max"), high=("high", "min"), figure=("figure", "max"), base=("base", "max")
        )
        one["low"], one["high"] = one["low"].fillna(0.0), one["high"].fillna(ENDLESS)
        wholes = list(_wholes(one, str(city)))
        for period, at in one.groupby("period_end").indices.items():
            place = {int(row): n for n, row in enumerate(at)}
            names = [
                f"{series} {str(period)[:10]} {r.area_code} " + " ".join(c for c in r[5:] if c != "total")
                for r in one.iloc[at][["low", "high", "figure", "base", "area_code", *CELLS]].itertuples(
                    index=False
                )
            ]
            sums = Sums(names, one["low"].to_numpy(float)[at].copy(), one["high"].to_numpy(float)[at].copy())
            sums.rows = [(place[w], [place[p] for p in parts]) for w, parts in wholes if w in place]
            if sums.rows:
                yield sums


def _wholes(one: pd.DataFrame, city: str) -> Iterator[tuple[int, list[int]]]:
    """Rows that are the sum of others: of all cells of a breakdown, of all areas of a level."""
    frame = one.reset_index(names="row")
    for name in CELLS:
        others = [k for k in [*KEYS] if k != name]
        cells = sorted(set(frame[name]) - {"total"})
        for parts in _partitions(name, cells):
            yield from _checked(frame, frame[name] == "total", frame[name].isin(parts), others, len(parts))
    others = ["period_end", *CELLS]
    for level in sorted(set(frame["area_level"]) - {"district"}):
        inside = (frame["area_level"] == level) & frame["area_code"].str.startswith(city + "-")
        yield from _checked(frame, frame["area_code"] == city, inside, others, None)


def _partitions(name: str, cells: list[str]) -> list[list[str]]:
    """Sets of cells that may make up a total: all of them, or for ages every chain of spans without a gap."""
    if name != "age_group":
        return [cells] if cells else []
    spans = {
        c: (int(m[1]), int(m[2] or 999)) for c in cells if (m := re.fullmatch(r"ALT(\d{3})(?:B(\d+)|UM)", c))
    }
    found: list[list[str]] = []

    def follow(chain: list[str], end: int) -> None:
        if end >= 18 and len(chain) > 1:
            found.append(chain)
        for cell, (low, high) in spans.items():
            if low == end and len(found) < 20:
                follow([*chain, cell], high)

    for cell, (low, high) in spans.items():
        if low == 0:
            follow([cell], high)
    return found


def _checked(
    frame: pd.DataFrame, is_whole: pd.Series, is_part: pd.Series, keys: list[str], number: int | None
) -> Iterator[tuple[int, list[int]]]:
    """The sums of a kind, if they hold within rounding wherever all of their figures are published."""
    wholes = frame[is_whole].set_index(keys)["row"]
    found: list[tuple[int, list[int]]] = []
    holds = broken = 0
    for key, parts in frame[is_part].groupby(keys, observed=True):
        if key not in wholes.index:
            continue
        whole = wholes.loc[key]
        if not np.isscalar(whole) or (number is not None and len(parts) != number):
            continue
        figures, total = parts["figure"], frame["figure"].iloc[int(whole)]
        if figures.notna().all() and not np.isnan(total):
            room = (len(parts) + 1) * frame["base"].iloc[int(whole)] / 2
            if abs(figures.sum() - total) <= room:
                holds += 1
            else:
                broken += 1
        found.append((int(whole), parts["row"].astype(int).tolist()))
    if broken == 0 and holds >= 3:
        yield from found


def opened(sums: Sums, least: int, exact: int) -> Iterator[Leak]:
    """The counts of a system that are proved to be somebody and fewer than `least`."""
    sums.narrow()
    proved = (sums.low >= 1) & (sums.high < least)
    for n in np.flatnonzero(proved):
        yield Leak(sums.names[n], sums.low[n], sums.high[n], "sums")
    # Surely few, and next to a sum that is nearly used up: those are worth the solver's time.
    in_sums = np.zeros(len(sums.names), dtype=bool)
    slack = np.full(len(sums.names), np.inf)
    for whole, parts in sums.rows:
        in_sums[[whole, *parts]] = True
        room = sums.high[parts].sum() - sums.low[whole]
        slack[parts] = np.minimum(slack[parts], room - sums.high[parts])
    close = np.flatnonzero(~proved & in_sums & (sums.high < least) & (sums.low == 0))
    for n in close[np.argsort(slack[close], kind="stable")][:exact]:
        if slack[n] > 2 * least:
            break
        if (low := sums.least_of(int(n))) >= 1:
            yield Leak(sums.names[n], low, sums.high[n], "solver")


def exact_counts(figures: pd.DataFrame, indicators: pd.DataFrame, city: str, least: int) -> Iterator[Leak]:
    """Counts inside the city that are printed unrounded and small, whatever their unit is called."""
    inside = figures[figures["area_code"].str.startswith(f"{city}-")]
    personal = indicators["availability_de"].str.contains("Register", na=False)
    inside = inside[inside["indicator_id"].isin(indicators.loc[personal, "indicator_id"])]
    kinds = indicators.set_index("indicator_id")["kind"]
    inside = inside[inside["indicator_id"].map(kinds).isin(["difference", "count", "sum"])]
    for column in ("numerator", "denominator", "value"):
        small = inside[inside[column].abs().between(1, least - 1) & inside["unit"].isin(_UNITS_OF_PEOPLE)]
        for row in small.itertuples():
            yield Leak(
                f"{row.indicator_id}/{column} {row.area_code} {row.period_end}",
                getattr(row, column),
                getattr(row, column),
                "in print",
            )


_UNITS_OF_PEOPLE = {
    "persons",
    "events",
    "households",
    "cases",
    "enrolments",
    "answers",
    "contracts",
    "examinations",
    "places",
}


def between(before: pd.DataFrame, after: pd.DataFrame, least: int) -> Iterator[Leak]:
    """Counts that a correction of one record tells: figures of neighbouring multiples, and figures that come and go."""
    told, now = counts(before), counts(after)
    keys = ["series", *KEYS]
    both = told.merge(now, on=keys, suffixes=("_before", ""))
    moved = both[
        both["figure"].notna() & both["figure_before"].notna() & (both["figure"] != both["figure_before"])
    ]
    for row in moved.itertuples():
        edge = max(row.figure, row.figure_before) - row.base / 2  # one record more or less crossed it
        one, other = np.floor(edge), np.floor(edge) + 1
        if abs(row.figure - row.figure_before) == row.base and 1 <= one < least:
            yield Leak(f"{row.series} {row.area_code} {row.period_end}", one, other, "corrected")
    shown = both["figure"].notna() != both["figure_before"].notna()
    for row in both[shown].itertuples():
        yield Leak(f"{row.series} {row.area_code} {row.period_end}", 0, np.inf, "appeared or vanished")


def texts(release: Path) -> Iterator[Leak]:
    """Numbers of records in sentences: verdicts, changes, pages."""
    verdicts = pd.read_parquet(release / "verdicts.parquet")
    of_registers = verdicts["check"].isin(
        ["unmatched_places", "shrunken_register", "register_arrival", "reconciliation", "city_sums"]
    )
    for row in verdicts[of_registers].itertuples():
        for text in (row.observed, row.message_de, row.message_en):
            if text and PEOPLE.search(str(text)):
                yield Leak(f"{row.check} {row.scope}", 0, np.inf, f"text: {text[:80]}")
                break
    changes = pd.read_parquet(release / "changes.parquet")
    for column in ("status_before", "status_after"):
        named = changes[(changes[column] == "confidential") & changes["cells"].notna()]
        for row in named.itertuples():
            yield Leak(
                f"{row.indicator_id} {row.area_code} {row.cells}",
                0,
                np.inf,
                "confidential and named in the changes",
            )
    pages = [*release.glob("*.md"), *release.glob("quality/*.html")]
    for page in pages:
        for line in page.read_text(encoding="utf-8").splitlines():
            plain = re.sub(r"<[^>]+>", " ", line)
            if (found := PEOPLE.search(plain)) and found[1]:
                yield Leak(page.name, 0, np.inf, f"text: {plain.strip()[:80]}")


def campaign(release: Path, before: Iterable[Path] = (), least: int = 5, exact: int = 200) -> list[Leak]:
    """Everything that opens."""
    figures, indicators, areas = read(release)
    city = str(areas.loc[areas["is_home"], "area_code"].iloc[0])
    found = [*exact_counts(figures, indicators, city, least), *texts(release)]
    before = list(before)
    told = counts(figures, again=bool(before))
    size = asked = 0
    for sums in systems(told, areas):
        size, asked = size + len(sums.names), asked + len(sums.rows)
        found += opened(sums, least, exact)
    chain = [*before, release]
    for one, other in itertools.pairwise(chain):
        found += between(read(one)[0], read(other)[0], least)
    print(f"{len(told):,} published counts, {size:,} in {asked:,} sums; {len(found)} opened")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("release", type=Path, nargs="?")
    parser.add_argument("before", type=Path, nargs="*")
    parser.add_argument("--least", type=int, default=5)
    parser.add_argument("--exact", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        release = given.release
        if release is None:
            night = run("nightly", "--home", folder, "--json")
            assert night.code == 0, night.err
            release = Path(folder) / "releases" / "current"
        found = campaign(release, given.before, given.least, given.exact)
    for leak in found[:200]:
        print(leak)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
