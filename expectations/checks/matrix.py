"""Matrix: has the newest period every row that its areas and cells promise?

What: official levels: every area of the newest period has the same cells as the others of its level, and the period has every cell
that the one before had. A row may say why it has no value; it may not be absent.
When it matters: a missing row is read as "no data asked for"; a Land's block cut out of a file leaves no other trace.
How to resolve: see whether the file was cut; an office that gave up a cell for good is a declared change of the table.
"""

from __future__ import annotations

import pandas as pd

from expectations.catalogue.model import Text
from expectations.checks.base import (
    NEIGHBOURS_WITHIN_DAYS,
    Found,
    Subject,
    found,
    has_figure,
    is_official,
    one_number,
    prepared,
    row_check,
)  # fmt: skip
from expectations.wording import said

_WORDS = {
    "cells": lambda n: said("{n:Zelle fehlt|Zellen fehlen}", "{n:cell absent|cells absent}", n=n),
    "cell": lambda n: Text(de="Zelle nicht mehr da", en="cell no longer there"),
    "area": lambda n: Text(de="Gebiet nicht mehr da", en="area no longer there"),
}


def _find(subject: Subject) -> Found:
    rows = prepared(subject)
    rows = rows[is_official(rows)]
    rows = rows.assign(cells=one_number(rows, list(subject.names)), level=rows["area_level"].astype(str))
    keys = ["indicator_id", "level"]
    newest = rows["end"] == rows.groupby(keys, observed=True)["end"].transform("max")
    now = rows[newest]
    # Absent in some areas: every area should have as many cells as the fullest.
    widths = now.groupby([*keys, "area_code"], observed=True)["cells"].transform("nunique")
    full = widths.groupby([now[k] for k in keys], observed=True).transform("max")
    narrow = now[widths < full].drop_duplicates([*keys, "area_code"])
    narrow = narrow.assign(why="cells", absent=(full - widths)[narrow.index].astype(int))
    # Gone in all areas: every cell of the period before.
    earlier = rows[~newest]
    last = earlier["end"] == earlier.groupby(keys, observed=True)["end"].transform("max")
    until = now.groupby(keys, observed=True)["end"].max()
    ends = until.reindex(pd.MultiIndex.from_frame(earlier[keys].astype("object"))).to_numpy()
    last &= (ends - earlier["end"]) <= pd.Timedelta(days=NEIGHBOURS_WITHIN_DAYS)
    before = earlier[last & has_figure(earlier)].drop_duplicates([*keys, "cells"])
    there = now.drop_duplicates([*keys, "cells"])[[*keys, "cells"]].assign(there=True)
    lost = before.merge(there, on=[*keys, "cells"], how="left")
    lost = lost[lost["there"].isna()].drop(columns="there").assign(why="cell", absent=1)
    # Areas of the period before that have no row at all any more.
    last_rows = earlier[last]
    areas = last_rows.drop_duplicates([*keys, "area_code"])
    present = now.drop_duplicates([*keys, "area_code"])[[*keys, "area_code"]].assign(there=True)
    gone = areas.merge(present, on=[*keys, "area_code"], how="left")
    # Districts end; what had no value before is no loss.
    had = set(last_rows.loc[has_figure(last_rows), "area_code"].astype(str))
    ended = {area.code for reform in subject.catalogue.area_reforms.values() for area in reform.dissolved}
    gone = gone[gone["there"].isna() & gone["area_code"].astype(str).isin(had - ended)]
    gone = gone.drop(columns="there").assign(why="area", absent=1)
    wrong = pd.concat([narrow, lost, gone])
    return found(prepared(subject), wrong, lambda row: _WORDS[row["why"]](row["absent"]))


CHECK = row_check(
    "matrix",
    _find,
    right=Text(de="alle Gebiete haben alle Zellen", en="all areas have all cells"),
    wrong=Text(de="Zeilen fehlen ganz", en="rows are absent altogether"),
)
