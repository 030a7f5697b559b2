"""Building blocks of an exported application: its fixed source, its functions and graphs, and its pools of agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.expansion.build.size_limits import count_at
from planner.expansion.graph.task_graph import DEFAULT_CREW, LEAD
from planner.langgraph_bridge.export.source import (
    Names,
    call,
    docstring,
    text,
)
from planner.reading.estimates.counts import CountValue
from planner.workflow.declaration import Step, Workflow

IMPORTS = """\
from __future__ import annotations

import asyncio
import operator
import random
from functools import cache
from typing import Annotated, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
"""

RETRIED = "RETRIED = (ConnectionError, TimeoutError)"

CLASSES = '''\
class Update(TypedDict, total=False):
    """Keys that nodes add to: steps that are done, and steps that failed."""

    log: Annotated[list[str], operator.add]
    failed: Annotated[list[str], operator.add]


class State(Update, total=False):
    """State of the graphs. TODO: add the keys that your steps read and write."""

    item: int
    round: int
    accepted: bool
    turns: int


Graph = CompiledStateGraph[State, None, State, Update]


def decide(what: str, chance: float) -> bool:
    """Decide at random. TODO: decide by the state; this chance is an estimate."""
    return random.random() < chance


async def within(
    graph: Graph,
    name: str,
    state: State,
    handled: tuple[str, ...] = (),
    all_of: int = 1,
) -> Update:
    """Run a subgraph. It fails if `all_of` steps fail that are not in `handled`."""
    found = await graph.ainvoke({"item": state.get("item", 0)})
    failed = [one for one in found.get("failed", []) if one not in handled]
    fails = [name] if len(failed) >= all_of else []
    return {"log": found.get("log", []), "failed": fails}'''

AGENTS = '''\
@cache
def slots(who: str, loop: asyncio.AbstractEventLoop) -> asyncio.Semaphore:
    """Agents in one event loop; a semaphore belongs to a single loop."""
    return asyncio.Semaphore(AGENTS[who])


def agent(who: str) -> asyncio.Semaphore:
    """Use as `async with agent(...)`: waits for a free agent, then releases it."""
    return slots(who, asyncio.get_running_loop())'''

MAIN = '''\
async def main() -> Update:
    """Run the workflow once."""
{invoked}
{returned}


if __name__ == "__main__":
    done = asyncio.run(main())
    print("done:", *done.get("log", []))
    print("failed:", *done.get("failed", []))
'''

KEYS = ("log", "failed", "item", "round", "accepted", "turns")
"""Keys of the state. In LangGraph, no node may have the name of a key."""

TAKEN = (
    "asyncio", "operator", "random", "cache", "annotated", "typeddict", "end", "start", "stategraph", "send", "state",
    "compiledstategraph", "retrypolicy", "retried", "update", "graph", "decide", "within", "main", "done", "workflow",
    "workflow_graph", "name", "found", "failed", "fails", "copies", "late", "copy", "accepted", "print", "range",
    "agents", "agent", "slots", "who", "loop", "list", "str", "int", "bool", "float", "tuple", "len",
)  # fmt: skip
"""Names that the fixed source of the application uses, in lower case. No function of a step may have such a name."""


@dataclass(frozen=True)
class ExportContext:
    """Place of a step in the workflow, and the settings that apply to the step.

    path : names of all steps from the outermost step to this step
    model : profile of the step; None: no profile is declared
    crew : crew to which the step belongs; None: the step belongs to no crew
    held : whether the step is part of a held item. One agent does all steps of a held item, one after another
    values : name of a parameter → value
    shared : whether the step is a copy that shares one agent with the other copies
    """

    path: tuple[str, ...]
    model: str | None
    crew: str | None
    held: bool
    values: Mapping[str, float]
    shared: bool = False


@dataclass(frozen=True)
class Node:
    """A node of an exported LangGraph graph.

    name : name of the node
    function : name of the function that the node calls
    policy : Python text of further arguments for the call of `add_node`
    """

    name: str
    function: str
    policy: tuple[str, ...] = ()


class SourceBuilder:
    """Collects the source of an application: its functions, its pools of agents, and its imports."""

    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow, self.sizes = workflow, sizes
        self.names = Names(TAKEN)
        self.sections: list[str] = []
        self.pools: dict[str, int] = {}  # name of a pool → its number of agents
        self.imports: set[str] = set()

    def add(self, *lines: str) -> None:
        self.sections.append("\n".join(lines))

    def function(
        self, name: str, about: str, body: Sequence[str], lines: Sequence[str] = (), to: str = "Update"
    ) -> None:
        """Add the source of an async function. The function takes the state of a graph.

        about : summary in the function's docstring
        body : source lines of the function's body
        lines : further lines in the function's docstring
        to : return type of the function
        """
        self.add(f"async def {name}(state: State) -> {to}:", *docstring(about, lines), *body)

    def step_name(self, context: ExportContext, suffix: str) -> str:
        """Return an unused name for a function that belongs to a step. The name ends with `suffix`."""
        return self.names.unique(*context.path[:-1], f"{context.path[-1]}_{suffix}")

    def count(self, declared: CountValue, context: ExportContext) -> int:
        return count_at(declared, context.values, self.agents(context))

    def agents(self, context: ExportContext) -> int | None:
        """Return the number of agents that may do a step. None: the number is not limited."""
        return self.sizes.get(context.crew or DEFAULT_CREW, 1 if context.crew == LEAD else None)

    def agent_of(self, name: str, size: int) -> str:
        """Add a pool of agents to the application. Return a source expression that waits for one of these agents."""
        self.pools[name] = size
        return f"agent({text(name)})"

    def agent_for(self, context: ExportContext, step: Step) -> str | None:
        """Return a source expression that waits for the agent that does a step, or None if the step needs no agent.

        A step outside of crews needs an agent only if the scenario limits the number of agents.
        """
        size = self.agents(context)
        requests = step.kind in ("llm", "agent")
        holds = context.held and step.kind == "tool" and step.hold is not False
        if size is None or context.shared or not (requests or step.crew is not None or holds):
            return None
        return self.agent_of(context.crew or DEFAULT_CREW, size)

    def graph_function(self, function: str, about: str, nodes: Sequence[Node], edges: Sequence[str]) -> None:
        """Add the source of the function `{function}_graph`. The function builds a graph and caches the graph."""
        lines = ["@cache", f"def {function}_graph() -> Graph:", *docstring(about)]
        lines.append("    graph = StateGraph(State, output_schema=Update)")
        for node in nodes:
            lines += call("    graph.add_node(", [text(node.name), node.function, *node.policy])
        self.add(*lines, *edges, *call("    return graph.compile(", [f"name={text(function)}"]))

    def routed_graph(
        self, function: str, about: str, nodes: Sequence[Node], router: str, sources: Sequence[str]
    ) -> None:
        """Add the source of a function that builds a graph with conditional edges.

        router : name of the function that chooses the next nodes. All conditional edges use this function
        sources : nodes from which the conditional edges start, as Python expressions
        """
        targets = f"[{', '.join([*(text(node.name) for node in nodes), 'END'])}]"
        edges = [
            line for source in sources for line in call("    graph.add_conditional_edges(", [source, router, targets])
        ]
        self.graph_function(function, about, nodes, edges)

    def subgraph_node(self, function: str, about: str, options: Sequence[str] = (), agent: str | None = None) -> None:
        """Add the Python text of a node's function, which runs a subgraph.

        function : name of the node's function. The subgraph is the result of another function, `{function}_graph`
        about : docstring of the node's function
        options : Python texts of further arguments for the call that runs the subgraph
        agent : Python expression that is entered with `async with`. It seizes one agent for the time of the whole
            subgraph. None: the subgraph as a whole needs no agent
        """
        arguments = [f"{function}_graph()", text(function), "state", *options]
        indent = "    " if agent is None else "        "
        head = [] if agent is None else [f"    async with {agent}:"]
        self.function(function, about, [*head, *call(f"{indent}return await within(", arguments)])
