"""A task graph in, its drivers out: all random quantities that may influence its completion time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from planner.catalogue.profile import Profile
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    ConflictOccurs,
    Guard,
    Outcome,
    Round,
    StepFailed,
)
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Syncing, Work
from planner.reading.estimates.estimate import Estimate
from planner.reading.fields import Declared
from planner.sampling.draws import Stream, StreamValues

ERROR = "error"
"""Purpose of the draws of estimate errors. The path is that of a step, or empty for the error of all steps."""

_PURPOSES = {
    "compaction.output": "compaction",
    "retry.wait": "wait",
    "leaves.after": "after",
    "leaves.back": "back",
}
"""Purposes of the draws of some keys. For all other keys, the purpose is the key itself."""

CHANCE = "chance"
"""Kind of a driver that decides whether or how often something is done."""


@dataclass(frozen=True)
class Driver:
    """A random quantity that may influence the completion time.

    The error that all steps share is such a quantity. It has an empty `step` and an empty `kind`.

    step : path of a step, or name of a model
    kind : kind of the step, or ``model``, ``items`` or ``chance``
    key : key of an estimate, or the name of another quantity, such as ``jitter``, ``rounds`` or ``attempts``
    estimate : the estimate as written in the workflow file; empty if the quantity is not an estimate
    """

    step: str
    kind: str
    key: str
    estimate: str


@dataclass(frozen=True)
class RecordedDriver:
    """A random quantity that may influence the completion time, and the rule that converts its draws to values."""

    driver: Driver
    values: StreamValues

    @classmethod
    def of_estimate(cls, step: str, kind: str, key: str, estimate: Estimate) -> RecordedDriver:
        return cls(Driver(step, kind, key, str(estimate)), StreamValues(estimate))

    @classmethod
    def of_factor(cls, step: str, kind: str, key: str, sigma: float) -> RecordedDriver:
        """Return the driver of a random factor with a lognormal distribution.

        sigma : standard deviation of the logarithm of the factor
        """
        return cls(Driver(step, kind, key, ""), StreamValues(sigma=sigma))

    @classmethod
    def of_chance(cls, path: str, key: str, happens: tuple[float, float] | None = None) -> RecordedDriver:
        """Return the driver of a chance.

        happens : the event happens if a uniform draw is in this interval; None: no fixed interval decides the event
        """
        return cls(Driver(path, CHANCE, key, ""), StreamValues(happens=happens))


Drivers = dict[Stream, RecordedDriver]


def drivers(graph: TaskGraph, models: Mapping[str, Profile], layers: Layers) -> Drivers:
    """Return all random quantities of a task graph that may influence the completion time.

    The keys of the dict are the streams from which the quantities are drawn.
    """
    streams = _of_models(models)
    if layers.overall:
        streams["", ERROR] = RecordedDriver.of_factor("", "", "overall", layers.overall)
    for mark in graph.works:
        streams |= _of_work(mark.subject, models, layers)
    return streams


def _of_models(models: Mapping[str, Profile]) -> Drivers:
    streams = {}
    for name, profile in models.items():
        for key in ("ttft", "prefill_speed", "output_speed"):
            level = getattr(profile, key)
            if isinstance(level, Estimate) and level.varies:
                streams[f"models/{profile.root}", key] = RecordedDriver.of_estimate(name, "model", key, level)
        for factor in profile.factors:
            of = factor.profile
            streams[f"models/{of}", "speed"] = RecordedDriver.of_estimate(of, "model", "speed", factor.estimate)
    return streams


def _of_work(work: Work, models: Mapping[str, Profile], layers: Layers) -> Drivers:
    streams = {}
    path, has_range = f"{work.step}/{work.kind}", False
    for key, estimate in (*_estimates(work.body), *_estimates(work.retry, "retry.")):
        streams[path, _PURPOSES.get(key, key)] = RecordedDriver.of_estimate(work.step, work.kind, key, estimate)
        has_range = has_range or (not key.endswith(("turns", "calls")) and not key.startswith("retry."))
    if layers.per_step and has_range and work.kind != "human":
        streams[path, ERROR] = RecordedDriver.of_factor(work.step, work.kind, "per_step", layers.per_step)
    jitter = models[work.model].jitter if work.model is not None else 0.0
    if jitter:
        streams[path, "jitter"] = RecordedDriver.of_factor(work.step, work.kind, "jitter", jitter)
    guard = work.guard
    while guard is not None:
        streams |= _of_guard(guard)
        guard = guard.parent
    for loop in work.loops:
        if loop.size is not None and loop.size.varies:
            streams[loop.path, "size"] = RecordedDriver.of_estimate(loop.path, "items", "size", loop.size)
    return streams


def _of_guard(guard: Guard) -> Drivers:
    """Return the chances that decide whether a condition holds. Chances of its parent conditions are left out."""
    chance = RecordedDriver.of_chance
    path = guard.path if isinstance(guard, ChanceHolds | Round | Attempt | ConflictOccurs) else ""
    if isinstance(guard, ChanceHolds):
        several = path.endswith("/choice")  # one draw decides between all branches
        return {(path, "chance"): chance(path, "done", None if several else (guard.low, guard.high))}
    if isinstance(guard, Round):
        rounds = {(path, "accepted"): chance(path, "rounds", (guard.until, 1.0))}
        return rounds | _of_outcomes(guard.body)
    if isinstance(guard, Attempt):
        return {(path, "attempt"): chance(path, "attempts", (0.0, guard.chance))}
    if isinstance(guard, ConflictOccurs):
        return {(path, "conflict"): chance(path, "conflicts")}
    return _of_outcomes([guard.outcome]) if isinstance(guard, StepFailed) else {}


def _of_outcomes(outcomes: Iterable[Outcome]) -> Drivers:
    """Return the chances that decide whether steps, or the steps inside them, fail."""
    streams: Drivers = {}
    for outcome in outcomes:
        if outcome.success < 1:
            driver = RecordedDriver.of_chance(outcome.path, "failures", (outcome.success, 1.0))
            streams[outcome.path, "success"] = driver
        streams |= _of_outcomes(outcome.inner)
        if outcome.attempt is not None:
            streams |= _of_guard(outcome.attempt)
    return streams


def _estimates(body: object, prefix: str = "") -> Iterator[tuple[str, Estimate]]:
    """Yield each random estimate in the declaration of a step's work, with its key.

    prefix : text at the start of each key, such as `retry.`
    """
    if isinstance(body, Syncing) and body.output.varies:
        yield "output", body.output
    if not isinstance(body, Declared):
        return
    for name in type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, Estimate) and value.varies:
            yield prefix + name, value
        elif isinstance(value, Declared):
            yield from _estimates(value, f"{prefix}{name}.")
