"""A small city of one's own: its registers in drop folders or a database, outside the home."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from expectations.catalogue import Catalogue
from expectations.catalogue.registers import ColumnType, Register
from orchestration.collect.registers.collect import Arrived, collect_registers
from orchestration.collect.registers.databases import DELIVERED_ON
from orchestration.collect.registers.drops import Drop
from orchestration.collect.sample.population import unit_of
from orchestration.collect.sample.register_files import Delivery, write_delivery
from orchestration.collect.sample.registers import RegisterWriter
from orchestration.resources.home import Home
from orchestration.settings import DEFAULT_CONFIG, CityDistrict, Settings, load_settings

KEY = "a key for tests that is long enough to be one"
NIGHT = dt.datetime(2026, 11, 24, 6, tzinfo=dt.UTC)


def koblenz_districts() -> list[CityDistrict]:
    return load_settings(DEFAULT_CONFIG).registers.districts


@lru_cache(maxsize=2)
def city(
    code: str = "07111", districts: int = 30, year: int = 2025, seed: int = 7111
) -> tuple[RegisterWriter, dict[str, Delivery]]:
    """One year of an invented city: its writer, and every delivery by register."""
    named = koblenz_districts()[:districts]
    writer = RegisterWriter(code, named, unit_of(code), seed)
    return writer, {d.register: d for d in writer.deliveries(year, year, start=year)}


def deliver(
    catalogue: Catalogue, drops: Path, deliveries: dict[str, Delivery], only: list[str] | None = None
) -> None:
    """Put deliveries into their drop folders."""
    for name, delivery in deliveries.items():
        if only is None or name in only:
            drop = Drop(drops / name)
            drop.prepare()
            write_delivery(catalogue.registers[name].for_city("07111"), delivery, drop.inbox)


def config_of(
    path: Path,
    registers: dict[str, Any],
    official: dict[str, Any] | None = None,
    *,
    tables: tuple[str, ...] = (),
    publication: dict[str, Any] | None = None,
    **city: str,
) -> Path:
    """A configuration with registers; official statistics from an empty folder unless said otherwise."""
    if official is None:
        (path.parent / "official").mkdir(exist_ok=True)
        official = {"source": "folder", "directory": str(path.parent / "official")}
    named = [d.model_dump(exclude_none=True) for d in koblenz_districts()]
    facts: dict[str, Any] = {
        "municipality": {"code": "07111", "name": "Koblenz", **city},
        "official_statistics": official,
        "registers": {"source": "city", "districts": named, **registers},
    }
    if tables:
        facts["tables"] = list(tables)
    if publication:
        facts["publication"] = publication
    path.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")  # JSON is YAML
    return path


def collect(settings: Settings, home: Home, catalogue: Catalogue, day: int = 0) -> dict[str, list[Arrived]]:
    """One night of the registers; what arrived, by register."""
    home.prepare()
    found: dict[str, list[Arrived]] = {}
    for arrived in collect_registers(settings, home, catalogue, NIGHT + dt.timedelta(days=day)):
        found.setdefault(arrived.register, []).append(arrived)
    return found


def delivered_table(delivery: Delivery, register: Register) -> pd.DataFrame:
    """A delivery as rows of a database that mirrors it: kept columns, decimal points, the reference day."""
    frame = delivery.frame[list(dict.fromkeys(c.name for c in register.kept))].astype(str)
    numbers = [c.name for c in register.kept if c.type is ColumnType.NUMBER]
    frame[numbers] = frame[numbers].apply(lambda column: column.str.replace(",", "."))
    return frame.assign(**{DELIVERED_ON: delivery.reference.isoformat()})


def tables_of(
    catalogue: Catalogue, writer: RegisterWriter, deliveries: dict[str, Delivery]
) -> dict[str, pd.DataFrame]:
    """The same deliveries as tables of a database; the school administration's as edoo.sys has them."""
    found = {
        name: delivered_table(delivery, catalogue.registers[name])
        for name, delivery in deliveries.items()
        if catalogue.registers[name].query is None
    }
    return {**found, **writer.edoo.tables()}


def into_sqlite(tables: dict[str, pd.DataFrame], path: Path) -> str:
    with sqlite3.connect(path) as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False)
    connection.close()
    return f"sqlite:///{path}"


def into_postgresql(tables: dict[str, pd.DataFrame], url: str) -> None:
    """COPY every table; edoo.sys' own into schema asv, with dates as dates."""
    import psycopg

    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("create schema asv")
        for name, frame in tables.items():
            kinds = {
                c: "bigint" if pd.api.types.is_integer_dtype(frame[c]) else "text" for c in frame.columns
            }
            kinds |= dict.fromkeys({"geburtsdatum", "datum", "stichtag"} & set(frame.columns), "date")
            place = f"asv.{name}" if name.startswith("svp_") else f'public."{name}"'
            columns = ", ".join(f'"{c}" {kind}' for c, kind in kinds.items())
            cursor.execute(f"create table {place} ({columns})")  # type: ignore[arg-type]
            with cursor.copy(f"copy {place} from stdin") as copy:  # type: ignore[arg-type]
                for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False, name=None):
                    copy.write_row(row)
