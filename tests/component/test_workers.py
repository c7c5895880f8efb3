"""Worker processes: order, errors, and what happens when one of them dies."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orchestration.resources.workers import ALONE, WorkerError, Workers, worker_count
from tests.support.nights import PROJECT


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    workers = Workers(2)
    yield workers
    workers.close()


def test_results_come_in_the_order_of_the_tasks(pool: Workers) -> None:
    numbers = [900, 3, 500, 1]
    assert pool.map(math.factorial, numbers) == [math.factorial(n) for n in numbers]
    assert ALONE.map(math.factorial, numbers) == [math.factorial(n) for n in numbers]


def test_tasks_run_in_other_processes_and_alone_in_this_one(pool: Workers) -> None:
    assert os.getpid() not in set(pool.map(_pid, [0, 0]))
    assert set(ALONE.map(_pid, [0, 0])) == {os.getpid()}


def test_tasks_beside_the_body_are_done_after_it(pool: Workers) -> None:
    with pool.alongside(abs, [-3, -1, -2]) as results:
        assert results == []
    assert results == [3, 1, 2]


def test_what_the_body_raises_is_raised_and_no_task_runs_any_more(pool: Workers, tmp_path: Path) -> None:
    marks = [tmp_path / str(n) for n in range(8)]
    with pytest.raises(ValueError, match="of the body"), pool.alongside(write_slowly, marks):
        raise ValueError("of the body")
    written = {mark for mark in marks if mark.exists()}
    assert len(written) < len(marks), "those that had not begun are left out"
    time.sleep(0.5)
    assert {mark for mark in marks if mark.exists()} == written


@pytest.mark.parametrize("count", [1, 2])
def test_an_error_keeps_its_type_and_its_words(count: int) -> None:
    workers = Workers(count)
    with pytest.raises(ValueError, match="not defined for negative values"):
        workers.map(math.factorial, [3, -1, 3])
    assert workers.map(math.factorial, [3, 2]) == [6, 2]
    workers.close()


def test_a_worker_that_is_killed_is_one_clear_error(pool: Workers) -> None:
    with pytest.raises(WorkerError, match="it was killed, or the machine ran out of memory"):
        pool.map(_kill_itself, [0, 0, 0])
    assert pool.map(math.factorial, [3, 2]) == [6, 2]  # a new pool takes the next tasks


def test_memory_that_runs_out_is_one_clear_error(pool: Workers) -> None:
    with pytest.raises(WorkerError, match="ran out of memory"):
        pool.map(_ask_for_too_much, [0, 0])


def test_workers_end_with_a_process_that_is_killed() -> None:
    code = (
        "import time\nfrom orchestration.resources.workers import Workers\n"
        "w = Workers(2)\nw.map(abs, [1, 2, 3])\nprint('ready', flush=True)\ntime.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    started = psutil.Process(process.pid).children(recursive=True)
    assert len(started) >= 3  # the process they are forked from, and two workers
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for _ in range(100):
        if not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in started):
            return
        time.sleep(0.1)
    pytest.fail(f"still running: {[child for child in started if child.is_running()]}")


def test_a_worker_writes_nothing_to_standard_output() -> None:
    """DuckDB draws progress bars where it takes a process for a notebook."""
    query = "__import__('duckdb').sql(\"select current_setting('enable_progress_bar')\").fetchone()"
    workers = Workers(2)
    assert workers.map(_answer, [query, query]) == [(False,), (False,)]
    workers.close()


def test_the_number_of_workers_is_what_the_configuration_says() -> None:
    assert worker_count(3) == 3
    assert worker_count("auto") == len(os.sched_getaffinity(0))


def write_slowly(mark: Path) -> None:
    """A task that takes a while and leaves a mark."""
    time.sleep(0.3)
    mark.write_text("")


def _pid(_: int) -> int:
    time.sleep(0.2)  # so that one process does not take both tasks
    return os.getpid()


def _kill_itself(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _ask_for_too_much(_: int) -> None:
    raise MemoryError


def _answer(expression: str) -> object:
    return eval(expression)
