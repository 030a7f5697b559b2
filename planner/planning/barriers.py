"""The time lost at barriers between LangGraph's supersteps, and the branches that would save time in subgraphs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.expansion.expand import expand
from planner.expansion.graph.graph_form import GraphForm, form_from_needs
from planner.expansion.graph.order import in_order, needs, sorted_by_name
from planner.expansion.supersteps.runtime import Runtime
from planner.expansion.supersteps.subgraph_candidates import MOST_NODES, NodeSets, subgraph_candidates
from planner.expansion.supersteps.subgraphs import into_subgraph
from planner.expansion.supersteps.token_game import no_routes, play
from planner.timing.pipeline import Pipeline
from planner.workflow.declaration import Step, Workflow

MOST_SAMPLES = 256
"""Most samples to simulate. They are enough because all scenarios are compared on the same draws."""

MOST_BRANCHES = 8
"""Most candidates to simulate in all samples. If there are more, they are first compared in `FEW` samples.

A candidate is a possible recommendation: one branch of a graph, or several, to move into subgraphs.
"""

MOST_TRIED = 150
"""Most candidates to simulate in total."""

FEW = 16
"""Samples in which many candidates are compared."""

MOST_WRAPPED = 3
"""Most recommendations. Each recommendation assumes that all earlier recommendations are followed."""

WORTH = 0.01
"""Share of the completion time that a subgraph must save to be recommended."""

STEPS = 2_000_000
"""Most tasks × samples that are simulated together."""

Subgraphs = Mapping[str, NodeSets]
"""Name of a graph → sets of its nodes. Each set is moved into a new subgraph. The outermost graph has the name ''."""


@dataclass(frozen=True)
class Wrapping:
    """A recommendation to move some steps of a LangGraph graph into subgraphs.

    group : name of the graph; empty for the outermost graph
    steps : names of the steps in each new subgraph
    seconds : median completion time in seconds, if this recommendation and all earlier ones are followed
    """

    group: str
    steps: tuple[tuple[str, ...], ...]
    seconds: float


@dataclass(frozen=True)
class Barriers:
    """The time lost at barriers, and recommendations to save this time.

    At a barrier, all steps of a LangGraph superstep wait for the slowest step. All times are medians (p50) in seconds.

    seconds : completion time with barriers
    without : completion time without barriers, so that each step waits only for the steps that it needs
    wrappings : recommendations, in the order in which to follow them
    tried : number of possible recommendations that were simulated
    cut : whether more simulations could find further recommendations
    limit : LangGraph's `max_concurrency`, which applies to each subgraph separately; None: no limit
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
    """Simulate one scenario, and return the time lost at barriers.

    Return None if the workflow's runtime has no barriers.

    sizes : number of agents of each crew
    speed : factor on every output speed
    samples : requested number of samples; at most `MOST_SAMPLES` are simulated
    """
    runtime = Runtime.of(workflow)
    if not runtime.barriers:
        return None
    count = min(samples, MOST_SAMPLES)

    def p50(runtime: Runtime, count: int) -> float:
        return float(np.median(_seconds(workflow, runtime, sizes, speed, seed, count)))

    graphs = dict(_graphs(workflow))
    if all(len(superstep) == 1 for form in graphs.values() for superstep in play(form, no_routes).supersteps):
        median = p50(runtime, count)  # no steps run in parallel
        return Barriers(count, median, median, (), limit=runtime.limit)
    result = recommend_subgraphs(
        graphs,
        lambda subgraphs, quick: p50(replace(runtime, subgraphs=subgraphs), min(FEW, count) if quick else count),
        p50(replace(runtime, barriers=False), count),
        count,
    )
    return replace(result, limit=runtime.limit)


