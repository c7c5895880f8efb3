"""Whole nights over the network: forty tables, faults, a kill in the middle of a job, and no secret."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

from expectations.catalogue import Catalogue
from orchestration.collect.landing import Landing
from tests.replay.city import SECRETS, codes_of, network_config, sample_tables, table_text
from tests.replay.server import PASSING, PASSWORD, USER, Faults, Replay, serving
from tests.support.nights import PROJECT, command, environment, invoke

LARGE = "21111-02-06-4"


def test_a_night_of_forty_tables_killed_in_a_job_and_run_again(tmp_path: Path, catalogue: Catalogue) -> None:
    bound = sample_tables(tmp_path / "sample", catalogue)
    codes = sorted([*bound, *codes_of(catalogue, 40 - len(bound))])
    tables = {code: bound.get(code) or table_text(code) for code in codes}
    assert len(tables) == 40
    home = tmp_path / "var"
    with serving(Replay(tables=tables, large={LARGE: 10**6}, slow_seconds=1.5)) as replay:
        config = network_config(tmp_path / "city.yaml", replay, codes)
        arguments = ("nightly", "--config", str(config), "--home", str(home), "--json")

        night = subprocess.Popen(
            command(*arguments), cwd=PROJECT, env=environment(**SECRETS), start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        ends = time.monotonic() + 120
        while replay.count("catalogue/results") < 4 and time.monotonic() < ends:
            time.sleep(0.05)
        assert night.poll() is None, night.communicate()
        os.killpg(night.pid, signal.SIGKILL)
        said = "".join(night.communicate())
        (job,) = replay.jobs

        replay.jobs[job] = 2
        replay.faults = Faults(share=0.05, kinds=PASSING, seed=3)
        later = environment(**SECRETS)["SOURCE_DATE_EPOCH"]
        again = invoke(*arguments, **SECRETS, SOURCE_DATE_EPOCH=str(int(later) + 3600))
        assert again.code == 0, again.out + again.err
        said += again.out + again.err
        started = [f for p, f in replay.asked if p == "data/tablefile" and f["job"] == "true"]
        assert [f["name"] for f in started] == [LARGE], "the job was started once and taken up again"
        assert replay.removed == [job]

    status = invoke("status", "--home", str(home), "--json", **SECRETS)
    said += status.out + status.err
    delivered = {d["table_code"]: d["status"] for d in status.json["delivery"]}
    assert set(delivered) == set(codes)
    assert set(delivered.values()) <= {"accepted", "known"}
    landing = Landing(home / "landing" / "official", catalogue)
    assert sorted(s.table_code for s in landing.snapshots()) == codes, "each table once, none half"
    origin = json.loads((landing.snapshots(LARGE)[0].folder / "origin.json").read_text())["origin"]
    assert origin["job"] == job
    assert {t["status"] for t in status.json["tables"].values()} == {"published"}

    files = [p for p in home.rglob("*") if p.is_file()]
    assert any(p.suffix == ".db" for p in files), "Dagster's events are looked at, too"
    for secret in (USER, PASSWORD):
        assert secret not in said
        assert [p for p in files if secret.encode() in p.read_bytes()] == []
