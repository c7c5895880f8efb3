"""Bytes → text: zip archives, encodings, and the damage done to them on the way.

Belongs here: everything decided before the first line is read.
Does not belong here: what a line means.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import PurePosixPath

from orchestration.collect.genesis.errors import FormatError

MAX_UNPACKED = 512 * 1024 * 1024
"""A member larger than this is refused: the offices' export limit is far below it."""

_MOJIBAKE = re.compile("Ã[¤¶¼„–œŸ]|â€|\ufffd")
"""UTF-8 that was once read as cp1252 and saved again, or lost altogether."""


def unpack(file: str, data: bytes) -> tuple[str, bytes]:
    """Name and bytes of the one file inside `data`; plain bytes pass through.

    Raises FormatError for a broken archive or one without exactly one member.
    """
    if not data:
        raise FormatError(file, "0 bytes", "an official file")
    if not data.startswith(b"PK\x03\x04"):
        return PurePosixPath(file).name, data
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            if any(m.filename == "[Content_Types].xml" for m in members):
                raise FormatError(file, "an Excel workbook", "ffcsv or datencsv, plain or zipped (not XLSX)")
            if len(members) != 1:
                names = ", ".join(m.filename for m in members) or "nothing"
                raise FormatError(file, f"{len(members)} files in the archive ({names})", "one")
            if members[0].file_size > MAX_UNPACKED:
                raise FormatError(file, f"{members[0].file_size} bytes unpacked", f"at most {MAX_UNPACKED}")
            return PurePosixPath(members[0].filename).name, archive.read(members[0])
    except FormatError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise FormatError(file, f"a damaged zip archive ({error})", "a whole archive") from error


def decode(file: str, data: bytes) -> tuple[str, str]:
    """Text and encoding: UTF-8 (with or without BOM), else Windows-1252.

    The offices use both, mixed by table, so the bytes decide. Raises FormatError naming the line
    for bytes that are neither, and for text whose umlauts were destroyed before it came here.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in data[:4096]:
        raise FormatError(file, "UTF-16 or binary data", "UTF-8 or Windows-1252 text")
    try:
        text, encoding = data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        try:
            text, encoding = data.decode("cp1252"), "cp1252"
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            found = f"byte 0x{data[error.start]:02x}"
            raise FormatError(file, found, "UTF-8 or Windows-1252 text", line=line) from error
    damage = _MOJIBAKE.search(text)
    if damage:
        line = text.count("\n", 0, damage.start()) + 1
        found = f"damaged characters {text[max(0, damage.start() - 5) : damage.end() + 5]!r}"
        raise FormatError(file, found, "text in one encoding, saved once", line=line)
    text = text.replace("\r\n", "\n")
    if "\r" in text:
        line = text.count("\n", 0, text.index("\r")) + 1
        raise FormatError(file, "a lone carriage return", "lines that end with LF or CR LF", line=line)
    return text, encoding
