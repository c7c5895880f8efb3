"""edoo.sys, the school administration's database: schema asv of the synthetic city.

Belongs here: tables and columns as edoo.sys names them, as far as they are known, and their dumps.
Does not belong here: what happens at school (city.py).
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from orchestration.collect.sample.city import (
    NATIONALITIES,
    OUTSIDE,
    PRIMARY,
    QUALIFICATIONS,
    Array,
    Layout,
    Year,
)
from orchestration.collect.sample.spelling import SEX_CODES, TYPE_CODES, family_names, given_names
from orchestration.resources.files import remove


class Edoo:
    """The tables, filled school year by school year. `numbers`: the schools' numbers, in the layout's order."""

    def __init__(self, code: str, layout: Layout, numbers: Array, seed: int) -> None:
        self.code = code
        self.layout = layout
        self.numbers = numbers
        self.seed = seed
        self._frames: dict[str, list[pd.DataFrame]] = {}
        self._events = 0

    def add(self, year: Year) -> None:
        """Write one school year down."""
        y, pupils, layout = year.year, year.pupils, self.layout
        group = pupils.school * 20 + pupils.grade
        order = np.lexsort((pupils.id, group))
        size = np.bincount(group, minlength=len(self.numbers) * 20)
        full = np.where(layout.school_type == PRIMARY, 24, 28)[np.arange(len(size)) // 20]
        parallel = np.maximum(-(-size // full), 1)
        place = np.empty(len(pupils), dtype=np.int64)
        place[order] = np.arange(len(pupils)) - np.concatenate([[0], np.cumsum(size)])[group[order]]
        klass = (y % 100) * 1_000_000 + group * 20 + place * parallel[group] // np.maximum(size[group], 1)
        ids, first = np.unique(klass, return_index=True)
        rng = np.random.default_rng([self.seed, 11, 0])
        all_day = rng.random(len(self.numbers)) < 0.55
        school, grade = pupils.school[first], pupils.grade[first]
        self._put(
            "svp_schuljahr",
            pd.DataFrame(
                {"id": [y], "bezeichnung": [f"{y}/{(y + 1) % 100:02d}"], "stichtag": [f"{y}-10-01"]}
            ),
        )
        self._put("svp_klasse", pd.DataFrame({
            "id": ids, "schule_id": school + 1, "schuljahr_id": y,
            "klassenname": [f"{g}{chr(97 + i % 20)}" for g, i in zip(grade, ids, strict=True)],
            "wl_schulart_id": [f"5018_{t}" for t in TYPE_CODES[layout.school_type[school]]],
            "wl_jahrgangsstufe_id": [f"JGST_{g}" for g in grade],
            # An all-day school has classes without it, too, the same ones every year.
            "ganztag": (all_day[school] & ((7 * school + grade + 3 * (ids % 20)) % 5 < 3)).astype(int),
        }))  # fmt: skip
        self._put("svp_klassengruppe", pd.DataFrame({"id": ids, "klasse_id": ids}))
        self._put(
            "svp_schueler_stamm", self._masters(pupils.id, pupils.birth, pupils.sex, pupils.nationality)
        )
        self._put("svp_schueler_schuljahr", pd.DataFrame({
            "schueler_stamm_id": pupils.id, "schuljahr_id": y, "klassengruppe_id": klass,
            "foerderbedarf": pupils.special_needs.astype(int), "familiensprache_deutsch": pupils.german_at_home.astype(int),
        }))  # fmt: skip
        events = year.school_events
        self._put(
            "svp_schueler_stamm",
            self._masters(events["id"], events["birth"], events["sex"], events["nationality"]),
        )
        count = len(events["id"])
        target = np.append(TYPE_CODES, "")[events["target"]]
        self._put("svp_schueler_bildungsgang_ein_austritt", pd.DataFrame({
            "id": np.arange(self._events + 1, self._events + count + 1), "schueler_stamm_id": events["id"],
            "schuljahr_id": y, "schule_id": events["school"] + 1, "datum": events["day"].astype("datetime64[D]").astype(str),
            "ereignis": events["kind"],
            "wl_schulabschluss_id": [f"5020_{q}" if q else None for q in events["qualification"]],
            "wl_zielschulart_id": [f"5018_{t}" if t else None for t in target],
        }))  # fmt: skip
        self._events += count

    def _masters(self, ids: Array, birth: Array, sex: Array, nationality: Array) -> pd.DataFrame:
        return pd.DataFrame({
            "id": ids,
            "familienname": family_names(ids),
            "vornamen": given_names(ids, sex),
            "geburtsdatum": birth.astype("datetime64[D]").astype(str),
            "wl_geschlecht_id": [f"GES_{s}" for s in SEX_CODES[sex]],
            "wl_staatsangehoerigkeit_id": [f"1166_{n}" for n in np.array(NATIONALITIES)[nationality]],
            "wohnort_ags": np.where(ids >= OUTSIDE, "07137068", f"{self.code}000"),
        })  # fmt: skip

    def _put(self, table: str, frame: pd.DataFrame) -> None:
        self._frames.setdefault(table, []).append(frame)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of schema asv, as of the last year that was added."""
        found = {name: pd.concat(frames, ignore_index=True) for name, frames in self._frames.items()}
        found["svp_schueler_stamm"] = found["svp_schueler_stamm"].drop_duplicates(
            "id", keep="last", ignore_index=True
        )
        found["svp_schule"] = pd.DataFrame(
            {"id": np.arange(1, len(self.numbers) + 1), "schulnummer": self.numbers}
        )
        values = {
            **{f"5018_{t}": t for t in TYPE_CODES}, **{f"JGST_{g}": str(g) for g in range(1, 14)},
            **{f"GES_{s}": s for s in SEX_CODES}, **{f"1166_{n}": n for n in NATIONALITIES},
            **{f"5020_{q}": q for q in QUALIFICATIONS},
        }  # fmt: skip
        found["svp_wl_wert"] = pd.DataFrame({"id": list(values), "schluessel": list(values.values())})
        return dict(sorted(found.items()))

    def frames(self, year: int) -> dict[str, pd.DataFrame]:
        """What the school administration exports where its database can't be reached: the same as text."""
        tables = {name: frames[-1] for name, frames in self._frames.items()}
        masters = (
            pd.concat(self._frames["svp_schueler_stamm"][-2:])
            .drop_duplicates("id", keep="last")
            .set_index("id")
        )
        klass = tables["svp_klasse"].set_index("id")
        day = f"{year}-10-01"
        pupils = tables["svp_schueler_schuljahr"]
        who, where = (
            masters.loc[pupils["schueler_stamm_id"]].reset_index(),
            klass.loc[pupils["klassengruppe_id"]].reset_index(),
        )
        events = tables["svp_schueler_bildungsgang_ein_austritt"]
        whose = masters.loc[events["schueler_stamm_id"]].reset_index()
        numbers = self.numbers
        return {
            "classes": pd.DataFrame({
                "Stichtag": day, "Klasse": klass.index, "Bezeichnung": klass["klassenname"].to_numpy(),
                "Schulnummer": numbers[klass["schule_id"] - 1], "Schulart": _code(klass["wl_schulart_id"]).to_numpy(),
                "Jahrgangsstufe": _code(klass["wl_jahrgangsstufe_id"]).to_numpy(), "Ganztag": klass["ganztag"].to_numpy(),
            }),
            "pupils": pd.DataFrame({
                "Stichtag": day, "Schüler": who["id"], "Familienname": who["familienname"], "Vornamen": who["vornamen"], **_person(who),
                "Schulnummer": numbers[where["schule_id"] - 1], "Schulart": _code(where["wl_schulart_id"]),
                "Jahrgangsstufe": _code(where["wl_jahrgangsstufe_id"]), "Klasse": where["id"], "Wohnort": who["wohnort_ags"],
                "Ganztag": where["ganztag"], "Förderbedarf": pupils["foerderbedarf"],
                "Familiensprache Deutsch": pupils["familiensprache_deutsch"],
            }),
            "school_movements": pd.DataFrame({
                "Datum": events["datum"], "Schüler": whose["id"], **_person(whose),
                "Schulnummer": numbers[events["schule_id"] - 1], "Ereignis": events["ereignis"],
                "Abschluss": _code(events["wl_schulabschluss_id"]),
                "Zielschulart": _code(events["wl_zielschulart_id"]),
            }),
        }  # fmt: skip


