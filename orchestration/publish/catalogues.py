"""What machines read about a release's files: CSV on the Web, and the entry for the open-data portals (DCAT-AP.de).

Belongs here: metadata standards over the CSV, XLSX and Parquet files. Does not belong here: the data package
(formats.py), the files themselves.

Addresses are relative to the release's folder unless the city has configured where it is reachable; GovData takes absolute ones
only.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from expectations.catalogue import Catalogue
from orchestration.publish.contents import Contents, ReleaseTable
from orchestration.publish.release import file_hash
from orchestration.settings import Publication

LICENCE = "http://dcat-ap.de/def/licenses/dl-by-de/2.0"

_CSVW = {
    "string": "string", "double": "number", "bool": "boolean", "date32[day]": "date", "int32": "integer",
    "int64": "integer", "timestamp[us]": "dateTime",
}  # fmt: skip

_FORMATS = (
    ("csv/{}.csv", "CSV", "text/csv", "CSV (UTF-8)"),
    ("csv_de/{}.csv", "CSV", "text/csv", "CSV für deutsche Tabellenkalkulationen (Semikolon, Dezimalkomma)"),
    ("xlsx/{}.xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "Arbeitsmappe: Stadt, Land und Bund"),
    ("parquet/{}.parquet", "PARQUET", "application/vnd.apache.parquet", "Parquet"),
)  # fmt: skip
"""Where a table's files lie, their type in the EU's list, their media type, and what they are called."""


@dataclass(frozen=True)
class Entry:
    """What the entry and every workbook say of the release as a whole. `code`, `city`: the municipality's key and name."""

    created: dt.datetime
    code: str
    city: str
    attribution: str
    notice: str | None
    publication: Publication


def csvw(contents: Contents, descriptions: dict[str, str], abouts: dict[str, str]) -> dict[str, Any]:
    """csv/csv-metadata.json: a table group over the CSV files beside it. `abouts`: a line on each table."""

    def column(table: ReleaseTable, name: str, kind: str) -> dict[str, Any]:
        return {
            "name": name, "titles": name, "dc:description": descriptions[name], "datatype": _CSVW[kind],
            **({"required": True} if name in table.key and not table.rows[name].null_count else {}),
        }  # fmt: skip

    return {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "de"}],
        "dc:title": "Bildungsmonitoring: Indikatoren",
        "dialect": {"lineTerminators": ["\r\n"]},
        "tables": [
            {
                "url": f"{table.name}.csv", "dc:title": table.title.de, "dc:description": abouts[table.name],
                "tableSchema": {
                    "columns": [column(table, f.name, str(f.type)) for f in table.rows.schema],
                    **({"primaryKey": table.key} if table.key else {}),
                },
            }
            for table in contents.tables
        ],
    }  # fmt: skip


