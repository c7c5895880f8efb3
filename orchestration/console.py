"""What all commands share: where they print, options that mean the same everywhere, and how they stop.

Belongs here: printing and stopping. Does not belong here: what any command does.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from orchestration.run import USAGE

HomeOption = Annotated[Path, typer.Option("--home", help="Where everything is kept.")]
ConfigOption = Annotated[Path, typer.Option("--config", help="The municipality's configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]

out = Console()
err = Console(stderr=True)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


@contextmanager
def log_on_stderr() -> Iterator[None]:
    """What is logged meanwhile appears on standard error, so that a long run says how far it is."""
    log, handler = logging.getLogger("bildungsmonitor"), logging.StreamHandler()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def stop(message: str, code: int = USAGE) -> NoReturn:
    """Say why on standard error, in the words as they are, and end with this code."""
    err.print(message, style="red", highlight=False, soft_wrap=True, markup=False)
    raise typer.Exit(code)
