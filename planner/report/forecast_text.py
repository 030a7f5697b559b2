"""A forecast as text of 80 columns."""

from __future__ import annotations

from planner.errors import printable
from planner.planning.results import Forecast, Result, StepResult
from planner.report import words
from planner.report.heat_map import wrapped

_BAR = 30


def forecast_text(forecast: Forecast) -> str:
    """Completion time and cost, where the time goes, and what each step takes."""
    result, time = forecast.result, forecast.result.seconds
    model = f" {printable(result.scenario.model)}" if result.scenario.model else ""
    hypothetical = ", hypothetical" if result.scenario.speed != 1 else ""
    known = f"known to ± {_time(time.standard_error)} (standard error)"
    if forecast.samples == 1:
        known = "of a single sample: its error is unknown"
    lines = [
        *wrapped(f"{printable(forecast.workflow)}: {words.samples(forecast.samples)}, seed {forecast.seed}"),
        "",
        f"Completion  p50 {_time(time.p50)}   p90 {_time(time.p90)}   p95 {_time(time.p95)}",
        f"            mean {_time(time.mean)}, {known}",
        f"Cost        {_cost(result)}",
        f"Tokens      {_tokens(result)}",
        *([f"Accepted    {words.accepted(result)}"] if result.accepted.chance < 1 else []),
        *wrapped(f"Agents      {_crews(forecast)}, at {words.factor(result.scenario.speed)}{model}{hypothetical}"),
        f"            {words.factor(result.speedup)} as fast as one agent at 1x; "
        f"efficiency {words.percent(result.efficiency)}",
        "",
        "Where the time goes (critical path, mean)",
    ]
    total = sum(forecast.breakdown.values())
    for part, value in forecast.breakdown.items():
        share = value / total if total else 0.0
        bar = "█" * round(share * _BAR)
        lines.append(f"  {part:<13}{_time(value):>9}  {words.percent(share):>4}  {bar}".rstrip())
    lines += ["", f"{'Step':<30}{'kind':<9}{'times':>7}{'work':>10}{'critical':>10}{'cost':>10}"]
    lines += [_step(step) for step in forecast.steps]
    lines += [""] if forecast.notes else []
    lines += [line for note in forecast.notes for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def _time(value: float) -> str:
    return words.seconds(value)


def _cost(result: Result) -> str:
    cost = result.usd
    if cost is None:
        return "unknown"
    return f"p50 {words.usd(cost.p50)}   p90 {words.usd(cost.p90)}   mean {words.usd(cost.mean)}"


def _tokens(result: Result) -> str:
    tokens = result.tokens
    read = f", {words.tokens(tokens.cache_read)} read from cache" if tokens.cache_read else ""
    return f"{words.tokens(tokens.input)} input{read}, {words.tokens(tokens.output)} output"


def _step(step: StepResult) -> str:
    name = step.step if len(step.step) < 30 else "…" + step.step[-28:]
    asks = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    cost = words.usd(step.usd) if step.usd is not None and (asks or step.usd) else ""
    times = f"{_time(step.seconds):>10}{_time(step.critical):>10}"
    return f"{name:<30}{step.kind:<9}{words.times(step.occurrences):>7}{times}{cost:>10}".rstrip()


def _crews(forecast: Forecast) -> str:
    return ", ".join(
        f"{size:,} in '{name}'" if name != "agents" else words.agents(size) for name, size in forecast.sizes.items()
    )
