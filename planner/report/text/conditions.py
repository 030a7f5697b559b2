"""When a work is done, how often and by how many, in words."""

from __future__ import annotations

from collections.abc import Iterator

from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    ConflictOccurs,
    Guard,
    ItemExists,
    Round,
    StepFailed,
)
from planner.expansion.graph.work import (
    Rework,
    Stagger,
    Syncing,
    Work,
)
from planner.workflow.bodies import Wait


def conditions(work: Work) -> Iterator[str]:
    """When it is done, how often, and by how many."""
    for loop in work.loops:
        if loop.items:
            sized = loop.size is not None and not work.coordination and work.kind != "human"
            size = f", each {loop.size} of the mean size" if sized else ""
            drawn = "at most " if any(isinstance(guard, ItemExists) for guard in _guards(work.guard)) else ""
            yield f"{drawn}{loop.count:,} {'agents' if work.kind in ('ramp_up', 'stagger') else 'items'}{size}"
            if loop.same is not None:
                again = loop.count - len(set(loop.same))
                yield f"{again:,} of these are redundant: another agent does the same item"
        elif loop.kind == "copies":
            yield f"{loop.count:,} copies"
        elif not any(loop is guard.loops[-1] for guard in _guards(work.guard) if guard.loops):
            yield f"{loop.count:,} rounds"
    for guard in reversed(list(_guards(work.guard))):
        yield _condition(guard)
    body = work.body
    if isinstance(body, Syncing):
        n = body.agents.most
        yield f"{n} / {body.every} of a request that reads {n - 1} message{'' if n == 2 else 's'} and writes one"
    elif isinstance(body, Stagger):
        yield f"agent j, from 0, comes after j · {body.seconds:g}s"
    elif isinstance(body, Rework):
        yield f"{body.share:.3g} of what the item took"
    elif isinstance(body, Wait) and body.leaves is not None:
        yield "away for leaves.back more, if they waited for longer than leaves.after"


def _guards(guard: Guard | None) -> Iterator[Guard]:
    while guard is not None:
        yield guard
        guard = guard.parent


def _condition(guard: Guard) -> str:
    if isinstance(guard, ChanceHolds):
        return f"with a chance of {100 * (guard.high - guard.low):.3g}%"
    if isinstance(guard, Round):
        return f"in rounds, until one is accepted with {100 * guard.until:.3g}%, at most {guard.loops[-1].count}"
    if isinstance(guard, Attempt):
        late = f" or takes over {guard.timeout:g}s" if guard.timeout is not None else ""
        return f"in attempts, each of which fails with {100 * guard.chance:.3g}%{late}, at most {guard.loops[-1].count}"
    if isinstance(guard, ConflictOccurs):
        c, n = guard.chance, guard.agents.most
        chance = 1 - (1 - c) ** (n - 1)
        return f"conflict: 1 − (1 − {c:g})^({n} − 1) = {100 * chance:.3g}%, at most {guard.loops[-1].count} times"
    if isinstance(guard, ItemExists):
        return f"as many as the number of items, drawn from {guard.counted.estimate}"
    assert isinstance(guard, StepFailed)
    return f"where '{guard.outcome.path}' fails"
