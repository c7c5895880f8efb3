"""One workbook per published table, as a statistics office hands it out: a sheet of contents, then a sheet per indicator.

Belongs here: how a told figure looks on paper. Does not belong here: which figures are told (the mart), other formats.

A workbook holds the city, its parts and its schools, the Land and Germany: what an office prints. All districts are in the CSV
and Parquet files. The same rows give the same bytes (xlsxwriter, with the release's moment as the date of creation).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from expectations.catalogue import Catalogue
from expectations.catalogue.availability import availability
from expectations.catalogue.base import RANGE, WIDEST_TOLERANCE
from expectations.catalogue.model import TOTAL, UNITS, Indicator, PublishedTable
from expectations.wording import span
from orchestration.publish.imprint import ATTRIBUTION, Imprint

SIGNS = (
    ("-", "nichts vorhanden (genau null)"),
    ("0", "weniger als die Hälfte der kleinsten Einheit; bei gerundeten Registerzahlen auch genau null"),
    (".", "Zahlenwert unbekannt oder geheim zu halten"),
    ("*", "geheim gehalten von der Bundesagentur für Arbeit"),
    ("...", "Angabe fällt später an"),
    ("/", "kein Nachweis, Zahlenwert nicht sicher genug"),
    ("()", "Aussagewert eingeschränkt"),
    ("x", "Tabellenfach gesperrt, Aussage nicht sinnvoll"),
    ("p", "vorläufige Zahl"),
    ("r", "berichtigte Zahl"),
    ("s", "geschätzte Zahl"),
    ("e", "endgültige Zahl"),
)
"""The offices' signs (DIN 55301), as a legend."""

RANGES = (
    f"Wo die Rundung der Personenzahlen einen Prozentwert um mehr als {WIDEST_TOLERANCE} Prozentpunkte (einen Wert je 1.000 um mehr als "
    f"{10 * WIDEST_TOLERANCE}) verschieben kann, steht statt des "
    "Wertes die Spanne, in der er liegt, zum Beispiel 25,0 bis 35,5."
)
"""How a published range is to be read."""

_HEAD_ROWS = 6
_LINE_HEIGHT = 12
_LETTERS = 1.15
"""So many letters of running text stand in one unit of a column's width, at the least."""

_WITHOUT_SIGN = {"unavailable": "...", "confidential": ".", "not_applicable": "x", "unreliable": "/"}
"""What stands in place of a figure where no office gave a sign of its own."""


@dataclass(frozen=True)
class WorkbookTask:
    """One workbook to write: where, of which published table, and what it says beside its figures.

    `rows`: those of the published table that a workbook prints (`printed`). `labels`: (breakdown, cell) → German label.
    """

    path: Path
    table: PublishedTable
    rows: pa.Table
    catalogue: Catalogue
    labels: dict[tuple[str, str], str]
    release: str
    imprint: Imprint


def printed(rows: pa.Table, imprint: Imprint) -> pa.Table:
    """The rows of a published table that a workbook prints: the city, its parts and schools, the Land and Germany."""
    areas = pc.fill_null(pc.starts_with(rows["area_code"], imprint.code), False)
    above = pc.is_in(rows["area_code"], pa.array([imprint.code[:2], "DG"]))
    return rows.filter(pc.or_(areas, above))


def write_workbook(task: WorkbookTask) -> None:
    """Write one workbook; the same task gives the same bytes."""
    import xlsxwriter

    table, rows, catalogue, labels = task.table, task.rows, task.catalogue, task.labels
    release, imprint = task.release, task.imprint
    options = {"constant_memory": True, "strings_to_formulas": False}
    with xlsxwriter.Workbook(str(task.path), options) as book:
        book.set_properties({
            "title": table.title.de, "subject": "Bildungsmonitoring", "company": f"Stadt {imprint.city}",
            "comments": f"{ATTRIBUTION}. {imprint.notice or ''}".strip(), "created": imprint.created.replace(tzinfo=None),
        })  # fmt: skip
        styles = _Styles(book)
        indicators = [
            i
            for i in catalogue.indicators_of(table.id)
            if pc.any(pc.equal(rows["indicator_id"], i.id)).as_py()
        ]
        _contents(book, styles, table, indicators, release, imprint)
        for indicator in indicators:
            own = rows.filter(pc.equal(rows["indicator_id"], indicator.id))
            _sheet(book, styles, indicator, own, catalogue, labels, release, imprint)


