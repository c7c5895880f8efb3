"""The counts of a release: what opens is found, hidden, and stays found when it was told before."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.disclosure.blur import known_of_rounded, rounded
from expectations.disclosure.release import City, Memory, _with_populations, confidential, opened
from orchestration import ledger
from orchestration.compute.confidential import with_ledger
from orchestration.compute.redelivery import _kept, _latest, as_published, with_kept
from orchestration.resources.home import Home

DAY = pd.Timestamp("2025-12-31")
BREAKDOWNS = ["sex", "age_group"]

BOTH_CUTS = pd.DataFrame({
    "piece": [0, 0, 1, 1, 2, 2],
    "area_code": ["C-ST01", "C-SD1", "C-ST02", "C-SD1", "C-ST03", "C-SD2"],
    "valid_from": pd.Timestamp("1900-01-01"), "valid_to": pd.Timestamp("2100-01-01"),
})  # fmt: skip
"""Two Stadtteile in one school district, and one alone in another."""

NO_PIECES = BOTH_CUTS.iloc[:0]

CITY = City("C", "district", BOTH_CUTS)


def counts(*rows: tuple[str, str, str, int], k: int = 5, hidden: bool = False) -> pd.DataFrame:
    """Area, level, sex and the true count."""
    frame = pd.DataFrame(list(rows), columns=["area_code", "area_level", "sex", "value"])
    return frame.assign(
        measure_id="people", counted_period_end=DAY, age_group="total", base=5, k=k, is_hidden=hidden, figures=1,
        value=frame["value"].astype(float), low=np.nan, high=np.nan,
    )  # fmt: skip


def areas(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[["measure_id", "counted_period_end", "area_code", "area_level"]].drop_duplicates()


def told(frame: pd.DataFrame, hidden: np.ndarray) -> pd.DataFrame:
    figures = rounded(frame["value"].to_numpy(dtype=np.int64), 5).astype(float)
    return frame.assign(told=np.where(hidden, np.nan, figures))


def two_cuts(first: int, second: int, third: int) -> pd.DataFrame:
    return counts(
        ("C-ST01", "city_district", "total", first), ("C-ST02", "city_district", "total", second),
        ("C-ST03", "city_district", "total", third), ("C-SD1", "school_district", "total", first + second),
        ("C-SD2", "school_district", "total", third), ("C", "district", "total", first + second + third),
    )  # fmt: skip


def test_two_cuts_together_prove_that_one_is_there(tmp_path: Path) -> None:
    """1 is told as 0 and 12 as 10, but both together as 15: of 13 at least, no more than 12 are in the other."""
    frame = two_cuts(1, 12, 40)
    found = opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert [one.what for one in found] == ["city_district[C-ST01]"]
    assert 0 in found[0].rows  # the figure itself, and what it is worked out from
    hidden, failed = confidential(frame, BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert not failed
    assert 1 <= hidden.sum() <= 2
    assert not hidden[5]  # the headline total goes last
    assert opened(told(frame, hidden), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path)) == []


def test_what_was_found_before_is_not_searched_again_and_not_believed(tmp_path: Path) -> None:
    frame = two_cuts(1, 12, 40)
    memory = Memory(tmp_path / "proof")
    hidden, _ = confidential(frame, BREAKDOWNS, CITY, areas(frame), memory)
    assert confidential(frame, BREAKDOWNS, CITY, areas(frame), memory)[0].tolist() == hidden.tolist()
    assert (tmp_path / "proof").stat().st_mode & 0o077 == 0
    # Its witnesses are no witnesses for figures that tell more.
    assert opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, areas(frame), memory)


def test_what_was_told_before_can_t_be_hidden_any_more(tmp_path: Path) -> None:
    frame = two_cuts(1, 12, 40)
    hidden, _ = confidential(frame, BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    low, high = known_of_rounded(rounded(frame["value"].to_numpy(dtype=np.int64), 5).astype(float), 5)
    before = frame.assign(low=low, high=high)
    found = opened(told(before, hidden), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert [one.what for one in found] == ["city_district[C-ST01]"]
    everything, failed = confidential(before, BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert "can't be protected" in failed[0].what
    assert everything.all()


def test_an_exact_answer_opens_its_neighbour(tmp_path: Path) -> None:
    """3 and 11 told as 5 and 10, and 15 together. Somebody learns that the second are 11: the first are 2 to 6, which
    may be 5. But that both together are 14 proves a 3."""
    frame = counts(
        ("C-ST01", "city_district", "total", 3), ("C-ST02", "city_district", "total", 11),
        ("C-SD1", "school_district", "total", 14),
    )  # fmt: skip
    none = frame["is_hidden"]
    one = frame.assign(low=[np.nan, 11.0, np.nan], high=[np.nan, 11.0, np.nan])
    both = frame.assign(low=[np.nan, 11.0, 14.0], high=[np.nan, 11.0, 14.0])
    assert opened(told(one, none), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path)) == []
    found = opened(told(both, none), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert [o.what for o in found] == ["city_district[C-ST01]"]


def test_another_measure_of_the_same_people_tells_of_them(tmp_path: Path) -> None:
    """3 pupils beside 8 others are hidden, both together told as 10 and the others as 10: 4 at most, maybe nobody. All three
    need support, which is told as 5: whoever needs support is a pupil, so they are somebody."""
    pupils = counts(
        ("C-ST01", "city_district", "total", 3), ("C-ST02", "city_district", "total", 8),
        ("C-SD1", "school_district", "total", 11),
    )  # fmt: skip
    pupils.loc[0, "is_hidden"] = True
    support = counts(("C-ST01", "city_district", "total", 3)).assign(measure_id="support")
    frame = pd.concat([pupils, support], ignore_index=True)
    linked = City("C", "district", BOTH_CUTS, subsets=frozenset({("support", "people")}))

    def opens(city: City, hidden: np.ndarray) -> list[str]:
        found = opened(told(frame, hidden), BREAKDOWNS, city, areas(frame), Memory(tmp_path))
        return [one.what for one in found]

    alone = frame["is_hidden"].to_numpy()
    assert opens(CITY, alone) == []
    assert opens(linked, alone) == ["city_district[C-ST01]"]
    memory = Memory(tmp_path / "linked")
    hidden, failed = confidential(frame, BREAKDOWNS, linked, areas(frame), memory)
    assert not failed
    assert opens(linked, hidden) == []
    assert confidential(frame, BREAKDOWNS, linked, areas(frame), memory)[0].tolist() == hidden.tolist()


def test_parts_that_make_another_total_are_named_and_all_hidden(tmp_path: Path) -> None:
    frame = counts(
        ("C", "district", "total", 20), ("C-ST01", "city_district", "total", 9), ("C-ST02", "city_district", "total", 12)
    )  # fmt: skip
    hidden, failed = confidential(frame, BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert hidden.all()
    assert "found 20" in failed[0].what


def test_ages_overlap_and_sums_of_cells_are_counts_of_their_own(tmp_path: Path) -> None:
    """13 below 6, 12 of them below 3: told 15 and 10, so somebody is 3 to 5, and no more than 2 by their own figure."""
    frame = counts(*[("C", "district", "total", n) for n in (13, 12, 1)])
    frame["age_group"] = ["ALT000B03, ALT003B06", "ALT000B03", "ALT003B06"]
    found = opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, areas(frame), Memory(tmp_path))
    assert [one.what for one in found] == ["district_age_group[C, ALT003B06]"]


def test_cuts_without_block_sides_are_refused(tmp_path: Path) -> None:
    frame = two_cuts(7, 12, 40)
    _, failed = confidential(
        frame, BREAKDOWNS, City("C", "district", NO_PIECES), areas(frame), Memory(tmp_path)
    )
    assert "no block side" in failed[0].what


@given(st.lists(st.integers(0, 9), min_size=6, max_size=6))
def test_nothing_that_goes_out_lets_a_small_count_be_worked_out(
    tmp_path_factory: pytest.TempPathFactory, people: list[int]
) -> None:
    """Every population that agrees with what is told is looked through: of no count it follows that it is 1 to 4."""
    cells = dict(
        zip(itertools.product(["C-ST01", "C-ST02", "C-ST03"], ["male", "female"]), people, strict=True)
    )
    rows: list[tuple[str, str, str, int]] = []
    members: list[list[int]] = []
    cut = {
        "city_district": {a: [a] for a in ("C-ST01", "C-ST02", "C-ST03")},
        "school_district": {"C-SD1": ["C-ST01", "C-ST02"], "C-SD2": ["C-ST03"]},
        "district": {"C": ["C-ST01", "C-ST02", "C-ST03"]},
    }
    names = list(cells)
    for level, codes in cut.items():
        for code, parts in codes.items():
            for sex, sexes in (("total", ["male", "female"]), ("male", ["male"]), ("female", ["female"])):
                mine = [names.index((a, s)) for a in parts for s in sexes]
                rows.append((code, level, sex, sum(people[n] for n in mine)))
                members.append(mine)
    frame = counts(*rows)
    frame["sex"] = [row[2] for row in rows]
    memory = Memory(tmp_path_factory.mktemp("proof"))
    hidden, failed = confidential(frame, BREAKDOWNS, CITY, areas(frame), memory)
    assert not failed
    figures = rounded(frame["value"].to_numpy(dtype=np.int64), 5)
    low, high = known_of_rounded(figures.astype(float), 5)
    # Two sexes in three places: all combinations of up to fourteen people each are few enough to look through.
    grid = np.indices((12,) * 6, dtype=np.int8).reshape(6, -1)
    allowed = np.ones(grid.shape[1], dtype=bool)
    sums = [grid[m].sum(axis=0) for m in members]
    for n, total in enumerate(sums):
        if not hidden[n]:
            allowed &= (total >= low[n]) & (total <= high[n])
    for n, total in enumerate(sums):
        if 1 <= frame["value"][n] < 5:
            possible = total[allowed]
            assert possible.min() == 0 or possible.max() >= 5, (rows[n], hidden.tolist())


def test_the_ledger_keeps_what_is_new_and_forgets_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path)
    frame = two_cuts(1, 12, 40)
    keys = ["measure_id", "counted_period_end", "area_code", *BREAKDOWNS]
    first = frame[keys].assign(delivery_id="d1", low=0.0, high=2.0)
    assert ledger.write_down(home, "r1", first) == 6
    assert ledger.write_down(home, "r2", first) == 0
    assert not (home.ledger / "r2.parquet").exists()
    assert ledger.write_down(home, "r3", first.assign(delivery_id="d2")) == 6
    assert len(ledger.told_before(home)) == 12


def test_a_count_told_before_counts_only_for_the_delivery_it_was_of() -> None:
    import duckdb

    frame = two_cuts(1, 12, 40).drop(columns=["low", "high"])
    keys = ["measure_id", "counted_period_end", "area_code", *BREAKDOWNS]
    deliveries = pd.DataFrame({"measure_id": ["people"], "counted_period_end": [DAY], "delivery_id": ["d2"]})
    before = pd.concat([
        frame[keys].assign(delivery_id="d1", low=0.0, high=0.0),
        frame[keys].iloc[:1].assign(delivery_id="d2", low=0.0, high=2.0),
        frame[keys].iloc[:1].assign(delivery_id="d2", low=1.0, high=9.0),
        frame[keys].iloc[:1].assign(delivery_id="d2", low=3.0, high=7.0, sex="female"),
    ])  # fmt: skip
    with duckdb.connect() as connection:
        connection.execute(
            "create table m as select 'people' as measure_id, date '2025-12-31' as period_end, 'C-ST01' as area_code, "
            "'city_district' as area_level, 'female' as sex, 'total' as age_group, 4.0 as value"
        )
        joined = with_ledger(frame, connection.table("m"), before, deliveries, BREAKDOWNS)
    first = joined[(joined["area_code"] == "C-ST01") & (joined["sex"] == "total")].iloc[0]
    assert (first["low"], first["high"]) == (1, 2)
    gone = joined[joined["sex"] == "female"].iloc[0]
    assert (gone["value"], gone["k"], gone["low"], gone["high"], gone["is_hidden"]) == (4, 5, 3, 7, True)
    assert joined["low"].isna().sum() == 5


def sums(*rows: tuple[str, str, str, str, int], k: int = 5) -> pd.DataFrame:
    """Measure, area, level, sex and the true count."""
    return pd.concat(
        [
            counts((area, level, sex, value), k=k).assign(measure_id=measure)
            for measure, area, level, sex, value in rows
        ],
        ignore_index=True,
    )


def test_a_sum_of_two_measures_opens_one_of_them(tmp_path: Path) -> None:
    """2 children with childminders are published as 0, 21 in centres as 20, both together as 25: somebody, two at most."""
    frame = sums(
        ("centres", "C-ST01", "city_district", "total", 21), ("minders", "C-ST01", "city_district", "total", 2),
        ("centres + minders", "C-ST01", "city_district", "total", 23),
    )  # fmt: skip
    single = areas(frame[~frame["measure_id"].str.contains("+", regex=False)])
    found = opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, single, Memory(tmp_path))
    assert [one.measure for one in found] == ["centres + minders"]
    assert found[0].what.startswith("minders_city_district")
    hidden, failed = confidential(frame, BREAKDOWNS, CITY, single, Memory(tmp_path))
    assert not failed
    assert hidden.sum() == 1
    assert opened(told(frame, hidden), BREAKDOWNS, CITY, single, Memory(tmp_path)) == []


def test_a_sum_takes_another_cell_of_each_measure(tmp_path: Path) -> None:
    """Women among the pupils and everybody who speaks another language: 3 women are published as 5, 10 speakers as 10, the sum
    13 as 15. Nothing opens; with 8 women and 18 for both it is 10, 10 and 20, and nothing opens either."""
    for women, both in ((3, 13), (8, 18)):
        frame = sums(
            ("pupils", "C-ST01", "city_district", "female", women), ("pupils", "C-ST01", "city_district", "total", women + 30),
            ("speakers", "C-ST01", "city_district", "total", 10), ("pupils + speakers", "C-ST01", "city_district", "female + total", both),
        )  # fmt: skip
        single = areas(frame[~frame["measure_id"].str.contains("+", regex=False)])
        assert opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, single, Memory(tmp_path)) == []
    # 12 speakers are published as 10; with 1 woman (0) both are 13 (15): she is somebody, and alone or with one more.
    frame = frame.assign(value=[1.0, 31.0, 12.0, 13.0])
    found = opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, single, Memory(tmp_path))
    assert [one.what for one in found] == ["pupils_city_district_sex[C-ST01, female]"]


def test_measures_without_a_common_figure_stay_apart(tmp_path: Path) -> None:
    """Only what some figure adds up is one population; a chain of sums is one, too."""
    frame = sums(
        *(("abcd"[n], "C-ST01", "city_district", "total", 20) for n in range(4)),
        ("a + b", "C-ST01", "city_district", "total", 40), ("b + c", "C-ST01", "city_district", "total", 40),
    )  # fmt: skip
    joined, of_areas = _with_populations(frame, areas(frame))
    assert joined.set_index("measure_id")["population"].to_dict() == {
        **dict.fromkeys(("a", "b", "c", "a + b", "b + c"), "a + b + c"), "d": "d",
    }  # fmt: skip
    assert set(of_areas["population"]) == {"a + b + c", "d"}


@given(st.data())
def test_sums_of_measures_are_protected_against_every_population(data: st.DataObject) -> None:
    """Against a count of all populations there are: nobody is provably somebody and fewer than five."""
    values = data.draw(st.lists(st.integers(0, 9), min_size=4, max_size=4))
    a1, a2, b1, b2 = values
    rows = {
        ("a", "C-ST01"): (1, 0, 0, 0), ("a", "C-ST02"): (0, 1, 0, 0), ("b", "C-ST01"): (0, 0, 1, 0),
        ("a + b", "C-ST01"): (1, 0, 1, 0), ("a + b", "C-ST02"): (0, 1, 0, 1), ("a", "C"): (1, 1, 0, 0),
    }  # fmt: skip
    frame = sums(*(
        (measure, area, "district" if area == "C" else "city_district", "total", int(np.dot(row, values)))
        for (measure, area), row in rows.items()
    ))  # fmt: skip
    city = City("C", "district", NO_PIECES)
    single = sums(*((m, f"C-ST0{n}", "city_district", "total", 0) for m in "ab" for n in (1, 2)))
    hidden, failed = confidential(frame, BREAKDOWNS, city, areas(single), _Forgetful())
    assert not failed
    matrix = np.array(list(rows.values()))
    shown = told(frame, hidden)["told"].to_numpy()
    everything = np.array(list(itertools.product(range(13), repeat=4)))
    counted = everything @ matrix.T
    agrees = ((np.abs(counted - shown) <= 2) | np.isnan(shown)).all(axis=1)
    possible = counted[agrees]
    for n, value in enumerate(matrix @ np.array([a1, a2, b1, b2])):
        if 1 <= value < 5:
            assert possible[:, n].min() == 0 or possible[:, n].max() >= 5


class _Forgetful(Memory):
    """Remembers nothing: the property wants every search done."""

    def __init__(self) -> None:
        super().__init__(Path())

    def get(self, fingerprint: str) -> None:
        return None

    def put(self, fingerprint: str, **arrays: np.ndarray) -> None:
        return None


def test_an_answer_is_no_publication_and_old_ledgers_have_their_figures(tmp_path: Path) -> None:
    home = Home(tmp_path)
    ledger.add_answer(home, {"measure_id": "m", "counted_period_end": "2025-12-31", "area_code": "A", "delivery_id": "d",
                             "low": 12.0, "high": 12.0}, "Anfrage", DAY.date())  # fmt: skip
    assert ledger.told_before(home)["published"].isna().all()
    old = pd.DataFrame({"measure_id": "m", "counted_period_end": DAY, "area_code": ["B", "C", "D", "E"], "delivery_id": "d",
                        "low": [8.0, 0.0, 15.0, 0.0], "high": [12.0, 2.0, 24.0, 4.0]})  # fmt: skip
    home.ledger.mkdir(exist_ok=True)
    old.to_parquet(home.ledger / "20260101T000000Z.parquet")
    assert ledger.told_before(home)["published"].tolist()[:4] == [10.0, 0.0, 20.0, 0.0]


def test_a_sum_of_measures_may_add_several_cells_of_one(tmp_path: Path) -> None:
    """Three ages of the pupils and all who speak another language: 12, 12 and 12 are published as 10, 2 as 0, their sum, 38, as
    40. It is 38 at least and the ages 36 at most, so two speak another language. With 12 of them nothing opens."""
    ages = ["ALT000B03", "ALT003B06", "ALT006B10"]
    for speakers, opens in ((2, ["speakers_city_district[C-ST01]"]), (12, [])):
        frame = sums(
            *(("pupils", "C-ST01", "city_district", "total", 12) for _ in ages),
            ("speakers", "C-ST01", "city_district", "total", speakers),
            ("pupils + speakers", "C-ST01", "city_district", "total", 36 + speakers),
        )  # fmt: skip
        frame["age_group"] = [*ages, "total", f"{', '.join(ages)} + total"]
        single = areas(frame[~frame["measure_id"].str.contains("+", regex=False)])
        found = opened(told(frame, frame["is_hidden"]), BREAKDOWNS, CITY, single, Memory(tmp_path))
        assert [one.what for one in found] == opens


def _ledger(*rows: tuple[str, float, str]) -> pd.DataFrame:
    """Area, published figure (NaN: hidden) and delivery, the oldest first."""
    frame = pd.DataFrame(rows, columns=["area_code", "published", "delivery_id"])
    low, high = known_of_rounded(frame["published"].to_numpy(dtype=float), 5)
    return frame.assign(
        measure_id="m", counted_period_end=DAY, sex="total", age_group="total", low=low, high=high
    )


def test_what_is_out_stays_out_and_what_never_was_stays_hidden() -> None:
    keys = ["measure_id", "counted_period_end", "area_code", *BREAKDOWNS]
    ledger_ = _ledger(
        ("A", 10, "d1"), ("B", np.nan, "d1"), ("C", 10, "d1"), ("C", np.nan, "d1"), ("A", 15, "d2")
    )
    latest = _latest(ledger_, keys).set_index("area_code")["published"]
    assert latest["A"] == 15
    assert np.isnan(latest["B"])
    assert latest["C"] == 10, "a table that was held that night has not taken its figure back"


def test_kept_figures_are_bounds_and_hidden_ones_stay_hidden() -> None:
    found = _ledger(("A", 10, "d1"), ("B", np.nan, "d1"), ("C", 10, "d1"), ("D", 0, "d1")).assign(
        delivered_now="d2"
    )
    kept = _kept(found.assign(value=[14.0, 30.0, 17.0, 5.0]), {"m": 5})
    assert kept["published"].tolist()[0] == 10
    assert kept["published"].isna().tolist() == [False, True, True, False]
    counts_ = found.assign(
        value=[14.0, 30.0, 17.0, 5.0],
        low=np.nan,
        high=np.nan,
        is_hidden=False,
        told=[10.0, np.nan, 15.0, 0.0],
    )
    seen, stays_, hidden = with_kept(counts_, kept, BREAKDOWNS)
    assert stays_.tolist() == [True, False, False, True]
    assert hidden.tolist() == [False, True, False, False]
    assert seen[["low", "high"]].to_numpy()[[0, 2, 3]].tolist() == [[6, 14], [15, np.inf], [0, 5]]
    assert seen["told"].isna().tolist() == [True, True, False, True], (
        "what stays says its bounds, what follows its figure"
    )
    assert ((seen["low"].fillna(0) <= seen["value"]) & (seen["value"] <= seen["high"].fillna(np.inf))).all()


def test_a_population_without_a_way_stays_as_it_was_published() -> None:
    ledger_ = _ledger(("A", 10, "d1"), ("B", np.nan, "d1"))
    now = _ledger(("A", 0, "d2"), ("B", 0, "d2"), ("C", 0, "d2"))[
        ["measure_id", "counted_period_end", "area_code", *BREAKDOWNS]
    ]
    whole = as_published(now, ledger_, ledger_, BREAKDOWNS)
    assert whole is not None
    assert whole["published"].fillna(-1).tolist() == [10, -1, -1]
    assert whole[["low", "high"]].isna().all(axis=None)
    assert as_published(now.assign(measure_id="other"), ledger_, ledger_, BREAKDOWNS) is None


def test_a_night_later_nothing_is_decided_anew() -> None:
    """What was published from the delivery of now: one figure stayed (wider bounds), one followed, one stays whatever its count."""
    found = _ledger(("A", 10, "d2"), ("B", 15, "d2"), ("C", 10, "d2"), ("D", np.nan, "d2")).assign(
        delivered_now="d2", low=[6.0, 15.0, np.nan, np.nan], high=[14.0, 17.0, np.nan, np.nan], value=[14.0, 15.0, 90.0, 3.0]
    )  # fmt: skip
    kept = _kept(found, {"m": 5})
    assert kept["published"].fillna(-1).tolist() == [10, -1, 10, -1]
    assert kept[["low", "high"]].fillna(-1).to_numpy().tolist() == [[6, 14], [15, 17], [-1, -1], [-1, -1]]


def test_a_figure_of_another_base_does_not_stay() -> None:
    found = _ledger(("A", 15, "d1"), ("B", 20, "d1")).assign(delivered_now="d2", value=[14.0, 21.0])
    assert _kept(found, {"m": 10})["area_code"].tolist() == ["B"]


def test_a_breakdown_that_came_later_was_a_total_before(tmp_path: Path) -> None:
    home = Home(tmp_path)
    old = _ledger(("A", 10, "d1")).drop(columns="age_group")
    assert ledger.write_down(home, "20260101T000000Z", old) == 1
    assert ledger.told_before(home, BREAKDOWNS)["age_group"].tolist() == ["total"]
    new = _ledger(("A", 10, "d1"), ("B", 15, "d1"))
    assert ledger.write_down(home, "20260102T000000Z", new) == 1, "A was written down before"
    assert ledger.told_before(home, BREAKDOWNS)[BREAKDOWNS].notna().all(axis=None)
