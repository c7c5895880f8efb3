"""What two served releases may differ in, for the tests that compare whole nights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.nights import differing

MANIFEST: dict[str, Any] = {
    "product": {"commit": "c0ffee"},
    "catalogue_hash": "1",
    "files": {"table.csv": "2"},
}


def served(home: Path, manifest: dict[str, Any], files: dict[str, str]) -> Path:
    """A home whose served release has these files."""
    release = home / "releases" / "20261124T060000Z"
    release.mkdir(parents=True)
    (release / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    for name, text in files.items():
        (release / name).write_text(text, encoding="utf-8")
    (home / "releases" / "current").symlink_to(release.name)
    return home


@pytest.mark.parametrize(
    ("manifest", "files", "expected"),
    [
        (MANIFEST, {"table.csv": "a"}, []),
        # A seed in the cache was made by an older commit of the same code.
        ({**MANIFEST, "product": {"commit": "decade"}}, {"table.csv": "a"}, []),
        ({**MANIFEST, "catalogue_hash": "3"}, {"table.csv": "a"}, ["manifest.json: catalogue_hash"]),
        ({**MANIFEST, "files": {"table.csv": "4"}}, {"table.csv": "b"}, ["manifest.json: files", "table.csv"]),
        (MANIFEST, {"table.csv": "a", "more.csv": "a"}, ["more.csv"]),
        (MANIFEST, {}, ["table.csv"]),
    ],
)  # fmt: skip
def test_releases_differ_in_all_but_the_product(
    tmp_path: Path, manifest: dict[str, Any], files: dict[str, str], expected: list[str]
) -> None:
    one = served(tmp_path / "one", MANIFEST, {"table.csv": "a"})
    assert differing(one, served(tmp_path / "other", manifest, files)) == expected
