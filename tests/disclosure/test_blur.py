"""Rounded counts, small counts made none or enough, noise by cell key: what they promise, and what is closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from expectations.disclosure.blur import (
    PTable,
    cell_key,
    known_of_changed,
    known_of_kept,
    known_of_rounded,
    known_of_small_counts,
    record_keys,
    rounded,
    small_counts_rounded,
    stays,
)
from expectations.disclosure.declaration import Declaration, DeclarationError, load_declaration
from expectations.disclosure.population import population_of
from expectations.disclosure.protect import attack_told, protect, true_population
from expectations.disclosure.tables import figures, protected_frame
from tests.disclosure import cases
from tests.disclosure.cases import opened, read_csv, read_json
from tests.disclosure.pupils import declaration as of_pupils
from tests.disclosure.pupils import pupils
from tests.disclosure.pupils import table as of_pupils_table

needs_cases = pytest.mark.skipif(
    not cases.CASES.is_dir(),
    reason=f"{cases.CASES} is absent: cases of other packages are not part of the project",
)

P_TABLE = """i;j;p;v;p_ij_ub
0;0;1;0;1
1;0;0.5;-1;0.5
1;2;0.5;1;1
2;2;0.8;0;0.8
2;3;0.2;1;1
3;2;0.3;-1;0.3
3;3;0.4;0;0.7
3;4;0.3;1;1
"""
"""The handbook's example (chapter 5)."""


@pytest.fixture
def p_table(tmp_path: Path) -> Path:
    path = tmp_path / "p.csv"
    path.write_text(P_TABLE, encoding="utf-8")
    return path


# --- rounding ----------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_what_is_known_of_a_rounded_count_is_what_rounds_to_it(count: int, base: int) -> None:
    (told,) = rounded(np.array([count]), base)
    low, high = known_of_rounded(np.array([float(told)]), base)
    assert low[0] <= count <= high[0]
    ends = rounded(np.array([int(low[0]), int(high[0])]), base)
    assert ends.tolist() == [told, told]
    assert rounded(np.array([int(high[0]) + 1]), base)[0] > told


