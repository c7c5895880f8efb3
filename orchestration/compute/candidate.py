"""The candidate: a private database holding the snapshots in use and the catalogue.

Belongs here: landing and catalogue → schemas `raw` and `catalogue`, anew or only what became another.
Does not belong here: any computation; that is dbt's.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
from dataclasses import dataclass

import duckdb
import pandas as pd
import pyarrow as pa

from expectations.catalogue import Catalogue
from expectations.catalogue.model import TOTAL
from expectations.catalogue.registers import ColumnType, Register
from expectations.catalogue.relations import relations
from orchestration.collect.genesis import FormatError
from orchestration.collect.genesis.footnotes import footnotes_of
from orchestration.collect.genesis.workbook import MUNICIPALITY_LIST
from orchestration.collect.landing import Landing, Reading, Snapshot, landing_of
from orchestration.collect.registers.areas import FOREVER
from orchestration.collect.registers.landing import Snapshot as RegisterSnapshot
from orchestration.collect.registers.landing import register_landing
from orchestration.collect.school_directory import newest_schools
from orchestration.compute import increment
from orchestration.compute.increment import Inputs, Plan
from orchestration.compute.redelivery import write_kept_counts
from orchestration.ledger import answers
from orchestration.resources.clock import stamp
from orchestration.resources.files import remove
from orchestration.resources.home import Home
from orchestration.settings import Settings

LOG = logging.getLogger("bildungsmonitor")

SLOTS = 5
"""Dimensions a GENESIS table may have besides region and time; dbt's var genesis_slots."""


_NOT_WORTH_IT = "fsst,dict_fsst,alp,alprd,zstd"
"""Ways to compress that cost more than they save in a file that is written once a night (dbt_project/profiles.yml)."""


@dataclass(frozen=True)
class Loaded:
    """What went into the candidate; per table, why a snapshot can't be read under today's contract."""

    night_id: str
    rows: dict[str, int]
    unreadable: dict[str, str]
    plan: Plan


def load_candidate(
    home: Home, settings: Settings, catalogue: Catalogue, moment: dt.datetime, *, anew: bool = False
) -> Loaded:
    """Bring the candidate's raw and catalogue tables to tonight's state.

    Only tables whose columns the catalogue declares are loaded; other snapshots stay in the landing. Where
    nothing but some sources' deliveries differs from the last complete computation, only their rows are
    replaced and what was computed stays; otherwise, and if `anew`, everything is made from nothing.
    """
    landing = landing_of(home, settings.official_statistics, catalogue)
    readings, unreadable = _readings(landing, catalogue)
    registers = _registers_in_use(home, settings)
    around = _around(landing, home, settings)
    inputs = _inputs(home, settings, catalogue, readings, registers, around)
    plan = increment.planned(home, inputs)
    if anew and not plan.is_full:
        plan = Plan(True, sorted(inputs.sources), "asked for")
    if plan.is_full:
        for path in home.warehouse.glob("candidate.duckdb*"):
            remove(path)
    night_id = stamp(moment)
    with duckdb.connect(str(home.candidate)) as connection:
        connection.execute(f"set disabled_compression_methods = '{_NOT_WORTH_IT}'")
        # One transaction: several hundred of them would wait for the disk as often.
        connection.execute("begin")
        if plan.is_full:
            for schema in ("raw", "catalogue"):
                connection.execute(f"create schema {schema}")
            connection.execute(_observations_table())
            connection.execute(_measures_table(catalogue))
            for name, frame in relations(catalogue).items():
                _create(connection, f"catalogue.{name}", frame)
        increment.begin(connection, inputs, plan)
        increment.remember_areas(connection, plan)
        changed = set(plan.changed)
        _load_observations(connection, [r for r in readings if r.snapshot.table_code in changed], changed)
        _create(connection, "raw.genesis_snapshot", _snapshots(readings))
        refused = [{"table_code": t, "reason": r} for t, r in sorted(unreadable.items())]
        _create(connection, "raw.unreadable", pd.DataFrame(refused, columns=["table_code", "reason"]))
        _create(connection, "raw.genesis_area_name", _area_names(readings))
        _create(connection, "raw.genesis_footnote", _footnotes(readings, catalogue))
        for name, rows_of in around.items():
            _replace(connection, f"raw.{name}", rows_of)
        _load_registers(connection, catalogue, registers, changed)
        night = {
            "night_id": night_id,
            "catalogue_hash": catalogue.content_hash,
            "municipality": settings.municipality.code,
        }
        _create(connection, "raw.night", pd.DataFrame([night]))
        connection.execute("commit")
        rows = connection.execute(
            """select table_code, count(*) from raw.genesis_observation group by 1
            union all select 'register ' || register_id, count(*) from raw.register_measure group by 1"""
        ).fetchall()
    if plan.is_full or plan.changed:
        # Where nothing is computed, what stands in the tables stays beside what it was made of.
        write_kept_counts(home, list(catalogue.breakdowns))
    return Loaded(night_id, dict(rows), unreadable, plan)


