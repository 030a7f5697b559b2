"""What every exported application begins and ends with."""

from __future__ import annotations

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