@needs_cases
def test_the_handbooks_table_in_multiples_of_five() -> None:
    case = next(c for c in read_json("handbook_freq_cases.json")["cases"] if "rounding" in c["id"])
    names = {"T": "Total"}
    rows = [
        (names.get(row, row), column, value)
        for row, values in case["true"].items()
        for column, value in zip(("one", "two", "Total"), values, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["row", "column", "value"])
    declaration = Declaration.model_validate({
        "tables": {"t": {"dimensions": ["row", "column"], "rounded_to": 5, "rule": {"frequency": 2}}}
    })  # fmt: skip
    done = protect(declaration, {"t": figures("t", declaration.tables["t"], frame)})
    told = done.told["t"].frame.groupby("row", sort=False)["value"].apply(list).to_dict()
    # 32 becomes 30; the handbook prints 35.
    assert told == {"A": [0, 0, 0], "B": [5, 5, 5], "C": [10, 20, 30], "Total": [15, 25, 40]}


def test_what_rounding_opens_is_hidden() -> None:
    """Two parts told 0 under a total told 5 are 1 or 2 each; of three, any may be nobody."""
    frame = pd.DataFrame({"area": ["A", "B", "C", "Total"], "value": [2, 2, 2, 6]})
    bare = pd.DataFrame({"area": ["A", "B", "C", "Total"], "value": [0, 0, 0, 5]})
    declaration = Declaration.model_validate({"tables": {"t": {"dimensions": ["area"], "rounded_to": 5}}})
    table = declaration.tables["t"]
    assert opened(declaration, figures("t", table, bare)) == {}
    two = pd.DataFrame({"area": ["A", "B", "Total"], "value": [2, 2, 4]})
    leaks = opened(declaration, figures("t", table, two.assign(value=[0, 0, 5])))
    assert {(o.lower, o.upper) for o in leaks.values()} == {(1, 2)}
    done = protect(declaration, {"t": figures("t", table, two)})
    assert done.hidden["t"].sum() == 1
    out = protected_frame(done.told["t"], done.hidden["t"])
    assert opened(declaration, figures("t", table, out)) == {}
    whole = protect(declaration, {"t": figures("t", table, frame)})
    assert not whole.hidden["t"].any()


def test_methods_are_not_mixed_and_rates_are_made_of_what_is_told() -> None:
    frame = pd.DataFrame({"area": ["A", "B", "Total"], "value": [4, 4, 8]})
    two = Declaration.model_validate({
        "tables": {"one": {"dimensions": ["area"], "rounded_to": 5}, "two": {"dimensions": ["area"]}}
    })  # fmt: skip
    with pytest.raises(DeclarationError, match=r"several methods for one population: rounded_to .* hide"):
        protect(two, {n: figures(n, t, frame) for n, t in two.tables.items()})
    noisy = Declaration.model_validate({"tables": {"t": {"dimensions": ["area"], "noise": 2}}})
    with pytest.raises(DeclarationError, match="of tables told before, expected `frozen: true`"):
        protect(noisy, {"t": figures("t", noisy.tables["t"], frame)})
    for more, says in (
        ({"decimals": 2}, "these are for counts"),
        ({"rule": {"frequency": 3, "request": "ask"}}, "rounded_to goes with a frequency rule alone"),
    ):
        with pytest.raises(ValueError, match=says):
            Declaration.model_validate({"tables": {"t": {"dimensions": ["area"], "rounded_to": 5, **more}}})


@pytest.mark.full_tier  # half a minute of solving
def test_pupils_of_a_city_in_multiples_of_five() -> None:
    """Three dimensions, 1,254 cells: what is told adds up nowhere exactly, and nobody works a small count out."""
    plain = of_pupils(("area", "type", "sex"), k=3)
    table = plain.tables["area_type_sex"].model_copy(update={"rounded_to": 5})
    declaration = plain.model_copy(update={"tables": {"area_type_sex": table}})
    true = of_pupils_table(plain, "area_type_sex", pupils())
    done = protect(declaration, {"area_type_sex": figures("area_type_sex", table, true.frame)})
    told = done.told["area_type_sex"]
    assert np.abs(told.values - true.values).max() == 2
    assert done.share_hidden("area_type_sex") < 0.01
    _, attack = attack_told(declaration, {"area_type_sex": told})
    assert attack.opened == []


# --- small counts ------------------------------------------------------------------------------------------


def _small(base: int, tables: dict[str, list[str]], **more: Any) -> Declaration:
    return Declaration.model_validate({
        "tables": {n: {"dimensions": d, "small_counts": base, "rule": {"frequency": base}} for n, d in tables.items()}, **more,
    })  # fmt: skip


@needs_cases
def test_small_counts_of_a_census_table_become_none_or_five() -> None:
    """The cases of SmallCountRounding: as near to the truth as theirs, nothing from 1 to 4, and it adds up."""
    published = read_csv("scr_e6_base5_publish.csv", "original").astype({"value": int, "rounded": int})
    frame = published[["geo", "year", "value"]]
    eu = {"EU": ["Portugal", "Spain"], "nonEU": ["Iceland"]}
    declaration = _small(5, {"t": ["geo", "year"]}, dimensions={"geo": {"hierarchy": eu}})
    done = protect(declaration, {"t": figures("t", declaration.tables["t"], frame)})
    told = done.told["t"].values.astype(int)
    assert not np.any((told > 0) & (told < 5))
    assert np.abs(told - frame["value"]).max() <= np.abs(published["rounded"] - frame["value"]).max() == 3
    assert not done.hidden["t"].any()
    assert (
        opened(
            declaration,
            figures("t", declaration.tables["t"], protected_frame(done.told["t"], done.hidden["t"])),
        )
        == {}
    )


@needs_cases
def test_small_counts_of_overlapping_cuts_stay_consistent() -> None:
    """Regions, counties and size classes that overlap, by main income: told once, they add up in every cut."""
    published = read_csv("scr_z2_base5_publish.csv", "original").astype({"value": int, "rounded": int})
    regions = sorted(c for c in set(published["region"]) if c.isalpha() and c != "Total")
    finest = published[published["region"].isin(regions) & published["hovedint"].ne("Total")]
    by_region = finest.pivot_table(index="region", columns="hovedint", values="value").loc[regions]
    parts: dict[str, list[str]] = {}
    for code in sorted(set(published["region"]) - set(regions) - {"Total"}):
        wanted = published[published["region"].eq(code)].set_index("hovedint")["value"]
        parts[code] = _parts_of(by_region, wanted)
    declaration = _small(
        5, {"t": ["region", "hovedint"]}, dimensions={"region": {"hierarchy": {**parts, "Total": regions}}}
    )
    frame = published[["region", "hovedint", "value"]]
    done = protect(declaration, {"t": figures("t", declaration.tables["t"], frame)})
    told = done.told["t"].frame.set_index(["region", "hovedint"])["value"]
    assert not np.any((told > 0) & (told < 5))
    for code, below in parts.items():
        assert told[code].sub(told.loc[below].groupby("hovedint").sum()).eq(0).all(), code
    theirs = np.abs(published["rounded"] - published["value"])
    ours = np.abs(done.told["t"].values - published["value"])
    assert ours.max() <= theirs.max() + 1
    assert ours.mean() <= 1.1 * theirs.mean()


def _parts_of(by_region: pd.DataFrame, wanted: pd.Series) -> list[str]:
    """The regions that a group is the sum of: the only ones that give its figures."""
    columns = [c for c in by_region.columns if c in wanted.index]
    rows = by_region[columns].to_numpy()
    goal = wanted[columns].to_numpy()

    def search(at: int, left: np.ndarray, chosen: list[str]) -> list[str] | None:
        if not left.any():
            return chosen
        if at == len(rows) or (left < 0).any():
            return None
        return search(at + 1, left - rows[at], [*chosen, str(by_region.index[at])]) or search(
            at + 1, left, chosen
        )

    found = search(0, goal, [])
    assert found is not None
    return found


@given(st.lists(st.integers(0, 12), min_size=4, max_size=12), st.integers(2, 6))
def test_no_small_sum_is_left_and_readers_of_small_counts_know_the_truth_within_their_bounds(
    counts: list[int], base: int
) -> None:
    frame = pd.DataFrame(
        [(a, b, counts[(2 * a + b) % len(counts)]) for a in range(3) for b in range(2)],
        columns=["a", "b", "value"],
    )
    full = pd.concat(
        [frame, frame.assign(a="Total"), frame.assign(b="Total"), frame.assign(a="Total", b="Total")]
    )
    table = full.groupby(["a", "b"], as_index=False)["value"].sum().astype({"a": str, "b": str})
    declaration = Declaration.model_validate({"tables": {"t": {"dimensions": ["a", "b"]}}})
    population = population_of(declaration, {"t": figures("t", declaration.tables["t"], table)})
    x = true_population(population)
    rows = population.functionals
    told = rows @ small_counts_rounded(rows, x, base)
    assert not np.any((told > 0) & (told < base))
    low, high = known_of_small_counts(told.astype(float), np.diff(rows.indptr), base)
    true = rows @ x
    assert np.all(low <= true)
    assert np.all(true <= high)


def test_linked_tables_of_small_counts_tell_one_total() -> None:
    """By area and sex, by area and grade: the same areas, and the same figures for them."""
    plain = of_pupils(("area", "sex"), k=5)
    finest = pupils()
    tables = {}
    for dimensions in (("area", "sex"), ("area", "grade")):
        declared = of_pupils(dimensions, k=5)
        name = "_".join(dimensions)
        small = declared.tables[name].model_copy(update={"small_counts": 5})
        tables[name] = figures(name, small, of_pupils_table(declared, name, finest).frame)
    declaration = plain.model_copy(update={"tables": {n: t.declared for n, t in tables.items()}})
    done = protect(declaration, tables)
    by_sex, by_grade = (
        done.told[n].frame[lambda f, c=c: f[c].eq("Total")].set_index("area")["value"] for n, c in (("area_sex", "sex"), ("area_grade", "grade"))
    )  # fmt: skip
    assert by_sex.sort_index().equals(by_grade.sort_index())
    assert attack_told(declaration, done.told)[1].opened == []


# --- cell keys ---------------------------------------------------------------------------------------------


def test_the_handbooks_cell_key(p_table: Path) -> None:
    key = cell_key(np.array([0.9, 0.3, 0.6]))
    assert key == pytest.approx(0.8)
    assert PTable.read(p_table).perturbed(np.array([3]), np.array([key])).tolist() == [4]
    if cases.CASES.is_dir():
        case = next(c for c in read_json("handbook_freq_cases.json")["cases"] if c["id"] == "cell_key_lookup")
        assert (case["record_keys"], case["expect"]["perturbed"]) == ([0.9, 0.3, 0.6], 4)


@needs_cases
def test_a_real_p_table_never_tells_one_or_two_and_is_right_on_average() -> None:
    table = PTable.read(cases.CASES / "tau_pp" / "tau_testW_ptable.txt")
    keys = (np.arange(20_000) + 0.5) / 20_000
    for count in range(12):
        told = table.perturbed(np.full(len(keys), count), keys)
        assert not set(told) & {1, 2}
        assert np.abs(told - count).max() <= 7
        assert abs(told.mean() - count) < 0.01
        low, high = table.known(np.unique(told).astype(float))
        assert np.all((low <= count) & (count <= high))


def test_a_record_has_the_same_key_in_every_table_and_nobody_guesses_it() -> None:
    one = record_keys(b"secret", "pupils 2026", ["a", "b", "c"])
    assert record_keys(b"secret", "pupils 2026", ["c", "a"]).tolist() == [one[2], one[0]]
    for other in (record_keys(b"other", "pupils 2026", ["a"]), record_keys(b"secret", "pupils 2025", ["a"])):
        assert other[0] != one[0]
    many = record_keys(b"secret", "p", map(str, range(4000)))
    assert 0 <= many.min() < many.max() < 1
    assert abs(many.mean() - 0.5) < 0.02


def test_a_table_with_noise_by_cell_key(p_table: Path) -> None:
    """Two tables give the same people the same noise; a total that leaves no room is hidden."""
    (p_table.parent / "d.yaml").write_text(
        "tables:\n  t: {dimensions: [area], cell_key: {table: p.csv}}\n", encoding="utf-8"
    )
    declaration = load_declaration(p_table.parent / "d.yaml")
    frame = pd.DataFrame(
        {"area": ["A", "B", "C", "Total"], "value": [1, 9, 12, 22], "key": [0.6, 0.1, 0.95, 0.65]}
    )
    done = protect(declaration, {"t": figures("t", declaration.tables["t"], frame)})
    assert done.told["t"].values.tolist() == [2, 8, 13, 22]
    out = protected_frame(done.told["t"], done.hidden["t"])
    assert list(out.columns) == ["area", "value", "status", "sign"]
    assert opened(declaration, figures("t", declaration.tables["t"], out)) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("i;v;p_ij_ub\n0;0;1\n1;x;1\n", r"p\.csv, row 3, column `v`: found 'x', expected a number"),
        ("i;v;p_ij_ub\n0;0;1\n2;0;1\n", r"found counts \[0, 2\], expected 0, 1, 2"),
        ("i;v;p_ij_ub\n0;0;1\n1;0;0.9\n", "the last key of count 1 is 0.9, expected 1"),
        ("i;v;p_ij_ub\n0;0;1\n1;-2;1\n", "count 1 would be told as less than 0"),
    ],
)
def test_a_p_table_that_can_not_be_used_is_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "p.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError, match=says):
        PTable.read(path)


