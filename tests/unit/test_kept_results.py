"""A check is asked again as soon as anything that it read is another."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from expectations.catalogue import Catalogue
from expectations.checks.base import INPUTS, Subject
from expectations.verdict import Status, Verdict
from orchestration.confirm.kept_results import CheckResult, Stored, valid


@pytest.fixture
def subject(catalogue: Catalogue) -> Subject:
    return Subject(
        table="pub_leavers", catalogue=catalogue, home_area="07111", today=pd.Timestamp("2026-11-24"),
        frame=pd.DataFrame({"indicator_id": ["a", "b"], "value": [1.0, 2.0]}), measures=pd.DataFrame(),
        deliveries={}, tests=[], corrections={},
    )  # fmt: skip


def test_what_is_read_is_noted(subject: Subject) -> None:
    with subject.reading() as reads:
        assert subject.home_area == "07111"
        assert subject.indicators  # of the catalogue: no input
    assert reads == {"home_area"}
    with subject.reading() as reads:
        pass
    assert reads == set()


def test_what_is_remembered_was_read_all_the_same(subject: Subject) -> None:
    """The second check gets what the first one had found of the table, and depends on the same inputs."""

    def find(of: Subject) -> int:
        assert of.frame is not None
        return len(of.frame) + of.today.year

    first = subject.once("rows", find)
    with subject.reading() as reads:
        assert subject.once("rows", find) == first
    assert reads == {"frame", "today"}


def test_what_is_read_inside_is_read_outside(subject: Subject) -> None:
    with subject.reading() as outer:
        with subject.reading() as inner:
            assert not subject.told
        assert subject.tests == []
    assert (inner, outer) == ({"told"}, {"told", "tests"})


def test_rows_of_an_indicator_are_read_from_the_frame(subject: Subject) -> None:
    subject.once("values", lambda s: {})  # somebody asked before
    with subject.reading() as reads:
        subject.values(SimpleNamespace(id="a"))  # type: ignore[arg-type]
    assert reads == {"frame"}


def _stored(marks: dict[str, str]) -> dict[str, Stored]:
    verdict: Any = Verdict(
        table="t",
        check="c",
        scope="s",
        status=Status.PASS,
        observed="",
        expected="",
        message_de="",
        message_en="",
    )
    return {"c": Stored(CheckResult([verdict], frozenset(marks), True), marks)}


@pytest.mark.parametrize("name", sorted(INPUTS - {"verdicts"}))
def test_a_result_holds_while_every_input_it_read_is_the_same(name: str) -> None:
    tonight = dict.fromkeys(INPUTS, "same")
    assert set(valid(_stored({name: "same"}), tonight)) == {"c"}
    assert valid(_stored({name: "same", "frame": "other"}), tonight) == {}
    assert valid(_stored({name: "other"}), tonight) == {}
    unread = dataclasses.replace(_stored({name: "same"})["c"])
    others = {n: "other" for n in INPUTS if n != name} | {name: "same"}
    assert set(valid({"c": unread}, others)) == {"c"}


def test_a_result_that_read_what_has_no_fingerprint_is_never_kept() -> None:
    assert valid(_stored({"verdicts": "same"}), {"frame": "same"}) == {}
