"""A long run says how far it is, and nothing else."""

from __future__ import annotations

import logging

import pytest

from expectations.disclosure import progress


def test_every_ten_seconds_a_line(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    clock = iter(range(0, 1000, 4))
    monkeypatch.setattr(progress.time, "monotonic", lambda: float(next(clock)))
    with caplog.at_level(logging.INFO, "bildungsmonitor"):
        assert list(progress.followed(["a", "b", "c", "d", "e", "f"], "attack | cells")) == list("abcdef")
    assert [record.getMessage() for record in caplog.records] == [
        "attack | cells | 2 of 6, 12 s",
        "attack | cells | 5 of 6, 24 s",
    ]


def test_a_short_run_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "bildungsmonitor"):
        assert list(progress.followed([1, 2], "protect")) == [1, 2]
    assert not caplog.records
