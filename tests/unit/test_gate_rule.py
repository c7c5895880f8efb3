"""The rule of the gate: positive, complete and fresh evidence, or the table is held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from expectations.verdict import Status, Verdict, decide


def verdict(check: str, status: Status) -> Verdict:
    return Verdict(
        table="pub_x", check=check, scope="s", status=status, observed="o", expected="e",
        message_de=f"{check} schlecht", message_en=f"{check} bad", guidance_de="", guidance_en="",
    )  # fmt: skip


EXPECTED = {("range", "s"), ("arrival", "s")}


def test_all_passed_goes_out_with_warnings() -> None:
    rows = [verdict("range", Status.PASS), verdict("arrival", Status.WARN)]
    assert decide("pub_x", rows, EXPECTED, None).published


def test_a_failure_holds_with_its_reason() -> None:
    rows = [verdict("range", Status.FAIL), verdict("arrival", Status.PASS)]
    decision = decide("pub_x", rows, EXPECTED, None)
    assert not decision.published
    assert decision.reason_de == "range: range schlecht"
    assert decision.reason_en == "range: range bad"


def test_a_check_that_is_missing_holds() -> None:
    decision = decide("pub_x", [verdict("range", Status.PASS)], EXPECTED, None)
    assert not decision.published
    assert "arrival (s)" in (decision.reason_de or "")


def test_a_check_nobody_expected_holds() -> None:
    rows = [verdict(c, Status.PASS) for c in ("range", "arrival", "other")]
    assert not decide("pub_x", rows, EXPECTED, None).published


def test_stale_evidence_holds_whatever_it_says() -> None:
    rows = [verdict("range", Status.PASS), verdict("arrival", Status.PASS)]
    assert not decide("pub_x", rows, EXPECTED, "the checks were run on another content").published


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(list(Status)))),
    st.sets(st.sampled_from("abcd")),
)
def test_a_table_goes_out_only_on_complete_good_evidence(
    found: list[tuple[str, Status]], wanted: set[str]
) -> None:
    rows = [verdict(c, s) for c, s in found]
    decision = decide("pub_x", rows, {(c, "s") for c in wanted}, None)
    good = {c for c, _ in found} == wanted and not any(s.holds for _, s in found)
    assert decision.published == good
