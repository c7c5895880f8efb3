"""What is not built after a failure, though dbt runs in two parts."""

from __future__ import annotations

from orchestration.compute.dbt import NodeResult, blocked_by, descendants

GRAPH = {
    "child_map": {
        "source.a": ["model.one", "test.source"], "model.one": ["model.two", "test.one"],
        "model.two": ["model.three", "test.both"], "model.other": ["model.three", "test.both"],
        "model.three": ["test.three", "exposure.site"], "test.one": [], "test.both": [], "test.three": [],
    },
    "parent_map": {
        "test.one": ["model.one"], "test.both": ["model.two", "model.other"], "test.three": ["model.three"],
        "test.source": ["source.a"],
    },
}  # fmt: skip


def result(name: str, status: str) -> NodeResult:
    return NodeResult(name, status, None, None, 0.0)


def test_descendants_are_models_and_tests() -> None:
    assert descendants(GRAPH, ["model.two"]) == {"model.three", "test.both", "test.three"}


def test_nothing_is_blocked_by_what_is_well() -> None:
    well = [result("model.one", "success"), result("test.one", "pass"), result("test.both", "warn")]
    assert blocked_by(GRAPH, well) == set()


def test_a_failed_model_blocks_what_descends_from_it() -> None:
    for status in ("error", "skipped"):
        blocked = blocked_by(GRAPH, [result("model.two", status)])
        assert blocked == {"model.two", "model.three", "test.both", "test.three"}


def test_a_failed_test_blocks_what_descends_from_all_it_speaks_of() -> None:
    assert blocked_by(GRAPH, [result("test.one", "fail")]) >= {"model.two", "model.three"}
    # Of two models: only what is made of both.
    assert blocked_by(GRAPH, [result("test.both", "fail")]) == {"model.three", "test.both", "test.three"}
