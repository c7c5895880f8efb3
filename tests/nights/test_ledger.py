"""What a night leaves in the ledger, and what is given out otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pandas as pd

from tests.campaigns.releases import Office, campaign
from tests.support.nights import invoke


def women_of_a_school(home: Path) -> tuple[str, str, int]:
    """A school, the period and how many women it has."""
    with duckdb.connect(str(home / "warehouse" / "candidate.duckdb"), read_only=True) as connection:
        found = connection.execute(
            """select area_code, period_end::varchar, value::int from monitoring.fct_measure
            where measure_id = 'register_pupils' and area_level = 'school' and sex = 'female'
                and nationality = 'total' and school_type = 'total' and value > 50
            order by period_end desc, area_code limit 1"""
        ).fetchall()[0]
    return found[0], found[1], found[2]


def test_a_release_is_in_the_ledger_and_nothing_of_it_is_near_the_truth(home: Path) -> None:
    told = pd.concat([pd.read_parquet(path) for path in (home / "ledger").glob("*.parquet")])
    assert len(told) > 30_000
    assert (told["high"] - told["low"]).min() >= 2  # a count of nobody is told as 0 to 2
    proofs = list(Path(os.environ["BILDUNGSMONITOR_PROOF"]).glob("*.npz"))
    assert proofs
    assert all(path.stat().st_mode & 0o077 == 0 for path in proofs)
    assert not list((home / "releases").rglob("*.npz"))


def test_an_answer_counts_as_told_and_a_wrong_one_is_refused(home: Path) -> None:
    school, period, women = women_of_a_school(home)
    asked = (
        "--area",
        school,
        "--period",
        period,
        "--cell",
        "sex=female",
        "--to",
        "Anfrage 12/2026",
        "--home",
        str(home),
    )
    wrong = invoke("ledger", "add", "register_pupils", str(women + 7), *asked)
    assert wrong.code == 2
    assert "expected what the register says" in wrong.err
    assert str(women) not in wrong.err.replace(str(women + 7), "")
    nobody = invoke(
        "ledger",
        "add",
        "register_pupils",
        "7",
        "--period",
        period,
        "--cell",
        "sex=woman",
        "--to",
        "x",
        "--home",
        str(home),
    )
    assert nobody.code == 2
    assert "expected one of male, female, diverse" in nobody.err
    assert not (home / "ledger" / "answers.jsonl").exists()
    done = invoke("ledger", "add", "register_pupils", str(women), *asked)
    assert done.code == 0, done.out + done.err
    line = json.loads((home / "ledger" / "answers.jsonl").read_text(encoding="utf-8"))
    assert line["to"] == "Anfrage 12/2026"
    assert line["count"]["low"] == line["count"]["high"] == women
    assert f"{school} {period} sex=female {women}" in invoke("ledger", "list", "--home", str(home)).out


def test_two_answers_that_leave_a_small_count_over_are_named(home: Path) -> None:
    """All examined children of a kind, and those of them who were counted elsewhere: what is left is few."""
    with duckdb.connect(str(home / "warehouse" / "candidate.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            """select w.area_code, w.period_end::varchar, t.value::int, m.value::int, w.value::int
            from monitoring.fct_measure as w
            join monitoring.fct_measure as m using (measure_id, area_code, period_end, nationality, school_type)
            join monitoring.fct_measure as t using (measure_id, area_code, period_end, nationality, school_type)
            where w.measure_id = 'register_school_entries' and w.area_level = 'school' and w.nationality = 'total'
                and w.sex = 'female' and m.sex = 'male' and t.sex = 'total' and w.value between 1 and 4 and m.value > 5
                and t.value = m.value + w.value
            order by all limit 1"""
        ).fetchall()
    school, period, everybody, men, women = rows[0]
    where = ("--area", school, "--period", period, "--to", "Anfrage 13/2026", "--home", str(home))
    assert invoke("ledger", "add", "register_school_entries", str(everybody), *where).code == 0
    opened = invoke("ledger", "add", "register_school_entries", str(men), "--cell", "sex=male", *where)
    assert opened.code == 1
    assert f"school_sex[{school}, female]" in opened.out
    assert f" {women}" not in opened.out.split("worked out")[1]


def test_a_late_pupil_opens_nothing_in_two_releases(tmp_path: Path) -> None:
    """The whole of it: python -m tests.campaigns.releases."""
    office = Office(tmp_path, tables=("pub_schools",), registers=("schools", "pupils", "classes"), small=True)
    assert campaign(office, ("the first year", "a late pupil"))
    first, second = office.told
    assert first.release != second.release
    assert not first.counts["delivery_id"].equals(second.counts["delivery_id"])
