"""Phrases about forecasts that text and HTML share."""

from __future__ import annotations

from planner.engine.moments import Mean
from planner.engine.statistics import Z975
from planner.expansion.graph.task_graph import LEAD
from planner.measures.utilisation import Utilisation
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result
from planner.report.wording import quantities


def speedup_phrase(result: Result) -> str:
    """Return a phrase with the speedup over one agent and with the efficiency, each with its standard error."""
    errors = result.standard_errors
    error = f" ± {errors.speedup:.2g}" if errors.speedup else ""
    efficiency_error = f" ± {share_error(errors.efficiency)}" if errors.efficiency else ""
    factor, efficiency = quantities.factor(result.speedup), quantities.percent(result.efficiency)
    return f"{factor}{error} as fast as one agent at 1x; efficiency {efficiency}{efficiency_error}"


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
    """Return the mean time for which the critical path waits for an agent of a pool.

    Return an empty text if the pool has one agent and the critical path never waits for it.
    """
    return quantities.seconds(crew.waiting.mean) if crew.agents > 1 or crew.waiting.mean else ""


def pool_name(forecast: Forecast, pool: str) -> str:
    """Return the name of a pool. After the name of the lead, add the crews of one agent: the lead is their agent."""
    if pool != LEAD:
        return pool
    return ", ".join([pool, *(name for name, size in forecast.sizes.items() if size == 1)])


def step_cost(step: StepResult, cost_known: bool) -> str:
    """Return the cost of a step.

    Return a dash if the step runs on machines paid by the hour. Return an empty text if the step makes no requests or
    its cost is unknown.

    cost_known : whether the cost of the scenario is known
    """
    requests = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    if step.usd is None:
        return "—" if cost_known and requests else ""
    return quantities.usd(step.usd) if requests or step.usd else ""


def drag_phrase(drag: Mean) -> str:
    """Return the drag as text. If it does not differ significantly from 0, return `about 0`."""
    if drag.mean and abs(drag.mean) < Z975 * drag.standard_error:
        return "about 0"
    return f"-{quantities.seconds(-drag.mean)}" if drag.mean < 0 else quantities.seconds(drag.mean)


def share_error(error: float) -> str:
    """Standard error of a share, in percentage points."""
    return f"{100 * error:.2g}%"


def plus_minus(separator: str, text: str, error: float) -> str:
    """Return the separator followed by `± text`. Return an empty text if the error is 0."""
    return f"{separator}± {text}" if error else ""