class _Styles:
    """The few formats of all sheets."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._numbers: dict[int, Any] = {}
        base = {"font_name": "Arial", "font_size": 9}
        self.title = book.add_format({**base, "bold": True, "font_size": 13})
        self.english = book.add_format({**base, "italic": True, "font_color": "#555555"})
        self.text = book.add_format(base)
        self.bold = book.add_format({**base, "bold": True})
        self.notice = book.add_format({**base, "bold": True, "font_color": "#B00000"})
        head = {
            **base, "bold": True, "text_wrap": True, "valign": "vcenter", "bg_color": "#E7ECF2", "top": 1, "bottom": 1,
        }  # fmt: skip
        self.heads = {side: book.add_format({**head, "align": side}) for side in ("left", "center", "right")}
        self.centred = book.add_format({**base, "align": "center"})
        self.note = book.add_format({**base, "bold": True, "valign": "top"})
        self.wrapped = book.add_format({**base, "text_wrap": True, "valign": "top"})
        self.link = book.add_format({**base, "font_color": "#0B4F8A", "underline": 1})
        self.sign = book.add_format({**base, "align": "right"})

    def number(self, decimals: int) -> Any:
        """Digits in groups, so many decimals."""
        if decimals not in self._numbers:
            form = "#,##0" + ("." + "0" * decimals if decimals else "")
            self._numbers[decimals] = self._book.add_format(
                {"font_name": "Arial", "font_size": 9, "num_format": form}
            )
        return self._numbers[decimals]


def _contents(
    book: Any,
    styles: _Styles,
    table: PublishedTable,
    indicators: Sequence[Indicator],
    release: str,
    imprint: Imprint,
) -> None:
    sheet = book.add_worksheet("Inhalt")
    sheet.hide_gridlines(2)
    widths = [12, 95]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    lines: list[tuple[str, str, Any]] = [
        ("", table.title.de, styles.title),
        ("", table.title.en, styles.english),
        ("", f"Stadt {imprint.city} · Bildungsmonitoring · Veröffentlichung {release} vom {imprint.created:%d.%m.%Y}", styles.text),
    ]  # fmt: skip
    if imprint.notice:
        lines.append(("", imprint.notice, styles.notice))
    lines += [("", "", styles.text), ("Tabelle", "Indikator", styles.bold)]
    at = 0
    for first, second, style in lines:
        sheet.write_string(at, 0, first, style)
        sheet.write_string(at, 1, second, style)
        at += 1
    for indicator in indicators:
        sheet.write_url(at, 0, f"internal:'{indicator.code}'!A1", styles.link, indicator.code)
        sheet.write_string(at, 1, indicator.label.de, styles.text)
        at += 1
    at += 1
    sheet.write_string(at, 0, "Zeichen", styles.bold)
    for sign, meaning in SIGNS:
        at += 1
        sheet.write_string(at, 0, sign, styles.text)
        sheet.write_string(at, 1, meaning, styles.text)
    at += 2
    for text in (
        "Personenzahlen aus städtischen Registern stehen ungerundet, wie sie in den Registern sind."
        if imprint.is_internal
        else "Personenzahlen aus städtischen Registern sind auf Vielfache der angegebenen Basis gerundet; Summen der Teile können deshalb vom Ganzen abweichen.",
        *(() if imprint.is_internal else (RANGES,)),
        f"Quelle: {ATTRIBUTION}; Register und Erhebungen der Stadt {imprint.city}.",
        f"Lizenz: {imprint.licence}",
    ):
        _note(sheet, styles, at, "", text, widths)
        at += 1
    _for_print(sheet, release, imprint)


def _sheet(
    book: Any,
    styles: _Styles,
    indicator: Indicator,
    rows: pa.Table,
    catalogue: Catalogue,
    labels: dict[tuple[str, str], str],
    release: str,
    imprint: Imprint,
) -> None:
    breakdowns = catalogue.breakdowns
    sheet = book.add_worksheet(indicator.code)
    sheet.hide_gridlines(2)
    used = [name for name in breakdowns if pc.any(pc.not_equal(rows[name], TOTAL)).as_py()]
    has_parts = rows["denominator"].null_count < rows.num_rows
    rounded = rows["rounded_to"].null_count < rows.num_rows
    longest = {
        name: max(len(labels.get((name, cell), cell)) for cell in pc.unique(rows[name]).to_pylist())
        for name in used
    }
    # Every column's head, width, and to which side it is aligned.
    layout: list[tuple[str, float, str]] = [
        ("Schlüssel", 11, "left"), ("Gebiet", 30, "left"), ("Zeitraum", 13, "left"),
        *((breakdowns[name].label.de, min(max(longest[name], 14), 48), "left") for name in used),
        (UNITS[indicator.unit].de, 13, "right"), ("Zeichen", 9, "center"),
        *([("Zähler", 11, "right"), ("Nenner", 11, "right")] if has_parts else []),
        *([("gerundet auf", 10, "right")] if rounded else []), ("Toleranz ±", 10, "right"),
        ("Bruch davor", 9, "center"),
    ]  # fmt: skip
    widths = [width for _, width, _ in layout]
    stand = pc.max(rows["retrieved_at"]).as_py()
    facts = f"Einheit: {UNITS[indicator.unit].de} · Zeitraum: {pc.min(rows['period_end']).as_py():%d.%m.%Y} bis {pc.max(rows['period_end']).as_py():%d.%m.%Y}"
    if stand is not None:
        facts += f" · Stand der Quellen: {stand:%d.%m.%Y}"
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, f"Stadt {imprint.city} · Bildungsmonitoring · {release}", styles.text)
    sheet.write_string(1, 0, f"{indicator.code}  {indicator.label.de}", styles.title)
    sheet.write_string(2, 0, indicator.label.en, styles.english)
    sheet.write_string(3, 0, facts, styles.text)
    sheet.write_string(4, 0, imprint.notice or "", styles.notice)
    sheet.set_row(5, 26)
    for column, (head, _, side) in enumerate(layout):
        sheet.write_string(5, column, head, styles.heads[side])
    # The city first, then its parts and schools, then the Land and Germany.
    far = pc.index_in(rows["area_code"], pa.array([imprint.code, None, imprint.code[:2], "DG"]))
    rows = rows.append_column("far", pc.fill_null(far, 1))
    order = [(c, "ascending") for c in ("far", "area_code", "period_end", *used)]
    columns = rows.sort_by(order).to_pydict()
    figure, count = styles.number(indicator.decimals), styles.number(0)
    margin = styles.number(indicator.decimals + 1 if indicator.kind.needs_denominator else 0)
    named = [[labels.get((name, cell), cell) for cell in columns[name]] for name in used]
    at = _HEAD_ROWS
    for n in range(rows.num_rows):
        sheet.write_string(at, 0, columns["area_code"][n], styles.text)
        sheet.write_string(at, 1, columns["area_name"][n] or "", styles.text)
        sheet.write_string(at, 2, columns["period_label"][n] or "", styles.text)
        column = 3
        for cells in named:
            sheet.write_string(at, column, cells[n], styles.text)
            column += 1
        value, sign = columns["value"][n], columns["sign"][n] or ""
        if columns["status"][n] == RANGE:
            ends = (columns["value_from"][n], columns["value_to"][n])
            sheet.write_string(at, column, span(*ends, "de", indicator.decimals), styles.sign)
        elif value is None:
            sheet.write_string(
                at, column, sign or _WITHOUT_SIGN.get(columns["status"][n], "..."), styles.sign
            )
        else:
            sheet.write_number(at, column, value, figure)
        if sign:
            sheet.write_string(at, column + 1, sign, styles.centred)
        column += 2
        for name in ("numerator", "denominator") if has_parts else ():
            if (part := columns[name][n]) is not None:
                sheet.write_number(at, column, part, count)
            column += 1
        if rounded:
            if (base := columns["rounded_to"][n]) is not None:
                sheet.write_number(at, column, base, count)
            column += 1
        if (tolerance := columns["tolerance"][n]) is not None:
            sheet.write_number(at, column, tolerance, margin)
        column += 1
        if columns["series_break_before"][n]:
            sheet.write_string(at, column, "ja", styles.centred)
        at += 1
    sheet.freeze_panes(_HEAD_ROWS, 3)
    sheet.autofilter(_HEAD_ROWS - 1, 0, max(at - 1, _HEAD_ROWS), len(layout) - 1)
    sheet.repeat_rows(_HEAD_ROWS - 1)
    at += 1
    for head, text in (
        ("Berechnung", indicator.calculation.de), ("Hinweise", indicator.interpretation.de),
        *([("Spanne", RANGES)] if "range" in columns["status"] else []),
        ("Toleranz", "So weit kann ein Wert wegen der Rundung von Personenzahlen vom ungerundeten abweichen; ohne Angabe: nicht gerundet."),
        ("Quelle", f"{availability(catalogue, indicator).de} {ATTRIBUTION}"), ("Lizenz", imprint.licence),
        ("Zeichen", "; ".join(f"{sign} {meaning}" for sign, meaning in SIGNS)),
    ):  # fmt: skip
        _note(sheet, styles, at, head, text, widths)
        at += 1
    _for_print(sheet, release, imprint)


def _note(sheet: Any, styles: _Styles, row: int, head: str, text: str, widths: Sequence[float]) -> None:
    """A text as wide as the table, in as many lines as it needs: one that runs on makes the printed table small."""
    lines = textwrap.wrap(text, int(sum(widths[1:]) * _LETTERS))
    sheet.set_row(row, _LINE_HEIGHT * max(len(lines), 1))
    sheet.write_string(row, 0, head, styles.note)
    if len(widths) > 2:
        sheet.merge_range(row, 1, row, len(widths) - 1, text, styles.wrapped)
    else:
        sheet.write_string(row, 1, text, styles.wrapped)


def _for_print(sheet: Any, release: str, imprint: Imprint) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer(f"&L&8Stadt {imprint.city}, Bildungsmonitoring {release}&R&8Seite &P von &N")
