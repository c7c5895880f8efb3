"""Another night on the same inputs and the same clock."""

from __future__ import annotations

from pathlib import Path

from tests.support.nights import contents, run


def test_the_same_inputs_and_clock_give_the_same_bytes(night_home: Path, tmp_path: Path) -> None:
    again = run("nightly", "--home", str(tmp_path / "var"), "--json")
    assert again.code == 0, again.err
    assert contents(tmp_path / "var") == contents(night_home)
