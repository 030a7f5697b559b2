"""Forecast imported LangGraph graphs. Routes are drawn at random. Samples with equal routes share a task graph."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np

from planner.catalogue.profile import token_ratio
from planner.engine.arrays import Floats
from planner.engine.draws import Samples
from planner.engine.simulation import (
    Graph,
    build_graph,
    round_to_ticks,
    simulate,
)
from planner.expansion.build.pools import number_pools
from planner.expansion.draw.estimates import draw_estimate
from planner.expansion.graph.conditions import Loop
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    TaskMap,
    single_task,
)
from planner.expansion.graph.graph_form import (
    START,
    Branch,
    GraphForm,
    Sending,
)
from planner.expansion.graph.task_graph import TaskGraph
from planner.expansion.graph.work import Work
from planner.expansion.supersteps.barriers import superstep_graph
from planner.expansion.supersteps.subgraphs import into_subgraph
from planner.expansion.supersteps.token_game import (
    GraphRun,
    Key,
    Routing,
    play,
)
from planner.planning.barriers import Barriers, Subgraphs, recommend_subgraphs
from planner.reading.bind import bind
from planner.sampling.batch import WIDTH
from planner.timing.pipeline import Pipeline
from planner.workflow.declaration import Step, Workflow


def predicted(
    graph_run: GraphRun, seconds: Callable[[Key], float], limit: int | None, barriers: bool = True
) -> tuple[dict[Key, tuple[float, float]], float]:
    """Predict the start and end of each run of a node, and the completion time of the graph. All times are in seconds.

    graph_run : the runs of nodes, superstep by superstep
    seconds : function that returns the duration of a run. The function is not called for runs of subgraphs. Durations
        are rounded to ticks
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit
    barriers : true: a superstep waits for all runs of the previous superstep; false: a run waits only for the runs that
        caused it
    """
    fragment = superstep_graph(graph_run, lambda key: single_task(NO_POOL, NO_POOL), limit, barriers, with_spans=True)
    spans = {mark.subject.key: mark.tasks.tolist() for mark in fragment.task_maps}
    durations = np.zeros((1, len(fragment)))
    for key, run in graph_run.runs():
        if run.inner is None:
            durations[0, spans[key][0]] = seconds(key)
    schedule = simulate(whole(fragment), round_to_ticks(durations), recorded=True)
    starts, ends = schedule.starts[0].tolist(), schedule.ends[0].tolist()
    return {key: (starts[first], ends[last]) for key, (first, last) in spans.items()}, float(schedule.makespan[0])


def whole(fragment: Fragment) -> Graph:
    """Convert a fragment of a task graph to a `Graph` for the kernel. The fragment must have no crews."""
    acquire, release = number_pools(fragment.acquire, 0), number_pools(fragment.release, 0)
    capacity = [slots for _, slots in fragment.own_pools]
    return build_graph(len(fragment), fragment.edges, acquire=acquire, release=release, capacity=capacity)


Number = tuple[str, int]
"""Key of the draws of a run: the path of the node that runs, and the number of earlier runs of this node."""


def expand_graph(graph_run: GraphRun, workflow: Workflow, limit: int | None, barriers: bool = True) -> TaskGraph:
    """Return the task graph of a LangGraph graph whose routes are fixed.

    The task graph has no crews. Runs of nodes wait only for other runs, barriers and slots.

    graph_run : the runs of nodes, superstep by superstep
    workflow : declares the profiles and parameters that the steps of the graph use
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit
    barriers : true: a superstep waits for all runs of the previous superstep; false: a run waits only for the runs that
        caused it
    """
    numbers: dict[Key, Number] = {}
    counts: Counter[str] = Counter()
    nodes = {}
    for key, run in graph_run.runs():
        form = _form(graph_run, key)
        if run.inner is None and form.nodes[run.node].step is not None:
            path = form.path(run.node)
            numbers[key], nodes[path] = (path, counts[path]), form.nodes[run.node]
            counts[path] += 1
    works = {path: _work(path, nodes[path].step, counts[path], workflow) for path in counts}

    def content(key: Key) -> Fragment:
        return single_task(NO_POOL, NO_POOL, *([numbers[key]] if key in numbers else []))

    fragment = superstep_graph(graph_run, content, limit, barriers)
    tasks = {path: np.zeros(count, np.int32) for path, count in counts.items()}
    for mark in fragment.task_maps:
        path, number = mark.subject
        tasks[path][number] = mark.tasks
    marks = tuple(TaskMap(work, tasks[path]) for path, work in works.items())
    pools = tuple(name for name, _ in fragment.own_pools)
    return TaskGraph(whole(fragment), marks, (), (), pools, {}, fragment.outline)


def _form(graph_run: GraphRun, key: Key) -> GraphForm:
    """Return the form of the graph in which a node runs: the whole graph, or the subgraph that contains the node.

    key : key of a run of the node
    """
    form = graph_run.form
    for name, _ in key[:-1]:
        inner = form.nodes[name].graph
        assert inner is not None
        form = inner
    return form


def _work(path: str, step: Step | None, runs: int, workflow: Workflow) -> Work:
    """Return the `Work` of a node. Each run of the node is one round of the work.

    path : path of the node
    step : step that the node runs
    runs : number of runs of the node

    Raises ValueError if the step is not a single request, agent, tool or person.
    """
    assert step is not None
    body = step.llm or step.agent or step.tool or step.human
    if body is None:
        raise ValueError(f"the node '{path}' does more than one thing: make a graph of it")
    model = step.model or workflow.model if step.kind in ("llm", "agent") else None
    values: Mapping[str, float] = {**workflow.parameters, "agents": 1}
    ratio = 1.0 if model is None else token_ratio(model, workflow.written_for, workflow.models)
    return Work(path, step.kind, bind(body, values, model), model, (Loop(runs),), ratio=ratio)


def graph_seconds(
    form: GraphForm, workflow: Workflow, seed: int, samples: int, limit: int | None = None, barriers: bool = True
) -> Floats:
    """Return an array (samples,) with the completion time of a graph in each sample, in seconds.

    workflow : declares the profiles and parameters that the steps of the graph use
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit
    barriers : true: a superstep waits for all runs of the previous superstep; false: a run waits only for the runs that
        caused it
    """
    seconds = np.empty(samples)
    for low in range(0, samples, WIDTH):
        slice_ = Samples(seed, low, min(low + WIDTH, samples))
        for graph_run, rows in _distinct_runs(form, slice_):
            pipeline = Pipeline.of(workflow, expand_graph(graph_run, workflow, limit, barriers), requests=1)
            run = pipeline.draw(slice_).at(1.0).schedule(rows)
            seconds[[low + row for row in rows]] = run.seconds
    return seconds


def graph_barriers(form: GraphForm, workflow: Workflow, seed: int, samples: int, limit: int | None = None) -> Barriers:
    """Return the time that barriers cost in a LangGraph graph, and advice on which branches to put in subgraphs."""

    def median_time(subgraphs: Subgraphs, _: bool) -> float:
        now = form
        for nodes in subgraphs.get("", ()):
            now = into_subgraph(now, nodes)
        return float(np.median(graph_seconds(now, workflow, seed, samples, limit)))

    without = float(np.median(graph_seconds(form, workflow, seed, samples, limit, barriers=False)))
    named = replace(form, nodes={name: replace(node, path=form.path(name)) for name, node in form.nodes.items()})
    return recommend_subgraphs({"": named}, median_time, without, samples)


def _distinct_runs(form: GraphForm, samples: Samples) -> Iterator[tuple[GraphRun, list[int]]]:
    """Draw the routes of each sample through a graph. Yield each distinct run of the graph, with its samples.

    Samples with the same routes have the same run. The samples of a run are given as a list of indices.
    """
    routes = Routes(samples)
    distinct: dict[object, tuple[GraphRun, list[int]]] = {}
    for row in range(len(samples)):
        graph_run = play(form, routes.of(row))
        runs = tuple((key, run.sent) for key, run in graph_run.runs())
        widths = tuple(len(superstep) for superstep in graph_run.supersteps)
        distinct.setdefault((runs, widths, _causes(graph_run)), (graph_run, []))[1].append(row)
    yield from distinct.values()


def _causes(graph_run: GraphRun) -> tuple[object, ...]:
    return tuple(tuple((cause.node, cause.number) for cause in run.causes) for _, run in graph_run.runs())


class Routes:
    """Random routes through a graph: choices at conditional edges, and numbers of Sends.

    Each random draw belongs to one run of a node. The key of the draw contains the node's path and the run's number.
    """

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.draws: dict[tuple[object, ...], Floats] = {}

    def of(self, row: int) -> _Route:
        """Return the random routes through a graph in one sample.

        row : index of the sample
        """
        return _Route(self, row)

    def chosen(self, path: str, branch: int, number: int, row: int) -> float:
        key = (path, branch, number)
        if key not in self.draws:
            self.draws[key] = self.samples.uniform(1, path, f"branch {branch}", (number,))[0]
        return float(self.draws[key][row])

    def width(self, sending: Sending, path: str, purpose: str, number: int, row: int) -> int:
        if isinstance(sending.width, int):
            return sending.width
        key = (path, purpose, number)
        if key not in self.draws:
            values = draw_estimate(sending.width, self.samples, 1, path, purpose, (number,))
            self.draws[key] = np.broadcast_to(values, (1, len(self.samples)))[0]
        return int(self.draws[key][row])


class _Route:
    """The random routes through a graph in one sample.

    Call the object after each run of a node. The call returns the nodes that this run triggers or sends to.
    """

    def __init__(self, routes: Routes, row: int) -> None:
        self.routes, self.row = routes, row
        self.counts: Counter[str] = Counter()

    def __call__(self, form: GraphForm, key: Key, name: str) -> Routing:
        path = ".".join((*(node for node, _ in key), START)) if name == START else form.path(name)
        number = self.counts[path]
        self.counts[path] += 1
        targets: list[str] = []
        sends: list[str] = []
        for position, branch in enumerate(form.branches[name]):
            taken = self._option(branch, self.routes.chosen(path, position, number, self.row))
            option = branch[taken]
            targets += option.targets
            for place, sending in enumerate(option.sends):
                purpose = f"width {position}.{taken}.{place}"
                width = self.routes.width(sending, path, purpose, number, self.row)
                sends += [sending.node] * width
        return Routing(tuple(targets), tuple(sends))

    @staticmethod
    def _option(branch: Branch, u: float) -> int:
        """Choose an option of a conditional edge by the chances of the options. Return the index of the chosen option.

        u : uniform draw from [0, 1)
        """
        reached = 0.0
        for number, option in enumerate(branch):
            reached += option.chance
            if u < reached:
                return number
        return max(number for number, option in enumerate(branch) if option.chance > 0)
