"""Planted leaks: each is a way that a small count gets out beside a hidden cell. All must open, and be closed by us."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from expectations.disclosure.declaration import Declaration
from expectations.disclosure.protect import UnprovedError, protect
from expectations.disclosure.tables import Figures, figures, protected_frame
from tests.disclosure.cases import opened, told


def _declared(tables: dict[str, Any], hierarchies: dict[str, Any] | None = None) -> Declaration:
    return Declaration.model_validate({
        "dimensions": {d: {"hierarchy": h} for d, h in (hierarchies or {}).items()}, "tables": tables,
    })  # fmt: skip


def _read(declaration: Declaration, **frames: pd.DataFrame) -> dict[str, Figures]:
    return {name: figures(name, declaration.tables[name], frame) for name, frame in frames.items()}


def _is_closed_by_us(declaration: Declaration, tables: dict[str, Figures]) -> bool:
    done = protect(declaration, tables)
    return not opened(declaration, *(told(t, t.hidden) for t in done.told.values()))


def _areas(**counts: int) -> pd.DataFrame:
    return pd.DataFrame({"area": list(counts), "value": list(counts.values())})


def test_two_releases_that_differ_by_one_pupil() -> None:
    declaration = _declared({
        "october": {"dimensions": ["area"], "snapshot": "october", "frozen": True},
        "november": {"dimensions": ["area"], "snapshot": "november", "follows": "october"},
    })  # fmt: skip
    tables = _read(
        declaration, october=_areas(A=40, B=30, C=25, Total=95), november=_areas(A=41, B=30, C=35, Total=106)
    )
    (leak,) = opened(declaration, *tables.values()).values()
    assert (leak.label, leak.lower, leak.upper) == ("november[A] - october[A]", 1, 1)
    assert _is_closed_by_us(declaration, tables)


def test_a_total_changed_by_a_late_pupil() -> None:
    """All parts are hidden; the totals of the two releases tell on the one who came."""
    declaration = _declared({
        "october": {"dimensions": ["area"], "snapshot": "october", "frozen": True},
        "november": {"dimensions": ["area"], "snapshot": "november", "follows": "october"},
    })  # fmt: skip
    tables = _read(declaration, october=_areas(Total=10), november=_areas(Total=11))
    assert [o.lower for o in opened(declaration, *tables.values()).values()] == [1]
    assert _is_closed_by_us(declaration, tables)


def test_a_quarter_against_a_school_district_with_a_small_overlap() -> None:
    cuts = {
        "Süd": ["Süd within", "sliver"],
        "district": ["Süd within"],
        "Total": ["Süd within", "sliver", "Nord"],
    }
    declaration = _declared(
        {"quarters": {"dimensions": ["area"]}, "districts": {"dimensions": ["area"]}}, {"area": cuts}
    )
    tables = _read(declaration, quarters=_areas(Süd=52, Nord=80), districts=_areas(district=50))
    (leak,) = opened(declaration, *tables.values()).values()
    assert (leak.lower, leak.upper) == (2, 2)
    assert "sliver" in leak.label
    assert _is_closed_by_us(declaration, tables)


def test_a_rate_of_one_decimal_beside_its_hidden_numerator() -> None:
    declaration = _declared({
        "pupils": {"dimensions": ["area", "nationality"]},
        "foreign_percent": {"dimensions": ["area"], "rate": {"numerator": {"nationality": "foreign"}}},
    })  # fmt: skip
    counts = pd.DataFrame(
        [("A", "foreign", 2), ("A", "german", 58), ("A", "Total", 60), ("B", "foreign", 12), ("B", "german", 48), ("B", "Total", 60),
         ("Total", "foreign", 14), ("Total", "german", 106), ("Total", "Total", 120)],
        columns=["area", "nationality", "value"],
    )  # fmt: skip
    rates = pd.DataFrame({"area": ["A", "B", "Total"], "value": [3.3, 20.0, 11.7]})
    tables = _read(declaration, pupils=counts, foreign_percent=rates)
    by_area = counts["area"].isin(["A", "B"]) & counts["nationality"].ne("Total")
    without = declaration.model_copy(update={"tables": {"pupils": declaration.tables["pupils"]}})
    assert opened(without, told(tables["pupils"], by_area)) == {}
    leaks = opened(declaration, told(tables["pupils"], by_area), tables["foreign_percent"])
    assert any(o.lower == o.upper == 2 for o in leaks.values())
    assert _is_closed_by_us(declaration, tables)


def test_a_list_of_ranks() -> None:
    """Between a district of 6 and one of 5 there is not much room."""
    frame = _areas(A=6, B=5, C=2, D=5, E=40, Total=58).assign(rank=[2, 3, 5, 3, 1, None])
    declaration = _declared({"t": {"dimensions": ["area"], "rule": {"frequency": 4}}})
    hidden = frame["area"].isin(["B", "C"])
    assert opened(declaration, told(_read(declaration, t=frame)["t"], hidden)) == {}
    ranked = _declared({"t": {"dimensions": ["area"], "rule": {"frequency": 4}, "rank": "rank"}})
    leaks = opened(ranked, told(figures("t", ranked.tables["t"], frame), hidden))
    assert {o.label: (o.lower, o.upper) for o in leaks.values()} == {"t[B]": (5, 5), "t[C]": (2, 2)}
    # Protected, it goes out with ranks among the figures told, and these say nothing of where the others stand.
    tables = {"t": figures("t", ranked.tables["t"], frame)}
    done = protect(ranked, tables)
    out = protected_frame(done.told["t"], done.hidden["t"])
    assert out["rank"].isna().sum() == done.hidden["t"].sum() + 1
    assert sorted(out["rank"].dropna()) == list(range(1, int(out["rank"].max()) + 1))
    assert opened(ranked, figures("t", ranked.tables["t"], out)) == {}


def test_the_least_value_in_the_dictionary() -> None:
    frame = _areas(A=20, B=15, C=2)
    hidden = frame["area"].eq("C")
    declaration = _declared({"t": {"dimensions": ["area"]}})
    assert opened(declaration, told(_read(declaration, t=frame)["t"], hidden)) == {}
    told_least = _declared({"t": {"dimensions": ["area"], "extremes": [2, 20]}})
    (leak,) = opened(told_least, told(_read(told_least, t=frame)["t"], hidden)).values()
    assert (leak.lower, leak.upper) == (2, 2)
    # A dictionary must be made of what is told; where it was not, there is no way to protect the table.
    with pytest.raises(UnprovedError):
        protect(told_least, _read(told_least, t=frame))
    of_told = _declared({"t": {"dimensions": ["area"], "extremes": [15, 20]}})
    done = protect(declaration, _read(declaration, t=frame))
    shown = told(_read(of_told, t=frame[~done.hidden["t"]])["t"], [False] * int((~done.hidden["t"]).sum()))
    assert opened(of_told, shown) == {}


def test_the_axis_of_a_chart_that_ends_where_the_data_do() -> None:
    """Two hidden of a published sum, and an axis that says that none is larger than 2."""
    frame = _areas(A=2, B=2, Total=4)
    hidden = frame["area"].ne("Total")
    declaration = _declared({"t": {"dimensions": ["area"], "zeros": "open"}})
    assert opened(declaration, told(_read(declaration, t=frame)["t"], hidden)) == {}
    with_axis = _declared(
        {
            "t": {"dimensions": ["area"], "zeros": "open"},
            "chart": {"dimensions": ["area"], "extremes": [None, 2]},
        }
    )
    bars = told(figures("chart", with_axis.tables["chart"], frame[hidden]), [True, True])
    leaks = opened(with_axis, told(_read(with_axis, t=frame)["t"], hidden), bars)
    assert {(o.lower, o.upper) for o in leaks.values()} == {(2, 2)}


def test_a_mean_beside_a_sum_tells_the_hidden_count() -> None:
    """Hours are told and hours per head: whoever divides has the heads."""
    declaration = _declared({
        "heads": {"dimensions": ["area"], "where": {"measure": "heads"}},
        "hours": {"dimensions": ["area"], "where": {"measure": "hours"}, "rule": {}},
        "mean": {"dimensions": ["area"], "rate": {
            "numerator": {"measure": "hours"}, "denominator": {"measure": "heads"}, "per": 1, "decimals": 2, "minimum_denominator": 0}},
    }, {"measure": {"Total": ["heads", "hours"]}})  # fmt: skip
    tables = _read(
        declaration, heads=_areas(A=2, B=20, Total=22), hours=_areas(A=45, B=300, Total=345), mean=_areas(A=22.5, B=15.0, Total=15.68)
    )  # fmt: skip
    shown = (told(tables["heads"], [True, True, False]), tables["hours"])
    alone = declaration.model_copy(update={"tables": {n: declaration.tables[n] for n in ("heads", "hours")}})
    assert opened(alone, *shown) == {}
    leaks = opened(declaration, *shown, tables["mean"])
    assert any(o.lower == o.upper == 2 for o in leaks.values())
    assert _is_closed_by_us(declaration, tables)


def test_the_total_of_a_type_with_one_school() -> None:
    """Told about one school is told about the school: hidden by the rule of contributors, whatever its size."""
    frame = pd.DataFrame({
        "type": ["GYM", "IGS", "RSP", "Total"], "value": [800, 950, 1200, 2950], "schools": [4, 1, 5, 10],
    })  # fmt: skip
    declaration = _declared({
        "t": {"dimensions": ["type"], "rule": {"contributors": {"column": "schools", "minimum": 3}}}
    })  # fmt: skip
    tables = _read(declaration, t=frame)
    done = protect(declaration, tables)
    assert done.hidden["t"][1]
    assert done.hidden["t"].sum() == 2
    assert not opened(declaration, told(tables["t"], done.hidden["t"]))


def test_all_beside_all_but_special_schools() -> None:
    types = {"without special": ["GYM", "RSP"], "Total": ["GYM", "RSP", "special"]}
    declaration = _declared({
        "all": {"dimensions": ["area"]}, "without": {"dimensions": ["area"], "where": {"type": "without special"}},
    }, {"type": types})  # fmt: skip
    tables = _read(declaration, all=_areas(A=102, B=90, Total=192), without=_areas(A=100, B=80, Total=180))
    (leak,) = opened(declaration, *tables.values()).values()
    assert (leak.lower, leak.upper) == (2, 2)
    assert _is_closed_by_us(declaration, tables)


def test_an_answer_to_a_question_of_the_council() -> None:
    """Told once, it is told: with it, the pattern of the table no longer holds."""
    declaration = _declared({
        "t": {"dimensions": ["area"]}, "answer": {"dimensions": ["area"], "frozen": True},
    }, {"area": {"A and B": ["A", "B"], "Total": ["A", "B", "C", "D"]}})  # fmt: skip
    tables = _read(declaration, t=_areas(A=2, B=9, C=7, D=30, Total=48))
    alone = declaration.model_copy(update={"tables": {"t": declaration.tables["t"]}})
    hidden = protect(alone, tables).hidden["t"]
    assert not opened(alone, told(tables["t"], hidden))
    partner = tables["t"].codes["area"][hidden].tolist()
    answer = {"A": 2, **({"A and B": 11} if "C" in partner else {})}
    leaks = opened(
        declaration,
        told(tables["t"], hidden),
        figures(
            "answer",
            declaration.tables["answer"],
            _areas(**{k: v for k, v in answer.items() if k != "A"} or {"B": 9}),
        ),
    )
    assert leaks
