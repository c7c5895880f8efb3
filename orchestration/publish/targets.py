"""Bring every configured database to the release that the files serve.

Belongs here: which database, in which order, what became of it. Does not belong here: how one is loaded (database.py).
The files are first and lead: a database that could not be reached keeps what it serves and is brought along by the next night, or
by `release verify --repair`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from orchestration.publish.release import ReleaseStore
from orchestration.resources.home import Home
from orchestration.settings import Audience, Settings


@dataclass(frozen=True)
class State:
    """A database by its address without password, the release it should serve, and why it does not."""

    name: str
    release: str
    error: str | None = None


def bring_up_to_date(home: Home, settings: Settings, moment: dt.datetime) -> list[State]:
    """One state per database. Nothing is raised for one of them: the others are served all the same."""
    from orchestration.publish.database import Target, TargetError

    states = []
    for number, declared in enumerate(settings.publication.databases, start=1):
        name = f"databases {number}"
        store = ReleaseStore.of(home, declared.audience)
        served = store.current()
        if served is None:
            continue
        try:
            with Target(declared) as target:
                name = target.name
                target.serve(served, moment, store.spans(), settings.publication.rest_seconds)
            states.append(State(name, served.id))
        except TargetError as error:
            states.append(State(name, served.id, str(error)))
    return states


def forget(home: Home, settings: Settings, release_id: str, audience: Audience) -> list[State]:
    """Destroy a release's rows in every database for its readers: one state per database, with `error` where that failed."""
    from orchestration.publish.database import Target, TargetError

    states = []
    for number, declared in enumerate(settings.publication.databases, start=1):
        if declared.audience != audience:
            continue
        name = f"databases {number}"
        try:
            with Target(declared) as target:
                name = target.name
                target.forget(release_id)
            states.append(State(name, release_id))
        except TargetError as error:
            states.append(State(name, release_id, str(error)))
    return states
