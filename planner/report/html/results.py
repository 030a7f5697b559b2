"""Results as HTML for a notebook: tables that read on light and on dark, and by glyphs where styles are taken away.

Colours are translucent, so that they tint whatever background is there, and text keeps the colour it has around it.
Styles stand on the elements: a sanitizer takes a style sheet away sooner than those. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape

from planner.errors import printable
from planner.planning.comparison_result import Comparison
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result, Seconds, Usd
from planner.report.text.comparison import barriers_text
from planner.report.text.decisions import decisions
from planner.report.text.forecast import (
    drag,
    named,
    points,
    speedup,
    tokens,
    waited,
)
from planner.report.text.tables import (
    SHADES,
    Cell,
    Table,
    accepted,
    heading,
    level,
    tables,
)
from planner.report.wording import quantities
from planner.report.wording.notes import worded

_TINTS = (0.0, 0.12, 0.25, 0.4, 0.55)
"""Opacity of each shade. At the last one black on white keeps a contrast of 8:1, and so does white on black."""
_TINT = "rgba(37,99,235,{})"
_LINE = "1px solid rgba(128,128,128,.35)"
_CELL = "padding:2px 8px;text-align:{};background:{};white-space:pre"
_NONE = "transparent"


def comparison_html(comparison: Comparison) -> str:
    """The tables of a comparison, its verdict, what to decide by, and its notes."""
    first, *others = heading(comparison)
    shown = "".join(map(_heat_map, tables(comparison)))
    side_by_side = f'<div style="display:flex;flex-wrap:wrap;align-items:flex-start;column-gap:28px">{shown}</div>'
    after = [
        accepted(comparison), quantities.verdict(comparison), *barriers_text(comparison), *decisions(comparison)
    ]  # fmt: skip
    return whole(first, [*others], side_by_side, [line for line in after if line], worded(comparison.notes))


def forecast_html(forecast: Forecast) -> str:
    """Completion time and cost, where the time goes, how busy agents are, what each step takes, and the notes."""
    columns = [head(name, "left" if name in _NAMES else "right") for name in _STEPS]
    critical = [step.critical for step in forecast.steps]
    priced = forecast.result.usd is not None
    steps = [_step(step, level(step.critical, critical), priced) for step in forecast.steps]
    most = max(forecast.breakdown_standard_error.values())
    error = f", ± {quantities.seconds(most)} at most" if most else ""
    body = (
        _quantities(forecast.result)
        + table(f"Where the time goes (critical path, mean{error})", [], _parts(forecast.breakdown))
        + _busy(forecast)
        + table(f"Steps ({SHADES[-1]} longest on the critical path)", columns, steps)
    )
    title = f"{forecast.workflow}: {quantities.samples(forecast.samples)}, seed {forecast.seed}"
    return whole(title, _about(forecast), body, [], worded(forecast.notes))


_STEPS = ("Step", "kind", "times", "work", "on path", "critical", "drag", "cost")
_NAMES = _STEPS[:2]


def _about(forecast: Forecast) -> list[str]:
    """Agents and tokens, and what they compare with."""
    result, scenario = forecast.result, forecast.result.scenario
    speed = quantities.factor(scenario.speed) + (" (hypothetical)" if scenario.speed != 1 else "")
    served = f"{speed} {scenario.model}".strip()
    return [
        f"Agents: {quantities.crews(forecast.sizes)}, at {served}; {speedup(result)}.",
        f"Tokens: {tokens(result)}.",
        *([f"Accepted: {quantities.accepted(result)}."] if result.accepted.chance < 1 else []),
    ]


def _quantities(result: Result) -> str:
    names = ("", "p50", "p90", "p95", "mean", "± standard error")
    cost = (
        _quantity("Cost", result.usd, quantities.usd) if result.usd else [[head("Cost", scope="row"), data("unknown")]]
    )
    return table(
        "", [head(name) for name in names], [*_quantity("Completion", result.seconds, quantities.seconds), *cost]
    )


def _quantity(name: str, found: Seconds | Usd, show: Callable[[float], str]) -> list[list[str]]:
    """Percentiles, mean and its error; and the intervals of the percentiles."""
    p95 = found.p95 if isinstance(found, Seconds) else None
    values = (found.p50, found.p90, p95, found.mean, found.standard_error)
    known = [(found.p50_low, found.p50_high), (found.p90_low, found.p90_high)]
    known += [(found.p95_low, found.p95_high)] if isinstance(found, Seconds) else []
    return [
        [head(name, scope="row"), *(data("" if value is None else show(value)) for value in values)],
        [head("95% sure", scope="row"), *(data(quantities.between(*ends, show)) for ends in known)],
    ]


def _busy(forecast: Forecast) -> str:
    """How busy agents are, if there are any."""
    rows = []
    for crew in forecast.crews:
        share, error = crew.utilisation.mean, crew.utilisation.standard_error
        known = f" ± {points(error)}" if error else ""
        cells = [data(f"{crew.agents:,}"), data(f"{quantities.percent(share)}{known}"), data(waited(crew))]
        rows.append([head(named(forecast, crew.name), scope="row"), *cells, _bar(share)])
    title = "How busy agents are (time held, of all their time, mean)"
    return (
        table(title, [head(name) for name in ("", "agents", "busy", "awaited on the critical path", "")], rows)
        if rows
        else ""
    )


def _parts(breakdown: Mapping[str, float]) -> list[list[str]]:
    total = sum(breakdown.values())
    shares = {part: value / total if total else 0.0 for part, value in breakdown.items()}
    return [
        [
            head(part, scope="row"),
            data(quantities.seconds(value)),
            data(quantities.percent(shares[part])),
            _bar(shares[part]),
        ]
        for part, value in breakdown.items()
    ]


def _step(step: StepResult, shade: int, priced: bool) -> list[str]:
    cost = quantities.step_cost(step, priced)
    return [
        head(step.step, scope="row"), data(step.kind, "left"), data(quantities.times(step.occurrences)),
        data(quantities.seconds(step.seconds)), shaded(Cell(quantities.seconds(step.critical), shade, False)),
        data(quantities.share(step.criticality.mean)), data(drag(step.drag)), data(cost),
    ]  # fmt: skip


def rows_html(title: str, rows: Sequence[dict[str, object]], notes: Iterable[str] = ()) -> str:
    """Rows of plain data under the names of their columns."""
    columns = [head(name, "left") for name in rows[0]] if rows else []
    cells = [[data(_plain(value), "left") for value in row.values()] for row in rows]
    return whole(title, [], table("", columns, cells), [], notes)


def _plain(value: object) -> str:
    """A value of plain data, with four digits; nothing where it is unknown."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else str(value)


