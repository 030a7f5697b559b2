"""Terminal text of forecasts: the answer comes first, then the details."""

from __future__ import annotations

from collections.abc import Iterator

from planner.errors import columns_of, printable
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result, Seconds
from planner.report.text.columns import left, shorten_left
from planner.report.text.forecast_screen import answer_lines
from planner.report.text.layout import bar, note_lines, table, width, wrap
from planner.report.wording import quantities
from planner.report.wording.forecasts import (
    accepted_phrase,
    drag_phrase,
    plus_minus,
    share_error,
    speedup_phrase,
    step_cost,
    token_phrase,
    waiting_phrase,
)
from planner.report.wording.quantities import seconds

_OWN = ("llm", "agent", "tool", "human")
"""Kinds of work that a step declares; all other kinds are coordination."""

_STEP_COLUMNS = ("work", "on path", "critical", "drag", "cost")


_STEP_HEAD = f"{'Step':<21}", [f"{'kind':<8}{'times':>6}", *map("{:>9}".format, _STEP_COLUMNS)]


def forecast_text(forecast: Forecast) -> str:
    """Return all of a forecast as text: the answer, then errors, tokens, agents, critical path, steps and notes."""
    result, time = forecast.result, forecast.result.seconds
    model = f" {printable(result.scenario.model)}" if result.scenario.model else ""
    hypothetical = ", hypothetical" if result.scenario.speed != 1 else ""
    at = f"at {quantities.factor(result.scenario.speed)}"
    lines = [
        *answer_lines(forecast),
        "",
        *wrap(f"{printable(forecast.workflow)}: {quantities.samples(forecast.samples)}, seed {forecast.seed}"),
        "",
        f"Completion  p50 {seconds(time.p50)}   p90 {seconds(time.p90)}   p95 {seconds(time.p95)}",
        *_intervals(forecast.samples, time),
        *_cost(result),
        *wrap(f"Tokens      {token_phrase(result)}"),
        *([f"Accepted    {accepted_phrase(result)}"] if result.accepted.chance < 1 else []),
        *wrap(f"Agents      {quantities.crews(forecast.sizes, result.scenario.agents)}, {at}{model}{hypothetical}"),
        *_speedup(forecast),
        "",
        *_breakdown(forecast),
        *_busy(forecast),
        "",
        *table([_STEP_HEAD, *(_step(step, result.usd is not None) for step in forecast.steps)]),
        *_legend(forecast),
    ]
    lines += ["", *note_lines(forecast.notes)] if forecast.notes else []
    return "\n".join(lines) + "\n"


def _speedup(forecast: Forecast) -> list[str]:
    """Return indented lines of text with the speedup and the efficiency. They are aligned with the values above."""
    indent = " " * 12
    return [f"{indent}{line}" for line in wrap(speedup_phrase(forecast), len(indent))]


def _intervals(samples: int, time: Seconds) -> list[str]:
    """Return lines of text about the completion time.

    The lines have the 95% intervals of the percentiles, and the mean with its standard error.
    """
    mean = f"mean {seconds(time.mean)}"
    if samples == 1 and time.p50_low is None:
        return [f"            {mean} (of a single sample: its error is unknown)"]
    if not time.standard_error:
        return [f"            {mean}, as in every sample"]
    p50, p90, p95 = (
        quantities.between(*ends)
        for ends in ((time.p50_low, time.p50_high), (time.p90_low, time.p90_high), (time.p95_low, time.p95_high))
    )
    error = f"± {seconds(time.standard_error)} (standard error)"
    p95 = p95.removesuffix(", too few samples")  # the line above says so
    return [f"  95% sure  p50 {p50}   p90 {p90}", f"            p95 {p95}   {mean} {error}"]


def _cost(result: Result) -> Iterator[str]:
    cost = result.usd
    if cost is None:
        yield "Cost        unknown"
        return
    error = f" ± {quantities.usd(cost.standard_error)}" if cost.standard_error else ""
    usd = quantities.usd
    yield f"Cost        p50 {usd(cost.p50)}   p90 {usd(cost.p90)}   mean {usd(cost.mean)}{error}"
    if error:
        p50, p90 = (cost.p50_low, cost.p50_high), (cost.p90_low, cost.p90_high)
        yield f"  95% sure  p50 {quantities.between(*p50, usd)}   p90 {quantities.between(*p90, usd)}"
    if cost.people_and_machines:
        yield f"            models {usd(cost.models)}, people and machines {usd(cost.people_and_machines)} (means)"


