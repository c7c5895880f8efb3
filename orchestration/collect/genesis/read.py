"""One door for every official file: find out what it is, read it, or say why not."""

from __future__ import annotations

import datetime as dt
import re

from expectations.catalogue import Catalogue
from orchestration.collect.genesis.agency import is_agency_table, read_agency_table
from orchestration.collect.genesis.datencsv import is_datencsv, read_datencsv
from orchestration.collect.genesis.errors import FormatError
from orchestration.collect.genesis.ffcsv import is_ffcsv, read_ffcsv
from orchestration.collect.genesis.rows import OfficialRows
from orchestration.collect.genesis.text import decode, is_workbook, unpack
from orchestration.collect.genesis.workbook import read_workbook

_CODE_IN_NAME = re.compile(
    r"^([0-9]{5}[A-Z]?|[0-9]{4}[A-Z]|AI[A-Z0-9]*)((?:-[0-9A-Z]+(?<=\d)[a-z]{0,2}|-[0-9A-Z]+)+)(?=[_. ])"
)
_EPOCH_MS = re.compile(r"_(1\d{12})_")
_DATE_IN_NAME = re.compile(r"_(\d{4}-\d{2}-\d{2})[_.]")


def code_in_name(name: str) -> str | None:
    """The table's code at the start of a file's name, as every download of the offices has it."""
    match = _CODE_IN_NAME.match(name)
    return match[1] + match[2] if match else None


def read_official(file: str, data: bytes, catalogue: Catalogue | None = None) -> OfficialRows:
    """Read any official table (ffcsv, datencsv, plain or zipped; workbooks of Destatis; tables of the
    Bundesagentur).

    `file` is its name: it carries the table's code, which ffcsv does not repeat inside. With a
    catalogue, tables declared there are held to their contract and come out in official codes.
    Raises FormatError: one message with file, line, column, found and expected.
    """
    try:
        return _read(file, data, catalogue)
    except FormatError:
        raise
    except Exception as error:  # whatever a damaged file makes a library say, one file refuses itself
        found = f"something unreadable ({type(error).__name__}: {error})"
        raise FormatError(file, found, "an official file") from error


def _read(file: str, data: bytes, catalogue: Catalogue | None) -> OfficialRows:
    member, content = unpack(file, data)
    outer, inner = code_in_name(file.rsplit("/", 1)[-1]), code_in_name(member)
    if outer and inner and outer != inner:
        raise FormatError(file, f"table {inner} inside the archive", f"{outer}, as the name says")
    named = outer or inner
    if is_workbook(content):
        return read_workbook(file, content, catalogue)
    text, encoding = decode(file, content)
    first = text[:4096].split(b"\n", 1)[0].decode(errors="ignore")
    if not text[:4096].strip():
        raise FormatError(file, "an empty file", "an official file")
    if is_ffcsv(first):
        if named is None:
            raise FormatError(file, "a name without a table's code", "a name such as 12411-01-01-4_….csv")
        contract = catalogue.tables.get(named) if catalogue else None
        rows = read_ffcsv(file, text, encoding, named, contract)
        rows.stand = _stand_in_name(member) or _stand_in_name(file)
        return rows
    if is_datencsv(first):
        code = first.split(": ", 1)[1].strip(";")
        if named and named != code:
            raise FormatError(
                file, f"table {code} in the first line", f"{named}, as the file's name says", line=1
            )
        contract = catalogue.tables.get(code) if catalogue else None
        classifications = catalogue.classifications if catalogue else {}
        return read_datencsv(file, text.decode(), encoding, contract, classifications)
    if is_agency_table(text[:8192].decode(errors="ignore")):
        return read_agency_table(file, text.decode(), encoding)
    if first.startswith(("* Der Benutzer", "K;")):  # its first line names the user who made it
        raise FormatError(file, "the export of a cube (K;… D;…)", "the table's ffcsv or datencsv", line=1)
    found = "an HTML page" if first.lstrip().startswith("<") else f"a first line {first[:60]!r}"
    raise FormatError(
        file,
        found,
        "ffcsv ('statistics_code;…' or 'Statistik_Code;…'), datencsv ('GENESIS-Tabelle: …') or a workbook",
        line=1,
    )


def _stand_in_name(name: str) -> dt.datetime | None:
    """When an ffcsv was made, as its name says; the file itself does not tell.

    Downloads carry milliseconds since 1970 (UTC), archived ones a date.
    """
    if match := _EPOCH_MS.search(name):
        stamp = dt.datetime.fromtimestamp(int(match[1]) // 1000, dt.UTC)
        return stamp.replace(tzinfo=None)
    if match := _DATE_IN_NAME.search(name):
        try:
            return dt.datetime.fromisoformat(match[1])
        except ValueError:  # a name that only looks like a date says nothing
            return None
    return None
