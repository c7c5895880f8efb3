"""Figures told otherwise than they are: rounded, small counts made none or enough, noise by cell key.

Belongs here: from true counts to told ones, and what a reader knows of a true count from a told one.
Does not belong here: what several figures tell together (attack).
"""

from __future__ import annotations

import csv
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure.declaration import DeclarationError
from expectations.disclosure.population import Bools, Floats, Ints

_MOVES = 20
"""So often all small counts are gone through for a better choice of those that are rounded up."""


def rounded(values: Ints, base: int | Ints) -> Ints:
    """The nearest multiples of `base`; halves go up."""
    return (2 * values + base) // (2 * base) * base


def known_of_rounded(told: Floats, base: int | Ints) -> tuple[Floats, Floats]:
    """The least and the most that counts told as these multiples can be."""
    return np.maximum(told - base // 2, 0), told + (base - 1) // 2


# --- small counts ------------------------------------------------------------------------------------------


def stays(values: Ints, before: Floats, base: Ints) -> Bools:
    """Which counts of a period that was delivered again keep the figure they were published with.

    A figure that followed every record would say what the record changed: 10 that becomes 15 was 12 and is 13. So it stays until the count is a whole base away. A figure of one base does not become 0, and 0 is left one later:
    that would say that there is nobody, or that there were as many as are few.
    """
    gap = np.abs(values - before)
    return np.asarray((gap < base) | ((np.minimum(values, before) == 0) & (gap <= base)))


def known_of_kept(before: Floats, base: Ints) -> tuple[Floats, Floats]:
    """The least and the most that counts can be of which the figures of an earlier delivery stay published."""
    low = np.where(before <= base, 0, before - base + 1)
    return low, np.where(before == 0, base, before + base - 1).astype(float)


def known_of_changed(values: Ints, before: Floats, base: Ints) -> tuple[Floats, Floats]:
    """What a reader knows of counts because their figures did not stay; infinite on the other side."""
    grown = values > before
    low = np.where(grown, before + base + (before == 0), 0)
    return low, np.where(grown, np.inf, before - base)


def small_counts_rounded(published: sp.csr_array, x: Ints, base: int) -> Ints:
    """Micro cells with small counts made 0 or `base`, so that no published sum is 1 to `base` - 1.

    `published`: the sums that are told, a row each over the micro cells `x`. Only those change of which a small published sum is made. Which go up is chosen so that the published
    sums stay near the true ones: one by one where it helps most, then exchanged while that helps, after Langsrud
    and Heldal, "An algorithm for small count rounding of tabular data" (2018).
    """
    z = x.copy()
    chosen = np.zeros(len(x), dtype=bool)
    transposed = sp.csr_array(published.T)
    length = np.asarray(transposed.sum(axis=1)).ravel()
    while True:
        sums = published @ z
        small = (sums > 0) & (sums < base)
        more = (transposed @ small.astype(np.int64) > 0) & (x > 0) & (x < base) & ~chosen
        if not more.any():
            return z
        chosen |= more
        cells = np.flatnonzero(chosen)
        z[cells] = 0
        off = (published @ (z - x)).astype(float)
        for _ in range(round(float(x[cells].sum()) / base)):
            # What rounding one up adds to the squared distances of all published sums.
            gain = np.where(
                z[cells] == 0, base * (2 * (transposed[cells] @ off) + base * length[cells]), np.inf
            )
            off += base * _column(transposed, cells[int(np.argmin(gain))], len(off))
            z[cells[int(np.argmin(gain))]] = base
        _exchanged(transposed, cells, z, off, length, base)


def _exchanged(
    transposed: sp.csr_array, cells: Ints, z: Ints, off: Floats, length: Floats, base: int
) -> None:
    """One rounded up against one rounded down, while the published sums come nearer."""
    for _ in range(_MOVES):
        better = False
        for up in cells[z[cells] > 0].tolist():
            without = off - base * _column(transposed, up, len(off))
            gain = np.where(
                (z[cells] == 0) | (cells == up),
                base * (2 * (transposed[cells] @ without) + base * length[cells]),
                np.inf,
            )
            other = int(cells[int(np.argmin(gain))])
            if gain.min() < gain[cells == up][0] - 1e-9:
                z[up], z[other] = 0, base
                off[:] = without + base * _column(transposed, other, len(off))
                better = True
        if not better:
            return


def _column(transposed: sp.csr_array, cell: int, size: int) -> Floats:
    column = np.zeros(size)
    at = slice(transposed.indptr[cell], transposed.indptr[cell + 1])
    column[transposed.indices[at]] = transposed.data[at]
    return column


def known_of_small_counts(told: Floats, micro: Ints, base: int) -> tuple[Floats, Floats]:
    """The least and the most that sums of so many micro cells can be, told with small ones rounded.

    A micro cell told as 0 is less than `base`, one told as `base` is 1 to `base`, a larger one is exact.
    """
    single = micro == 1
    away = np.where(single & (told > base), 0.0, (base - 1.0) * micro)
    low = np.maximum(told - away, np.ceil(told / base))
    return np.where(single & (told > base), told, low), np.where(single & (told == base), base, told + away)


# --- cell keys ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PTable:
    """Noise by true count and cell key. The largest count's row holds for all above it."""

    above: list[Floats]
    """By count: up to which key each noise holds."""
    noise: list[Ints]

    @classmethod
    def read(cls, path: Path) -> PTable:
        """A p-table as the packages of the field write it: `i;v;p_ij_ub`, other columns are left alone.

        Raises DeclarationError naming file, row, column, the value found and what was expected.
        """
        rows: dict[int, list[tuple[float, int]]] = {}
        try:
            lines = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines(), delimiter=";"))
        except (OSError, UnicodeDecodeError) as error:
            raise DeclarationError(f"{path}: can't be read: {error}") from error
        for n, line in enumerate(lines, start=2):
            for column in ("i", "v", "p_ij_ub"):
                try:
                    float(line[column])
                except (KeyError, TypeError, ValueError):
                    raise DeclarationError(
                        f"{path}, row {n}, column `{column}`: found {line.get(column)!r}, expected a number"
                    ) from None
            rows.setdefault(int(float(line["i"])), []).append((float(line["p_ij_ub"]), int(float(line["v"]))))
        if sorted(rows) != list(range(len(rows))) or not rows:
            raise DeclarationError(f"{path}: found counts {sorted(rows)}, expected 0, 1, 2 and so on")
        for count, entries in rows.items():
            entries.sort()
            if abs(entries[-1][0] - 1) > 1e-6:
                raise DeclarationError(
                    f"{path}: the last key of count {count} is {entries[-1][0]:g}, expected 1"
                )
            if min(v for _, v in entries) < -count:
                raise DeclarationError(f"{path}: count {count} would be told as less than 0")
        ordered = [rows[count] for count in sorted(rows)]
        return cls(
            [np.array([p for p, _ in r]) for r in ordered], [np.array([v for _, v in r]) for r in ordered]
        )

    def perturbed(self, values: Ints, keys: Floats) -> Ints:
        """Every count with the noise of its key."""
        told = values.copy()
        for n, (value, key) in enumerate(zip(values.tolist(), keys.tolist(), strict=True)):
            row = min(value, len(self.above) - 1)
            at = min(int(np.searchsorted(self.above[row], key, side="right")), len(self.noise[row]) - 1)
            told[n] += self.noise[row][at]
        return told

    def known(self, told: Floats) -> tuple[Floats, Floats]:
        """The least and the most that counts told so can be, for a reader who has the p-table."""
        last = len(self.noise) - 1
        ways: dict[int, list[int]] = {}
        for count, noise in enumerate(self.noise[:-1]):
            for v in noise.tolist():
                ways.setdefault(count + v, []).append(count)
        low, high = np.zeros(len(told)), np.zeros(len(told))
        for n, value in enumerate(told.astype(int).tolist()):
            counts = [
                *ways.get(value, []),
                *(value - v for v in self.noise[-1].tolist() if value - v >= last),
            ]
            if not counts:
                raise DeclarationError(f"found {value}, which no count is told as by the p-table")
            low[n], high[n] = min(counts), max(counts)
        return low, high


def record_keys(secret: bytes, population: str, records: Iterable[str]) -> Floats:
    """A key between 0 and 1 for every record: the same for the same record in every table and every night.

    Without the secret nobody can work it out. The cell key is the sum of its records' keys less what is before the point.
    """
    digests = (
        hmac.new(secret, f"{population}\0{record}".encode(), hashlib.sha256).digest() for record in records
    )
    return np.array([int.from_bytes(d[:6], "big") / 2**48 for d in digests])


def cell_key(keys: npt.NDArray[np.float64]) -> float:
    """The key of a cell from those of its records."""
    return float(np.sum(keys) % 1.0)


def distance(told: Floats, true: Floats, where: Bools) -> tuple[float, int]:
    """The mean and the largest distance of told figures from the true ones."""
    away = np.abs(told - true)[where]
    return (float(away.mean()), int(away.max())) if len(away) else (0.0, 0)
