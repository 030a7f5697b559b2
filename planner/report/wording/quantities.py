"""Quantities and verdicts in words, in the units that a workflow file reads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from planner.planning.comparison_result import Comparison
from planner.planning.decisions.verdict import rows
from planner.planning.forecast_result import StepResult
from planner.planning.results import Result, Scenario

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def seconds(value: float) -> str:
    """A time with three or four digits: `0.42s`, `13.5s`, `12min05s`, `3h20min`, `25h04min`, `5d03h`, `365d`."""
    if value < 9.995:
        return f"{value:.2f}s"
    if value < 59.95:
        return f"{value:.1f}s"
    for limit, unit, ratio, big, small in (
        (3600, 1, 60, "min", "s"),
        (360000, 60, 60, "h", "min"),
        (8.64e6, 3600, 24, "d", "h"),
    ):
        whole = round(value / unit)
        if whole * unit < limit:
            return f"{whole // ratio}{big}{whole % ratio:02d}{small}"
    days = value / 86400
    return f"{days:,.0f}d" if days < 9999.5 else f"{_short(days)}d"


def usd(value: float) -> str:
    """US dollars with the digits that matter: `$0.0042`, `$3.10`, `$1,234`, `$1.98M`."""
    if 0 < value < 0.0995:
        return f"${value:.2g}" if value >= 1e-4 else "<$0.0001"
    if value < 99.995:
        return f"${value:,.2f}"
    return f"${value:,.0f}" if value < 999_999.5 else f"${_short(value)}"


def step_cost(step: StepResult, known: bool) -> str:
    """What a step costs; a dash where machines paid by the hour serve it, nothing where nothing is asked for.

    known : whether the scenario's cost is
    """
    asks = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    if step.usd is None:
        return "—" if known and asks else ""
    return usd(step.usd) if asks or step.usd else ""


def tokens(value: float) -> str:
    """A number of tokens: `900`, `12.3k`, `4.56M`."""
    return _short(value)


def factor(value: float) -> str:
    """`2.5x`, with three digits at most."""
    if value < 999.5:
        return f"{value:.3g}x"
    return f"{value:,.0f}x" if value < 999_999.5 else f"{_short(value)}x"


def _short(value: float) -> str:
    """Three digits and a prefix."""
    power = 0
    while value >= 999.5 and power < len(_PREFIXES) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.3g}{_PREFIXES[power]}" if value < 999.5 else f"{value:.0e}{_PREFIXES[power]}"


def percent(value: float) -> str:
    """`74%`."""
    return f"{value:.0%}"


def error(value: float | None) -> str:
    """`0.84%`, `12%`: two digits."""
    if value is None:
        return "an unknown share"
    return f"{100 * value:.2g}%" if value < 0.995 else f"{100 * value:.0f}%"


def between(low: float | None, high: float | None, shown: Callable[[float], str] = seconds) -> str:
    """`1h57min to 2h01min`."""
    return "unknown, too few samples" if low is None or high is None else f"{shown(low)} to {shown(high)}"


def share(value: float) -> str:
    """`97.3%`, and `>99.9%` or `<0.1%` where it would round to all or nothing."""
    if 0.9995 <= value < 1:
        return ">99.9%"
    return "<0.1%" if 0 < value < 0.0005 else f"{100 * value:.3g}%"


def accepted(result: Result) -> str:
    """`97.3% ± 0.5% of samples; 3h15min and $12.40 for each accepted result`; the error is a standard error."""
    found = result.accepted
    if found.seconds is None:
        return "0% of samples"
    cost = f" and {usd(found.usd)}" if found.usd is not None else ""
    known = f" ± {error(found.standard_error)}" if found.standard_error else ""
    return f"{share(found.chance)}{known} of samples; {seconds(found.seconds)}{cost} for each accepted result"


def agents(count: int) -> str:
    """`1 agent`, `16 agents`."""
    return "1 agent" if count == 1 else f"{count:,} agents"


def crews(sizes: Mapping[str, int]) -> str:
    """`6 in 'migrators', 3 in 'reviewers'`; `4 agents` of the crew that needs no name."""
    return ", ".join(f"{size:,} in '{name}'" if name != "agents" else agents(size) for name, size in sizes.items())


def times(count: float) -> str:
    """How often, on average: `48`, `1.4`, `167`, and `<0.1` where it would round to never."""
    if 0 < count < 0.05:
        return "<0.1"
    if count < 10 and count != round(count):
        return f"{count:,.1f}"
    return f"{count:,.0f}" if count < 99_999.5 else _short(count)


def samples(count: int) -> str:
    """`1 sample`, `1,000 samples`."""
    return "1 sample" if count == 1 else f"{count:,} samples"


def verdict(comparison: Comparison) -> str:
    """One sentence. It orders two choices only where their paired difference does."""
    found = comparison.verdict
    cells = {result.scenario: result for result in comparison.results}
    model, speed = rows(cells)[0]
    base = cells[Scenario(model, speed, min(scenario.agents for scenario in cells))]
    best = cells[found.best]

    def ends(scenario: Scenario) -> str:
        return _ends(comparison, cells[scenario])

    if len(cells) == 1:
        return f"{ends(found.best)}."
    if not found.gains:
        other = f"; {ends(base.scenario)}" if best is not base else ""
        same = ", about the same" if best is not base and found.close else ""
        return f"Quickest is {ends(found.best)}{other}{same}."
    start = {
        "agents": "More agents gain more here",
        "speed": "Faster requests gain more here",
        "same": "More agents and faster requests gain about the same here",
    }[found.gains]
    others = _other_rows(comparison)
    more = _without("more agents", found.no_more) or ends(found.more)
    faster = _without(others, found.no_faster) or ends(found.faster)
    close = ", about the same" if found.close else ""
    quickest = "" if found.best in (found.more, found.faster) else f"; quickest is {ends(found.best)}{close}"
    if found.no_more and found.no_faster:
        quickest = "" if found.close else quickest
        gain = "even 1%" if "little" in (found.no_more, found.no_faster) else "anything"
        if base.scenario == comparison.baseline:
            return f"Neither more agents nor {others} gain {gain} here: {ends(base.scenario)}{quickest}."
        over = "; this speedup is over the baseline"
        return f"Neither more agents nor {others} gain {gain} over {ends(base.scenario)}{over}{quickest}."
    return f"{start}: {more}, {faster}{quickest}."


def _other_rows(comparison: Comparison) -> str:
    """What the rows below the first are, where they may well be slower."""
    if not several(comparison):
        return "faster requests"
    return "other models and speeds" if _speeds_vary(comparison) else "other models"


def varied(comparison: Comparison) -> str:
    """What rows differ in: `speed`, `model`, or `model or speed`."""
    if not several(comparison):
        return "speed"
    return "model or speed" if _speeds_vary(comparison) else "model"


def _without(what: str, gain: str) -> str:
    """What is said of agents, or of other rows, where the least of it is about as quick as any."""
    said = {"little": "gain under 1%", "nothing": "gain nothing", "slower": "are slower"}
    return f"{what} {said[gain]}" if gain else ""


def row_name(comparison: Comparison, model: str, speed: float, mark: str = "") -> str:
    """What a row of scenarios is called: by its model where there are several, by its speed where that varies.

    mark : stands before a speed that is not sold
    """
    shown = factor(speed) if speed == 1 else f"{mark}{factor(speed)}"
    if not several(comparison):
        return shown
    return f"{model} at {shown}" if _speeds_vary(comparison) or speed != 1 else model


def several(comparison: Comparison) -> bool:
    """Whether models vary."""
    return len({result.scenario.model for result in comparison.results}) > 1


def _speeds_vary(comparison: Comparison) -> bool:
    return len({result.scenario.speed for result in comparison.results}) > 1


def _ends(comparison: Comparison, result: Result) -> str:
    """`16 agents at 1x in 12min04s for $3.10 (1.8x)`: the speedup is over the baseline."""
    scenario = result.scenario
    cost = f" for {usd(result.usd.p50)}" if result.usd else ""
    name = row_name(comparison, scenario.model, scenario.speed, "a hypothetical ")
    where = comparison.restricted.get(scenario.model)
    at = f"{agents(scenario.agents)} {'on' if several(comparison) else 'at'} {name}{f' ({where})' if where else ''}"
    return f"{at} in {seconds(result.seconds.p50)}{cost} ({factor(result.speedup)})"


def without_colour(text: str) -> str:
    """The text without terminal escapes."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
