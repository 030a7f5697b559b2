"""One sample of a forecast taken apart: every number down to the request, and what it was declared as."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from planner.engine.arrays import Floats
from planner.expansion.draw.demand import Layers, RequestDraw
from planner.expansion.draw.demand_draws import Traces
from planner.expansion.expand import expand
from planner.expansion.graph.loops import EVERY, Index
from planner.expansion.graph.work import Rework, Syncing, Work
from planner.measures.critical_path import Detail, WorkDetail
from planner.measures.typical_run import replay, sample_of
from planner.planning.forecast_result import Forecast
from planner.reading.estimates.estimate import Estimate
from planner.reading.validation import Declared
from planner.timing.cost import bill_cancelled, usd, usd_of_step
from planner.timing.service import ServiceTimes
from planner.workflow.bodies import ONCE
from planner.workflow.crews import Crew
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True)
class Level:
    """A profile as it is in the sample. Seconds, tokens/s, USD per million tokens or per hour; None: not declared."""

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
    """A quantity as declared. seconds: it is a time."""

    name: str
    estimate: Estimate
    seconds: bool


@dataclass(frozen=True)
class RequestDetail:
    """A request; or a go of a tool or a person: `tool` seconds, how many calls it makes, and tokens of their results.

    prompt, uncached, output : tokens that it reads, those that no cache holds, and those that it puts out
    thinking : those of its output that are not read again
    what : ``compaction``, or nothing to say
    seconds : jitter · (TTFT + uncached / prefill speed + output / (output speed · speed))
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
    """A step, or a mechanism of its crew, in the sample.

    terms : what it draws from, as declared
    work : what is done, under which conditions
    occurrence : which one of it `made` tells of
    size, error : factors on what that one draws: the size of its item, and how far the estimates are off
    made : in order
    times : how often it is done
    seconds, critical : of all of it, and on the critical path
    tokens : input, written to a cache, read from one, output; and calls of tools
    call_price : US dollars of a call
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
    tokens: tuple[float, ...]
    call_price: float | None
    usd: float | None


@dataclass(frozen=True)
class Explanation:
    """The sample whose completion time is nearest to the p50.

    breakdown : of its critical path, seconds
    crews : those of several agents
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
    """Take the typical sample of a forecast of this workflow apart."""
    number, speed = forecast.typical.sample - 1, forecast.result.scenario.speed
    graph = expand(workflow, forecast.sizes)
    traces: Traces = {}
    taken = replay(workflow, graph, forecast.seed, number, speed, forecast.result.price_multiplier, traces)
    found, schedule, served = taken.times, taken.schedule, taken.served
    detail = Detail(graph.works, {name: one.profile for name, one in served.items()})
    only = slice(0, 1)
    paid = bill_cancelled(found, only, taken.durations, schedule)
    detail.add(found, speed, schedule, only, taken.durations, paid)
    cost = usd([mark.subject for mark in graph.works], paid, served, schedule.makespan)
    works = {(mark.subject.step, mark.subject.kind): mark.subject for mark in reversed(graph.works)}
    steps = tuple(
        _explained(workflow, works[row.step, row.kind], row, traces, served, speed, forecast.result.usd is not None)
        for row in detail.works
    )
    layers = Layers.of(workflow.uncertainty)
    shared = layers.error(sample_of(forecast.seed, number), "") if layers.overall else None
    return Explanation(
        number + 1, float(schedule.makespan[0]), None if cost is None else float(cost[:, 0].sum()),
        {part: seconds.mean for part, seconds in detail.breakdown().items()},
        tuple(_level(workflow, name, by) for name, by in served.items()),
        {"overall": float(shared[0, 0])} if shared is not None else {},
        {name: crew for name, crew in workflow.crews.items() if forecast.sizes[name] > 1}, steps,
    )  # fmt: skip


def _level(workflow: Workflow, name: str, by: ServiceTimes) -> Level:
    profile = by.profile
    price = profile.price
    declared = {"ttft": str(profile.ttft), "output_speed": str(profile.output_speed)}
    if profile.prefill_speed is not None:
        declared["prefill_speed"] = str(profile.prefill_speed)
    prices = None if price is None else {"per hour": float(price.per_hour)} if price.per_hour is not None else {
        key: float(price.usd(*(1e6 * (at == column) for at in range(4))))
        for column, key in enumerate(("input", "cache_write", "cache_read", "output"))
    }  # fmt: skip
    return Level(
        name, _place_of_profile(workflow, name), float(by.ttft[0, 0]),
        1 / float(by.prefill[0, 0]) if profile.prefill_speed is not None else None,
        1 / float(by.decode[0, 0]), profile.jitter, prices, declared,
    )  # fmt: skip


