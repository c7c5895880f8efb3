"""A small city whose delivered files are changed as a sender's mistake would, and what its readers then get."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.publish.release import Release, ReleaseStore

LATER = "1795600000"
WAIVED = "1795650000"
LATER_STILL = "1795700000"
LEAVERS = "21111-02-06-4.csv"


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


def arguments(city: Path) -> list[str]:
    """Of a command about this city."""
    return ["--config", str(city / "city.yaml"), "--home", str(city / "var"), "--json"]


def served(city: Path) -> Release:
    """The whole release that its readers get."""
    release = ReleaseStore(city / "var" / "releases").current()
    assert release is not None
    assert release.damage() == []
    return release


def abitur(release: Release) -> float:
    """How many left school with the Abitur, as this release has it."""
    rows = (
        duckdb.connect(str(release.folder / "mart.duckdb"), read_only=True)
        .execute(
            """select numerator from indicator_value where indicator_id = 'leavers_with_abitur_percent'
            and area_code = '07111' and period_label = '2024/25' and sex = 'total'"""
        )
        .fetchall()
    )
    return rows[0][0]


def poison(city: Path) -> None:
    """Koblenz's Abitur column ten times too high, as a lost decimal makes it."""
    file = city / "delivery" / LEAVERS
    line = next(x for x in file.read_text(encoding="cp1252").split("\n") if x.startswith("2025;07111;"))
    edit_line(file, "2025;07111;", {15: str(10 * int(line.split(";")[15]))})
    newer(file, "20.11.2026")
