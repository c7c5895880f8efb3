"""Official rate: does a rate the office computed agree with our own of its parts?

What: every declared pair of an office's rate and the parts it is made of, for all areas and periods that have both, within the declared
tolerance; grave at home, or where more than two percent of the pairs disagree.
When it matters: a reader who knows the office's rate must find it; a disagreement means other parts or another year.
How to resolve: compare reference days and populations; correct the formula, or widen the tolerance with a reason.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.checks.base import Check, Subject, Words, both
from expectations.verdict import Status, Verdict
from expectations.wording import listed, said

_WORDS = Words("official_rate")

_TOLERATED = 0.02


def _scopes(catalogue: Catalogue, table: str) -> list[str]:
    return sorted(r.id for r in catalogue.published_rates.values() if r.table == table)


def _run(subject: Subject, scope: str) -> Verdict:
    declared = subject.catalogue.published_rates[scope]
    rates, above, below = (
        _values(subject, name) for name in (declared.rate, declared.numerator, declared.denominator)
    )
    if rates.empty:
        return _WORDS.without_values(subject, scope, told=subject.is_told(measure=declared.rate))
    if declared.alignment == "previous_year_end":
        below = below.rename(index=lambda year: year + 1, level="year")
    joined = pd.DataFrame({"rate": rates, "above": above, "below": below}).dropna()
    joined = joined[joined["below"] > 0]
    own = joined["above"] / joined["below"] * declared.scale
    room = declared.percent / 100 * joined["rate"].abs() + declared.absolute
    off = joined.assign(own=own)[(joined["rate"] - own).abs() > room]
    expected = f"a difference up to {declared.percent:g} % + {declared.absolute:g}"
    if joined.empty:
        return _WORDS.say(
            subject, scope, Status.PASS, observed="nothing to compare", expected=expected,
            de=f"{declared.title.de}: nichts zu vergleichen.", en=f"{declared.title.en}: nothing to compare.",
        )  # fmt: skip
    at_home = off.index.get_level_values("area_code") == subject.home_area
    if off.empty:
        return _WORDS.say(
            subject, scope, Status.PASS, observed=f"{len(joined)} agree", expected=expected,
            **both("{title}: {n:amtliche Quote stimmt mit ihren|amtliche Quoten stimmen mit ihren} Teilen überein.",
                   "{title}: {n:official rate agrees with its|official rates agree with their} parts.", title=declared.title, n=len(joined)),
        )  # fmt: skip
    grave = at_home.any() or len(off) > _TOLERATED * len(joined)
    first = off[at_home] if at_home.any() else off
    shown = listed([
        said("{area}, {year}: {rate} / {own}", "{area}, {year}: {rate} / {own}",
             area=r["area_code"], year=str(r["year"]), rate=float(r["rate"]), own=float(r["own"]))
        for r in first.head(4).reset_index().to_dict("records")
    ])  # fmt: skip
    return _WORDS.say(
        subject, scope, Status.FAIL if grave else Status.WARN, observed=f"{len(off)} of {len(joined)}: {shown.en}", expected=expected,
        **both("{title}: {off} von {n} amtlichen Quoten ergeben sich nicht aus ihren Teilen: {rates}.",
               "{title}: {off} of {n} official rates do not follow from their parts: {rates}.",
               title=declared.title, off=len(off), n=len(joined), rates=shown),
    )  # fmt: skip


def _values(subject: Subject, measure: str) -> pd.Series:
    """The undivided values of a measure by area and year."""
    rows = subject.rated
    rows = rows[rows["measure_id"] == measure]
    for name in subject.names:
        rows = rows[rows[name] == "total"]
    rows = rows[rows["value"].notna()]
    year = pd.to_datetime(rows["period_end"]).dt.year
    found = pd.Series(
        rows["value"].to_numpy(dtype=float),
        index=pd.MultiIndex.from_arrays([rows["area_code"].astype(str), year], names=["area_code", "year"]),
    )
    return found[~found.index.duplicated()]


CHECK = Check("official_rate", _scopes, _run)
