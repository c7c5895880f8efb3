"""docs/questions.md: ten questions, each answered by one query on a release."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pytest

from tests.nights import PROJECT

TEXT = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS = re.findall(r"## (\d+\. .+?)\n\n```sql\n(.+?)```", TEXT, re.DOTALL)


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
