"""Landing: immutable snapshots, known hashes, refusals, and series that lost their end."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pandas as pd
import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.genesis import FormatError
from orchestration.collect.landing import Delivery, Landing, Reception
from tests.unit.files import SCHOOLS_NAME, V4_NAME, V5_NAME, population_v4, population_v5, schools

NIGHT = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)


@pytest.fixture
def landing(tmp_path: Path, catalogue: Catalogue) -> Landing:
    return Landing(tmp_path / "landing", catalogue)


def put(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def receive(landing: Landing, files: list[Path], night: dt.datetime, *, synthetic: bool) -> list[Reception]:
    landing.clean()
    return landing.receive([Delivery.of_file(file) for file in files], night, synthetic=synthetic)


def test_a_delivery_lands_whole(landing: Landing, tmp_path: Path) -> None:
    file = put(tmp_path / "in", SCHOOLS_NAME, schools(), "cp1252")
    (reception,) = receive(landing, [file], NIGHT, synthetic=False)
    assert (reception.status, reception.format) == ("accepted", "datencsv")
    (snapshot,) = landing.snapshots()
    assert (snapshot.folder / SCHOOLS_NAME).read_bytes() == file.read_bytes()
    origin = json.loads((snapshot.folder / "origin.json").read_text())
    assert origin["stand"] == "2025-03-13T16:39:14"
    assert origin["encoding"] == "cp1252"
    assert origin["taken_at"] == NIGHT.isoformat()
    assert origin["synthetic"] is False
    assert "Gebietsstand" in origin["footnotes"]
    rows = pd.read_parquet(landing.reading(snapshot).parquet)
    assert len(rows) == 2 * 12 * 6
    assert {"value", "sign", "unit"} <= set(rows.columns)


def test_the_same_hash_makes_no_new_snapshot(landing: Landing, tmp_path: Path) -> None:
    file = put(tmp_path / "in", V5_NAME, population_v5())
    receive(landing, [file], NIGHT, synthetic=False)
    before = sorted(landing.folder.rglob("*"))
    copy = put(tmp_path / "again", "12411-01-01-4_renamed.csv", population_v5())
    results = receive(landing, [file, copy], NIGHT + dt.timedelta(days=1), synthetic=False)
    assert [r.status for r in results] == ["known", "known"]
    assert sorted(landing.folder.rglob("*")) == before


def test_one_bad_file_refuses_itself_only(landing: Landing, tmp_path: Path) -> None:
    good = put(tmp_path / "in", V4_NAME, population_v4())
    bad = put(tmp_path / "in", SCHOOLS_NAME, schools().split("__________")[0])
    results = {r.file: r for r in receive(landing, [good, bad], NIGHT, synthetic=False)}
    assert results[V4_NAME].status == "accepted"
    assert results[SCHOOLS_NAME].status == "refused"
    assert results[SCHOOLS_NAME].table_code == "21111-01-03-4"
    assert "cut short" in (results[SCHOOLS_NAME].reason or "")
    assert [s.table_code for s in landing.snapshots()] == ["12411-01-01-4"]
    assert {r.file: r for r in landing.receptions()} == results


def test_the_last_accepted_snapshot_stays_when_the_next_is_refused(landing: Landing, tmp_path: Path) -> None:
    receive(landing, [put(tmp_path / "a", V5_NAME, population_v5())], NIGHT, synthetic=False)
    (before,) = landing.snapshots()
    broken = put(tmp_path / "b", V5_NAME, population_v5()[:-30])
    receive(landing, [broken], NIGHT + dt.timedelta(days=1), synthetic=False)
    assert landing.snapshots() == [before]


def series(years: range, stand: str) -> str:
    """21111-01-03-4 over several years, with its date."""
    text = schools(years[0])
    head, rest = text.split("\n__________")
    lines = head.split("\n")
    rows = [line for line in lines if line.startswith(f"{years[0]};")]
    for year in years[1:]:
        lines += [f"{year}{row[4:]}" for row in rows]
    return "\n".join(lines) + "\n__________" + rest.replace("13.03.2025", stand)


def test_a_newer_series_that_ends_earlier_goes_backwards(landing: Landing, tmp_path: Path) -> None:
    first = put(tmp_path / "a", SCHOOLS_NAME, series(range(2020, 2025), "01.03.2025"))
    receive(landing, [first], NIGHT, synthetic=False)
    second = put(tmp_path / "b", SCHOOLS_NAME, series(range(2020, 2024), "01.03.2026"))
    (result,) = receive(landing, [second], NIGHT + dt.timedelta(days=1), synthetic=False)
    assert result.status == "refused"
    assert "found the last period 2024-07-31" in (result.reason or "")
    assert "at least 2025-07-31" in (result.reason or "")


def test_an_archived_single_year_may_come_late(landing: Landing, tmp_path: Path) -> None:
    receive(
        landing,
        [put(tmp_path / "a", SCHOOLS_NAME, series(range(2020, 2025), "01.03.2025"))],
        NIGHT,
        synthetic=False,
    )
    late = put(tmp_path / "b", "21111-01-03-4_2015.csv", series(range(2015, 2016), "01.03.2026"))
    assert [r.status for r in receive(landing, [late], NIGHT, synthetic=False)] == ["accepted"]


def test_a_changed_contract_adds_a_reading_and_keeps_the_old(landing: Landing, tmp_path: Path) -> None:
    receive(landing, [put(tmp_path / "in", SCHOOLS_NAME, schools())], NIGHT, synthetic=False)
    (snapshot,) = landing.snapshots()
    before = {p.name: p.read_bytes() for p in snapshot.folder.iterdir()}
    table = landing.catalogue.tables["21111-01-03-4"]
    changed = landing.catalogue.model_copy(
        update={
            "tables": {
                **landing.catalogue.tables,
                table.code: table.model_copy(update={"since": 1990}),
            }
        }
    )
    reading = Landing(landing.folder, changed).reading(snapshot)
    assert reading.parquet.name not in before
    assert {name: (snapshot.folder / name).read_bytes() for name in before} == before


def test_an_old_snapshot_that_cannot_be_read_any_more_stops_nobody(landing: Landing, tmp_path: Path) -> None:
    """A contract that changed makes it unreadable; the next delivery is judged all the same."""
    receive(
        landing,
        [put(tmp_path / "a", SCHOOLS_NAME, series(range(2020, 2023), "01.03.2025"))],
        NIGHT,
        synthetic=False,
    )
    table = landing.catalogue.tables["21111-01-03-4"]
    fewer = table.model_copy(update={"columns": table.columns[:-1]})
    stricter = landing.catalogue.model_copy(
        update={"tables": {**landing.catalogue.tables, table.code: fewer}}
    )
    today = Landing(landing.folder, stricter)
    with pytest.raises(FormatError):
        today.reading(today.snapshots()[0])
    text = series(range(2020, 2024), "01.03.2026")
    narrow = "\n".join(line.rsplit(";", 1)[0] if line.count(";") > 5 else line for line in text.split("\n"))
    (result,) = receive(today, [put(tmp_path / "b", SCHOOLS_NAME, narrow)], NIGHT, synthetic=False)
    assert result.status == "accepted", result.reason


def test_what_a_crash_left_is_swept_away(landing: Landing, tmp_path: Path) -> None:
    leftover = landing.folder / "12411-01-01-4" / ".20261123T010000Z_abcdef12.part"
    leftover.mkdir(parents=True)
    (leftover / "half").write_text("x")
    assert landing.snapshots() == []
    receive(landing, [put(tmp_path / "in", V5_NAME, population_v5())], NIGHT, synthetic=False)
    assert not leftover.exists()
    assert len(landing.snapshots()) == 1


def test_the_same_content_in_other_bytes_is_known(landing: Landing, tmp_path: Path) -> None:
    """Downloads shuffle their rows and carry their moment in the name: the content decides."""
    receive(landing, [put(tmp_path / "a", V5_NAME, population_v5())], NIGHT, synthetic=False)
    header, *rows = population_v5().rstrip("\n").split("\n")
    shuffled = "\n".join([header, *reversed(rows)]) + "\n"
    later = V5_NAME.replace("1773175772751", "1773275772751")
    files = [put(tmp_path / "b", later, shuffled)]
    (result,) = receive(landing, files, NIGHT + dt.timedelta(days=1), synthetic=False)
    assert result.status == "known"
    changed = put(tmp_path / "c", later, shuffled.replace(";11;", ";12;"))
    (result,) = receive(landing, [changed], NIGHT + dt.timedelta(days=2), synthetic=False)
    assert result.status == "accepted"
    back = put(tmp_path / "d", V5_NAME.replace("1773175772751", "1773375772751"), shuffled)
    (result,) = receive(landing, [back], NIGHT + dt.timedelta(days=3), synthetic=False)
    assert result.status == "accepted", "a figure that goes back to what it was is news"


def test_a_table_as_it_was_known_on_a_day(landing: Landing, tmp_path: Path) -> None:
    """Every download stays; a day's view is made of the states until then, cell by cell."""
    old, new = "1704067200000", "1735689600000"  # 01.01.2024, 01.01.2025
    first = population_v5(2023, {"07111": (10, 4, 6), "07137": (20, 9, 11)})
    second = population_v5(2023, {"07111": (11, 5, 6), "07137": (20, 9, 11)})
    names = [V5_NAME.replace("1773175772751", moment) for moment in (old, new)]
    files = [put(tmp_path / "a", names[0], first), put(tmp_path / "b", names[1], second)]
    receive(landing, files, NIGHT, synthetic=False)

    def koblenz(day: dt.date | None) -> list[float]:
        rows = landing.table("12411-01-01-4", as_of=day).to_pandas()
        return list(rows[(rows["area_code"] == "07111") & (rows["GES"] == "")]["value"])

    assert koblenz(dt.date(2024, 6, 1)) == [10]
    assert koblenz(dt.date(2025, 1, 1)) == koblenz(None) == [11]
    assert landing.table("12411-01-01-4", as_of=dt.date(2025, 1, 1)).num_rows == 6
    with pytest.raises(LookupError, match="no state of 12411-01-01-4 before"):
        landing.table("12411-01-01-4", as_of=dt.date(2020, 1, 1))


