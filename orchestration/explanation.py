"""What `explain` says of an indicator: its sheet, formula, sources, checks, values and releases.

Belongs here: reading what is there. Does not belong here: printing (cli.py).
"""

from __future__ import annotations

from pathlib import Path

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import availability
from expectations.catalogue.model import TOTAL, UNITS, Indicator, Kind, Term
from expectations.catalogue.protection import rounding_of
from expectations.catalogue.relations import in_words
from expectations.wording import number, release_of, span
from orchestration.collect.registers.landing import register_landing
from orchestration.publish.release import FIGURES, Release, ReleaseStore
from orchestration.resources.home import Home
from orchestration.settings import Settings

Section = tuple[str, list[str]]


def explanation(
    home_path: Path, settings: Settings, catalogue: Catalogue, indicator_id: str
) -> list[Section]:
    """Everything there is to say about one indicator, as headed lists of lines."""
    indicator = catalogue.indicators[indicator_id]
    sections = [*_definition(indicator, catalogue), _sources(indicator, catalogue)]
    home = Home(home_path)
    release = ReleaseStore(home.releases).current() if home.releases.exists() else None
    if release is None:
        return [*sections, ("Veröffentlichung / release", ["keine / none: run a night first"])]
    return [
        *sections,
        _deliveries(indicator, catalogue, release),
        _register_deliveries(indicator, catalogue, home, settings),
        _state(indicator, release),
        _verdicts(indicator, catalogue, release),
        _values(indicator, catalogue, settings, release),
        _history(indicator, home),
    ]


def _definition(indicator: Indicator, catalogue: Catalogue) -> list[Section]:
    both = [
        ("Zweck / purpose", indicator.purpose),
        ("Aussagefähigkeit / meaning", indicator.interpretation),
        ("Berechnung / calculation", indicator.calculation),
        ("Datenverfügbarkeit / availability", availability(catalogue, indicator)),
    ]
    formulas = [formula_in_words(indicator, *terms, origin) for origin, terms in indicator.formulas.items()]
    if indicator.reason is not None:
        formulas = [indicator.reason.de, indicator.reason.en]
    if indicator.missing is not None:
        formulas = [f"geplant: {indicator.missing.de}", f"planned: {indicator.missing.en}"]
    low, high = indicator.valid_range
    sql = formula_sql(catalogue, indicator)
    names = ", ".join(catalogue.breakdowns[b].label.de for b in indicator.breakdowns) or "keine / none"
    breaks = [
        f"{entry.from_} ({'überall' if entry.scope == '*' else entry.scope}): {entry.note.de}"
        for entry, _ in catalogue.breaks_of(indicator)
    ]
    return [
        (
            f"{indicator.code} {indicator.label.de} / {indicator.label.en}",
            [
                f"{indicator.id}, {indicator.kind.value}, {UNITS[indicator.unit].de} / {indicator.unit}, "
                f"{indicator.decimals} Nachkommastellen / decimals",
                f"Tabelle / table: {indicator.table}; Gliederungen / breakdowns: {names}",
                f"declared in {catalogue.files[indicator.id]}",
            ],
        ),
        *((heading, [text.de, text.en]) for heading, text in both),
        ("Formel / formula", [*formulas, f"gültig / valid: {low} … {high}"]),
        *([("SQL (candidate.duckdb)", sql.splitlines())] if sql else []),
        ("Zeitreihenbrüche / series breaks", list(dict.fromkeys(breaks)) or ["keine / none"]),
    ]


def formula_in_words(indicator: Indicator, numerator: Term, denominator: Term | None, origin: str) -> str:
    """A formula in words: what is counted, what it is related to, and where it holds."""
    text = in_words(numerator, indicator)
    if denominator is not None:
        sign = "-" if indicator.kind is Kind.DIFFERENCE else "/"
        text = f"[{text}] {sign} [{in_words(denominator, indicator)}]"
        if indicator.multiplier != 1:
            text += f" × {indicator.multiplier:g}"
        if indicator.alignment != "same_period":
            text += f" (denominator: {indicator.alignment.value.replace('_', ' ')})"
    levels = indicator.levels if origin == "main" or indicator.local is None else indicator.local.levels
    return f"{text}   [{', '.join(levels)}]"