def _around(landing: Landing, home: Home, settings: Settings) -> dict[str, pa.Table]:
    """What is there besides deliveries of figures: areas, schools, the city and its peers."""
    city = settings.municipality
    has_registers = settings.registers.source != "none"
    areas = register_landing(home, settings).areas() if has_registers else []
    pieces = [
        {"piece": n, "area_code": code, "valid_from": piece.valid_from, "valid_to": piece.valid_to}
        for n, piece in enumerate(register_landing(home, settings).pieces() if has_registers else [])
        for code in piece.codes
    ]
    local = [
        {
            "area_code": a.code, "area_name": a.name, "area_level": a.level, "parent_area_code": a.parent,
            "valid_from": None if a.valid_from in FOREVER else a.valid_from,
            "valid_to": None if a.valid_to in FOREVER else a.valid_to,
        }
        for a in areas
    ]  # fmt: skip
    return {
        "area_register": pa.Table.from_pandas(_area_register(landing), preserve_index=False),
        "school_directory": newest_schools(home),
        "municipality": pa.table({"area_code": [city.code], "area_name": [city.name]}),
        "peer": pa.table({"area_code": pa.array(city.peers.areas if city.peers else [], pa.string())}),
        "local_area": pa.Table.from_pylist(local, schema=_LOCAL_AREA),
        "area_piece": pa.Table.from_pylist(pieces, schema=_AREA_PIECE),
        "confidentiality": pa.Table.from_pylist([
            {f"few_{name}": number for name, number in settings.confidentiality.model_dump().items()}
        ]),
    }  # fmt: skip


_AREA_PIECE = pa.schema([
    ("piece", pa.int32()), ("area_code", pa.string()), ("valid_from", pa.date32()), ("valid_to", pa.date32()),
])  # fmt: skip

_LOCAL_AREA = pa.schema([
    ("area_code", pa.string()), ("area_name", pa.string()), ("area_level", pa.string()),
    ("parent_area_code", pa.string()), ("valid_from", pa.date32()), ("valid_to", pa.date32()),
])  # fmt: skip


def _registers_in_use(home: Home, settings: Settings) -> list[RegisterSnapshot]:
    return register_landing(home, settings).snapshots() if settings.registers.source != "none" else []


def _inputs(
    home: Home,
    settings: Settings,
    catalogue: Catalogue,
    readings: list[Reading],
    registers: list[RegisterSnapshot],
    around: dict[str, pa.Table],
) -> Inputs:
    sources: dict[str, list[object]] = {}
    for reading in readings:
        s = reading.snapshot
        sources.setdefault(s.table_code, []).append(
            [s.id, s.sha256, s.taken_at, s.stand, s.footnotes, reading.content_sha256, reading.codebook]
        )
    for snapshot in registers:
        files = [f for f in (snapshot.measures, snapshot.rows) if f.exists()]
        hashes = [hashlib.sha256(f.read_bytes()).hexdigest() for f in files]
        sources.setdefault(snapshot.register, []).append([snapshot.delivery, snapshot.accepted_at, *hashes])
    whole = increment.fingerprint(
        increment.code_hash(), catalogue.content_hash, sorted(catalogue.published),
        settings.municipality.model_dump(mode="json"), answers(home), *around.values(),
    )  # fmt: skip
    return Inputs(whole, {name: increment.fingerprint(found) for name, found in sources.items()})


def _readings(landing: Landing, catalogue: Catalogue) -> tuple[list[Reading], dict[str, str]]:
    readings, unreadable = [], {}
    for snapshot in landing.snapshots():
        table = catalogue.tables.get(snapshot.table_code)
        if table is None or not table.is_bound:
            continue
        try:
            readings.append(landing.reading(snapshot))
        except FormatError as error:
            unreadable[snapshot.table_code] = error.message
    readings.sort(key=lambda r: (r.snapshot.age_key, r.snapshot.id))
    return readings, unreadable


def _observations_table() -> str:
    slots = "".join(f"variable_{n}_code varchar, item_{n}_code varchar, " for n in range(1, SLOTS + 1))
    return f"""
    create table raw.genesis_observation (
        snapshot_id varchar, table_code varchar, area_code varchar, area_level varchar,
        period_start date, period_end date, period_label varchar, {slots}
        measure_code varchar, value double, sign varchar, unit varchar
    )"""