def _breakdown(forecast: Forecast) -> list[str]:
    """Return lines of text about the critical path: the time of each part, and the share of coordination."""
    error = max(forecast.breakdown_standard_error.values())
    lines = [f"Where the time goes (critical path, mean{plus_minus('; ', seconds(error), error)})"]
    total = sum(forecast.breakdown.values())
    for part, value in forecast.breakdown.items():
        share = value / total if total else 0.0
        lines.append(f"  {part:<13}{seconds(value):>9}  {quantities.percent(share):>4}  {bar(share)}".rstrip())
    share, error = forecast.result.coordination_share, forecast.result.standard_errors.coordination_share
    work = sum(step.seconds for step in forecast.steps)
    mechanisms = sum(step.seconds for step in forecast.steps if step.kind not in _OWN)
    if mechanisms:
        of_time = f"{quantities.percent(share)} ± {share_error(error)} of the completion time"
        lines += wrap(f"Coordination is {of_time} and {quantities.percent(mechanisms / work)} of all work.")
    return lines


def _busy(forecast: Forecast) -> list[str]:
    """Return lines of text about agents: how busy they are, and how long the critical path waits for them.

    If no agents work, return an empty list.
    """
    if not forecast.crews:
        return []
    error = max(crew.utilisation.standard_error for crew in forecast.crews)
    lines = [
        "",
        f"How busy agents are (time held, of all their time, mean{plus_minus('; ', share_error(error), error)})",
    ]
    awaited, paid = (any(crew.waiting.mean for crew in forecast.crews), any(crew.usd for crew in forecast.crews))
    room = min(18, width() - 24)
    heads = f"{'awaited':>10}" * awaited + f"{'cost':>9}" * paid
    lines += [f"  {'':<{room + 4}}{'busy':>6}{heads}"] if heads else []
    for crew in forecast.crews:
        share = crew.utilisation.mean
        name = shorten_left(crew.name, room)
        waiting = f"{waiting_phrase(crew):>10}" if awaited else ""
        cost = f"{quantities.usd(crew.usd.mean) if crew.usd else '':>9}" if paid else ""
        row = f"  {left(name, room)}{crew.agents:>4,}{quantities.percent(share):>6}{waiting}{cost}  "
        lines.append(f"{row}{bar(share)[: width() - columns_of(row)]}".rstrip())
    if awaited:
        error = max(crew.waiting.standard_error for crew in forecast.crews)
        error_text = plus_minus("; ", seconds(error), error)
        lines.append(f"awaited: time that the critical path waits for one of several, mean{error_text}")
    if paid:
        error = max(crew.usd.standard_error for crew in forecast.crews if crew.usd)
        lines.append(f"cost: pay of the agents, mean{plus_minus('; ', quantities.usd(error), error)}")
    return lines


def _step(step: StepResult, cost_known: bool) -> tuple[str, list[str]]:
    """Return the label and the cells of a step's row in the table of steps.

    cost_known : whether the cost of the scenario is known
    """
    times = [seconds(step.seconds), seconds(step.critical), quantities.share(step.criticality.mean)]
    numbers = [*times, drag_phrase(step.drag), step_cost(step, cost_known)]
    kind = f"{step.kind:<8}{quantities.times(step.occurrences):>6}"
    return left(shorten_left(step.step, 20), 21), [kind, *map("{:>9}".format, numbers)]


def _legend(forecast: Forecast) -> list[str]:
    """Return the lines below the table of steps.

    The lines have the meaning and the largest standard error of each column.
    """
    drags = [step.drag for step in forecast.steps]
    criticality = max(step.criticality.standard_error for step in forecast.steps)
    drag_error = max(drag.standard_error for drag in drags)
    count = max(step.occurrences_standard_error for step in forecast.steps)
    work = max(step.seconds_standard_error for step in forecast.steps)
    path = max(step.critical_standard_error for step in forecast.steps)
    cost = max(step.usd_standard_error or 0.0 for step in forecast.steps)
    largest = {
        "times": (count, f"{count:.2g}"), "work": (work, seconds(work)), "on path": (path, seconds(path)),
        "critical": (criticality, share_error(criticality)), "drag": (drag_error, seconds(drag_error)),
        "cost": (cost, quantities.usd(cost)),
    }  # fmt: skip
    lines = [
        f"times, work{', cost' if any(step.usd for step in forecast.steps) else ''}: means",
        "on path: mean time on the critical path",
        "critical: share of samples in which it is on that path",
        "drag: how much sooner half of the runs would end if it took no time",
    ]
    if forecast.drag_samples < forecast.samples:
        lines[-1] += f" ({forecast.drag_samples} samples)"
    if any(drag.seconds < 0 and drag.significant for drag in drags):
        lines.append("drag below 0: without it agents would be given out in an order that ends later")
    errors = [f"{name} ± {text}" for name, (error, text) in largest.items() if error]
    return lines + wrap(f"The largest standard errors of the columns: {', '.join(errors)}." if errors else "")
