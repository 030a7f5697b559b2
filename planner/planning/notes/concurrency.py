"""Notes on speeds that depend on concurrency: loads that were not measured, and pauses that the speeds ignore."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from planner.catalogue.profile import Profile
from planner.errors import Note
from planner.expansion.graph.task_graph import TaskGraph
from planner.reading.estimates.curves import Curve
from planner.sampling.batch import Batch
from planner.workflow.bodies import AgentLoop, Call, Wait


def concurrency(batches: Iterable[Batch]) -> tuple[Note, ...]:
    """Return notes on models with curves. A curve gives the speed for each number of concurrent requests.

    One kind of note lists the numbers of concurrent requests that a curve does not cover.
    Another kind reports pauses between requests, for example for tools, because curves are meant for requests without
    pauses.

    batches : simulated batches. Scenarios that the user did not request are ignored
    """
    numbers: dict[str, set[int]] = {}
    models: dict[str, Profile] = {}
    paused: set[int] = set()
    for batch in batches:
        curved = {name: profile for name, profile in batch.models.items() if profile.by_concurrency}
        models |= curved
        for group in batch.groups if curved else ():
            if not any(batch.points[at].requested and not batch.points[at].uncontended for at in group.points):
                continue
            for name in curved:
                numbers.setdefault(name, set()).add(group.requests)
            if group.requests > 1 and _pauses(group.graph, curved):
                paused.add(group.requests)
    outside = [note for name, requests in numbers.items() for note in _outside(models[name], sorted(requests))]
    if not paused:
        return tuple(outside)
    return (*outside, Note("constant-concurrency", {"requests": tuple(sorted(paused))}))


def _outside(profile: Profile, requests: Sequence[int]) -> Iterator[Note]:
    """Yield a note for each curve of a profile that does not cover all of `requests`.

    Curves that start and end at the same numbers share one note.

    requests : numbers of concurrent requests, in rising order
    """
    curves = {"ttft": profile.ttft, "output_speed": profile.output_speed}
    ends = {key: (one.points[0][0], one.points[-1][0]) for key, one in curves.items() if isinstance(one, Curve)}
    for least, most in dict.fromkeys(ends.values()):
        below = tuple(number for number in requests if number < least)
        above = tuple(number for number in requests if number > most)
        own = [key for key, both in ends.items() if both == (least, most)]
        if below or above:
            curve = None if len(own) == len(ends) else own[0]
            values = {"least": least, "most": most, "below": below, "above": above}
            yield Note("outside-curve", {"model": profile.name, "curve": curve, **values})


def _pauses(graph: TaskGraph, curved: Collection[str]) -> bool:
    """Return whether there are pauses between requests to the models in `curved`, for example to use tools."""
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
