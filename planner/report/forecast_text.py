"""A forecast as text of 80 columns."""

from __future__ import annotations

from planner.planning.results import Forecast, StepResult
from planner.report import words
from planner.report.heat_map import wrapped

_BAR = 30


def forecast_text(forecast: Forecast) -> str:
    """Completion time and cost, where the time goes, and what each step takes."""
    result, time = forecast.result, forecast.result.seconds
    lines = [
        f"{forecast.workflow}: {forecast.samples:,} samples, seed {forecast.seed}",
        "",
        f"Completion  p50 {words.seconds(time.p50)}   p90 {words.seconds(time.p90)}   p95 {words.seconds(time.p95)}",
        f"            mean {words.seconds(time.mean)}, known to ± {words.seconds(time.standard_error)} (standard error)",
        "Cost        " + (f"p50 {words.usd(result.usd.p50)}   p90 {words.usd(result.usd.p90)}   mean {words.usd(result.usd.mean)}" if result.usd else "unknown"),
        f"Tokens      {words.tokens(result.tokens.input)} prefilled, {words.tokens(result.tokens.cache_read)} from cache, {words.tokens(result.tokens.output)} output",
        f"Agents      {_crews(forecast)}, at {words.factor(result.scenario.speed)}{' ' + result.scenario.model if result.scenario.model else ''}",
        f"            {words.factor(result.speedup)} the speed of one agent at 1x; efficiency {words.percent(result.efficiency)}",
        "",
        "Where the time goes (seconds of the critical path, mean)",
    ]
    total = sum(forecast.breakdown.values())
    for part, value in forecast.breakdown.items():
        share = value / total if total else 0.0
        lines.append(f"  {part:<13}{words.seconds(value):>9}  {words.percent(share):>4}  {'█' * round(share * _BAR)}".rstrip())
    lines += ["", f"{'Step':<30}{'kind':<9}{'times':>7}{'work':>10}{'critical':>10}{'cost':>10}"]
    lines += [_step(step) for step in forecast.steps]
    lines += [""] if forecast.notes else []
    lines += [line for note in forecast.notes for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def _step(step: StepResult) -> str:
    name = step.step if len(step.step) < 30 else "…" + step.step[-28:]
    cost = "" if step.usd is None or step.tokens.input + step.tokens.cache_read + step.tokens.output == 0 else words.usd(step.usd)
    line = f"{name:<30}{step.kind:<9}{step.occurrences:>7,}{words.seconds(step.seconds):>10}{words.seconds(step.critical):>10}{cost:>10}"
    return line.rstrip()


def _crews(forecast: Forecast) -> str:
    return ", ".join(f"{size:,} in '{name}'" if name != "agents" else words.agents(size) for name, size in forecast.sizes.items())
