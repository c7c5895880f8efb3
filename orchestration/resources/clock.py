"""The one clock of a night. SOURCE_DATE_EPOCH sets it, so that the same night gives the same bytes."""

from __future__ import annotations

import datetime as dt
import os


def now() -> dt.datetime:
    """The night's time in UTC, to the second.

    Raises ValueError if SOURCE_DATE_EPOCH (seconds since 1970) is set to something else.
    """
    fixed = os.environ.get("SOURCE_DATE_EPOCH")
    if fixed:
        return dt.datetime.fromtimestamp(int(fixed), dt.UTC)
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def stamp(moment: dt.datetime) -> str:
    """A moment as a sortable name: 20261124T010000Z."""
    return moment.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")
