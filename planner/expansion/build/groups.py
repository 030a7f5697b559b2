"""Steps and copies side by side: in the order of their needs, or in LangGraph's supersteps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.expansion.graph.fragments import (
    Fragment,
    fanned_out,
    raced,
    side_by_side,
)
from planner.expansion.graph.graph_form import form_from_needs
from planner.expansion.graph.outline import Dispatch, Part
from planner.expansion.supersteps.barriers import dispatched, superstep_graph
from planner.expansion.supersteps.runtime import Runtime
from planner.expansion.supersteps.subgraphs import into_subgraph
from planner.expansion.supersteps.token_game import no_routes, play


def grouped(
    children: Mapping[str, Fragment], needs: Mapping[str, tuple[str, ...]], runtime: Runtime, name: str
) -> Fragment:
    """The steps of the group `name`: each after those it needs, or in the supersteps of a graph."""
    if not runtime.graphs:
        return side_by_side(children, needs)
    form = form_from_needs(needs)
    for nodes in runtime.subgraphs.get(name, ()):
        form = into_subgraph(form, nodes)
    return superstep_graph(play(form, no_routes), lambda key: children[key[-1][0]], runtime.limit, runtime.barriers)


def copied(fragment: Fragment, count: int, race: bool, runtime: Runtime) -> Fragment:
    """Copies side by side: a race, or Sends that the runtime may limit."""
    if race:
        return raced(fragment, count)
    copies, size = fanned_out(fragment, count), len(fragment)
    runs: Sequence[tuple[int, int]] = [(1 + copy * size, (copy + 1) * size) for copy in range(count)]
    return dispatched(copies, Dispatch(len(copies), (Part(0, copies.outline),)), runs, runtime.limit)
