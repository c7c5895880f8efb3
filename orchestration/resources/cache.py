"""The user's cache folder: what every home of this user may share, and anybody may delete.

Belongs here: where it lies. Does not belong here: anything about figures; those stay in their home.
"""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder(name: str) -> Path | None:
    """`name` below the user's cache folder (XDG_CACHE_HOME, else ~/.cache), made if missing; None if it can't be."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        root = Path(base) if base else Path.home() / ".cache"
        folder = root / "bildungsmonitor" / name
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    return folder if os.access(folder, os.W_OK) else None
