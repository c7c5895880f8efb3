"""One night at a time writes below a home."""

from __future__ import annotations

from filelock import FileLock

from orchestration.resources.home import Home
from tests.support.nights import invoke


def test_two_nights_at_once_are_refused(bare_home: Home) -> None:
    with FileLock(bare_home.path / "night.lock"):
        done = invoke("nightly", "--home", str(bare_home.path))
    assert done.code == 1
    assert "another night is running" in done.err