def _measures_table(catalogue: Catalogue) -> str:
    # Counts taken before a breakdown was declared lack its column: they are totals of it.
    breakdowns = "".join(f"\"{name}\" varchar default '{TOTAL}', " for name in catalogue.breakdowns)
    return f"""
    create table raw.register_measure (
        delivery_id varchar, register_id varchar, measure_id varchar, area_code varchar, area_level varchar,
        period_start date, period_end date, period_label varchar, {breakdowns} value double, accepted_at timestamp
    )"""


def _load_observations(
    connection: duckdb.DuckDBPyConnection, readings: list[Reading], changed: set[str]
) -> None:
    """The rows of these readings in place of those that the changed tables had."""
    connection.execute(
        "delete from raw.genesis_observation where list_contains($changed, table_code)",
        {"changed": sorted(changed)},
    )
    for reading in readings:
        if len(reading.dimensions) > SLOTS:
            raise ValueError(f"{reading.snapshot.id} has more than {SLOTS} dimensions")
        chosen = []
        # By name, so that a cell stands in the same slots whatever file it came in.
        dimensions = sorted(reading.dimensions)
        for n in range(SLOTS):
            if n < len(dimensions):
                name = dimensions[n].replace('"', '""')
                chosen.append(f"""case when "{name}" is not null then '{name}' end, "{name}\"""")
            else:
                chosen.append("null, null")
        connection.execute(
            f"""insert into raw.genesis_observation
            select $snapshot, table_code, area_code, area_level, period_start, period_end,
                period_label, {", ".join(chosen)}, measure, value, sign, unit
            from read_parquet($file)""",
            {"snapshot": reading.snapshot.id, "file": str(reading.parquet)},
        )


def _load_registers(
    connection: duckdb.DuckDBPyConnection,
    catalogue: Catalogue,
    in_use: list[RegisterSnapshot],
    changed: set[str],
) -> None:
    """The counts of the changed registers in place of those they had, and the rows that are told."""
    connection.execute(
        "delete from raw.register_measure where list_contains($changed, register_id)",
        {"changed": sorted(changed)},
    )
    declared = [name for name, measure in catalogue.measures.items() if measure.register_ is not None]
    for snapshot in in_use:
        if snapshot.register not in changed:
            continue
        connection.execute(
            """insert into raw.register_measure by name
            select $delivery as delivery_id, $register as register_id, $accepted::timestamp as accepted_at, *
            from read_parquet($file) where list_contains($declared, measure_id)""",
            {
                "delivery": snapshot.delivery, "register": snapshot.register, "accepted": snapshot.accepted_at,
                "file": str(snapshot.measures), "declared": declared,
            },
        )  # fmt: skip
    for name, register in catalogue.registers.items():
        if register.rows_are_told:
            _load_rows(connection, register, [s for s in in_use if s.register == name])


_ROW_TYPES = {
    ColumnType.INTEGER: "bigint", ColumnType.NUMBER: "double", ColumnType.DATE: "date", ColumnType.FLAG: "boolean",
}  # fmt: skip
"""The type of a told column in SQL; every other one is text."""


def _load_rows(
    connection: duckdb.DuckDBPyConnection, register: Register, snapshots: list[RegisterSnapshot]
) -> None:
    """The rows of a register that are told, of all deliveries in use; an empty table without any."""
    columns = ", ".join(f'"{c.id}" {_ROW_TYPES.get(c.type, "varchar")}' for c in register.kept)
    connection.execute(f"create or replace table raw.told__{register.id} (period_end date, {columns})")
    for snapshot in snapshots:
        if snapshot.rows.exists():  # not in a delivery whose records were gone before they were told
            connection.execute(
                f"insert into raw.told__{register.id} by name "
                "select $end::date as period_end, * from read_parquet($file)",
                {"end": snapshot.period_end, "file": str(snapshot.rows)},
            )


_EMPTY_TYPES = {"value": "float64", "from": "datetime64[s]", "to": "datetime64[s]"}
"""The type of a column without any entry, by the last word of its name."""


def _create(connection: duckdb.DuckDBPyConnection, name: str, frame: pd.DataFrame) -> None:
    # A column without any entry has no type of its own, unless it was given one.
    empty = [c for c in frame.columns if frame[c].dtype == object and frame[c].isna().all()]
    typed = frame.astype({c: _EMPTY_TYPES.get(c.rsplit("_", 1)[-1], "str") for c in empty})
    _replace(connection, name, typed)


