"""HTML for notebooks: pages, tables and cells, legible on light and dark backgrounds.

Tints are translucent and text keeps its inherited colour. Styles are attributes of elements, since sanitizers remove
style sheets more often than attributes. Where both are removed, glyphs still show the shade. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from planner.errors import printable
from planner.report.wording.heat_maps import SHADES, HeatMapCell

_TINTS = (0.0, 0.12, 0.25, 0.4, 0.55)
"""Opacity of the tint of each shade. Even the last one keeps a contrast of 8:1, on white and on black backgrounds."""
_TINT = "rgba(37,99,235,{})"
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = "padding:2px 8px;text-align:{};background:{};white-space:pre"
_NONE = "transparent"


def rows_html(title: str, rows: Sequence[dict[str, object]], notes: Iterable[str] = ()) -> str:
    """Return a page with one table of plain data. The keys of the first row are the columns."""
    columns = [head(name, "left") for name in rows[0]] if rows else []
    cells = [[data(_plain_value(value), "left") for value in row.values()] for row in rows]
    return page(title, [], table("", columns, cells), [], notes)


def _plain_value(value: object) -> str:
    """Return a value as text. Floats have four digits, and None is empty."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def page(title: str, about: Iterable[str], body: str, after: Iterable[str], notes: Iterable[str]) -> str:
    """Return the HTML of a whole result.

    about : lines below the title
    body : HTML of the tables
    after : sentences below the tables
    """
    lines = "".join(f'<div style="opacity:.8">{_text(line)}</div>' for line in about)
    sentences = "".join(f'<p style="margin:6px 0;max-width:80em">{_text(line)}</p>' for line in after)
    note_lines = "".join(f'<p style="margin:2px 0;max-width:80em;opacity:.8">Note: {_text(note)}</p>' for note in notes)
    return f'<div style="font-size:13px"><div><b>{_text(title)}</b></div>{lines}{body}{sentences}{note_lines}</div>\n'


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table. `columns` and `rows` contain the HTML of cells. Caption and column heads may be empty."""
    title = "text-align:left;padding:8px 0 2px;color:inherit;white-space:nowrap"
    above = f'<caption style="{title}">{_text(caption)}</caption>' if caption else ""
    names = f'<thead><tr style="border-bottom:{_LINE}">{"".join(columns)}</tr></thead>' if columns else ""
    body = "".join(f'<tr style="background:{_NONE}">{"".join(row)}</tr>' for row in rows)
    style = "border-collapse:collapse;margin:0 0 6px;color:inherit;font-size:inherit;font-variant-numeric:tabular-nums"
    return f'<table style="{style}">{above}{names}<tbody>{body}</tbody></table>'


def head(text: str, side: str = "right", scope: str = "col") -> str:
    """Return the head cell of a column, or of a row if `scope` is ``row``."""
    aligned = "left" if scope == "row" else side
    return f'<th scope="{scope}" style="{_CELL.format(aligned, _NONE)};font-weight:600">{_text(text)}</th>'


def data(text: str, side: str = "right") -> str:
    """Return a cell with text."""
    return f'<td style="{_CELL.format(side, _NONE)}">{_text(text)}</td>'


def shaded(cell: HeatMapCell) -> str:
    """Return a shaded cell of a heat map."""
    background = _TINT.format(_TINTS[cell.level]) if cell.level else _NONE
    weight = ";font-weight:700" if cell.best else ""
    glyph = f'<span style="float:left;margin-right:8px">{SHADES[cell.level]}</span> ' if cell.level else ""
    text = f"{glyph}{'* ' if cell.best else ''}{_text(cell.text)}"
    return f'<td style="{_CELL.format("right", background)}{weight}">{text}</td>'


def bar(share: float) -> str:
    """Return a cell with a bar of glyphs for a share. A share of 1 has 30 glyphs."""
    return f'<td style="{_CELL.format("left", _NONE)};color:{_TINT.format(1)}">{"█" * round(30 * share)}</td>'


def _text(text: str) -> str:
    return escape(printable(text))
