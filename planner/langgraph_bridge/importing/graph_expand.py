"""A graph that has been played in, a `TaskGraph` out: what its nodes do is drawn and paid for like steps of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from planner.catalogue.profile import token_ratio
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    TaskMap,
    single,
)
from planner.expansion.graph.graph_form import GraphForm
from planner.expansion.graph.loops import Loop
from planner.expansion.graph.task_graph import LIMIT, TaskGraph
from planner.expansion.graph.work import Work
from planner.expansion.supersteps.barriers import superstep_graph
from planner.expansion.supersteps.token_game import Key, Played
from planner.langgraph_bridge.importing.predict import whole
from planner.reading.bind import bind
from planner.workflow.declaration import Step, Workflow

Number = tuple[str, int]
"""The draws of a run: the path of its node, and how many runs of it come before, in the order of play."""


def expand_graph(game: Played, workflow: Workflow, limit: int | None, barriers: bool = True) -> TaskGraph:
    """The task graph of a graph whose choices are made. Nobody has to be waited for but by `limit`.

    workflow : whose profiles and parameters its steps name
    """
    numbers: dict[Key, Number] = {}
    counts: Counter[str] = Counter()
    nodes = {}
    for key, run in game.runs():
        form = _form(game, key)
        if run.inner is None and form.nodes[run.node].step is not None:
            path = form.path(run.node)
            numbers[key], nodes[path] = (path, counts[path]), form.nodes[run.node]
            counts[path] += 1
    works = {path: _work(path, nodes[path].step, counts[path], workflow) for path in counts}

    def content(key: Key) -> Fragment:
        return single(NO_POOL, NO_POOL, *([numbers[key]] if key in numbers else []))

    fragment = superstep_graph(game, content, limit, barriers)
    tasks = {path: np.zeros(count, np.int32) for path, count in counts.items()}
    for mark in fragment.marks:
        path, number = mark.what
        tasks[path][number] = mark.tasks
    marks = tuple(TaskMap(work, tasks[path]) for path, work in works.items())
    return TaskGraph(whole(fragment, limit), marks, (), (), (LIMIT,) * fragment.own, {}, fragment.outline)


def _form(game: Played, key: Key) -> GraphForm:
    """The graph that a run is a node of."""
    form = game.form
    for name, _ in key[:-1]:
        inner = form.nodes[name].graph
        assert inner is not None
        form = inner
    return form


def _work(path: str, step: Step | None, runs: int, workflow: Workflow) -> Work:
    """What the runs of a node do: rounds of one work."""
    assert step is not None
    body = step.llm or step.agent or step.tool or step.human
    if body is None:
        raise ValueError(f"the node '{path}' does more than one thing: make a graph of it")
    model = step.model or workflow.model if step.kind in ("llm", "agent") else None
    values: Mapping[str, float] = {**workflow.parameters, "agents": 1}
    ratio = 1.0 if model is None else token_ratio(model, workflow.written_for, workflow.models)
    return Work(path, step.kind, bind(body, values, model), model, (Loop(runs),), ratio=ratio)
