"""The sentences of an indicator's sheet that follow from its declaration: where its figures come from, when and for whom.

Belongs here: declarations → sentences, in both languages. Does not belong here: what people write (the YAML files).
"""

from __future__ import annotations

from expectations.catalogue.base import Cadence, Text
from expectations.catalogue.model import Catalogue, Indicator, Kind, Measure, PeriodMeaning
from expectations.catalogue.protection import least_denominator, rounding_of
from expectations.catalogue.registers import HOME_LEVEL, Register, Term

LEVELS = {
    "country": Text(de="Deutschland", en="Germany"),
    "state": Text(de="Länder", en="Länder"),
    "region": Text(de="Regierungsbezirke und Regionen", en="government regions"),
    "district": Text(de="Kreise und kreisfreie Städte", en="districts"),
    "city_district": Text(de="Stadtteile", en="city districts (Stadtteile)"),
    "local_district": Text(de="Ortsbezirke", en="local districts (Ortsbezirke)"),
    "statistical_district": Text(de="statistische Bezirke", en="statistical districts"),
    "school_district": Text(de="Schulbezirke", en="school districts"),
    "planning_district": Text(de="Planungsbezirke", en="planning districts"),
    "school": Text(de="Schulen", en="schools"),
}
"""The area levels of a release, from the widest to the narrowest."""

CITY = Text(de="Stadt", en="city")
"""What the level of districts is where a register of the city delivers it."""

_CADENCES = {
    Cadence.MONTHLY: Text(de="monatlich", en="monthly"),
    Cadence.QUARTERLY: Text(de="vierteljährlich", en="quarterly"),
    Cadence.YEARLY: Text(de="jährlich", en="yearly"),
    Cadence.EVERY_TWO_YEARS: Text(de="alle zwei Jahre", en="every two years"),
}

_PERIODS = {
    "reference_day": Text(de="Stichtag", en="reference day"),
    "calendar_year": Text(de="Kalenderjahr", en="calendar year"),
    "school_year": Text(de="Schuljahr", en="school year"),
}

_TABLE_PERIODS = {
    PeriodMeaning.SCHOOL_YEAR_START: Text(de="Schuljahresbeginn", en="start of the school year"),
    PeriodMeaning.SCHOOL_YEAR_END: Text(de="Schuljahresende", en="end of the school year"),
}


def availability(catalogue: Catalogue, indicator: Indicator) -> Text:
    """Sources, cadence, area levels, breakdowns and rounding of an indicator, in sentences.

    A planned indicator has no source yet: what its author wrote of the sources it waits for. One that this city has no
    source for says what is missing.
    """
    if indicator.availability is not None:
        return indicator.availability
    if indicator.missing is not None:
        return Text(
            de=f"Hier nicht verfügbar: {indicator.missing.de}.",
            en=f"Not available here: {indicator.missing.en}.",
        )
    return Text(de=_sentences(catalogue, indicator, "de"), en=_sentences(catalogue, indicator, "en"))


def _sentences(catalogue: Catalogue, indicator: Indicator, language: str) -> str:
    german = language == "de"
    tables, registers = _origins(catalogue, indicator)
    found = []
    if tables:
        found.append(
            ("Amtliche Statistik" if german else "Official statistics")
            + f": {_tables(catalogue, tables, language)}."
        )
    if registers:
        names = "; ".join(_register(catalogue.registers[name], language) for name in registers)
        found.append(("Register" if german else "Registers") + f": {names}.")
    found.append(_when(catalogue, indicator, language))
    found.append(
        ("Räumliche Ebenen" if german else "Area levels") + f": {_levels(catalogue, indicator, language)}."
    )
    breakdowns = [getattr(catalogue.breakdowns[name].label, language) for name in indicator.breakdowns]
    if breakdowns:
        found.append(("Gliederung" if german else "Breakdowns") + f": {', '.join(breakdowns)}.")
    if rounding := _rounding(catalogue, indicator, language):
        found.append(rounding)
    return " ".join(found)


def _register(register: Register, language: str) -> str:
    """A register by its title and system, unless the title names the system already."""
    title: str = getattr(register.title, language)
    return title if register.system in title else f"{title} ({register.system})"


def _origins(catalogue: Catalogue, indicator: Indicator) -> tuple[list[str], list[str]]:
    """The official tables and the registers behind an indicator, in the catalogue's order."""
    behind = {*indicator.model_registers}
    for term in _terms(catalogue, indicator):
        for _, part in term.parts():
            measure = catalogue.measures[part.measure]
            behind |= {origin for origin in measure.origins if _delivers(catalogue, measure, origin, part)}
    return [t for t in catalogue.tables if t in behind], [r for r in catalogue.registers if r in behind]