def recommend_subgraphs(
    graphs: Mapping[str, GraphForm], median_time: Callable[[Subgraphs, bool], float], without_barriers: float,
    samples: int,
) -> Barriers:  # fmt: skip
    """Return the time lost at barriers, and recommend the subgraphs that save the most of it.

    Each recommendation saves at least 1% of the completion time.

    graphs : name → LangGraph graph whose nodes may be moved into subgraphs
    median_time : function `(subgraphs, quick)` that simulates the graphs with the given subgraphs, and returns the
        median completion time in seconds. If `quick` is true, it uses only a few samples
    without_barriers : median completion time without barriers, in seconds
    samples : number of samples that `median_time` uses if `quick` is false
    """
    before = median_time({}, False)
    chosen: Subgraphs = {}
    wrappings: list[Wrapping] = []
    now, count, cut = before, 0, any(len(form.nodes) > MOST_NODES for form in graphs.values())
    while len(wrappings) < MOST_WRAPPED and now - without_barriers > WORTH * before:
        candidates = _candidates(graphs, chosen)
        tried = [_with(chosen, group, sets) for group, sets in islice(candidates, MOST_TRIED - count)]
        count += len(tried)
        cut = cut or next(candidates, None) is not None
        if len(tried) > MOST_BRANCHES:
            quick_order = sorted(tried, key=lambda each: (median_time(each, True), _moved_nodes(each)))
            tried = quick_order[:MOST_BRANCHES]
        if not tried:
            break
        best, _, position = min(
            (median_time(subgraphs, False), _moved_nodes(subgraphs), position)
            for position, subgraphs in enumerate(tried)
        )
        if now - best < WORTH * before:
            break
        (group,) = (name for name in tried[position] if tried[position][name] != chosen.get(name, ()))
        new = tried[position][group][len(chosen.get(group, ())) :]
        chosen, now = tried[position], best
        wrappings.append(Wrapping(group, tuple(_ordered(graphs[group], nodes) for nodes in new), best))
    left = now - without_barriers > WORTH * before
    return Barriers(samples, before, without_barriers, tuple(wrappings), count, cut and left)


def _ordered(form: GraphForm, nodes: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in form.nodes if name in nodes)


def _moved_nodes(subgraphs: Subgraphs) -> int:
    """Return the number of nodes that are moved into subgraphs."""
    return sum(len(nodes) for sets in subgraphs.values() for nodes in sets)


def _with(subgraphs: Subgraphs, group: str, sets: NodeSets) -> Subgraphs:
    return {**subgraphs, group: (*subgraphs.get(group, ()), *sets)}


def _candidates(graphs: Mapping[str, GraphForm], subgraphs: Subgraphs) -> Iterator[tuple[str, NodeSets]]:
    """Yield the possible next recommendations, as pairs: the name of a graph, and the new subgraphs in this graph.

    A new subgraph is given as the set of nodes to move into it.

    subgraphs : subgraphs that are already recommended
    """
    for group, form in graphs.items():
        now = form
        for nodes in subgraphs.get(group, ()):
            now = into_subgraph(now, nodes)
        for sets in subgraph_candidates(now):
            if all(nodes <= form.nodes.keys() for nodes in sets):
                yield group, sets


def _graphs(workflow: Workflow) -> Iterator[tuple[str, GraphForm]]:
    """Yield each LangGraph graph of a workflow with its name. Graphs inside fan-outs are left out."""

    def inside(name: str, steps: Mapping[str, Step], choice: bool) -> Iterator[tuple[str, GraphForm]]:
        if not choice:
            all_needs = needs(steps)
            yield name, form_from_needs({child: all_needs[child] for child in in_order(sorted_by_name(steps))})
        for child, step in steps.items():
            if step.for_each is None and step.within:
                yield from inside(f"{name}.{child}" if name else child, step.within, step.choose is not None)

    return inside("", workflow.steps, False)


def _seconds(
    workflow: Workflow, runtime: Runtime, sizes: Mapping[str, int], speed: float, seed: int, samples: int
) -> Floats:
    """Simulate one scenario, and return the completion time of each sample in seconds, (samples,).

    sizes : number of agents of each crew
    speed : factor on every output speed
    samples : number of samples to simulate
    """
    pipeline = Pipeline.of(workflow, expand(workflow, sizes, runtime))
    width = max(1, min(samples, STEPS // len(pipeline.graph.graph)))
    slices = (Samples(seed, low, min(low + width, samples)) for low in range(0, samples, width))
    return np.concatenate([pipeline.seconds(slice_, speed) for slice_ in slices])
