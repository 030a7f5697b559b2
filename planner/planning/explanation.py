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
from planner.reading.pay import Pay
from planner.timing.cost import Billing, usd_of_step
from planner.timing.pipeline import ScheduledSamples
from planner.timing.service import ServiceTimes
from planner.workflow.bodies import ONCE
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True)
class ModelRates:
    """The times, speeds and prices of a model in one sample.

    place : where the profile of the model is declared
    ttft : time to the first token, in seconds
    prefill_speed, output_speed : tokens/s; None: not declared
    jitter : standard deviation of the logarithm of the random factor on each request's time
    price : US dollars per million tokens of each kind, or US dollars per hour; None: not declared
    declared : key of the profile → value as written
    factors : random factors on the output speed. A profile may declare one, and inherits those of the profiles on which
        it is based. Name of the declaring profile → pair: value in this sample, and estimate as written
    """

    model: str
    place: str
    ttft: float
    prefill_speed: float | None
    output_speed: float
    jitter: float
    price: Mapping[str, float] | None
    declared: Mapping[str, str]
    factors: Mapping[str, tuple[float, str]]


@dataclass(frozen=True)
class Term:
    """An estimate as declared in the workflow file.

    name : key of the estimate, such as `output`
    seconds : whether the estimate is a time in seconds
    """

    name: str
    estimate: Estimate
    seconds: bool


@dataclass(frozen=True)
class RequestDetail:
    """A model request, several concurrent tool calls, or a person's work.

    The time of a request is `jitter * (ttft + uncached / prefill_speed + output / (output_speed * speed))`. Here,
    `speed` is the scenario's factor on the output speed.

    prompt : tokens of the prompt
    uncached : tokens of the prompt that are not in the cache
    output : tokens of output
    jitter : random factor on the time of the request; 0 if there is no request
    seconds : time of the request
    tool : seconds of the tool calls, or of the person's work
    calls : number of tool calls
    result : tokens that the tool calls return
    thinking : output tokens that later requests do not read
    what : ``compaction`` for a request that shortens a long prompt; otherwise empty
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
    """A step, or one kind of coordination of the step's crew, in one sample.

    A step may be executed several times, for example once for each item.

    place : place in the workflow file where the step or the coordination is declared
    terms : declared estimates
    work : the step or the coordination, with its loops and conditions
    occurrence : name of the first execution, such as `item 1, round 2`
    size : factor on the estimates of the first execution, because of the size of its item
    error : factor on the estimates of the first execution, because of a random error
    made : requests of the first execution, in order
    times : number of executions
    seconds : total seconds of all executions
    critical : seconds of all executions that are on the critical path
    billed : total billed amounts of all executions
    pay : pay of the tool or the person; None: not declared
    usd : total cost of all executions in US dollars; None if unknown
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
    pay: Pay | None
    usd: float | None


@dataclass(frozen=True)
class CrewPay:
    """The pay of a crew in one sample.

    place : place in the workflow file where the crew is declared
    declared : declaration of the crew; its field `usd` is the declared pay
    usd : pay of all agents in US dollars
    """

    crew: str
    place: str
    declared: Crew
    usd: float


@dataclass(frozen=True)
class Explanation:
    """Details of the sample whose completion time is nearest to the median.

    sample : number of the sample, counted from 1
    breakdown : seconds of each part of the critical path
    models : times, speeds and prices of each model
    layers : ``{"overall": factor}``, with the random factor on the estimates of all steps; empty without such a factor
    crews : the crews that have several agents
    pay : pay of each paid crew
    """

    sample: int
    seconds: float
    usd: float | None
    breakdown: Mapping[str, float]
    models: tuple[ModelRates, ...]
    layers: Mapping[str, float]
    crews: Mapping[str, Crew]
    steps: tuple[Explained, ...]
    pay: tuple[CrewPay, ...]


def explain(workflow: Workflow, forecast: Forecast) -> Explanation:
    """Return details of the typical sample of a forecast, whose completion time is nearest to the median.

    forecast : a forecast of `workflow`
    """
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
        tuple(_rates(workflow, name, service) for name, service in run.service.items()),
        {"overall": float(shared[0, 0])} if shared is not None else {},
        {name: crew for name, crew in workflow.crews.items() if forecast.sizes[name] > 1}, steps,
        tuple(
            CrewPay(name, str(workflow.place("crews", name) or ""), graph.paid_crews[name], float(usd[0]))
            for name, usd in run.crew_usd.items()
        ),
    )  # fmt: skip


def _rates(workflow: Workflow, name: str, service: ServiceTimes) -> ModelRates:
    profile = service.profile
    declared = {"ttft": str(profile.ttft), "output_speed": str(profile.output_speed)}
    if profile.prefill_speed is not None:
        declared["prefill_speed"] = str(profile.prefill_speed)
    return ModelRates(
        name, _place_of_profile(workflow, name), float(service.ttft[0, 0]),
        1 / float(service.prefill[0, 0]) if profile.prefill_speed is not None else None,
        1 / float(service.decode[0, 0]), profile.jitter, _prices(profile.price), declared,
        {
            factor.profile: (float(drawn[0, 0]), str(factor.estimate))
            for factor, drawn in zip(profile.factors, service.factors, strict=True)
        },
    )  # fmt: skip


def _prices(price: Price | None) -> dict[str, float] | None:
    """Return prices in US dollars: per million tokens of each kind, or per hour. Return None if `price` is None."""
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
    """Return the place of a profile's declaration: a line of the workflow file, or ``the catalogue``.

    Return an empty text if the profile is declared in another file.
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
        None if isinstance(work.body, Rework) else work.pay,
        usd_of_step(row.billed, models) if priced else None,
    )  # fmt: skip


def _first_done(work: Work, traces: Traces) -> tuple[Index, Occurrence | None]:
    """Return the first executed occurrence of `work`, as a pair of its index and its data.

    Return `()` and None if `work` is not executed in the sample.
    """
    for (other, index), occurrence in traces.items():
        if other is work and occurrence.item is not None:
            return index, occurrence
    return (), None


def _value(values: Floats, item: int) -> float:
    """Return the value of an item.

    values : values of all items, (items, 1); or their common value, (1, 1)
    """
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
    """Return the place in the workflow file where the step of `work` is declared.

    If `work` is coordination, return the place where the crew declares this coordination.
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
