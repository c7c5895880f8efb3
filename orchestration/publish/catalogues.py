"""What machines read about a release's files: CSV on the Web, and the entry for the open-data portals (DCAT-AP.de).

Belongs here: metadata standards over the CSV, XLSX and Parquet files. Does not belong here: the data package
(formats.py), the files themselves.

Addresses are relative to the release's folder unless the city has configured where it is reachable; GovData takes absolute ones
only.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.compute as pc

from expectations.catalogue import Catalogue
from orchestration.publish.column_texts import ColumnTexts
from orchestration.publish.contents import Contents, ReleaseTable
from orchestration.publish.imprint import ATTRIBUTION, Imprint
from orchestration.publish.release import file_hash

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


def csvw(contents: Contents, descriptions: ColumnTexts, abouts: dict[str, str]) -> dict[str, Any]:
    """csv/csv-metadata.json: a table group over the CSV files beside it. `abouts`: a line on each table."""

    def column(table: ReleaseTable, name: str, kind: str) -> dict[str, Any]:
        return {
            "name": name, "titles": name, "dc:description": descriptions.of(table.name, name), "datatype": _CSVW[kind],
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
    folder: Path, release: str, contents: Contents, catalogue: Catalogue, imprint: Imprint
) -> dict[str, str]:
    """catalog.ttl and catalog.jsonld of a release whose files are written: a dataset per published table, with its files."""
    from rdflib import DCAT, DCTERMS, FOAF, OWL, RDF, RDFS, XSD, Graph, Literal, Namespace, URIRef

    dcatde, vcard = Namespace("http://dcat-ap.de/def/dcatde/"), Namespace("http://www.w3.org/2006/vcard/ns#")
    spdx = Namespace("http://spdx.org/rdf/terms#")
    eu = "http://publications.europa.eu/resource/authority/"
    graph = Graph()
    for prefix, space in (("dcatde", dcatde), ("vcard", vcard), ("spdx", spdx)):
        graph.bind(prefix, space)
    base = f"{imprint.publishing.base_url}/{release}/" if imprint.publishing.base_url else ""

    def german(text: str) -> Literal:
        return Literal(text, lang="de")

    def say(subject: URIRef, predicate: URIRef, *objects: URIRef | Literal) -> None:
        for one in objects:
            graph.add((subject, predicate, one))

    moment = Literal(imprint.created.isoformat(), datatype=XSD.dateTime)

    publisher = URIRef(f"{base}catalog#publisher")
    who = imprint.publishing.publisher
    name = who.name if who else f"Stadt {imprint.city}"
    say(publisher, RDF.type, FOAF.Agent)
    say(publisher, FOAF.name, german(name))
    contact = URIRef(f"{base}catalog#contact")
    say(contact, RDF.type, vcard.Organization)
    say(contact, vcard.fn, german(name))
    if who and who.homepage:
        say(publisher, FOAF.homepage, URIRef(who.homepage))
        say(contact, vcard.hasURL, URIRef(who.homepage))
    if who and who.email:
        say(contact, vcard.hasEmail, URIRef(f"mailto:{who.email}"))
    root = URIRef(f"{base}catalog")
    say(root, RDF.type, DCAT.Catalog)
    say(root, DCTERMS.title, german(f"Bildungsmonitoring der Stadt {imprint.city}"))
    about = f"Indikatoren des kommunalen Bildungsmonitorings der Stadt {imprint.city}."
    say(root, DCTERMS.description, german(f"{imprint.notice}. {about}" if imprint.notice else about))
    say(root, DCTERMS.publisher, publisher)
    say(root, DCTERMS.language, URIRef(f"{eu}language/DEU"))
    say(root, DCTERMS.license, URIRef(LICENCE))
    say(root, DCTERMS.modified, moment)
    say(root, DCAT.themeTaxonomy, URIRef(f"{eu}data-theme"))
    tables = {table.name: table for table in contents.tables}
    for table_id, declared in catalogue.published.items():
        if table_id not in tables:
            continue
        dataset = URIRef(f"{base}catalog#{table_id}")
        state = contents.states[table_id]
        say(root, DCAT.dataset, dataset)
        say(dataset, RDF.type, DCAT.Dataset)
        say(dataset, DCTERMS.identifier, Literal(f"bildungsmonitor-{imprint.code}-{table_id}"))
        say(dataset, OWL.versionInfo, Literal(release))
        say(dataset, DCTERMS.title, german(f"{declared.title.de} – Bildungsmonitoring {imprint.city}"))
        say(
            dataset,
            DCTERMS.title,
            Literal(f"{declared.title.en} – education monitoring {imprint.city}", lang="en"),
        )
        names = "; ".join(i.label.de for i in catalogue.indicators_of(table_id))
        said = f"{imprint.notice}. " if imprint.notice else ""
        say(dataset, DCTERMS.description, german(f"{said}{declared.title.de}: {names}."))
        say(dataset, DCTERMS.publisher, publisher)
        say(dataset, DCAT.contactPoint, contact)
        say(dataset, DCAT.theme, URIRef(f"{eu}data-theme/EDUC"))
        say(
            dataset,
            DCAT.keyword,
            *map(german, ("Bildung", "Bildungsmonitoring", imprint.city, declared.title.de)),
        )
        say(dataset, DCTERMS.modified, moment)
        say(dataset, DCTERMS.language, URIRef(f"{eu}language/DEU"))
        say(dataset, DCTERMS.accrualPeriodicity, URIRef(f"{eu}frequency/IRREG"))
        say(
            dataset,
            dcatde.politicalGeocodingURI,
            URIRef(f"http://dcat-ap.de/def/politicalGeocoding/districtKey/{imprint.code}"),
        )
        say(
            dataset,
            dcatde.politicalGeocodingLevelURI,
            URIRef("http://dcat-ap.de/def/politicalGeocoding/Level/municipality"),
        )
        if who and who.contributor_id:
            say(dataset, dcatde.contributorID, URIRef(who.contributor_id))
        say(dataset, URIRef(f"{DCAT}version"), Literal(state["schema_version"]))
        rows = tables[table_id].rows
        if rows.num_rows:
            span = URIRef(f"{base}catalog#{table_id}-period")
            say(dataset, DCTERMS.temporal, span)
            say(span, RDF.type, DCTERMS.PeriodOfTime)
            say(span, DCAT.startDate, Literal(pc.min(rows["period_start"]).as_py()))
            say(span, DCAT.endDate, Literal(pc.max(rows["period_end"]).as_py()))
        for pattern, kind, media, title in _FORMATS:
            path = pattern.format(table_id)
            if not (folder / path).exists():
                continue
            file = URIRef(f"{base}catalog#{path.replace('/', '-')}")
            checksum = URIRef(f"{file}-checksum")
            say(dataset, DCAT.distribution, file)
            say(file, RDF.type, DCAT.Distribution)
            say(file, DCTERMS.title, german(title))
            say(file, DCAT.accessURL, URIRef(f"{base}{path}"))
            say(file, DCAT.downloadURL, URIRef(f"{base}{path}"))
            say(file, DCTERMS.license, URIRef(LICENCE))
            say(
                file,
                dcatde.licenseAttributionByText,
                german(f"Stadt {imprint.city}, Bildungsmonitoring; {ATTRIBUTION}"),
            )
            say(file, DCTERMS["format"], URIRef(f"{eu}file-type/{kind}"))
            say(file, DCAT.mediaType, URIRef(f"https://www.iana.org/assignments/media-types/{media}"))
            say(file, DCAT.byteSize, Literal((folder / path).stat().st_size, datatype=XSD.nonNegativeInteger))
            say(file, DCTERMS.modified, moment)
            say(file, spdx.checksum, checksum)
            say(checksum, RDF.type, spdx.Checksum)
            say(checksum, spdx.algorithm, spdx.checksumAlgorithm_sha256)
            say(checksum, spdx.checksumValue, Literal(file_hash(folder / path), datatype=XSD.hexBinary))
    say(root, RDFS.label, Literal(release))
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
