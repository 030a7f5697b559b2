"""What the parts of an exported application are made of: functions, graphs, and the queues of crews."""

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
from planner.workflow.declaration import Workflow

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

FRAME = '''\
RETRIED = (ConnectionError, TimeoutError)


class Update(TypedDict, total=False):
    """What nodes add to: the steps that are done, and those that have failed."""

    log: Annotated[list[str], operator.add]
    failed: Annotated[list[str], operator.add]


class State(Update, total=False):
    """What a graph's nodes see. TODO: add what your steps read and write."""

    item: int
    round: int
    accepted: bool
    turns: int


Graph = CompiledStateGraph[State, None, State, Update]


def decide(what: str, chance: float) -> bool:
    """Whether something happens. TODO: decide by what the state holds."""
    return random.random() < chance


async def within(
    graph: Graph,
    name: str,
    state: State,
    handled: tuple[str, ...] = (),
    all_of: int = 1,
) -> Update:
    """Run a graph of its own. It fails where so much fails that nothing handles."""
    found = await graph.ainvoke({"item": state.get("item", 0)})
    failed = [one for one in found.get("failed", []) if one not in handled]
    fails = [name] if len(failed) >= all_of else []
    return {"log": found.get("log", []), "failed": fails}
'''

AGENTS = '''\
@cache
def slots(who: str, loop: asyncio.AbstractEventLoop) -> asyncio.Semaphore:
    """The agents of an event loop, which no other can wait for."""
    return asyncio.Semaphore(AGENTS[who])


def agent(who: str) -> asyncio.Semaphore:
    """Wait for an agent and give it back, by `async with`."""
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
"""Keys of the state, which no node may be named like."""

TAKEN = (
    "asyncio", "operator", "random", "cache", "annotated", "typeddict", "end", "start", "stategraph", "send", "state",
    "compiledstategraph", "retrypolicy", "retried", "update", "graph", "decide", "within", "main", "done", "workflow",
    "workflow_graph", "name", "found", "failed", "fails", "copies", "late", "copy", "accepted", "print", "range",
    "agents", "agent", "slots", "who", "loop", "list", "str", "int", "bool", "float", "tuple", "len",
)  # fmt: skip
"""Names that an application uses for itself."""


@dataclass(frozen=True)
class ExportContext:
    """What is around a step: names of steps, model, crew, whether it is an item, values of parameters."""

    path: tuple[str, ...]
    model: str | None
    crew: str | None
    item: bool
    values: Mapping[str, float]


@dataclass(frozen=True)
class Node:
    """A node to be put into a graph: its name there, the function that does it, and its policy."""

    name: str
    function: str
    policy: tuple[str, ...] = ()


class Parts:
    """The functions that are written so far, and what they use."""

    def __init__(self, workflow: Workflow, sizes: Mapping[str, int]) -> None:
        self.workflow, self.sizes = workflow, sizes
        self.names = Names(TAKEN)
        self.sections: list[str] = []
        self.queues: dict[str, int] = {}  # name of a pool → its size
        self.imports: set[str] = set()

    def add(self, *lines: str) -> None:
        self.sections.append("\n".join(lines))

    def function(
        self, name: str, about: str, body: Sequence[str], lines: Sequence[str] = (), to: str = "Update"
    ) -> None:
        """An async function of the state."""
        self.add(f"async def {name}(state: State) -> {to}:", *docstring(about, lines), *body)

    def own(self, here: ExportContext, what: str) -> str:
        """The name of something that belongs to a step."""
        return self.names.of(*here.path[:-1], f"{here.path[-1]}_{what}")

    def count(self, declared: CountValue, here: ExportContext) -> int:
        return count_at(declared, here.values, self.agents(here))

    def agents(self, here: ExportContext) -> int:
        return self.sizes.get(here.crew or DEFAULT_CREW, 1)

    def pool(self, here: ExportContext) -> tuple[str, int]:
        """Who does a step, and how many they are: a crew, or the lead, which a crew of one is too."""
        if not self.workflow.crews:
            return DEFAULT_CREW, self.agents(here)
        several = here.crew is not None and self.agents(here) > 1
        return (here.crew or LEAD, self.agents(here)) if several else (LEAD, 1)

    def queue(self, name: str, size: int) -> str:
        """What waits for an agent of a pool."""
        self.queues[name] = size
        return f"agent({text(name)})"

    def build(self, function: str, about: str, nodes: Sequence[Node], edges: Sequence[str]) -> None:
        lines = ["@cache", f"def {function}_graph() -> Graph:", *docstring(about)]
        lines.append("    graph = StateGraph(State, output_schema=Update)")
        for node in nodes:
            lines += call("    graph.add_node(", [text(node.name), node.function, *node.policy])
        self.add(*lines, *edges, *call("    return graph.compile(", [f"name={text(function)}"]))

    def routed(self, function: str, about: str, nodes: Sequence[Node], router: str, sources: Sequence[str]) -> None:
        """A graph whose conditional edges all ask one function."""
        targets = f"[{', '.join([*(text(node.name) for node in nodes), 'END'])}]"
        edges = [
            line for source in sources for line in call("    graph.add_conditional_edges(", [source, router, targets])
        ]
        self.build(function, about, nodes, edges)

    def within(self, function: str, about: str, of: Sequence[str] = ()) -> None:
        """A node that runs the graph of the same name."""
        arguments = [f"{function}_graph()", text(function), "state", *of]
        self.function(function, about, call("    return await within(", arguments))
