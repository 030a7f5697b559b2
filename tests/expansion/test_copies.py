"""Copies outside of fan-outs are rows of arrays, like items; they mean the same as if each were computed by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.engine import Floats
from planner.engine.draws import Cells, Occurrence, Samples, Turns
from planner.expansion import TaskGraph, crew_sizes, expand
from planner.expansion.build import size_limits
from planner.expansion.graph.conditions import Loop, occurrences
from planner.timing.pipeline import Pipeline
from planner.workflow import Workflow
from tests.conftest import PLAIN
from tests.theory.test_language import written

EXPAND = import_module("planner.expansion.build.step")


@cache
def number(text: str) -> float:
    return (int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big") + 0.5) / 2**48


def same_draw(samples: Samples, transform: Callable[[Floats], Floats], cells: int | Cells, path: str, purpose: str,
              occurrence: Occurrence) -> Floats:  # fmt: skip
    """Draws that depend on all numbers of a row and its occurrence, but not on which of them is the row."""
    positions = samples.cells(cells) if isinstance(cells, int) else cells
    columns = [
        np.repeat(list(index.numbers), index.counts) if isinstance(index, Turns) else np.full(positions.size, index)
        for index in occurrence
    ]
    draws = []
    for position, *numbers in zip(
        positions.reshape(-1).tolist(), *(column.tolist() for column in columns), strict=True
    ):
        several = sorted(each for each in (position >> 32, *numbers) if each)
        draws.append(number(f"{path} {purpose} {several} {position & 0xFFFFFFFF}"))
    return transform(np.array(draws)).reshape(positions.shape)


def results(workflow: Workflow) -> tuple[TaskGraph, list[Any]]:
    """The graph of a workflow, and all that is computed of three samples."""
    graph = expand(workflow, crew_sizes(workflow))
    drawn = Pipeline.of(workflow, graph).draw(Samples(1, 0, 3), 1.5, detailed=True)
    run, times = drawn.at(1.5).schedule(traced=True, recorded=True), drawn.times
    billed = [[one.input, one.written, one.cache_read, one.output, one.units] for one in run.billed]
    done, largest = [totals.done for totals in times.works], [times.largest[name] for name in sorted(times.largest)]
    return graph, [run.durations, times.patience, times.away, times.accepted, run.seconds, *done, *largest, *billed]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("copies")


@given(st.integers(0, 2**32))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_copies_that_are_computed_together_are_those_of_each_by_itself(folder: Path, seed: int) -> None:
    workflow, _ = written(Random(seed), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Samples, "_draw", same_draw)
        graph, together = results(workflow)
        if not any(loop.together for task_map in graph.works for loop in task_map.subject.loops):
            return
        patch.setattr(EXPAND, "Loop", lambda *given, **keys: Loop(*given, **{**keys, "together": False}))
        _, apart = results(workflow)
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(np.array(one), np.array(other), rtol=1e-12, atol=1e-9)


def test_all_copies_are_one_occurrence_and_the_first_of_them_draws_the_same_however_many(
    declare: Callable[..., Workflow],
) -> None:
    seconds = []
    for count in (1, 3, 10_000):
        workflow = declare(f"  a: {{best_of: {count}, tool: 1s to 9s}}")
        (totals,) = Pipeline.of(workflow, graph := expand(workflow, {"agents": 1})).draw(
            Samples(1, 0, 2), detailed=True
        ).times.works  # fmt: skip
        (occurrence,) = totals.occurrences
        assert graph.occurrences == count
        seconds.append(occurrence.fixed[0].tolist())
    assert seconds[0] == seconds[1] == seconds[2]


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_counted_passes_are_those_that_are_computed(folder: Path, seed: int) -> None:
    """Without coordination they are equal; with it, not fewer: a rework also counts its agent."""
    workflow, used = written(Random(seed), folder)
    graph = expand(workflow, crew_sizes(workflow))
    passes = sum(len(list(occurrences(task_map.subject.loops))) for task_map in graph.works)
    counted = counts(workflow)
    assert passes <= counted.passes
    assert graph.occurrences <= counted.works
    if not any(used[each] for each in ("ramp_up", "stagger", "brief", "sync", "report", "merge")):
        assert (counted.passes, counted.works) == (passes, graph.occurrences)


def counts(workflow: Workflow) -> size_limits._Counts:
    context = size_limits._SizeContext(("steps",), (), workflow.parameters, "", in_rows=False)
    return size_limits._Size(workflow, crew_sizes(workflow)).group(context, workflow.steps)


@pytest.mark.parametrize(
    ("coordination", "passes"),
    [("", 2), ("brief: {output: 1}, sync: {output: 1, every: 1}", 4), ("report: {output: 1}, merge: 1s", 5),
     ("merge: 1s, conflict: {chance: 1%, rework: 1%}", 2 + 1 + 3 * (4 + 1 + 2))],
)  # fmt: skip
def test_coordination_counts(declare: Callable[..., Workflow], coordination: str, passes: int) -> None:
    """Seven items of two steps. A rework repeats both, merges again, and seizes and releases agents."""
    steps = "  a: {for_each: 7, crew: team, steps: {b: {tool: 1s}, c: {needs: b, tool: 1s}}}"
    for agents in (1, 2, 3):
        crew = f"crews: {{team: {{agents: {agents}, coordination: {{{coordination}}}}}}}"
        counted = counts(declare(steps, PLAIN + crew))
        assert counted.passes == (passes if agents > 1 else 2)
        assert counted.works == 7 * counted.passes


def test_items_that_every_agent_does_count_for_each(declare: Callable[..., Workflow]) -> None:
    """Half of seven items, rounded half up, are four; two more agents do each of them."""
    crew = "crews: {team: {agents: 3, coordination: {redundancy: 50%}}}"
    assert counts(declare("  a: {for_each: 7, crew: team, tool: 1s}", PLAIN + crew)).works == 7 + 4 * 2
