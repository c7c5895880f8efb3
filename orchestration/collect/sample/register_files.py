"""The files of the synthetic city's registers, in the formats their declarations name.

Belongs here: columns of text → bytes; the same columns give the same bytes on every machine.
Does not belong here: what stands in them (registers.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import pandas as pd

from expectations.catalogue.registers import (
    ColumnType,
    CsvFormat,
    FhirFormat,
    FixedWidthFormat,
    Register,
    SurveyFormat,
    WorkbookFormat,
)
from orchestration.resources.files import write_bytes


@dataclass(frozen=True)
class Delivery:
    """One delivery as its columns of text, headed as the sender heads them."""

    register: str
    reference: dt.date
    frame: pd.DataFrame


def write_delivery(register: Register, delivery: Delivery, folder: Path) -> Path:
    """One delivery in its system's format, `<register>_<YYYYMMDD>.<ending>`; returns the file."""
    layout, frame = register.format, delivery.frame
    stem = f"{register.id}_{delivery.reference:%Y%m%d}"
    if isinstance(layout, CsvFormat):
        text = frame.to_csv(index=False, sep=layout.delimiter, header=layout.header, na_rep="")
        data, ending = text.encode(layout.encoding, errors="replace"), "csv"
    elif isinstance(layout, FixedWidthFormat):
        data, ending = _fixed_width(layout, frame), "txt"
    elif isinstance(layout, SurveyFormat):
        data, ending = _survey_archive(register, layout, frame), "zip"
    elif isinstance(layout, FhirFormat):
        data, ending = _bundle(layout.resource, frame), "json"
    elif layout.ending == "ods":
        data, ending = _ods(layout, frame), layout.ending
    else:
        data, ending = _xlsx(layout, register.title.de, frame), layout.ending
    path = folder / f"{stem}.{ending}"
    write_bytes(path, data)
    return path


def _fixed_width(layout: FixedWidthFormat, frame: pd.DataFrame) -> bytes:
    lines = np.full(len(frame), "", dtype=object)
    at = 1
    for name, (start, length) in sorted(layout.layout.items(), key=lambda e: e[1]):
        gap = " " * (start - at)
        lines = lines + gap + frame[name].astype(str).str.slice(0, length).str.ljust(length).to_numpy()
        at = start + length
    lines = lines + " " * (layout.width + 1 - at)
    return ("\r\n".join(lines) + "\r\n").encode(layout.encoding, errors="replace")


def _xlsx(layout: WorkbookFormat, title: str, frame: pd.DataFrame) -> bytes:
    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"created": dt.datetime(2026, 1, 1), "author": "synthetische Beispieldaten"})
    sheet = book.add_worksheet(layout.sheet)
    head = layout.header_row - 1
    for row, line in enumerate([f"{title} – SYNTHETISCHE BEISPIELDATEN", ""][:head]):
        sheet.write_string(row, 0, line)
    for column, name in enumerate(frame.columns):
        sheet.write_string(head, column, name)
        for row, value in enumerate(frame[name], start=head + 1):
            if isinstance(value, str):
                if value:
                    sheet.write_string(row, column, value)
            else:
                sheet.write_number(row, column, float(value))
    book.close()
    return buffer.getvalue()


def _ods(layout: WorkbookFormat, frame: pd.DataFrame) -> bytes:
    def cell(value: object) -> str:
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"><text:p>{value}</text:p></table:table-cell>'

    rows = [list(frame.columns), *frame.itertuples(index=False, name=None)]
    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content office:version="1.2" '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        f'<table:table table:name="{escape(layout.sheet or "Tabelle1")}">{body}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest manifest:version="1.2" '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'
    )
    return _zip({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def _bundle(resource: str, frame: pd.DataFrame) -> bytes:
    entries = []
    for row in frame.to_dict("records"):
        items = [
            {"linkId": str(name).removeprefix("item:"), "answer": [{"valueString": value}]}
            for name, value in row.items() if str(name).startswith("item:") and value != ""
        ]  # fmt: skip
        subject = {"identifier": {"value": row["subject.identifier.value"]}}
        entries.append({"resource": {
            "resourceType": resource, "status": "completed", "authored": row["authored"], "subject": subject, "item": items,
        }})  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "collection", "total": len(entries), "entry": entries}
    return json.dumps(bundle, ensure_ascii=False).encode()


def _survey_archive(register: Register, layout: SurveyFormat, frame: pd.DataFrame) -> bytes:
    lines = ["question;code;label"]
    for column in register.columns:
        if column.type is ColumnType.CODE:
            lines += [f"{column.name};{code};{word}" for code, word in column.codes.items()]
    answers = "\ufeff" + frame.to_csv(index=False, quoting=csv.QUOTE_ALL, na_rep="")
    return _zip({layout.answers: answers, layout.codebook: "\n".join(lines) + "\n"})


def _zip(members: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in members.items():
            info = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()
