"""What tonight's table would change of what readers have: the rows new, changed, withdrawn, and why.

Belongs here: the comparison itself, used by the checks and by every release's list of changes.
Does not belong here: whether a change may go out.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from expectations.catalogue.model import Indicator
from expectations.checks.base import Subject

_SAME = 1e-9

_FIGURE = ("value", "value_from", "value_to")
"""A figure is a value, or the two ends of the range it lies in."""


def changed_rows(subject: Subject) -> pd.DataFrame:
    """Rows whose figure is not what readers have, with `kind` (new, changed, withdrawn) and what it was (`…_before`).

    Nothing if nothing was told of the table before.
    """
    return subject.once("changed_rows", _compare)


def _compare(subject: Subject) -> pd.DataFrame:
    assert subject.frame is not None
    keys = ["indicator_id", "area_code", "period_start", "period_end", *subject.names]
    if subject.before is None or subject.before.rows is subject.frame:
        return subject.frame.iloc[:0].assign(
            kind="", status_before="", **{f"{name}_before": np.nan for name in _FIGURE}
        )
    return compare(subject.before.rows, subject.frame, keys)


def compare(
    before: pd.DataFrame, now: pd.DataFrame, keys: list[str], confidential: bool = False
) -> pd.DataFrame:
    """Two states of one table. A breakdown the older one did not know counts as `total` there.

    Without `confidential`, a figure of the city's own records that is or was confidential is no change that anybody may read: naming it would say
    where something small changed. What an office hides itself is one.
    """
    before = before.copy()
    for name in keys:
        if name not in before.columns:
            before[name] = "total"
    shown = [*keys, *_FIGURE, "status", "period_label", "rounded_to"]
    left, right = (
        f.reindex(columns=shown).assign(**{n: pd.to_datetime(f[n]) for n in ("period_start", "period_end")})
        for f in (now, before)
    )
    # Most rows are what they were: only the others are joined.
    marks = [pd.util.hash_pandas_object(f[[*keys, *_FIGURE, "status"]], index=False) for f in (left, right)]
    left = left[~marks[0].isin(marks[1]).to_numpy()]
    right = right[~marks[1].isin(marks[0]).to_numpy()]
    texts = [k for k in keys if not k.startswith("period_")]
    left, right = (
        f.astype(dict.fromkeys([*texts, "status", "period_label"], "object")) for f in (left, right)
    )
    both = left.merge(right, on=keys, how="outer", suffixes=("", "_before"), indicator=True)
    told = both[[f"{name}_before" for name in _FIGURE]].notna().any(axis=1)
    has = both[list(_FIGURE)].notna().any(axis=1)
    differs = pd.Series(False, index=both.index)
    for name in _FIGURE:
        value, earlier = both[name], both[f"{name}_before"]
        is_same = (value - earlier).abs() <= _SAME * (1 + earlier.abs())
        differs |= ~(is_same | (value.isna() & earlier.isna()))
    kind = np.select(
        [has & ~told, told & ~has, told & has & differs], ["new", "withdrawn", "changed"], default=""
    )
    both["period_label"] = both["period_label"].fillna(both["period_label_before"])
    both["kind"] = kind
    is_confidential = pd.Series(False, index=both.index)
    for side in ("", "_before"):
        is_confidential |= (both[f"status{side}"] == "confidential") & both[f"rounded_to{side}"].notna()
    both = both.drop(columns=["rounded_to", "rounded_to_before"])
    return (
        both[(both["kind"] != "") & (confidential | ~is_confidential)]
        .drop(columns=["_merge", "period_label_before"])
        .reset_index(drop=True)
    )


def explained_by(subject: Subject, indicator: Indicator) -> str | None:
    """Why figures of an indicator may be others than readers have; None if nobody said so."""
    before = subject.before
    if before is None or indicator.id not in before.definitions:
        return "definition: not told before"
    if before.definitions[indicator.id] != subject.catalogue.definition_hash(indicator):
        return "definition: declared anew"
    sources = sorted(subject.catalogue.origins_of(indicator) & before.delivered)
    return f"source: {', '.join(sources)}" if sources else None


def unexplained(subject: Subject, changes: pd.DataFrame) -> pd.Series:
    """Which changed rows nobody declared: neither a new declaration nor a source that may change that period.

    A row is explained by a source of its own formula: where registers serve an indicator inside the city, an official
    table explains no change there. What an official table may change is judged cell by cell (check revision). A register may
    change as many of the newest published periods of its own rows as it declares (`revises_periods`).
    """
    result = pd.Series(False, index=changes.index)
    for indicator in subject.indicators:
        mine = changes["indicator_id"] == indicator.id
        if not mine.any() or (explained_by(subject, indicator) or "").startswith("definition"):
            continue
        assert subject.before is not None
        published = subject.before.rows
        is_published = published.reindex(columns=list(_FIGURE)).notna().any(axis=1)
        published = published[(published["indicator_id"] == indicator.id) & is_published]
        was_inside = _inside(subject, indicator, published)
        inside = _inside(subject, indicator, changes)
        catalogue = subject.catalogue
        for origins, changed, before in (
            (catalogue.origins_inside(indicator), mine & inside, published[was_inside]),
            (catalogue.origins_outside(indicator), mine & ~inside, published[~was_inside]),
        ):
            delivered = origins & subject.before.delivered
            if not delivered:
                result |= changed
            elif delivered <= set(catalogue.registers):
                ends = sorted(pd.to_datetime(before["period_end"]).unique(), reverse=True)
                periods = max(catalogue.registers[name].revises_periods for name in delivered)
                result |= changed & ~changes["period_end"].isin(ends[:periods])
    return result


def _inside(subject: Subject, indicator: Indicator, rows: pd.DataFrame) -> pd.Series:
    """Which rows the indicator's formula for areas inside the city serves."""
    if indicator.local is None:
        return pd.Series(False, index=rows.index)
    assert subject.frame is not None
    assert subject.before is not None
    known = [frame[["area_code", "area_level"]] for frame in (subject.frame, subject.before.rows)]
    levels = pd.concat(known).drop_duplicates("area_code").set_index("area_code")["area_level"].astype(object)
    return rows["area_code"].map(levels).isin(indicator.local.levels)
