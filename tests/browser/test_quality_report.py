"""The quality report in a real browser: readable, by keyboard too, and nothing loaded from anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from orchestration.publish.release import ReleaseStore
from tests.browser.browser import Browser, BrowserError

PAGES = ("quality/index.html", "dictionary.html", "fields_of_action.html")


@pytest.fixture(scope="module")
def release(office_base: Path) -> Path:
    served = ReleaseStore(office_base / "var" / "releases").current()
    assert served is not None
    return served.folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages. A machine without its system libraries can't open any: the tests say which and skip."""
    with ExitStack() as stack:
        try:
            browser = stack.enter_context(Browser())
        except BrowserError as error:
            pytest.skip(f"no browser here: {error}")
        yield browser


def test_axe_sees_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """The proof that the other tests can fail."""
    page = tmp_path / "grey.html"
    page.write_text(
        "<!doctype html><html lang=de><meta charset=utf-8><title>x</title><main><h1>A</h1>"
        "<p style='background:#fff;color:#bbb'>kaum zu lesen</p></main></html>",
        encoding="utf-8",
    )
    browser.open(page.as_uri())
    assert [v["id"] for v in browser.violations()] == ["color-contrast"]


@pytest.mark.parametrize("page", PAGES)
def test_no_serious_finding(browser: Browser, release: Path, page: str, tmp_path: Path) -> None:
    browser.open((release / page).as_uri())
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = browser.violations()
    browser.picture(tmp_path / "page.png")
    serious = [
        (v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert (tmp_path / "page.png").stat().st_size > 20_000


def test_the_report_works_by_keyboard_and_alone(browser: Browser, release: Path) -> None:
    text = (release / "quality" / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!#)""", text), "nothing is loaded from elsewhere"
    assert "<script" not in text
    browser.open((release / "quality" / "index.html").as_uri())
    steps = [browser.tab() for _ in range(5)]
    assert steps[0].startswith("A Zu den Tabellen")
    assert steps[1].startswith("DIV")
    assert all(step.startswith("A ") for step in steps[2:])
    # The tiles say what the table says.
    rows = browser.run("document.querySelectorAll('section[aria-labelledby]').length")
    tiles = browser.run("document.querySelector('.tiles strong').textContent")
    assert tiles == f"{rows} / {rows}"


def test_the_report_fits_a_phone(browser: Browser, release: Path) -> None:
    with browser.sized(width=390, height=800):
        browser.open((release / "quality" / "index.html").as_uri())
        assert browser.run("document.documentElement.scrollWidth") <= 390
