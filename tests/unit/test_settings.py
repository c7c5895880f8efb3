"""Configuration: secrets and paths from the environment, one clear error otherwise."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from orchestration.resources.clock import now, stamp
from orchestration.settings import DEFAULT_CONFIG, ConfigurationError, load_settings


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_embedded_default_is_koblenz_on_the_sample() -> None:
    settings = load_settings(DEFAULT_CONFIG)
    assert settings.municipality.code == "07111"
    assert settings.official_statistics.source == "sample"


def test_a_folder_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILDUNGSMONITOR_OFFICIAL_DIR", str(tmp_path))
    settings = load_settings(DEFAULT_CONFIG.with_name("koblenz-official.yaml"))
    assert settings.official_statistics.directory == tmp_path


def test_the_network_is_configured_and_its_secrets_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("REGIONALSTATISTIK_USER", "REGIONALSTATISTIK_PASSWORD", "DESTATIS_USER", "DESTATIS_PASSWORD")
    for name in names:
        monkeypatch.setenv(name, f"geheim-{name}")
    settings = load_settings(DEFAULT_CONFIG.with_name("koblenz-network.yaml"))
    hosts = settings.official_statistics.hosts
    assert set(hosts) == {"regionalstatistik", "destatis"}
    assert hosts["destatis"].password.get_secret_value() == "geheim-DESTATIS_PASSWORD"
    assert "geheim" not in repr(settings) + settings.model_dump_json()
    assert settings.employment_agency is not None
    assert settings.school_directory is not None


@pytest.mark.parametrize("password", ["geheim-99\\r", "geheim-99\\n", " geheim-99"])
def test_a_password_with_a_line_break_is_refused_without_being_shown(tmp_path: Path, password: str) -> None:
    """A .env file saved on Windows ends its lines with CR."""
    text = f"""municipality: {{code: "07111", name: K}}
official_statistics: {{source: network, hosts: {{x: {{base_url: "http://y", username: u, password: "{password}"}}}}}}
"""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(write(tmp_path / "city.yaml", text))
    shown = "".join(traceback.format_exception(caught.value))
    assert "official_statistics.hosts.x.password" in shown
    assert "geheim-99" not in shown


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("municipality: {code: 07111, name: Koblenz}\nofficial_statistics: {source: sample}", "municipality.code"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: folder}', "give a directory"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: web}', "official_statistics.source"),
        ('municipality: {code: "07111", name: K, x: 1}\nofficial_statistics: {source: sample}', "municipality.x"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: folder, directory: "${NOT_SET_XY}"}', "NOT_SET_XY"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: folder, directory: /nowhere}', "expected a folder"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: network}', "give hosts for source 'network'"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: network, hosts: {x: {base_url: ftp://y}}}', "official_statistics.hosts.x.base_url"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: folder, directory: ., extent: tiny}', "only the sample has one"),
        ('municipality: {code: "07111", name: K}\nofficial_statistics: {source: sample}\nregisters: {extent: tiny}', "only the sample has one"),
        ("a: [", "not readable as YAML"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_and_field(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "city.yaml", text)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_settings(tmp_path / "none.yaml")


def test_the_clock_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795500000")
    assert stamp(now()) == "20261124T060000Z"
