"""The commands `release …` and `cite`: what was published, what differs, going back, proving and tidying up.

Belongs here: arguments and what is printed. Does not belong here: the store itself (publish/release.py).
Exit codes: 0 done, 1 damage or a busy home, 2 usage; `diff` exits with 1 where there are differences, like `diff` does.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from orchestration.console import ConfigOption, HomeOption, JsonOption, print_json, stop
from orchestration.run import FAILED, USAGE
from orchestration.settings import DEFAULT_CONFIG, DEFAULT_HOME, Audience, ConfigurationError

if TYPE_CHECKING:
    from orchestration.publish.release import Release, ReleaseStore
    from orchestration.settings import Settings

OnOption = Annotated[
    str | None, typer.Option("--on", help="As it was published at the end of a day, YYYY-MM-DD.")
]
AudienceOption = Annotated[
    Audience,
    typer.Option("--audience", help="`public`, or `internal`: the statistics office's own releases."),
]
IdArgument = Annotated[str | None, typer.Argument(help="A release; the served one without it.")]

out = Console(soft_wrap=True, highlight=False)

release_app = typer.Typer(
    no_args_is_help=True, help="Releases: list, show, compare, go back, prove, tidy up."
)


@release_app.command("list")
def list_releases(
    home: HomeOption = DEFAULT_HOME, audience: AudienceOption = "public", as_json: JsonOption = False
) -> None:
    """Every release that is kept, the oldest first."""
    store = _store(home, audience)
    served, withdrawn = store.current(), store.withdrawn()
    rows = [
        {
            "release": r.id, "created_at": r.manifest["created_at"], "served": served is not None and r.id == served.id,
            "withdrawn": withdrawn.get(r.id), "purged": r.is_purged,
            "bytes": 0 if r.is_purged else sum(f["bytes"] for f in r.manifest["files"].values()),
            "published": sum(t["status"] == "published" for t in r.manifest["tables"].values()),
            "held": sum(t["status"] == "held" for t in r.manifest["tables"].values()),
        }
        for r in store.all()
    ]  # fmt: skip
    if as_json:
        print_json(rows)
        return
    table = Table(
        Column("Release", no_wrap=True), "von / of", Column("Tabellen / tables", justify="right"),
        Column("gehalten / held", justify="right"), Column("MB", justify="right"), "Stand / state",
    )  # fmt: skip
    for row in rows:
        reason = row["withdrawn"]
        taken = "vernichtet / purged" if row["purged"] else "zurückgezogen / withdrawn"
        state = "served" if row["served"] else "" if reason is None else f"{taken}: {reason}"
        table.add_row(
            row["release"], row["created_at"][:16], str(row["published"]), str(row["held"]), f"{row['bytes'] / 1e6:.0f}", state
        )  # fmt: skip
    out.print(table)


@release_app.command("show")
def show_release(
    release_id: IdArgument = None,
    home: HomeOption = DEFAULT_HOME,
    on: OnOption = None,
    audience: AudienceOption = "public",
    as_json: JsonOption = False,
) -> None:
    """One release: where it lies, what stands in it. `--on DAY`: the one that readers had at the end of that day."""
    release = _chosen(_store(home, audience), release_id, on)
    facts = {"folder": str(release.folder), **release.manifest}
    if as_json:
        print_json(facts)
        return
    out.print(
        f"Release [bold]{release.id}[/bold] von / of {facts['created_at']}, folgt auf / follows {facts.get('follows') or '–'}"
    )
    if facts["notice"]:
        out.print(f"[yellow]{facts['notice']}[/yellow]")
    out.print(
        f"{release.folder}\ncatalogue {facts['catalogue_hash'][:12]}, code {facts['product']['commit'] or '–'}"
    )
    table = Table(
        Column("Tabelle / table", no_wrap=True), "Version", Column("Zeilen / rows", justify="right"),
        "Stand von / content of", "Grund, wenn gehalten / reason if held",
    )  # fmt: skip
    from expectations.wording import number

    for name, state in facts["tables"].items():
        rows = number(state["rows"], "de")
        table.add_row(
            name, state["schema_version"], rows, state["published_by"] or "–", state.get("reason_de", "")
        )
    out.print(table)


@release_app.command("diff")
def diff_releases(
    old: Annotated[str, typer.Argument(help="A release.")],
    new: Annotated[str | None, typer.Argument(help="Another one; the served one without it.")] = None,
    cells: Annotated[int, typer.Option("--cells", min=0, help="Print so many rows of each table.")] = 0,
    home: HomeOption = DEFAULT_HOME,
    audience: AudienceOption = "public",
    as_json: JsonOption = False,
) -> None:
    """What is told otherwise: rows new, changed, withdrawn, and columns. Exits with 1 if anything is."""
    from orchestration.publish.differences import differences

    store = _store(home, audience)
    found = differences(_whole(_chosen(store, old, None)), _whole(_chosen(store, new, None)), cells)
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
    else:
        for one in found:
            out.print(
                f"[bold]{one.table}[/bold]: {one.new} neu / new, {one.changed} geändert / changed, "
                f"{one.withdrawn} entfallen / withdrawn"
            )
            if one.columns:
                out.print(
                    "  Spalten / columns: " + ", ".join(f"{c}: {what}" for c, what in one.columns.items())
                )
            if one.changed_columns:
                out.print("  " + ", ".join(f"{column} {n}×" for column, n in one.changed_columns.items()))
            for cell in one.cells:
                key = ", ".join(
                    str(v) for k, v in cell.items() if k not in ("kind", "columns") and v != "total"
                )
                values = "; ".join(f"{c}: {a} → {b}" for c, (a, b) in cell["columns"].items())
                out.print(f"  {cell['kind']}: {key}" + (f": {values}" if cell["kind"] == "changed" else ""))
        if not found:
            out.print("kein Unterschied / no difference")
    if found:
        raise typer.Exit(FAILED)


@release_app.command("rollback")
def rollback(
    release_id: Annotated[str, typer.Argument(help="The release to serve instead.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why the served one is taken back; it is kept and shown.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    audience: AudienceOption = "public",
) -> None:
    """Serve an earlier release at once, in the configured databases as well. What is taken back is not published again as it is: its tables stay held.

    Going to a release that was withdrawn serves it again and lifts that.
    """
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home, HomeBusyError

    _plain(reason)
    settings = _settings(config)
    try:
        with Home(home).lock():
            store = _store(home, audience)
            target, served = _chosen(store, release_id, None), _chosen(store, None, None)
            if target.id == served.id:
                stop(f"{target.id} is served already", USAGE)
            if damage := target.damage():
                stop(f"{target.id} can't be served: {damage[0]}", FAILED)
            back = [*store.served_since(target.id)] or [served.id]
            store.serve(target, now(), withdraw=back, reason=reason.strip())
            out.print(f"{target.id} statt / instead of {served.id}: {reason.strip()}")
            _databases(home, settings)
    except HomeBusyError as error:
        stop(str(error), FAILED)


@release_app.command("purge")
def purge(
    release_id: Annotated[
        str, typer.Argument(help="The release whose figures are destroyed; never the served one.")
    ],
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept and shown.")],
    followers: Annotated[
        bool,
        typer.Option(
            "--followers",
            help="The releases made against it as well: their lists of changes quote its figures.",
        ),
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    audience: AudienceOption = "public",
) -> None:
    """Destroy the figures of a release: its files, and its rows in the configured databases. Hashes, moment and reason stay.

    The ledger keeps what was published: what is out stays out. A release that is served must be rolled back first.
    """
    from orchestration.publish.targets import forget
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home, HomeBusyError

    _plain(reason)
    settings = _settings(config)
    failed = False
    try:
        with Home(home).lock():
            store = _store(home, audience)
            store.clean()
            chosen, served = _chosen(store, release_id, None), store.current()
            against = store.followers(chosen.id)
            if against and not followers:
                names = ", ".join(r.id for r in against)
                stop(
                    f"{names} says what changed against {chosen.id} and quotes its figures: purge both with --followers",
                    USAGE,
                )
            going = [chosen, *against]
            for release in going:
                if served is not None and release.id == served.id:
                    stop(f"{release.id} is served: roll back to an earlier release first", USAGE)
            same = _same_contents(store, going)
            for release in going:
                gone = store.purge(release, now(), reason.strip())
                out.print(f"{release.id}: {len(gone)} Dateien vernichtet / files destroyed: {reason.strip()}")
                for state in forget(Home(home), settings, release.id, audience):
                    failed |= state.error is not None
                    out.print(state.error or f"{state.name}: {release.id} vernichtet / destroyed")
            for table, others in same.items():
                places = ", ".join(others)
                out.print(
                    f"{table}: derselbe Inhalt steht noch in / the same content still stands in {places}"
                )
    except HomeBusyError as error:
        stop(str(error), FAILED)
    if failed:
        raise typer.Exit(FAILED)


def _same_contents(store: ReleaseStore, going: list[Release]) -> dict[str, list[str]]:
    """By table, the other releases in which the very content of one that is purged stands."""
    ids = {release.id for release in going}
    hashes = {
        (name, state["content_hash"])
        for release in going
        for name, state in release.manifest["tables"].items()
        if state.get("content_hash")
    }
    found: dict[str, list[str]] = {}
    for other in store.all():
        if other.id in ids or other.is_purged:
            continue
        for name, state in other.manifest["tables"].items():
            if (name, state.get("content_hash")) in hashes:
                found.setdefault(name, []).append(other.id)
    return found


def _plain(reason: str) -> None:
    """A reason stands in logs, tables and pages: it must be words, and no markup."""
    if not reason.strip():
        stop("--reason: found nothing, expected why", USAGE)
    if "[" in reason or "]" in reason:
        stop("--reason: found a bracket, expected plain words", USAGE)


@release_app.command("verify")
def verify(
    release_id: IdArgument = None,
    every: Annotated[bool, typer.Option("--all", help="Every release.")] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Remove leftovers of killed processes; serve the newest whole release if the served one is damaged; "
            "bring the configured databases to it.",
        ),
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    audience: AudienceOption = "public",
) -> None:
    """Hash every file again and count every table again. Exits with 1 if anything is other than the manifest says."""
    from orchestration.publish.verification import repaired, wrong_in
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home, HomeBusyError

    store = _store(home, audience)
    if repair:
        settings = _settings(config)
        try:
            with Home(home).lock():
                for line in repaired(store, now()):
                    out.print(line)
                _databases(home, settings)
        except HomeBusyError as error:
            stop(str(error), FAILED)
    damaged = False
    for release in list(store.all()) if every else [_chosen(store, release_id, None)]:
        found = wrong_in(release)
        damaged |= bool(found)
        out.print(
            f"{release.id}: {len(release.manifest['files'])} Dateien / files, "
            + (
                "[red]beschädigt / damaged[/red]"
                if found
                else "vernichtet / purged"
                if release.is_purged
                else "[green]unversehrt / whole[/green]"
            )
        )
        for line in found:
            out.print(f"  {line}")
    if damaged:
        raise typer.Exit(FAILED)


@release_app.command("prune")
def prune(
    nights: Annotated[
        int | None, typer.Option("--nights", min=1, help="Keep so many; by default as configured.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    audience: AudienceOption = "public",
) -> None:
    """Remove old releases, as every night does: the newest stay, every month's last, the served one, withdrawn ones."""
    from orchestration.resources.home import Home, HomeBusyError

    kept = nights or _settings(config).publication.keep_nights
    try:
        with Home(home).lock():
            gone = _store(home, audience).prune(kept)
    except HomeBusyError as error:
        stop(str(error), FAILED)
    for name in gone:
        out.print(name)
    out.print(f"{len(gone)} entfernt / removed")