def _code(keys: pd.Series) -> pd.Series:
    """The code in a key of the list of values: 1166_000 is 000; nothing for none."""
    return keys.fillna("").astype(str).str.split("_").str[-1]


def _person(frame: pd.DataFrame) -> dict[str, pd.Series]:
    return {
        "Geburtsdatum": frame["geburtsdatum"],
        "Geschlecht": _code(frame["wl_geschlecht_id"]),
        "Staatsangehörigkeit": _code(frame["wl_staatsangehoerigkeit_id"]),
    }


def write_sqlite(tables: dict[str, pd.DataFrame], path: Path) -> None:
    """A dump of edoo.sys as an SQLite database."""
    remove(path)
    with sqlite3.connect(path) as connection:
        for name, frame in tables.items():
            frame.to_sql(name, connection, index=False)
            connection.execute(f'create index "{name}_id" on "{name}" ("{frame.columns[0]}")')
    connection.close()


def postgresql_dump(tables: dict[str, pd.DataFrame], schema: str = "asv") -> Iterator[str]:
    """A dump of edoo.sys as psql reads it: schema, tables, and their rows as COPY."""
    yield f"create schema if not exists {schema};\n"
    for name, frame in tables.items():
        kinds = {c: "bigint" if pd.api.types.is_integer_dtype(frame[c]) else "text" for c in frame.columns}
        for date in {"geburtsdatum", "datum", "stichtag"} & set(frame.columns):
            kinds[date] = "date"
        columns = ", ".join(f'"{c}" {kind}' for c, kind in kinds.items())
        yield f"create table {schema}.{name} ({columns});\n"
        yield f"copy {schema}.{name} from stdin;\n"
        yield frame.to_csv(
            sep="\t", header=False, index=False, na_rep="\\N", quoting=csv.QUOTE_NONE, escapechar="\\"
        )
        yield "\\.\n"
