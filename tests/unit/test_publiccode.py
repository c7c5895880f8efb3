"""publiccode.yml has what the standard calls mandatory, and says what pyproject.toml says."""

from __future__ import annotations

import tomllib

import yaml

from tests.support.nights import PROJECT

MANDATORY = {
    "publiccodeYmlVersion", "name", "url", "platforms", "categories", "developmentStatus", "softwareType", "description",
    "legal", "maintenance", "localisation",
}  # fmt: skip
STATUSES = {"concept", "development", "beta", "stable", "obsolete"}


def test_publiccode_is_complete_and_true() -> None:
    said = yaml.safe_load((PROJECT / "publiccode.yml").read_text(encoding="utf-8"))
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(said) >= MANDATORY
    assert said["developmentStatus"] in STATUSES
    assert (said["name"], said["softwareVersion"]) == (project["name"], project["version"])
    assert said["legal"]["license"] == project["license"]
    assert set(said["localisation"]["availableLanguages"]) == set(said["description"])
    for text in said["description"].values():
        assert len(text["shortDescription"]) <= 150
        assert 150 <= len(text["longDescription"]) <= 10_000
        assert all(len(feature) <= 100 for feature in text["features"])
    # `internal` maintenance has contacts, each with a name.
    assert said["maintenance"]["type"] != "internal" or all(
        c["name"] for c in said["maintenance"]["contacts"]
    )