def whole(title: str, about: Iterable[str], body: str, after: Iterable[str], notes: Iterable[str]) -> str:
    """A title, lines, tables, sentences and notes."""
    lines = "".join(f'<div style="opacity:.8">{_text(line)}</div>' for line in about)
    said = "".join(f'<p style="margin:6px 0;max-width:80em">{_text(line)}</p>' for line in after)
    noted = "".join(f'<p style="margin:2px 0;max-width:80em;opacity:.8">Note: {_text(note)}</p>' for note in notes)
    return f'<div style="font-size:13px"><div><b>{_text(title)}</b></div>{lines}{body}{said}{noted}</div>\n'


def _heat_map(shown: Table) -> str:
    columns = [head("", "left"), *(head(f"{count:,}") for count in shown.agents)]
    rows = [[head(row.name, scope="row"), *map(shaded, row.cells)] for row in shown.rows]
    return table(f"{shown.title} {shown.legend}".strip(), columns, rows)


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells below a caption and the heads of columns, if there are any."""
    title = "text-align:left;padding:8px 0 2px;color:inherit;white-space:nowrap"
    above = f'<caption style="{title}">{_text(caption)}</caption>' if caption else ""
    names = f'<thead><tr style="border-bottom:{_LINE}">{"".join(columns)}</tr></thead>' if columns else ""
    body = "".join(f'<tr style="background:{_NONE}">{"".join(row)}</tr>' for row in rows)
    style = "border-collapse:collapse;margin:0 0 6px;color:inherit;font-size:inherit;font-variant-numeric:tabular-nums"
    return f'<table style="{style}">{above}{names}<tbody>{body}</tbody></table>'


def head(text: str, side: str = "right", scope: str = "col") -> str:
    """The head of a column, or with `scope` ``row`` of a row."""
    aligned = "left" if scope == "row" else side
    return f'<th scope="{scope}" style="{_CELL.format(aligned, _NONE)};font-weight:600">{_text(text)}</th>'


def data(text: str, side: str = "right") -> str:
    """A cell with text."""
    return f'<td style="{_CELL.format(side, _NONE)}">{_text(text)}</td>'


def shaded(cell: Cell) -> str:
    """A cell of a heat map."""
    background = _TINT.format(_TINTS[cell.level]) if cell.level else _NONE
    weight = ";font-weight:700" if cell.best else ""
    glyph = f'<span style="float:left;margin-right:8px">{SHADES[cell.level]}</span> ' if cell.level else ""
    text = f"{glyph}{'* ' if cell.best else ''}{_text(cell.text)}"
    return f'<td style="{_CELL.format("right", background)}{weight}">{text}</td>'


def _bar(share: float) -> str:
    """A share as a bar of glyphs, 30 for all."""
    return f'<td style="{_CELL.format("left", _NONE)};color:{_TINT.format(1)}">{"█" * round(30 * share)}</td>'


def _text(text: str) -> str:
    return escape(printable(text))