def cite(
    table: Annotated[str, typer.Argument(help="A published table, e.g. pub_leavers.")],
    release_id: Annotated[
        str | None, typer.Option("--release", help="A release; the served one without it.")
    ] = None,
    on: OnOption = None,
    bibtex: Annotated[bool, typer.Option("--bibtex", help="As an entry of a list of references.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """How to cite a table so that exactly these figures are found again."""
    from orchestration.publish.citation import cite as cited
    from orchestration.settings import catalogue_of

    settings = _settings(config)
    catalogue = catalogue_of(settings)
    release = _whole(_chosen(_store(home), release_id, on))
    if table not in catalogue.published or (release.manifest["tables"].get(table) or {}).get("rows") is None:
        stop(f"no published table '{table}' in {release.id}", USAGE)
    found = cited(release, catalogue.published[table], settings.publication)
    print(found.bibtex if bibtex else found.text)


def _settings(config: Path) -> Settings:
    from orchestration.settings import load_settings

    try:
        return load_settings(config)
    except ConfigurationError as error:
        stop(str(error), USAGE)


def _databases(home: Path, settings: Settings) -> None:
    """Bring the databases to what is served, and say so."""
    from orchestration.publish.targets import bring_up_to_date
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home

    states = bring_up_to_date(Home(home), settings, now())
    for state in states:
        out.print(state.error or f"{state.name}: {state.release}")
    if any(state.error for state in states):
        raise typer.Exit(FAILED)


def _store(home: Path, audience: Audience = "public") -> ReleaseStore:
    from orchestration.publish.release import ReleaseStore
    from orchestration.resources.home import Home

    store = ReleaseStore.of(Home(home), audience)
    if not store.folder.exists():
        stop(f"{home}: no releases yet", USAGE)
    return store


def _whole(release: Release) -> Release:
    """The release, if it has figures."""
    if release.is_purged:
        stop(f"{release.id}: its figures were destroyed: {release.manifest['purged']['reason']}", USAGE)
    return release


def _chosen(store: ReleaseStore, release_id: str | None, on: str | None) -> Release:
    """The release of that name, or of that day, or the served one."""
    if release_id is not None and on is not None:
        stop("a release or --on, not both", USAGE)
    if on is not None:
        try:
            day = dt.date.fromisoformat(on)
        except ValueError:
            stop(f"--on: found {on!r}, expected YYYY-MM-DD", USAGE)
        release_id = store.served_on(day)
        if release_id is None:
            stop(f"--on: nothing was published by {on}", USAGE)
        if not (store.folder / release_id).exists():
            stop(f"{release_id}, which was served on {on}, is not kept any more", USAGE)
    if release_id is None:
        served = store.current()
        if served is None:
            stop("nothing is served yet", USAGE)
        return served
    known = [release.id for release in store.all()]
    if release_id not in known:
        stop(f"no release '{release_id}'; there are {', '.join(known[-5:]) or 'none'}", USAGE)
    return store.read(release_id)
