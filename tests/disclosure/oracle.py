"""Brute force: every whole-number population that agrees with what is told, for small tables."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
from hypothesis import strategies as st

from expectations.disclosure.declaration import Declaration
from expectations.disclosure.knowledge import Knowledge
from expectations.disclosure.tables import Figures, figures

Ints = npt.NDArray[np.int64]


def populations(knowledge: Knowledge, total: int) -> Ints:
    """One row per population of `total` people (which must be told) that a reader can't rule out."""
    cells = knowledge.matrix.shape[1]
    # Where to put the bars between the micro cells: every way to share people out.
    bars = np.array(list(itertools.combinations(range(total + cells - 1), cells - 1)), dtype=np.int64)
    bars = bars.reshape(-1, cells - 1)
    edges = np.hstack([np.full((len(bars), 1), -1), bars, np.full((len(bars), 1), total + cells - 1)])
    every = np.diff(edges, axis=1) - 1
    sums = knowledge.matrix @ every.T
    near = 1e-9
    fits = np.all((sums >= knowledge.low[:, None] - near) & (sums <= knowledge.high[:, None] + near), axis=0)
    return every[fits]


@st.composite
def small_tables(draw: st.DrawFn) -> tuple[Declaration, dict[str, Figures], int]:
    """One to three linked tables of few people over two or three dimensions, with a rule and a zero policy."""
    shape = draw(st.sampled_from([(2, 2), (2, 3), (3, 2), (2, 2, 2), (3,), (5,), (4, 2)]))
    micro = int(np.prod(shape))
    counts = draw(
        st.lists(st.integers(0, 4), min_size=micro, max_size=micro).filter(lambda c: 1 <= sum(c) <= 9)
    )
    x = np.array(counts).reshape(shape)
    dims = [f"d{n}" for n in range(len(shape))]
    whole = draw(st.booleans()) or len(dims) < 3
    wanted = [tuple(dims)] if whole else [("d0", "d1"), ("d1", "d2"), ("d0", "d2")][: draw(st.integers(2, 3))]
    k = draw(st.integers(2, 4))
    zeros = draw(st.sampled_from(["open", "hideable"]))
    declaration = Declaration.model_validate({
        "tables": {
            "_".join(t): {"dimensions": list(t), "rule": {"frequency": k}, "zeros": zeros} for t in wanted
        }
    })  # fmt: skip
    tables = {
        "_".join(t): figures("_".join(t), declaration.tables["_".join(t)], cells_of(x, dims, t))
        for t in wanted
    }
    return declaration, tables, int(x.sum())


def cells_of(x: npt.NDArray[np.int64], dims: list[str], table: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    for codes in itertools.product(*([*range(x.shape[dims.index(d)]), None] for d in table)):
        place = dict(zip(table, codes, strict=True))
        at = tuple(slice(None) if place.get(d) is None else place[d] for d in dims)
        names = ["Total" if c is None else f"{d}{c}" for d, c in zip(table, codes, strict=True)]
        rows.append([*names, int(x[at].sum())])
    return pd.DataFrame(rows, columns=[*table, "value"])


def with_hidden(
    tables: Mapping[str, Figures], hidden: Mapping[str, npt.NDArray[np.bool_]]
) -> dict[str, Figures]:
    from dataclasses import replace

    return {name: replace(t, hidden=hidden[name]) for name, t in tables.items()}
