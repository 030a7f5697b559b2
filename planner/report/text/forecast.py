"""A forecast as text of 80 columns: the answer first, then where the time goes, who is busy, and each step."""

from __future__ import annotations

from collections.abc import Iterator

from planner.engine.statistics import Z975
from planner.errors import printable
from planner.expansion.graph.task_graph import LEAD
from planner.measures.distribution import Distribution
from planner.measures.moments import Mean
from planner.measures.utilisation import Utilisation
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result, Seconds
from planner.report.text.comparison import wrapped
from planner.report.wording import quantities
from planner.report.wording.notes import worded

_BAR = 30
_OWN = ("llm", "agent", "tool", "human")
"""Kinds of a step's own work; the others are coordination."""


def forecast_text(forecast: Forecast) -> str:
    """Completion time and cost, where the time goes, and what each step takes."""
    result, time = forecast.result, forecast.result.seconds
    model = f" {printable(result.scenario.model)}" if result.scenario.model else ""
    hypothetical = ", hypothetical" if result.scenario.speed != 1 else ""
    at = f"at {quantities.factor(result.scenario.speed)}"
    lines = [
        *wrapped(f"{printable(forecast.workflow)}: {quantities.samples(forecast.samples)}, seed {forecast.seed}"),
        "",
        f"Completion  p50 {_time(time.p50)}   p90 {_time(time.p90)}   p95 {_time(time.p95)}",
        *_known(forecast.samples, time),
        *(f"            {line}" for line in spread(forecast.distribution)),
        *_cost(result),
        *wrapped(f"Tokens      {tokens(result)}"),
        *([f"Accepted    {quantities.accepted(result)}"] if result.accepted.chance < 1 else []),
        *wrapped(f"Agents      {quantities.crews(forecast.sizes)}, {at}{model}{hypothetical}"),
        f"            {speedup(result)}",
        "",
        *_breakdown(forecast),
        *_busy(forecast),
        "",
        f"{'Step':<21}{'kind':<8}{'times':>6}{'work':>9}{'on path':>9}{'critical':>9}{'drag':>9}{'cost':>9}",
        *(_step(step, result.usd is not None) for step in forecast.steps),
        *_legend(forecast),
    ]
    lines += [""] if forecast.notes else []
    lines += [line for note in worded(forecast.notes) for line in wrapped("Note: " + note)]
    return "\n".join(lines) + "\n"


def _known(samples: int, time: Seconds) -> list[str]:
    """Intervals, and the mean with its error."""
    mean = f"mean {_time(time.mean)}"
    if samples == 1 and time.p50_low is None:
        return [f"            {mean} (of a single sample: its error is unknown)"]
    if not time.standard_error:
        return [f"            {mean}, as in every sample"]
    p50, p90, p95 = (
        quantities.between(*ends)
        for ends in ((time.p50_low, time.p50_high), (time.p90_low, time.p90_high), (time.p95_low, time.p95_high))
    )
    error = f"± {_time(time.standard_error)} (standard error)"
    p95 = p95.removesuffix(", too few samples")  # as p90, then
    return [f"  95% sure  p50 {p50}   p90 {p90}", f"            p95 {p95}   {mean} {error}"]


def _time(value: float) -> str:
    return quantities.seconds(value)


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


def speedup(result: Result) -> str:
    """How much sooner than one agent, with standard errors."""
    known = result.standard_errors
    error = f" ± {known.speedup:.2g}" if known.speedup else ""
    share = f" ± {points(known.efficiency)}" if known.efficiency else ""
    factor, efficiency = quantities.factor(result.speedup), quantities.percent(result.efficiency)
    return f"{factor}{error} as fast as one agent at 1x; efficiency {efficiency}{share}"


def tokens(result: Result) -> str:
    """Mean tokens, with standard errors."""
    mean, error = result.tokens, result.standard_errors.tokens

    def shown(count: float, known: float) -> str:
        return quantities.tokens(count) + _within(" ", quantities.tokens(float(f"{known:.2g}")), known)

    read = f", {shown(mean.cache_read, error.cache_read)} read from cache" if mean.cache_read else ""
    return f"{shown(mean.input, error.input)} input{read}, {shown(mean.output, error.output)} output"


def _breakdown(forecast: Forecast) -> list[str]:
    error = max(forecast.breakdown_standard_error.values())
    lines = [f"Where the time goes (critical path, mean{_within('; ', _time(error), error)})"]
    total = sum(forecast.breakdown.values())
    for part, value in forecast.breakdown.items():
        share = value / total if total else 0.0
        lines.append(f"  {part:<13}{_time(value):>9}  {quantities.percent(share):>4}  {_bar(share)}".rstrip())
    share, error = forecast.result.coordination_share, forecast.result.standard_errors.coordination_share
    work = sum(step.seconds for step in forecast.steps)
    mechanisms = sum(step.seconds for step in forecast.steps if step.kind not in _OWN)
    if mechanisms:
        own = f"{quantities.percent(share)} ± {points(error)} of the completion time"
        lines += wrapped(f"Coordination is {own} and {quantities.percent(mechanisms / work)} of all work.")
    return lines


