"""Any table printed in any dialect reads back to the same rows."""

from __future__ import annotations

import io
import itertools
import random
import zipfile

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.collect.genesis import read_official
from orchestration.collect.genesis.notation import Period, parse_period, parse_value
from tests.support.printing import Cell, flat_today, flat_until_2024, number, sheet

AREAS = ("DG", "07", "071", "07111", "07137", "03241001", "11000", "02000", "01001")
VARIABLES = {"GES": ("", "GESM", "GESW"), "NAT": ("", "NATA", "NATD"), "BILSA8": ("SCHULE03", "INSGESAMT1")}
MEASURES = (("BEVSTD", "Anzahl"), ("EKM011", "Tsd. EUR"), ("QUOTE1", "Prozent"), ("PREIS1", "2020=100"))

texts = st.one_of(
    st.integers(0, 10**9).map(str),
    st.integers(-(10**6), -1).map(str),
    st.decimals(-1000, 10**6, places=2, allow_nan=False).map(lambda d: number(float(d))),
    st.sampled_from(["-", ".", "...", "/", "x", "", "(17)", "12p", "3 r", "5s"]),
)
days = st.dates(min_value=pd.Timestamp("1990-01-01").date(), max_value=pd.Timestamp("2030-12-31").date())
times = st.one_of(
    days.map(str),
    st.integers(1990, 2030).map(str),
    st.integers(1990, 2030).map(lambda y: f"{y}/{(y + 1) % 100:02d}"),
    st.integers(1990, 2030).map(lambda y: f"WS {y}/{(y + 1) % 100:02d}"),
    st.tuples(st.integers(1990, 2030), st.sampled_from(["-04P6M", "-10P6M", "-Q3", "-05"])).map(
        lambda t: f"{t[0]}{t[1]}"
    ),
)


@st.composite
def tables(draw: st.DrawFn) -> list[Cell]:
    """A full matrix: areas × periods × items × measures, each cell with its own text."""
    areas = draw(st.lists(st.sampled_from(AREAS), min_size=1, max_size=4, unique=True))
    periods = draw(st.lists(times, min_size=1, max_size=2, unique_by=parse_period))
    variables = draw(st.lists(st.sampled_from(sorted(VARIABLES)), max_size=2, unique=True))
    measures = draw(st.lists(st.sampled_from(MEASURES), min_size=1, max_size=2, unique=True))
    combinations = itertools.product(*([(v, i) for i in VARIABLES[v]] for v in variables))
    return [
        Cell(area, time, tuple(items), measure, unit, draw(texts))
        for items in combinations
        for area, time, (measure, unit) in itertools.product(areas, periods, measures)
    ]


def meant(
    cell: Cell,
) -> tuple[str, Period | None, frozenset[tuple[str, str]], str, str, float | None, str | None]:
    value = parse_value(cell.text)
    assert value is not None
    return (
        cell.area, parse_period(cell.time), frozenset(cell.items), cell.measure, cell.unit, value.value, value.sign,
    )  # fmt: skip


def found(name: str, data: bytes, *, labels: tuple[str, ...] = ()) -> set[object]:
    rows = read_official(name, data)
    renamed = dict(zip((f"dimension_{n}" for n in range(1, len(labels) + 1)), labels, strict=True))
    frame = rows.frame.rename(columns=renamed)
    dimensions = [renamed.get(d, d) for d in rows.dimensions]
    return {
        (
            row["area_code"],
            Period(row["period_start"], row["period_end"], row["period_label"]),
            frozenset((d, row[d]) for d in dimensions if isinstance(row[d], str)),
            row["measure"],
            row["unit"],
            None if pd.isna(row["value"]) else row["value"],
            row["sign"] if isinstance(row["sign"], str) else None,
        )
        for row in frame.to_dict("records")
    }


@settings(max_examples=80)
@given(tables(), st.randoms(use_true_random=False), st.booleans(), st.sampled_from([",", "."]))
def test_flat_files_of_today(cells: list[Cell], order: random.Random, is_zipped: bool, decimal: str) -> None:
    """In any order of rows, zipped or not, with German or English decimals."""
    if decimal == ".":  # English exports count in `number`; a German count with a point is refused
        cells = [cell._replace(unit="number") if cell.unit == "Anzahl" else cell for cell in cells]
    shuffled = order.sample(cells, len(cells))
    data = flat_today("12411", shuffled, decimal=decimal).encode()
    name = "12411-01-01-4_1773175772751_de_flat.csv"
    if is_zipped:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(name, data)
        data, name = buffer.getvalue(), name.replace(".csv", ".zip")
    assert found(name, data) == {meant(cell) for cell in cells}


@settings(max_examples=60)
@given(tables(), st.sampled_from(["utf-8", "cp1252"]), st.sampled_from(["\n", "\r\n"]))
def test_flat_files_until_2024(cells: list[Cell], encoding: str, ending: str) -> None:
    data = flat_until_2024("12411", cells).replace("\n", ending).encode(encoding)
    assert found("12411-01-01-4_2024-12-04.ffcsv.csv", data) == {meant(cell) for cell in cells}


@settings(max_examples=80)
@given(tables(), st.sampled_from(["column", "lone lines", "title"]), st.sampled_from(["utf-8", "cp1252"]))
def test_sheets(cells: list[Cell], period_in: str, encoding: str) -> None:
    if period_in == "title":
        cells = [cell for cell in cells if cell.time == cells[0].time]
    cells = [c._replace(items=tuple((v, i or "Insgesamt") for v, i in c.items), unit="Anzahl") for c in cells]
    cells = list({(c.area, c.time, c.items, c.measure): c for c in cells}.values())
    labels = tuple(v for v, _ in cells[0].items)
    read = found(
        "12411-01-01-4.csv",
        sheet("12411-01-01-4", cells, period_in=period_in).encode(encoding),
        labels=labels,
    )
    assert read == {meant(cell) for cell in cells}
