"""What a reader must know of speeds by concurrency: where they were not measured, and what they leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from planner.catalogue.profile import Profile
from planner.expansion.graph.task_graph import TaskGraph
from planner.reading.estimates.curves import Curve
from planner.sampling.batch import Batch
from planner.workflow.bodies import AgentLoop, Call, Wait


def concurrency(plans: Iterable[Batch]) -> tuple[str, ...]:
    """A sentence for each curve that is read beyond its points, and one if fewer requests are open than it is read at.

    Scenarios that come along with what was asked for, and those in which no request slows another, do not count.
    """
    outside: dict[str, None] = {}
    numbers: dict[str, set[int]] = {}
    models: dict[str, Profile] = {}
    paused: set[int] = set()
    for plan in plans:
        curved = {name: profile for name, profile in plan.models.items() if profile.by_concurrency}
        models |= curved
        for group in plan.groups if curved else ():
            if not any(plan.points[at].requested and not plan.points[at].uncontended for at in group.points):
                continue
            for name in curved:
                numbers.setdefault(name, set()).add(group.requests)
            if group.requests > 1 and _pauses(group.graph, curved):
                paused.add(group.requests)
    for name, requests in numbers.items():
        outside |= dict.fromkeys(_outside(models[name], sorted(requests)))
    if not paused:
        return tuple(outside)
    return (
        *outside,
        f"Speeds by concurrency are those of {_listed(sorted(paused))} requests at a time, as if every agent always "
        "had one open; while tools run there are fewer, which makes times too long rather than too short.",
    )


def _outside(profile: Profile, requests: Sequence[int]) -> Iterator[str]:
    """A sentence for what is read below the first point of a curve or above the last."""
    curves = {"ttft": profile.ttft, "output_speed": profile.output_speed}
    ends = {key: (one.points[0][0], one.points[-1][0]) for key, one in curves.items() if isinstance(one, Curve)}
    for least, most in dict.fromkeys(ends.values()):
        below = [number for number in requests if number < least]
        above = [number for number in requests if number > most]
        own = [key for key, both in ends.items() if both == (least, most)]
        name = profile.name if len(own) == len(ends) else f"{own[0]} of {profile.name}"
        known = f"{least:,}" if least == most else f"{least:,} to {most:,}"
        taken = [f"{_listed(below)} {_verb('take', below)} the numbers at {least:,}"] if below else []
        taken += [f"{_listed(above)} {_verb('share', above)} the total of {most:,}"] if above else []
        if taken:
            yield f"{name}: known for {known} requests at a time, not measured elsewhere: {'; '.join(taken)}."


def _pauses(graph: TaskGraph, curved: Collection[str]) -> bool:
    """Whether something else is done between requests to these models, within an agent loop or an item."""
    asking: set[str] = set()
    pausing: set[str] = set()
    for mark in graph.works:
        work = mark.subject
        fan_outs = {loop.path for loop in work.loops if loop.items}
        if work.model in curved:
            if isinstance(work.body, AgentLoop) and work.body.tool is not None:
                return True
            asking |= fan_outs
        elif isinstance(work.body, Call | Wait):
            pausing |= fan_outs
    return not asking.isdisjoint(pausing)


def _verb(verb: str, numbers: Sequence[int]) -> str:
    return verb if len(numbers) > 1 else f"{verb}s"


def _listed(numbers: Sequence[int]) -> str:
    """Up to three of them, or the first to the last."""
    told = [f"{number:,}" for number in numbers]
    if len(told) > 3:
        return f"{told[0]} to {told[-1]}"
    return " and ".join(part for part in (", ".join(told[:-1]), told[-1]) if part)
