"""A stranger's reader: what somebody who has the files of a release, and a solver, can prove about few people.

    python -m tests.campaigns.stranger [RELEASE [BEFORE …]] [--least 5] [--least-of-city 3] [--exact 200]

RELEASE and BEFORE are folders of releases, BEFORE older ones of the same city, the oldest first; without any a night on the
embedded default makes one. Printed is every count that is proved to be somebody and fewer than `--least`, and how; exit code 1
if there is one. It shares no code with
expectations/disclosure and knows nothing of how figures are protected. What it knows stands in the release:

* the legend: counts of people are rounded to multiples of `rounded_to`, a rate has its numerator and denominator beside it;
* which figures are about the same people: series that agree wherever both are published;
* which parts make up a whole: cells and areas whose published counts add up wherever all are published, within rounding;
* a part is no larger than its whole (numerator and denominator of a share);
* what changed against an earlier release, if a single record was corrected in between;
* how a rate, a range, a change and a distance follow from the counts beside them: one that does not was made of others;
* every file says the same: each is read by itself, tables of a name nobody knows and hidden sheets too;
* texts: numbers of records, people and places that are in no table.

From these it draws the bounds of every count, over and over until none moves, and asks an exact solver where they are close.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import scipy.sparse as sp
from python_calamine import CalamineWorkbook
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


_MISPRINTS = 2
"""Two series are of the same people, though so many of their figures differ: somebody printed those of other counts."""

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
    is_rounded = figures["rounded_to"].fillna(1) > 1
    # Beside rounded figures of parts of the city, one that is said to be of no rounding is exact.
    of_registers = figures["indicator_id"].isin(figures.loc[is_rounded, "indicator_id"].unique())
    rounded = figures[is_rounded | (of_registers & figures["area_code"].str.contains("-", regex=False))]
    found = []
    for role in ("numerator", "denominator"):
        rows = rounded[[*KEYS, "indicator_id", "area_level", "rounded_to", role]].rename(
            columns={role: "figure"}
        )
        rows = rows.assign(series=rows["indicator_id"] + "/" + role)
        for series, of in rows.groupby("series"):
            if of["figure"].notna().sum() == 0:
                continue
            printed = of["figure"].dropna()
            usual = next(
                (b for b in (10, 5) if (printed % b == 0).mean() > 0.9 and b <= of["rounded_to"].max()), 0
            )
            if usual == 0:
                continue  # places, positions, euros: no people
            # A figure of another base is as exact as that base; one of none is exact.
            figure, own = of["figure"].to_numpy(dtype=float), of["rounded_to"].fillna(1).to_numpy(dtype=float)
            other = np.where(figure % own == 0, own, 1.0)
            base = np.where(np.isnan(figure) | ((figure % usual == 0) & (own > 1)), usual, other)
            # Half goes up; of a period that was delivered again a figure may be a whole base away.
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
        same = sum(a == b for a, b in both)
        if same >= 30 and len({a for a, _ in both}) >= 10 and len(both) - same <= _MISPRINTS:
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


def small_and_exact(frame: pd.DataFrame, city: str, least: int, where: str) -> Iterator[Leak]:
    """Counts of a table of figures, in any file, that are small and no multiple of the base beside them."""
    if not {"rounded_to", "area_code"} <= set(frame.columns):
        return
    inside = frame[frame["area_code"].astype(str).str.startswith(f"{city}-")]
    base = pd.to_numeric(inside["rounded_to"], errors="coerce")
    for column in ("numerator", "denominator", "value"):
        if column not in inside:
            continue
        figure = pd.to_numeric(inside[column], errors="coerce")
        is_count = inside["unit"].isin(_UNITS_OF_PEOPLE) if "unit" in inside and column == "value" else True
        small = figure.between(1, least - 1) & (figure % 1 == 0) & (base > least - 1) & is_count
        if column != "value" and small.any() and "indicator_id" in inside:
            # Numbers of places, groups and positions stand beside rounded counts: they are not rounded anywhere.
            rounded = (figure.dropna() % 5 == 0).groupby(inside["indicator_id"]).mean()
            small &= inside["indicator_id"].map(rounded) > 0.9
        for row in inside[small].itertuples():
            name = getattr(row, "indicator_id", "")
            yield Leak(f"{name}/{column} {row.area_code} in {where}", 1, least - 1, "in print")


def nearly_rounded(frame: pd.DataFrame, least: int, where: str) -> Iterator[Leak]:
    """Small numbers in a column whose others are all multiples of five."""
    for column in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
            continue
        figures = frame[column].dropna()
        small = figures[figures.between(1, least - 1)]
        if len(figures) >= 20 and len(small) and (figures % 5 == 0).mean() > 0.95 and figures.nunique() > 5:
            yield Leak(f"{column} in {where}", float(small.min()), float(small.max()), "in print")


def unknown(frame: pd.DataFrame, least: int, where: str) -> Iterator[Leak]:
    """Small whole numbers in a table that nobody documented, in rows that also have larger ones."""
    for column in frame.columns:
        figures = pd.to_numeric(frame[column], errors="coerce").dropna()
        small = figures[figures.between(1, least - 1) & (figures % 1 == 0)]
        if len(small):
            yield Leak(
                f"{column} in {where}", float(small.min()), float(small.max()), "in print where nobody looks"
            )
            return


def files(release: Path, city: str, least: int) -> Iterator[Leak]:
    """Every table of every file, by itself: Parquet, CSV in both languages, the mart and workbooks with hidden sheets."""
    package = release / "datapackage.json"
    named = json.loads(package.read_text(encoding="utf-8"))["resources"] if package.exists() else []
    documented = {Path(one["path"]).stem for one in named}
    known = (documented or {p.stem for p in release.glob("parquet/*.parquet")}) | {"changes", "verdicts"}
    for path in sorted([*release.glob("**/*.parquet"), *release.glob("csv*/*.csv")]):
        german = path.parent.name == "csv_de"
        if path.suffix == ".parquet":
            frame = pd.read_parquet(path)
        else:
            frame = pd.read_csv(
                path,
                sep=";" if german else ",",
                decimal="," if german else ".",
                low_memory=False,
                dtype={"area_code": str},
            )
        where = str(path.relative_to(release))
        if path.stem not in known:
            yield from unknown(frame, least, where)
        yield from small_and_exact(frame, city, least, where)
        if "rounded_to" not in frame:
            yield from nearly_rounded(frame, least, where)
    mart = release / "mart.duckdb"
    if mart.exists():
        with duckdb.connect(str(mart), read_only=True) as connection:
            names = connection.execute(
                "select table_schema || '.' || table_name, table_name from information_schema.tables"
            ).fetchall()
            for table, name in names:
                frame = connection.execute(f"select * from {table}").df()
                where = f"mart.duckdb, {name}"
                yield from small_and_exact(frame, city, least, where)
                if name not in known:
                    yield from unknown(frame, least, where)
    for path in sorted(release.glob("xlsx/*.xlsx")):
        yield from _workbook(path, city, least)


def _workbook(path: Path, city: str, least: int) -> Iterator[Leak]:
    """The sheets of a workbook: those with the head of a table of figures as such, any other with rows of numbers as unknown."""
    book = CalamineWorkbook.from_path(str(path))
    for name in book.sheet_names:
        rows = book.get_sheet_by_name(name).to_python()
        where = f"{path.name}, sheet {name}"
        head = next((n for n, row in enumerate(rows[:10]) if row and row[0] == "Schlüssel"), None)
        if head is None:
            if name != "Inhalt" and len(rows) > 1:
                yield from unknown(pd.DataFrame(rows[1:], columns=[str(c) for c in rows[0]]), least, where)
            continue
        frame = pd.DataFrame(rows[head + 1 :], columns=[str(c) for c in rows[head]])
        frame = frame[frame["Schlüssel"].astype(str).str.startswith(city)]
        if "gerundet auf" in frame:
            frame = frame.rename(
                columns={
                    "Schlüssel": "area_code",
                    "gerundet auf": "rounded_to",
                    "Zähler": "numerator",
                    "Nenner": "denominator",
                }
            )
            yield from small_and_exact(frame.assign(indicator_id=name), city, least, where)


def _tables_of_figures(release: Path) -> Iterator[tuple[str, pd.DataFrame]]:
    """Every Parquet file with counts and their base: any of them may print another figure of a cell."""
    for path in sorted(release.glob("parquet/*.parquet")):
        frame = pd.read_parquet(path)
        if {"indicator_id", "rounded_to", "numerator"} <= set(frame.columns):
            yield path.stem, frame


def _rates(figures: pd.DataFrame, indicators: pd.DataFrame, city: str) -> pd.DataFrame:
    """The rates of parts of the city that have their counts beside them, with `multiplier` and `decimals`."""
    facts = indicators.set_index("indicator_id")
    names = figures["indicator_id"].astype(str)
    chosen = (
        figures["area_code"].str.startswith(f"{city}-") & (figures["rounded_to"].fillna(1) > 1)
        & names.map(facts["kind"]).isin(["share", "rate", "ratio", "distribution"])
        & figures["numerator"].notna() & (figures["denominator"] > 0)
    )  # fmt: skip
    rates = figures[chosen]
    return rates.assign(
        multiplier=names[chosen].map(facts["multiplier"]), decimals=names[chosen].map(facts["decimals"])
    )


def made_of_counts(
    figures: pd.DataFrame, indicators: pd.DataFrame, release: Path, city: str, least: int, again: bool
) -> Iterator[Leak]:
    """Rates and ranges that do not follow from the counts beside them, in every table, and what they say then.

    `again`: counts may be a whole base off.
    """
    if not {"multiplier", "decimals"} <= set(indicators.columns):
        return
    for where, frame in _tables_of_figures(release):
        yield from _narrowed(_rates(frame, indicators, city), least, again, where)
    rates = _rates(figures, indicators, city)
    totals = rates[(rates[CELLS] == "total").all(axis=1)]
    for path in sorted(release.glob("parquet/pub_*.parquet")):
        side = pd.read_parquet(path)
        if "indicator_id" in side or not {"area_code", "period_label"} <= set(side.columns):
            continue
        for name in indicators["indicator_id"]:
            names = {name: "value", f"{name}_from": "value_from", f"{name}_to": "value_to"}
            columns = {c: w for c, w in names.items() if c in side.columns}
            if columns:
                other = side[["area_code", "period_label", *columns]].rename(columns=columns)
                own = totals[totals["indicator_id"] == name].drop(
                    columns=list(names.values()), errors="ignore"
                )
                both = own.merge(other, on=["area_code", "period_label"])
                yield from _narrowed(both, least, again, path.stem)


def _narrowed(rates: pd.DataFrame, least: int, again: bool, where: str) -> Iterator[Leak]:
    """Counts that a rate or a range says more of than their rounded figures do."""
    n, d, base = (rates[c].to_numpy(dtype=float) for c in ("numerator", "denominator", "rounded_to"))
    scale, unit = rates["multiplier"].to_numpy(dtype=float), 10.0 ** -rates["decimals"].to_numpy(dtype=float)
    off = base // 2
    value = rates["value"].to_numpy(dtype=float)
    surprising = ~np.isnan(value) & (
        (np.abs(value - scale * n / d) > 0.51 * unit) | (np.abs(value / unit - np.round(value / unit)) > 1e-6)
    )
    surprising &= ~((value == scale) & (n > d))
    if "value_from" in rates:
        low, high = (rates[c].to_numpy(dtype=float) for c in ("value_from", "value_to"))
        honest_low, honest_high = (
            scale * np.maximum(n - off, 0) / (d + off),
            np.minimum(scale * (n + off) / np.maximum(d - off, 1), scale),
        )
        surprising |= ~np.isnan(low) & ((low > honest_low + 1.01 * unit) | (high < honest_high - 1.01 * unit))
    else:
        low = high = np.full(len(rates), np.nan)
    for at in np.flatnonzero(surprising):
        room = int(base[at]) - 1 if again else int(base[at]) // 2
        above = np.arange(max(int(n[at]) - room, 0), int(n[at]) + room + 1)
        below = np.arange(max(int(d[at]) - room, 1), int(d[at]) + room + 1)
        rate = scale[at] * above[:, None] / below[None, :]
        digits = (
            next(k for k in range(16) if k == 15 or abs(value[at] * 10**k - round(value[at] * 10**k)) < 1e-6)
            if not np.isnan(value[at])
            else 0
        )
        half = 0.5 * 10.0 ** -max(digits, int(rates["decimals"].iloc[at])) + 1e-12
        fits = (
            np.abs(rate - value[at]) <= half
            if not np.isnan(value[at])
            else (rate >= low[at] - 1e-9) & (rate <= high[at] + 1e-9)
        )
        ways, parts = np.nonzero(fits)
        row = rates.iloc[at]
        for counted in (above[ways], below[parts]):
            if len(counted) and counted.min() >= 1 and counted.max() < least:
                yield Leak(
                    f"{row['indicator_id']} {row['area_code']} {row['period_end']} in {where}",
                    counted.min(),
                    counted.max(),
                    "a rate of other counts",
                )


def compared(figures: pd.DataFrame, indicators: pd.DataFrame, city: str, least: int) -> Iterator[Leak]:
    """Changes and distances that are not those of the figures in print: what they say of the counts behind them."""
    if not {"change_previous_year", "distance", "value_city"} <= set(figures.columns):
        return
    inside = figures[figures["area_code"].str.startswith(f"{city}-") & (figures["rounded_to"].fillna(1) > 1)]
    facts = indicators.set_index("indicator_id")
    unit = 10.0 ** -inside["indicator_id"].map(facts["decimals"]).astype(float)
    is_count = inside["indicator_id"].map(facts["kind"]).isin(["count", "sum"])
    year = pd.to_datetime(inside["period_end"]).dt.year
    before = inside.assign(year=year + 1)[["indicator_id", "area_code", *CELLS, "year", "value"]]
    both = inside.assign(year=year, unit_=unit, is_count=is_count).merge(
        before, on=["indicator_id", "area_code", *CELLS, "year"], suffixes=("", "_before")
    )
    off = (both["change_previous_year"] - (both["value"] - both["value_before"])).abs() > 1.01 * both["unit_"]
    for row in both[off].itertuples():
        name = f"{row.indicator_id} {row.area_code} {row.period_end}"
        if not row.is_count:
            yield Leak(name, 0, np.inf, "a change of other figures")
            continue
        room = int(row.rounded_to) // 2
        ways = [
            (now, then)
            for now in range(max(int(row.value) - room, 0), int(row.value) + room + 1)
            for then in range(max(int(row.value_before) - room, 0), int(row.value_before) + room + 1)
            if now - then == row.change_previous_year
        ]
        for counts_ in zip(*ways, strict=True):
            if min(counts_) >= 1 and max(counts_) < least:
                yield Leak(name, min(counts_), max(counts_), "a change of other figures")
    apart = inside["value"] - inside["value_city"]
    for row in inside[((inside["distance"] - apart).abs() > 1.01 * unit)].itertuples():
        yield Leak(
            f"{row.indicator_id} {row.area_code} {row.period_end}", 0, np.inf, "a distance of other figures"
        )


def states(figures: pd.DataFrame, told: pd.DataFrame) -> Iterator[Leak]:
    """Rates hidden for few people whose number stands as 0 elsewhere: somebody is there, and hardly anybody."""
    root = same_people(told)
    shown = told[told["figure"] == 0]
    nobody = set(zip(shown["series"].map(root), *(shown[k] for k in KEYS), strict=True))
    hidden = figures[
        (figures["status"] == "confidential")
        & figures["denominator"].isna()
        & (figures["rounded_to"].fillna(1) > 1)
    ]
    series = (hidden["indicator_id"] + "/denominator").map(lambda s: root.get(s, s))
    for row, key in zip(
        hidden.itertuples(), zip(series, *(hidden[k] for k in KEYS), strict=True), strict=True
    ):
        if key in nobody:
            yield Leak(
                f"{row.indicator_id}/denominator {row.area_code} {row.period_end}",
                1,
                row.rounded_to // 2,
                "status",
            )


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


_PLACE = re.compile(r"\b\d{5}-[A-Z]{1,2}\d+\b")
_FEW = re.compile(r"(?<![\w.,/−-])([1-4])(?![\w.,/%:]*\d|\s*%|\s*Mal|\w)")
"""A whole number from 1 to 4 that is no part of a date, a school year, a decimal or a percentage."""


def _numbers_of_places(text: str, figures: pd.DataFrame) -> Iterator[tuple[str, int]]:
    """Small numbers that a sentence says of a part of the city and that no figure of that part is."""
    places = list(_PLACE.finditer(text))
    for n, place in enumerate(places):
        end = places[n + 1].start() if n + 1 < len(places) else len(text)
        sentence = re.split(r"\.\s|;|\|\s*$", text[place.end() : end])[0]
        found = {int(number) for number in _FEW.findall(sentence)}
        if not found:
            continue
        own = figures[figures["area_code"] == place[0]]
        printed = {float(x) for c in ("value", "numerator", "denominator") for x in own[c].dropna()}
        yield from ((place[0], number) for number in sorted(found) if number not in printed)


def texts(release: Path, figures: pd.DataFrame, indicators: pd.DataFrame) -> Iterator[Leak]:
    """Numbers of records in sentences: verdicts, changes, pages."""
    verdicts = pd.read_parquet(release / "verdicts.parquet")
    counted = set(indicators.loc[indicators["kind"].isin(["count", "sum"]), "indicator_id"])
    for row in verdicts.itertuples():
        for text in (row.observed, row.message_de, row.message_en):
            for place, number in _numbers_of_places(str(text or ""), figures):
                yield Leak(f"{row.check} {row.scope}: {place}", number, number, f"text: {str(text)[:80]}")
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
    for column in ("value_before", "value_after"):
        if column in changes:
            small = pd.to_numeric(changes[column], errors="coerce").between(1, 4) & changes[
                "area_code"
            ].astype(str).str.contains("-")
            for row in changes[small].itertuples():
                rounded = figures.loc[figures["indicator_id"] == row.indicator_id, "rounded_to"].max() >= 5
                if rounded and float(getattr(row, column)) % 1 == 0 and row.indicator_id in counted:
                    yield Leak(f"{row.indicator_id} {row.area_code} in the changes", 1, 4, "in print")
    pages = [*release.glob("*.md"), *release.glob("quality/*.html")]
    for page in pages:
        for line in page.read_text(encoding="utf-8").splitlines():
            plain = re.sub(r"<[^>]+>", " ", line)
            for name, number in _numbers_of_places(plain, figures):
                yield Leak(f"{page.name}: {name}", number, number, f"text: {plain.strip()[:80]}")
            if (found := PEOPLE.search(plain)) and found[1]:
                yield Leak(page.name, 0, np.inf, f"text: {plain.strip()[:80]}")


def campaign(
    release: Path, before: Iterable[Path] = (), least: int = 5, exact: int = 200, least_of_city: int = 3
) -> list[Leak]:
    """Everything that opens. Of the whole city fewer are few than of its parts, as docs/confidentiality.md says."""
    figures, indicators, areas = read(release)
    city = str(areas.loc[areas["is_home"], "area_code"].iloc[0])
    before = list(before)
    told = counts(figures, again=bool(before))
    found = [
        *exact_counts(figures, indicators, city, least), *texts(release, figures, indicators), *files(release, city, least),
        *made_of_counts(figures, indicators, release, city, least, bool(before)), *states(figures, told),
    ]  # fmt: skip
    for _, frame in _tables_of_figures(release):
        found += compared(frame, indicators, city, least)
    size = asked = 0
    for sums in systems(told, areas):
        size, asked = size + len(sums.names), asked + len(sums.rows)
        found += (
            leak
            for leak in opened(sums, least, exact)
            if f" {city} " not in f"{leak.what} " or leak.high < least_of_city
        )
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
    parser.add_argument("--least-of-city", type=int, default=3)
    parser.add_argument("--exact", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        release = given.release
        if release is None:
            night = run("nightly", "--home", folder, "--json")
            assert night.code == 0, night.err
            release = Path(folder) / "releases" / "current"
        found = campaign(release, given.before, given.least, given.exact, given.least_of_city)
    for leak in found[:200]:
        print(leak)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
