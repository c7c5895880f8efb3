"""The school directory of Rheinland-Pfalz: every school site from the Land's geodata service.

Belongs here: pages of the OGC API → one snapshot; a snapshot → one row per school site. People's
contact data in it is left where it is. Does not belong here: what a school is counted as (21111).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pyarrow as pa

from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.http import Budget, Limits, SourceError, Transport, UncertainError
from orchestration.collect.landing import Reception
from orchestration.resources.clock import stamp
from orchestration.resources.files import remove, replace_folder, write_bytes, write_json
from orchestration.resources.home import Home
from orchestration.settings import SchoolDirectory

LOG = logging.getLogger("bildungsmonitor")
NAME = "school_directory"
_FILE = "schools.geojson"
_PAGE = 500
_TEXTS = {
    "school_number": "identifikator",
    "school_name": "name",
    "school_type_name": "schulart",
    "street": "strasse",
    "postcode": "plz",
    "town": "schulort",
}
SCHEMA = pa.schema(
    [*((name, pa.string()) for name in _TEXTS), ("longitude", pa.float64()), ("latitude", pa.float64())]
)


def collect_school_directory(source: SchoolDirectory, home: Home, moment: dt.datetime) -> Reception:
    """Fetch all pages and land them as one snapshot; `late` with its reason if that fails."""
    folder = home.landing / NAME
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(".*.part"):
        remove(leftover)
    transport = Transport(source.base_url, Limits(), Budget(source.budget_minutes * 60))
    try:
        features, pages = _fetch(transport, source.base_url)
    except SourceError as error:
        LOG.warning("collect | school directory late: %s", error)
        return Reception(_FILE, "late", NAME, reason=str(error))
    finally:
        transport.close()
    features.sort(key=lambda f: json.dumps(f, sort_keys=True))
    data = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()
    try:
        rows = read_school_directory(_FILE, data)
    except FormatError as error:
        return Reception(_FILE, "refused", NAME, reason=error.message)
    sha256 = hashlib.sha256(data).hexdigest()
    newest = snapshots(home)[-1:]
    if newest and newest[0].name.endswith(sha256[:8]):
        return Reception(_FILE, "known", NAME, snapshot=newest[0].name)
    target = folder / f"{stamp(moment)}_{sha256[:8]}"
    part = folder / f".{target.name}.part"
    part.mkdir()
    write_bytes(part / _FILE, data)
    origin = {
        "address": source.base_url, "pages": pages, "sha256": sha256, "taken_at": moment.isoformat(),
        "schools": rows.num_rows, "licence": source.licence,
    }  # fmt: skip
    write_json(part / "origin.json", origin)
    replace_folder(part, target)
    return Reception(_FILE, "accepted", NAME, snapshot=target.name, format="geojson")


def snapshots(home: Home) -> list[Path]:
    """The snapshots in the landing, oldest first."""
    found = (home.landing / NAME).glob("*/origin.json")
    return sorted(path.parent for path in found if path.parent.name[0] != ".")


def newest_schools(home: Home) -> pa.Table:
    """The schools of the newest snapshot that can be read; no rows if there is none."""
    for folder in reversed(snapshots(home)):
        try:
            return read_school_directory(_FILE, (folder / _FILE).read_bytes())
        except FormatError as error:  # of an older reader
            LOG.warning("compute | %s is no longer readable: %s", folder.name, error)
    return SCHEMA.empty_table()


def _fetch(transport: Transport, address: str) -> tuple[list[dict[str, Any]], int]:
    """All features, page by page. Raises SourceError if a page is no page, or some are missing."""
    features: list[dict[str, Any]] = []
    matched, pages = None, 0
    url: str | None = address
    params: dict[str, str] | None = {"f": "json", "limit": str(_PAGE)}
    while url is not None:
        page_url, page_params = url, params
        received = transport.attempt(
            lambda u=page_url, p=page_params: transport.send("GET", u, params=p),  # type: ignore[misc]
            again=UncertainError,
        )
        try:
            page = json.loads(received.body)
            found = list(page["features"])
            matched = int(page["numberMatched"]) if "numberMatched" in page else matched
            following = next(
                (link["href"] for link in page.get("links") or [] if link.get("rel") == "next"), None
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise SourceError(f"{transport.host}: HTTP {received.status}, no page of features") from None
        features += found
        pages += 1
        url = urljoin(page_url, following) if following else None
        params = None
        if url is not None and urlsplit(url).netloc != transport.host:
            raise SourceError(f"{transport.host}: the next page is on {urlsplit(url).netloc}; not followed")
        if not found or (matched is not None and len(features) >= matched):
            break
    if matched is not None and len(features) != matched:
        raise SourceError(f"{transport.host}: {len(features)} of {matched} school sites came")
    return features, pages


def read_school_directory(file: str, data: bytes) -> pa.Table:
    """One row per school site: number, name, type, address, position.

    Raises FormatError for what is no collection of school sites, and for a school without a number
    of five digits, which is its key.
    """
    try:
        features = list(json.loads(data)["features"])
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(file, "no collection of features", "GeoJSON of school sites") from error
    rows = []
    for n, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        if not isinstance(properties, dict) or "identifikator" not in properties:
            raise FormatError(file, f"feature {n} without identifikator", "the school's number")
        row: dict[str, Any] = {
            name: (str(properties[key]).strip() or None) if properties.get(key) is not None else None
            for name, key in _TEXTS.items()
        }
        number = row["school_number"] or ""
        if len(number) != 5 or not number.isdigit():
            raise FormatError(file, f"school number {number!r} in feature {n}", "five digits")
        row["longitude"], row["latitude"] = _position(file, n, feature.get("geometry"))
        rows.append(row)
    if not rows:
        raise FormatError(file, "no school site at all", "at least one")
    return pa.Table.from_pylist(rows, SCHEMA).sort_by(
        [("school_number", "ascending"), ("street", "ascending")]
    )


def _position(file: str, n: int, geometry: dict[str, Any] | None) -> tuple[float | None, float | None]:
    """Longitude and latitude; a point, or the first of several."""
    if geometry is None:
        return None, None
    place = geometry.get("coordinates") if isinstance(geometry, dict) else None
    try:
        point = place[0] if geometry["type"] == "MultiPoint" and place else place
        longitude, latitude = float(point[0]), float(point[1])  # type: ignore[index]
        if not (5 < longitude < 16 and 47 < latitude < 56):
            raise ValueError
    except (TypeError, ValueError, IndexError, KeyError) as error:
        found = f"position {place!r} of feature {n}"
        raise FormatError(file, found, "longitude, then latitude in Germany") from error
    return longitude, latitude
