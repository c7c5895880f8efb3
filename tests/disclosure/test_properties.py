"""Properties: the attacker agrees with brute force; protection holds, is stable, and is blind to names."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from expectations.disclosure.attack import Attacker
from expectations.disclosure.declaration import Declaration
from expectations.disclosure.knowledge import knowledge_of
from expectations.disclosure.population import population_of
from expectations.disclosure.protect import Protected, attack_told, protect
from expectations.disclosure.suppress import InfeasibleError
from expectations.disclosure.tables import Figures, figures
from expectations.disclosure.verify import unproved
from tests.conftest import EXAMPLES
from tests.disclosure.cases import declared, told
from tests.disclosure.oracle import populations, small_tables, with_hidden
from tests.disclosure.pupils import declaration as pupils_declared
from tests.disclosure.pupils import pupils, table

Small = tuple[Declaration, dict[str, Figures], int]
SLOW = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


def agrees_with_brute_force(small: Small, draw: st.DataObject) -> None:
    """On every functional: the same bounds, and the same word on whether it opens."""
    declaration, tables, total = small
    hidden = {}
    for name, t in tables.items():
        open_zero = (t.values == 0) & (t.declared.zeros == "open")
        chosen = draw.draw(st.lists(st.booleans(), min_size=len(t.codes), max_size=len(t.codes)))
        everybody = (t.codes == "Total").to_numpy().all(axis=1)
        hidden[name] = np.array(chosen) & ~open_zero & ~everybody
    told = with_hidden(tables, hidden)
    population = population_of(declaration, told)
    assume(population.joint)
    assume(len(population.blocks) == 1)
    knowledge = knowledge_of(population, told)
    every = populations(knowledge, total)
    assert len(every), "the true one is always among them"
    sums = (population.functionals @ every.T).astype(np.int64)
    attacker = Attacker(knowledge)
    for functional in range(len(sums)):
        low, high = attacker.interval(functional)
        assert (low, high) == (sums[functional].min(), sums[functional].max()), population.labels[functional]
    _, attack = attack_told(declaration, told)
    found = {o.functional for o in attack.opened}
    k = next(iter(declaration.tables.values())).rule.frequency or 0
    somewhere, printed = np.zeros(len(sums), dtype=bool), np.zeros(len(sums), dtype=bool)
    for name, t in told.items():
        cells = population.of_cell[name]
        somewhere[cells[t.hidden]] = True
        printed[cells[~t.hidden & (t.values >= 1) & (t.values < k)]] = True
    for functional in range(len(sums)):
        low, high = sums[functional].min(), sums[functional].max()
        if population.unpublished[functional]:
            expected = low >= 1 and high < k
        else:
            # Hidden here and told there is open, like whatever is exact or surely below k.
            expected = bool(somewhere[functional]) and (high < k or low == high)
            # A small count in print needs nobody to work it out.
            expected |= bool(printed[functional])
        assert (functional in found) == expected, population.labels[functional]


@SLOW
@given(small_tables(), st.data())
def test_the_attacker_agrees_with_brute_force(small: Small, draw: st.DataObject) -> None:
    agrees_with_brute_force(small, draw)


def is_protected_for_brute_force(small: Small) -> None:
    declaration, tables, total = small
    try:
        done = protect(declaration, tables)
    except InfeasibleError:
        return
    if len(done.population.blocks) > 1:
        return
    # Where there are so few that even their number is hidden, any number near may be the true one.
    everybody = max(range(len(done.needs.k)), key=lambda f: done.population.functionals[[f]].nnz)
    near = range(max(total - 6, 0), total + 7) if done.knowledge.hidden[everybody] else [total]
    every = np.vstack([populations(done.knowledge, n) for n in near])
    sums = (done.population.functionals @ every.T).astype(np.int64)
    for functional in np.flatnonzero(done.needs.at_least):
        assert sums[functional].max() >= done.needs.at_least[functional], done.population.labels[functional]


@SLOW
@given(small_tables())
def test_protected_is_protected_for_brute_force(small: Small) -> None:
    is_protected_for_brute_force(small)


def _same(one: Protected, other: Protected) -> bool:
    return all(np.array_equal(one.hidden[n], other.hidden[n]) for n in one.hidden)


@settings(max_examples=min(40, EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck))
@given(small_tables())
def test_protecting_twice_changes_nothing(small: Small) -> None:
    declaration, tables, _ = small
    try:
        once = protect(declaration, tables)
    except InfeasibleError:
        return
    assert _same(once, protect(declaration, tables))
    assert _same(once, protect(declaration, with_hidden(tables, once.hidden)))


@pytest.mark.full_tier  # solves the city's largest table twice
def test_adding_a_table_shows_no_hidden_cell_again() -> None:
    finest = pupils(count=3000)
    one = pupils_declared(("area", "type"))
    first = {"area_type": table(one, "area_type", finest)}
    done = protect(one, first)
    both = pupils_declared(("area", "type"), ("area", "sex"))
    more = {"area_type": replace(first["area_type"], hidden=done.hidden["area_type"]), "area_sex": table(both, "area_sex", finest)}  # fmt: skip
    again = protect(both, more)
    assert done.hidden["area_type"].any()
    assert not (done.hidden["area_type"] & ~again.hidden["area_type"]).any()


@settings(max_examples=min(30, EXAMPLES), deadline=None, suppress_health_check=list(HealthCheck))
@given(small_tables(), st.randoms(use_true_random=False))
def test_other_names_and_another_order_change_nothing(small: Small, random: object) -> None:
    """But where two codes are alike to the last figure, either may be hidden for the other."""
    declaration, tables, _ = small
    (name, t), *others = tables.items()
    assume(not others)
    frame = t.frame.copy()
    order = list(range(len(frame)))
    random.shuffle(order)  # type: ignore[attr-defined]
    renamed = frame.copy()
    for d in t.codes.columns:
        codes = [c for c in dict.fromkeys(frame[d]) if c != "Total"]
        sizes = [tuple(sorted(frame.loc[frame[d] == c, "value"])) for c in codes]
        assume(len(set(sizes)) == len(sizes))
        fresh = [f"x{n}" for n in range(len(codes))]
        random.shuffle(fresh)  # type: ignore[attr-defined]
        renamed[d] = frame[d].map({**dict(zip(codes, fresh, strict=True)), "Total": "Total"})
    shuffled = figures(name, t.declared, renamed.iloc[order])
    try:
        one, other = protect(declaration, tables), protect(declaration, {name: shuffled})
    except InfeasibleError:
        return
    assert one.hidden[name][order].tolist() == other.hidden[name].tolist()


def test_what_costs_are_counted_in_changes_nothing() -> None:
    def hidden(unit: int) -> list[bool]:
        of_city = pupils_declared(("area", "grade", "sex"), k=3, zeros="hideable")
        (name, one), figure = next(iter(of_city.tables.items())), table(of_city, "area_grade_sex", pupils())
        priced = one.model_copy(update={"cost": "price"})
        of_city.tables[name] = priced
        frame = figure.frame.assign(price=np.maximum(figure.values, 3) * unit)
        return protect(of_city, {name: replace(figure, frame=frame, declared=priced)}).hidden[name].tolist()

    in_ones = hidden(1)
    assert any(in_ones)
    assert in_ones == hidden(1024)


@pytest.mark.parametrize(
    "dimensions", [("area", "type"), pytest.param(("area", "type", "sex"), marks=pytest.mark.full_tier)]
)
def test_a_freed_cell_is_reported_where_it_opens_something(dimensions: tuple[str, ...]) -> None:
    """One hidden cell freed at a time: the word of the local searches is that of the whole system."""
    declared = pupils_declared(dimensions)
    name = "_".join(dimensions)
    figures_ = table(declared, name, pupils())
    done = protect(declared, {name: figures_})
    targets = [(int(f), int(n)) for f, n in enumerate(done.needs.at_least) if n]
    reports = []
    for row in np.flatnonzero(done.hidden[name])[:40]:
        hidden = done.hidden[name].copy()
        hidden[row] = False
        knowledge = knowledge_of(done.population, {name: replace(figures_, hidden=hidden)})
        opened = {o.functional for o in Attacker(knowledge, done.attack.base).attack(targets).opened}
        whole = Attacker(knowledge, done.attack.base)
        expected = {f for f, need in targets if whole.interval(f)[1] < need}
        assert opened == expected
        reports.append(bool(opened))
    assert any(reports)


def test_the_verifier_believes_no_witness_that_is_not_one() -> None:
    declared = pupils_declared(("area", "type"))
    figures_ = table(declared, "area_type", pupils())
    done = protect(declared, {"area_type": figures_})
    targets = [(int(f), int(n)) for f, n in enumerate(done.needs.at_least) if n]
    x, good = done.attack.base, done.pattern.witnesses
    assert unproved(done.knowledge, x, good, targets) == []
    for forged in (
        [(cells, steps * 0) for cells, steps in good],
        [(cells, -steps * 50) for cells, steps in good],
        [(cells[:1], steps[:1]) for cells, steps in good],
        good[:-1],
        [],
    ):
        assert unproved(done.knowledge, x, forged, targets)
    assert len(unproved(done.knowledge, x + 1, good, targets)) == len(targets)


@given(st.lists(st.integers(0, 9), min_size=9, max_size=9))
@settings(max_examples=15, deadline=None)
def test_the_cheapest_pattern_of_a_small_table_is_found(counts: list[int]) -> None:
    """One sensitive cell: every pattern of as few cells as can be is tried, and none that stands the attack costs less."""
    counts = [c if c != 1 else 4 for c in counts]
    counts[4] = 1
    frame = pd.DataFrame(
        [(r, c, counts[3 * r + c]) for r in range(3) for c in range(3)], columns=["a", "b", "value"]
    )
    full = pd.concat(
        [frame, frame.assign(a="Total"), frame.assign(b="Total"), frame.assign(a="Total", b="Total")]
    )
    full = full.groupby(["a", "b"], as_index=False)["value"].sum().astype({"a": str, "b": str})
    declaration = declared({"t": ["a", "b"]}, k=2, zeros="open")
    shown = figures("t", declaration.tables["t"], full)
    assume((shown.values == 1).sum() == 1)
    try:
        done = protect(declaration, {"t": shown})
    except InfeasibleError:
        return
    cost = shown.values[done.hidden["t"]].sum()
    sensitive = int(np.argmax(shown.values == 1))
    able = [n for n in np.flatnonzero(shown.values > 0).tolist() if n != sensitive]
    # A move that leaves everything told as it is changes four cells at least; so many are tried.
    for others in itertools.combinations(able, 3):
        if 1 + shown.values[list(others)].sum() < cost:
            hidden = np.isin(np.arange(len(full)), [sensitive, *others])
            _, attack = attack_told(declaration, {"t": told(shown, hidden)}, {"t": shown})
            assert attack.opened, f"{others} would have been enough"
