"""The Bundesagentur's table service and the Land's school directory, over real HTTP on loopback."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from expectations.catalogue import Catalogue
from orchestration.collect.agency_network import collect_from_agency
from orchestration.collect.genesis import FormatError, read_official
from orchestration.collect.landing import Landing
from orchestration.collect.school_directory import (
    collect_school_directory,
    newest_schools,
    read_school_directory,
)
from orchestration.resources.home import Home
from orchestration.settings import AgencyTable, EmploymentAgency, Municipality, SchoolDirectory
from tests.replay.server import Replay, serving

NIGHT = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
KOBLENZ = Municipality(code="07111", name="Koblenz")


@pytest.fixture
def replay() -> Iterator[Replay]:
    with serving(Replay()) as running:
        yield running


# --- the Bundesagentur ---------------------------------------------------------------------------

UNEMPLOYED = """Kreis:; Koblenz, Stadt
Berichtsmonat:; Oktober 2026
Datenstand:; Oktober 2026

Ausgewählte Merkmale;Oktober 2026;September 2026;Oktober 2025;Veränderung zum Vorjahresmonat absolut;Veränderung in %;
Arbeitslose insgesamt;4.120;4.080;3.990;130;3,3;
im Rechtskreis SGB III;1.410;1.399;1.300;110;8,5;
im Rechtskreis SGB II;*;*;2.690;x;x;
Arbeitslosenquote;6,7;6,6;6,5;0,2;-;
im Rechtskreis SGB III;2,3;2,3;2,1;0,2;-;
im Rechtskreis SGB II;.;.;4,4;0,0;-;
© Statistik der Bundesagentur für Arbeit
Aus Gründen der statistischen Geheimhaltung werden die Zahlenwerte gerundet.
"""
NAMES = "var persistListenfelderJSON = " + json.dumps(
    {
        "x": [
            {"formValues": {"Filtername": "Kreis", "BA_SCHL": "07111000", "DESC": "Koblenz, Stadt"}},
            {"formValues": {"Filtername": "Kreis", "BA_SCHL": "07137000", "DESC": "Mayen-Koblenz"}},
            {"formValues": {"Filtername": "Bundesland", "BA_SCHL": "07", "DESC": "Rheinland-Pfalz"}},
        ]
    }
) + ";"  # fmt: skip


def agency(replay: Replay, *tables: AgencyTable) -> EmploymentAgency:
    host = f"http://127.0.0.1:{replay.port}"
    return EmploymentAgency(base_url=f"{host}/bids-api/", names_url=f"{host}/names.js", tables=list(tables))


def test_a_region_is_asked_by_its_name_and_kept_by_its_key(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    path = "/bids-api/ct/v1/tableFetch/csv/EckwerteTabelleALOKr"
    replay.pages = {"/names.js": lambda _: (200, NAMES.encode()), path: lambda _: (200, UNEMPLOYED.encode())}
    landing = Landing(tmp_path, catalogue)
    source = agency(
        replay,
        AgencyTable(name="EckwerteTabelleALOKr", region="Kreis"),
        AgencyTable(name="EckwerteTabelleGone", region="Kreis"),
    )
    found = {r.table_code: r for r in collect_from_agency(source, KOBLENZ, landing, NIGHT)}
    assert found["EckwerteTabelleALOKr"].status == "accepted"
    assert found["EckwerteTabelleGone"].status == "late"
    assert (f"GET {path}", {"Kreis": "Koblenz, Stadt"}) in replay.asked
    (snapshot,) = landing.snapshots()
    assert set(landing.table("EckwerteTabelleALOKr")["area_code"].to_pylist()) == {"07111"}
    assert json.loads((snapshot.folder / "origin.json").read_text())["origin"]["parameters"] == {
        "Kreis": "Koblenz, Stadt"
    }
    (again, _) = collect_from_agency(source, KOBLENZ, landing, NIGHT + dt.timedelta(days=1))
    assert again.status == "known"


def test_a_point_separates_thousands_there_and_labels_repeat() -> None:
    rows = read_official("EckwerteTabelleALOKr_07111.csv", UNEMPLOYED.encode()).frame
    newest = rows[rows["period_label"] == "2026-10"].set_index("measure")
    assert newest["value"].dropna().to_dict() == {
        "Arbeitslose insgesamt": 4120,
        "Arbeitslose insgesamt | im Rechtskreis SGB III": 1410,
        "Arbeitslosenquote": 6.7,
        "Arbeitslosenquote | im Rechtskreis SGB III": 2.3,
    }
    assert newest.loc["Arbeitslose insgesamt | im Rechtskreis SGB II", "sign"] == "*"
    assert newest.loc["Arbeitslosenquote", "unit"] == "Prozent"
    assert set(rows["period_label"]) == {"2026-10", "2026-09", "2025-10"}


def test_a_time_series_of_the_agency() -> None:
    text = "Land:; Rheinland-Pfalz\n\nBerichtsmonat;Arbeitslose;Arbeitslosenquote;\nJanuar 2026;120.500;5,4;\nFebruar 2026;121.000;*;\n© BA\n"
    rows = read_official("EckwerteZeitreiheALOBL.csv", text.encode()).frame
    assert set(rows["area_code"]) == {"07"}
    assert list(rows["value"].dropna()) == [120500, 5.4, 121000]


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("EckwerteTabelleALOKr_07111.csv", lambda t: t.replace("4.120", "4.12"), "'4.12', expected a number such as 226.880"),
        ("EckwerteTabelleALOKr.csv", lambda t: t, "the region 'Koblenz, Stadt', expected its key"),
        ("EckwerteTabelleALOKr_07111.csv", lambda t: t.split("©")[0], "no line © after the values"),
        ("EckwerteTabelleALOKr_07111.csv", lambda t: t.replace(";1.410;", ";"), "6 columns, expected 7"),
        ("tabelle.csv", lambda t: t, "a name without the table's"),
    ],
)  # fmt: skip
def test_a_damaged_reply_is_refused(name: str, damage: Any, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        read_official(name, damage(UNEMPLOYED).encode())
    assert message in str(caught.value)


def test_a_reply_for_another_region_is_not_koblenz(
    replay: Replay, tmp_path: Path, catalogue: Catalogue
) -> None:
    """The service answers for Germany if it does not know the parameter."""
    path = "/bids-api/ct/v1/tableFetch/csv/EckwerteTabelleALOKr"
    text = UNEMPLOYED.replace("Kreis:; Koblenz, Stadt", "Land:; Bayern")
    replay.pages = {"/names.js": lambda _: (200, NAMES.encode()), path: lambda _: (200, text.encode())}
    source = agency(replay, AgencyTable(name="EckwerteTabelleALOKr", region="Kreis"))
    (found,) = collect_from_agency(source, KOBLENZ, Landing(tmp_path, catalogue), NIGHT)
    assert found.status == "late"
    assert "does not name the region Koblenz, Stadt" in (found.reason or "")
    with pytest.raises(FormatError, match="the region 'Bayern'"):
        read_official("EckwerteTabelleALOKr_07111.csv", text.encode())


def test_an_agency_that_does_not_answer_is_late(replay: Replay, tmp_path: Path, catalogue: Catalogue) -> None:
    source = agency(replay, AgencyTable(name="EckwerteTabelleALOKr", region="Kreis"))
    (found,) = collect_from_agency(source, KOBLENZ, Landing(tmp_path, catalogue), NIGHT)
    assert found.status == "late"
    assert "list of region names" in (found.reason or "")


# --- the school directory ------------------------------------------------------------------------


def school(number: str, town: str = "Koblenz", **more: Any) -> dict[str, Any]:
    properties = {
        "identifikator": number, "name": f"Schule {number}", "strasse": "Weg 1", "plz": "56068",
        "schulort": town, "schulart": "GS", "telefon": "(0261) 1", "mail": "schule@example.org", **more,
    }  # fmt: skip
    geometry = {"type": "MultiPoint", "coordinates": [[7.59, 50.35]]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def directory(replay: Replay, schools: list[dict[str, Any]], size: int = 2) -> SchoolDirectory:
    address = f"http://127.0.0.1:{replay.port}/collections/schulstandorte/items"

    def page(query: dict[str, str]) -> tuple[int, bytes]:
        start = int(query.get("offset", 0))
        links = [{"rel": "self", "href": address}]
        if start + size < len(schools):
            links.append({"rel": "next", "href": f"{address}?f=json&limit={size}&offset={start + size}"})
        body = {"numberMatched": len(schools), "links": links, "features": schools[start : start + size]}
        return 200, json.dumps(body).encode()

    replay.pages = {"/collections/schulstandorte/items": page}
    return SchoolDirectory(base_url=address, licence="free")


def test_all_pages_make_one_snapshot_without_contact_data(replay: Replay, tmp_path: Path) -> None:
    home = Home(tmp_path)
    source = directory(replay, [school(f"5072{n}") for n in range(5)])
    reception = collect_school_directory(source, home, NIGHT)
    assert reception.status == "accepted"
    schools = newest_schools(home)
    assert schools["school_number"].to_pylist() == [f"5072{n}" for n in range(5)]
    assert (schools["longitude"][0].as_py(), schools["latitude"][0].as_py()) == (7.59, 50.35)
    assert not {"telefon", "mail", "phone", "email"} & set(schools.column_names)
    assert collect_school_directory(source, home, NIGHT + dt.timedelta(days=1)).status == "known"


def test_missing_schools_are_no_snapshot(replay: Replay, tmp_path: Path) -> None:
    home = Home(tmp_path)
    source = directory(replay, [school(f"5072{n}") for n in range(5)])
    page = replay.pages["/collections/schulstandorte/items"]

    def short(query: dict[str, str]) -> tuple[int, bytes]:
        status, body = page(query)
        found = json.loads(body)
        return status, json.dumps({**found, "links": []}).encode()

    replay.pages["/collections/schulstandorte/items"] = short
    reception = collect_school_directory(source, home, NIGHT)
    assert reception.status == "late"
    assert "2 of 5 school sites came" in (reception.reason or "")
    assert newest_schools(home).num_rows == 0


@pytest.mark.parametrize(
    "page",
    [
        {"features": None}, {"features": [1]}, {"features": [], "numberMatched": "viele"},
        {"features": [school("50720")], "links": [{"rel": "next"}], "numberMatched": 9}, [], None,
        {"features": [{**school("50720"), "geometry": {"type": "Point", "coordinates": ["a", None]}}]},
    ],
)  # fmt: skip
def test_a_page_of_another_shape_makes_the_directory_late(replay: Replay, tmp_path: Path, page: Any) -> None:
    source = directory(replay, [])
    replay.pages = {"/collections/schulstandorte/items": lambda _: (200, json.dumps(page).encode())}
    assert collect_school_directory(source, Home(tmp_path), NIGHT).status in ("late", "refused")


def test_a_relative_next_page_is_followed(replay: Replay, tmp_path: Path) -> None:
    source = directory(replay, [school(f"5072{n}") for n in range(5)])
    page = replay.pages["/collections/schulstandorte/items"]

    def relative(query: dict[str, str]) -> tuple[int, bytes]:
        return 200, page(query)[1].replace(source.base_url.encode(), b"items")

    replay.pages["/collections/schulstandorte/items"] = relative
    assert collect_school_directory(source, Home(tmp_path), NIGHT).status == "accepted"


@pytest.mark.parametrize(
    ("feature", "message"),
    [
        (school("7111"), "school number '7111' in feature 1, expected five digits"),
        ({"properties": {"name": "x"}}, "feature 1 without identifikator"),
        (
            {**school("50720"), "geometry": {"type": "Point", "coordinates": [50.35, 7.59]}},
            "longitude, then latitude",
        ),
    ],
)
def test_a_school_that_cannot_be_keyed_or_placed_is_refused(feature: dict[str, Any], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read_school_directory("schools.geojson", json.dumps({"features": [feature]}).encode())
