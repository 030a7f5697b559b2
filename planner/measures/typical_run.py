"""One sample, simulated again to show when each step runs, and the critical path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from planner.engine.arrays import Bools, Floats
from planner.engine.draws import Samples
from planner.expansion.draw.demand_draws import Traces, tasks_at
from planner.expansion.graph.conditions import Index, occurrences
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.measures.utilisation import gaps
from planner.timing.durations import SampleDemands
from planner.timing.pipeline import Pipeline, ScheduledSamples
from planner.workflow.declaration import Workflow

SLOTS = 52
"""Number of equal slots that the completion time is divided into. Running occurrences are counted in each slot."""

STRETCHES = 200
"""Most stretches of a critical path that a `TypicalRun` lists."""


@dataclass(frozen=True)
class StepSpan:
    """The times at which a step runs. Each coordination mechanism of the step's crew has its own `StepSpan`.

    The completion time is divided into `SLOTS` equal slots.

    start, end : first start and last end of the step's occurrences, in seconds
    most : largest number of occurrences that run concurrently
    at_once : for each slot, the mean number of occurrences that run
    critical : for each slot, the share of the slot in which the step is on the critical path
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
    """A part of the critical path: consecutive occurrences of one step, or consecutive waits for an agent.

    step : path of the step that runs or waits
    kind : kind of the step; for waits, ``waiting``
    start : start of this part, in seconds
    seconds : duration of this part
    occurrences : number of occurrences or waits
    """

    step: str
    kind: str
    start: float
    seconds: float
    occurrences: int


@dataclass(frozen=True)
class TypicalRun:
    """Details of the sample whose completion time is nearest to the p50.

    sample : number of the sample, from 1
    seconds : completion time
    rows : a `StepSpan` for each step that takes time in the sample
    waiting : the completion time is divided into `SLOTS` equal slots of time. For each slot, the share of the slot in
        which the critical path waits for an agent
    path : the first parts of the critical path, in order: at most `STRETCHES`. A part is a step that runs, or a wait
    left_out : number of parts of the critical path that are not in `path`
    """

    sample: int
    seconds: float
    rows: tuple[StepSpan, ...]
    waiting: tuple[float, ...]
    path: tuple[Stretch, ...]
    left_out: int


def replay(workflow: Workflow, graph: TaskGraph, seed: int, sample: int, speed: float, multiplier: float,
           traces: Traces | None = None) -> ScheduledSamples:  # fmt: skip
    """Simulate one sample of a forecast again, and keep all details.

    graph : the workflow's task graph, with the scenario's numbers of agents
    sample : number of the sample, from 0
    speed : factor on all output speeds
    multiplier : factor on the prices of all models
    traces : mapping that receives the draws of each occurrence; None: draws are not stored
    """
    pipeline = Pipeline.of(workflow, graph, price_multiplier=multiplier)
    draws = SampleDemands(single_sample(seed, sample), pipeline.layers, traces=traces)
    return pipeline.complete(draws, speed, detailed=True).at(speed).schedule(traced=True, recorded=True)


def single_sample(seed: int, sample: int) -> Samples:
    """Return a `Samples` that contains a single sample.

    sample : number of the sample, from 0
    """
    return Samples(seed, sample, sample + 1)


@dataclass(frozen=True, eq=False)
class _Spans:
    """The times of m occurrences, as arrays (m,).

    starts, ends : start and end of each occurrence, in seconds
    critical : whether each occurrence is on the critical path
    tasks : number of the task of each occurrence
    """

    starts: Floats
    ends: Floats
    critical: Bools
    tasks: NDArray[np.int32]

    @classmethod
    def joined(cls, spans: Sequence[_Spans]) -> _Spans:
        return cls(
            np.concatenate([each.starts for each in spans]), np.concatenate([each.ends for each in spans]),
            np.concatenate([each.critical for each in spans]), np.concatenate([each.tasks for each in spans]),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.starts)

    def where(self, chosen: Bools) -> _Spans:
        return _Spans(self.starts[chosen], self.ends[chosen], self.critical[chosen], self.tasks[chosen])


StepKey = tuple[str, str]
"""Path of a step, and the kind of the step or a coordination mechanism of the step's crew."""


def typical_run(run: ScheduledSamples, sample: int) -> TypicalRun:
    """Return the details of one sample: when each step runs, and the critical path.

    run : the result of `replay`
    sample : number of the sample, from 0
    """
    schedule = run.schedule
    seconds = float(run.seconds[0])
    edges = np.linspace(0.0, seconds, SLOTS + 1)
    keys = list(dict.fromkeys((mark.subject.step, mark.subject.kind) for mark in run.graph.works))
    spans_of_works = list(_occurrence_spans(run))
    steps = {
        key: _Spans.joined([spans for work, spans in spans_of_works if (work.step, work.kind) == key]) for key in keys
    }
    waits = [(float(schedule.starts[0, task]) - gap, gap, task) for task, gap in gaps(schedule, 0)]
    path = list(_path(steps, waits))
    waiting = np.array([(start, start + gap) for start, gap, _ in waits]).reshape(-1, 2).T
    rows = tuple(_step_span(*key, spans, edges) for key, spans in steps.items() if len(spans))
    return TypicalRun(sample + 1, seconds, rows, _running(waiting[0], waiting[1], edges), tuple(path[:STRETCHES]),
                      max(0, len(path) - STRETCHES))  # fmt: skip


