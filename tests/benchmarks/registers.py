"""A million residents from PostgreSQL and from CSV into the vault, against pandas.

    python -m tests.benchmarks.registers --rows 1000000 --runs 3

Ours checks every row, drops names, makes ages and keyed hashes, and keeps the records in the vault.
`pandas` only copies: read_sql or read_csv without names and addresses, then to_sql into an SQLite
file; it checks and hides nothing. `pandas, hiding` makes ages and the same keyed hashes on the way.
Every run is a process of its own, they take turns; wall seconds and the process' peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile

import pandas as pd

from tests.support.nights import PROJECT
from tests.support.registers import city
from tests.support.servers import postgresql

_MEASURED = """
import json, resource, sys, time
source, folder = sys.argv[1:3]
{prepare}
wall = time.perf_counter()
rows = {read}
wall = time.perf_counter() - wall
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(dict(rows=rows, wall=wall, peak=peak / 1024)))
"""

_OURS = """
import datetime as dt
import pandas, pyarrow.dataset  # duckdb loads them with the first Arrow batch; the peers' imports aren't timed either
from pathlib import Path
from expectations.catalogue import load_catalogue
from orchestration.collect.registers import databases, files
from orchestration.collect.registers.door import admit
from orchestration.collect.registers.keys import delivery_key
from orchestration.collect.registers.vault import Vault
register = load_catalogue().registers["residents"]
vault = Vault(Path(folder) / "vault" / "registers")
moment = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
def take(arrival):
    key = delivery_key(b"a key for a benchmark that hides nobody", "residents", "1")
    admitted = admit(register, arrival, key, vault.staging, moment.date())
    with vault.opened() as connection:
        return vault.keep(connection, register, admitted, b"", "residents__1", moment).rows
"""

_PANDAS = """
import pandas as pd, sqlalchemy as sa
target = sa.create_engine(f"sqlite:///{folder}/vault.sqlite")
def keep(frames):
    rows = 0
    for frame in frames:
        frame.to_sql("residents", target, if_exists="append", index=False)
        rows += len(frame)
    return rows
"""

_HIDING = (
    _PANDAS
    + """
import hashlib, hmac
def hashed(texts):
    return texts.map(lambda text: hmac.new(b"a key for a benchmark that hides nobody", text.encode(), hashlib.sha256).digest())
def hide(frame):
    born = pd.to_datetime(frame.pop("Geburtsdatum"), format="%d.%m.%Y")
    return frame.assign(age=2025 - born.dt.year, PID=hashed(frame["PID"]), Haushalt=hashed(frame["Haushalt"]))
"""
)

WAYS = {
    ("csv", "bildungsmonitor"): (_OURS, "take(files.read_file(register, Path(source)))"),
    ("csv", "pandas"): (
        _PANDAS
        + "drop = ['Familienname', 'Vornamen', 'Straße', 'Hausnummer']\n"
        + "chunks = pd.read_csv(source, sep=';', encoding='cp1252', dtype=str, chunksize=100_000)",
        "keep(chunk.drop(columns=drop) for chunk in chunks)",
    ),
    ("csv", "pandas, hiding"): (
        _HIDING
        + "drop = ['Familienname', 'Vornamen', 'Straße', 'Hausnummer']\n"
        + "chunks = pd.read_csv(source, sep=';', encoding='cp1252', dtype=str, chunksize=100_000)",
        "keep(hide(chunk.drop(columns=drop)) for chunk in chunks)",
    ),
    ("postgresql", "bildungsmonitor"): (
        _OURS,
        "take(databases.read_database(source, register, dt.date(2025, 12, 31)))",
    ),
    ("postgresql", "pandas"): (
        _PANDAS
        + "engine = sa.create_engine(source.replace('postgresql://', 'postgresql+psycopg://'))\n"
        + "connection = engine.connect().execution_options(stream_results=True)",
        "keep(pd.read_sql(sa.text('select * from residents'), connection, chunksize=100_000))",
    ),
    ("postgresql", "pandas, hiding"): (
        _HIDING
        + "engine = sa.create_engine(source.replace('postgresql://', 'postgresql+psycopg://'))\n"
        + "connection = engine.connect().execution_options(stream_results=True)",
        "keep(map(hide, pd.read_sql(sa.text('select * from residents'), connection, chunksize=100_000)))",
    ),
}


def residents(rows: int) -> pd.DataFrame:
    """So many invented residents with numbers of their own."""
    _, deliveries = city()
    one = deliveries["residents"].frame
    copies = pd.concat([one] * -(-rows // len(one)), ignore_index=True).head(rows)
    copies["PID"] = [f"{n:012d}" for n in range(rows)]
    return copies


def measure(way: tuple[str, str], source: str) -> dict[str, float]:
    prepare, read = WAYS[way]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        done = subprocess.run(
            [sys.executable, "-c", _MEASURED.format(prepare=prepare, read=read), source, folder],
            cwd=PROJECT, check=True, capture_output=True, text=True,
        )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    import psycopg

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    frame = residents(arguments.rows)
    with postgresql("registers") as (folder, address):
        path = folder / "residents.csv"
        frame.to_csv(path, sep=";", index=False, encoding="cp1252", errors="replace")
        url = address.replace("postgresql+psycopg://", "postgresql://")
        kept = frame.drop(columns=["Familienname", "Vornamen", "Straße", "Hausnummer"])
        kept = kept.assign(lieferung_stichtag="2025-12-31")
        with psycopg.connect(url) as connection, connection.cursor() as cursor:
            columns = ", ".join(f'"{name}" text' for name in kept.columns)
            cursor.execute(f"create table residents ({columns})")  # type: ignore[arg-type]
            with cursor.copy("copy residents from stdin") as copy:
                for start in range(0, len(kept), 50_000):
                    copy.write(kept.iloc[start : start + 50_000].to_csv(sep="\t", header=False, index=False))
        sources = {"csv": str(path), "postgresql": url}
        found: dict[tuple[str, str], list[dict[str, float]]] = {way: [] for way in WAYS}
        for _ in range(arguments.runs):
            for way, results in found.items():
                results.append(measure(way, sources[way[0]]))
    print(f"{arguments.rows:,} residents, medians of {arguments.runs}")
    for source in sources:
        walls = {w[1]: statistics.median(r["wall"] for r in found[w]) for w in WAYS if w[0] == source}
        for who, wall in walls.items():
            peak = max(r["peak"] for r in found[source, who])
            ratio = f"   it / ours: {wall / walls['bildungsmonitor']:.1f}"
            print(
                f"  {source:<11} {who:<16} {arguments.rows / wall:>9,.0f} rows/s {wall:6.1f} s {peak:5.0f} MiB peak{ratio}"
            )


if __name__ == "__main__":
    main()
