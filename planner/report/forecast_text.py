"""A forecast as text of 80 columns."""

from __future__ import annotations

from planner.errors import printable
from planner.planning.results import Forecast, Result, StepResult
from planner.report import words
from planner.report.heat_map import wrapped

_BAR = 30


def heading(forecast: Forecast) -> str:
    """What was simulated."""
    return f"{printable(forecast.workflow)}: {words.samples(forecast.samples)}, seed {forecast.seed}"


def facts(forecast: Forecast) -> list[tuple[str, str]]:
    """Completion time, cost, tokens and agents, each with its name; what goes on from the one before has none."""
    result, time = forecast.result, forecast.result.seconds
    model = f" {printable(result.scenario.model)}" if result.scenario.model else ""
    hypothetical = ", hypothetical" if result.scenario.speed != 1 else ""
    known = f"known to ± {_time(time.standard_error)} (standard error)"
    if forecast.samples == 1:
        known = "of a single sample: its error is unknown"
    faster = f"{words.factor(result.speedup)} as fast as one agent at 1x"
    return [
        ("Completion", f"p50 {_time(time.p50)}   p90 {_time(time.p90)}   p95 {_time(time.p95)}"),
        ("", f"mean {_time(time.mean)}, {known}"),
        ("Cost", _cost(result)),
        ("Tokens", _tokens(result)),
        *([("Accepted", words.accepted(result))] if result.accepted.chance < 1 else []),
        ("Agents", f"{_crews(forecast)}, at {words.factor(result.scenario.speed)}{model}{hypothetical}"),
        ("", f"{faster}; efficiency {words.percent(result.efficiency)}"),
    ]


def parts(forecast: Forecast) -> list[tuple[str, str, float]]:
    """Where the time goes: each part, its time, and its share of the critical path."""
    total = sum(forecast.breakdown.values())
    return [(part, _time(value), value / total if total else 0.0) for part, value in forecast.breakdown.items()]


STEP_COLUMNS = ("Step", "kind", "times", "work", "critical", "cost")


def step_cells(step: StepResult) -> tuple[str, ...]:
    """A step in these columns. Its name is as declared: it may be long."""
    asks = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    cost = words.usd(step.usd) if step.usd is not None and (asks or step.usd) else ""
    return (step.step, step.kind, words.times(step.occurrences), _time(step.seconds), _time(step.critical), cost)


def forecast_text(forecast: Forecast) -> str:
    """Completion time and cost, where the time goes, and what each step takes."""
    lines = [*wrapped(heading(forecast)), ""]
    lines += [line for name, fact in facts(forecast) for line in wrapped(f"{name:<12}{fact}")]
    lines += ["", "Where the time goes (critical path, mean)"]
    for part, time, share in parts(forecast):
        bar = "█" * round(share * _BAR)
        lines.append(f"  {part:<13}{time:>9}  {words.percent(share):>4}  {bar}".rstrip())
    lines += ["", _line(STEP_COLUMNS), *(_line(step_cells(step)) for step in forecast.steps)]
    lines += [""] if forecast.notes else []
    lines += [line for note in forecast.notes for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def _line(cells: tuple[str, ...]) -> str:
    step, kind, *numbers = cells
    name = step if len(step) < 30 else "…" + step[-28:]
    return f"{name:<30}{kind:<9}{numbers[0]:>7}{''.join(f'{one:>10}' for one in numbers[1:])}".rstrip()


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


def _crews(forecast: Forecast) -> str:
    return ", ".join(
        f"{size:,} in '{name}'" if name != "agents" else words.agents(size) for name, size in forecast.sizes.items()
    )
