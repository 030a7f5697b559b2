"""Explain one sample of a forecast: show its numbers, down to single requests, and the declarations they come from."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from planner.catalogue.profile import Price
from planner.engine.arrays import Floats
from planner.expansion.draw.demand import Layers, RequestDraw
from planner.expansion.draw.demand_draws import Traces
from planner.expansion.draw.occurrence import Occurrence
from planner.expansion.expand import expand
from planner.expansion.graph.conditions import EVERY, Index
from planner.expansion.graph.work import Rework, Syncing, Work
from planner.measures.critical_path import Detail, WorkDetail
from planner.measures.typical_run import replay, single_sample
from planner.planning.forecast_result import Forecast
from planner.reading.estimates.estimate import Estimate
from planner.reading.fields import Declared
from planner.timing.cost import Billing, usd_of_step
from planner.timing.pipeline import ScheduledSamples
from planner.timing.service import ServiceTimes
from planner.workflow.bodies import ONCE
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True)
class Level:
    """The times and prices of a model, as drawn for the sample.

    place : where the profile is declared
    ttft : time to the first token, in seconds
    prefill_speed, output_speed : tokens/s; None: not declared
    jitter : spread of the factor on the time of each request
    price : US dollars per million tokens for each kind of token, or US dollars per hour; None: not declared
    declared : estimates of the profile as written in the file, by key
    """

    model: str
    place: str
    ttft: float
    prefill_speed: float | None
    output_speed: float
    jitter: float
    price: Mapping[str, float] | None
    declared: Mapping[str, str]


@dataclass(frozen=True)
class Term:
    """An estimate as declared.

    name : key of the estimate
    seconds : whether the estimate is a time
    """

    name: str
    estimate: Estimate
    seconds: bool


@dataclass(frozen=True)
class RequestDetail:
    """A request, or a batch of tool calls, or the work of a person.

    prompt : tokens of the prompt
    uncached : tokens of the prompt that are not in the cache
    output : tokens of output
    jitter : factor on the time of the request; 0 if there is no request
    seconds : time of the request: jitter · (TTFT + uncached / prefill speed + output / (output speed · speed))
    tool : seconds of tools or of a person
    calls : number of tool calls
    result : tokens of the results of tool calls
    thinking : tokens of `output` that later requests do not read
    what : ``compaction`` if the request is a compaction; otherwise an empty text
    """

    prompt: float
    uncached: float
    output: float
    jitter: float
    seconds: float
    tool: float
    calls: float
    result: float
    thinking: float
    what: str


@dataclass(frozen=True)
class Explained:
    """A step in the sample, or a coordination mechanism of the step's crew.

    place : where the step or mechanism is declared
    terms : estimates of the step or mechanism
    work : work of the step or mechanism, with loops and conditions
    occurrence : name of the first occurrence that is done
    size : factor by which the size of the item changes the estimates of the first occurrence
    error : factor by which the drawn error changes the estimates of the first occurrence
    made : requests of the first occurrence, in order
    times : number of occurrences that are done
    seconds : seconds of all occurrences together
    critical : seconds of all occurrences on the critical path
    billed : billed amounts of all occurrences together; each amount is a number, not an array
    call_price : US dollars per tool call
    usd : cost of all occurrences together; None if unknown
    """

    step: str
    kind: str
    model: str | None
    place: str
    terms: tuple[Term, ...]
    work: Work
    occurrence: str
    size: float
    error: float
    made: tuple[RequestDetail, ...]
    times: float
    seconds: float
    critical: float
    billed: Billing
    call_price: float | None
    usd: float | None


@dataclass(frozen=True)
class Explanation:
    """The sample whose completion time is nearest to the p50.

    sample : number of the sample, from 1
    breakdown : seconds of each part of the critical path
    layers : under the key ``overall``, the drawn error factor that the estimates of all steps share; empty if there is
        no such factor
    crews : the crews that have several agents
    """

    sample: int
    seconds: float
    usd: float | None
    breakdown: Mapping[str, float]
    levels: tuple[Level, ...]
    layers: Mapping[str, float]
    crews: Mapping[str, Crew]
    steps: tuple[Explained, ...]


def explain(workflow: Workflow, forecast: Forecast) -> Explanation:
    """Explain the typical sample of a forecast. `forecast` must be a forecast of `workflow`."""
    number, result = forecast.typical.sample - 1, forecast.result
    graph = expand(workflow, forecast.sizes)
    traces: Traces = {}
    run = replay(workflow, graph, forecast.seed, number, result.scenario.speed, result.price_multiplier, traces)
    detail = Detail(graph.works, {name: service.profile for name, service in run.service.items()})
    detail.add(run)
    cost = run.cost()
    works = {(mark.subject.step, mark.subject.kind): mark.subject for mark in reversed(graph.works)}
    steps = tuple(
        _explained(workflow, works[row.step, row.kind], row, traces, run, result.usd is not None)
        for row in detail.works
    )
    layers = Layers.of(workflow.uncertainty)
    shared = layers.error(single_sample(forecast.seed, number), "") if layers.overall else None
    return Explanation(
        number + 1, float(run.seconds[0]), None if cost is None else float(cost.at(1.0)[0]),
        {part: seconds.mean for part, seconds in detail.breakdown().items()},
        tuple(_level(workflow, name, service) for name, service in run.service.items()),
        {"overall": float(shared[0, 0])} if shared is not None else {},
        {name: crew for name, crew in workflow.crews.items() if forecast.sizes[name] > 1}, steps,
    )  # fmt: skip


def _level(workflow: Workflow, name: str, service: ServiceTimes) -> Level:
    profile = service.profile
    declared = {"ttft": str(profile.ttft), "output_speed": str(profile.output_speed)}
    if profile.prefill_speed is not None:
        declared["prefill_speed"] = str(profile.prefill_speed)
    return Level(
        name, _place_of_profile(workflow, name), float(service.ttft[0, 0]),
        1 / float(service.prefill[0, 0]) if profile.prefill_speed is not None else None,
        1 / float(service.decode[0, 0]), profile.jitter, _prices(profile.price), declared,
    )  # fmt: skip


def _prices(price: Price | None) -> dict[str, float] | None:
    """Return the price of a million tokens of each kind, or the price per hour, in US dollars."""
    if price is None:
        return None
    if price.per_hour is not None:
        return {"per hour": float(price.per_hour)}
    million = 1e6
    return {
        "input": price.usd(million, 0.0, 0.0, 0.0),
        "cache_write": price.usd(0.0, million, 0.0, 0.0),
        "cache_read": price.usd(0.0, 0.0, million, 0.0),
        "output": price.usd(0.0, 0.0, 0.0, million),
    }


def _place_of_profile(workflow: Workflow, name: str) -> str:
    """Return the place where a profile is declared: a line of the workflow file, or ``the catalogue``.

    Return an empty text if another file declares the profile, because the line in that file is unknown.
    """
    models = workflow.models
    if isinstance(models, ChainMap) and name not in models.maps[0]:
        return "the catalogue"
    place = workflow.place("models", name)
    return "" if place is None or place == workflow.place("models") else str(place)


def _explained(
    workflow: Workflow, work: Work, row: WorkDetail, traces: Traces, run: ScheduledSamples, priced: bool
) -> Explained:
    service = run.service[work.model] if work.model else None
    index, first = _first_done(work, traces)
    item = first.item if first is not None and first.item is not None else 0
    requests = (first.trace or []) if first is not None else []
    terms = (*_terms(work.body), *_terms(work.retry, "retry."))
    scaled = first is not None and work.kind != "human"
    size = _factor(first.inputs.size if first is not None and scaled else None, item)
    has_error = scaled and any(term.estimate.varies for term in terms)
    error = _factor(first.error if first is not None and has_error else None, item)
    models = {name: each.profile for name, each in run.service.items()}
    return Explained(
        work.step, work.kind, work.model, _place(workflow, work), terms, work,
        _occurrence_name(work, index, item), size, error,
        tuple(_request(draw, service, run.speed, item) for draw in requests if _value(draw.active, item)),
        row.done.mean().mean, row.seconds.mean().mean, row.critical.mean().mean,
        sum(row.billed.values(), Billing.zeros()),
        None if work.usd is None or isinstance(work.body, Rework) else float(work.usd),
        usd_of_step(row.billed, models) if priced else None,
    )  # fmt: skip


def _first_done(work: Work, traces: Traces) -> tuple[Index, Occurrence | None]:
    """Return the index of the first occurrence of `work` that is done, and this occurrence.

    Return `()` and None if no occurrence is done.
    """
    for (other, index), occurrence in traces.items():
        if other is work and occurrence.item is not None:
            return index, occurrence
    return (), None


def _value(values: Floats, item: int) -> float:
    """Return the value of an item from an array with a single sample."""
    return float(values[item if len(values) > 1 else 0, 0])


def _factor(values: Floats | None, item: int) -> float:
    return 1.0 if values is None else _value(values, item)


def _request(draw: RequestDraw, service: ServiceTimes | None, speed: float, item: int) -> RequestDetail:
    prompt, uncached, output, jitter, seconds, calls, result, thinking = (
        _value(values, item)
        for values in (
            draw.prompt, draw.uncached, draw.output, draw.jitter, draw.seconds, draw.calls, draw.result,
            draw.thinking,
        )
    )  # fmt: skip
    duration = 0.0
    if service is not None and jitter:
        duration = jitter * float((service.ttft + uncached * service.prefill + output * service.decode / speed)[0, 0])
    return RequestDetail(prompt, uncached, output, jitter, duration, seconds, calls, result, thinking, draw.kind)


def _occurrence_name(work: Work, index: Index, item: int) -> str:
    """Return the name of an occurrence, such as `item 1, round 2`."""
    names = {"items": "item", "rounds": "round", "copies": "copy"}
    attempts = len(work.loops) - (work.retry is not None)
    parts = [
        f"{names[loop.kind] if depth < attempts else 'attempt'} {item + 1 if number == EVERY else number + 1}"
        for depth, (loop, number) in enumerate(zip(work.loops, index, strict=False))
    ]
    return ", ".join(parts)


def _terms(body: object, prefix: str = "") -> Iterator[Term]:
    if isinstance(body, Syncing):
        yield Term("output", body.output, False)
    if not isinstance(body, Declared):
        return
    for name in type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, Estimate) and (value.scale or value.varies) and value is not ONCE:
            yield Term(prefix + name, value, name in ("time", "after", "back", "wait"))
        elif isinstance(value, Declared):
            yield from _terms(value, f"{prefix}{name}.")


def _place(workflow: Workflow, work: Work) -> str:
    """Return the place where the workflow file declares the step of `work`.

    If `work` is coordination, return the place of the mechanism in the declaration of the crew.
    """
    names, path = work.step.split("."), []
    steps: Mapping[str, Step] = workflow.steps
    key, crew = "steps", None
    for name in names:
        path += [key, name]
        step = steps[name]
        crew = step.crew or crew
        if step.used is not None:
            break  # the rest is declared in another file
        key, steps = ("choose", step.choose) if step.choose is not None else ("steps", step.steps or {})
    if work.coordination and crew is not None:
        mechanism = {"reading": "report", "rework": "conflict"}.get(work.kind, work.kind)
        path = ["crews", crew, "coordination", mechanism]
    return str(workflow.place(*path) or "")