def _sources(indicator: Indicator, catalogue: Catalogue) -> Section:
    lines = []
    for measure in catalogue.measures_of(indicator):
        for source in measure.sources:
            table = catalogue.tables[source.table]
            lines.append(
                f"{measure.id} ← {source.measure} in {table.code} {table.title.de} (EVAS {table.evas}, {catalogue.statistic_of(table).publisher.de})"
            )
        if (register := measure.register_) is not None:
            declared = catalogue.registers[register.register_]
            where = "; ".join(f"{c} = {', '.join(register.wanted(c))}" for c in register.where)
            condition = f", {where}" if where else ""
            base = rounding_of(catalogue, measure)
            rounded = f", gerundet auf / rounded to {base}" if base > 1 else ""
            lines.append(
                f"{measure.id} ← {register.count}{condition} in register {declared.id}: {declared.title.de} "
                f"({declared.owner.de}){rounded}"
            )
    return "Quellen / sources", list(dict.fromkeys(lines)) or ["keine / none"]


def _deliveries(indicator: Indicator, catalogue: Catalogue, release: Release) -> Section:
    wanted = {s.table for m in catalogue.measures_of(indicator) for s in m.sources}
    return (
        "Lieferungen / deliveries",
        [
            f"{s['table_code']}: {s['file']}, Stand {(s['stand'] or 'unbekannt')[:10]}, "
            f"sha256 {s['sha256'][:12]}…{', synthetisch' if s['synthetic'] else ''}"
            for s in release.manifest["sources"]
            if s["table_code"] in wanted
        ],
    )


def _state(indicator: Indicator, release: Release) -> Section:
    state = release.manifest["tables"].get(indicator.table)
    lines = [f"Release {release.id}: {release.folder}"]
    if state and state["status"] == "held":
        since = state["held_since"]
        lines.append(f"zurückgehalten seit {release_of(since, 'de')}: {state['reason_de']}")
        lines.append(f"held since {release_of(since, 'en')}: {state['reason_en']}")
    return "Veröffentlichung / release", lines


def _verdicts(indicator: Indicator, catalogue: Catalogue, release: Release) -> Section:
    behind = {s.table for m in catalogue.measures_of(indicator) for s in m.sources}
    measures = {m.id for m in catalogue.measures_of(indicator)}
    rows = release.query(
        'select "check", scope, status, message_de from verdict where "table" = $table order by 1, 2',
        {"table": indicator.table},
    )
    relevant = {indicator.id, indicator.table, *behind}
    return (
        "Prüfungen / checks",
        [
            f"{status:<13} {check}: {message}"
            for check, scope, status, message in rows
            if scope in relevant or scope.split("/")[0] in measures
        ],
    )


def _register_deliveries(
    indicator: Indicator, catalogue: Catalogue, home: Home, settings: Settings
) -> Section:
    """The counts in use behind it: whose delivery, for which period, accepted when."""
    wanted = {m.register_.register_ for m in catalogue.measures_of(indicator) if m.register_}
    wanted |= set(indicator.model_registers)
    in_use = register_landing(home, settings).snapshots() if settings.registers.source != "none" else []
    lines = [
        f"{s.register} {s.period_end}: {s.delivery}, angenommen / accepted {s.accepted_at[:10]}"
        for s in in_use
        if s.register in wanted
    ]
    return "Register / registers", lines or ["keine / none"]


