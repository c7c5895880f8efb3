"""The command line: nightly, publish, status, explain, table, protect, attack, catalogue, vault and more.

Belongs here: arguments, exit codes, what is printed. Does not belong here: what a stage does; a
night runs through Dagster's own execution of the same definitions, so it is in the history.
Exit codes: 0 all tables published, 3 some held, 1 the night failed, 2 usage or configuration.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.logging import RichHandler
from rich.table import Column, Table

from orchestration.confidentiality import attack, protect
from orchestration.console import ConfigOption, HomeOption, JsonOption, err, out, print_json, stop
from orchestration.releases import cite, release_app
from orchestration.run import FAILED
from orchestration.settings import DEFAULT_CONFIG, DEFAULT_HOME, ConfigurationError

if TYPE_CHECKING:  # pandas costs half a second that `--help` need not spend
    import pandas as pd

    from expectations.catalogue import Catalogue

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Bildungsmonitoring, every night: collect, compute, confirm, publish.",
    pretty_exceptions_enable=False,
)

app.command()(protect)
app.command()(attack)
app.command()(cite)
app.add_typer(release_app, name="release")

OutputOption = Annotated[Path | None, typer.Option(help="OUT.parquet or OUT.csv.")]


def main() -> None:
    """Entry point of the console script."""
    app()


@app.command()
def nightly(
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    exclude_dbt_tests: Annotated[
        bool, typer.Option(help="Leave dbt's tests out. The gate then holds every table.")
    ] = False,
    anew: Annotated[
        bool,
        typer.Option(help="Compute the whole mart from nothing, not only what depends on changed sources."),
    ] = False,
) -> None:
    """Run one night: collect → compute → confirm → publish."""
    steps: dict[str, Any] = {}
    if exclude_dbt_tests:
        steps["dbt_build"] = {"config": {"exclude_tests": True}}
    if anew:
        steps["candidate"] = {"config": {"anew": True}}
    _run("nightly", config, home, as_json, {"ops": steps} if steps else {})


@app.command()
def publish(
    config: ConfigOption = DEFAULT_CONFIG, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Run the last stage alone. It asks for the same evidence as at night and fails closed."""
    _run("publish", config, home, as_json, {})


@app.command()
def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """What is served, what is held and why, and what became of the last delivery."""
    from orchestration.report import status_of

    facts = status_of(home)
    if as_json:
        print_json(facts)
        return
    served = facts["release_id"]
    out.print(f"Release: [bold]{served or 'none / keine'}[/bold]  {facts['release_folder'] or ''}")
    if facts["notice"]:
        out.print(f"[yellow]{facts['notice']}[/yellow]")
    table = Table(
        Column("Tabelle / table", no_wrap=True),
        "Stand / state",
        "Maschinen",
        "Zeilen / rows",
        "Grund / reason",
    )
    from expectations.wording import number

    for name, state in facts["tables"].items():
        shown = "[green]published[/green]" if state["status"] == "published" else "[red]held[/red]"
        if state["status"] == "held":
            shown += f" since {state['held_since']}"
        reason = f"{state['reason_de']}\n[dim]{state['reason_en']}[/dim]" if state.get("reason_de") else ""
        rows = number(state["rows"], "de")
        fit = state["status"] == "published" and state.get("fit_for_machines")
        table.add_row(name, shown, "geeignet / fit" if fit else "–", rows, reason)
    out.print(table)
    delivery = Counter(r["status"] for r in facts["delivery"])
    if delivery:
        counts = ", ".join(f"{n} {state}" for state, n in sorted(delivery.items()))
        out.print(f"Letzte Lieferung / last delivery: {counts}", highlight=False)
    for reception in facts["delivery"]:
        if reception["status"] == "refused":
            out.print(f"[red]abgelehnt / refused:[/red] {reception['reason']}", highlight=False)
        elif reception["status"] == "late":
            name = reception["table_code"]
            out.print(f"[red]nicht gekommen / late:[/red] {name}: {reception['reason']}", highlight=False)
    for arrived in facts["registers"]:
        if arrived["status"] in ("refused", "late"):
            kind = "abgelehnt / refused" if arrived["status"] == "refused" else "nicht gekommen / late"
            reasons = "; ".join(arrived["reasons"])
            out.print(f"[red]{kind}:[/red] Register {arrived['register']}: {reasons}", highlight=False)
        for name, count in arrived["unmatched"].items():
            out.print(
                f"ohne Gebiet / no area: Register {arrived['register']}: {name} ({count})", highlight=False
            )
    overdue = Table("Überfällig / overdue", "Daten bis / data until", "fällig / due", "Stand / state of")
    for source in facts["sources"]:
        if source["is_late"]:
            state = (source["stand"] or "–")[:10]
            overdue.add_row(source["table_code"], str(source["data_until"]), str(source["next_due"]), state)
    if overdue.row_count:
        out.print(overdue)
    unsent = {k: v for k, v in ((facts["message"] or {}).get("delivery") or {}).items() if v != "sent"}
    for channel, what in unsent.items():
        out.print(f"[red]Nachricht nicht zugestellt / message:[/red] {channel}: {what}", highlight=False)
    if facts["last_night"]:
        out.print(f"Letzter Lauf / last run: {facts['last_night']['at']} ({facts['last_night']['run_id']})")


