"""The secret behind pseudonyms: where it comes from, and the keyed hash in SQL.

Belongs here: keys and HMAC-SHA-256. Does not belong here: which columns are pseudonymised (door.py).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from orchestration.settings import ConfigurationError

KEY_VARIABLE = "BILDUNGSMONITOR_REGISTER_KEY"
MIN_LENGTH = 32

SAMPLE_KEY = b"the key of the synthetic city is public: nobody lives in it"

_BLOCK = 64


def register_key(key_file: Path | None, home: Path) -> bytes:
    """The city's key, from the environment or from a file outside the home.

    Raises ConfigurationError if there is none, if it is short, or if the file lies where the data lie.
    """
    if key_file is not None:
        path = key_file.resolve()
        if path.is_relative_to(home.resolve()):
            raise ConfigurationError(f"registers.key_file: {path} lies inside the home; keep it elsewhere")
        try:
            key = path.read_bytes().strip()
        except OSError as error:
            raise ConfigurationError(f"registers.key_file: {path}: {error.strerror}") from error
        source = str(path)
    else:
        key = os.environ.get(KEY_VARIABLE, "").strip().encode()
        source = f"environment variable {KEY_VARIABLE}"
    if len(key) < MIN_LENGTH:
        found = f"{len(key)} bytes" if key else "nothing"
        raise ConfigurationError(
            f"registers: {source}: found {found}, expected a key of {MIN_LENGTH} bytes or more"
        )
    return key


def delivery_key(master: bytes, register: str, delivery: str | None) -> bytes:
    """The key of one delivery; of all deliveries of a register where linkage is declared (None)."""
    scope = f"{register}/{'*' if delivery is None else delivery}"
    return hmac.new(master, scope.encode(), hashlib.sha256).digest()


def mark(key: bytes, data: bytes) -> bytes:
    """A keyed fingerprint: tells two deliveries apart and says nothing about either."""
    return hmac.new(key, data, hashlib.sha256).digest()


def pseudonym(expression: str, key: bytes) -> str:
    """HMAC-SHA-256 of a text in SQL, as 32 bytes; DuckDB has no HMAC of its own, only its parts.

    The pads stand in the SQL: as parameters they would be copied for every row, which costs as much
    as the hash itself. The statement is never logged, nor is any error that may quote it.
    """
    block = (key if len(key) <= _BLOCK else hashlib.sha256(key).digest()).ljust(_BLOCK, b"\0")
    inner, outer = (_literal(bytes(b ^ pad for b in block)) for pad in (0x36, 0x5C))
    return f"unhex(sha256({outer} || unhex(sha256({inner} || encode({expression})))))"


def _literal(data: bytes) -> str:
    return "'" + "".join(f"\\x{byte:02x}" for byte in data) + "'::blob"
