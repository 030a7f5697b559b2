"""The runtime of a workflow: plain dataflow or LangGraph, as far as times depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.errors import Note
from planner.workflow.declaration import Workflow


def on_runtime(workflow: Workflow, runtime: str | None) -> Workflow:
    """The same workflow on another runtime; None: on its own."""
    return workflow if runtime is None else workflow.model_copy(update={"runtime": runtime})


def runtime_notes(workflow: Workflow) -> tuple[Note, ...]:
    """A note on times under LangGraph, if the workflow runs on it."""
    runtime = Runtime.of(workflow)
    return (Note("langgraph-runtime", {"max_concurrency": runtime.limit}),) if runtime.barriers else ()


@dataclass(frozen=True)
class Runtime:
    """A runtime. By default (dataflow) a step begins when the steps that it needs have ended.

    graphs : groups are graphs that run in LangGraph's order
    barriers : a superstep of a graph waits for all of the one before
    limit : concurrent tasks in each graph (`max_concurrency`); None: any number
    subgraphs : name of a group ('': the outermost) → sets of its steps that are put into a subgraph each
    """

    graphs: bool = False
    barriers: bool = False
    limit: int | None = None
    subgraphs: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow) -> Runtime:
        """The runtime that a workflow declares."""
        if workflow.runtime != "langgraph":
            return cls()
        limit = None if workflow.max_concurrency is None else workflow.count(workflow.max_concurrency)
        return cls(graphs=True, barriers=True, limit=limit)
