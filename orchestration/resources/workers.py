"""A pool of worker processes: what does not depend on one another is computed at the same time.

Belongs here: starting processes, handing tasks out, returning results in order, and what happens when a process dies.
Does not belong here: what a task computes. A task and its result are small: a worker never gets the whole mart.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import import_module
from multiprocessing import forkserver
from multiprocessing.connection import wait as wait_for
from types import ModuleType
from typing import Any, Literal, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_PRELOADED = [
    "orchestration.resources.worker_main",
    "expectations.disclosure.release",
    "orchestration.confirm.gate",
    "orchestration.publish.workbook",
]
"""What every worker and most tasks need; the process that workers are forked from imports it once for all of them."""


class WorkerError(RuntimeError):
    """A worker process ended before it answered: it was killed, or the machine ran out of memory."""


class Workers:
    """A pool of `count` processes that starts when it is first used. With one, tasks run in this process.

    The result of a task never depends on `count`, nor on which process computed it.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ProcessPoolExecutor | None = None

    def map(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> list[Result]:
        """The results in the order of the tasks. Put long tasks first: they are started in this order.

        `function` is a module's own function; tasks and results can be pickled. Raises what the first failed
        task raised, and WorkerError if a process died. No task runs any more when it raises.
        """
        tasks = list(tasks)
        if self.count == 1 or len(tasks) < 2:
            return [function(task) for task in tasks]
        return self.results([self.submit(function, task) for task in tasks])

    def submit(self, function: Callable[[Task], Result], task: Task) -> Future[Result]:
        """Start one task and go on; `results` waits for it. With one worker it is computed at once.

        Raises WorkerError if a process died before.
        """
        if self.count == 1:
            done: Future[Result] = Future()
            done.set_result(function(task))
            return done
        try:
            with _bare_main():  # a task may start a process
                return self._started().submit(function, task)
        except BrokenProcessPool as error:
            raise self._died() from error

    def results(self, futures: Sequence[Future[Result]]) -> list[Result]:
        """Wait for tasks. Raises as `map` does."""
        try:
            finished = wait(futures, return_when=FIRST_EXCEPTION).done
            for future in futures:
                if future in finished:
                    future.result()  # raises before anything waits for the tasks that still run
            return [future.result() for future in futures]
        except BrokenProcessPool as error:
            raise self._died() from error
        except MemoryError as error:
            raise WorkerError(f"a worker process ran out of memory; {_ADVICE}") from error
        finally:
            for future in futures:
                future.cancel()
            wait([future for future in futures if not future.cancelled()])

    @contextmanager
    def alongside(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[list[Result]]:
        """Compute tasks while the body of a `with` runs; the list has their results, in order, when the body is done.

        Raises as `map` does when the body has ended. What the body raises is raised; then no task runs any more, either.
        """
        results: list[Result] = []
        futures: list[Future[Result]] = []
        try:
            futures.extend(self.submit(function, task) for task in tasks)
            yield results
        except BaseException:
            wait([future for future in futures if not future.cancel()])
            raise
        results += self.results(futures)

    def prepare(self) -> None:
        """Let the process that workers are forked from begin with its imports; returns at once."""
        if self.count > 1 and _context().get_start_method() == "forkserver":
            with _bare_main():
                forkserver.ensure_running()

    def close(self) -> None:
        """End the processes and free what they hold. A later task starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.count, mp_context=_context(), initializer=_end_with_parent)
        return self._pool

    def _died(self) -> WorkerError:
        self.close()
        return WorkerError(
            f"a worker process ended before it answered: it was killed, or the machine ran out of memory; {_ADVICE}"
        )


ALONE = Workers(1)
"""No other processes: tasks run in this one."""

_ADVICE = "nothing of this run is kept; fewer `workers` in the configuration need less memory"


def worker_count(wanted: int | Literal["auto"]) -> int:
    """How many processes a configuration asks for. `auto`: as many as there are processors for this process."""
    return len(os.sched_getaffinity(0)) if wanted == "auto" else wanted


def _context() -> Any:
    """Processes that are forked from one small process with few imports; spawned where that does not exist."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    return context


@contextmanager
def _bare_main() -> Iterator[None]:
    """Hide the main module while processes start.

    They would import it again, and programs such as `python -m dagster` run when they are imported.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _end_with_parent() -> None:
    """End this worker when the process that started it ends, even if that was killed."""
    import_module("orchestration.resources.worker_main")  # spawned workers have preloaded nothing
    parent = multiprocessing.parent_process()

    def watch() -> None:
        assert parent is not None
        wait_for([parent.sentinel])
        os._exit(1)

    if parent is not None:
        threading.Thread(target=watch, daemon=True).start()
