"""Run samples of a workflow on LangGraph, and compare each run with its prediction."""

from __future__ import annotations

import asyncio
import time
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version

from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.supersteps.runtime import Runtime
from planner.langgraph_bridge import virtual_clock
from planner.langgraph_bridge.rehearse.graphs import WorkflowGraphs
from planner.langgraph_bridge.rehearse.sample_run import SampleRun
from planner.measures.playback import Difference, Playback, RealTime, Rehearsal, Spans, playbacks
from planner.workflow.declaration import Workflow

TOLERANCE = 1e-6
"""Starts or ends that differ by at most this many seconds count as equal. The value is about a tick."""

BLOCK = 8
"""Number of samples that are drawn together."""

PROGRESS_EVERY = 0.25
"""Real seconds between two calls of the progress function."""


def rehearse(
    workflow: Workflow, sizes: Mapping[str, int], *, speed: float = 1.0, seed: int = 1, samples: int = 20,
    progress: Callable[[float], None] = lambda done: None,
) -> Rehearsal:  # fmt: skip
    """Run samples of a workflow on LangGraph with a virtual clock, and compare each run with its prediction.

    Stop at the first difference.
    """
    graphs: WorkflowGraphs | None = None
    compared, done = 0, 0
    difference: Difference | None = None
    for playback in playbacks(workflow, sizes, speed, seed, samples, min(BLOCK, samples)):
        graphs = graphs or workflow_graphs(workflow, playback.graph)
        for row in range(len(playback)):
            spans, seconds = run_virtually(graphs, playback, row)
            predicted, makespan = playback.predicted(row), float(playback.schedule.makespan[row])
            done, compared = done + 1, compared + len(predicted)
            difference = first_difference(playback.first + row, predicted, spans, makespan, seconds)
            if difference is not None:
                break
            progress(done / samples)
        if difference is not None:
            break
    assert graphs is not None
    return _rehearsal(workflow, graphs, seed, done, compared, difference, None)


def in_real_time(
    workflow: Workflow, sizes: Mapping[str, int], *, scale: float, speed: float = 1.0, seed: int = 1,
    ahead: Callable[[float], None] = lambda seconds: None, progress: Callable[[float], None] = lambda done: None,
) -> Rehearsal:  # fmt: skip
    """Run the first sample of a workflow on LangGraph with the real clock.

    scale : number by which all durations are divided
    ahead : function to call before the run. Its argument is the predicted duration of the run in real seconds
    """
    playback = next(playbacks(workflow, sizes, speed, seed, 1, 1))
    graphs = workflow_graphs(workflow, playback.graph)
    predicted = float(playback.schedule.makespan[0])
    ahead(predicted / scale)
    run_virtually(graphs, playback, 0)  # warm-up: one-time work of Python and LangGraph is no overhead of a run

    async def main() -> float:
        run = SampleRun(playback, 0, scale)
        reports = asyncio.ensure_future(_report_progress(progress, predicted / scale))
        start = time.perf_counter()
        try:
            await graphs.run(run)
        finally:
            reports.cancel()
        return time.perf_counter() - start

    seconds = asyncio.run(main())
    real = RealTime(playback.first, scale, seconds, predicted, len(playback.predicted(0)))
    return _rehearsal(workflow, graphs, seed, 1, 0, None, real)


async def _report_progress(progress: Callable[[float], None], seconds: float) -> None:
    """Call `progress` regularly with the share of `seconds` that has passed. Stop when this coroutine is cancelled."""
    start = time.perf_counter()
    while True:
        progress(min(1.0, (time.perf_counter() - start) / seconds) if seconds else 1.0)
        await asyncio.sleep(PROGRESS_EVERY)


def run_virtually(graphs: WorkflowGraphs, playback: Playback, row: int) -> tuple[Spans, float]:
    """Run one sample of a workflow on LangGraph with a virtual clock.

    Return the start and end of each piece of work, and the completion time of the sample, in seconds.

    row : index of the sample
    """
    spans: Spans = {}

    async def main(_: virtual_clock.VirtualLoop) -> None:
        run = SampleRun(playback, row)
        await graphs.run(run)
        spans.update(run.spans)

    with warnings.catch_warnings():
        # a race may cancel tasks of LangGraph before they start
        warnings.filterwarnings("ignore", "coroutine '.*' was never awaited", RuntimeWarning)
        return spans, virtual_clock.run(main)[1]


def workflow_graphs(workflow: Workflow, graph: TaskGraph) -> WorkflowGraphs:
    """Build the LangGraph graphs that run the task graph of a workflow."""
    runtime = Runtime.of(workflow)
    return WorkflowGraphs(graph.outline, not runtime.graphs, runtime.limit)


def first_difference(
    sample: int, predicted: Spans, rehearsed: Spans, makespan: float, seconds: float
) -> Difference | None:
    """Return the earliest difference between the predicted run and the rehearsed run of a sample; None if equal.

    sample : number of the sample, from 0
    predicted, rehearsed : start and end of each piece of work, in seconds
    makespan : predicted completion time
    seconds : rehearsed completion time. It is compared with `makespan` if all starts and ends are equal
    """
    different = [
        (min(span[0] for span in (predicted.get(key), rehearsed.get(key)) if span is not None), key)
        for key in predicted.keys() | rehearsed.keys()
        if not _alike(predicted.get(key), rehearsed.get(key))
    ]
    if different:
        _, first = min(different)
        return Difference(sample, first, predicted.get(first), rehearsed.get(first))
    if abs(makespan - seconds) > TOLERANCE:
        return Difference(sample, None, (0.0, makespan), (0.0, seconds))
    return None


def _alike(span: tuple[float, float] | None, other: tuple[float, float] | None) -> bool:
    if span is None or other is None:
        return False
    return abs(span[0] - other[0]) <= TOLERANCE and abs(span[1] - other[1]) <= TOLERANCE


def _rehearsal(
    workflow: Workflow, graphs: WorkflowGraphs, seed: int, samples: int, compared: int, difference: Difference | None,
    real: RealTime | None,
) -> Rehearsal:  # fmt: skip
    return Rehearsal(
        workflow.workflow, workflow.runtime, version("langgraph"), seed, samples, compared, difference,
        tuple(graphs.context.without_langgraph), real,
    )  # fmt: skip
