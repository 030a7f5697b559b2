"""The typical sample of a forecast, simulated once more: what runs when, and its critical path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import Schedule, simulate
from planner.expansion.draw.demand import Layers
from planner.expansion.draw.demand_draws import Traces, tasks_at
from planner.expansion.graph.loops import Index, occurrences
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.measures.utilisation import gaps
from planner.timing.durations import SampleDemands, TaskTimes, task_times
from planner.timing.service import ServiceTimes, profiles
from planner.workflow.declaration import Workflow

SLOTS = 52
"""Equal parts of the completion time, of each of which it is said how many occurrences of a step run."""

STRETCHES = 200
"""Most stretches of a critical path that are kept."""


@dataclass(frozen=True)
class StepSpan:
    """When a step, or a mechanism of its crew, runs.

    start, end : seconds, of its first occurrence and its last
    most : how many run at once at most
    at_once : mean number that run, of each of `SLOTS`
    critical : share of each of `SLOTS` in which it is on the critical path
    """

    step: str
    kind: str
    start: float
    end: float
    most: int
    at_once: tuple[float, ...]
    critical: tuple[float, ...]


@dataclass(frozen=True)
class Stretch:
    """A part of the critical path: occurrences of one step in a row, or a wait for an agent.

    step, kind : of the step; for a wait that of what waits, and ``waiting``
    start, seconds : when it begins, and how long it takes
    occurrences : in a row
    """

    step: str
    kind: str
    start: float
    seconds: float
    occurrences: int


@dataclass(frozen=True)
class TypicalRun:
    """The sample whose completion time is nearest to the p50.

    sample : from 1
    rows : of the steps that take time in it
    waiting : share of each of `SLOTS` in which the critical path waits for an agent
    path : its first `STRETCHES`; `left_out` more follow
    """

    sample: int
    seconds: float
    rows: tuple[StepSpan, ...]
    waiting: tuple[float, ...]
    path: tuple[Stretch, ...]
    left_out: int


@dataclass(frozen=True, eq=False)
class Replay:
    """One sample simulated once more, with its start, its end and its critical path."""

    graph: TaskGraph
    served: Mapping[str, ServiceTimes]
    times: TaskTimes
    durations: Floats
    schedule: Schedule


def replay(workflow: Workflow, graph: TaskGraph, seed: int, sample: int, speed: float, multiplier: float,
           traces: Traces | None = None) -> Replay:  # fmt: skip
    """Simulate sample number `sample`, from 0, of a graph with its crews sized.

    multiplier : how many times its price at 1x each model costs
    traces : filled with what is drawn, if given
    """
    samples = sample_of(seed, sample)
    requests = graph.max_open_requests(graph.sizes)
    served = {
        name: ServiceTimes.of(profile.at(requests).priced(multiplier), samples)
        for name, profile in profiles(workflow, graph).items()
    }
    found = task_times(
        graph, served, SampleDemands(samples, Layers.of(workflow.uncertainty), traces=traces), speed, detailed=True
    )
    durations = found.durations(speed)
    schedule = simulate(
        graph.graph, durations, patience=found.patience, away=found.away, traced=True, recorded=True
    )  # fmt: skip
    return Replay(graph, served, found, durations, schedule)


def sample_of(seed: int, sample: int) -> Samples:
    """A single sample, numbered from 0."""
    return Samples(seed, sample, sample + 1)


def typical_run(retaken: Replay, sample: int, speed: float) -> TypicalRun:
    """What runs when in a sample, numbered from 0."""
    schedule = retaken.schedule
    seconds = float(schedule.makespan[0])
    edges = np.linspace(0.0, seconds, SLOTS + 1)
    keys = list(dict.fromkeys((mark.subject.step, mark.subject.kind) for mark in retaken.graph.works))
    runs = list(_runs(retaken, speed))
    found = {key: np.concatenate([run for work, run in runs if (work.step, work.kind) == key], axis=1) for key in keys}
    waits = [
        (float(schedule.starts[0, task]) - gap, gap, task) for task, gap in gaps(schedule, 0)
    ]  # fmt: skip
    path = list(_path(found, retaken, waits))
    waiting = np.array([(start, start + gap) for start, gap, _ in waits]).reshape(-1, 2).T
    rows = tuple(_row(*key, run, edges) for key, run in found.items() if run.shape[1])
    return TypicalRun(sample + 1, seconds, rows, _filled(waiting, edges), tuple(path[:STRETCHES]),
                   max(0, len(path) - STRETCHES))  # fmt: skip


def _runs(retaken: Replay, speed: float) -> Iterator[tuple[Work, Floats]]:
    """Of each occurrence, a work and (4, m) start, end, whether it is critical, and its task, where it takes time.

    What one task does one after the other, it does in the order of its loops.
    """
    schedule, marks = retaken.schedule, retaken.graph.works
    begins, ends = schedule.starts[0].copy(), schedule.ends[0]
    order = _order([mark.subject for mark in marks])
    pieces = [
        (order[mark.subject, index], mark.subject, tasks_at(mark.tasks, index), piece)
        for mark, totals in zip(marks, retaken.times.works, strict=True)
        for index, piece in zip(occurrences(mark.subject.loops), totals.pieces, strict=True)
    ]
    several = np.zeros(len(begins), np.intp)
    for _, _, tasks, _ in pieces:
        several[tasks] += 1
    for _, work, tasks, piece in sorted(pieces, key=lambda one: one[0]):
        lasting = np.broadcast_to(piece.fixed + piece.decode / speed, (len(tasks), 1))[:, 0]
        start = begins[tasks]
        end = np.where(several[tasks] > 1, np.minimum(start + lasting, ends[tasks]), ends[tasks])
        begins[tasks] = end
        some = end > start  # not where it never started
        critical = schedule.critical[0, tasks]
        yield work, np.stack([start, end, critical.astype(float), tasks.astype(float)])[:, some]


def _order(works: Sequence[Work]) -> dict[tuple[Work, Index], tuple[int, ...]]:
    """Keys by which occurrences come in the order in which one agent does them: round by round, works as they come."""
    first: dict[object, int] = {}
    for number, work in enumerate(works):
        for loop in work.loops:
            first.setdefault(loop, number)
    found = {}
    for number, work in enumerate(works):
        places = [first[loop] for loop in work.loops]
        for index in occurrences(work.loops):
            pairs = zip(places, index, strict=True)
            found[work, index] = (*(part for pair in pairs for part in pair), number)
    return found


def _row(step: str, kind: str, run: Floats, edges: Floats) -> StepSpan:
    starts, ends = run[0], run[1]
    critical = run[:2, run[2] > 0]
    # ends come before starts of the same instant
    moments = np.concatenate([ends, starts])
    changes = np.concatenate([np.full(len(ends), -1), np.ones(len(starts), int)])
    most = int(np.cumsum(changes[np.argsort(moments, kind="stable")]).max())
    return StepSpan(
        step, kind, float(starts.min()), float(ends.max()), most, _filled(run, edges), _filled(critical, edges)
    )


def _filled(spans: Floats, edges: Floats) -> tuple[float, ...]:
    """Mean number of (2, m) spans, rows of starts and of ends, between one edge and the next."""

    def since(times: Floats) -> Floats:
        """At each edge, seconds since each of the times that lie before it, summed."""
        ordered = np.sort(times)
        before = np.searchsorted(ordered, edges)
        return np.asarray(before * edges - np.concatenate([[0.0], np.cumsum(ordered)])[before])

    width = np.diff(edges)
    total = np.diff(since(spans[0]) - since(spans[1])) / np.where(width > 0, width, 1.0)
    return tuple(np.round(np.maximum(total, 0.0), 9).tolist())


def _path(
    found: Mapping[tuple[str, str], Floats], retaken: Replay, waits: Sequence[tuple[float, float, int]]
) -> Iterator[Stretch]:
    """The critical path in order, occurrences of one step in a row as one."""
    names: dict[int, str] = {}
    spans = []
    for (step, kind), run in found.items():
        names = dict.fromkeys(run[3].astype(int).tolist(), step) | names
        spans += [(start, end, step, kind) for start, end, critical, _ in run.T.tolist() if critical]
    spans += [(start, start + gap, names.get(task, ""), "waiting") for start, gap, task in waits]
    for (step, kind), group in groupby(sorted(spans), lambda span: span[2:]):
        row = list(group)
        yield Stretch(step, kind, row[0][0], sum(end - start for start, end, _, _ in row), len(row))
