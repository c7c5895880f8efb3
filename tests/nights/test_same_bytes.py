"""Another night on the same inputs and the same clock."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestration.settings import DEFAULT_CONFIG
from tests.support.nights import differing, run


def test_the_same_inputs_and_clock_give_the_same_bytes(night_home: Path, tmp_path: Path) -> None:
    """The whole sample, once with as many workers as there are processors, and once with one."""
    config = tmp_path / "city.yaml"
    facts = yaml.safe_load(DEFAULT_CONFIG.read_text(encoding="utf-8"))
    config.write_text(yaml.safe_dump({**facts, "workers": 1}, allow_unicode=True), encoding="utf-8")
    again = run("nightly", "--config", str(config), "--home", str(tmp_path / "var"), "--json")
    assert again.code == 0, again.err
    assert differing(tmp_path / "var", night_home) == []
