"""The runtime of a workflow: plain dataflow or supersteps. It determines the layout of steps and copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from planner.errors import Note
from planner.expansion.graph.fragments import (
    Fragment,
    fanned_out,
    in_group,
    raced,
)
from planner.expansion.graph.graph_form import form_from_needs
from planner.expansion.graph.order import Steps, sorted_by_name
from planner.expansion.graph.outline import Dispatch, Part
from planner.expansion.supersteps.limits import dispatched
from planner.workflow.declaration import Workflow


def on_runtime(workflow: Workflow, runtime: str | None) -> Workflow:
    """Return the workflow with `runtime` as its runtime. If `runtime` is None, return the workflow unchanged."""
    return workflow if runtime is None else workflow.model_copy(update={"runtime": runtime})


def runtime_notes(workflow: Workflow) -> tuple[Note, ...]:
    """Return a note about times on LangGraph if the workflow runs on LangGraph. Otherwise return an empty tuple."""
    runtime = Runtime.of(workflow)
    return (Note("langgraph-runtime", {"max_concurrency": runtime.limit}),) if runtime.barriers else ()


@dataclass(frozen=True)
class Runtime:
    """The rules by which steps start. By default, a step starts when all steps that it needs have ended.

    graphs : whether groups run as LangGraph graphs
    barriers : whether a superstep of a graph waits for all runs of the previous superstep
    limit : largest number of concurrent tasks in each graph (`max_concurrency`); None: no limit
    subgraphs : name of a group → sets of its steps. Each set becomes a subgraph. The outermost group has the name ''
    """

    graphs: bool = False
    barriers: bool = False
    limit: int | None = None
    subgraphs: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow) -> Runtime:
        """Return the runtime that a workflow declares."""
        if workflow.runtime != "langgraph":
            return cls()
        limit = None if workflow.max_concurrency is None else workflow.count(workflow.max_concurrency)
        return cls(graphs=True, barriers=True, limit=limit)

    def ordered(self, steps: Steps) -> Steps:
        """Return the steps of a group in the order in which they get agents if they start at the same time.

        On LangGraph, this is the order of names. Otherwise it is the order of the file.
        """
        return sorted_by_name(steps) if self.graphs else steps


def grouped(
    children: Mapping[str, Fragment], needs: Mapping[str, tuple[str, ...]], runtime: Runtime, name: str
) -> Fragment:
    """Return the tasks of the group `name`, laid out for a runtime.

    If `runtime.graphs` is true, the group runs as a LangGraph graph. Otherwise each step starts after all steps that it
    needs.

    children : the tasks of each step
    """
    if not runtime.graphs:
        return in_group(children, needs)
    from planner.expansion.supersteps.barriers import superstep_graph  # most workflows do not need these modules
    from planner.expansion.supersteps.subgraphs import into_subgraph
    from planner.expansion.supersteps.token_game import no_routes, play

    form = form_from_needs(needs)
    for nodes in runtime.subgraphs.get(name, ()):
        form = into_subgraph(form, nodes)
    return superstep_graph(play(form, no_routes), lambda key: children[key[-1][0]], runtime.limit, runtime.barriers)


def copied(fragment: Fragment, count: int, race: bool, runtime: Runtime) -> Fragment:
    """Return `count` copies of a fragment side by side.

    race : whether the copies race. If the copies do not race, the runtime may limit how many copies run concurrently
    """
    if race:
        return raced(fragment, count)
    copies, size = fanned_out(fragment, count), len(fragment)
    runs: Sequence[tuple[int, int]] = [(1 + copy * size, (copy + 1) * size) for copy in range(count)]
    return dispatched(copies, Dispatch(len(copies), (Part(0, copies.outline),)), runs, runtime.limit)
