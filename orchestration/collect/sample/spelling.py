"""How the synthetic city's offices spell people: invented names, numbers, days, codes.

Belongs here: arrays of the simulation → arrays of text. Does not belong here: any single register.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.collect.sample.city import Array

_FAMILY = ("Aberle", "Brandt", "Çelik", "Dörr", "Engel", "Fuß", "Göbel", "Haas", "Işık", "Jäger", "Kranz", "Löw",
           "Müßig", "Nowak", "Öztürk", "Pfaff", "Quint", "Röder", "Schütz", "Thönnes", "Uhl", "Völker", "Weiß", "Zöller")  # fmt: skip
_GIVEN = (("Anton", "Bülent", "Carl", "Dawid", "Emil", "Friedrich", "Günther", "Jörg", "Kálmán", "Luca"),
          ("Ayşe", "Beate", "Clara", "Dörte", "Elif", "Frauke", "Gülsen", "Hedwig", "Ida", "Jördis"))  # fmt: skip

TYPE_CODES = np.array(["GS", "RSP", "GYM", "IGS", "FOES", "KOLL", "BBS"])
"""Types of schools by their number in the city, as the school administration writes them."""

SEX_CODES = np.array(["m", "w", "d"])


def digits(numbers: Array, width: int) -> Array:
    """Numbers with leading zeros."""
    return np.char.zfill(numbers.astype(f"U{width}"), width)


def german_days(days: Array) -> Array:
    """Days since 1970 as 31.12.2024."""
    iso = np.asarray(days).astype("datetime64[D]").astype("U10")
    frame = pd.Series(iso)
    return (frame.str[8:10] + "." + frame.str[5:7] + "." + frame.str[:4]).to_numpy()


def compact_days(days: Array) -> Array:
    """Days since 1970 as 20241231."""
    return pd.Series(np.asarray(days).astype("datetime64[D]").astype("U10")).str.replace("-", "").to_numpy()


def sex_of(ids: Array, sex: Array) -> Array:
    """A few people are neither; which, is their number's affair."""
    return np.where(ids % 1499 == 0, 2, sex)


def family_names(ids: Array) -> Array:
    return np.array(_FAMILY)[ids % len(_FAMILY)]


def given_names(ids: Array, sex: Array) -> Array:
    return np.array(_GIVEN)[sex, (ids // 7) % len(_GIVEN[0])]