def dcat_ap_de(
    folder: Path, release: str, contents: Contents, catalogue: Catalogue, entry: Entry
) -> dict[str, str]:
    """catalog.ttl and catalog.jsonld of a release whose files are written: a dataset per published table, with its files."""
    from rdflib import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef

    dcatde, vcard = Namespace("http://dcat-ap.de/def/dcatde/"), Namespace("http://www.w3.org/2006/vcard/ns#")
    spdx = Namespace("http://spdx.org/rdf/terms#")
    eu = "http://publications.europa.eu/resource/authority/"
    graph = Graph()
    for prefix, space in (("dcatde", dcatde), ("vcard", vcard), ("spdx", spdx)):
        graph.bind(prefix, space)
    base = f"{entry.publication.base_url}/{release}/" if entry.publication.base_url else ""
    german = lambda text: Literal(text, lang="de")  # noqa: E731
    moment = Literal(entry.created.isoformat(), datatype=XSD.dateTime)

    publisher = URIRef(f"{base}catalog#publisher")
    who = entry.publication.publisher
    name = who.name if who else f"Stadt {entry.city}"
    graph.add((publisher, RDF.type, FOAF.Agent))
    graph.add((publisher, FOAF.name, german(name)))
    contact = URIRef(f"{base}catalog#contact")
    graph.add((contact, RDF.type, vcard.Organization))
    graph.add((contact, vcard.fn, german(name)))
    if who and who.homepage:
        graph.add((publisher, FOAF.homepage, URIRef(who.homepage)))
        graph.add((contact, vcard.hasURL, URIRef(who.homepage)))
    if who and who.email:
        graph.add((contact, vcard.hasEmail, URIRef(f"mailto:{who.email}")))
    root = URIRef(f"{base}catalog")
    graph.add((root, RDF.type, DCAT.Catalog))
    graph.add((root, DCTERMS.title, german(f"Bildungsmonitoring der Stadt {entry.city}")))
    about = f"Indikatoren des kommunalen Bildungsmonitorings der Stadt {entry.city}."
    graph.add((root, DCTERMS.description, german(f"{entry.notice}. {about}" if entry.notice else about)))
    graph.add((root, DCTERMS.publisher, publisher))
    graph.add((root, DCTERMS.language, URIRef(f"{eu}language/DEU")))
    graph.add((root, DCTERMS.license, URIRef(LICENCE)))
    graph.add((root, DCTERMS.modified, moment))
    graph.add((root, DCAT.themeTaxonomy, URIRef(f"{eu}data-theme")))
    tables = {table.name: table for table in contents.tables}
    for table_id, declared in catalogue.published.items():
        if table_id not in tables:
            continue
        dataset = URIRef(f"{base}catalog#{table_id}")
        state = contents.states[table_id]
        graph.add((root, DCAT.dataset, dataset))
        graph.add((dataset, RDF.type, DCAT.Dataset))
        graph.add((dataset, DCTERMS.identifier, Literal(f"bildungsmonitor-{entry.code}-{table_id}")))
        graph.add((dataset, OWL.versionInfo, Literal(release)))
        graph.add((dataset, DCTERMS.title, german(f"{declared.title.de} – Bildungsmonitoring {entry.city}")))
        graph.add(
            (
                dataset,
                DCTERMS.title,
                Literal(f"{declared.title.en} – education monitoring {entry.city}", lang="en"),
            )
        )
        names = "; ".join(i.label.de for i in catalogue.indicators_of(table_id))
        said = f"{entry.notice}. " if entry.notice else ""
        graph.add((dataset, DCTERMS.description, german(f"{said}{declared.title.de}: {names}.")))
        graph.add((dataset, DCTERMS.publisher, publisher))
        graph.add((dataset, DCAT.contactPoint, contact))
        graph.add((dataset, DCAT.theme, URIRef(f"{eu}data-theme/EDUC")))
        for word in ("Bildung", "Bildungsmonitoring", entry.city, declared.title.de):
            graph.add((dataset, DCAT.keyword, german(word)))
        graph.add((dataset, DCTERMS.modified, moment))
        graph.add((dataset, DCTERMS.language, URIRef(f"{eu}language/DEU")))
        graph.add((dataset, DCTERMS.accrualPeriodicity, URIRef(f"{eu}frequency/IRREG")))
        graph.add(
            (
                dataset,
                dcatde.politicalGeocodingURI,
                URIRef(f"http://dcat-ap.de/def/politicalGeocoding/districtKey/{entry.code}"),
            )
        )
        graph.add(
            (
                dataset,
                dcatde.politicalGeocodingLevelURI,
                URIRef("http://dcat-ap.de/def/politicalGeocoding/Level/municipality"),
            )
        )
        if who and who.contributor_id:
            graph.add((dataset, dcatde.contributorID, URIRef(who.contributor_id)))
        graph.add((dataset, URIRef(f"{DCAT}version"), Literal(state["schema_version"])))
        rows = tables[table_id].rows
        if rows.num_rows:
            span = URIRef(f"{base}catalog#{table_id}-period")
            graph.add((dataset, DCTERMS.temporal, span))
            graph.add((span, RDF.type, DCTERMS.PeriodOfTime))
            graph.add((span, DCAT.startDate, Literal(pc.min(rows["period_start"]).as_py())))
            graph.add((span, DCAT.endDate, Literal(pc.max(rows["period_end"]).as_py())))
        for pattern, kind, media, title in _FORMATS:
            path = pattern.format(table_id)
            if not (folder / path).exists():
                continue
            file = URIRef(f"{base}catalog#{path.replace('/', '-')}")
            checksum = URIRef(f"{file}-checksum")
            graph.add((dataset, DCAT.distribution, file))
            graph.add((file, RDF.type, DCAT.Distribution))
            graph.add((file, DCTERMS.title, german(title)))
            graph.add((file, DCAT.accessURL, URIRef(f"{base}{path}")))
            graph.add((file, DCAT.downloadURL, URIRef(f"{base}{path}")))
            graph.add((file, DCTERMS.license, URIRef(LICENCE)))
            graph.add(
                (
                    file,
                    dcatde.licenseAttributionByText,
                    german(f"Stadt {entry.city}, Bildungsmonitoring; {entry.attribution}"),
                )
            )
            graph.add((file, DCTERMS["format"], URIRef(f"{eu}file-type/{kind}")))
            graph.add((file, DCAT.mediaType, URIRef(f"https://www.iana.org/assignments/media-types/{media}")))
            graph.add(
                (
                    file,
                    DCAT.byteSize,
                    Literal((folder / path).stat().st_size, datatype=XSD.nonNegativeInteger),
                )
            )
            graph.add((file, DCTERMS.modified, moment))
            graph.add((file, spdx.checksum, checksum))
            graph.add((checksum, RDF.type, spdx.Checksum))
            graph.add((checksum, spdx.algorithm, spdx.checksumAlgorithm_sha256))
            graph.add(
                (checksum, spdx.checksumValue, Literal(file_hash(folder / path), datatype=XSD.hexBinary))
            )
    graph.add((root, RDFS.label, Literal(release)))
    # Without an address of its own a relative one is resolved where the file lies.
    linked = json.loads(graph.serialize(format="json-ld", auto_compact=True))
    return {
        "catalog.ttl": graph.serialize(format="turtle"),
        "catalog.jsonld": json.dumps(_ordered(linked), indent=2, ensure_ascii=False, sort_keys=True) + "\n",
    }


def _ordered(value: Any) -> Any:
    """The same document with its lists in an order of their own: rdflib's follows the hashes of the day."""
    if isinstance(value, dict):
        return {key: _ordered(part) for key, part in value.items()}
    if isinstance(value, list):
        return sorted((_ordered(part) for part in value), key=lambda part: json.dumps(part, sort_keys=True))
    return value