@needs_cases
def test_exact_means_beside_noisy_counts_undo_the_noise() -> None:
    """The handbook's attack: a mean times its count is a whole number, and only one count in reach gives one."""
    case = next(c for c in read_json("handbook_freq_cases.json")["cases"] if c["id"].startswith("means"))
    declaration = Declaration.model_validate({
        "dimensions": {"measure": {"hierarchy": {"Total": ["heads", "hours"]}}},
        "tables": {
            "heads": {"dimensions": ["area"], "where": {"measure": "heads"}, "noise": case["max_noise"], "rule": {"frequency": 30}},
            "mean": {"dimensions": ["area"], "rate": {
                "numerator": {"measure": "hours"}, "denominator": {"measure": "heads"}, "per": 1, "decimals": 4, "minimum_denominator": 0}},
        },
    })  # fmt: skip
    areas = ["A", "B", "C"]
    tables = {
        name: figures(name, declaration.tables[name], pd.DataFrame({"area": areas, "value": values}))
        for name, values in (("heads", case["perturbed"]), ("mean", case["published_means"]))
    }
    alone = declaration.model_copy(update={"tables": {"heads": declaration.tables["heads"]}})
    assert not any(o.lower == o.upper for o in opened(alone, tables["heads"]).values())
    leaks = opened(declaration, *tables.values())
    assert [leaks[f"heads[{a}]"].lower for a in areas] == case["true"]
    assert [leaks[f"heads[{a}]"].upper for a in areas] == case["true"]