@app.command()
def serve(
    home: HomeOption = DEFAULT_HOME,
    host: Annotated[str, typer.Option(help="Where to listen; only this machine by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8765,
    requests_per_minute: Annotated[int, typer.Option(min=1, help="From one address.")] = 600,
) -> None:
    """Serve the releases over HTTP, read only, until it is stopped."""
    import uvicorn

    from orchestration.resources.home import Home
    from orchestration.service import service

    releases = Home(home).releases
    if not (releases / "current").exists():
        stop(f"{home}: nothing is served yet")
    uvicorn.run(
        service(releases, requests_per_minute), host=host, port=port, log_level="warning", server_header=False
    )


@app.command()
def why(
    table: Annotated[str, typer.Argument(help="A published table, e.g. pub_leavers.")],
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Why a table is held, or with which remarks it went out: a few plain sentences, and what to do."""
    from expectations.catalogue.load import closest
    from orchestration.report import why_of

    catalogue = _catalogue(config)
    if table not in catalogue.published:
        stop(f"no published table '{table}'{closest(table, catalogue.published)}")
    try:
        sentences = why_of(home, table, catalogue)
    except LookupError as error:
        stop(str(error), code=FAILED)
    for german, english in sentences:
        out.print(german, highlight=False, markup=False, soft_wrap=True)
        out.print(english, style="dim", highlight=False, markup=False, soft_wrap=True)


@app.command()
def waive(
    check: Annotated[str, typer.Argument(help="The check that holds the table.")],
    table: Annotated[str, typer.Argument(help="The table it holds.")],
    scope: Annotated[str, typer.Argument(help="The scope it names: an indicator, an official table …")],
    reason: Annotated[str, typer.Option(help="Why the finding may go out, in a sentence.")],
    owner: Annotated[str, typer.Option(help="Who answers for it.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 30,
    out_folder: Annotated[
        Path | None,
        typer.Option(
            "--out", help="A folder of declarations; by default the city's own, else the catalogue."
        ),
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Accept a finding for a time: writes one file to be reviewed like any other change. The next night applies it."""
    from pydantic import ValidationError

    from expectations.catalogue.load import CATALOGUE_DIR, closest
    from expectations.catalogue.model import NEVER_WAIVED, Waiver
    from expectations.catalogue.template import waiver_template
    from orchestration.report import verdicts_of
    from orchestration.resources.clock import now
    from orchestration.settings import load_settings

    catalogue = _catalogue(config)
    for what, name, known in (
        ("check", check, catalogue.checks),
        ("published table", table, catalogue.published),
    ):
        if name not in known:
            stop(f"no {what} '{name}'{closest(name, known)}")
    if check in NEVER_WAIVED:
        stop(f"'{check}' can't be waived by anybody")
    try:
        holding = [
            v for v in verdicts_of(home)
            if (v["check"], v["table"]) == (check, table) and v["status"] in ("FAIL", "NOT_EVALUATED")
        ]  # fmt: skip
    except LookupError as error:
        stop(str(error), code=FAILED)
    scopes = [v["scope"] for v in holding]
    if scope not in scopes:
        found = f"it holds it for {', '.join(scopes)}" if scopes else "it does not hold that table"
        stop(f"'{check}' does not hold {table} for '{scope}': {found}")
    today = now().date()
    number = 1 + sum(w.check == check and w.made_on == today for w in catalogue.waivers.values())
    try:
        waiver = Waiver(
            id=f"{check}_{today:%Y%m%d}_{number}", check=check, table=table, scope=scope, reason=reason, owner=owner,
            made_on=today, expires=today + dt.timedelta(days=days),
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        stop(f"--{first['loc'][0] if first['loc'] else 'days'}: {first['msg']}")
    folder = out_folder or load_settings(config).catalogue or CATALOGUE_DIR
    path = folder / "waivers" / f"{waiver.id}.yml"
    if path.exists():
        stop(f"{path} exists already")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(waiver_template(waiver), encoding="utf-8")
    out.print(
        f"{path}: review and commit it; the next night applies it until {waiver.expires}",
        soft_wrap=True,
        highlight=False,
    )


@app.command()
def explain(
    indicator: Annotated[str, typer.Argument(help="Id or code of an indicator, e.g. D8.2.")],
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Definition, formula, sources and their vintages, checks and latest values of an indicator."""
    from orchestration.explanation import explanation
    from orchestration.settings import load_settings

    catalogue = _catalogue(config)
    settings = load_settings(config)
    for heading, lines in explanation(home, settings, catalogue, _indicator_id(catalogue, indicator)):
        out.print(f"\n[bold]{heading}[/bold]")
        for line in lines:
            out.print(f"  {line}", highlight=False, markup=False)


@app.command()
def table(
    table_code: Annotated[str, typer.Argument(help="Code of an official table, e.g. 21111-01-03-4.")],
    as_of: Annotated[
        str | None, typer.Option(help="As it was known on this day (YYYY-MM-DD); by default today.")
    ] = None,
    output: OutputOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """A landed table as it was known on a day: of every cell the newest state until then."""
    from expectations.catalogue import CatalogueError
    from orchestration.collect.genesis import FormatError
    from orchestration.collect.landing import landing_of
    from orchestration.resources.home import Home
    from orchestration.settings import catalogue_of, load_settings

    _require_known_ending(output)
    try:
        settings = load_settings(config)
        landing = landing_of(Home(home), settings.official_statistics, catalogue_of(settings))
        rows = landing.table(table_code, as_of=_day(as_of))
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    except (LookupError, FormatError) as error:
        stop(str(error), code=FAILED)
    states = sorted({str(stand or "?")[:10] for stand in rows["stand"].to_pylist()})
    out.print(f"table {table_code}: {rows.num_rows:,} rows, states of {', '.join(states)}", highlight=False)
    _show_or_write(rows.to_pandas(), output)


@app.command()
def revisions(
    table_code: Annotated[str, typer.Argument(help="Code of an official table.")],
    home: HomeOption = DEFAULT_HOME,
    output: OutputOption = None,
) -> None:
    """What the deliveries of a table changed: cell, old, new, both states of the data."""
    import pandas as pd

    from orchestration.report import revisions_of

    _require_known_ending(output)
    try:
        found = revisions_of(home, table_code)
    except LookupError as error:
        stop(str(error), code=FAILED)
    if not found:
        out.print(f"{table_code}: keine Änderungen / no changes")
        return
    out.print(f"{table_code}: {len(found)} geänderte Zellen / changed cells")
    _show_or_write(pd.DataFrame(found), output)


@app.command()
def read(
    file: Annotated[
        Path, typer.Argument(help="Any official file: ffcsv, datencsv, zipped or not; workbooks.")
    ],
    output: OutputOption = None,
) -> None:
    """Read an official file into long rows and say which format it is."""
    from expectations.catalogue import load_catalogue
    from orchestration.collect.genesis import FormatError, read_official

    _require_known_ending(output)
    try:
        data = file.read_bytes()
    except OSError as error:
        stop(f"{file}: {error.strerror}")
    try:
        rows = read_official(file.name, data, load_catalogue())
    except FormatError as error:
        stop(str(error), code=FAILED)
    stand = f", Stand {rows.stand:%d.%m.%Y %H:%M}" if rows.stand else ""
    out.print(
        f"{rows.format} ({rows.encoding}), table {rows.table_code}{stand}: {len(rows):,} rows",
        highlight=False,
    )
    for note in rows.notes:
        out.print(f"note: {note}", highlight=False)
    _show_or_write(rows.frame, output)


@app.command()
def sample(
    out_folder: Annotated[Path, typer.Option("--out", help="An empty or new folder.")],
    seed: Annotated[int, typer.Option(help="The same seed writes the same city.")] = 7111,
    scale: Annotated[int, typer.Option(min=1, max=999, help="How many districts of Koblenz' size.")] = 1,
    years: Annotated[int, typer.Option(min=1, max=13, help="How many years, the last one being 2025.")] = 10,
    dumps: Annotated[bool, typer.Option(help="Write edoo.sys as SQLite and PostgreSQL dumps, too.")] = True,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write a synthetic city: every register, in its system's own format. Nobody in it exists."""
    from expectations.catalogue import CatalogueError
    from orchestration.collect.sample.registers import write_cities
    from orchestration.settings import catalogue_of, load_settings

    if out_folder.exists() and any(out_folder.iterdir()):
        stop(f"--out: {out_folder} is not empty")
    try:
        settings = load_settings(config)
        catalogue = catalogue_of(settings)
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    started = time.perf_counter()
    for code, count, spent in write_cities(
        out_folder, settings, catalogue, seed=seed, scale=scale, years=years, dumps=dumps
    ):
        out.print(f"{code}: {count} deliveries, {spent:.1f} s", highlight=False)
    total = time.perf_counter() - started
    out.print(f"Synthetische Beispieldaten / synthetic data: {out_folder} ({total:.1f} s)", soft_wrap=True)


catalogue_app = typer.Typer(
    no_args_is_help=True, help="The declarations: check them, list them, begin a new one."
)
app.add_typer(catalogue_app, name="catalogue")


@catalogue_app.command("check")
def catalogue_check(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Read every declaration; each problem with file, line and the closest valid name."""
    from expectations.catalogue import CatalogueError, load_catalogue
    from orchestration.settings import load_settings

    try:
        catalogue = load_catalogue(*load_settings(config).overlays)
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    states = Counter(i.status for i in catalogue.indicators.values())
    out.print(
        f"{len(catalogue.indicators)} indicators ({', '.join(f'{n} {s}' for s, n in states.most_common())}), "
        f"{len(catalogue.measures)} measures, {sum(t.is_bound for t in catalogue.tables.values())} official tables "
        f"and {len(catalogue.registers)} registers behind them: nothing wrong.",
        highlight=False,
    )


@catalogue_app.command("list")
def catalogue_list(
    status: Annotated[
        bool, typer.Option("--status", help="How many are published, and what the others need.")
    ] = False,
    table: Annotated[str | None, typer.Option(help="Only the indicators of a published table.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
) -> None:
    """The indicators as this city has them, in the order of the life course."""
    from expectations.catalogue.load import closest

    catalogue = _catalogue(config)
    tables = {i.table for i in catalogue.indicators.values()}
    if table is not None and table not in tables:
        stop(f"no published table '{table}'{closest(table, tables)}")
    chosen = [i for i in catalogue.in_order() if table in (None, i.table)]
    if as_json:
        print_json([
            {"code": i.code, "id": i.id, "de": i.label.de, "en": i.label.en, "kind": i.kind.value, "table": i.table,
             "levels": i.all_levels, "status": i.status, "missing": i.missing.model_dump() if i.missing else None}
            for i in chosen
        ])  # fmt: skip
        return
    width = max(len(i.id) for i in chosen)
    for indicator in chosen:
        line = f"{indicator.code:<6} {indicator.id:<{width}} {indicator.status:<9} {indicator.label.de}"
        if status and indicator.missing:
            line += f" – es fehlt / missing: {indicator.missing.de}"
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    if status:
        counts = Counter(i.status for i in chosen)
        out.print(
            f"{', '.join(f'{n} {s}' for s, n in counts.most_common())} of {len(chosen)}", highlight=False
        )


@catalogue_app.command("audit")
def catalogue_audit(
    indicators: Annotated[
        list[str] | None, typer.Argument(metavar="[ID…]", help="Ids or codes; by default all.")
    ] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Sentences, formulas, populations and figures of indicators side by side; 1 if any of them come apart."""
    from orchestration.audit import audit, audit_lines
    from orchestration.publish.release import ReleaseStore
    from orchestration.resources.home import Home
    from orchestration.settings import load_settings

    catalogue = _catalogue(config)
    settings = load_settings(config)
    chosen = [_indicator_id(catalogue, name) for name in indicators or []]
    releases = Home(home).releases
    release = ReleaseStore(releases).current() if releases.exists() else None
    with release.reading() if release else nullcontext() as query:
        found = [
            audit(catalogue, indicator, query, settings.municipality.code)
            for indicator in catalogue.in_order()
            if not chosen or indicator.id in chosen
        ]
    problems = sum(len(one.problems) for one in found)
    if as_json:
        print_json([one.as_json() for one in found])
    else:
        for one in found:
            for line in audit_lines(one):
                out.print(line, highlight=False, markup=False, soft_wrap=True)
        where = f"release {release.id}" if release else "no release: only declarations were read"
        out.print(f"{len(found)} indicators, {problems} problems ({where})", highlight=False)
    if problems:
        raise typer.Exit(FAILED)


@catalogue_app.command("new")
def catalogue_new(
    indicator_id: str,
    measure: Annotated[str, typer.Option(help="What is counted: a measure of the catalogue.")],
    table: Annotated[str, typer.Option(help="The published table it belongs to.")],
    code: Annotated[str, typer.Option(help="Its number in the monitoring's list, such as K7.1.")],
    out_folder: Annotated[Path, typer.Option("--out", help="The city's own folder of declarations.")],
    per: Annotated[str | None, typer.Option(help="What it is related to: a measure; makes a share.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Begin a declaration: one file with every field filled in or marked, ready to be edited."""
    from expectations.catalogue import CatalogueError, load_catalogue
    from expectations.catalogue.load import closest
    from expectations.catalogue.template import indicator_template
    from orchestration.settings import load_settings

    try:
        catalogue = load_catalogue(*load_settings(config).overlays)
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    for what, name, known in (
        ("measure", measure, catalogue.measures), ("measure", per, catalogue.measures), ("published table", table, catalogue.published),
    ):  # fmt: skip
        if name is not None and name not in known:
            stop(f"no {what} '{name}'{closest(name, known)}")
    if indicator_id in catalogue.indicators:
        stop(f"'{indicator_id}' is declared already, in {catalogue.files[indicator_id]}")
    path = out_folder / "indicators" / f"{indicator_id}.yml"
    if path.exists():
        stop(f"{path} exists already")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(indicator_template(catalogue, indicator_id, code, measure, per, table), encoding="utf-8")
    out.print(f"{path}: edit it, then run `bildungsmonitor catalogue check`", soft_wrap=True, highlight=False)


vault_app = typer.Typer(no_args_is_help=True, help="Single records: delete what has expired, show what was.")
app.add_typer(vault_app, name="vault")


@vault_app.command("purge")
def vault_purge(config: ConfigOption = DEFAULT_CONFIG, home: HomeOption = DEFAULT_HOME) -> None:
    """Delete records and originals whose time is over. The night does the same."""
    from expectations.catalogue import CatalogueError
    from orchestration.collect.registers.collect import purge
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home, HomeBusyError
    from orchestration.settings import catalogue_of, load_settings

    try:
        settings = load_settings(config)
        catalogue = catalogue_of(settings)
        place = Home(home)
        with place.lock():
            deleted = purge(settings, place, catalogue, now())
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    except HomeBusyError as error:
        stop(str(error), code=FAILED)
    out.print(f"gelöscht / deleted: {deleted}", highlight=False)


@vault_app.command("log")
def vault_log(config: ConfigOption = DEFAULT_CONFIG, home: HomeOption = DEFAULT_HOME) -> None:
    """What was deleted, when and why; fails if the log was changed."""
    from orchestration.collect.registers.collect import vault_of
    from orchestration.resources.home import Home
    from orchestration.settings import load_settings

    try:
        deletions = vault_of(Home(home), load_settings(config)).deletions()
    except ConfigurationError as error:
        stop(str(error))
    except ValueError as error:
        stop(str(error), code=FAILED)
    for entry in deletions:
        rows = "" if entry.rows is None else f", {entry.rows:,} records"
        out.print(f"{entry.at[:19]}  {entry.what}  {entry.name}{rows}: {entry.reason}", soft_wrap=True)


ledger_app = typer.Typer(
    no_args_is_help=True, help="What was told of the registers' counts, here and elsewhere."
)
app.add_typer(ledger_app, name="ledger")


@ledger_app.command("add")
def ledger_add(
    measure: Annotated[str, typer.Argument(help="The measure that was counted, by its id in the catalogue.")],
    value: Annotated[int, typer.Argument(help="The figure that was given out.")],
    to: Annotated[
        str, typer.Option("--to", help="Who got it: a question in the council, an enquiry, a report.")
    ],
    period: Annotated[str, typer.Option("--period", help="The last day of the period, YYYY-MM-DD.")],
    area: Annotated[
        str | None, typer.Option("--area", help="Code of the area; the whole city without it.")
    ] = None,
    cell: Annotated[
        list[str] | None, typer.Option("--cell", help="breakdown=cell; more than once for several.")
    ] = None,
    rounded_to: Annotated[
        int, typer.Option("--rounded-to", min=1, help="If it was rounded: to multiples of this.")
    ] = 1,
    on: Annotated[str | None, typer.Option("--on", help="The day, YYYY-MM-DD; today without it.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    home: HomeOption = DEFAULT_HOME,
) -> None:
    """Write down a count given out otherwise: from now on it counts as published. Fails if it lets another be worked out."""
    from orchestration.answer import AnswerError, Given, record
    from orchestration.resources.clock import now
    from orchestration.resources.home import Home, HomeBusyError
    from orchestration.settings import load_settings

    try:
        settings = load_settings(config)
        given = Given(
            measure, area or settings.municipality.code, _needed_day(period), value, rounded_to,
            {name: part for name, _, part in (text.partition("=") for text in cell or [])},
            to, _day(on) or now().date(),
        )  # fmt: skip
        place = Home(home)
        with place.lock():
            opened = record(place, _catalogue(config), given)
    except (ConfigurationError, AnswerError) as error:
        stop(str(error))
    except HomeBusyError as error:
        stop(str(error), code=FAILED)
    out.print(f"vermerkt / written down: {measure} {given.area} {period}: {value}", highlight=False)
    for label in opened:
        out.print(f"lässt sich errechnen / can be worked out: {label}", highlight=False, soft_wrap=True)
    if opened:
        raise typer.Exit(FAILED)


@ledger_app.command("shares")
def ledger_shares(config: ConfigOption = DEFAULT_CONFIG, home: HomeOption = DEFAULT_HOME) -> None:
    """How much of what the registers give the tables of the last night show."""
    from rich.table import Column, Table

    from expectations.wording import number, percent
    from orchestration.confirm.evidence import CandidateError, connect
    from orchestration.confirm.opened import shares
    from orchestration.resources.home import Home, HomeBusyError

    try:
        with Home(home).lock(), connect(Home(home)) as connection:
            found = shares(connection, _catalogue(config))
    except CandidateError as error:
        stop(str(error))
    except HomeBusyError as error:
        stop(str(error), code=FAILED)
    heads = (
        "Werte / figures",
        "gezeigt / shown",
        "Zahlen / counts",
        "gezeigt / shown",
        "Personen gezeigt / people shown",
    )
    table = Table("Tabelle / table", *(Column(head, justify="right") for head in heads))
    for row in found.to_dict("records"):
        table.add_row(
            row["published_table"], number(row["figures"], "de"), percent(row["figures_shown"], "de", 1),
            number(row["counts"], "de"), percent(row["counts_shown"], "de", 1), percent(row["mass_shown"], "de", 2),
        )  # fmt: skip
    out.print(table)


@ledger_app.command("list")
def ledger_list(home: HomeOption = DEFAULT_HOME) -> None:
    """What was given out otherwise."""
    from orchestration.ledger import COLUMNS, answers
    from orchestration.resources.home import Home

    for answer in answers(Home(home)):
        count = answer["count"]
        cells = ", ".join(
            f"{k}={v}" for k, v in count.items() if v != "total" and k not in COLUMNS
        )  # fmt: skip
        between = (
            f"{count['low']:g}" if count["low"] == count["high"] else f"{count['low']:g} to {count['high']:g}"
        )
        out.print(
            f"{answer['on']}  {answer['to']}: {count['measure_id']} {count['area_code']} {count['counted_period_end'][:10]} {cells} {between}",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


def _needed_day(text: str) -> dt.date:
    day = _day(text)
    assert day is not None
    return day


def _catalogue(config: Path) -> Catalogue:
    from expectations.catalogue import CatalogueError
    from orchestration.settings import catalogue_of, load_settings

    try:
        return catalogue_of(load_settings(config))
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))


def _indicator_id(catalogue: Catalogue, name: str) -> str:
    """The indicator of an id or a code (D8.2); ends the program where there is none."""
    from expectations.catalogue.load import closest

    of_code = {i.code: i.id for i in catalogue.indicators.values()}
    found = of_code.get(name, name)
    if found not in catalogue.indicators:
        stop(f"no indicator '{name}'{closest(name, [*catalogue.indicators, *of_code])}")
    return found


def _day(text: str | None) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        stop(f"--as-of: found '{text}', expected a day such as 2025-12-31")


def _require_known_ending(output: Path | None) -> None:
    if output is not None and output.suffix not in (".parquet", ".csv"):
        stop(f"--output: found '{output.name}', expected a name ending in .parquet or .csv")


def _show_or_write(frame: pd.DataFrame, output: Path | None) -> None:
    if output is None:
        out.print(frame.head(10).to_string(index=False), highlight=False, soft_wrap=True)
    elif output.suffix == ".parquet":
        frame.to_parquet(output, index=False)
    else:
        frame.to_csv(output, index=False)


def _run(job: str, config: Path, home_path: Path, as_json: bool, run_config: dict[str, Any]) -> None:
    started = time.perf_counter()
    _log_to_terminal(quiet=as_json)
    from expectations.catalogue import CatalogueError
    from orchestration.resources.home import Home, HomeBusyError
    from orchestration.run import run_job

    home = Home(home_path)
    try:
        ran = run_job(job, config, home, run_config)
    except (ConfigurationError, CatalogueError) as error:
        stop(str(error))
    except HomeBusyError as error:
        stop(str(error), code=FAILED)
    for reason in ran.reasons:
        err.print(reason, style="red", highlight=False)
    outcome = ran.outcome or {"run_id": ran.run_id, "release_id": None, "is_new": False, "tables": []}
    total = time.perf_counter() - started
    stages = {"start": round(ran.start_seconds, 2), **outcome.get("seconds", {})}
    stages["history and rest"] = round(max(total - sum(stages.values()), 0), 2)
    folder = str(home.releases / outcome["release_id"]) if outcome["release_id"] else None
    if as_json:
        more = {"exit_code": ran.code, "seconds": stages, "seconds_total": round(total, 2)}
        print_json({**outcome, **more, "release_folder": folder, "failures": ran.reasons})
    else:
        _print_outcome(outcome, folder, stages, total)
    raise typer.Exit(ran.code)


def _print_outcome(
    outcome: dict[str, Any], folder: str | None, stages: dict[str, float], total: float
) -> None:
    if outcome["tables"]:
        table = Table(
            Column("Tabelle / table", no_wrap=True), "PASS", "WARN", "FAIL", "n. e.", "Entscheidung"
        )
        for row in outcome["tables"]:
            counts = [str(row["verdicts"][s]) for s in ("PASS", "WARN", "FAIL", "NOT_EVALUATED")]
            table.add_row(
                row["table"], *counts, "[green]published[/green]" if row["published"] else "[red]held[/red]"
            )
        out.print(table)
    for row in outcome["tables"]:
        if not row["published"]:
            out.print(
                f"[red]{row['table']}[/red]: {row['reason_de']}\n  [dim]{row['reason_en']}[/dim]",
                highlight=False,
            )
    spent = Table("Zeit / where the time goes", Column("s", justify="right"))
    for name, value in stages.items():
        spent.add_row(name, f"{value:.1f}")
    spent.add_row("total", f"{total:.1f}")
    out.print(spent)
    if computed := outcome.get("computed"):
        out.print(
            f"Berechnet / computed: {computed['indicators_computed']} Indikatoren / indicators; "
            f"{computed['indicators_proved_unchanged']} nachweislich unverändert / proved unchanged",
            soft_wrap=True, highlight=False,
        )  # fmt: skip
    if folder:
        kind = "neu / new" if outcome["is_new"] else "unverändert / unchanged"
        out.print(f"Release {outcome['release_id']} ({kind}): {folder}", soft_wrap=True)


def _log_to_terminal(quiet: bool) -> None:
    logger = logging.getLogger("bildungsmonitor")
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False
    if not logger.handlers:
        handler = RichHandler(console=err, show_path=False, show_level=False, markup=False, highlighter=None)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
