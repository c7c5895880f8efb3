"""A night whose worker dies: one sentence, nothing half done, and the next night is a good one."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import psutil

from tests.support.nights import PROJECT, command, contents, environment, run, tiny_config

TABLES = ("pub_schools",)
REGISTERS = ("block_sides", "schools", "pupils")


def killed_worker(*arguments: str) -> tuple[int, str]:
    """Start a night, kill the first worker it starts; exit code and what it said."""
    process = subprocess.Popen(
        command(*arguments), cwd=PROJECT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )  # fmt: skip
    night = psutil.Process(process.pid)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        # The night's own children are the process that workers are forked from, and others that are no workers.
        workers = [
            child for c in night.children() if "forkserver" in " ".join(c.cmdline()) for child in c.children()
        ]
        if workers:
            workers[0].kill()
            break
        time.sleep(0.02)
    out, _ = process.communicate(timeout=300)
    return process.returncode, out


def test_a_worker_that_is_killed_ends_the_night_and_leaves_nothing_half_done(tmp_path: Path) -> None:
    config = tiny_config(tmp_path / "city.yaml", *TABLES, registers=REGISTERS, workers=2)
    home = tmp_path / "var"
    arguments = ["nightly", "--config", str(config), "--home", str(home)]
    code, said = killed_worker(*arguments)
    assert code == 1, said
    assert "a worker process ended before it answered" in " ".join(said.split())
    assert not (home / "releases" / "current").exists()
    good = run(*arguments, "--json")
    assert good.code == 0, good.err
    served = contents(home)
    # A later night dies as well: readers keep what they have.
    code, said = killed_worker(*arguments, "--anew")
    assert code == 1, said
    assert contents(home) == served
