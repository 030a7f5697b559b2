"""All decisions of a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.planning.decisions.advice import WORTH
from planner.planning.decisions.agents import AgentNumbers, agent_numbers
from planner.planning.decisions.ceilings import Ceilings, Usl, ceilings, usl
from planner.planning.decisions.chances import BreakEvenSuccess, PairwiseChance, ScenarioValues, beats, success
from planner.planning.decisions.exchange import Exchange, exchange
from planner.planning.decisions.money import (
    BestAtValue,
    BreakEven,
    ByScenario,
    ParetoPoint,
    Trade,
    break_evens,
    pareto,
    price_of_an_hour,
    value_of_time,
)
from planner.planning.decisions.payback import Pace, Payback, Setup, pace, payback
from planner.planning.decisions.verdict import Verdict, fewest, rows
from planner.planning.results import Others, Row, Scenario


@dataclass(frozen=True)
class DecisionOptions:
    """Options for the decisions of a comparison.

    every_n : whether to simulate all numbers of agents from 1 to the largest useful one. Only the first model at the
        lowest speed has all these numbers
    value_of_time : value of an hour of one waiting person, in US dollars; None: not given
    waiting : number of people who wait
    setup : time and cost of setting up a scenario; None: not given. One agent at the declared speed needs no setup
    worth : a change is recommended only if it saves at least this share of the declared scenario's p50
    """

    every_n: bool = False
    value_of_time: float | None = None
    waiting: float = 1.0
    setup: Setup | None = None
    worth: float = WORTH

    @property
    def usd_per_hour(self) -> float | None:
        """Value of an hour for all people who wait, in US dollars; None if it is not given."""
        return None if self.value_of_time is None else self.value_of_time * self.waiting


@dataclass(frozen=True)
class Decisions:
    """All decisions of a comparison.

    A row is a model at one speed. The first row is the first model at the lowest speed. The fields `exchange`,
    `ceilings` and `usl` are about the first row.

    If several crews vary, the fields `numbers`, `exchange`, `ceilings`, `usl` and `break_evens` are about the first
    crew. All other crews then have their declared numbers of agents.

    widest : largest number of agents of the first crew that can be busy simultaneously
    waiting : number of people who wait
    one : the scenario of one agent at the declared speed. The fields `value_of_time`, `beats`, `pace`, `success` and
        `payback` compare other scenarios with it
    numbers : for each row, a comparison of several numbers of agents
    pareto_p50, pareto_p90, price_of_an_hour, break_evens : None if the cost of a scenario is unknown
    value_of_time : None if a cost is unknown, or if the value of an hour is not given
    """

    widest: int
    waiting: float
    one: Scenario
    numbers: tuple[AgentNumbers, ...]
    exchange: Exchange
    ceilings: Ceilings
    usl: Usl | None
    pareto_p50: tuple[ParetoPoint, ...] | None
    pareto_p90: tuple[ParetoPoint, ...] | None
    price_of_an_hour: tuple[Trade, ...] | None
    break_evens: tuple[BreakEven, ...] | None
    value_of_time: BestAtValue | None
    beats: tuple[PairwiseChance, ...]
    pace: tuple[Pace, ...]
    success: tuple[BreakEvenSuccess, ...]
    setup: Setup | None
    payback: tuple[Payback, ...]


@dataclass(frozen=True, eq=False)
class DecisionInputs:
    """The samples from which decisions are computed.

    grid : samples of the requested scenarios
    one : the scenario of one agent of the first crew at the declared speed, and its samples
    baseline : samples of the baseline, to which speedups refer
    declared : the declared numbers of agents of all crews that vary, except the first; empty if only one varies
    by_row : (model, speed) → number of agents of the first crew → samples. All other crews have their declared numbers
    instant : samples of one agent at infinite speed
    widest : largest number of agents of the first crew that can be busy simultaneously
    uncoordinated : samples for as many agents as `widest`. Here, there is no coordination, and requests do not slow
        each other down
    uncoordinated_alone : samples of one agent under the same conditions as `uncoordinated`
    load_dependent : whether concurrent requests slow each other down in the workflow as declared
    """

    grid: ByScenario
    one: tuple[Scenario, ScenarioValues]
    baseline: ScenarioValues
    declared: Others
    by_row: Mapping[Row, Mapping[int, ScenarioValues]]
    instant: ScenarioValues
    widest: int
    uncoordinated: ScenarioValues
    uncoordinated_alone: ScenarioValues
    load_dependent: bool


def decide(inputs: DecisionInputs, verdict: Verdict, options: DecisionOptions) -> Decisions:
    """Compute all decisions of a comparison."""
    grid, (base, one) = inputs.grid, inputs.one
    order = rows(grid)
    first, few = order[0], min(scenario.agents for scenario in grid)
    every = set(range(1, inputs.widest + 1))
    numbers = tuple(agent_numbers(*row, inputs.by_row[row], every <= set(inputs.by_row[row])) for row in order)
    by_agents = inputs.by_row[first]
    faster = {row: inputs.by_row[row][few] for row in order[1:]}
    best = numbers[0].best
    ends = dict.fromkeys((verdict.more, verdict.faster, verdict.best))
    others = [scenario for scenario in ends if scenario != base]
    priced = one.usd is not None and all(samples.usd is not None for samples in grid.values())
    value = options.value_of_time
    at_value = value_of_time(grid, one, value, options.waiting) if priced and value is not None else None
    setup = options.setup
    return Decisions(
        widest=inputs.widest,
        waiting=options.waiting,
        one=base,
        numbers=numbers,
        exchange=exchange(first, few, by_agents, faster, every <= set(by_agents)),
        ceilings=ceilings(
            inputs.baseline,
            inputs.instant,
            inputs.uncoordinated,
            inputs.uncoordinated_alone,
            inputs.widest,
            inputs.load_dependent,
            best,
            by_agents[best],
        ),
        usl=usl(by_agents, inputs.widest),
        pareto_p50=pareto(grid, 0.5) if priced else None,
        pareto_p90=pareto(grid, 0.9) if priced else None,
        price_of_an_hour=price_of_an_hour(grid) if priced else None,
        break_evens=_break_evens(inputs, first, few, best, options.waiting) if priced else None,
        value_of_time=at_value,
        beats=_beats(grid, verdict, base, one),
        pace=(
            pace(base, one),
            *(pace(scenario, grid[scenario]) for scenario in others),
        ),
        success=tuple(
            success(scenario, grid[scenario], one)
            for scenario in dict.fromkeys((*(Scenario(*row, *fewest(grid).crews) for row in order), *others))
            if scenario != base
        ),
        setup=setup,
        payback=()
        if setup is None
        else tuple(
            payback(scenario, grid[scenario], one, setup, value, options.waiting)
            for scenario in _alternatives(others, at_value, base)
        ),
    )


def _break_evens(inputs: DecisionInputs, first: Row, few: int, best: int, waiting: float) -> tuple[BreakEven, ...]:
    """Return the values of an hour at which a row is as good as the row `first`.

    A row is a model at one speed. Each row is compared with two numbers of agents.

    few : the first number of agents
    best : the second number of agents. If it exceeds the largest number of the grid, the largest number is used
    """
    numbers = list(dict.fromkeys(scenario.agents for scenario in inputs.grid))
    agents = [count for count in numbers if count in (few, min(best, max(numbers)))]
    chosen = {
        Scenario(*row, count, inputs.declared): inputs.by_row[row][count]
        for row in dict.fromkeys(scenario.row for scenario in inputs.grid)
        for count in agents
    }
    of_first = {scenario: samples for scenario, samples in chosen.items() if scenario.row == first}
    others = {scenario: samples for scenario, samples in chosen.items() if scenario not in of_first}
    return break_evens(of_first, others, waiting)


def _beats(grid: ByScenario, verdict: Verdict, base: Scenario, one: ScenarioValues) -> tuple[PairwiseChance, ...]:
    """Return at most two chances that one scenario is quicker than another.

    The first is the chance that `verdict.more` is quicker than `verdict.faster`.
    The second is the chance that `verdict.best` is quicker than `base`.
    A chance is left out if its two scenarios are the same.

    base : the scenario of one agent at the declared speed
    one : samples of `base`
    """
    chances = []
    if verdict.more != verdict.faster:
        chances.append(beats(verdict.more, verdict.faster, grid[verdict.more], grid[verdict.faster]))
    if verdict.best != base:
        chances.append(beats(verdict.best, base, grid[verdict.best], one))
    return tuple(chances)


def _alternatives(others: Sequence[Scenario], at_value: BestAtValue | None, base: Scenario) -> list[Scenario]:
    """Return `others` and the best scenario at the value of time, without `base`.

    at_value : the best scenario at the value of time; None if the value of time is not given
    base : the scenario of one agent at the declared speed
    """
    best = base if at_value is None else at_value.best
    return list(dict.fromkeys((*others, *([best] if best != base else []))))
