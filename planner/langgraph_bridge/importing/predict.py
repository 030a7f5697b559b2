"""What the kernel makes of a graph that has been played: when every node starts and ends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from planner.engine.simulation import (
    Graph,
    build_graph,
    round_to_ticks,
    simulate,
)
from planner.expansion.graph.fragments import (
    NO_POOL,
    Fragment,
    numbered,
    single,
)
from planner.expansion.supersteps.barriers import superstep_graph
from planner.expansion.supersteps.token_game import Key, Played


def predicted(
    game: Played, seconds: Callable[[Key], float], limit: int | None, barriers: bool = True
) -> tuple[dict[Key, tuple[float, float]], float]:
    """Start and end of every run, also of those that are graphs, and of all; seconds are rounded to ticks.

    seconds : that a run takes which is no graph
    limit, barriers : as for `superstep_graph`
    """
    fragment = superstep_graph(game, lambda key: single(NO_POOL, NO_POOL), limit, barriers, marked=True)
    spans = {mark.what.key: mark.tasks.tolist() for mark in fragment.marks}
    durations = np.zeros((1, len(fragment)))
    for key, run in game.runs():
        if run.inner is None:
            durations[0, spans[key][0]] = seconds(key)
    schedule = simulate(whole(fragment, limit), round_to_ticks(durations), recorded=True)
    starts, ends = schedule.starts[0].tolist(), schedule.ends[0].tolist()
    return {key: (starts[first], ends[last]) for key, (first, last) in spans.items()}, float(schedule.makespan[0])


def whole(fragment: Fragment, limit: int | None) -> Graph:
    """A fragment without crews as a graph for the kernel."""
    acquire, release = numbered(fragment.acquire, 0), numbered(fragment.release, 0)
    capacity = [limit or 1] * fragment.own
    return build_graph(len(fragment), fragment.edges, acquire=acquire, release=release, capacity=capacity)
