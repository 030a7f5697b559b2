"""Forecasts as HTML."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result, Seconds, Usd
from planner.report.html.elements import bar, data, head, page, shaded, table
from planner.report.wording import quantities
from planner.report.wording.forecasts import (
    accepted_phrase,
    drag_phrase,
    share_error,
    speedup_phrase,
    step_cost,
    token_phrase,
    waiting_phrase,
)
from planner.report.wording.heat_maps import (
    SHADES,
    HeatMapCell,
    shade,
)
from planner.report.wording.notes import worded

_COLUMNS = ("Step", "kind", "times", "work", "on path", "critical", "drag", "cost")
_LEFT_COLUMNS = _COLUMNS[:2]


def forecast_html(forecast: Forecast) -> str:
    """Return a forecast as HTML, with tables of the completion time, the cost, the agents and the steps."""
    columns = [head(name, "left" if name in _LEFT_COLUMNS else "right") for name in _COLUMNS]
    critical = [step.critical for step in forecast.steps]
    cost_known = forecast.result.usd is not None
    steps = [_step(step, shade(step.critical, critical), cost_known) for step in forecast.steps]
    most = max(forecast.breakdown_standard_error.values())
    error = f", ± {quantities.seconds(most)} at most" if most else ""
    body = (
        _quantities(forecast.result)
        + table(f"Where the time goes (critical path, mean{error})", [], _parts(forecast.breakdown))
        + _busy(forecast)
        + table(f"Steps ({SHADES[-1]} longest on the critical path)", columns, steps)
    )
    title = f"{forecast.workflow}: {quantities.samples(forecast.samples)}, seed {forecast.seed}"
    return page(title, _about(forecast), body, [], worded(forecast.notes))


def _about(forecast: Forecast) -> list[str]:
    """Return lines of text about the agents, tokens and acceptance of a forecast."""
    result, scenario = forecast.result, forecast.result.scenario
    speed = quantities.factor(scenario.speed) + (" (hypothetical)" if scenario.speed != 1 else "")
    served = f"{speed} {scenario.model}".strip()
    speedup = speedup_phrase(forecast)
    return [
        f"Agents: {quantities.crews(forecast.sizes, scenario.agents)}, at {served}{'; ' if speedup else ''}{speedup}.",
        f"Tokens: {token_phrase(result)}.",
        *([f"Accepted: {accepted_phrase(result)}."] if result.accepted.chance < 1 else []),
    ]


def _quantities(result: Result) -> str:
    names = ("", "p50", "p90", "p95", "mean", "± standard error")
    cost = (
        _quantity("Cost", result.usd, quantities.usd) if result.usd else [[head("Cost", scope="row"), data("unknown")]]
    )
    if result.usd and result.usd.people_and_machines:
        usd = result.usd
        cost += [
            _part_of_cost("of models", usd.models, usd.models_standard_error),
            _part_of_cost("of people and machines", usd.people_and_machines, usd.people_and_machines_standard_error),
        ]
    return table(
        "", [head(name) for name in names], [*_quantity("Completion", result.seconds, quantities.seconds), *cost]
    )


def _part_of_cost(name: str, mean: float, error: float) -> list[str]:
    """Return a row of cells for a part of the cost: its mean and standard error."""
    return [head(name, scope="row"), *[data("")] * 3, data(quantities.usd(mean)), data(quantities.usd(error))]


def _quantity(name: str, quantity: Seconds | Usd, form: Callable[[float], str]) -> list[list[str]]:
    """Return two table rows about a quantity, such as the cost.

    The first row has the percentiles, the mean and the standard error of the mean. The second row has the 95% intervals
    of the percentiles.

    form : function that formats a number as text
    """
    p95 = quantity.p95 if isinstance(quantity, Seconds) else None
    values = (quantity.p50, quantity.p90, p95, quantity.mean, quantity.standard_error)
    intervals = [(quantity.p50_low, quantity.p50_high), (quantity.p90_low, quantity.p90_high)]
    intervals += [(quantity.p95_low, quantity.p95_high)] if isinstance(quantity, Seconds) else []
    return [
        [head(name, scope="row"), *(data("" if value is None else form(value)) for value in values)],
        [head("95% sure", scope="row"), *(data(quantities.between(*ends, form)) for ends in intervals)],
    ]


def _busy(forecast: Forecast) -> str:
    """Return the HTML of a table that shows how busy agents are. If no agents work, return an empty text."""
    rows, paid = [], any(crew.usd for crew in forecast.crews)
    for crew in forecast.crews:
        share, error = crew.utilisation.mean, crew.utilisation.standard_error
        error_text = f" ± {share_error(error)}" if error else ""
        cells = [data(f"{crew.agents:,}"), data(f"{quantities.percent(share)}{error_text}"), data(waiting_phrase(crew))]
        cells += [data(quantities.usd(crew.usd.mean) if crew.usd else "")] if paid else []
        rows.append([head(crew.name, scope="row"), *cells, bar(share)])
    title = "How busy agents are (time held, of all their time, mean)"
    names = ("", "agents", "busy", "awaited on the critical path", *(["cost"] if paid else []), "")
    return table(title, [head(name) for name in names], rows) if rows else ""


def _parts(breakdown: Mapping[str, float]) -> list[list[str]]:
    """Return a table row for each part of the critical path: the part's name, seconds, share and bar.

    breakdown : name of each part → seconds
    """
    total = sum(breakdown.values())
    shares = {part: value / total if total else 0.0 for part, value in breakdown.items()}
    return [
        [
            head(part, scope="row"),
            data(quantities.seconds(value)),
            data(quantities.percent(shares[part])),
            bar(shares[part]),
        ]
        for part, value in breakdown.items()
    ]


def _step(step: StepResult, level: int, cost_known: bool) -> list[str]:
    return [
        head(step.step, scope="row"), data(step.kind, "left"), data(quantities.times(step.occurrences)),
        data(quantities.seconds(step.seconds)), shaded(HeatMapCell(quantities.seconds(step.critical), level, False)),
        data(quantities.share(step.criticality.mean)), data(drag_phrase(step.drag)),
        data(step_cost(step, cost_known)),
    ]  # fmt: skip
