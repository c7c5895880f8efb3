"""A release's files: DuckDB, Parquet, CSV, workbooks, metadata and data dictionary, from the same tables.

The same contents give the same bytes (docs/decisions/0006).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import availability
from expectations.catalogue.model import TOTAL, UNITS, Text
from expectations.wording import number, span
from orchestration.publish.catalogues import csvw, dcat_ap_de
from orchestration.publish.column_texts import ColumnTexts
from orchestration.publish.contents import Contents, ReleaseTable
from orchestration.publish.imprint import ATTRIBUTION, LICENCE_NAME, LICENCE_URL, Imprint
from orchestration.publish.mart_file import write_mart
from orchestration.publish.quality import changes_text, quality_context
from orchestration.publish.release import STAGING
from orchestration.publish.workbook import WorkbookTask, printed, write_workbook
from orchestration.resources.files import write_json
from orchestration.resources.workers import Workers

_FRICTIONLESS = {
    "string": "string",
    "double": "number",
    "bool": "boolean",
    "date32[day]": "date",
    "int32": "integer",
    "int64": "integer",
    "timestamp[us]": "datetime",
}


def write_release(
    folder: Path,
    contents: Contents,
    catalogue: Catalogue,
    descriptions: ColumnTexts,
    follows: str | None,
    imprint: Imprint,
    workers: Workers,
) -> None:
    """All files of a release but its manifest. `follows`: the release readers had before.

    Raises WorkerError if a worker process died.
    """
    release = folder.name.removeprefix(STAGING)
    for name in ("parquet", "csv", "csv_de", "xlsx"):
        (folder / name).mkdir()
    # Workers write the workbooks, which take longest, while this process writes everything else.
    tasks = _workbooks(folder / "xlsx", release, contents, catalogue, imprint)
    with workers.alongside(write_workbook, tasks):
        _write_files(folder, contents, catalogue, descriptions, follows, imprint)
    if not imprint.is_internal:  # nothing for portals
        # It says how large every file is, the workbooks among them: only now are they whole.
        for name, text in dcat_ap_de(folder, release, contents, catalogue, imprint).items():
            (folder / name).write_text(text, encoding="utf-8")


def _write_files(
    folder: Path,
    contents: Contents,
    catalogue: Catalogue,
    descriptions: ColumnTexts,
    follows: str | None,
    imprint: Imprint,
) -> None:
    """All files of a release but its manifest, its workbooks and the entries of portals."""
    for table in contents.tables:
        _write_parquet(folder / "parquet" / f"{table.name}.parquet", table, descriptions, imprint)
        write_csv(folder / "csv" / f"{table.name}.csv", table.rows)
        if table.name in catalogue.published:
            _write_german_csv(folder / "csv_de" / f"{table.name}.csv", table.rows)
        if table.name == "verdict":
            _write_parquet(folder / "verdicts.parquet", table, descriptions, imprint)
    write_mart(
        folder / "mart.duckdb",
        [
            {
                "name": table.name,
                "rows": str(folder / "parquet" / f"{table.name}.parquet"),
                "comment": about(table, imprint),
                "columns": {name: descriptions.of(table.name, name) for name in table.rows.column_names},
            }
            for table in contents.tables
        ],
    )
    write_json(folder / "datapackage.json", _data_package(contents, descriptions, imprint))
    abouts = {table.name: about(table, imprint) for table in contents.tables}
    write_json(folder / "csv" / "csv-metadata.json", csvw(contents, descriptions, abouts))
    pages = {
        "dictionary.html": dictionary_page(contents, catalogue, descriptions, imprint),
        "fields_of_action.html": fields_page(contents, catalogue, imprint),
    }
    for name, page in pages.items():
        (folder / name).write_text(page, encoding="utf-8")
    _write_changes(folder, contents, catalogue, descriptions, imprint, follows)
    (folder / "quality").mkdir()
    (folder / "quality" / "index.html").write_text(
        quality_page(contents, catalogue, imprint), encoding="utf-8"
    )


def _write_changes(
    folder: Path,
    contents: Contents,
    catalogue: Catalogue,
    descriptions: ColumnTexts,
    imprint: Imprint,
    follows: str | None,
) -> None:
    title = Text(de="Änderungen gegenüber dem letzten Stand", en="Changes against the last release")
    table = ReleaseTable("changes", title, contents.changes, [])
    _write_parquet(folder / "changes.parquet", table, descriptions, imprint)
    text = changes_text(contents, catalogue, follows, imprint.notice)
    (folder / "CHANGES.md").write_text(text, encoding="utf-8")


def quality_page(contents: Contents, catalogue: Catalogue, imprint: Imprint) -> str:
    """The quality report, for a head of department: German with English beside it, self-contained."""
    return rendered(
        "quality.html",
        **quality_context(contents, catalogue),
        thousands=lambda number: _german_number(number, 0),
        notice=imprint.notice,
    )


def about(table: ReleaseTable, imprint: Imprint) -> str:
    """One line on a table, for its metadata everywhere."""
    note = f"{table.title.de} / {table.title.en}. {ATTRIBUTION}"
    return f"{imprint.notice}. {note}" if imprint.notice else note


def _write_parquet(path: Path, table: ReleaseTable, descriptions: ColumnTexts, imprint: Imprint) -> None:
    fields = [
        field.with_metadata({"description": descriptions.of(table.name, field.name)})
        for field in table.rows.schema
    ]
    metadata = {
        "title_de": table.title.de,
        "title_en": table.title.en,
        "description": about(table, imprint),
        "licence": imprint.licence_name or "–",
        "synthetic": str(imprint.synthetic).lower(),
    }
    rows = table.rows.combine_chunks().cast(pa.schema(fields, metadata=metadata))
    pq.write_table(rows, path, compression="zstd")


def write_csv(path: Path | BinaryIO, rows: pa.Table) -> None:
    """UTF-8, RFC 4180: commas, CRLF, quotes where they are needed. A missing value is empty, an empty text is `""`."""
    import polars as pl

    frame = pl.DataFrame(pl.from_arrow(rows))
    frame.write_csv(path, line_terminator="\r\n", datetime_format="%Y-%m-%dT%H:%M:%S")


def _write_german_csv(path: Path, rows: pa.Table) -> None:
    """As a German spreadsheet opens it by a double click: semicolons, decimal comma, days as 31.12.2025, ja and nein."""
    import polars as pl

    frame = pl.DataFrame(pl.from_arrow(rows))
    words = [
        pl.when(pl.col(name)).then(pl.lit("ja")).when(~pl.col(name)).then(pl.lit("nein")).alias(name)
        for name, kind in frame.schema.items() if kind == pl.Boolean
    ]  # fmt: skip
    frame.with_columns(words).write_csv(
        path, separator=";", decimal_comma=True, include_bom=True, line_terminator="\r\n", date_format="%d.%m.%Y",
        datetime_format="%d.%m.%Y %H:%M",
    )  # fmt: skip


def _workbooks(
    folder: Path, release: str, contents: Contents, catalogue: Catalogue, imprint: Imprint
) -> list[WorkbookTask]:
    """A workbook per published table; the largest first."""
    tables = {table.name: table.rows for table in contents.tables}
    cells = tables["breakdown_cell"].to_pylist() if "breakdown_cell" in tables else []
    labels = {(cell["breakdown"], cell["cell"]): str(cell["label_de"]) for cell in cells}
    labels |= {(name, TOTAL): "insgesamt" for name in catalogue.breakdowns}
    tasks = [
        WorkbookTask(
            folder / f"{name}.xlsx", declared, printed(tables[name], imprint), catalogue, labels, release, imprint,
        )
        for name, declared in catalogue.published.items()
        if name in tables
    ]  # fmt: skip
    return sorted(tasks, key=lambda task: -task.rows.num_rows)


def _data_package(contents: Contents, descriptions: ColumnTexts, imprint: Imprint) -> dict[str, Any]:
    """Frictionless Data Package over the CSV files."""
    resources = [
        {
            "name": table.name.replace("_", "-"),
            "path": f"csv/{table.name}.csv",
            "profile": "tabular-data-resource",
            "title": f"{table.title.de} / {table.title.en}",
            "description": about(table, imprint),
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": {
                "fields": [
                    {
                        "name": field.name,
                        "type": _FRICTIONLESS[str(field.type)],
                        "description": descriptions.of(table.name, field.name),
                        **({"format": "any"} if str(field.type).startswith("timestamp") else {}),
                    }
                    for field in table.rows.schema
                ],
                **({"primaryKey": table.key} if table.key else {}),
                "missingValues": [""],
            },
        }
        for table in contents.tables
    ]
    return {
        "profile": "tabular-data-package",
        "name": "bildungsmonitor",
        "title": "Bildungsmonitoring: Indikatoren / Education monitoring: indicators",
        "description": imprint.notice or ATTRIBUTION,
        "synthetic": imprint.synthetic,
        **({} if imprint.is_internal else {"licenses": [{"name": LICENCE_NAME, "path": LICENCE_URL}]}),
        "sources": [{"title": "Statistische Ämter des Bundes und der Länder"}],
        "resources": resources,
    }


def dictionary_page(
    contents: Contents, catalogue: Catalogue, descriptions: ColumnTexts, imprint: Imprint
) -> str:
    """The data dictionary: every indicator and every column, German and English, self-contained."""
    groups = [
        (catalogue.published[name], contents.states[name], catalogue.indicators_of(name))
        for name in catalogue.published
        if name in contents.states
    ]
    groups.sort(key=lambda group: min((i.code[0], int(i.code[1:].split(".")[0])) for i in group[2]))
    return rendered(
        "dictionary.html",
        groups=groups,
        catalogue=catalogue,
        availability=availability,
        units=UNITS,
        tables=contents.tables,
        descriptions=descriptions,
        notice=imprint.notice,
    )


def fields_page(contents: Contents, catalogue: Catalogue, imprint: Imprint) -> str:
    """The eight fields of action, one printed page each: where the city stands and what is done about it."""
    rows = {
        t.name: t.rows.to_pylist()
        for t in contents.tables
        if t.name in ("pub_field_of_action", "pub_measures")
    }
    fields: dict[str, list[dict[str, Any]]] = {}
    for row in rows.get("pub_field_of_action", []):
        fields.setdefault(row["field_of_action"], []).append(row)
    measures: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows.get("pub_measures", []):
        measures.setdefault(row["field_of_action"], {})[row["measure_number"]] = row
    return rendered(
        "fields_of_action.html",
        fields=fields,
        measures=measures,
        indicators=catalogue.indicators,
        number=_german_number,
        span=lambda low, high, decimals: span(low, high, "de", decimals),
        notice=imprint.notice,
        rounded=not imprint.is_internal,
    )


def _german_number(value: float | None, decimals: int, signed: bool = False) -> str:
    """A figure of a German page."""
    return number(value, "de", decimals, signed=signed)


def rendered(template: str, **values: Any) -> str:
    """A page from its template, with what every page says."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    environment = Environment(
        loader=PackageLoader("orchestration.publish"),
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["sentence"] = _sentence
    return environment.get_template(template).render(attribution=ATTRIBUTION, **values)


def _sentence(text: str) -> str:
    """With a full stop, if it does not end with one: texts of the catalogue are sentences or parts of one."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def column_descriptions(manifest: dict[str, Any], catalogue: Catalogue) -> ColumnTexts:
    """What columns mean, from the docs blocks of the dbt project."""
    prefix = "doc.bildungsmonitor."
    blocks = {
        name.removeprefix(prefix): block["block_contents"]
        for name, block in manifest["docs"].items()
        if name.startswith(prefix)
    }
    return ColumnTexts({**blocks, **dict.fromkeys(catalogue.breakdowns, blocks["breakdown"])})
