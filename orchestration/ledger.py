"""The ledger: every count of a register that was ever published or hidden, in a release or otherwise. Nothing is ever taken out.

Belongs here: what is written down and read back. Does not belong here: what it lets a reader work out.
One file per release that told something new (`<release>.parquet`), one line per answer (`answers.jsonl`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from expectations.catalogue.base import TOTAL
from orchestration.resources.home import Home

COLUMNS = ["measure_id", "counted_period_end", "area_code", "delivery_id", "low", "high", "published"]
"""Of a count, beside its cells (a column per breakdown): the figure published, and from what to what a reader knows it to be.

All three are empty for a count that stands in a release as confidential."""


def told_before(home: Home, breakdowns: Iterable[str] = ()) -> pd.DataFrame:
    """One row per count, delivery it was counted from, and publication; the newest release last, answers after it.

    Of a breakdown that came later, what was published before it is the total.
    """
    parts = [_with_figures(pd.read_parquet(path)) for path in sorted(home.ledger.glob("*.parquet"))]
    if given := answers(home):
        # Whoever was given a count knows it; nothing of it is published.
        parts.append(pd.DataFrame([answer["count"] for answer in given]).assign(published=float("nan")))
    if not parts:
        return pd.DataFrame(columns=COLUMNS)
    together = pd.concat(parts, ignore_index=True)
    together["counted_period_end"] = pd.to_datetime(together["counted_period_end"]).astype("datetime64[us]")
    for name in breakdowns:
        together[name] = together[name].fillna(TOTAL) if name in together.columns else TOTAL
    return together


def _with_figures(told: pd.DataFrame) -> pd.DataFrame:
    """Figures for ledgers of earlier versions, which kept the bounds of rounded counts only."""
    if "published" in told.columns:
        return told
    return told.assign(published=((told["low"] + told["high"]) / 10).round() * 5)


def write_down(home: Home, release_id: str, told: pd.DataFrame) -> int:
    """Keep what a release tells (COLUMNS and cells, a row per count) that was not told so before; how many counts that are.

    Raises OSError; then nothing of it is kept.
    """
    keys = list(told.columns)
    before = told_before(home, [name for name in keys if name not in COLUMNS])
    told = told.assign(counted_period_end=told["counted_period_end"].astype("datetime64[us]"))
    if len(before):
        known = told.merge(before[keys].drop_duplicates(), on=keys, how="left", indicator=True)
        told = told[(known["_merge"] == "left_only").to_numpy()]
    if len(told):
        home.ledger.mkdir(parents=True, exist_ok=True)
        path = home.ledger / f"{release_id}.parquet"
        temporary = path.with_suffix(".part")
        told.to_parquet(temporary, index=False, compression="zstd")
        temporary.replace(path)
    return len(told)


def add_answer(home: Home, count: dict[str, Any], to: str, on: dt.date) -> None:
    """Write down a count given out otherwise: its key, cells, delivery and bounds as columns have them."""
    answer = {"to": to, "on": on.isoformat(), "count": count}
    home.ledger.mkdir(parents=True, exist_ok=True)
    with _answers_file(home).open("a", encoding="utf-8") as file:
        file.write(json.dumps(answer, ensure_ascii=False, sort_keys=True) + "\n")


def answers(home: Home) -> list[dict[str, Any]]:
    """Everything given out otherwise: to whom, on which day, and the count."""
    path = _answers_file(home)
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def _answers_file(home: Home) -> Path:
    return home.ledger / "answers.jsonl"
