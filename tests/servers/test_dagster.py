"""Dagster's own processes: validation, the graph in the web server, the schedule in the daemon."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from expectations.catalogue import Catalogue
from tests.support.nights import PROJECT, environment, tiny_config
from tests.support.registers import KEY, city, config_of, deliver
from tests.support.seeds import clone
from tests.support.servers import free_port


@pytest.fixture
def home(tiny_home: Path, tmp_path: Path) -> Path:
    """A home of one's own after one small night."""
    return clone(tiny_home, tmp_path / "var")


def tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def dagster_environment(home: Path) -> dict[str, str]:
    return environment(
        DAGSTER_HOME=str(home / "dagster"), DAGSTER_DISABLE_TELEMETRY="yes", BILDUNGSMONITOR_HOME=str(home)
    )


@contextmanager
def running(arguments: list[str], home: Path, env: dict[str, str], log: Path) -> Iterator[None]:
    """A server with all its children, stopped at the end whatever happens."""
    with open(log, "w") as handle:
        process = subprocess.Popen(
            arguments, cwd=PROJECT, env=env, stdout=handle, stderr=handle, start_new_session=True
        )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def ask(port: int, query: str) -> Any:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": query}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def test_definitions_are_valid(home: Path) -> None:
    done = subprocess.run(
        [tool("dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=PROJECT, env=dagster_environment(home), capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation successful" in done.stdout + done.stderr


def test_the_web_server_shows_the_graph_in_four_groups_and_the_history(home: Path, tmp_path: Path) -> None:
    port = free_port()
    server = [tool("dagster-webserver"), "-h", "127.0.0.1", "-p", str(port), "-w", "workspace.yaml"]
    log = tmp_path / "web.log"
    with running(server, home, dagster_environment(home), log):
        deadline = time.monotonic() + 90
        while True:
            try:
                data = ask(
                    port,
                    "{ assetNodes { groupName assetKey { path } } runsOrError { ... on Runs { results { jobName status } } } }",
                )
                if data["assetNodes"]:
                    break
            except OSError:
                pass
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.5)
    groups: dict[str, set[str]] = {}
    for node in data["assetNodes"]:
        groups.setdefault(node["groupName"], set()).add("/".join(node["assetKey"]["path"]))
    assert sorted(groups) == ["collect", "compute", "confirm", "publish"]
    assert "raw/genesis__21111_01_03_4" in groups["collect"]
    assert "monitoring/fct_indicator_value" in groups["compute"]
    assert "confirm/pub_leavers" in groups["confirm"]
    assert groups["publish"] == {"release/current", "release/databases"}
    assert data["runsOrError"]["results"] == [{"jobName": "nightly", "status": "SUCCESS"}]


EVERY_MINUTE = '''
"""The product's own definitions with the schedule's clock set to every minute, for one test."""
import dagster as dg
from orchestration.definitions import build_defs
from orchestration.schedules import AT_TWO, NIGHTLY


@dg.definitions
def defs():
    product = build_defs()
    soon = dg.ScheduleDefinition(
        name=AT_TWO.name, job=NIGHTLY, cron_schedule="* * * * *",
        execution_timezone=AT_TWO.execution_timezone, default_status=dg.DefaultScheduleStatus.RUNNING,
    )
    return dg.Definitions(
        assets=product.assets, jobs=product.jobs, schedules=[soon], resources=product.resources
    )
'''


def test_the_schedule_is_two_in_berlin_in_every_season() -> None:
    from orchestration.schedules import AT_TWO

    assert AT_TWO.cron_schedule == "0 2 * * *"
    assert AT_TWO.execution_timezone == "Europe/Berlin"
    assert AT_TWO.job_name == "nightly"


def test_the_daemon_ticks_and_runs_the_night(home: Path, tmp_path: Path) -> None:
    """The real daemon, the real night; only the clock is set to every minute."""
    import dagster as dg

    plain = tiny_config(tmp_path / "plain.yaml")
    module = tmp_path / "every_minute.py"
    module.write_text(EVERY_MINUTE)
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(f"load_from:\n  - python_file: {module}\n")
    log = tmp_path / "daemon.log"
    daemon = [tool("dagster-daemon"), "run", "-w", str(workspace)]
    with (
        running(daemon, home, dagster_environment(home) | {"BILDUNGSMONITOR_CONFIG": str(plain)}, log),
        dg.DagsterInstance.from_config(str(home / "dagster")) as instance,
    ):
        deadline = time.monotonic() + 240
        while True:
            scheduled = [r for r in instance.get_runs() if "dagster/schedule_name" in r.tags]
            if scheduled and scheduled[-1].is_finished:
                break
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(1)
        assert scheduled[-1].status is dg.DagsterRunStatus.SUCCESS
        assert scheduled[-1].tags["dagster/schedule_name"] == "nightly_at_two"


def test_a_file_in_a_drop_folder_starts_the_arrival_once(
    tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sensor asks for one run per state of the folders; the run takes the file in."""
    import dagster as dg

    from orchestration.definitions import build_defs
    from orchestration.resources.home import Home
    from orchestration.schedules import register_arrivals

    config = config_of(tmp_path / "city.yaml", {"drops": str(tmp_path / "drops"), "only": ["library"]})
    monkeypatch.setenv("BILDUNGSMONITOR_CONFIG", str(config))
    monkeypatch.setenv("BILDUNGSMONITOR_REGISTER_KEY", KEY)

    def asked() -> list[str | None]:
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(instance=instance)
            return [r.run_key for r in register_arrivals.evaluate_tick(context).run_requests or []]

    assert asked() == []
    _, deliveries = city()
    deliver(catalogue, tmp_path / "drops", deliveries, ["library"])
    first = asked()
    assert len(first) == 1
    assert asked() == first
    definitions = build_defs(Home(tmp_path / "home"), config)
    assert definitions.resolve_job_def("arrivals").execute_in_process().success
    assert asked() == []
    (report,) = (tmp_path / "drops" / "library" / "accepted").iterdir()
    assert "wurde angenommen" in report.read_text()


def test_a_night_lets_readers_on_its_machine_go_first(tmp_path: Path) -> None:
    code = """
import os, sys
import dagster as dg
from orchestration.resources.night import NICENESS, Night
from orchestration.settings import DEFAULT_CONFIG
mine = os.getpriority(os.PRIO_PROCESS, 0)
night = Night(home_path=sys.argv[1], config_path=str(DEFAULT_CONFIG))
with night.yield_for_execution(dg.build_init_resource_context()):
    print(mine, os.getpriority(os.PRIO_PROCESS, 0), NICENESS)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=PROJECT, env=environment(), capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    before, within, niceness = map(int, done.stdout.split())
    assert within == max(before, niceness)
