"""Limits on how many runs of a fan-out, or of a superstep, are active at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from planner.engine.arrays import Ints
from planner.expansion.graph.fragments import LIMIT, NO_POOL, OWN_POOL, Fragment, People, TaskMap
from planner.expansion.graph.outline import Dispatch, Part


def with_own_pool(
    fragment: Fragment, name: str, slots: int, seizing: Sequence[int], releasing: Sequence[int]
) -> Fragment:
    """Return the fragment with one more pool, which belongs only to this fragment.

    name, slots : name and number of slots of the pool
    seizing : tasks that seize a slot of the pool
    releasing : tasks that release a slot of the pool
    """

    def moved(pools: Ints, tasks: Sequence[int]) -> Ints:
        new = pools.copy()
        new[list(tasks)] = OWN_POOL - len(fragment.own_pools)
        return new

    acquire, release = moved(fragment.acquire, seizing), moved(fragment.release, releasing)
    return replace(fragment, acquire=acquire, release=release, own_pools=(*fragment.own_pools, (name, slots)))


def dispatched(fragment: Fragment, outline: Dispatch, runs: Sequence[tuple[int, int]], limit: int | None) -> Fragment:
    """Return a fan-out in which at most `limit` runs are active at the same time.

    fragment : the fan-out without a limit. It begins and ends with a task without work, and so does each of its parts
    outline : tree that describes how the tasks of the fan-out are composed
    runs : first and last task of each run, in the order in which the runs are sent
    limit : largest number of active runs; None: no limit

    If there are more than `limit` runs, each run gets two more tasks. One seizes a slot before the run, the other
    releases it afterwards. Seizing tasks are numbered before all runs, and releasing tasks after all runs.
    """
    if limit is None or len(runs) <= limit:
        return replace(fragment, outline=outline)
    count, last = len(runs), fragment.exit
    frame = {0, last, *(edge for part in outline.parts for edge in (part.at, part.at + part.outline.size - 1))}
    seizing = {first: 1 + number for number, (first, _) in enumerate(runs)}
    releasing = {end: last + count + number for number, (_, end) in enumerate(runs)}
    moved = np.arange(len(fragment), dtype=np.int32) + count  # old task → new task
    moved[0], moved[last] = 0, last + 2 * count

    def edge(source: int, target: int) -> tuple[int, int]:
        return (
            releasing[source] if source in releasing and target in frame else int(moved[source]),
            seizing[target] if target in seizing and source in frame else int(moved[target]),
        )

    edges = [edge(source, target) for source, target in fragment.edges.tolist()]
    edges += [(seizing[first], int(moved[first])) for first, _ in runs]
    edges += [(int(moved[end]), releasing[end]) for _, end in runs]
    no_pools = np.full(len(fragment) + 2 * count, NO_POOL, np.int32)
    acquire, release = no_pools.copy(), no_pools.copy()
    acquire[moved], release[moved] = fragment.acquire, fragment.release
    people = fragment.people
    last_person = int(moved[people.last]) if people.last >= 0 else -1
    moved_outline = Dispatch(
        len(no_pools),
        tuple(Part(part.at + count, part.outline) for part in outline.parts),
        tuple((source + count, target + count) for source, target in outline.joints),
        outline.order,
        limited=True,
    )
    whole = Fragment(
        acquire,
        release,
        np.array(edges, np.int32),
        tuple(TaskMap(task_map.subject, moved[task_map.tasks]) for task_map in fragment.task_maps),
        np.stack([moved[fragment.races[:, 0]], moved[fragment.races[:, 1] - 1] + 1], axis=1),
        np.stack([moved[fragment.exits[:, 0]], fragment.exits[:, 1], moved[fragment.exits[:, 2]]], axis=1),
        People(moved[people.previous], moved[people.first], last_person),
        fragment.own_pools,
        moved_outline,
    )
    return with_own_pool(whole, LIMIT, limit, list(seizing.values()), list(releasing.values()))
