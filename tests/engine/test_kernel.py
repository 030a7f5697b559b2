"""The kernel, compiled and not, against the oracle, against schedules worked out by hand, and against laws."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import Generator, default_rng

from planner import engine
from planner.engine import LONGEST, TICK, Floats, Graph, Schedule, build_graph, round_to_ticks, simulate
from tests import oracle

NAN = math.nan
SKIPPED = -1.0
CASES = 3000


@pytest.fixture(scope="module", params=["compiled", "uncompiled"])
def kernel(request: pytest.FixtureRequest) -> ModuleType:
    module = engine.compiled() if request.param == "compiled" else engine.uncompiled()
    if module is None:
        pytest.skip("no compiled kernel here")
    return module


# ---------------------------------------------------------------------------------------------------------------------
# Random graphs


@dataclass(frozen=True)
class Case:
    """A graph and S samples for it."""

    graph: Graph
    durations: Floats
    patience: Floats
    away: Floats

    def simulate(self, kernel: ModuleType, *, row: int | None = None, traced: bool = False) -> Schedule:
        rows = slice(None) if row is None else slice(row, row + 1)
        return simulate(self.graph, self.durations[rows], patience=self.patience[rows], away=self.away[rows],
                        traced=traced, kernel=kernel)  # fmt: skip


@dataclass(frozen=True)
class Copy:
    """One copy of a race: its exit has the last id."""

    body: list[Tree]
    exit: int


Tree = int | Copy | list["Tree"]
ELEMENTS = ["work"] * 6 + ["fork"] * 3 + ["hold"] * 5 + ["race"] * 6


class Draft:
    """A random graph in which no two wait for each other: who holds a slot waits only for pools of higher index.

    Tasks are numbered in the order of their making, in which predecessors come first, until `case` numbers the tree
    of what belongs together depth first. A tree is a task, a list of trees or a `Copy`.
    """

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.whole = self.chance(0.7)  # whether all seconds are integers
        self.capacity: list[int] = rng.choice([1, 1, 1, 2, 2, 3, 4], rng.integers(1, 5)).tolist()
        self.acquire: list[int] = []
        self.release: list[int] = []
        self.may_skip: list[int] = []  # a key that tasks share which are skipped together, or -1 for never
        self.edges: set[tuple[int, int]] = set()
        self.races: list[list[Copy]] = []
        self.racing: set[int] = set()  # tasks within a race
        self.holding: set[int] = set()  # tasks before which a slot is held
        self.race_depth = 0
        self.size = int(rng.integers(1, 45))
        self.tree: list[Tree] = []
        while len(self.acquire) < self.size:
            self.tree.append(self.sequence([], 0, 3)[0])
        for _ in range(rng.integers(0, 5)):
            source, target = sorted(rng.integers(0, len(self.acquire), 2).tolist())
            if source < target and source not in self.racing and target not in self.holding:
                self.edges.add((source, target))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def task(
        self, heads: Iterable[int], floor: int, acquire: int = -1, release: int = -1, skip: int | None = None
    ) -> int:
        task = len(self.acquire)
        self.acquire.append(acquire)
        self.release.append(release)
        self.may_skip.append(task if skip is None else skip)
        self.edges.update((head, task) for head in heads)
        if self.race_depth:
            self.racing.add(task)
        if floor:
            self.holding.add(task)
        return task

    def pool(self, floor: int) -> int:
        pools = len(self.capacity)
        return int(self.rng.integers(floor, pools)) if floor < pools and self.chance(0.75) else -1

    def work(self, heads: list[int], floor: int) -> int:
        pool = self.pool(floor)
        return self.task(heads, floor, pool, pool)

    def sequence(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        """Elements one after the other, that use pools from `floor` on: their tree, and whose ends are theirs."""
        tree: list[Tree] = []
        for _ in range(self.rng.integers(1, 4)):
            if self.chance(0.2):
                tree.append(self.work(heads, floor))  # nothing waits for this one
            element, heads = self.element(heads, floor, depth)
            tree.append(element)
        return tree, heads

    def element(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        pools_left = floor < len(self.capacity)
        kind = ELEMENTS[self.rng.integers(len(ELEMENTS))]
        if kind == "work" or not depth or len(self.acquire) >= self.size or (kind == "hold" and not pools_left):
            task = self.work(heads, floor)
            return [task], [task]
        if kind == "fork":
            branches = [self.sequence(heads, floor, depth - 1) for _ in range(self.rng.integers(2, 4))]
            return [tree for tree, _ in branches], [tail for _, tails in branches for tail in tails]
        if kind == "hold":
            tree, last = self.hold(heads, floor, depth)
            return [*tree, last], [last]
        races = [self.plain_race, self.holding_race, self.handing_on_race, self.taking_over_race]
        return races[self.rng.integers(len(races) if pools_left else 1)](heads, floor, depth)

    def hold(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], int]:
        """A slot taken by one task and given back by a later one, sometimes in exchange for another between."""
        held = int(self.rng.integers(floor, len(self.capacity)))
        key = self.task(heads, floor, acquire=held)
        tree, tails = self.sequence([key], held + 1, depth - 1)
        if held + 1 < len(self.capacity) and self.chance(0.3):
            taken = int(self.rng.integers(held + 1, len(self.capacity)))
            exchange = self.task(tails, held + 1, acquire=taken, release=held, skip=key)
            more, tails = self.sequence([exchange], taken + 1, depth - 1)
            tree, held = [*tree, exchange, *more], taken
        return [key, *tree], self.task(tails, held + 1, release=held, skip=key)

    def race(self, copies: list[Copy]) -> tuple[list[Tree], list[int]]:
        self.races.append(copies)
        return [*copies], [copy.exit for copy in copies]

    def plain_race(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        self.race_depth += 1
        copies = []
        for _ in range(self.rng.integers(2, 4)):
            body, tails = self.sequence(heads, floor, depth - 1) if self.chance(0.6) else ([], heads)
            if self.chance(0.3):
                body = [*body, self.work(heads, floor)]  # the exit does not wait for this one
            copies.append(Copy(body, self.work(tails, floor)))
        self.race_depth -= 1
        return self.race(copies)

    def holding_race(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        """Each copy holds a slot until its exit gives it back."""
        self.race_depth += 1
        copies = [Copy(*self.hold(heads, floor, depth)) for _ in range(self.rng.integers(2, 4))]
        self.race_depth -= 1
        return self.race(copies)

    def handing_on_race(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        """Each copy takes a slot; that of the winner is given back after the race."""
        held = int(self.rng.integers(floor, len(self.capacity)))
        self.race_depth += 1
        copies = []
        for _ in range(self.rng.integers(2, 4)):
            body, tails = self.sequence(heads, floor, depth - 1) if self.chance(0.5) else ([], heads)
            taker = self.task(tails, floor, acquire=held, skip=-1)
            more, tails = self.sequence([taker], held + 1, depth - 1)
            copies.append(Copy([*body, taker, *more], self.work(tails, held + 1)))
        self.race_depth -= 1
        tree, exits = self.race(copies)
        more, tails = self.sequence(exits, held + 1, depth - 1)
        last = self.task(tails, held + 1, release=held, skip=-1)
        return [tree, *more, last], [last]

    def taking_over_race(self, heads: list[int], floor: int, depth: int) -> tuple[list[Tree], list[int]]:
        """A slot taken before the race, which the exit of the winner gives back."""
        held = int(self.rng.integers(floor, len(self.capacity)))
        taker = self.task(heads, floor, acquire=held, skip=-1)
        self.race_depth += 1
        copies = []
        for _ in range(self.rng.integers(2, 4)):
            body, tails = self.sequence([taker], held + 1, depth - 1)
            copies.append(Copy(body, self.task(tails, held + 1, release=held, skip=-1)))
        self.race_depth -= 1
        tree, exits = self.race(copies)
        return [taker, tree], exits

    def numbered(self, tree: Tree, shuffled: bool) -> list[int]:
        """The tasks of a tree in the order of their ids, those of what belongs together side by side."""
        if isinstance(tree, int):
            return [tree]
        if isinstance(tree, Copy):
            return [*self.numbered(tree.body, shuffled), tree.exit]
        parts = [tree[index] for index in self.rng.permutation(len(tree))] if shuffled else tree
        return [task for part in parts for task in self.numbered(part, shuffled)]

    def case(self, samples: int = 1) -> Case:
        rng = self.rng
        order = self.numbered(self.tree, self.chance(0.5))
        n = len(order)
        assert sorted(order) == list(range(n))
        new = {old: task for task, old in enumerate(order)}
        races, exits, leaves = {}, {}, {}
        for race, copies in enumerate(self.races):
            low = [min(new[task] for task in self.numbered(copy, False)) for copy in copies]
            races[race] = (min(low), max(new[copy.exit] for copy in copies) + 1)
            exits.update({new[copy.exit]: (race, first) for copy, first in zip(copies, low, strict=True)})
        for old in range(1, n):
            if self.chance(0.2):
                leaves[new[old]] = new[int(rng.integers(0, old))]
        graph = build_graph(n, [(new[source], new[target]) for source, target in self.edges],
                            acquire=[self.acquire[old] for old in order], release=[self.release[old] for old in order],
                            capacity=self.capacity, crew=rng.integers(0, 2, len(self.capacity)),
                            races=races, exits=exits, leaves=leaves)  # fmt: skip
        durations = self.seconds((samples, n))
        for sample in range(samples):
            skipped = {task for task in range(n) if self.chance(0.12)}
            durations[sample, [task for task, old in enumerate(order) if self.may_skip[old] in skipped]] = SKIPPED
        return Case(graph, durations, self.seconds((samples, len(leaves))), self.seconds((samples, len(leaves))))

    def seconds(self, shape: tuple[int, int]) -> Floats:
        """Few integers, so that many are equal, or many fractions; zeros among both."""
        if self.whole:
            return self.rng.integers(0, 3, shape).astype(np.float64)
        return round_to_ticks(self.rng.lognormal(0, 1, shape) * (self.rng.random(shape) > 0.15))


# ---------------------------------------------------------------------------------------------------------------------
# The kernel and the oracle


class Watched(oracle.Sample):
    """The oracle, noting what the rule had to decide."""

    def __init__(self, case: Case, row: int = 0) -> None:
        super().__init__(case.graph, *(array[row].tolist() for array in (case.durations, case.patience, case.away)))
        self.seen: set[str] = set()
        self.ready_at: dict[int, float] = {}
        self.dispatched_at = -1.0

    def is_running(self, task: int) -> bool:
        return not math.isnan(self.start[task]) and math.isnan(self.end[task])

    def become_ready(self, task: int) -> None:
        self.ready_at[task] = self.env.now
        super().become_ready(task)

    def begin(self, task: int) -> None:
        if self.env.now > self.ready_at[task]:
            self.seen.add("waits for a slot and takes no time" if self.durations[task] == 0 else "waits for a slot")
        elif self.durations[task] == 0 and self.acquire[task] < 0:
            self.seen.add("needs no slot and takes no time")
        if self.is_skipped(task):
            self.seen.add("skipped, of a pool" if self.acquire[task] >= 0 else "skipped, of no pool")
            if self.leave[task] >= 0:
                self.seen.add("skipped, of a person")
        super().begin(task)

    def absence(self, task: int) -> float:
        row = self.leave[task]
        if row >= 0 and math.isnan(self.end[self.since[row]]):
            self.seen.add("waits since what has not ended")
        elif row >= 0:
            waited = self.env.now - self.end[self.since[row]]
            self.seen.add("leaves" if waited > self.patience[row] else "waits as long as patience, or less")
            if waited == self.patience[row] > 0:
                self.seen.add("waits exactly as long as patience")
            if self.since[row] in self.cancelled:
                self.seen.add("waits since what was cancelled")
        return super().absence(task)

    def dispatch(self) -> bool:
        for free, queue in zip(self.free, self.queues, strict=True):
            order = [task for _, task in sorted(queue)]
            if free and set(order[:free]) != set(sorted(order)[:free]):
                self.seen.add("the earlier before the lower id")
            if 0 < free < len(queue) and sorted(queue)[free - 1][0] == sorted(queue)[free][0]:
                self.seen.add("the lower id of two that became ready together")
        if got_one := super().dispatch():
            if self.dispatched_at == self.env.now:
                self.seen.add("two dispatches at one instant")
            self.dispatched_at = self.env.now
        return got_one

    def finish(self, task: int) -> None:
        if len(self.ending_now) > 1:
            self.seen.add("two ends at one instant")
        if task in self.copy_of_exit:
            if any(self.is_running(other) for other in self.copy_of_exit[task] if other != task):
                self.seen.add("the winner's copy has more to do")
            for rival in self.copy_of_exit:
                if self.race[rival] == self.race[task] and rival != task:
                    self.lose(rival)
        super().finish(task)

    def lose(self, rival: int) -> None:
        copy = self.copy_of_exit[rival]
        if rival in self.ending_now:
            self.seen.add("two exits at one instant")
        if any(self.is_skipped(task) and task in self.ended for task in copy):
            self.seen.add("skipped in a copy that loses")
        within = {task for task in copy if task in self.copy_of_exit and task != rival}
        if within & self.ended:
            self.seen.add("a copy that loses has decided a race within")
        if within - self.ended - self.cancelled:
            self.seen.add("a copy that loses has not decided a race within")
        kept: Counter[int] = Counter()
        for task in copy:
            if not self.is_running(task):
                kept.update(self.slots[task])
        if max(kept.values(), default=0) > 0:
            self.seen.add("a copy that loses holds a slot between tasks")

    def cancel(self, task: int) -> None:
        if task not in self.cancelled:
            if self.is_running(task):
                self.seen.add("cancelled while it runs")
            elif any(task == waiting for queue in self.queues for _, waiting in queue):
                self.seen.add("cancelled in a queue")
            elif math.isnan(self.start[task]):
                self.seen.add("cancelled before it is ready")
            if self.is_running(task) and self.slots[task].total() > 0:
                self.seen.add("cancelled with a slot while it runs")
        super().cancel(task)

    def run(self) -> None:
        super().run()
        if self.env.now > self.makespan:
            self.seen.add("cancelled that would have ended last")


@cache
def cases() -> list[tuple[Case, Watched]]:
    """Random cases of one sample, and what the oracle makes of them."""
    rng = default_rng(20260)
    watched = []
    for _ in range(CASES):
        case = Draft(rng).case()
        expected = Watched(case)
        expected.run()
        watched.append((case, expected))
    return watched


def assert_same(found: Schedule, start: Sequence[float], end: Sequence[float], makespan: float) -> None:
    np.testing.assert_array_equal(found.start, np.array(start, float), "start", strict=True)
    np.testing.assert_array_equal(found.end, np.array(end, float), "end", strict=True)
    assert found.makespan.tolist() == [makespan]


@pytest.mark.slow
def test_random_schedules_equal_the_oracles(kernel: ModuleType) -> None:
    for index, (case, expected) in enumerate(cases()):
        try:
            assert_same(case.simulate(kernel), expected.start, expected.end, expected.makespan)
        except (AssertionError, ValueError) as error:
            error.add_note(f"case {index}: {case}")
            raise


def test_random_schedules_show_each_feature_many_times() -> None:
    counts = Counter(feature for _, expected in cases() for feature in expected.seen)
    assert {feature: count for feature, count in counts.items() if count < 300} == {}
    assert len(counts) == 26


def test_samples_in_one_call_equal_samples_one_by_one(kernel: ModuleType) -> None:
    rng = default_rng(5)
    for case in (Draft(rng).case(samples=5) for _ in range(200)):
        together = case.simulate(kernel, traced=True)
        for row in range(5):
            alone = case.simulate(kernel, row=row, traced=True)
            assert alone.makespan[0] == together.makespan[row]
            assert alone.waiting[0] == together.waiting[row]
            np.testing.assert_array_equal(alone.critical[0], together.critical[row])
        assert_same(alone, together.start.tolist(), together.end.tolist(), together.makespan[-1])


# ---------------------------------------------------------------------------------------------------------------------
# Schedules worked out by hand


PAIR: Any = {"races": {0: (0, 2)}, "exits": {0: (0, 0), 1: (0, 1)}}
"""Tasks 0 and 1 race each other."""


def check(kernel: ModuleType, graph: Graph, durations: Sequence[float], start: Sequence[float], end: Sequence[float],
          makespan: float, patience: Sequence[float] = (), away: Sequence[float] = ()) -> None:  # fmt: skip
    """Both the kernel and the oracle find what was worked out."""
    rows = [np.array([values], float) for values in (durations, patience, away)]
    assert_same(simulate(graph, rows[0], patience=rows[1], away=rows[2], kernel=kernel), start, end, makespan)
    np.testing.assert_equal(oracle.simulate(graph, durations, patience, away), (list(start), list(end), makespan))


def test_a_queue_is_served_by_ready_time_then_id(kernel: ModuleType) -> None:
    # 0 has the one slot until 5. 4 ends at 1, so 2 is ready at 1; 3 ends at 2, so 1 and 5 are ready at 2.
    graph = build_graph(6, [(3, 1), (4, 2), (3, 5)], acquire=[0, 0, 0, -1, -1, 0], capacity=[1])
    check(kernel, graph, [5, 1, 1, 2, 1, 1], [0, 6, 5, 0, 0, 7], [5, 7, 6, 2, 1, 8], 8)


def test_tasks_that_become_ready_together_are_served_by_id_whoever_ended_first(kernel: ModuleType) -> None:
    # At 1 both 0 and 1 end, 0 first: 4 becomes ready before 3, at the same instant. 2 has the one slot until 2.
    graph = build_graph(5, [(0, 4), (1, 3)], acquire=[-1, -1, 0, 0, 0], capacity=[1])
    check(kernel, graph, [1, 1, 2, 1, 1], [0, 0, 0, 2, 3], [1, 1, 2, 3, 4], 4)


def test_all_that_ends_at_an_instant_ends_before_a_slot_is_given(kernel: ModuleType) -> None:
    # At 1, 0 frees the slot and 3 becomes ready; then 1 ends and 2 becomes ready, which has the lower id.
    graph = build_graph(4, [(0, 3), (1, 2)], acquire=[0, -1, 0, 0], capacity=[1])
    check(kernel, graph, [1, 1, 1, 1], [0, 0, 1, 2], [1, 1, 2, 3], 3)


def test_a_task_that_takes_no_time_ends_before_the_next_dispatch(kernel: ModuleType) -> None:
    # 0 gets the slot at 0 and ends at 0; 1, ready at 0 only then, comes before 2, which has waited since 0 as well.
    graph = build_graph(3, [(0, 1)], acquire=[0, 0, 0], capacity=[1])
    check(kernel, graph, [0, 2, 3], [0, 0, 2], [0, 2, 5], 5)


def test_a_dispatch_serves_all_pools_before_a_task_that_took_no_time_ends(kernel: ModuleType) -> None:
    # At 0, before 0 ends, 3 gets the slot of pool 1, though 1, of lower id, becomes ready at 0 when 0 ends.
    graph = build_graph(4, [(0, 1), (1, 2)], acquire=[0, 1, -1, 1], capacity=[1, 1])
    check(kernel, graph, [0, 1, 1, 2], [0, 2, 3, 0], [0, 3, 4, 2], 4)


def test_the_running_loser_of_a_race_ends_at_once_and_frees_its_slot(kernel: ModuleType) -> None:
    # 0 wins at 2; its slot and that of 1 go to 3 and 4. The join 2 follows; nothing lasts until 9.
    graph = build_graph(5, [(0, 2), (1, 2)], acquire=[0, 0, -1, 0, 0], capacity=[2], **PAIR)
    check(kernel, graph, [2, 9, 1, 3, 4], [0, 0, 2, 2, 2], [2, 2, 3, 5, 6], 6)


def test_the_loser_of_a_race_leaves_its_queue(kernel: ModuleType) -> None:
    # 0 has the slot until it wins at 2; 1 stood before 3 in the queue.
    graph = build_graph(4, [(0, 2), (1, 2)], acquire=[0, 0, -1, 0], capacity=[1], **PAIR)
    check(kernel, graph, [2, 9, 1, 1], [0, NAN, 2, 2], [2, NAN, 3, 3], 3)


def test_a_losing_copy_gives_back_a_slot_that_it_holds_between_two_tasks(kernel: ModuleType) -> None:
    # Copy 1…3: 1 takes the slot of pool 0 until 1; 2 waits for pool 1, which 6 has until 5; 3 would give pool 0 back.
    # Copy 0 wins at 2: 5, which waits for pool 0 since 0, starts. Until then no task runs that has its slot.
    graph = build_graph(7, [(1, 2), (2, 3), (0, 4), (3, 4)], acquire=[-1, 0, 1, -1, -1, 0, 1],
                        release=[-1, -1, 1, 0, -1, 0, 1], capacity=[1, 1], races={0: (0, 4)},
                        exits={0: (0, 0), 3: (0, 1)})  # fmt: skip
    check(kernel, graph, [2, 1, 9, 9, 1, 1, 5], [0, 0, NAN, NAN, 2, 2, 0], [2, 1, NAN, NAN, 3, 3, 5], 5)


def test_the_winner_keeps_the_slot_that_it_holds(kernel: ModuleType) -> None:
    # 0 and 1 each take a slot; 0 wins at 1 and keeps its own until 2 gives it back at 4. That of 1 goes to 3 at 1.
    graph = build_graph(5, [(0, 2), (1, 2)], acquire=[0, 0, -1, 0, 0], release=[-1, -1, 0, 0, 0], capacity=[2], **PAIR)
    check(kernel, graph, [1, 2, 3, 5, 1], [0, 0, 1, 1, 4], [1, 1, 4, 6, 5], 6)


def test_of_two_exits_at_one_instant_the_lower_id_wins(kernel: ModuleType) -> None:
    # Copies 0…1 and 2…3, whose exits end at 2; only of the winner's does the other task go on.
    graph = build_graph(4, [], races={0: (0, 4)}, exits={1: (0, 0), 3: (0, 2)})
    check(kernel, graph, [9, 2, 9, 2], [0, 0, 0, 0], [9, 2, 2, 2], 9)


def test_the_lower_exit_wins_even_if_it_starts_at_the_instant_at_which_the_other_ends(kernel: ModuleType) -> None:
    # 0 ends at 2, so 1, which takes no time, starts and ends at 2, before 3 does; 2 runs on only if 3 wins.
    graph = build_graph(4, [(0, 1)], races={0: (0, 4)}, exits={1: (0, 0), 3: (0, 2)})
    check(kernel, graph, [2, 0, 9, 2], [0, 2, 0, 0], [2, 2, 2, 2], 2)


def test_an_exit_in_a_queue_loses_to_one_that_ends_at_the_instant_of_its_turn(kernel: ModuleType) -> None:
    # 2 has the slot until 2; 0, ready at 1, waits for it and would take no time. 1 ends at 2, so 0 comes too late.
    graph = build_graph(4, [(3, 0)], acquire=[0, -1, 0, -1], capacity=[1], **PAIR)
    check(kernel, graph, [0, 2, 2, 1], [NAN, 0, 0, 0], [NAN, 2, 2, 1], 2)


def test_a_copy_whose_entry_becomes_ready_after_it_lost_never_starts(kernel: ModuleType) -> None:
    # 1 would be ready when 2 ends at 3, but 0 won at 1.
    graph = build_graph(3, [(2, 1)], **PAIR)
    check(kernel, graph, [1, 1, 3], [0, NAN, 0], [1, NAN, 3], 3)


def test_a_skipped_exit_wins_its_race(kernel: ModuleType) -> None:
    # At 0 both 0 and 1 start; 1 passes through, 0 is cancelled, and the join 2 runs from 0 to 1.
    graph = build_graph(3, [(0, 2), (1, 2)], **PAIR)
    check(kernel, graph, [4, SKIPPED, 1], [0, 0, 0], [0, 0, 1], 1)


def test_races_within_a_race_are_cancelled_with_their_copy_and_give_back_each_slot_once(kernel: ModuleType) -> None:
    # Outer race 0…5: copy 0…2 with an inner race of 0 and 1 and exit 2, copy 3…5 with one of 3 and 4 and exit 5.
    # At 1, 1 and 4 win their races; 0 is cancelled, and so is 3, whose slot goes to 7 until 5. 2 runs from 1 to 2, then
    # cancels 5. The slot of 3 is not given back again at 2: 8 starts at 5. The join 6 runs from 2 to 3.
    graph = build_graph(9, [(0, 2), (1, 2), (3, 5), (4, 5), (2, 6), (5, 6)], acquire=[-1, -1, -1, 0, -1, -1, -1, 0, 0],
                        capacity=[1], races={7: (0, 6), 8: (0, 2), 9: (3, 5)},
                        exits={0: (8, 0), 1: (8, 1), 3: (9, 3), 4: (9, 4), 2: (7, 0), 5: (7, 3)})  # fmt: skip
    check(kernel, graph, [9, 1, 1, 9, 1, 9, 1, 4, 1], [0, 0, 1, 0, 0, 1, 2, 1, 5], [1, 1, 2, 1, 1, 2, 3, 5, 6], 6)


def test_an_undecided_race_within_a_losing_copy_is_cancelled_whole(kernel: ModuleType) -> None:
    # Copy 0…2 has an inner race of 0 and 1, that still runs when 3 wins at 2; 2 never starts.
    graph = build_graph(5, [(0, 2), (1, 2), (2, 4), (3, 4)], races={0: (0, 4), 1: (0, 2)},
                        exits={0: (1, 0), 1: (1, 1), 2: (0, 0), 3: (0, 3)})  # fmt: skip
    check(kernel, graph, [5, 6, 1, 2, 1], [0, 0, NAN, 0, 2], [2, 2, NAN, 2, 3], 3)


def test_time_does_not_advance_for_a_cancelled_task(kernel: ModuleType) -> None:
    # 0 would end at 100; the slot that 3 frees at 4 is the last thing that matters.
    graph = build_graph(4, [], acquire=[-1, -1, 0, 0], capacity=[1], **PAIR)
    check(kernel, graph, [100, 1, 2, 2], [0, 0, 0, 2], [1, 1, 2, 4], 4)


def test_who_waits_longer_than_patience_leaves_and_who_waits_as_long_stays(kernel: ModuleType) -> None:
    # 1 has the slot until 4. 2 waits since 1, when 0 ended: 3 seconds.
    graph = build_graph(3, [(0, 2)], acquire=[-1, 0, 0], capacity=[1], leaves={2: 0})
    check(kernel, graph, [1, 4, 2], [0, 0, 4], [1, 4, 6], 6, patience=[3], away=[10])
    check(kernel, graph, [1, 4, 2], [0, 0, 4], [1, 4, 16], 16, patience=[3 - TICK], away=[10])


def test_who_waits_for_no_slot_leaves_as_well(kernel: ModuleType) -> None:
    # 2 takes no slot and no time; it starts at 4, when 1 ends, 3 seconds after 0, and ends at 14.
    graph = build_graph(4, [(1, 2), (2, 3)], leaves={2: 0})
    check(kernel, graph, [1, 4, 0, 1], [0, 0, 4, 14], [1, 4, 14, 15], 15, patience=[2], away=[10])


def test_a_skipped_task_is_never_away(kernel: ModuleType) -> None:
    # 2 passes through at 4, 3 seconds after 0 ended.
    graph = build_graph(4, [(1, 2), (2, 3)], acquire=[-1, -1, 0, -1], capacity=[1], leaves={2: 0})
    check(kernel, graph, [1, 4, SKIPPED, 1], [0, 0, 4, 4], [1, 4, 4, 5], 5, patience=[2], away=[10])


def test_no_one_leaves_since_what_never_ended(kernel: ModuleType) -> None:
    # 3 waits since 1, which lost its race in the queue at 2; 4 waits since 2, which still runs when 4 starts at 2.
    graph = build_graph(5, [(0, 3), (0, 4)], acquire=[0, 0, -1, -1, -1], capacity=[1], leaves={3: 1, 4: 2}, **PAIR)
    check(kernel, graph, [2, 9, 9, 1, 1], [0, NAN, 0, 2, 2], [2, NAN, 9, 3, 3], 9, patience=[0, 0], away=[10, 10])


def test_who_waits_since_a_running_task_that_was_cancelled_waits_since_then(kernel: ModuleType) -> None:
    # 1 is cancelled at 2, and thereby ended. 2 starts at 5, after 3 seconds.
    graph = build_graph(4, [(3, 2)], leaves={2: 1}, **PAIR)
    check(kernel, graph, [2, 9, 1, 5], [0, 0, 5, 0], [2, 2, 6, 5], 6, patience=[3], away=[10])
    check(kernel, graph, [2, 9, 1, 5], [0, 0, 5, 0], [2, 2, 16, 5], 16, patience=[2], away=[10])


def test_a_skipped_task_takes_no_slot_and_gives_none_back(kernel: ModuleType) -> None:
    # 0 has the slot until 3; 1 passes through at 0, so 2 runs from 0 to 1, and 3 and 4 wait for the one slot.
    graph = build_graph(5, [(1, 2)], acquire=[0, 0, -1, 0, 0], capacity=[1])
    check(kernel, graph, [3, SKIPPED, 1, 2, 2], [0, 0, 0, 3, 5], [3, 0, 1, 5, 7], 7)


def test_a_slot_is_held_from_the_task_that_takes_it_to_the_one_that_gives_it_back(kernel: ModuleType) -> None:
    # 0 takes the slot at 0, 2 gives it back at 6; 3 waits for it all the while.
    graph = build_graph(4, [(0, 1), (1, 2)], acquire=[0, -1, -1, 0], release=[-1, -1, 0, 0], capacity=[1])
    check(kernel, graph, [1, 2, 3, 1], [0, 1, 3, 6], [1, 3, 6, 7], 7)


def test_what_follows_two_races_waits_for_one_exit_of_each_and_for_all_else(kernel: ModuleType) -> None:
    # 5 follows both races, won at 1 and 3, and 4, which ends at 4.
    graph = build_graph(6, [(task, 5) for task in range(5)], races={0: (0, 2), 1: (2, 4)},
                        exits={0: (0, 0), 1: (0, 1), 2: (1, 2), 3: (1, 3)})  # fmt: skip
    check(kernel, graph, [1, 2, 9, 3, 4, 1], [0, 0, 0, 0, 0, 4], [1, 1, 3, 3, 4, 5], 5)
    check(kernel, graph, [1, 2, 9, 7, 4, 1], [0, 0, 0, 0, 0, 7], [1, 1, 7, 7, 4, 8], 8)


# ---------------------------------------------------------------------------------------------------------------------
# The critical path


@pytest.mark.timeout(50, method="thread")  # a path through a wrong task may never end
def test_seconds_on_the_critical_path_and_those_spent_waiting_add_up_to_the_makespan(kernel: ModuleType) -> None:
    waits = hand_overs = 0
    for case, expected in cases():
        found = case.simulate(kernel, traced=True)
        assert_same(found, expected.start, expected.end, expected.makespan)
        path = np.flatnonzero(found.critical[0])
        start, end = found.start[path], found.end[path]
        assert np.sum(end - start) + found.waiting[0] == found.makespan[0]

        order = np.lexsort((end, start))  # no two at once, and the last is the last of all
        assert np.all(start[order[1:]] >= end[order[:-1]])
        assert end[order[-1]] == found.makespan[0]

        waited = start - np.array([expected.ready_at[task] for task in path.tolist()])
        crew = np.append(case.graph.crew, 0)[case.graph.acquire[path]] == 1
        assert np.sum(waited[crew]) == found.waiting[0]
        waits += bool(np.any(waited[crew] > 0))
        hand_overs += bool(np.any(waited[~crew] > 0))
    assert min(waits, hand_overs) >= 300


def traced(kernel: ModuleType, graph: Graph, durations: Sequence[float]) -> tuple[float, list[int]]:
    """Seconds of waiting and the tasks on the critical path."""
    found = simulate(graph, np.array([durations], float), traced=True, kernel=kernel)
    return float(found.waiting[0]), np.flatnonzero(found.critical[0]).tolist()


QUEUE = build_graph(4, [(0, 2), (1, 3)], acquire=[-1, 0, 0, -1], capacity=[1])
"""1 has the slot until 4; 2, ready at 1 when 0 ends, gets it then and keeps it until 6. 3 follows 1, until 5."""


def test_the_critical_path_goes_through_the_queue_of_a_crew(kernel: ModuleType) -> None:
    # Back from 2: 3 seconds of waiting, then 0, which made it ready.
    assert traced(kernel, QUEUE, [1, 4, 2, 1]) == (3, [0, 2])


def test_the_critical_path_goes_through_what_is_served_where_no_crew_serves(kernel: ModuleType) -> None:
    # Back from 2: 1, which freed the slot.
    assert traced(kernel, replace(QUEUE, crew=np.zeros(1, np.int32)), [1, 4, 2, 1]) == (0, [1, 2])


def test_the_critical_path_goes_through_the_predecessor_that_ended_last(kernel: ModuleType) -> None:
    # 3 follows 0, 1 and 2, of which 1 ends last.
    assert traced(kernel, build_graph(4, [(0, 3), (1, 3), (2, 3)]), [1, 4, 2, 1]) == (0, [1, 3])


def test_the_critical_path_goes_through_the_winner_of_a_race(kernel: ModuleType) -> None:
    # 3 waits for the slot of 0, who loses to 1 at 2.
    graph = build_graph(4, [(0, 2), (1, 2)], acquire=[0, -1, -1, 0], capacity=[1], crew=[0], **PAIR)
    assert traced(kernel, graph, [9, 2, 1, 4]) == (0, [1, 3])


@pytest.mark.timeout(30, method="thread")
def test_the_critical_path_goes_through_the_winner_of_a_race_in_each_sample(kernel: ModuleType) -> None:
    # 0 and 1 race. 2 waits for the slot of 0, then 3 for that of 2. In the first sample 0 wins at 2, in the second 1 at 1
    # and frees the slot of 0, in the third 1 at 3.
    graph = build_graph(4, [], acquire=[0, -1, 0, 0], capacity=[1], crew=[0], **PAIR)
    found = simulate(graph, np.array([[2, 9, 1, 4], [9, 1, 2, 4], [9, 3, 5, 1]], float), traced=True, kernel=kernel)
    assert [np.flatnonzero(critical).tolist() for critical in found.critical] == [[0, 2, 3], [1, 2, 3], [1, 2, 3]]
    assert found.makespan.tolist() == [7, 7, 9]


def test_an_untraced_schedule_has_no_critical_path(kernel: ModuleType) -> None:
    found = simulate(QUEUE, np.ones((3, 4)), kernel=kernel)
    assert found.critical.shape == (0, 4)
    assert np.all(np.isnan(found.waiting))


# ---------------------------------------------------------------------------------------------------------------------
# Laws. Never that more slots or less work would help: they need not (Graham's anomalies).


@dataclass(frozen=True)
class Project:
    """Tasks that all need a slot of one pool."""

    ticks: list[int]
    edges: list[tuple[int, int]]

    def makespan(self, slots: int, kernel: ModuleType) -> int:
        """In ticks, exactly."""
        n = len(self.ticks)
        graph = build_graph(n, self.edges, acquire=[0] * n, capacity=[slots])
        makespan = float(simulate(graph, np.array([self.ticks]) * TICK, kernel=kernel).makespan[0]) / TICK
        assert makespan.is_integer()
        return int(makespan)

    def longest_path(self) -> int:
        paths = list(self.ticks)
        for _ in paths:
            for source, target in self.edges:
                paths[target] = max(paths[target], paths[source] + self.ticks[target])
        return max(paths)


@st.composite
def projects(draw: st.DrawFn) -> Project:
    ticks = draw(st.lists(st.integers(0, 4) | st.integers(0, 2**32), min_size=1, max_size=12))
    order = draw(st.permutations(range(len(ticks))))
    pairs = [(source, target) for index, source in enumerate(order) for target in order[index + 1 :]]
    return Project(ticks, [] if not pairs else draw(st.lists(st.sampled_from(pairs), max_size=20, unique=True)))


@settings(deadline=None, max_examples=300)
@given(project=projects(), slots=st.integers(1, 5))
def test_a_makespan_lies_within_grahams_bounds(kernel: ModuleType, project: Project, slots: int) -> None:
    makespan, work, longest = project.makespan(slots, kernel), sum(project.ticks), project.longest_path()
    assert longest <= makespan
    assert work <= slots * makespan <= work + (slots - 1) * longest


@settings(deadline=None, max_examples=200)
@given(project=projects())
def test_with_one_slot_the_makespan_is_the_work(kernel: ModuleType, project: Project) -> None:
    assert project.makespan(1, kernel) == sum(project.ticks)


@settings(deadline=None, max_examples=200)
@given(project=projects(), spare=st.integers(0, 3))
def test_with_a_slot_for_each_task_it_is_the_longest_path(kernel: ModuleType, project: Project, spare: int) -> None:
    assert project.makespan(len(project.ticks) + spare, kernel) == project.longest_path()


@settings(deadline=None, max_examples=200)
@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([2.0, 1024.0]))
def test_a_schedule_scales_with_all_its_seconds(kernel: ModuleType, seed: int, factor: float) -> None:
    case = Draft(default_rng(seed)).case()
    once = case.simulate(kernel)
    scaled = replace(case, durations=factor * case.durations, patience=factor * case.patience, away=factor * case.away)
    found = scaled.simulate(kernel)
    assert_same(found, (factor * once.start).tolist(), (factor * once.end).tolist(), factor * once.makespan[0])


# ---------------------------------------------------------------------------------------------------------------------
# What is refused

VALID = build_graph(4, [(0, 2), (1, 2), (2, 3)], acquire=[0, -1, 0, -1], capacity=[1], leaves={3: 0}, **PAIR)


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("acquire", [0, -1, 0], "acquire has 3 entries"),
        ("release", [0, -1, 0, -1, 0], "release has 5 entries"),
        ("race", [0, 0, -1], "race has 3 entries"),
        ("copy_lo", [0], "copy_lo has 1 entries"),
        ("leave", [-1, 0], "leave has 2 entries"),
        ("in_degree", [0, 0, 1], "acquire has 4 entries"),
        ("successor_start", [0, 1, 2, 3], "successor_start must rise from 0 in n [+] 1 entries"),
        ("successor_start", [1, 1, 2, 3, 3], "successor_start must rise from 0"),
        ("successor_start", [0, 2, 1, 3, 3], "successor_start must rise from 0"),
        ("successors", [2, 2], "successor_start must end at the number of successors"),
        ("crew", [1, 1], "crew needs an entry for each pool"),
        ("race_hi", [], "race_hi one for each race"),
        ("successors", [2, 2, 4], "successors must lie in 0…3"),
        ("successors", [2, -1, 3], "successors must lie in 0…3"),
        ("acquire", [1, -1, 0, -1], "acquire must lie in -1…0"),
        ("acquire", [0, -2, 0, -1], "acquire must lie in -1…0"),
        ("release", [1, -1, 0, -1], "release must lie in -1…0"),
        ("race", [0, 1, -1, -1], "race must lie in -1…0"),
        ("copy_lo", [0, 4, -1, -1], "copy_lo must lie in -1…3"),
        ("leave", [-1, -1, -1, 1], "leave must lie in -1…0"),
        ("since", [4], "since must lie in 0…3"),
        ("since", [-1], "since must lie in 0…3"),
        ("race_lo", [4], "race_lo must lie in 0…3"),
        ("race_hi", [5], "race_hi must lie in 0…4"),
        ("capacity", [0], "capacity"),
        ("race_lo", [1], "the copy of a race's exit must lie within the race"),
        ("race_hi", [1], "the copy of a race's exit must lie within the race"),
        ("copy_lo", [0, 2, -1, -1], "the copy of a race's exit must lie within the race"),
    ],
)
def test_a_malformed_graph_is_refused(name: str, values: list[int], message: str) -> None:
    changes: dict[str, Any] = {name: np.array(values, np.int32)}
    with pytest.raises(ValueError, match=message):
        replace(VALID, **changes)


@pytest.mark.parametrize("edge", [(0, 2), (2, 0), (-1, 0)])
def test_an_edge_to_no_task_is_refused(edge: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="edges must join tasks 0…1"):
        build_graph(2, [edge])


def test_pools_without_slots_or_of_another_number_are_refused() -> None:
    with pytest.raises(ValueError, match="capacity"):
        VALID.with_capacity([0])
    with pytest.raises(ValueError, match="the graph has 1 pools"):
        VALID.with_capacity([1, 1])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"durations": np.ones(4)}, r"column .* \(4,\)"),
        ({"durations": np.ones((2, 3))}, r"column .* \(2, 3\)"),
        ({"patience": np.ones((1, 1))}, "1 columns"),
        ({"away": np.ones((2, 2))}, "1 columns"),
        ({"durations": np.array([[1, 1, 1, 1], [1, 1, NAN, 1]])}, "durations .* 4294967296 s"),
        ({"durations": np.full((2, 4), LONGEST)}, "durations .* 4294967296 s"),
        ({"durations": np.full((2, 4), math.inf)}, "durations .* 4294967296 s"),
        ({"away": np.full((2, 1), NAN)}, "away .* 4294967296 s"),
        ({"away": np.full((2, 1), LONGEST)}, "away .* 4294967296 s"),
        ({"away": np.full((2, 1), -1.0)}, "not negative"),
        ({"patience": np.full((2, 1), -1.0)}, "not negative"),
        ({"patience": np.full((2, 1), NAN)}, "not negative"),
    ],
)
def test_malformed_durations_are_refused(kernel: ModuleType, changes: dict[str, Floats], message: str) -> None:
    def schedule(durations: Floats, patience: Floats, away: Floats) -> Schedule:
        return simulate(VALID, durations, patience=patience, away=away, kernel=kernel)

    valid = {"durations": np.ones((2, 4)), "patience": np.ones((2, 1)), "away": np.ones((2, 1))}
    assert schedule(**valid).makespan.tolist() == [3, 3]
    with pytest.raises(ValueError, match=message):
        schedule(**(valid | changes))


def test_the_longest_duration_that_is_not_refused_is_exact(kernel: ModuleType) -> None:
    longest = LONGEST - TICK
    assert simulate(build_graph(1, []), np.array([[longest]]), kernel=kernel).makespan.tolist() == [longest]


@pytest.mark.parametrize(
    "graph",
    [
        build_graph(1, [(0, 0)]),
        build_graph(4, [(0, 1), (1, 2), (2, 3), (3, 1)]),
        # 0 takes pool 0, 1 takes pool 1; 2 and 3 each wait for the other's.
        build_graph(4, [(0, 2), (1, 3)], acquire=[0, 1, 1, 0], release=[-1, -1, 0, 1], capacity=[1, 1]),
        # Nothing gives back the slot of 0.
        build_graph(2, [(0, 1)], acquire=[0, 0], release=[-1, 0], capacity=[1]),
        # 2 follows 1, which loses its race.
        build_graph(3, [(1, 2)], **PAIR),
    ],
    ids=["loop", "cycle", "two pools", "slot kept", "after a loser"],
)
def test_tasks_that_never_start_are_refused(kernel: ModuleType, graph: Graph) -> None:
    durations = np.arange(1.0, len(graph) + 1)
    with pytest.raises(ValueError, match="never become ready"):
        simulate(graph, durations[np.newaxis], kernel=kernel)
    with pytest.raises(ValueError, match="some tasks never start"):
        oracle.simulate(graph, durations.tolist())


def test_one_sample_that_never_ends_is_refused_among_others(kernel: ModuleType) -> None:
    # 2 holds the slot for ever, unless both it and 0 are skipped: then 1 runs.
    graph = build_graph(2, [(0, 1)], acquire=[0, 0], release=[-1, 0], capacity=[1])
    good, bad = [SKIPPED, 1.0], [1.0, 1.0]
    assert simulate(graph, np.array([good]), kernel=kernel).makespan.tolist() == [1]
    with pytest.raises(ValueError, match="never become ready"):
        simulate(graph, np.array([good, bad, good]), kernel=kernel)


def test_seconds_are_rounded_in_place_to_the_nearest_tick() -> None:
    seconds = np.array([0.0, 0.4 * TICK, 0.6 * TICK, 1 + 1.2 * TICK, -1.0, 1e6 + 0.3])
    assert round_to_ticks(seconds) is seconds
    assert seconds[:5].tolist() == [0, 0, TICK, 1 + TICK, -1]
    assert (seconds[5] / TICK).is_integer()
    assert abs(seconds[5] - (1e6 + 0.3)) <= TICK / 2


def test_a_graph_without_tasks_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one task"):
        build_graph(0, [])


def test_an_exit_of_no_race_is_refused() -> None:
    with pytest.raises(ValueError, match="no such task"):
        build_graph(2, [(0, 1)], exits={0: (7, 0)})


def test_durations_of_any_number_type_are_taken(kernel: ModuleType) -> None:
    graph = build_graph(2, [(0, 1)])
    for kind in (np.int64, np.float32):
        assert simulate(graph, np.array([[1, 2]], kind), kernel=kernel).makespan[0] == 3
