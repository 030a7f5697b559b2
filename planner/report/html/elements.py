"""HTML for notebooks: pages, tables and cells, legible on light and dark backgrounds.

Tints are translucent and text keeps its inherited colour. Styles are attributes of elements, since sanitizers remove
style sheets more often than attributes. If both are removed, glyphs still show the
shade. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from planner.errors import printable
from planner.report.wording.heat_maps import SHADES, HeatMapCell

_TINTS = (0.0, 0.12, 0.25, 0.4, 0.55)
"""Opacity of the tint of each shade. Text on the last tint still has a contrast of 8:1, on white and on black pages."""
_TINT = "rgba(37,99,235,{})"
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = "padding:2px 8px;text-align:{};background:{};white-space:pre"
_NONE = "transparent"


def rows_html(title: str, rows: Sequence[dict[str, object]], notes: Iterable[str] = ()) -> str:
    """Return an HTML page with one table. The keys of the first row are the names of the columns.

    rows : one dict for each row of the table
    """
    columns = [head(name, "left") for name in rows[0]] if rows else []
    cells = [[data(_plain_value(value), "left") for value in row.values()] for row in rows]
    return page(title, [], table("", columns, cells), [], notes)


def _plain_value(value: object) -> str:
    """Return a value as text. A float gets four significant digits, and None becomes an empty text."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def page(title: str, about: Iterable[str], body: str, after: Iterable[str], notes: Iterable[str]) -> str:
    """Return the HTML of a result: title, lines of text, tables, sentences and notes.

    about : lines below the title
    body : HTML of the tables
    after : sentences below the tables
    """
    lines = "".join(f'<div style="opacity:.8">{_text(line)}</div>' for line in about)
    sentences = "".join(f'<p style="margin:6px 0;max-width:80em">{_text(line)}</p>' for line in after)
    note_lines = "".join(f'<p style="margin:2px 0;max-width:80em;opacity:.8">Note: {_text(note)}</p>' for note in notes)
    return f'<div style="font-size:13px"><div><b>{_text(title)}</b></div>{lines}{body}{sentences}{note_lines}</div>\n'


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return the HTML of a table.

    caption : title above the table; may be empty
    columns : HTML of each head cell; may be empty
    rows : for each row, the HTML of its cells
    """
    title = "text-align:left;padding:8px 0 2px;color:inherit;white-space:nowrap"
    above = f'<caption style="{title}">{_text(caption)}</caption>' if caption else ""
    names = f'<thead><tr style="border-bottom:{_LINE}">{"".join(columns)}</tr></thead>' if columns else ""
    body = "".join(f'<tr style="background:{_NONE}">{"".join(row)}</tr>' for row in rows)
    style = "border-collapse:collapse;margin:0 0 6px;color:inherit;font-size:inherit;font-variant-numeric:tabular-nums"
    return f'<table style="{style}">{above}{names}<tbody>{body}</tbody></table>'


def head(text: str, side: str = "right", scope: str = "col") -> str:
    """Return the HTML of a head cell.

    scope : ``col`` for the head of a column, or ``row`` for the head of a row
    """
    aligned = "left" if scope == "row" else side
    return f'<th scope="{scope}" style="{_CELL.format(aligned, _NONE)};font-weight:600">{_text(text)}</th>'


def data(text: str, side: str = "right") -> str:
    """Return the HTML of a table cell that contains `text`."""
    return f'<td style="{_CELL.format(side, _NONE)}">{_text(text)}</td>'


def shaded(cell: HeatMapCell) -> str:
    """Return the HTML of a cell of a heat map."""
    background = _TINT.format(_TINTS[cell.level]) if cell.level else _NONE
    weight = ";font-weight:700" if cell.marked else ""
    glyph = f'<span style="float:left;margin-right:8px">{SHADES[cell.level]}</span> ' if cell.level else ""
    text = f"{glyph}{'* ' if cell.marked else ''}{_text(cell.text)}"
    return f'<td style="{_CELL.format("right", background)}{weight}">{text}</td>'


def bar(share: float) -> str:
    """Return the HTML of a table cell with a bar for a share. For the share 1, the bar has 30 glyphs."""
    return f'<td style="{_CELL.format("left", _NONE)};color:{_TINT.format(1)}">{"█" * round(30 * share)}</td>'


def _text(text: str) -> str:
    return escape(printable(text))
