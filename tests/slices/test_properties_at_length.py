"""The properties again, with four times the examples of `make test`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.nights import PROJECT, environment

EXAMPLES = "60"


@pytest.mark.parametrize("place", ["tests/unit", "tests/disclosure"])
def test_more_examples_break_no_property(place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", place, "-m", "hypothesis", "-p", "no:cacheprovider"],
        cwd=PROJECT, env=environment(BILDUNGSMONITOR_EXAMPLES=EXAMPLES), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
