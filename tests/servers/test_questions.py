"""docs/questions.md: ten questions, each answered by one query on a release."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from orchestration.publish.database import Target
from orchestration.publish.release import ReleaseStore
from orchestration.service import service
from orchestration.settings import DatabaseTarget
from tests.support.questions import QUESTIONS, over_http


def test_there_are_ten() -> None:
    assert len(QUESTIONS) == 10


@pytest.mark.parametrize(("question", "query"), QUESTIONS, ids=[q.split(".")[0] for q, _ in QUESTIONS])
def test_a_question_is_answered_by_one_query(question: str, query: str, night_home: Path) -> None:
    """With rows, with a figure in every column, and with one statement."""
    assert query.count(";") == 1
    mart = duckdb.connect(str(night_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    found = mart.execute(query)
    columns = [column[0] for column in found.description]
    rows = found.fetchall()
    assert rows, question
    for position, name in enumerate(columns):
        assert any(row[position] is not None for row in rows), f"{question}: {name} is empty"


@pytest.fixture(scope="module")
def dashboard(night_home: Path, postgresql: str) -> Iterator[sa.Connection]:
    """A dashboard's connection to PostgreSQL, to which the night's release was published."""
    url = postgresql.replace("postgresql://", "postgresql+psycopg://")
    release = ReleaseStore(night_home / "releases").current()
    assert release is not None
    with Target(DatabaseTarget.model_validate({"url": url})) as target:
        target.serve(release, dt.datetime(2026, 11, 24, tzinfo=dt.UTC))
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        connection.execute(sa.text("set role bildungsmonitor_reader"))
        connection.execute(sa.text("set search_path to bildungsmonitor"))
        yield connection
    engine.dispose()


@pytest.mark.parametrize(("question", "query"), QUESTIONS, ids=[q.split(".")[0] for q, _ in QUESTIONS])
def test_three_ways_give_the_same_answer(
    question: str, query: str, night_home: Path, dashboard: sa.Connection
) -> None:
    """The mart's file, PostgreSQL as the reader's role, HTTP: the same statement, the same rows in any order of ties."""
    with duckdb.connect(str(night_home / "releases" / "current" / "mart.duckdb"), read_only=True) as mart:
        expected = mart.execute(query).fetchall()
    with TestClient(service(night_home / "releases")) as client:
        answers = {
            "postgresql": [tuple(row) for row in dashboard.execute(sa.text(query.rstrip().rstrip(";")))],
            "http": over_http(client, query),
        }
    for way, rows in answers.items():
        if "limit" in query:  # of equal rows either may be the tenth
            assert [row[1] for row in rows] == [row[1] for row in expected], way
        else:
            assert sorted(rows, key=repr) == sorted(expected, key=repr), way
