"""Writing files so that a crash leaves either the old one or the new one, never half of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole: beside its place first, then renamed into it."""
    temporary = path.with_name(f".{path.name}.part")
    with open(temporary, "wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON readable for people: indented, umlauts as they are, keys in their order."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
    write_bytes(path, text.encode("utf-8"))


def sync_folder(path: Path) -> None:
    """Make the names in a folder durable (a rename is only as durable as its folder)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def replace_folder(temporary: Path, final: Path) -> None:
    """Give a folder that was written whole its final name, in one step."""
    for file in temporary.rglob("*"):
        if file.is_file():
            with open(file, "rb") as handle:
                os.fsync(handle.fileno())
    sync_folder(temporary)
    os.rename(temporary, final)
    sync_folder(final.parent)


def remove(path: Path) -> None:
    """Remove a file or folder if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def file_hash(path: Path) -> str:
    """sha256 of a file's bytes."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
