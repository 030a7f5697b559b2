"""The kernel with its checks: build a `Graph` once, then schedule any number of samples of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planner import engine
from planner.engine.arrays import Floats, Ints

TICK = 2.0**-20
"""All durations are multiples of this number of seconds. So sums are exact, and equal times compare equal."""

LONGEST = 2.0**32
"""Every duration must be below this number of seconds."""

EXACT = 2.0**33
"""Sums of ticks are exact in binary64 below this number of seconds."""


def round_to_ticks(seconds: Floats) -> Floats:
    """Round durations in seconds to the nearest multiples of 2⁻²⁰ s, in place."""
    np.multiply(seconds, 1 / TICK, out=seconds)
    np.rint(seconds, out=seconds)
    return np.multiply(seconds, TICK, out=seconds)


def _ints(values: ArrayLike) -> Ints:
    return np.ascontiguousarray(values, np.int32)


def _none() -> Ints:
    return np.empty(0, np.int32)


@dataclass(frozen=True, eq=False)
class Graph:
    """A graph of n tasks, for the kernel. The tasks have the numbers 0 to n − 1.

    If two tasks become ready at the same time, the task with the lower number goes first. In a race, several copies of
    a piece of work run until one copy ends. The last task of each copy is called its exit.

    successor_start, successors : successors of task i are ``successors[successor_start[i]:successor_start[i+1]]``
    in_degree : for each task, the number of predecessors that it waits for. All exits of one race count as one
        predecessor
    acquire : for each task, the pool in which it seizes a slot at its start; −1: it seizes no slot
    release : for each task, the pool in which it releases a slot at its end; −1: it releases no slot. One task can
        seize a slot, and a later task can release this slot. Skipped tasks seize and release no slot
    capacity : number of slots of each pool
    crew : for each pool, 1 or 0. It decides how the critical path continues before a task that waited for a slot of
        the pool. With 1, the path contains the wait. With 0, the path contains the task that held the slot
    race : for the exit of each copy, the number of the race; −1 for any other task
    copy_lo : for the exit of each copy, the first task of the copy; −1 for any other task
    race_lo : for each race, the first task of its copies
    race_hi : for each race, the number after the last task of its copies
    leave : index into `since` for each task of a person who may leave; −1 for any other task
    since : for each task of a person who may leave, the task at whose end the person begins to wait. The person leaves
        if the wait exceeds ``patience`` seconds, an argument of `simulate`. Then the person's task takes ``away``
        seconds longer, another argument of `simulate`

    Raises ValueError if the arrays are inconsistent.
    """

    successor_start: Ints
    successors: Ints
    in_degree: Ints
    acquire: Ints
    release: Ints
    capacity: Ints
    crew: Ints
    race: Ints
    copy_lo: Ints
    race_lo: Ints = field(default_factory=_none)
    race_hi: Ints = field(default_factory=_none)
    leave: Ints = field(default_factory=_none)
    since: Ints = field(default_factory=_none)

    def __post_init__(self) -> None:
        n = len(self.in_degree)
        pools, races = len(self.capacity), len(self.race_lo)
        if n == 0:
            raise ValueError("a graph needs at least one task")
        if len(self.leave) == 0:
            object.__setattr__(self, "leave", np.full(n, -1, np.int32))
        for name in ("acquire", "release", "race", "copy_lo", "leave"):
            if len(getattr(self, name)) != n:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries for {n} tasks")
        if (
            len(self.successor_start) != n + 1
            or self.successor_start[0] != 0
            or np.any(np.diff(self.successor_start) < 0)
        ):
            raise ValueError("successor_start must rise from 0 in n + 1 entries")
        if self.successor_start[-1] != len(self.successors):
            raise ValueError("successor_start must end at the number of successors")
        if len(self.crew) != pools or len(self.race_hi) != races:
            raise ValueError("crew needs an entry for each pool, race_hi one for each race")
        ranges = {
            "successors": (0, n), "acquire": (-1, pools), "release": (-1, pools), "race": (-1, races),
            "copy_lo": (-1, n), "leave": (-1, len(self.since)), "since": (0, n),
            "race_lo": (0, n), "race_hi": (0, n + 1),
        }  # fmt: skip
        for name, (low, high) in ranges.items():
            values = getattr(self, name)
            if len(values) and (values.min() < low or values.max() >= high):
                raise ValueError(f"{name} must lie in {low}…{high - 1}")
        if pools and self.capacity.min() < 1:
            raise ValueError("capacity must be at least 1 in each pool")
        exits = np.flatnonzero(self.race >= 0)
        race = self.race[exits]
        if np.any(
            (self.copy_lo[exits] < self.race_lo[race]) | (self.copy_lo[exits] > exits) | (exits >= self.race_hi[race])
        ):
            raise ValueError("the copy of a race's exit must lie within the race")

    def __len__(self) -> int:
        return len(self.in_degree)

    @cached_property
    def queue_lo(self) -> Ints:
        """(pools + 1,) positions in one array that contains the queues of all pools.

        Entry i is the position at which the queue of pool i starts. The last entry is the length of the array.
        """
        taken = self.acquire[self.acquire >= 0]
        counts = np.bincount(taken, minlength=len(self.capacity))
        return _ints(np.concatenate(([0], np.cumsum(counts))))

    def with_capacity(self, capacity: ArrayLike) -> Graph:
        """Return a copy of the graph with different pool sizes.

        In the copy, the critical path contains waits for pools of several slots. For a pool of one slot, it contains
        the task that held the slot instead of the wait.

        capacity : number of slots of each pool
        """
        if len(np.asarray(capacity)) != len(self.capacity):
            raise ValueError(f"the graph has {len(self.capacity)} pools")
        return replace(self, capacity=_ints(capacity), crew=_ints(np.asarray(capacity) > 1))


def build_graph(
    n: int,
    edges: ArrayLike,
    *,
    acquire: ArrayLike | None = None,
    release: ArrayLike | None = None,
    capacity: ArrayLike = (),
    crew: ArrayLike | None = None,
    races: dict[int, tuple[int, int]] | None = None,
    exits: dict[int, tuple[int, int]] | None = None,
    leaves: dict[int, int] | None = None,
) -> Graph:
    """Build a `Graph` from its edges, which are pairs (predecessor, successor).

    In a race, several copies of a piece of work run until one copy ends. A task with several copies of one race as
    predecessors waits until one of these copies ends.

    n : number of tasks
    acquire : for each task, the pool in which it seizes a slot; −1: none. Default: no task seizes a slot
    release : for each task, the pool in which it releases a slot; −1: none. Default: equal to `acquire`
    capacity : number of slots of each pool
    crew : for each pool, 1 if the critical path contains waits for its slots, otherwise 0. Default: 1 for each pool
    races : key of a race → (number of the first task of its copies, number after the last task of its copies)
    exits : last task of a copy → (key of the race, first task of the copy)
    leaves : task of a person who may leave while waiting → earlier task at whose end the person begins to wait
    """
    pairs = np.asarray(edges, np.int32).reshape(-1, 2)
    source, target = pairs[:, 0], pairs[:, 1]
    order = np.lexsort((target, source))
    source, target = source[order], target[order]
    if len(pairs) and (pairs.min() < 0 or pairs.max() >= n):
        raise ValueError(f"edges must join tasks 0…{n - 1}")
    in_degree = np.bincount(target, minlength=n)
    race, copy_lo, leave = np.full(n, -1), np.full(n, -1), np.full(n, -1)
    race_index = {key: index for index, key in enumerate(races or {})}
    entered: set[tuple[int, int]] = set()
    successor_start = np.concatenate(([0], np.cumsum(np.bincount(source, minlength=n))))
    for task, (key, first) in (exits or {}).items():
        if not 0 <= task < n or key not in race_index:
            raise ValueError(f"exit {task} of race {key}: there is no such task or race")
        race[task], copy_lo[task] = race_index[key], first
        for join in target[successor_start[task] : successor_start[task + 1]]:
            in_degree[join] -= (key, int(join)) in entered
            entered.add((key, int(join)))
    since: list[int] = []
    for task, mark in (leaves or {}).items():
        leave[task] = len(since)
        since.append(mark)
    taken = np.full(n, -1) if acquire is None else acquire
    pools = len(np.asarray(capacity))
    return Graph(
        successor_start=_ints(successor_start),
        successors=_ints(target),
        in_degree=_ints(in_degree),
        acquire=_ints(taken),
        release=_ints(taken if release is None else release),
        capacity=_ints(capacity),
        crew=_ints(np.ones(pools) if crew is None else crew),
        race=_ints(race),
        copy_lo=_ints(copy_lo),
        race_lo=_ints([low for low, _ in (races or {}).values()]),
        race_hi=_ints([high for _, high in (races or {}).values()]),
        leave=_ints(leave),
        since=_ints(since),
    )


@dataclass(frozen=True, eq=False)
class Schedule:
    """Result of `simulate` for S samples of a graph with n tasks.

    makespan : (S,) completion times in seconds
    waiting : (S,) seconds for which the critical path waits for agents of crews; NaN if `traced` was false
    critical : (S, n) 1 for a task on the critical path, otherwise 0. The shape is (0, n) if `traced` was false
    starts, ends : (S, n) seconds; NaN for a task that never started. The shape is (0, n) if `recorded` was false
    start, end : (n,) starts and ends in the last sample, in seconds
    """

    makespan: Floats
    waiting: Floats
    critical: NDArray[np.int8]
    starts: Floats
    ends: Floats
    start: Floats
    end: Floats


def simulate(
    graph: Graph,
    durations: Floats,
    *,
    patience: Floats | None = None,
    away: Floats | None = None,
    traced: bool = False,
    recorded: bool = False,
    kernel: ModuleType | None = None,
) -> Schedule:
    """Schedule S samples of a graph with n tasks.

    durations : (S, n) seconds. A negative duration skips the task.
    patience : seconds for which each person who may leave waits before leaving, (S, length of `graph.since`); default:
        0
    away : seconds by which the person's task is longer after leaving, (S, length of `graph.since`); default: 0
    traced : whether to find the critical path of each sample
    recorded : whether to return the start and end of every task in each sample
    kernel : module to use instead of `planner.engine.active_kernel()`

    Raises ValueError in these cases:

    - An array has a wrong shape.
    - A number of seconds is NaN or out of bounds.
    - A task never becomes ready, because the graph has a cycle or pools wait for each other.
    """
    kernel = kernel or engine.active_kernel()
    durations = np.ascontiguousarray(durations, np.float64)
    n, leaves = len(graph), len(graph.since)
    if durations.ndim != 2 or durations.shape[1] != n:
        raise ValueError(f"durations must have a column for each of {n} tasks, not shape {durations.shape}")
    samples = len(durations)
    away = np.zeros((samples, leaves)) if away is None else np.ascontiguousarray(away, np.float64)
    patience = np.zeros((samples, leaves)) if patience is None else np.ascontiguousarray(patience, np.float64)
    if away.shape != (samples, leaves) or patience.shape != (samples, leaves):
        raise ValueError(f"patience and away must have {leaves} columns and a row for each sample")
    for name, values in (("durations", durations), ("away", away)):
        if not np.all(values < LONGEST):
            raise ValueError(f"{name} must be numbers below {LONGEST:.0f} s")
    if np.any(away < 0) or not np.all(patience >= 0):
        raise ValueError("patience and away must be numbers, and not negative")
    schedule = Schedule(
        makespan=np.full(samples, np.nan),
        waiting=np.full(samples, np.nan),
        critical=np.zeros((samples if traced else 0, n), np.int8),
        starts=np.empty((samples if recorded else 0, n)),
        ends=np.empty((samples if recorded else 0, n)),
        start=np.empty(n),
        end=np.empty(n),
    )
    tasks = kernel.TaskArrays(graph)
    kernel.simulate(tasks, kernel.SampleArrays(tasks, durations, patience, away, schedule))
    if np.any(np.isnan(schedule.makespan)):
        raise ValueError("some tasks never become ready: a cycle, or pools that wait for each other")
    return schedule
