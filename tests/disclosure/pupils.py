"""A seeded city of pupils, and its tables: for tests and benchmarks of confidentiality.

24,000 pupils by area of residence (31 in six social areas), type of school (eight, two groups beside the
primary schools), grade (twelve in three stages) and sex. Some types have no such grade: structural zeros.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from expectations.disclosure.declaration import Declaration
from expectations.disclosure.tables import Figures, figures

AREAS = {f"S{s + 1}": [f"ST{n + 1:02d}" for n in range(31) if n % 6 == s] for s in range(6)}
TYPES = {"SEK": ["RSP", "GYM", "IGS", "HS"], "SONST": ["FOE", "WAL", "INT"]}
PRIMARY = "GS"
GRADES = {"K1-4": ["1", "2", "3", "4"], "K5-10": ["5", "6", "7", "8", "9", "10"], "K11-12": ["11", "12"]}
HIERARCHIES = {"area": AREAS, "type": TYPES, "grade": GRADES}
LEAVES = {
    "area": sorted(c for parts in AREAS.values() for c in parts),
    "type": [PRIMARY, *TYPES["SEK"], *TYPES["SONST"]],
    "grade": [g for parts in GRADES.values() for g in parts],
    "sex": ["m", "w"],
}
_SHARE = {
    "GS": 0.36,
    "RSP": 0.17,
    "GYM": 0.26,
    "IGS": 0.12,
    "HS": 0.01,
    "FOE": 0.045,
    "WAL": 0.02,
    "INT": 0.015,
}
NOBODY: list[dict[str, list[str]]] = [
    {"type": ["GS"], "grade": ["K5-10", "K11-12"]},
    {"type": ["SEK"], "grade": ["K1-4"]},
    {"type": ["RSP", "HS", "FOE"], "grade": ["K11-12"]},
]


def pupils(seed: int = 1, count: int = 24_000) -> pd.DataFrame:
    """The finest counts: one row per area, type, grade and sex that somebody can be in."""
    rng = np.random.default_rng(seed)
    size = rng.gamma(1.3, 1.0, len(LEAVES["area"]))
    rows = list(itertools.product(*LEAVES.values()))
    frame = pd.DataFrame(rows, columns=list(LEAVES))
    grade = frame["grade"].astype(int)
    kind = frame["type"]
    none = (
        (kind.eq("GS") & (grade > 4)) | (kind.isin(TYPES["SEK"]) & (grade < 5)) | (kind.isin(["RSP", "HS", "FOE"]) & (grade > 10))
    )  # fmt: skip
    weight = frame["area"].map(dict(zip(LEAVES["area"], size, strict=True))) * kind.map(_SHARE)
    weight *= np.where(kind.isin(["WAL", "INT"]), 1 / 12, np.where(kind.eq("GS"), 1 / 4, 1 / 7))
    weight *= rng.gamma(4.0, 0.25, len(frame)) * np.where(kind.eq("FOE") & frame["sex"].eq("m"), 1.6, 1.0)
    weight[none] = 0
    frame["value"] = rng.multinomial(count, weight / weight.sum())
    return frame


NATIONALITY = {"nationality": ["A", "D"]}


def by_nationality(finest: pd.DataFrame, seed: int = 3) -> pd.DataFrame:
    """The finest counts divided by nationality, a sixth of the pupils foreign: the fifth dimension of the largest table."""
    rng = np.random.default_rng(seed)
    foreign = rng.binomial(finest["value"], rng.beta(2, 10, len(finest)))
    parts = [
        finest.assign(nationality="A", value=foreign),
        finest.assign(nationality="D", value=finest["value"] - foreign),
    ]
    return pd.concat(parts, ignore_index=True)


def declaration(*tables: tuple[str, ...], k: int = 3, zeros: str = "open", **more: object) -> Declaration:
    """Tables named `area_type` and so on, after their dimensions."""
    return Declaration.model_validate({
        "population": "pupils",
        "dimensions": {name: {"hierarchy": parts} for name, parts in HIERARCHIES.items()},
        "structural_zeros": NOBODY,
        "tables": {
            "_".join(dims): {"dimensions": list(dims), "rule": {"frequency": k}, "zeros": zeros, **more}
            for dims in tables
        },
    })  # fmt: skip


def table(declared: Declaration, name: str, finest: pd.DataFrame) -> Figures:
    """A declared table with all its totals, counted from the finest counts."""
    dimensions = list(declared.tables[name].dimensions)
    frame = finest
    for dimension in dimensions:
        leaves = {**LEAVES, **NATIONALITY}[dimension]
        up = [(leaf, leaf) for leaf in leaves] + [(leaf, "Total") for leaf in leaves]
        up += [(leaf, code) for code, parts in HIERARCHIES.get(dimension, {}).items() for leaf in parts]
        paths = pd.DataFrame(up, columns=[dimension, "code"])
        frame = frame.merge(paths, on=dimension).drop(columns=dimension).rename(columns={"code": dimension})
    frame = frame.groupby(dimensions, as_index=False, sort=True)["value"].sum()
    return figures(name, declared.tables[name], frame)
