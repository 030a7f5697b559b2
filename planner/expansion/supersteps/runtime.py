"""What runs a workflow, as far as its times depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from planner.errors import Note
from planner.workflow.declaration import Workflow


def on_runtime(workflow: Workflow, runtime: str | None) -> Workflow:
    """The same workflow on another runtime; None: its own."""
    return workflow if runtime is None else workflow.model_copy(update={"runtime": runtime})


def runtime_notes(workflow: Workflow) -> tuple[Note, ...]:
    """A note that times are those of LangGraph, if they are."""
    runtime = Runtime.of(workflow)
    return (Note("langgraph-runtime", {"max_concurrency": runtime.limit}),) if runtime.barriers else ()


@dataclass(frozen=True)
class Runtime:
    """A runtime: by default a step begins when what it needs has ended.

    graphs : groups are graphs that run in LangGraph's order
    barriers : and a superstep of theirs waits for all of the one before
    limit : tasks at a time in each graph (`max_concurrency`), None: any number
    wrapped : by the name of a group, '' for the outermost, sets of its steps that are put into a subgraph
    """

    graphs: bool = False
    barriers: bool = False
    limit: int | None = None
    wrapped: Mapping[str, tuple[frozenset[str], ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow) -> Runtime:
        """As the workflow declares it."""
        if workflow.runtime != "langgraph":
            return cls()
        limit = None if workflow.max_concurrency is None else workflow.count(workflow.max_concurrency)
        return cls(True, True, limit)
