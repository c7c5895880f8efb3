"""The commands `protect` and `attack`: statistical confidentiality of tables given as files.

Belongs here: arguments, files, what is printed. Does not belong here: any rule or search (expectations/disclosure).
Exit codes: 0 done, 1 something opens or can't be protected, 2 usage, declaration or tables are wrong.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from orchestration.console import JsonOption, log_on_stderr, stop
from orchestration.run import FAILED, USAGE

if TYPE_CHECKING:
    from expectations.disclosure.attack import Opened
    from expectations.disclosure.tables import Figures

DeclarationOption = Annotated[
    Path, typer.Option("--declaration", help="YAML: dimensions, tables, rules (docs/confidentiality.md).")
]
TablesArgument = Annotated[
    list[Path], typer.Argument(help="CSV or Parquet; each file is named like its table.")
]

out = Console(soft_wrap=True, highlight=False)


def protect(
    declaration: DeclarationOption,
    tables: TablesArgument,
    folder: Annotated[Path, typer.Option("--out", help="A folder for the protected tables; new or empty.")],
    as_json: JsonOption = False,
) -> None:
    """Hide what must be hidden in all tables together, prove it, and write them. The proof stays in the house.

    DIR/<table>.csv (or .parquet) has the dimensions, `value`, `status` and `sign`; DIR/private/proof.csv has of
    every hidden cell what it can be at least and at most: near the truth, never to be given away. Tables of another
    method (rounding, small counts, cell key) get figures of that method.
    """
    from expectations.disclosure.attack import ContradictionError
    from expectations.disclosure.blur import distance
    from expectations.disclosure.coarser import coarser
    from expectations.disclosure.declaration import MOST_HIDDEN, DeclarationError, load_declaration
    from expectations.disclosure.protect import UnprovedError
    from expectations.disclosure.protect import protect as protect_all
    from expectations.disclosure.suppress import InfeasibleError
    from expectations.disclosure.tables import protected_frame, read_tables

    if folder.exists() and any(folder.iterdir()):
        stop(f"{folder}: found files in it, expected a new or an empty folder", USAGE)
    try:
        declared = load_declaration(declaration)
        found = read_tables(declared, tables)
        with log_on_stderr():
            done = protect_all(declared, found)
    except (DeclarationError, ContradictionError) as error:
        stop(str(error), USAGE)
    except (InfeasibleError, UnprovedError) as error:
        stop(str(error), FAILED)
    _write(folder, {p.stem: p.suffix for p in tables}, found, done, protected_frame)
    report: dict[str, Any] = {"joint": done.population.joint, "tables": {}}
    for name, table in found.items():
        hidden, shown = done.hidden[name], done.told[name]
        primary = done.needs.primary[done.population.of_cell[name]]
        whole = float(table.frame[table.declared.value].sum())
        told = float(table.frame[table.declared.value][~hidden].sum())
        report["tables"][name] = {
            "cells": len(hidden), "primary": int((primary & hidden).sum()), "secondary": int((hidden & ~primary).sum()),
            "cells_published": round(1 - done.share_hidden(name), 4), "mass_published": round(told / whole, 4) if whole else 1.0,
        }  # fmt: skip
        if table.declared.method != "hide":
            mean, most = distance(shown.values, table.values, ~hidden)
            report["tables"][name] |= {
                "method": table.declared.method,
                "mean_distance": round(mean, 3),
                "largest_distance": most,
            }
        if done.share_hidden(name) > MOST_HIDDEN:
            report["tables"][name]["coarser"] = coarser(declared, found, name)
    if as_json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return
    for name, facts in report["tables"].items():
        out.print(
            f"{name}: {facts['cells']} Zellen / cells, {facts['primary']} primär / primary, {facts['secondary']} sekundär / "
            f"secondary gesperrt / hidden; {facts['cells_published']:.1%} der Zellen / of the cells, "
            f"{facts['mass_published']:.1%} der Fälle / of the cases veröffentlicht / published"
        )
        if "method" in facts:
            out.print(
                f"  {facts['method']}: im Mittel / on average {facts['mean_distance']:g} daneben / off, höchstens / at most "
                f"{facts['largest_distance']}"
            )
        if "coarser" in facts:
            out.print(
                f"  mehr als / more than {MOST_HIDDEN:.0%} gesperrt / hidden; gröber wäre besser / coarser would be better: "
                + facts["coarser"]
            )
    if not done.population.joint:
        out.print(
            "Geprüft ist, dass die Tabellen zueinander passen, nicht, ob es zu allen eine gemeinsame gibt / "
            "tables are proved to agree with each other; a common population of all was not searched"
        )
    out.print(
        f"Geprüft / proved: {len(done.attack.witnesses)} Zeugen / witnesses; nichts ist zu erschließen / nothing opens"
    )


def attack(
    declaration: DeclarationOption,
    tables: TablesArgument,
    truth: Annotated[
        Path | None,
        typer.Option(
            help="A folder with the true tables, by the same names: then every need is asked for exactly."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Attack published tables as a reader with a solver would; exit 1 if anything opens.

    Lists every cell that opens: what it can be at least and at most, and the equation. Give tables of earlier
    releases and other answers beside them: the attack is over all together.
    """
    from expectations.disclosure.attack import ContradictionError
    from expectations.disclosure.declaration import DeclarationError, load_declaration
    from expectations.disclosure.protect import attack_told
    from expectations.disclosure.tables import read_tables

    try:
        declared = load_declaration(declaration)
        told = read_tables(declared, tables)
        true = None
        if truth is not None:
            found = {p.stem: p for p in sorted(truth.iterdir()) if p.suffix in (".csv", ".parquet")}
            if missing := sorted(set(told) - set(found)):
                stop(f"{truth}: no true table {', '.join(missing)}", USAGE)
            true = read_tables(declared, [found[name] for name in told])
        with log_on_stderr():
            population, result = attack_told(declared, told, true)
    except (DeclarationError, ContradictionError, OSError) as error:
        stop(str(error), USAGE)
    opened = result.opened
    if as_json:
        print(
            json.dumps(
                {"opened": [_as_json(o) for o in opened], "joint": population.joint},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for one in opened:
            out.print(
                f"{one.label}  [{_number(one.lower)}, {_number(one.upper)}]  {one.equation}", markup=False
            )
        count = int((~population.unpublished).sum())
        out.print(
            f"{len(opened)} Zellen erschließbar / cells open, {count} verschiedene Zellen angegriffen / distinct cells attacked"
        )
    if opened:
        raise typer.Exit(FAILED)


def _write(
    folder: Path, endings: dict[str, str], tables: dict[str, Figures], done: Any, frame_of: Any
) -> None:
    """All files or none."""
    import pandas as pd

    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".protect-"))
    try:
        for name in tables:
            frame = frame_of(done.told[name], done.hidden[name])
            if endings[name] == ".parquet":
                frame.to_parquet(staging / f"{name}.parquet", index=False)
            else:
                frame.to_csv(staging / f"{name}.csv", index=False)
        private = staging / "private"
        private.mkdir(mode=0o700)
        proof = pd.concat([done.proof(name) for name in tables], ignore_index=True)
        proof.to_csv(private / "proof.csv", index=False)
        (private / "proof.csv").chmod(0o600)
        staging.chmod(0o755)
        if folder.exists():
            folder.rmdir()
        staging.rename(folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _as_json(opened: Opened) -> dict[str, Any]:
    bounds = {
        k: None if v == float("inf") else v for k, v in (("lower", opened.lower), ("upper", opened.upper))
    }
    return {"cell": opened.label, **bounds, "equation": opened.equation, "unsure": opened.unsure}


def _number(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:g}"
