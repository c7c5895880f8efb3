"""Every test belongs to one of two tiers: `make test`, or the rest of `make test-all`."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.conftest import COLLECTED, FULL_TIER, ORDER
from tests.support.nights import PROJECT

EVERYTHING = {p.relative_to(PROJECT).as_posix() for p in (PROJECT / "tests").rglob("test_*.py")}


def recipe(target: str) -> str:
    """What a target of the Makefile runs."""
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    (found,) = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    return str(found).strip()


def test_each_test_is_in_one_tier(request: pytest.FixtureRequest) -> None:
    """One command asks for the mark and the other for its absence, of all that pytest finds; neither names a folder or a file."""
    assert recipe("tests-default") == '$(PYTEST) -m "not full_tier"'
    assert recipe("test-rest") == "$(PYTEST) -m full_tier"
    assert "tests" not in next(
        line for line in (PROJECT / "Makefile").read_text().splitlines() if line.startswith("PYTEST =")
    )
    collected = request.config.stash[COLLECTED]
    tiers = {True: set(), False: set()}  # type: dict[bool, set[str]]
    for name, is_full in collected:
        tiers[is_full].add(name)
    default, full = tiers[False], tiers[True]
    assert len(default) + len(full) == len(collected)
    assert default.isdisjoint(full)
    assert not [name for name in default if name.split("/")[1] in FULL_TIER]
    ran = {item.nodeid for item in request.session.items}
    assert (
        ran in (default, full, default | full)
        or request.config.option.file_or_dir
        or request.config.option.keyword
    )
    if not request.config.option.file_or_dir:
        assert {name.partition("::")[0] for name, _ in collected} == EVERYTHING


def test_every_folder_with_tests_has_its_place() -> None:
    """A new folder is put into a tier and into the order on purpose."""
    light = {"architecture", "disclosure", "unit"}
    assert {name.split("/")[1] for name in EVERYTHING} == {*FULL_TIER, *ORDER} | light


def test_every_campaign_and_benchmark_has_a_slice() -> None:
    """Some test imports it, so that none can break unseen."""
    text = "\n".join((PROJECT / name).read_text(encoding="utf-8") for name in sorted(EVERYTHING))
    bare = [
        f"{folder}.{path.stem}"
        for folder in ("campaigns", "benchmarks")
        for path in sorted((PROJECT / "tests" / folder).glob("[a-z]*.py"))
        if not re.search(rf"from tests\.{folder}(?:\.{path.stem} import| import [^)]*?\b{path.stem}\b)", text)
    ]
    assert bare == []


@pytest.mark.parametrize(
    "target", ["night", "test-all", "campaigns", "bench", "scale", "duckdb2", "lock", "clean"]
)
def test_make_knows_what_it_would_do(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout
