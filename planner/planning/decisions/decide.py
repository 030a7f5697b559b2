"""All facts for decisions that a comparison computes besides its advice."""

from __future__ import annotations

from dataclasses import dataclass

from planner.planning.decisions.advice import WORTH, Advice
from planner.planning.decisions.ceilings import Ceilings, Usl, ceilings, usl
from planner.planning.decisions.chances import BreakEvenSuccess, PairwiseChance, ScenarioValues, beats, success
from planner.planning.decisions.exchange import Exchange, exchange
from planner.planning.decisions.money import (
    BreakEven,
    ByScenario,
    ParetoPoint,
    Trade,
    break_evens,
    pareto,
    trades,
)
from planner.planning.decisions.payback import Pace, Payback, Setup, pace, payback
from planner.planning.results import Others, Row, Scenario, fewest, rows


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
    """Facts for decisions, in addition to the advice of a comparison.

    A row is a model at one speed. The first row is the first model at the lowest speed. If several crews vary, only the
    number of agents of the first crew varies in `exchange`, `ceilings`, `usl` and `break_evens`.

    widest : largest number of agents of the first crew that can be busy simultaneously
    waiting : number of people who wait
    one : the scenario of one agent at the declared speed
    exchange : how many agents of the first row are as quick as each other row, and the reverse
    ceilings : the largest speedups that more agents and a higher speed can reach in the first row
    usl : the universal scalability law, fitted to the first row; None if there are too few numbers of agents
    pareto_p50, pareto_p90 : the scenarios that no cheaper scenario beats, by p50 or p90 of the completion time
    price_of_an_hour : the changes that lead from the cheapest scenario to the quickest one, with their price per hour
        saved
    break_evens : for each further row, the value of an hour at which it is as good as the first row
    beats : for each change of the advice, the chance that the new scenario is quicker
    pace : how quick the declared scenario is, and how quick the recommended one is unless it is the same
    success : for the fewest agents in each row and for the recommended scenario, the success rates at which the
        scenario is as good as `one`
    payback : for each requested scenario and for the recommended one, the number of runs that pay back its setup,
        compared with `one`

    The fields `pareto_p50`, `pareto_p90`, `price_of_an_hour` and `break_evens` are None if the cost of a scenario is
    unknown.
    """

    widest: int
    waiting: float
    one: Scenario
    exchange: Exchange
    ceilings: Ceilings
    usl: Usl | None
    pareto_p50: tuple[ParetoPoint, ...] | None
    pareto_p90: tuple[ParetoPoint, ...] | None
    price_of_an_hour: tuple[Trade, ...] | None
    break_evens: tuple[BreakEven, ...] | None
    beats: tuple[PairwiseChance, ...]
    pace: tuple[Pace, ...]
    success: tuple[BreakEvenSuccess, ...]
    setup: Setup | None
    payback: tuple[Payback, ...]


@dataclass(frozen=True, eq=False)
class DecisionInputs:
    """The samples from which decisions are computed.

    simulated : samples of all scenarios of the workflow as declared
    grid : samples of the requested scenarios
    one : the scenario of one agent of the first crew at the declared speed
    baseline : samples of the baseline, to which speedups refer
    instant : samples of one agent at infinite speed
    widest : largest number of agents of the first crew that can be busy simultaneously
    uncoordinated : samples of `widest` agents without coordination, if requests do not slow each other down. None: the
        samples in `simulated` meet these conditions
    uncoordinated_alone : samples of one agent under the same conditions. None: the samples in `simulated` meet them
    load_dependent : whether concurrent requests slow each other down in the workflow as declared
    """

    simulated: ByScenario
    grid: ByScenario
    one: Scenario
    baseline: ScenarioValues
    instant: ScenarioValues
    widest: int
    uncoordinated: ScenarioValues | None
    uncoordinated_alone: ScenarioValues | None
    load_dependent: bool

    @property
    def declared(self) -> Others:
        """The declared numbers of agents of all crews that vary, except the first."""
        return self.one.others

    def by_agents(self, row: Row) -> dict[int, ScenarioValues]:
        """Return the samples for each number of agents of the first crew, at one model and speed.

        All other crews have their declared numbers of agents.
        """
        return {
            scenario.agents: samples
            for scenario, samples in self.simulated.items()
            if scenario.row == row and scenario.others == self.declared
        }


def decide(inputs: DecisionInputs, advice: Advice, options: DecisionOptions) -> Decisions:
    """Compute the facts for decisions that belong to an advice."""
    grid, base, simulated = inputs.grid, inputs.one, inputs.simulated
    one, recommended = simulated[base], advice.recommended
    first, *others = rows(grid)
    few = fewest(grid)
    by_agents = inputs.by_agents(first)
    every = set(range(1, inputs.widest + 1)) <= set(by_agents)
    plain, alone = inputs.uncoordinated, inputs.uncoordinated_alone
    priced = one.usd is not None and all(samples.usd is not None for samples in grid.values())
    changes = [change for change in (advice.change, advice.more, advice.faster) if change is not None]
    setup = options.setup
    return Decisions(
        widest=inputs.widest,
        waiting=options.waiting,
        one=base,
        exchange=exchange(
            first, few.agents, by_agents, {row: inputs.by_agents(row)[few.agents] for row in others}, every
        ),
        ceilings=ceilings(
            inputs.baseline,
            inputs.instant,
            by_agents[inputs.widest] if plain is None else plain,
            by_agents[1] if alone is None else alone,
            inputs.widest,
            inputs.load_dependent,
        ),
        usl=usl(by_agents, inputs.widest),
        pareto_p50=pareto(grid, 0.5) if priced else None,
        pareto_p90=pareto(grid, 0.9) if priced else None,
        price_of_an_hour=trades(grid) if priced else None,
        break_evens=_break_evens(inputs, recommended.agents, options.waiting) if priced else None,
        beats=tuple(
            beats(change.after, change.before, simulated[change.after], simulated[change.before]) for change in changes
        ),
        pace=tuple(pace(scenario, simulated[scenario]) for scenario in dict.fromkeys((advice.declared, recommended))),
        success=tuple(
            success(scenario, simulated[scenario], one)
            for scenario in dict.fromkeys((*(Scenario(*row, *few.crews) for row in (first, *others)), recommended))
            if scenario != base
        ),
        setup=setup,
        payback=()
        if setup is None
        else tuple(
            payback(scenario, simulated[scenario], one, setup, options.value_of_time, options.waiting)
            for scenario in dict.fromkeys((*grid, recommended))
            if scenario != base
        ),
    )


def _break_evens(inputs: DecisionInputs, agents: int, waiting: float) -> tuple[BreakEven, ...]:
    """Return, for each further row of the grid, the value of an hour at which it is as good as the first row.

    A row is a model at one speed.

    agents : number of agents for which rows are compared. If the grid does not have it, the fewest agents are used
    """
    numbers = {scenario.agents for scenario in inputs.grid}
    count = agents if agents in numbers else min(numbers)
    first, *others = (Scenario(*row, count, inputs.declared) for row in rows(inputs.grid))
    return break_evens(
        {first: inputs.simulated[first]}, {scenario: inputs.simulated[scenario] for scenario in others}, waiting
    )
