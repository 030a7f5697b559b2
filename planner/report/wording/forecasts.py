"""Phrases about forecasts that text and HTML share."""

from __future__ import annotations

from planner.engine.moments import Mean
from planner.engine.statistics import Z975
from planner.errors import printable
from planner.measures.utilisation import Utilisation
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result
from planner.report.wording import quantities
from planner.report.wording.phrases import baseline_agents


def speedup_phrase(forecast: Forecast) -> str:
    """Return a phrase with the speedup over the baseline, the efficiency, and the standard errors of both.

    The phrase describes the baseline by its crews of agents, and by the other crews whose size differs from the
    scenario. If there is no crew of agents and the scenario is the baseline, return an empty text.
    """
    result, baseline = forecast.result, forecast.baseline
    scenario, errors = result.scenario, result.standard_errors
    same_row = (scenario.model, scenario.speed) == (baseline.model, baseline.speed)
    others = {name: baseline.sizes[name] for name, size in forecast.sizes.items() if baseline.sizes[name] != size}
    others = {name: size for name, size in others.items() if name not in baseline.crews}
    if not baseline.crews and same_row and not others:
        return ""
    error = f" ± {errors.speedup:.2g}" if errors.speedup else ""
    efficiency_error = f" ± {share_error(errors.efficiency)}" if errors.efficiency else ""
    agents = [baseline_agents(baseline), *(f"{size:,} of {printable(name)}" for name, size in others.items())]
    comma = "," if len(agents) + len(baseline.crews) > 2 or not baseline.crews else ""
    model = f" on {printable(baseline.model)}" if scenario.model != baseline.model else ""
    speedup = (
        f"{quantities.factor(result.speedup)}{error} as fast as {' with '.join(agents[:2])}"
        f"{''.join(f' and {part}' for part in agents[2:])}{comma} at {quantities.factor(baseline.speed)}{model}"
    )
    if result.efficiency is None:
        return speedup
    return f"{speedup}; efficiency {quantities.percent(result.efficiency)}{efficiency_error}"


def token_phrase(result: Result) -> str:
    """Return a phrase with the mean numbers of tokens and their standard errors."""
    mean, error = result.tokens, result.standard_errors.tokens

    def with_error(count: float, error: float) -> str:
        return quantities.token_count(count) + plus_minus(" ", quantities.token_count(float(f"{error:.2g}")), error)

    read = f", {with_error(mean.cache_read, error.cache_read)} read from cache" if mean.cache_read else ""
    return f"{with_error(mean.input, error.input)} input{read}, {with_error(mean.output, error.output)} output"


def accepted_phrase(result: Result) -> str:
    """Return a phrase such as `97.3% ± 0.5% of samples; 3h15min and $12.40 for each accepted result`.

    The number after `±` is a standard error.
    """
    accepted = result.accepted
    if accepted.seconds is None:
        return "0% of samples"
    cost = f" and {quantities.usd(accepted.usd)}" if accepted.usd is not None else ""
    error = f" ± {quantities.relative_error(accepted.standard_error)}" if accepted.standard_error else ""
    chance, seconds = quantities.share(accepted.chance), quantities.seconds(accepted.seconds)
    return f"{chance}{error} of samples; {seconds}{cost} for each accepted result"


def waiting_phrase(crew: Utilisation) -> str:
    """Return the mean time for which the critical path waits for an agent, as text.

    If the pool has one agent and this time is 0, return an empty text.
    """
    return quantities.seconds(crew.waiting.mean) if crew.agents > 1 or crew.waiting.mean else ""


def step_cost(step: StepResult, cost_known: bool) -> str:
    """Return the cost of a step as text.

    The text is a dash if the step runs on machines that are paid by the hour. The text is empty for an unknown cost.
    The text is also empty for a step without requests and without a cost.

    cost_known : whether the cost of the scenario is known
    """
    requests = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    if step.usd is None:
        return "—" if cost_known and requests else ""
    return quantities.usd(step.usd) if requests or step.usd else ""


def drag_phrase(drag: Mean) -> str:
    """Return the drag of a step as text. The drag is the time that a run would save if the step took no time.

    If the drag does not differ significantly from 0, the text is `about 0`.
    """
    if drag.mean and abs(drag.mean) < Z975 * drag.standard_error:
        return "about 0"
    return f"-{quantities.seconds(-drag.mean)}" if drag.mean < 0 else quantities.seconds(drag.mean)


def share_error(error: float) -> str:
    """Return the standard error of a share as text, in percentage points."""
    return f"{100 * error:.2g}%"


def plus_minus(separator: str, text: str, error: float) -> str:
    """Return `separator`, then the sign `±`, then `text`. If the error is 0, return an empty text."""
    return f"{separator}± {text}" if error else ""
