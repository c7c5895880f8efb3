"""Reading two large official tables: this reader against pystatis and against duckdb's read_csv.

    python -m tests.benchmarks.reading --peer-python .venv-pystatis/bin/python --runs 7

All three get the same text, already unzipped. Ours and pystatis end in a typed long table; ours
keeps codes, signs and units, which pystatis drops. duckdb is the floor: it splits the lines and
casts the value, without knowing what a sign, a period or an area is. Every run is a process of its
own, the three take turns; CPU seconds of the reading alone, and the process' peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.support.nights import OFFICIAL, PROJECT

TABLES = ("12531-0043_175879554_flat.zip", "21311-01-01-4-B_1773175045085_de_flat.zip")

_MEASURED = """
import json, resource, sys, time
path = sys.argv[1]
{prepare}
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
wall, cpu = time.perf_counter(), time.process_time()
rows = {read}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps(dict(rows=rows, wall=wall, cpu=cpu, peak=peak / 1024, growth=(peak - before) / 1024)))
"""

READERS = {
    "bildungsmonitor": (
        "from orchestration.collect.genesis import read_official\n"
        "name, data = path.rsplit('/', 1)[1], open(path, 'rb').read()",
        "read_official(name, data).table.num_rows",
    ),
    "pystatis": (
        "import pystatis.table as t\n"
        "data = open(path, 'rb').read()\n"
        "t.load_data = lambda endpoint, **_: data if endpoint == 'data' else b'{}'\n"
        "t.db.identify_db_matches = lambda name: ['genesis']\n"
        "t.db.select_db_by_credentials = lambda matches: 'genesis'\n"
        "table = t.Table('12531-0043')\n",
        "(table.get_data(prettify=True), len(table.data))[1]",
    ),
    "duckdb read_csv": (
        "import duckdb\nconnection = duckdb.connect()\nconnection.execute('set threads = 1')",
        "connection.execute(\"create table t as select *, try_cast(replace(value, ',', '.') as double) as number"
        " from read_csv(?, delim=';', header=true, all_varchar=true, quote='', nullstr='')\", [path])"
        ".fetchall()[0][0]",
    ),
}


def measure(reader: str, path: Path, peer_python: str) -> dict[str, float]:
    prepare, read = READERS[reader]
    done = subprocess.run(
        [
            peer_python if reader == "pystatis" else sys.executable,
            "-c",
            _MEASURED.format(prepare=prepare, read=read),
            str(path),
        ],
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--peer-python", required=True, help="python of an environment with pystatis")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        for name in TABLES:
            with zipfile.ZipFile(OFFICIAL / "ffcsv_v5" / name) as archive:
                path = Path(folder) / name.replace(".zip", ".csv")
                path.write_bytes(archive.read(archive.namelist()[0]))
            found: dict[str, list[dict[str, float]]] = {reader: [] for reader in READERS}
            for _ in range(arguments.runs):
                for reader, results in found.items():
                    results.append(measure(reader, path, arguments.peer_python))
            print(f"{name.split('_')[0]} ({path.stat().st_size / 1e6:.1f} MB), medians of {arguments.runs}")
            medians = {
                reader: {key: statistics.median(r[key] for r in results) for key in results[0]}
                for reader, results in found.items()
            }
            ours = medians["bildungsmonitor"]
            for reader, m in medians.items():
                print(
                    f"  {reader:<16} {m['cpu']:6.2f} s CPU {m['wall']:6.2f} s wall"
                    f" {m['peak']:6.0f} MiB peak ({m['growth']:+.0f} while reading)   "
                    f"ours / it: CPU {ours['cpu'] / m['cpu']:.2f}, wall {ours['wall'] / m['wall']:.2f}, "
                    f"peak {ours['peak'] / m['peak']:.2f}   {m['rows']:.0f} rows"
                )


if __name__ == "__main__":
    main()