def _busy(forecast: Forecast) -> list[str]:
    if not forecast.crews:
        return []
    error = max(crew.utilisation.standard_error for crew in forecast.crews)
    lines = ["", f"How busy agents are (time held, of all their time, mean{_within('; ', points(error), error)})"]
    awaited = any(crew.waiting.mean for crew in forecast.crews)
    lines += [f"  {'':<22}{'busy':>6}{'awaited':>10}"] if awaited else []
    for crew in forecast.crews:
        share = crew.utilisation.mean
        name = _fitted(named(forecast, crew.name), 18)
        waiting = f"{waited(crew):>10}" if awaited else ""
        lines.append(f"  {name:<18}{crew.agents:>4,}{quantities.percent(share):>6}{waiting}  {_bar(share)}".rstrip())
    if awaited:
        error = max(crew.waiting.standard_error for crew in forecast.crews)
        lines.append(
            f"awaited: time that the critical path waits for one of several, mean{_within('; ', _time(error), error)}"
        )
    return lines


def waited(crew: Utilisation) -> str:
    """How long one of several is waited for; nothing of one alone, a queue before whom is coordination."""
    return _time(crew.waiting.mean) if crew.agents > 1 or crew.waiting.mean else ""


def named(forecast: Forecast, pool: str) -> str:
    """What a pool is called; crews of one are the lead."""
    if pool != LEAD:
        return pool
    return ", ".join([pool, *(name for name, size in forecast.sizes.items() if size == 1)])


def _within(before: str, shown: str, error: float) -> str:
    """How far something is known, if there is an error at all."""
    return f"{before}± {shown}" if error else ""


def points(share: float) -> str:
    """A standard error of a share, in points of per cent."""
    return f"{100 * share:.2g}%"


def _bar(share: float) -> str:
    return "█" * round(share * _BAR)


def _fitted(name: str, width: int) -> str:
    name = printable(name)
    return name if len(name) <= width else f"…{name[1 - width :]}"


def _step(step: StepResult, priced: bool) -> str:
    cost = quantities.step_cost(step, priced)
    times = f"{_time(step.seconds):>9}{_time(step.critical):>9}{quantities.share(step.criticality.mean):>9}"
    name = f"{_fitted(step.step, 20):<21}{step.kind:<8}{quantities.times(step.occurrences):>6}"
    return f"{name}{times}{drag(step.drag):>9}{cost:>9}".rstrip()


def drag(found: Mean) -> str:
    """Seconds, unless they cannot be told from 0."""
    if found.mean and abs(found.mean) < Z975 * found.standard_error:
        return "about 0"
    return f"-{_time(-found.mean)}" if found.mean < 0 else _time(found.mean)


def _legend(forecast: Forecast) -> list[str]:
    """What the columns are, and how far they are known."""
    drags = [step.drag for step in forecast.steps]
    often = max(step.criticality.standard_error for step in forecast.steps)
    lost = max(drag.standard_error for drag in drags)
    count = max(step.occurrences_standard_error for step in forecast.steps)
    work = max(step.seconds_standard_error for step in forecast.steps)
    path = max(step.critical_standard_error for step in forecast.steps)
    cost = max(step.usd_standard_error or 0.0 for step in forecast.steps)
    known = {
        "times": (count, f"{count:.2g}"), "work": (work, _time(work)), "on path": (path, _time(path)),
        "critical": (often, points(often)), "drag": (lost, _time(lost)), "cost": (cost, quantities.usd(cost)),
    }  # fmt: skip
    lines = [
        f"times, work{', cost' if any(step.usd for step in forecast.steps) else ''}: means",
        "on path: mean time on the critical path",
        "critical: share of samples in which it is on that path",
        "drag: how much sooner all would end if it took no time, mean",
    ]
    if forecast.drag_samples < forecast.samples:
        lines[-1] += f" of {forecast.drag_samples} samples"
    if any(drag.mean < -Z975 * drag.standard_error for drag in drags):
        lines.append("drag below 0: without it agents would be given out in an order that ends later")
    errors = [f"{name} ± {shown}" for name, (error, shown) in known.items() if error]
    return lines + wrapped(f"The largest standard errors of the columns: {', '.join(errors)}." if errors else "")


_BLOCKS = "▁▂▃▄▅▆▇█"


def spread(distribution: Distribution) -> list[str]:
    """Two lines of at most 68 columns; none where every sample takes the same time, as it reads."""
    histogram = distribution.histogram
    if not histogram.counts or quantities.seconds(histogram.low) == quantities.seconds(histogram.high):
        return []
    most = max(histogram.counts)
    strip = "".join(_BLOCKS[-(-8 * count // most) - 1] if count else " " for count in histogram.counts)
    low = f"{quantities.seconds(histogram.low)} "
    later = f" ({quantities.share(histogram.beyond / (sum(histogram.counts) + histogram.beyond))} later)"
    values = {one.percentile: one.seconds for one in distribution.percentiles}
    width = (histogram.high - histogram.low) / len(strip)
    marks = ""
    for percentile in (50, 90):
        at = len(low) + min(len(strip) - 1, int((values[percentile] - histogram.low) / width))
        if not marks or at > len(marks):
            marks += " " * (at - len(marks)) + f"^p{percentile}"
    return [f"{low}{strip} {quantities.seconds(histogram.high)}{later if histogram.beyond else ''}", marks]
