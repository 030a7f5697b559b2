"""Forecasts in words: the answer of the first screen, and phrases that text and HTML share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.errors import printable
from planner.expansion.graph.task_graph import LEAD, LIMITED
from planner.measures.drag import Drag
from planner.measures.utilisation import Utilisation
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.results import Result, Scenario
from planner.report.wording import quantities
from planner.report.wording.advice import held_by
from planner.report.wording.phrases import baseline_agents

LEAST_SHARE = 0.01
"""Parts of the time below this share are left out."""

_PARTS = {
    "decode": "output of models",
    "prefill": "prompts of models",
    "ttft": "first tokens of models",
    "tools": "tools",
    "people": "people",
    "coordination": "coordination",
    "waiting": "waiting for agents",
}
"""Part of the critical path → phrase."""


def planned_phrase(sizes: Mapping[str, int], scenario: Scenario) -> str:
    """Return a phrase such as `8 engineers and 2 reviewers, model opus at 2.5x, a speed that nobody sells`.

    sizes : number of agents of each crew
    """
    if sizes:
        crews = [quantities.crew(name, size) for name, size in sizes.items()]
        planned = " and ".join(part for part in (", ".join(crews[:-1]), crews[-1]) if part)
    elif scenario.agents == 1:
        planned = "at most 1 agent"
    else:
        planned = f"no limit on agents, up to {scenario.agents:,} busy"
    model = f", model {printable(scenario.model)}" if scenario.model else ""
    speed = "" if scenario.speed == 1 else f" at {quantities.factor(scenario.speed)}, a speed that nobody sells"
    return f"{planned}{model}{speed}"


def forecast_sentences(forecast: Forecast) -> Iterator[str]:
    """Yield sentences on cost, failures, largest drags, parts of the completion time, and how busy agents are."""
    yield _cost(forecast)
    accepted = forecast.result.accepted
    if accepted.chance < 1:
        yield f"Failed: {quantities.relative_error(1 - accepted.chance)} of the runs end with a failure."
    yield held_by(forecast.holders, forecast.result.seconds.p50)
    parts = _parts(forecast)
    if parts:
        yield f"Time goes to: {', '.join(parts)}."
    crews = [crew for crew in forecast.crews if crew.utilisation.mean >= LEAST_SHARE or crew.waiting.mean]
    busy = [_busy(crew) for crew in sorted(crews, key=lambda crew: -crew.utilisation.mean)]
    if busy:
        yield f"Busy (share of the time): {'; '.join(busy)}."


def time_sentence(forecast: Forecast) -> str:
    """Return the sentence with the percentiles of the completion time."""
    time = forecast.result.seconds
    if not time.standard_error and forecast.samples > 1:
        return f"Time: {quantities.seconds(time.p50)} in every run."
    p50, p90 = quantities.seconds(time.p50), quantities.seconds(time.p90)
    return f"Time: half of the runs take at most {p50} (p50), 90% at most {p90} (p90)."


def _cost(forecast: Forecast) -> str:
    usd = forecast.result.usd
    if usd is None:
        priceless = [name for note in forecast.notes if note.code == "no-price" for name in note.values["models"]]
        reason = f": no price for {', '.join(map(printable, priceless))}" if priceless else ""
        return f"Cost: unknown{reason}."
    p50, p90 = quantities.usd(usd.p50), quantities.usd(usd.p90)
    parts = "" if p50 == p90 else f" (p50), {p90} (p90)"
    if usd.people_and_machines:
        models, others = quantities.usd(usd.models), quantities.usd(usd.people_and_machines)
        parts += f"; on average {models} for models and {others} for people and machines"
    unpaid = any(note.code == "unpaid-people" for note in forecast.notes)
    return f"Cost: {p50}{parts}{'. People are not paid in this plan' if unpaid else ''}."


def _parts(forecast: Forecast) -> list[str]:
    """Return the parts of the critical path with at least `LEAST_SHARE` of its time, the largest first."""
    total = sum(forecast.breakdown.values())
    shares = {part: seconds / total for part, seconds in forecast.breakdown.items()} if total else {}
    large = sorted((part for part, share in shares.items() if share >= LEAST_SHARE), key=lambda part: -shares[part])
    slots = all(crew.name == LIMITED for crew in forecast.crews if crew.waiting.mean)
    phrases = {**_PARTS, "waiting": "waiting for slots"} if slots else _PARTS
    return [f"{phrases[part]} {quantities.percent(shares[part])}" for part in large]


def _busy(crew: Utilisation) -> str:
    """Return how busy a crew is: `8 engineers 39%, and the run waits 58min24s for a free one`."""
    name, _, queue = crew.name.partition(": ")
    if crew.name == LEAD:
        subject = "the lead"
    elif crew.name == LIMITED:
        subject = f"the {f'{crew.agents:,} slots' if crew.agents > 1 else 'slot'} of max_concurrency"
    else:
        subject = f"{queue}s of {printable(name)}" if queue else quantities.crew(name, crew.agents)
    waiting = f", and the run waits {quantities.seconds(crew.waiting.mean)} for a free one" if crew.waiting.mean else ""
    return f"{subject} {quantities.percent(crew.utilisation.mean)}{waiting}"


def speedup_phrase(forecast: Forecast) -> str:
    """Return a phrase with the speedup over the baseline, the efficiency, and the standard errors of both.

    The phrase names the crews of agents. It names another crew only if its size in the baseline differs from its size
    in the scenario. If there is no crew of agents and the scenario is the baseline, return an empty text.
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

    If the crew has one agent and the critical path never waits for it, return an empty text.
    """
    return quantities.seconds(crew.waiting.mean) if crew.agents > 1 or crew.waiting.mean else ""


def step_cost(step: StepResult, cost_known: bool) -> str:
    """Return the cost of a step as text.

    A dash means that the step runs on machines that are paid by the hour.
    The text is empty if the cost is unknown, or if the step has no requests and no cost.

    cost_known : whether the cost of the scenario is known
    """
    requests = step.tokens.input + step.tokens.cache_read + step.tokens.output > 0
    if step.usd is None:
        return "—" if cost_known and requests else ""
    return quantities.usd(step.usd) if requests or step.usd else ""


def drag_phrase(drag: Drag) -> str:
    """Return the drag of a step as text. Only digits that the standard error permits are shown.

    If the drag does not differ significantly from 0, the text is `about 0`.
    """
    if drag.seconds and not drag.significant:
        return "about 0"
    text = quantities.noisy(abs(drag.seconds), drag.standard_error)
    return f"-{text}" if drag.seconds < 0 else text


def share_error(error: float) -> str:
    """Return the standard error of a share as text, in percentage points."""
    return f"{100 * error:.2g}%"


def plus_minus(separator: str, text: str, error: float) -> str:
    """Return `separator`, then the sign `±`, then `text`. If the error is 0, return an empty text."""
    return f"{separator}± {text}" if error else ""
