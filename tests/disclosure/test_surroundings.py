"""Small systems cut out of a large one, beside numpy and scipy, which do the same more slowly."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from expectations.disclosure.surroundings import alike, lone, moves_of, rows_over, shift


@st.composite
def matrices(draw: st.DrawFn) -> np.ndarray:
    """Rows over three to seven micro cells of few different numbers, so that many rows are nearly the same; some share one."""
    cells = draw(st.integers(3, 7))
    numbers = st.sampled_from([0.0, 0.0, 1.0, 2.0, 0.5, -1.0, 99.95, 100.05])
    rows = draw(st.lists(st.lists(numbers, min_size=cells, max_size=cells), min_size=1, max_size=40))
    return np.array(rows)


@given(matrices())
def test_rows_are_alike_if_they_are_the_same_numbers_of_the_same_cells(dense: np.ndarray) -> None:
    dense = dense[dense.any(axis=1)]
    firsts, kind = alike(sp.csr_array(dense))
    assert len(firsts) == len(np.unique(dense, axis=0))
    assert np.array_equal(dense[firsts][kind], dense)


def test_the_same_numbers_in_other_places_are_another_row() -> None:
    """Bits of doubles that were added as they are fell together here."""
    pairs = np.array([(a, b) for a in range(200) for b in range(200) if a != b])
    numbers = np.tile([1.0, 2.0], len(pairs))
    rows = sp.csr_array((numbers, pairs.ravel(), 2 * np.arange(len(pairs) + 1)), shape=(len(pairs), 200))
    assert len(alike(rows)[0]) == len(pairs)


@given(matrices())
def test_what_is_cut_out_is_what_stood_there(dense: np.ndarray) -> None:
    cells = np.arange(1, dense.shape[1])
    touched, rows = rows_over(sp.csc_array(dense), cells)
    assert np.array_equal(touched, np.flatnonzero(dense[:, 1:].any(axis=1)))
    assert np.array_equal(rows.toarray(), dense[touched][:, 1:])
    alone, own = lone(rows, np.arange(len(touched)))
    of_one = [np.flatnonzero(row).tolist() for row in rows.toarray()]
    expected = [len(at) == 1 and row[at[0]] == 1 for at, row in zip(of_one, rows.toarray(), strict=True)]
    assert alone.tolist() == expected
    assert own.tolist() == [at[0] for at, is_alone in zip(of_one, expected, strict=True) if is_alone]


@given(matrices(), st.data())
def test_a_move_changes_what_its_rows_say(dense: np.ndarray, data: st.DataObject) -> None:
    steps = np.array(
        data.draw(st.lists(st.integers(-3, 3), min_size=dense.shape[1], max_size=dense.shape[1]))
    )
    cells = np.flatnonzero(steps)
    at, change = shift(sp.csc_array(dense), cells, steps[cells])
    expected = dense @ steps
    assert np.allclose(change, expected[at])
    assert np.allclose(np.delete(expected, at), 0)


@given(matrices())
def test_gains_losses_and_slots_stand_beside_each_other(dense: np.ndarray) -> None:
    slots = np.arange(0, dense.shape[0], 2)
    ones = np.eye(dense.shape[0])[:, slots]
    below = np.ones((1, dense.shape[1]))
    moves = moves_of(sp.csr_array(dense), [sp.csr_array(below)], slots).toarray()
    top = np.hstack([dense, -dense, -ones, ones])
    assert np.array_equal(moves[:-1], top)
    assert np.array_equal(moves[-1], np.concatenate([below[0], -below[0], np.zeros(2 * len(slots))]))
