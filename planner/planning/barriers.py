"""What the barriers between LangGraph's supersteps cost, and which branch to wrap in a subgraph to win that back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import simulate
from planner.expansion.draw.demand import Layers
from planner.expansion.expand import expand
from planner.expansion.graph.graph_form import GraphForm, form_from_needs
from planner.expansion.graph.order import in_order, needs, sorted_by_name
from planner.expansion.supersteps.runtime import Runtime
from planner.expansion.supersteps.subgraph_candidates import MOST_NODES, NodeSets, subgraph_candidates
from planner.expansion.supersteps.subgraphs import into_subgraph
from planner.expansion.supersteps.token_game import no_routes, play
from planner.timing.durations import SampleDemands, task_times
from planner.timing.service import ServiceTimes, profiles
from planner.workflow.declaration import Step, Workflow

MOST_SAMPLES = 256
"""Samples in which barriers are looked at: differences of the same draws need no more."""

MOST_BRANCHES = 8
"""Branches that are planned in all samples: those that seem best in `FEW`."""

MOST_TRIED = 150
"""Branches, or several at once, that are tried at all, in few samples: each is a plan of its own."""

FEW = 16
"""Samples in which many branches are told apart."""

MOST_WRAPPED = 3
"""Branches that are recommended, one after the other."""

WORTH = 0.01
"""Share of the completion time that a subgraph must save to be recommended."""

STEPS = 2_000_000
"""Task-samples at a time."""

Wrapped = Mapping[str, NodeSets]
"""Sets of nodes in a subgraph each, by the name of their graph; '' is the outermost."""


@dataclass(frozen=True)
class Wrapping:
    """Steps of a group to be put into a subgraph, or into one each. `seconds`: p50 with these and those before."""

    group: str
    steps: tuple[tuple[str, ...], ...]
    seconds: float


@dataclass(frozen=True)
class Barriers:
    """What barriers cost, in p50 of the same samples.

    seconds : on LangGraph
    without : where a step waits for nothing but what it needs, under the same `max_concurrency`
    tried : branches that were planned in a subgraph, or several at once
    cut : there are more of them, and what is left of the cost might be won back
    limit : `max_concurrency`, which counts anew in each subgraph; None: none
    """

    samples: int
    seconds: float
    without: float
    wrappings: tuple[Wrapping, ...]
    tried: int = 0
    cut: bool = False
    limit: int | None = None

    @property
    def cost(self) -> float:
        return self.seconds - self.without


def barriers(workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int) -> Barriers | None:
    """Of one scenario of a workflow; None where the runtime has no supersteps."""
    runtime = Runtime.of(workflow)
    if not runtime.barriers:
        return None
    count = min(samples, MOST_SAMPLES)

    def seconds(runtime: Runtime, count: int) -> float:
        return float(np.median(_seconds(workflow, runtime, sizes, speed, seed, count)))

    graphs = dict(_graphs(workflow))
    if all(len(superstep) == 1 for form in graphs.values() for superstep in play(form, no_routes).supersteps):
        median = seconds(runtime, count)  # nothing runs beside anything else
        return Barriers(count, median, median, (), limit=runtime.limit)
    found = advised(
        graphs,
        lambda chosen, few: seconds(replace(runtime, subgraphs=chosen), min(FEW, count) if few else count),
        seconds(replace(runtime, barriers=False), count),
        count,
    )
    return replace(found, limit=runtime.limit)


def advised(
    graphs: Mapping[str, GraphForm], seconds: Callable[[Wrapped, bool], float], without: float, samples: int
) -> Barriers:
    """Wrap the branch that saves most, then the next one, while that is worth it.

    seconds : p50 with these branches wrapped, the second argument: of few samples
    """
    before = seconds({}, False)
    chosen: Wrapped = {}
    found: list[Wrapping] = []
    now, number, cut = before, 0, any(len(form.nodes) > MOST_NODES for form in graphs.values())
    while len(found) < MOST_WRAPPED and now - without > WORTH * before:
        candidates = _candidates(graphs, chosen)
        tried = [_with(chosen, group, sets) for group, sets in islice(candidates, MOST_TRIED - number)]
        number += len(tried)
        cut = cut or next(candidates, None) is not None
        if len(tried) > MOST_BRANCHES:
            tried = sorted(tried, key=lambda one: (seconds(one, True), _steps(one)))[:MOST_BRANCHES]
        if not tried:
            break
        saved = [(seconds(one, False), _steps(one), at) for at, one in enumerate(tried)]
        best, _, at = min(saved)
        if now - best < WORTH * before:
            break
        (group,) = (name for name in tried[at] if tried[at][name] != chosen.get(name, ()))
        new = tried[at][group][len(chosen.get(group, ())) :]
        chosen, now = tried[at], best
        found.append(Wrapping(group, tuple(_ordered(graphs[group], nodes) for nodes in new), best))
    left = now - without > WORTH * before
    return Barriers(samples, before, without, tuple(found), number, cut and left)


def _ordered(form: GraphForm, nodes: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in form.nodes if name in nodes)


def _steps(chosen: Wrapped) -> int:
    """How many steps are wrapped: of branches that save the same, the smallest is taken."""
    return sum(len(nodes) for sets in chosen.values() for nodes in sets)


def _with(chosen: Wrapped, group: str, sets: NodeSets) -> Wrapped:
    return {**chosen, group: (*chosen.get(group, ()), *sets)}


def _candidates(graphs: Mapping[str, GraphForm], chosen: Wrapped) -> Iterator[tuple[str, NodeSets]]:
    """Branches of declared nodes that are not in a subgraph yet, each with the name of its graph."""
    for group, form in graphs.items():
        now = form
        for nodes in chosen.get(group, ()):
            now = into_subgraph(now, nodes)
        for sets in subgraph_candidates(now):
            if all(nodes <= form.nodes.keys() for nodes in sets):
                yield group, sets


def _graphs(workflow: Workflow) -> Iterator[tuple[str, GraphForm]]:
    """The groups that are graphs: all outside of items."""

    def inside(name: str, steps: Mapping[str, Step], choice: bool) -> Iterator[tuple[str, GraphForm]]:
        if not choice:
            wanted = needs(steps)
            yield name, form_from_needs({own: wanted[own] for own in in_order(sorted_by_name(steps))})
        for own, step in steps.items():
            if step.for_each is None and step.within:
                yield from inside(f"{name}.{own}" if name else own, step.within, step.choose is not None)

    return inside("", workflow.steps, False)


def _seconds(
    workflow: Workflow, runtime: Runtime, sizes: Mapping[str, int], speed: float, seed: int, samples: int
) -> Floats:
    """(samples,) completion times on the draws that every forecast of this seed begins with."""
    graph = expand(workflow, sizes, runtime)
    requests = graph.max_open_requests(sizes)
    models = profiles(workflow, graph)
    layers = Layers.of(workflow.uncertainty)
    width = max(1, min(samples, STEPS // len(graph.graph)))
    found = []
    for low in range(0, samples, width):
        slice_ = Samples(seed, low, min(low + width, samples))
        served = {name: ServiceTimes.of(profile.at(requests), slice_) for name, profile in models.items()}
        prepared = task_times(graph, served, SampleDemands(slice_, layers), speed)
        schedule = simulate(
            graph.graph, prepared.durations(speed), patience=prepared.patience, away=prepared.away
        )  # fmt: skip
        found.append(schedule.makespan)
    return np.concatenate(found)
