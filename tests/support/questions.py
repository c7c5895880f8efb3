"""The ten questions of docs/questions.md, and how their tables come over HTTP."""

from __future__ import annotations

import io
import re
from typing import Any

import duckdb
import httpx
import pyarrow.parquet as pq

from tests.support.nights import PROJECT

TEXT = (PROJECT / "docs" / "questions.md").read_text(encoding="utf-8")
QUESTIONS: list[tuple[str, str]] = re.findall(r"## (\d+\. .+?)\n\n```sql\n(.+?)```", TEXT, re.DOTALL)
"""Title with its number, and the query."""


def over_http(client: httpx.Client, query: str) -> list[tuple[Any, ...]]:
    """The tables of a query as Parquet files over HTTP, the query where they arrive."""
    with duckdb.connect() as connection:
        for table in sorted(set(re.findall(r"\b(pub_[a-z_]+|breakdown_cell)\b", query))):
            answer = client.get(f"/releases/current/files/parquet/{table}.parquet").raise_for_status()
            connection.register(table, pq.read_table(io.BytesIO(answer.content)))
        return connection.execute(query).fetchall()