@pytest.mark.parametrize("base", [5, 10])
def test_a_figure_that_stays_or_follows_says_nothing_of_a_few(base: int) -> None:
    """For every count and every figure published before: what the figure says now, and what it says that it followed."""
    counts = np.arange(0, 12 * base)
    for before in range(0, 10 * base, base):
        kept = stays(counts, np.full(len(counts), float(before)), np.full(len(counts), base))
        low, high = known_of_kept(np.array([float(before)]), np.array([base]))
        assert set(counts[kept]) == set(range(int(low[0]), int(high[0]) + 1)), (
            "what stays is what a reader must think of"
        )
        # Two counts of one rounded figure are never told apart.
        was = known_of_rounded(np.array([float(before)]), base)
        assert kept[int(was[0][0]) : int(was[1][0]) + 1].all()
        now = rounded(counts, base)
        for figure in sorted(f for f in set(now[~kept]) if f <= 11 * base - base):
            followed = counts[~kept & (now == figure)]
            known_low, known_high = known_of_changed(
                followed, np.full(len(followed), float(before)), np.full(len(followed), base)
            )
            told = known_of_rounded(np.array([float(figure)]), base)
            possible = range(int(max(told[0][0], known_low[0])), int(min(told[1][0], known_high[0])) + 1)
            assert set(followed) == set(possible)
            assert set(possible) != {0}, "nobody learns that there is nobody now"
            assert not set(possible) <= set(range(1, base)), "nor that there are a few"
        # Whoever knows that one record more or less was all: neither the count now nor the one before are a few.
        steps = [
            (int(c), int(c) + d)
            for c in counts[kept]
            for d in (-1, 1)
            if 0 <= c + d < len(counts) and not kept[c + d]
        ]
        assert all(min(step) >= base for step in steps)
