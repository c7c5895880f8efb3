"""The list of traps is true: its tests exist, its rules stand where it says, the page shows it."""

from __future__ import annotations

import pytest

from tests.campaigns.traps import Trap, is_caught, page, traps
from tests.support.nights import PROJECT


@pytest.mark.parametrize("trap", traps(), ids=lambda t: t.id)
def test_rule_and_test_are_where_the_list_says(trap: Trap) -> None:
    assert (PROJECT / trap.file).read_text(encoding="utf-8").count(trap.find) == 1
    file, name = trap.test.split("::")
    assert f"def {name}(" in (PROJECT / file).read_text(encoding="utf-8")


def test_the_page_shows_the_list() -> None:
    assert (PROJECT / "docs" / "traps.md").read_text(encoding="utf-8") == page()
    assert len({trap.id for trap in traps()}) == len(traps())


def test_a_rule_taken_out_turns_its_test_red() -> None:
    """A slice of the campaign: one rule; all of them with `python -m tests.campaigns.traps`."""
    (one,) = [trap for trap in traps() if trap.id == "keys_are_text"]
    assert is_caught(one)
