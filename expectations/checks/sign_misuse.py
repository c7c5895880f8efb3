"""Sign misuse: does a sign of the source stand beside a number it can't belong to?

What: `.` (secret), `...` (later), `/` (too uncertain) and `x` (makes no sense) stand beside no number, `0` (less than half
a unit) and `-` (nothing there) beside nothing but zero, and `-` beside a zero only while the office collects the figure
and never where there is no value, as the legend calls it exactly zero.
When it matters: `-` means a true zero only where the office collects the figure and the area exists; read as 0
anywhere else it makes a rate of nought out of a question nobody asked.
How to resolve: see which reader turned the sign into a number; the sign column is right.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Indicator, Text
from expectations.checks.base import Found, Subject, found, known, prepared, row_check
from expectations.wording import said

WITHOUT_NUMBER = (".", "...", "/", "x", "*")


def _find(subject: Subject) -> Found:
    rows = known(subject)
    sign = rows["sign"].astype("object")
    misread = sign.isin(WITHOUT_NUMBER) | (sign.isin(["0", "-"]) & (rows["value"] != 0))
    for indicator in subject.indicators:
        dashes = (rows["indicator_id"] == indicator.id) & (sign == "-")
        if dashes.any() and indicator.numerator is not None:
            misread |= dashes & ~_is_collected(rows["end"], indicator, subject.catalogue)
    everything = prepared(subject)
    hollow = everything[(everything["sign"].astype("object") == "-") & everything["value"].isna()]
    wrong = pd.concat([rows[misread], hollow]).sort_index()
    return found(
        everything,
        wrong,
        lambda row: said(
            "{sign} neben {value}",
            "{sign} beside {value}",
            sign=str(row["sign"]),
            value=_in_words(row["value"]),
        ),
    )


def _in_words(value: float) -> Text:
    return (
        Text(de="keinem Wert", en="no value") if pd.isna(value) else said("{value}", "{value}", value=value)
    )


def _is_collected(ends: pd.Series, indicator: Indicator, catalogue: Catalogue) -> pd.Series:
    """Which periods lie within the time in which one of the tables behind the numerator has the figure."""
    assert indicator.numerator is not None
    result = pd.Series(False, index=ends.index)
    for _, part in indicator.numerator.parts():
        for source in catalogue.measures[part.measure].sources:
            for column in catalogue.tables[source.table].columns:
                if column.measure == source.measure:
                    within = pd.Series(True, index=ends.index)
                    if column.valid_from:
                        within &= ends >= pd.Timestamp(column.valid_from)
                    if column.valid_to:
                        within &= ends <= pd.Timestamp(column.valid_to)
                    result |= within
    return result


CHECK = row_check(
    "sign_misuse",
    _find,
    right=Text(de="kein Zeichen steht neben einer Zahl", en="no sign stands beside a number"),
    wrong=Text(de="Zeichen und Zahl passen nicht zusammen", en="sign and number do not go together"),
)
