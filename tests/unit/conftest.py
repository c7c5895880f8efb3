"""Unit tests need no network, dbt, Dagster or Great Expectations: one that asks for them fails."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

HEAVY = ("dagster", "dbt", "great_expectations")


class Refusal:
    """Finds the heavy packages before anybody else, and says no."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] in HEAVY:
            raise ImportError(f"{name} is not for unit tests")
        return None


def _is_heavy(name: str, module: ModuleType) -> bool:
    """One of the packages, or a module of ours that holds one."""
    if name.partition(".")[0] in HEAVY:
        return True
    if not name.startswith(("orchestration.", "expectations.")):
        return False
    held = (value for value in vars(module).values() if isinstance(value, ModuleType))
    return any(value.__name__.partition(".")[0] in HEAVY for value in held)


@contextmanager
def light() -> Iterator[None]:
    """Without the heavy packages, though tests of other folders have imported them in this process."""
    hidden = {name: module for name, module in list(sys.modules.items()) if _is_heavy(name, module)}
    attributes: list[tuple[ModuleType, str, object]] = []
    for name in hidden:
        del sys.modules[name]
        parent, _, last = name.rpartition(".")
        holder = sys.modules.get(parent)
        if holder is not None and last in vars(holder):
            attributes.append((holder, last, vars(holder)[last]))
            delattr(holder, last)
    refusal = Refusal()
    sys.meta_path.insert(0, refusal)  # type: ignore[arg-type]
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)  # type: ignore[arg-type]
        sys.modules.update(hidden)
        for holder, last, value in attributes:
            setattr(holder, last, value)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Any:
    """Modules are imported when they are collected."""
    with light():
        return (yield)


@pytest.fixture(scope="module", autouse=True)
def nothing_heavy() -> Iterator[None]:
    """For every unit test: no heavy import, and no connection but to this machine itself."""
    connect = socket.socket.connect

    def nearby(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "::1"):
            raise OSError(f"no network in unit tests: {address}")
        connect(self, address)

    with light(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", nearby)
        yield
