"""Bytes → text: zip archives, encodings, and the damage done to them on the way.

Belongs here: everything decided before the first line is read.
Does not belong here: what a line means.
"""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib
from pathlib import PurePosixPath

from orchestration.collect.damage import damaged_at
from orchestration.collect.genesis.errors import FormatError

MAX_UNPACKED = 512 * 1024 * 1024
"""A member larger than this is refused: the offices' export limit is far below it."""

_CHUNK = 1 << 20


def unpack(file: str, data: bytes) -> tuple[str, bytes]:
    """Name and bytes of the one file inside `data`; plain bytes and workbooks pass through.

    Raises FormatError for a broken archive or one without exactly one member.
    """
    if not data:
        raise FormatError(file, "0 bytes", "an official file")
    if not data.startswith(b"PK\x03\x04"):
        return PurePosixPath(file).name, data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if any(m.filename in ("[Content_Types].xml", "mimetype") for m in members):
                _refuse_too_large(file, sum(m.file_size for m in members))
                return PurePosixPath(file).name, data
            if len(members) != 1:
                names = ", ".join(m.filename for m in members) or "nothing"
                raise FormatError(file, f"{len(members)} files in the archive ({names})", "one")
            _refuse_too_large(file, members[0].file_size)
            return PurePosixPath(members[0].filename).name, archive.read(members[0])
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FormatError(file, f"a damaged zip archive ({error})", "a whole archive") from error


def _refuse_too_large(file: str, size: int) -> None:
    if size > MAX_UNPACKED:
        raise FormatError(file, f"{size} bytes unpacked", f"at most {MAX_UNPACKED}")


def is_workbook(data: bytes) -> bool:
    """XLSX and ODS are archives that `unpack` leaves whole; XLS is a compound file."""
    return data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def decode(file: str, data: bytes) -> tuple[bytes, str]:
    """The text as UTF-8 without BOM and with LF, and the encoding it came in.

    The offices use UTF-8 (with or without BOM) and Windows-1252, mixed by table, so the bytes
    decide. Raises FormatError naming the line for bytes that are neither, and for text whose
    umlauts were destroyed before it came here. Works on bytes: the largest tables never stand in
    memory as a string.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data:
        raise FormatError(file, "UTF-16 or binary data", "UTF-8 or Windows-1252 text")
    if _is_utf8(data):
        text, encoding = data.removeprefix(codecs.BOM_UTF8), "utf-8"
    else:
        try:
            text, encoding = data.decode("cp1252").encode(), "cp1252"
        except UnicodeDecodeError as error:
            found = f"byte 0x{data[error.start]:02x}"
            expected = "UTF-8 or Windows-1252 text"
            raise FormatError(file, found, expected, line=line_at(data, error.start)) from error
    if (damage := damaged_at(text)) is not None:
        around = text[max(0, damage - 8) : damage + 12].decode(errors="ignore")
        found = f"damaged characters {around!r}"
        raise FormatError(file, found, "text in one encoding, saved once", line=line_at(text, damage))
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
        if (lone := text.find(b"\r")) >= 0:
            expected = "lines that end with LF or CR LF"
            raise FormatError(file, "a lone carriage return", expected, line=line_at(text, lone))
    return text, encoding


def line_at(data: bytes, position: int) -> int:
    """The number of the line a byte stands on, the first being 1."""
    return data.count(b"\n", 0, position) + 1


def _is_utf8(data: bytes) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK):
            decoder.decode(data[start : start + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