def _occurrence_spans(run: ScheduledSamples) -> Iterator[tuple[Work, _Spans]]:
    """Yield each occurrence of each piece of work, as a pair of the work and the spans of its items.

    Items that take no time have no span.

    If a task has several pieces of work, they run one after another, in the order of `_work_order`.
    """
    schedule, marks = run.schedule, run.graph.works
    begins, ends = schedule.starts[0].copy(), schedule.ends[0]
    order = _work_order([mark.subject for mark in marks])
    timed = [
        (order[mark.subject, index], mark.subject, tasks_at(mark.tasks, index), occurrence)
        for mark, totals in zip(marks, run.times.works, strict=True)
        for index, occurrence in zip(occurrences(mark.subject.loops), totals.occurrences, strict=True)
    ]
    works_in_task = np.zeros(len(begins), np.intp)
    for _, _, tasks, _ in timed:
        works_in_task[tasks] += 1
    for _, work, tasks, occurrence in sorted(timed, key=lambda item: item[0]):
        seconds = np.broadcast_to(occurrence.seconds(run.speed), (len(tasks), 1))[:, 0]
        starts = begins[tasks]
        stops = np.where(works_in_task[tasks] > 1, np.minimum(starts + seconds, ends[tasks]), ends[tasks])
        begins[tasks] = stops
        spans = _Spans(starts, stops, schedule.critical[0, tasks] > 0, tasks)
        yield work, spans.where(stops > starts)  # tasks that never started have no span


def _work_order(works: Sequence[Work]) -> dict[tuple[Work, Index], tuple[int, ...]]:
    """Return a sort key for each occurrence of each piece of work.

    The keys give the order in which a single agent does the work. For example, round 1 comes before round 2. Within a
    round, pieces of work keep their order in `works`.
    """
    first: dict[object, int] = {}
    for number, work in enumerate(works):
        for loop in work.loops:
            first.setdefault(loop, number)
    keys = {}
    for number, work in enumerate(works):
        places = [first[loop] for loop in work.loops]
        for index in occurrences(work.loops):
            pairs = zip(places, index, strict=True)
            keys[work, index] = (*(part for pair in pairs for part in pair), number)
    return keys


def _step_span(step: str, kind: str, spans: _Spans, edges: Floats) -> StepSpan:
    moments = np.concatenate([spans.ends, spans.starts])  # at the same instant, ends come before starts
    changes = np.concatenate([np.full(len(spans), -1), np.ones(len(spans), int)])
    most = int(np.cumsum(changes[np.argsort(moments, kind="stable")]).max())
    critical = spans.where(spans.critical)
    return StepSpan(
        step, kind, float(spans.starts.min()), float(spans.ends.max()), most,
        _running(spans.starts, spans.ends, edges), _running(critical.starts, critical.ends, edges),
    )  # fmt: skip


def _running(starts: Floats, ends: Floats, edges: Floats) -> tuple[float, ...]:
    """Return the mean number of spans that run in each slot. Slot i is the time from `edges[i]` to `edges[i + 1]`.

    starts, ends : start and end of each span, in seconds
    edges : times at which slots begin and end, in seconds
    """

    def elapsed(times: Floats) -> Floats:
        """Return for each edge the time from all earlier `times` to this edge, added up."""
        ordered = np.sort(times)
        before = np.searchsorted(ordered, edges)
        return np.asarray(before * edges - np.concatenate([[0.0], np.cumsum(ordered)])[before])

    width = np.diff(edges)
    total = np.diff(elapsed(starts) - elapsed(ends)) / np.where(width > 0, width, 1.0)
    return tuple(np.round(np.maximum(total, 0.0), 9).tolist())


def _path(steps: Mapping[StepKey, _Spans], waits: Sequence[tuple[float, float, int]]) -> Iterator[Stretch]:
    """Yield the stretches of the critical path in order. Consecutive occurrences of one step form one stretch.

    waits : for each wait for an agent: its start in seconds, its duration in seconds, and the task that waits
    """
    names: dict[int, str] = {}
    spans = []
    for (step, kind), occurring in steps.items():
        names = dict.fromkeys(occurring.tasks.tolist(), step) | names
        critical = occurring.where(occurring.critical)
        spans += [
            (start, end, step, kind)
            for start, end in zip(critical.starts.tolist(), critical.ends.tolist(), strict=True)
        ]
    spans += [(start, start + gap, names.get(task, ""), "waiting") for start, gap, task in waits]
    for (step, kind), group in groupby(sorted(spans), lambda span: span[2:]):
        stretch = list(group)
        yield Stretch(step, kind, stretch[0][0], sum(end - start for start, end, _, _ in stretch), len(stretch))
