"""The counts of the registers, as they were taken: what every later stage may read.

Belongs here: one folder per delivery, written once and whole, and the areas they are for.
Does not belong here: single records (vault.py); nothing in this module knows where they lie.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.collect.registers.areas import Area, Areas, Piece
from orchestration.resources.files import remove, replace_folder, write_json
from orchestration.resources.home import Home
from orchestration.settings import Settings


@dataclass(frozen=True)
class Snapshot:
    """The counts of one delivery as they were taken; they outlive its records."""

    folder: Path
    register: str
    delivery: str
    period_end: dt.date
    accepted_at: str
    fingerprint: str

    @property
    def measures(self) -> Path:
        return self.folder / "measures.parquet"

    @property
    def rows(self) -> Path:
        """The rows themselves; there only for a register whose rows are told."""
        return self.folder / "rows.parquet"


class RegisterLanding:
    """Counts of every delivery below landing/registers, each written once and whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def snapshots(self) -> list[Snapshot]:
        """The counts in use: of every register and period the delivery accepted last."""
        newest: dict[tuple[str, dt.date], Snapshot] = {}
        for path in sorted(self.folder.glob("[!.]*/[!.]*/delivery.json")):  # not what a killed night left
            facts = json.loads(path.read_text(encoding="utf-8"))
            found = Snapshot(
                path.parent, facts["register"], facts["delivery"], dt.date.fromisoformat(facts["period_end"]),
                facts["accepted_at"], facts["fingerprint"],
            )  # fmt: skip
            key = (found.register, found.period_end)
            before = newest.get(key)
            if before is None or (found.accepted_at, found.delivery) > (before.accepted_at, before.delivery):
                newest[key] = found
        return sorted(newest.values(), key=lambda s: (s.register, s.period_end))

    def areas(self) -> list[Area]:
        """The areas of the last night; none before the first one."""
        path = self.folder / "areas.json"
        if not path.exists():
            return []
        rows = json.loads(path.read_text(encoding="utf-8"))
        day = dt.date.fromisoformat
        return [
            Area(r["code"], r["name"], r["level"], r["parent"], day(r["valid_from"]), day(r["valid_to"]))
            for r in rows
        ]

    def pieces(self) -> list[Piece]:
        """The smallest areas that the cuts of the city tell apart, as of the last night; none without block sides."""
        path = self.folder / "pieces.json"
        if not path.exists():
            return []
        day = dt.date.fromisoformat
        return [
            Piece(r["codes"], day(r["valid_from"]), day(r["valid_to"]))
            for r in json.loads(path.read_text(encoding="utf-8"))
        ]

    def write_areas(self, areas: Areas) -> None:
        write_json(self.folder / "areas.json", [asdict(a) for a in areas.areas.values()])
        write_json(self.folder / "pieces.json", [asdict(p) for p in areas.pieces()])

    def write(
        self, snapshot: Snapshot, facts: dict[str, Any], counts: pa.Table, rows: pa.Table | None = None
    ) -> None:
        """Keep the counts of a delivery whole, and the rows where they are told; `facts` beside them."""
        final = snapshot.folder
        temporary = final.with_name(f".{final.name}.part")
        for leftover in (temporary, final):
            remove(leftover)
        temporary.mkdir(parents=True)
        pq.write_table(counts, temporary / snapshot.measures.name, compression="zstd")
        if rows is not None:
            pq.write_table(rows, temporary / snapshot.rows.name, compression="zstd")
        told = {
            "register": snapshot.register,
            "delivery": snapshot.delivery,
            "period_end": snapshot.period_end.isoformat(),
            "accepted_at": snapshot.accepted_at,
            "fingerprint": snapshot.fingerprint,
            **facts,
        }
        write_json(temporary / "delivery.json", told)
        replace_folder(temporary, final)


def register_landing(home: Home, settings: Settings) -> RegisterLanding:
    """Where the counts of this configuration's registers lie."""
    return RegisterLanding(home.landing / settings.registers.landing_name)
