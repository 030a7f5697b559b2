"""What was drawn for each estimate in each sample, noted while it is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from planner.catalogue.profile import Profile
from planner.engine.arrays import Floats
from planner.engine.draws import Cells, Occurrence, Samples
from planner.expansion.draw.demand import Layers
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    ConflictOccurs,
    Round,
)
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Syncing
from planner.reading.estimates.estimate import Estimate
from planner.reading.validation import Declared

Stream = tuple[str, str]
"""Path and purpose of draws."""

ERROR = "error"
"""Purpose of the draws of the layers, with the path of a step, or none for the layer of all."""

_PURPOSES = {
    "compaction.output": "compaction",
    "retry.wait": "wait",
    "leaves.after": "after",
    "leaves.back": "back",
}
"""Keys whose draws have another purpose than their name."""

CHANCE = "chance"
"""Kind of a driver that decides what is done."""

_CHANCES = (
    (ChanceHolds, "chance", "done"),
    (Round, "accepted", "rounds"),
    (Attempt, "attempt", "attempts"),
    (ConflictOccurs, "conflict", "conflicts"),
)
"""Conditions, the purpose of their draws, and what these decide."""

_SAMPLE = np.uint64((1 << 32) - 1)


@dataclass(frozen=True)
class Driver:
    """Something that is drawn.

    step, kind : as in a forecast; of a model its name and ``model``, of items ``items``, of what a chance decides
        ``chance``; both empty for the layer of all steps
    key : of the estimate; or ``per_step``, ``overall``, ``jitter``, ``done``, ``rounds``, ``attempts``, ``conflicts``
    estimate : as it is written; empty where it is none
    """

    step: str
    kind: str
    key: str
    estimate: str


@dataclass(frozen=True)
class RecordingSamples(Samples):
    """Samples that add up what is drawn.

    The draws themselves are those of `Samples`, to the bit.
    """

    def note(self, stream: Stream, estimate: Estimate | None, sigma: float) -> None:
        """Keep the draws of a stream, as an estimate or a lognormal factor of this log-sd makes them."""
        self._wanted[stream] = (estimate, sigma)

    def normal(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        z = super().normal(cells, path, purpose, occurrence)
        estimate, sigma = self._wanted.get((path, purpose), (None, 0.0))
        spread = sigma if estimate is None else min(estimate.sigma, 20.0)
        return self._add(cells, (path, purpose), z, np.exp(spread * z) if spread else z)

    def exponential(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        values = super().exponential(cells, path, purpose, occurrence)
        return self._add(cells, (path, purpose), values, values)

    def uniform(self, cells: int | Cells, path: str, purpose: str, occurrence: Occurrence = ()) -> Floats:
        u = super().uniform(cells, path, purpose, occurrence)
        estimate, _ = self._wanted.get((path, purpose), (None, 0.0))
        values = u
        if estimate is not None and estimate.shape == "empirical":
            values = np.array(estimate.points)[(u * len(estimate.points)).astype(int)]
        return self._add(cells, (path, purpose), u, values)

    def means(self) -> dict[Stream, Floats]:
        """(S,) of each stream, the mean of what was drawn in a sample; 0 where nothing was."""
        return {stream: sums / np.maximum(counts, 1) for stream, (sums, counts) in self._sums.items()}

    def _add(self, cells: int | Cells, stream: Stream, drawn: Floats, values: Floats) -> Floats:
        sums, counts = self._sums.setdefault(stream, (np.zeros(len(self)), np.zeros(len(self))))
        if isinstance(cells, int):
            sums += values.sum(0)
            counts += len(values)
        else:
            at = (cells.reshape(-1) & _SAMPLE).astype(np.int64) - self.low
            sums += np.bincount(at, values.reshape(-1), len(self))
            counts += np.bincount(at, minlength=len(self))
        return drawn

    @cached_property
    def _wanted(self) -> dict[Stream, tuple[Estimate | None, float]]:
        return {}

    @cached_property
    def _sums(self) -> dict[Stream, tuple[Floats, Floats]]:
        return {}


Wanted = dict[Stream, tuple[Driver, Estimate | None, float]]
"""Of each stream: what it is, the estimate that is drawn, or the log-sd of the factor."""


def drivers(graph: TaskGraph, models: Mapping[str, Profile], layers: Layers) -> Wanted:
    """All that varies in a graph."""
    found: Wanted = {}
    for name, profile in models.items():
        for key in ("ttft", "prefill_speed", "output_speed"):
            level = getattr(profile, key)
            if isinstance(level, Estimate) and level.varies:
                found[f"models/{profile.root}", key] = Driver(name, "model", key, str(level)), level, 0.0
    if layers.overall:
        found["", ERROR] = Driver("", "", "overall", ""), None, layers.overall
    for mark in graph.works:
        work = mark.subject
        path, ranges = f"{work.step}/{work.kind}", False
        for key, estimate in (*_estimates(work.body), *_estimates(work.retry, "retry.")):
            found[path, _PURPOSES.get(key, key)] = Driver(work.step, work.kind, key, str(estimate)), estimate, 0.0
            ranges = ranges or (not key.endswith(("turns", "calls")) and not key.startswith("retry."))
        if layers.per_step and ranges and work.kind != "human":
            found[path, ERROR] = Driver(work.step, work.kind, "per_step", ""), None, layers.per_step
        jitter = models[work.model].jitter if work.model is not None else 0.0
        if jitter:
            found[path, "jitter"] = Driver(work.step, work.kind, "jitter", ""), None, jitter
        guard = work.guard
        while guard is not None:
            for kind, purpose, key in _CHANCES:
                if isinstance(guard, kind):
                    found[guard.path, purpose] = Driver(guard.path, CHANCE, key, ""), None, 0.0
            guard = guard.parent
        for loop in work.loops:
            if loop.size is not None and loop.size.varies:
                found[loop.path, "size"] = Driver(loop.path, "items", "size", str(loop.size)), loop.size, 0.0
    return found


def _estimates(body: object, prefix: str = "") -> Iterator[tuple[str, Estimate]]:
    """Keys and estimates that vary."""
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
