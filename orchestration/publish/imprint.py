"""What every file for people and portals says of a release as a whole.

Belongs here: whose it is, of when, under which licence. Does not belong here: figures.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from orchestration.settings import Publishing


@dataclass(frozen=True)
class Imprint:
    """`code` and `city`: the municipality's key and name; `notice`: that figures are invented, if they are."""

    created: dt.datetime
    code: str
    city: str
    attribution: str
    licence: str
    notice: str | None
    publishing: Publishing