def _delivers(catalogue: Catalogue, measure: Measure, origin: str, part: Term) -> bool:
    """Can a figure of these cells come from this source? Of several official tables only some have ages, or these ages."""
    return measure.register_ is not None or all(
        set(part.cells(name) or []) & catalogue.cells_of_table(origin, measure.id, name)
        for name in part.where
    )


def _terms(catalogue: Catalogue, indicator: Indicator) -> list[Term]:
    """The terms of its formulas; of an index those of its components that serve the index's level."""
    index = catalogue.indices.get(indicator.id)
    if index is None:
        return [term for formula in indicator.formulas.values() for term in formula if term is not None]
    found: list[Term] = []
    for component in (catalogue.indicators[c.indicator] for c in index.components):
        served = "local" if component.local and index.level in component.local.levels else "main"
        found += [term for term in component.formulas[served] if term is not None]
    return found


def _tables(catalogue: Catalogue, codes: list[str], language: str) -> str:
    """Tables by their statistic: its title and EVAS number, then its tables."""
    by_statistic: dict[str, list[str]] = {}
    for code in codes:
        by_statistic.setdefault(catalogue.tables[code].evas, []).append(code)
    word = {"de": ("Tabelle", "Tabellen"), "en": ("table", "tables")}[language]
    return "; ".join(
        f"{getattr(catalogue.statistics[evas].title, language)} (EVAS {evas}), {word[len(of_it) > 1]} {', '.join(of_it)}"
        for evas, of_it in by_statistic.items()
    )


def _when(catalogue: Catalogue, indicator: Indicator, language: str) -> str:
    """How often and for what period: of what is counted above the line, which decides the periods of the figure."""
    tables, registers = _origins(catalogue, indicator)
    terms = [numerator for numerator, _ in indicator.formulas.values()]
    if terms:  # of a model or index only the sources are known
        counted = {
            origin
            for term in terms
            for _, part in term.parts()
            for origin in catalogue.measures[part.measure].origins
        }
        tables, registers = [t for t in tables if t in counted], [r for r in registers if r in counted]
    words = []
    for code in tables:
        table = catalogue.tables[code]
        statistic = catalogue.statistic_of(table)
        # A statistic of two periods has tables of one each.
        period = _TABLE_PERIODS.get(table.period or statistic.period, statistic.reference)
        words.append((_CADENCES[statistic.cadence], getattr(period, language)))
    happened = {
        source.register_
        for term in terms
        for _, part in term.parts()
        if (source := catalogue.measures[part.measure].register_) is not None and source.in_year
    }
    for name in registers:
        register = catalogue.registers[name]
        period = _PERIODS["calendar_year" if name in happened else register.period]
        words.append((_CADENCES[register.cadence], getattr(period, language)))
    text = "; ".join(dict.fromkeys(f"{getattr(cadence, language)}, {period}" for cadence, period in words))
    return f"{text[0].upper()}{text[1:]}."


def _levels(catalogue: Catalogue, indicator: Indicator, language: str) -> str:
    """The levels from the widest to the narrowest; the city where no other district can have a figure."""
    official, _ = _origins(catalogue, indicator)
    names = [
        getattr(CITY if level == HOME_LEVEL and not official else text, language)
        for level, text in LEVELS.items()
        if level in indicator.all_levels
    ]
    return ", ".join(names)


def _rounding(catalogue: Catalogue, indicator: Indicator, language: str) -> str | None:
    """How counts of people from registers are rounded, and that rates of few people are not published."""
    parts = [part for term in _terms(catalogue, indicator) for _, part in term.parts()]
    found = {rounding_of(catalogue, catalogue.measures[part.measure]) for part in parts}
    read = [catalogue.registers[name] for name in indicator.model_registers]
    bases = sorted((found | {register.rounding for register in read if register.personal}) - {1})
    if not bases:
        return None
    multiples = (" und " if language == "de" else " and ").join(map(str, bases))
    below = {
        base
        for _, denominator in indicator.formulas.values()
        for _, part in (denominator.parts() if denominator and indicator.kind is not Kind.DIFFERENCE else [])
        if (base := rounding_of(catalogue, catalogue.measures[part.measure])) > 1
    }
    least = least_denominator(max(below, default=1))
    if language == "de":
        text = (
            f"Für die Veröffentlichung werden Zahlen von Menschen aus Registern einzeln auf Vielfache von {multiples} gerundet, "
            "Teile müssen ihre Summe nicht ergeben"
        )
        return text + (
            f"; Werte mit einem gerundeten Nenner unter {least} werden nicht veröffentlicht."
            if below
            else "."
        )
    text = (
        f"For publication, counts of people from registers are each rounded to multiples of {multiples}, so that parts need "
        "not add up to their total"
    )
    return text + (f"; values with a rounded denominator below {least} are not published." if below else ".")