def _replace(connection: duckdb.DuckDBPyConnection, name: str, rows: pd.DataFrame | pa.Table) -> None:
    connection.register("incoming", rows)
    connection.execute(f"create or replace table {name} as select * from incoming")
    connection.unregister("incoming")


def _snapshots(readings: list[Reading]) -> pd.DataFrame:
    def row(rank: int, snapshot: Snapshot) -> dict[str, object]:
        return {
            "snapshot_id": snapshot.id,
            "table_code": snapshot.table_code,
            "file_name": snapshot.file,
            "sha256": snapshot.sha256,
            "taken_at": pd.Timestamp(snapshot.taken_at).tz_convert(None),
            "stand": pd.Timestamp(snapshot.stand) if snapshot.stand else pd.NaT,
            "licence": snapshot.licence,
            "is_synthetic": snapshot.synthetic,
            "age_rank": rank,
        }

    columns = [
        "snapshot_id", "table_code", "file_name", "sha256", "taken_at", "stand", "licence",
        "is_synthetic", "age_rank",
    ]  # fmt: skip
    rows = [row(rank, reading.snapshot) for rank, reading in enumerate(readings)]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.astype({"taken_at": "datetime64[us]", "stand": "datetime64[us]"})


def _area_names(readings: list[Reading]) -> pd.DataFrame:
    rows = [
        {"snapshot_id": reading.snapshot.id, "area_code": code, "area_name": name}
        for reading in readings
        for code, name in sorted(reading.codebook["areas"].items())
    ]
    return pd.DataFrame(rows, columns=["snapshot_id", "area_code", "area_name"])


def _area_register(landing: Landing) -> pd.DataFrame:
    """Every key on every list of municipalities in the landing, with the list's day."""
    rows = []
    for snapshot in landing.snapshots(MUNICIPALITY_LIST):
        try:
            codebook = landing.reading(snapshot).codebook
        except FormatError as error:  # a list of an older reader: the others still speak
            LOG.warning("compute | a list of municipalities is no longer readable: %s", error)
            continue
        rows += [
            {"area_code": code, "area_name": name, "as_of": codebook["register"]}
            for code, name in sorted(codebook["areas"].items())
        ]
    frame = pd.DataFrame(rows, columns=["area_code", "area_name", "as_of"])
    return frame.astype({"area_code": "str", "area_name": "str", "as_of": "datetime64[s]"})


def _footnotes(readings: list[Reading], catalogue: Catalogue) -> pd.DataFrame:
    """One row per snapshot, footnote, Land and span of years it names; empty where it names none."""
    columns = [
        "snapshot_id", "number", "heading", "area_scope", "first_year", "last_year", "breakdown", "cell",
        "note",
    ]  # fmt: skip
    rows: list[dict[str, object]] = []
    for reading in readings:
        for number, note in enumerate(footnotes_of(reading.snapshot.footnotes), start=1):
            breakdown, cell = _cell_of(note.heading, reading.snapshot.table_code, catalogue)
            rows += [
                {
                    "snapshot_id": reading.snapshot.id,
                    "number": number,
                    "heading": note.heading,
                    "area_scope": area,
                    "first_year": first,
                    "last_year": last,
                    "breakdown": breakdown,
                    "cell": cell,
                    "note": note.text,
                }
                for area in note.areas or (None,)
                for first, last in note.years or ((None, None),)
            ]
    frame = pd.DataFrame(rows, columns=columns)
    years = {"number": "Int32", "first_year": "Int32", "last_year": "Int32"}
    texts = dict.fromkeys(("snapshot_id", "heading", "area_scope", "breakdown", "cell", "note"), "str")
    return frame.astype({**years, **texts})


def _cell_of(heading: str | None, table_code: str, catalogue: Catalogue) -> tuple[str | None, str | None]:
    """The cell a footnote's heading means: the one whose longest label stands in it."""
    if heading is None:
        return None, None
    table = catalogue.tables[table_code]
    found: tuple[int, str, str] | None = None
    for variable in table.variables():
        classification = catalogue.classifications.get(variable)
        if classification is None:
            continue
        labels = {c.id: c.label.de for c in catalogue.breakdowns[classification.breakdown].cells}
        for item in classification.items:
            if item.cell == TOTAL:
                continue
            for label in {*item.labels, labels.get(item.cell, "")} - {""}:
                if label.lower() in heading.lower() and (found is None or len(label) > found[0]):
                    found = (len(label), classification.breakdown, item.cell)
    return (found[1], found[2]) if found else (None, None)