def test_a_new_footnote_is_a_new_state(landing: Landing, tmp_path: Path) -> None:
    """The same figures with another note: the note may be the series break."""
    receive(landing, [put(tmp_path / "a", SCHOOLS_NAME, schools())], NIGHT, synthetic=False)
    noted = (
        schools().replace("Gebietsstand", "Gebietsstand, Reihenbruch", 1).replace("13.03.2025", "14.03.2025")
    )
    (result,) = receive(landing, [put(tmp_path / "b", SCHOOLS_NAME, noted)], NIGHT, synthetic=False)
    assert result.status == "accepted"


def test_an_older_state_delivered_twice_is_one(landing: Landing, tmp_path: Path) -> None:
    """Compared with the state before it in time, not with the newest."""
    new = schools().replace("3913", "3914")
    receive(landing, [put(tmp_path / "a", SCHOOLS_NAME, new)], NIGHT, synthetic=False)
    old = schools().replace("13.03.2025", "13.03.2024")
    (first,) = receive(landing, [put(tmp_path / "b", SCHOOLS_NAME, old)], NIGHT, synthetic=False)
    again = old.replace("\n", "\r\n")
    (second,) = receive(landing, [put(tmp_path / "c", SCHOOLS_NAME, again)], NIGHT, synthetic=False)
    assert (first.status, second.status) == ("accepted", "known")


def test_what_came_by_a_job_has_the_moment_it_came(landing: Landing) -> None:
    """A job's file carries no moment in its name; without one it would have no vintage."""
    name = "12411-01-01-4_175879554_flat.csv"
    origin = {"kind": "genesis", "retrieved_at": "2026-11-24T01:02:03+00:00"}
    landing.receive([Delivery(name, population_v5().encode, origin)], NIGHT, synthetic=False)
    (snapshot,) = landing.snapshots()
    assert snapshot.stand == "2026-11-24T01:02:03"
