"""The cheapest pattern of all, for small tables of two dimensions: one program for all needs together.

Belongs here: the exact search. Does not belong here: when it is asked, and what else a hidden cell needs (suppress).

Every sensitive cell has a move of its own, and a cell that any of them changes is hidden, a yes or no each. In
tables of two dimensions moves are circulations: whole by themselves, and nowhere larger than at the cell
they are for. That bounds them tightly enough for the search to end.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from expectations.disclosure.population import Bools, Floats, Ints
from expectations.disclosure.solver import solve

MOST_CELLS, MOST_TARGETS = 500, 20
"""Beyond so many cells or sensitive cells the search has no end that is worth waiting for."""

_NODES = 400
"""How far is searched; a bound of time would make the pattern depend on the machine."""


def cheapest_moves(
    rows: sp.csr_array,
    x: Ints,
    targets: Ints,
    steps: Ints,
    costs: Floats,
    free: Bools,
    fixed: Bools,
    room: Floats,
) -> list[tuple[Ints, Ints]] | None:
    """For every target a move of micro cells, so that what all of them together change costs least.

    `rows`: cells over micro cells; `steps`: how far each target must move; `free` cells are hidden anyway, `fixed` ones
    must not move; `room`: how far a cell may fall. None if the search did not end or an answer is not whole.
    """
    count, micro = rows.shape
    paid = np.flatnonzero(~free & ~fixed)
    blocks, low, high = [], [], []
    columns_low, columns_high = [], []
    for n, (target, step) in enumerate(zip(targets.tolist(), steps.tolist(), strict=True)):
        up = np.full(count, float(step))
        down = np.minimum(room, float(step))
        # A move changes a cell only if the cell is hidden.
        pad = [sp.csr_array((count, micro))] * n
        rest = [sp.csr_array((count, micro))] * (len(targets) - n - 1)
        slot = np.zeros(count)
        slot[paid] = 1.0
        hide = sp.csr_array(sp.diags_array(slot))[:, paid]
        blocks.append(sp.hstack([*pad, rows, *rest, -sp.diags_array(up) @ hide]))
        blocks.append(sp.hstack([*pad, rows, *rest, sp.diags_array(down) @ hide]))
        above = np.where(free, up, 0.0)
        below = np.where(free, -down, 0.0)
        above[target] = below[target] = float(step)
        low += [np.full(count, -np.inf), below]
        high += [above, np.full(count, np.inf)]
        columns_low.append(-np.minimum(x, step).astype(float))
        columns_high.append(np.full(micro, float(step)))
    moving = len(targets) * micro
    whole = np.arange(moving + len(paid)) >= moving
    answer = solve(
        np.concatenate([np.zeros(moving), costs[paid]]),
        sp.csr_array(sp.vstack(blocks, format="csr")),
        (np.concatenate(low), np.concatenate(high)),
        (
            np.concatenate([*columns_low, np.zeros(len(paid))]),
            np.concatenate([*columns_high, np.ones(len(paid))]),
        ),
        whole=whole,
        nodes=_NODES,
    )
    if answer.status != "optimal":
        return None
    moves = answer.x[:moving].reshape(len(targets), micro)
    steps_whole = np.round(moves).astype(np.int64)
    if not np.all(np.abs(moves - steps_whole) < 1e-6):
        return None
    return [(np.flatnonzero(move), move[np.flatnonzero(move)]) for move in steps_whole]
