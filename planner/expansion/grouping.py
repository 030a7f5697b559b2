"""Steps and copies side by side, as the runtime has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.expansion.fragments import Fragment, fanned_out, raced, side_by_side
from planner.expansion.graph_form import of_needs
from planner.expansion.layout import laid_out, sent
from planner.expansion.outline import Part, Sent
from planner.expansion.runtime import Runtime
from planner.expansion.supersteps import no_routes, played
from planner.expansion.wrapping import wrapped


def grouped(
    children: Mapping[str, Fragment], needs: Mapping[str, tuple[str, ...]], runtime: Runtime, name: str
) -> Fragment:
    """The steps of the group `name`: each after what it needs, or in the supersteps of a graph."""
    if not runtime.graphs:
        return side_by_side(children, needs)
    form = of_needs(needs)
    for nodes in runtime.wrapped.get(name, ()):
        form = wrapped(form, nodes)
    return laid_out(played(form, no_routes), lambda key: children[key[-1][0]], runtime.limit, runtime.barriers)


def copied(fragment: Fragment, count: int, race: bool, runtime: Runtime) -> Fragment:
    """Copies: a race, or Sends that take turns where the runtime limits them."""
    if race:
        return raced(fragment, count)
    copies, size = fanned_out(fragment, count), len(fragment)
    runs: Sequence[tuple[int, int]] = [(1 + copy * size, (copy + 1) * size) for copy in range(count)]
    return sent(copies, Sent(len(copies), (Part(0, copies.outline),)), runs, runtime.limit)
