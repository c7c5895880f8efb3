"""A count given out otherwise: checked, written into the ledger, and what it lets readers work out.

Belongs here: what an answer may name, and the attack after it. Does not belong here: arguments and printing (cli.py).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb
import numpy as np

from expectations.catalogue import Catalogue
from expectations.catalogue.base import TOTAL
from expectations.disclosure.blur import known_of_rounded
from orchestration.confirm.evidence import CandidateError, connect
from orchestration.confirm.opened import opened_by
from orchestration.ledger import add_answer
from orchestration.resources.home import Home


class AnswerError(ValueError):
    """An answer that names no count: what was found, and what was expected."""


@dataclass(frozen=True)
class Given:
    """A figure given out, of which count, to whom and when. `cells`: breakdown → cell, those not named are the total."""

    measure: str
    area: str
    period_end: dt.date
    value: int
    rounded_to: int
    cells: dict[str, str]
    to: str
    on: dt.date


def record(home: Home, catalogue: Catalogue, given: Given) -> list[str]:
    """Write it down. What it lets readers work out together with everything told, in words without figures.

    Raises AnswerError where the mart has no such count, or another figure of it.
    """
    try:
        with connect(home) as connection:
            delivery, true = _counted(connection, catalogue, given)
            low, high = _known(given)
            if not low <= true <= high:
                raise AnswerError(
                    f"found {given.value}, expected what the register says: another figure tells nothing of this count"
                )
            count = {
                "measure_id": given.measure, "counted_period_end": given.period_end.isoformat(), "area_code": given.area,
                **{name: given.cells.get(name, TOTAL) for name in catalogue.breakdowns}, "delivery_id": delivery,
                "low": low, "high": high,
            }  # fmt: skip
            add_answer(home, count, given.to, given.on)
            return opened_by(connection, home, catalogue, given.measure)
    except CandidateError as error:
        raise AnswerError(str(error)) from error


def _known(given: Given) -> tuple[float, float]:
    """Between what whoever got the figure knows the count to be."""
    low, high = known_of_rounded(np.array([float(given.value)]), given.rounded_to)
    return float(low[0]), float(high[0])


def _counted(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue, given: Given) -> tuple[str, float]:
    """The delivery that the count is of, and the count. Raises AnswerError."""
    measure = catalogue.measures.get(given.measure)
    if measure is None or measure.register_ is None:
        known = ", ".join(name for name, m in catalogue.measures.items() if m.register_)
        raise AnswerError(f"found measure '{given.measure}', expected one counted in a register: {known}")
    for name, cell in given.cells.items():
        cells = [c.id for c in catalogue.breakdowns[name].cells] if name in catalogue.breakdowns else None
        if cells is None:
            raise AnswerError(f"found breakdown '{name}', expected one of {', '.join(catalogue.breakdowns)}")
        if cell not in cells:
            raise AnswerError(f"{name}: found cell '{cell}', expected one of {', '.join(cells)}")
    where = "measure_id = ? and area_code = ? and period_end = ?" + "".join(
        f" and {name} = ?" for name in catalogue.breakdowns
    )
    cells = [given.cells.get(name, TOTAL) for name in catalogue.breakdowns]
    rows = connection.execute(
        f"select delivery_id, value from raw.register_measure where {where}",
        [given.measure, given.area, given.period_end, *cells],
    ).fetchall()
    if not rows:
        told = ", ".join(f"{k}={v}" for k, v in given.cells.items()) or "no cells"
        raise AnswerError(
            f"found {given.measure}, {given.area}, {given.period_end}, {told}, expected a count of a delivery in use"
        )
    return str(rows[-1][0]), float(rows[-1][1])
