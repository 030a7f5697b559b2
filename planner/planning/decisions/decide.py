"""All decisions of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.planning.decisions.agents import Exchange, Numbers, exchange, numbers
from planner.planning.decisions.ceilings import (
    Ceilings,
    Usl,
    ceilings,
    usl,
)
from planner.planning.decisions.interval import (
    Beats,
    Samples,
    Success,
    beats,
    success,
)
from planner.planning.decisions.money import (
    BreakEven,
    Choice,
    Trade,
    Value,
    break_evens,
    pareto,
    price_of_an_hour,
    value_of_time,
)
from planner.planning.decisions.payback import Pace, Payback, Setup, pace, payback
from planner.planning.decisions.verdict import Row, Verdict, rows
from planner.planning.results import Scenario


@dataclass(frozen=True)
class DecisionOptions:
    """What is asked for beside a grid.

    every_n : try every number of agents from 1 to the widest fan-out at the first speed
    value_of_time : USD that an hour of somebody who waits is worth, or None
    waiting : how many wait
    setup : what an alternative to the baseline takes once, or None
    """

    every_n: bool = False
    value_of_time: float | None = None
    waiting: float = 1.0
    setup: Setup | None = None


@dataclass(frozen=True)
class Decisions:
    """What a grid says.

    widest : agents of the crew that could be busy at once
    numbers : of agents, for each row; the first one is also that of `exchange`, `ceilings` and `usl`
    pareto_p50, pareto_p90, price_of_an_hour, break_evens : None where cost is unknown
    """

    widest: int
    waiting: float
    numbers: tuple[Numbers, ...]
    exchange: Exchange
    ceilings: Ceilings
    usl: Usl | None
    pareto_p50: tuple[Choice, ...] | None
    pareto_p90: tuple[Choice, ...] | None
    price_of_an_hour: tuple[Trade, ...] | None
    break_evens: tuple[BreakEven, ...] | None
    value_of_time: Value | None
    beats: tuple[Beats, ...]
    pace: tuple[Pace, ...]
    success: tuple[Success, ...]
    setup: Setup | None
    payback: tuple[Payback, ...]


@dataclass(frozen=True, eq=False)
class DecisionInputs:
    """What was simulated.

    grid : what was asked for
    baseline : one agent at the declared speed
    numbers : by row, by number of agents: the grid's, one agent, and whatever else was simulated
    instant : one agent at infinite speed
    plain, plain_alone : the widest fan-out's agents, and one, without coordination, each request served as if alone
    curved : requests are slower, the more there are at a time
    people : whether they are in the loop
    """

    grid: Mapping[Scenario, Samples]
    baseline: tuple[Scenario, Samples]
    numbers: Mapping[Row, Mapping[int, Samples]]
    instant: Samples
    widest: int
    plain: Samples
    plain_alone: Samples
    curved: bool
    people: bool


def decide(known: DecisionInputs, verdict: Verdict, wishes: DecisionOptions) -> Decisions:
    """Pure functions of the samples, put together."""
    grid, (base, baseline) = known.grid, known.baseline
    order = rows(grid)
    first, few = order[0], min(scenario.agents for scenario in grid)
    every = set(range(1, known.widest + 1))
    found = tuple(numbers(*row, known.numbers[row], every <= set(known.numbers[row])) for row in order)
    cells = known.numbers[first]
    faster = {row: known.numbers[row][few] for row in order[1:]}
    best = found[0].best
    ends = dict.fromkeys((verdict.more, verdict.faster, verdict.best))
    others = [scenario for scenario in ends if scenario != base]
    named = {scenario: grid[scenario] for scenario in others}
    priced = baseline.usd is not None and all(samples.usd is not None for samples in grid.values())
    value = wishes.value_of_time
    worth = value_of_time(grid, baseline, value, wishes.waiting) if priced and value is not None else None
    alone = dict.fromkeys((few, min(best, max(one.agents for one in grid))))
    setup = wishes.setup
    return Decisions(
        known.widest,
        wishes.waiting,
        found,
        exchange(first, few, cells, faster, every <= set(cells)),
        ceilings(
            baseline, known.instant, known.plain, known.plain_alone, known.widest, known.curved, best, cells[best]
        ),
        usl(cells, known.widest),
        pareto(grid, 0.5) if priced else None,
        pareto(grid, 0.9) if priced else None,
        price_of_an_hour(grid) if priced else None,
        break_evens(*_beside(grid, order, alone), wishes.waiting) if priced else None,
        worth,
        _beats(grid, verdict, base, baseline),
        tuple(pace(scenario, samples, known.people) for scenario, samples in ({base: baseline} | named).items()),
        tuple(
            success(scenario, grid[scenario], baseline)
            for scenario in dict.fromkeys((*(Scenario(*row, few) for row in order), *others))
            if scenario != base
        ),
        setup,
        ()
        if setup is None
        else tuple(
            payback(one, grid[one], baseline, setup, value, wishes.waiting) for one in _paid(others, worth, base)
        ),
    )


def _beside(
    grid: Mapping[Scenario, Samples], order: Sequence[Row], agents: Mapping[int, None]
) -> tuple[dict[Scenario, Samples], dict[Scenario, Samples]]:
    """The first row, and all others, at these numbers of agents as far as they are in the grid."""
    chosen = {one: samples for one, samples in grid.items() if one.agents in agents}
    first = {one: samples for one, samples in chosen.items() if (one.model, one.speed) == order[0]}
    return first, {one: samples for one, samples in chosen.items() if one not in first}


def _beats(grid: Mapping[Scenario, Samples], verdict: Verdict, base: Scenario, baseline: Samples) -> tuple[Beats, ...]:
    """More agents against faster requests, and the quickest against the baseline."""
    found = []
    if verdict.more != verdict.faster:
        found.append(beats(verdict.more, verdict.faster, grid[verdict.more], grid[verdict.faster]))
    if verdict.best != base:
        found.append(beats(verdict.best, base, grid[verdict.best], baseline))
    return tuple(found)


def _paid(others: Sequence[Scenario], worth: object, base: Scenario) -> list[Scenario]:
    """Alternatives to the baseline: those of the verdict, and what is best at the value of time."""
    best = getattr(worth, "best", base)
    return list(dict.fromkeys((*others, *([best] if best != base else []))))
