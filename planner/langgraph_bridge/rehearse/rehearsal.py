"""A workflow performed on LangGraph sample by sample, and compared with its prediction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version

from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.supersteps.runtime import Runtime
from planner.langgraph_bridge import virtual_clock
from planner.langgraph_bridge.rehearse.performance import Performance
from planner.langgraph_bridge.rehearse.stage import Stage
from planner.measures.playback import Difference, Playback, RealTime, Rehearsal, Spans, playbacks
from planner.workflow.declaration import Workflow

ALIKE = 1e-6
"""Seconds by which starts and ends may differ: about a tick."""

TOGETHER = 8
"""Samples that are drawn at a time."""

OFTEN = 0.25
"""Seconds of the real clock between two looks at how much of it has passed."""


def rehearse(
    workflow: Workflow, sizes: Mapping[str, int], *, speed: float = 1.0, seed: int = 1, samples: int = 20,
    progress: Callable[[float], None] = lambda done: None,
) -> Rehearsal:  # fmt: skip
    """Perform samples on a virtual clock until one differs from its prediction."""
    stage: Stage | None = None
    compared, done = 0, 0
    difference: Difference | None = None
    for part in playbacks(workflow, sizes, speed, seed, samples, min(TOGETHER, samples)):
        stage = stage or _stage(workflow, part.graph)
        for row in range(len(part)):
            spans, seconds = performed(stage, part, row)
            wanted, end = part.predicted(row), float(part.schedule.makespan[row])
            done, compared = done + 1, compared + len(wanted)
            difference = _difference(part.first + row, wanted, spans, end, seconds)
            if difference is not None:
                break
            progress(done / samples)
        if difference is not None:
            break
    assert stage is not None
    return _rehearsal(workflow, stage, seed, done, compared, difference, None)


def in_real_time(
    workflow: Workflow, sizes: Mapping[str, int], *, scale: float, speed: float = 1.0, seed: int = 1,
    ahead: Callable[[float], None] = lambda seconds: None, progress: Callable[[float], None] = lambda done: None,
) -> Rehearsal:  # fmt: skip
    """Perform the first sample on the real clock, so many times as fast.

    ahead : is told beforehand how many seconds it should take
    """
    part = next(playbacks(workflow, sizes, speed, seed, 1, 1))
    stage = _stage(workflow, part.graph)
    predicted = float(part.schedule.makespan[0])
    ahead(predicted / scale)
    performed(stage, part, 0)  # what Python and LangGraph do only once is no overhead of a run

    async def main() -> float:
        performance = Performance(part, 0, scale)
        showing = asyncio.ensure_future(_shown(progress, predicted / scale))
        start = time.perf_counter()
        try:
            await stage.perform(performance)
        finally:
            showing.cancel()
        return time.perf_counter() - start

    seconds = asyncio.run(main())
    real = RealTime(part.first, scale, seconds, predicted, len(part.predicted(0)))
    return _rehearsal(workflow, stage, seed, 1, 0, None, real)


async def _shown(progress: Callable[[float], None], seconds: float) -> None:
    """Tell how much of a time has passed, until it is cancelled."""
    start = time.perf_counter()
    while True:
        progress(min(1.0, (time.perf_counter() - start) / seconds) if seconds else 1.0)
        await asyncio.sleep(OFTEN)


def performed(stage: Stage, part: Playback, row: int) -> tuple[Spans, float]:
    """One sample on a virtual clock: when works begin and end, and how long it takes."""
    spans: Spans = {}

    async def main(_: virtual_clock.VirtualLoop) -> None:
        performance = Performance(part, row)
        await stage.perform(performance)
        spans.update(performance.spans)

    return spans, virtual_clock.run(main)[1]


def _stage(workflow: Workflow, graph: TaskGraph) -> Stage:
    runtime = Runtime.of(workflow)
    return Stage(graph.outline, not runtime.graphs, runtime.limit)


def _difference(sample: int, wanted: Spans, found: Spans, end: float, seconds: float) -> Difference | None:
    """The one that comes first, in time."""
    late = [
        (min(span[0] for span in (wanted.get(what), found.get(what)) if span is not None), what)
        for what in wanted.keys() | found.keys()
        if not _alike(wanted.get(what), found.get(what))
    ]
    if late:
        _, what = min(late)
        return Difference(sample, what, wanted.get(what), found.get(what))
    if abs(end - seconds) > ALIKE:
        return Difference(sample, None, (0.0, end), (0.0, seconds))
    return None


def _alike(one: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    return one is not None and other is not None and abs(one[0] - other[0]) <= ALIKE and abs(one[1] - other[1]) <= ALIKE


def _rehearsal(
    workflow: Workflow, stage: Stage, seed: int, samples: int, compared: int, difference: Difference | None,
    real: RealTime | None,
) -> Rehearsal:  # fmt: skip
    return Rehearsal(
        workflow.workflow, workflow.runtime, version("langgraph"), seed, samples, compared, difference,
        tuple(stage.beside), real,
    )  # fmt: skip
