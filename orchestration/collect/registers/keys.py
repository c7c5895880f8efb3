"""The secret behind pseudonyms: where it comes from, and the keyed hash of a column.

Belongs here: keys and HMAC-SHA-256. Does not belong here: which columns are pseudonymised (door.py).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import os
from pathlib import Path

import polars as pl
import polars_hash  # noqa: F401  (adds `chash` to the expressions of polars)
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.settings import ConfigurationError

KEY_VARIABLE = "BILDUNGSMONITOR_REGISTER_KEY"
MIN_LENGTH = 32

SAMPLE_KEY = b"the key of the synthetic city is public: nobody lives in it"


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


def pseudonyms(texts: pa.Array, key: bytes) -> pa.Array:
    """HMAC-SHA-256 of every text under the key's hexadecimal form, as 32 bytes; null stays null."""
    told = texts.drop_null()
    frame = pl.DataFrame({"text": pl.from_arrow(told)})
    hashed = frame.select(pl.col("text").chash.hmac_sha256(key=key.hex()))["text"]  # type: ignore[attr-defined]
    digits = hashed.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()[2]
    raw = pa.py_buffer(binascii.unhexlify(digits) if digits else b"")
    found = pa.FixedSizeBinaryArray.from_buffers(pa.binary(32), len(told), [None, raw])
    if len(told) == len(texts):
        return found
    there = pc.cumulative_sum(pc.cast(texts.is_valid(), pa.int64()))
    return found.take(pc.if_else(texts.is_valid(), pc.subtract(there, 1), None))
