"""The verifier: are the witnesses what they claim to be? Whole-number arithmetic, no solver.

Belongs here: multiplication and comparison. Does not belong here: any search; it imports no solver and
neither the suppressor nor the attacker, so that it can be read in a minute and believed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from expectations.disclosure.knowledge import Knowledge

Ints = npt.NDArray[np.int64]


def unproved(
    knowledge: Knowledge,
    base: Ints,
    witnesses: Sequence[tuple[Ints, Ints]],
    targets: Sequence[tuple[int, int]],
) -> list[int]:
    """The targets (functional, how high it must be possible) that no valid witness proves.

    A witness is valid if it is whole, never negative, and agrees with everything told. Everything is
    multiplied at once, a column a witness.
    """
    columns = [np.full(len(cells), n) for n, (cells, _) in enumerate(witnesses)]
    moves = sp.csc_array(
        (
            np.concatenate([steps for _, steps in witnesses] or [np.zeros(0, dtype=np.int64)]).astype(float),
            (
                np.concatenate([cells for cells, _ in witnesses] or [np.zeros(0, dtype=np.int64)]),
                np.concatenate(columns or [np.zeros(0, dtype=np.int64)]),
            ),
        ),
        shape=(len(base), len(witnesses)),
    )
    sums = knowledge.matrix @ base
    slack = 1e-9 * np.maximum(np.abs(sums), 1)
    if np.any(base < 0) or np.any(sums < knowledge.low - slack) or np.any(sums > knowledge.high + slack):
        return [functional for functional, _ in targets]
    valid = np.ones(len(witnesses), dtype=bool)
    cells = sp.coo_array(moves)
    valid[cells.col[base[cells.row] + cells.data < 0]] = False
    changed = sp.coo_array(knowledge.matrix @ moves)
    now = sums[changed.row] + changed.data
    off = (now < knowledge.low[changed.row] - slack[changed.row]) | (
        now > knowledge.high[changed.row] + slack[changed.row]
    )
    valid[changed.col[off & (np.abs(changed.data) > 1e-9)]] = False
    highest = sums.copy()
    lowest = sums.copy()
    good = valid[changed.col]
    np.maximum.at(highest, changed.row[good], now[good])
    np.minimum.at(lowest, changed.row[good], now[good])
    return [f for f, at_least in targets if highest[f] < at_least - 1e-9 or highest[f] - lowest[f] < 1 - 1e-9]
