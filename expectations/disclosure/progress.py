"""How far a long run is: a line in the log every ten seconds.

Belongs here: counting what is done. Does not belong here: where the log goes (the command line).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

LOG = logging.getLogger("bildungsmonitor")
SECONDS = 10.0

Item = TypeVar("Item")


def followed(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items in their order. Every ten seconds the log says how many of them are done, and nothing of what they are."""
    started = said = time.monotonic()
    for done, item in enumerate(items):
        if (now := time.monotonic()) - said >= SECONDS:
            said = now
            LOG.info("%s | %s of %s, %.0f s", what, f"{done:,}", f"{len(items):,}", now - started)
        yield item
