"""The answer of a forecast in words: what is planned, time, cost, holders, agents, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.engine.statistics import Z975
from planner.errors import printable
from planner.expansion.graph.task_graph import LEAD, LIMITED
from planner.measures.utilisation import Utilisation
from planner.planning.decisions.holders import NAMED, SMALL, Holder
from planner.planning.forecast_result import Forecast
from planner.planning.results import Scenario
from planner.report.wording import quantities
from planner.report.wording.advice import held_by

LEAST_SHARE = 0.01
"""Parts of the time below this share are left out."""

_COORDINATION = ("brief", "conflict", "merge", "ramp_up", "reading", "report", "rework", "stagger", "sync")
"""Kinds of steps that are coordination."""

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
        planned = "1 agent"
    else:
        planned = f"no limit on agents, up to {scenario.agents:,} busy"
    model = f", model {printable(scenario.model)}" if scenario.model else ""
    speed = "" if scenario.speed == 1 else f" at {quantities.factor(scenario.speed)}, a speed that nobody sells"
    return f"{planned}{model}{speed}"


def forecast_sentences(forecast: Forecast) -> Iterator[str]:
    """Yield sentences on the cost, failures, holders, the parts of the time, and how busy the agents are."""
    yield _cost(forecast)
    accepted = forecast.result.accepted
    if accepted.chance < 1:
        yield f"Failed: {quantities.relative_error(1 - accepted.chance)} of the runs end with a failure."
    yield held_by(_holders(forecast))
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


def _holders(forecast: Forecast) -> list[Holder]:
    """Return the steps and kinds of coordination with the largest drags, the largest first, at most `NAMED`.

    As in a comparison, drags are left out if they are not significant or at most `SMALL` of the mean completion time.
    """
    steps = [
        Holder("coordination" if step.kind in _COORDINATION else "step", step.step, step.kind, None, step.drag)
        for step in forecast.steps
        if step.drag.mean > max(SMALL * forecast.result.seconds.mean, Z975 * step.drag.standard_error)
    ]
    return sorted(steps, key=lambda holder: -holder.drag.mean)[:NAMED]


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
        subject = f"the {crew.agents:,} slots of max_concurrency"
    else:
        subject = f"{queue}s of {printable(name)}" if queue else quantities.crew(name, crew.agents)
    waiting = f", and the run waits {quantities.seconds(crew.waiting.mean)} for a free one" if crew.waiting.mean else ""
    return f"{subject} {quantities.percent(crew.utilisation.mean)}{waiting}"