def _place_of_profile(workflow: Workflow, name: str) -> str:
    """Where a profile is declared: in the file, in the catalogue; nothing of a file that the workflow uses."""
    models = workflow.models
    if isinstance(models, ChainMap) and name not in models.maps[0]:
        return "the catalogue"
    place = workflow.place("models", name)
    return "" if place is None or place == workflow.place("models") else str(place)


def _explained(
    workflow: Workflow, work: Work, row: WorkDetail, traces: Traces,
    served: Mapping[str, ServiceTimes], speed: float, priced: bool,
) -> Explained:  # fmt: skip
    by = served[work.model] if work.model else None
    index, first = next(
        ((index, one) for (other, index), one in traces.items() if other is work and one.item is not None), ((), None)
    )  # fmt: skip
    item = first.item if first is not None and first.item is not None else 0
    made = (first.trace or []) if first is not None else []
    terms = (*_terms(work.body), *_terms(work.retry, "retry."))
    scaled = first is not None and work.kind != "human"
    size = _factor(first.inputs.size if first is not None and scaled else None, item)
    off = scaled and any(term.estimate.varies for term in terms)
    error = _factor(first.error if first is not None and off else None, item)
    tokens = sum((amounts for amounts in row.billed.values()), np.zeros(5))
    cost = usd_of_step(row.billed, {name: one.profile for name, one in served.items()}) if priced else None
    return Explained(
        work.step, work.kind, work.model, _place(workflow, work), terms, work,
        _occurrence(work, index, item), size, error,
        tuple(_made(one, by, speed, item) for one in made if _of(one.active, item)), row.done.mean().mean,
        row.seconds.mean().mean, row.critical.mean().mean, tuple(tokens.tolist()),
        None if work.usd is None or isinstance(work.body, Rework) else float(work.usd), cost,
    )  # fmt: skip


def _of(values: Floats, item: int) -> float:
    """Of an item, in the one sample that there is."""
    return float(values[item if len(values) > 1 else 0, 0])


def _factor(values: Floats | None, item: int) -> float:
    return 1.0 if values is None else _of(values, item)


def _made(asked: RequestDraw, by: ServiceTimes | None, speed: float, item: int) -> RequestDetail:
    prompt, uncached, output, jitter, seconds, calls, result, thinking = (
        _of(values, item)
        for values in (
            asked.prompt, asked.uncached, asked.output, asked.jitter, asked.seconds, asked.calls, asked.result,
            asked.thinking,
        )
    )  # fmt: skip
    lasts = 0.0
    if by is not None and jitter:
        lasts = jitter * float((by.ttft + uncached * by.prefill + output * by.decode / speed)[0, 0])
    return RequestDetail(prompt, uncached, output, jitter, lasts, seconds, calls, result, thinking, asked.kind)


def _occurrence(work: Work, index: Index, item: int) -> str:
    """`item 1, round 2`."""
    names = {"items": "item", "rounds": "round", "copies": "copy"}
    end = len(work.loops) - (work.retry is not None)
    found = [
        f"{names[loop.kind] if at < end else 'attempt'} {item + 1 if number == EVERY else number + 1}"
        for at, (loop, number) in enumerate(zip(work.loops, index, strict=False))
    ]
    return ", ".join(found)


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
    """Where the step, or the mechanism of its crew, is declared."""
    names, path = work.step.split("."), []
    steps: Mapping[str, Step] = workflow.steps
    key, crew = "steps", None
    for name in names:
        path += [key, name]
        step = steps[name]
        crew = step.crew or crew
        if step.used is not None:
            break  # the rest stands in the other file
        key, steps = ("choose", step.choose) if step.choose is not None else ("steps", step.steps or {})
    if work.coordination and crew is not None:
        mechanism = {"reading": "report", "rework": "conflict"}.get(work.kind, work.kind)
        path = ["crews", crew, "coordination", mechanism]
    return str(workflow.place(*path) or "")
