"""Amounts, rounded and noisy figures: the other rules and the other methods under the same attacker."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from expectations.disclosure.declaration import Declaration, DeclarationError
from expectations.disclosure.protect import attack_told, protect
from expectations.disclosure.tables import figures
from tests.disclosure.cases import opened, told


def _declared(**table: Any) -> Declaration:
    return Declaration.model_validate({"tables": {"t": {"dimensions": ["area"], **table}}})


def _frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame({"area": ["A", "B", "C", "D", "Total"], **columns})


BUDGETS = _frame(
    value=[120.5, 80.0, 60.25, 90.0, 350.75],
    first=[100.0, 30.0, 20.0, 30.0, 100.0],
    second=[15.0, 25.0, 20.25, 30.0, 30.0],
)


@pytest.mark.parametrize(
    ("rule", "sensitive", "enough"),
    [
        # The largest has 83 percent of it: it must be possible that 100 is no more than 75 percent.
        ({"dominance": {"largest": ["first"], "percent": 75}}, ["A"], {"A": 133.34}),
        # The second, who knows its 15, is left with 105.5 - 15 - 100 = 5.5 between it and the largest; ten percent are 10.
        ({"p_percent": {"largest": "first", "second": "second", "percent": 10}}, ["A"], {"A": 125.0}),
        ({"request": "ask"}, ["C"], {"C": 60.27}),
    ],
)  # fmt: skip
def test_an_amount_of_few_is_hidden_and_may_be_as_much_as_its_rule_asks(
    rule: dict[str, Any], sensitive: list[str], enough: dict[str, float]
) -> None:
    declaration = _declared(decimals=2, rule=rule)
    frame = BUDGETS.assign(ask=[False, False, True, False, False])
    done = protect(declaration, {"t": figures("t", declaration.tables["t"], frame)})
    hidden = frame["area"][done.hidden["t"]].tolist()
    assert set(sensitive) < set(hidden)
    assert len(hidden) == 2
    proof = done.proof("t").set_index("cell")
    for cell, least in enough.items():
        assert proof.loc[cell, "primary"]
        assert proof.loc[cell, "upper"] >= least - 0.005
    assert proof["primary"].sum() == 1


def test_an_amount_of_more_decimals_than_declared_is_an_error() -> None:
    declaration = _declared(decimals=1)
    with pytest.raises(
        DeclarationError, match=r"row 4, column `value`: found 60\.25, expected a number of 1 decimals"
    ):
        figures("t", declaration.tables["t"], BUDGETS)


def test_parts_rounded_to_nought_under_a_total_rounded_up_are_both_one() -> None:
    frame = pd.DataFrame({"area": ["A", "B", "Total"], "value": [0, 0, 3]})
    declaration = _declared(rounded_to=3)
    leaks = opened(declaration, figures("t", declaration.tables["t"], frame))
    assert {o.label: (o.lower, o.upper) for o in leaks.values()} == {
        "t[A]": (1, 1), "t[B]": (1, 1), "t[Total]": (2, 2),
    }  # fmt: skip


def test_rounded_figures_that_leave_room_are_not_open() -> None:
    frame = pd.DataFrame({"area": ["A", "B", "Total"], "value": [0, 40, 40]})
    declaration = _declared(rounded_to=5)
    assert opened(declaration, figures("t", declaration.tables["t"], frame)) == {}


def test_noise_of_known_size_opens_where_sums_leave_no_room() -> None:
    """The handbook's attack in small: 4 told as at most 1 off, of parts told 1 and 1 as at most 1 off."""
    frame = pd.DataFrame({"area": ["A", "B", "Total"], "value": [1, 1, 5]})
    declaration = _declared(noise=1)
    leaks = opened(declaration, figures("t", declaration.tables["t"], frame))
    assert {(o.lower, o.upper) for o in leaks.values() if o.label != "t[Total]"} == {(2, 2)}


def test_tables_that_tell_two_numbers_of_one_cell_are_an_error() -> None:
    declaration = Declaration.model_validate(
        {"tables": {n: {"dimensions": ["area"]} for n in ("one", "two")}}
    )
    tables = {
        name: figures(
            name, declaration.tables[name], pd.DataFrame({"area": ["A", "B", "Total"], "value": values})
        )
        for name, values in (("one", [10, 20, 30]), ("two", [11, 19, 30]))
    }
    with pytest.raises(DeclarationError, match="they are the same cell"):
        attack_told(declaration, tables)
    with pytest.raises(DeclarationError, match="stands as 10 elsewhere"):
        protect(declaration, tables)


def test_the_truth_may_stand_in_another_order_than_what_is_told() -> None:
    declaration = _declared()
    frame = _frame(value=[2, 9, 30, 7, 48])
    true = figures("t", declaration.tables["t"], frame)
    done = protect(declaration, {"t": true})
    shown = told(true, done.hidden["t"])
    backwards = frame[::-1].reset_index(drop=True)
    _, attack = attack_told(
        declaration, {"t": shown}, {"t": figures("t", declaration.tables["t"], backwards)}
    )
    assert attack.opened == []
    bare = told(true, frame["area"].eq("A"))
    _, attack = attack_told(declaration, {"t": bare}, {"t": figures("t", declaration.tables["t"], backwards)})
    assert [o.label for o in attack.opened] == ["t[A]"]


@pytest.mark.parametrize(("absent", "opens"), [("unpublished", False), ("zero", True)])
def test_a_row_that_is_not_there_is_nobody_only_where_that_is_declared(absent: str, opens: bool) -> None:
    """Of area A only one kind has a row; its total is told. Whoever knows that no row means nobody has it."""
    declaration = Declaration.model_validate(
        {"tables": {"t": {"dimensions": ["area", "kind"], "absent": absent}}}
    )
    frame = pd.DataFrame(
        [("A", "x", None), ("B", "x", 20), ("B", "y", 30), ("A", "Total", 2), ("B", "Total", 50), ("Total", "Total", 52)],
        columns=["area", "kind", "value"],
    ).assign(status=["confidential", *["published"] * 5])  # fmt: skip
    leaks = opened(declaration, figures("t", declaration.tables["t"], frame))
    assert any(o.label == "t[A, x]" and (o.lower, o.upper) == (2, 2) for o in leaks.values()) == opens


def test_where_nobody_can_be_nobody_is_looked_for() -> None:
    """Without the structural zero the two hidden grades of primary schools could swap; with it they can't."""
    tables = {"t": {"dimensions": ["kind", "grade"]}}
    frame = pd.DataFrame(
        [("GS", "1", None), ("GS", "5", None), ("IGS", "1", None), ("IGS", "5", None), ("GS", "Total", 2), ("IGS", "Total", 60),
         ("Total", "1", 12), ("Total", "5", 50), ("Total", "Total", 62)],
        columns=["kind", "grade", "value"],
    ).assign(status=["confidential"] * 4 + ["published"] * 5)  # fmt: skip
    free = Declaration.model_validate({"tables": tables})
    bound = Declaration.model_validate(
        {"tables": tables, "structural_zeros": [{"kind": ["GS"], "grade": ["5"]}]}
    )
    assert "t[GS, 1]" not in {
        o.label for o in opened(free, figures("t", free.tables["t"], frame)).values() if o.lower
    }
    leaks = opened(bound, figures("t", bound.tables["t"], frame))
    assert (leaks["t[GS, 1]"].lower, leaks["t[GS, 1]"].upper) == (2, 2)