def _values(indicator: Indicator, catalogue: Catalogue, settings: Settings, release: Release) -> Section:
    city = settings.municipality
    totals = " and ".join(f"\"{name}\" = '{TOTAL}'" for name in catalogue.breakdowns)
    rows = release.query(
        f"""
        select period_label, area_code, value, value_from, value_to, numerator, denominator, status, series_break_before
        from {FIGURES}
        where indicator_id = $indicator and area_code in ($home, $state, 'DG') and {totals}
        order by period_end desc, area_code desc""",
        {"indicator": indicator.id, "home": city.code, "state": city.state_code},
    )
    lines: dict[str, list[str]] = {}
    for label, area, value, low, high, numerator, denominator, status, broken in rows:
        shown = status if value is None else number(value, "de", indicator.decimals)
        if low is not None:
            shown = span(low, high, "de", indicator.decimals)
        both = (number(count, "de", 0) for count in (numerator, denominator))
        parts = f" ({' / '.join(both)})" if denominator and area == city.code else ""
        mark = " ‖ Reihenbruch" if broken and area == city.code else ""
        name = {city.code: city.name, "DG": "Deutschland"}.get(area, "Land")
        lines.setdefault(label, []).append(f"{name} {shown}{parts}{mark}")
    latest = [f"{label}: {'; '.join(values)}" for label, values in list(lines.items())[:5]]
    return f"Neueste Werte / latest values ({indicator.unit})", latest or ["keine / none"]


def _history(indicator: Indicator, home: Home) -> Section:
    """The releases that said something new of its table, the newest first."""
    lines: list[str] = []
    before = None
    for release in ReleaseStore(home.releases).all():
        state = release.manifest["tables"].get(indicator.table) or {}
        if (content := state.get("content_hash")) is not None and content != before:
            lines.append(f"{release.id}: {state['rows']} Zeilen / rows, Inhalt / content {content[:12]}…")
            before = content
    return f"Releases mit neuem Stand von / that changed {indicator.table}", lines[::-1][:10] or [
        "keine / none"
    ]


def formula_sql(catalogue: Catalogue, indicator: Indicator) -> str | None:
    """The main formula as one query on the mart's measures, for totals; None for a model."""
    if "main" not in indicator.formulas:
        return None
    numerator, denominator = indicator.formulas["main"]
    levels = ", ".join(f"'{level}'" for level in indicator.levels)

    def term(term: Term) -> str:
        parts = []
        for sign, part in term.parts():
            conditions = [f"measure_id = '{part.measure}'"]
            for name in catalogue.breakdowns:
                total = indicator.cells[name] if name in indicator.total_of_cells else [TOTAL]
                cells = ", ".join(f"'{cell}'" for cell in part.cells(name) or total)
                conditions.append(f"{name} in ({cells})")
            parts.append(f"{'-' if sign < 0 else ''}sum(value) filter (where {' and '.join(conditions)})")
        return " + ".join(parts)

    sums = (
        "select area_code, area_level, period_start, period_end, {term} as value\n"
        f"    from monitoring.fct_measure where area_level in ({levels})\n"
        "        and measure_id in ({ids})\n"
        "    group by all"
    )

    def relation(part: Term) -> str:
        ids = ", ".join(f"'{p.measure}'" for _, p in part.parts())
        return sums.format(term=term(part), ids=ids)

    if denominator is None:
        return f"with n as (\n    {relation(numerator)}\n)\nselect area_code, period_end, round(value, {indicator.decimals}) as value from n"
    aligned = {
        "same_period": "d.period_end = n.period_end",
        "previous_year_end": "d.period_end = make_date(year(n.period_end) - 1, 12, 31)",
        "same_year_end": "d.period_end = make_date(year(n.period_start), 12, 31)",
        "previous_period": "d.period_end = n.period_end - interval 1 year",
    }[indicator.alignment]
    value = "n.value - d.value"
    if indicator.kind is not Kind.DIFFERENCE:
        value = f"{indicator.multiplier:g} * n.value / nullif(d.value, 0)"
    return (
        f"with n as (\n    {relation(numerator)}\n),\nd as (\n    {relation(denominator)}\n)\n"
        f"select n.area_code, n.period_end, round({value}, {indicator.decimals}) as value\n"
        f"from n join d on d.area_code = n.area_code and {aligned}"
    )
