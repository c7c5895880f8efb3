"""Change single cells of delivered files, as a sender's mistake would."""

from __future__ import annotations

from pathlib import Path


def edit_line(file: Path, start: str, change: dict[int, str], encoding: str = "cp1252") -> None:
    """Replace cells (by position) of the first line that begins with `start`."""
    lines = file.read_text(encoding=encoding).split("\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(start))
    cells = lines[at].split(";")
    for position, text in change.items():
        assert cells[position] != text
        cells[position] = text
    lines[at] = ";".join(cells)
    file.write_bytes("\n".join(lines).encode(encoding))


def newer(file: Path, stand: str, encoding: str = "cp1252") -> None:
    """Give a datencsv file a later state of its data."""
    text = file.read_text(encoding=encoding)
    assert "Stand: 02.11.2026" in text
    file.write_bytes(text.replace("Stand: 02.11.2026", f"Stand: {stand}").encode(encoding))
