"""The suite's own PostgreSQL server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psycopg


def test_a_pytest_beside_it_does_not_close_its_files(postgresql: str, tmp_path: Path) -> None:
    """pytest closes its temporary folder to other users, and a server that is started by root runs as one of them."""
    beside = tmp_path / "test_beside.py"
    beside.write_text(
        "def test_writes(tmp_path):\n    (tmp_path / 'file').write_text('')\n", encoding="utf-8"
    )
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(beside)],
        cwd=tmp_path, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    with psycopg.connect(postgresql, autocommit=True) as connection:
        connection.execute("checkpoint")
    with psycopg.connect(postgresql) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
