"""Results of one scenario as frozen data: seconds, US dollars, tokens, and ratios to other scenarios."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from planner.engine.moments import Mean
from planner.engine.statistics import Values, standard_error
from planner.sampling.accumulator import ScenarioSamples
from planner.timing.cost import Billing

Row = tuple[str, float]
"""A model and a factor on its output speed."""

Others = tuple[tuple[str, int], ...]
"""Numbers of agents of further crews, by name."""

ALIKE = 0.01
"""Values that differ by at most this share count as about the same, even if their order is certain."""


@dataclass(frozen=True, order=True, repr=False)
class Scenario:
    """A scenario of a workflow.

    model : name of the profile that is used as the workflow's model
    speed : factor on every output speed
    agents : number of agents of the crew that varies; if several crews vary, of the first one
    others : (name, number of agents) of each further crew that varies, in the order in which the user named them
    """

    model: str
    speed: float
    agents: int
    others: Others = ()

    def __repr__(self) -> str:
        others = f", others={self.others!r}" if self.others else ""
        return f"Scenario(model={self.model!r}, speed={self.speed!r}, agents={self.agents!r}{others})"

    @property
    def row(self) -> Row:
        """The model and the speed."""
        return self.model, self.speed

    @property
    def crews(self) -> tuple[int, Others]:
        """The numbers of agents of all crews whose sizes vary."""
        return self.agents, self.others

    def agents_of(self, crew: str | None) -> int:
        """Return the number of agents of a crew.

        crew : name of a further crew in `others`; None: the crew whose number is the field `agents`
        """
        return self.agents if crew is None else dict(self.others)[crew]

    def with_agents(self, crew: str | None, agents: int) -> Scenario:
        """Return a copy of the scenario in which a crew has `agents` agents.

        crew : name of a further crew in `others`; None: the crew whose number is the field `agents`
        """
        if crew is None:
            return replace(self, agents=agents)
        return replace(self, others=tuple((name, agents if name == crew else count) for name, count in self.others))

    @property
    def all_agents(self) -> int:
        """Number of agents of all crews whose sizes vary."""
        return self.agents + sum(count for _, count in self.others)


def rows(grid: Iterable[Scenario]) -> list[Row]:
    """Return the rows of a grid. A row is a model at one speed.

    The models are in the order of the grid. The speeds of each model are in rising order.
    """
    distinct = dict.fromkeys(scenario.row for scenario in grid)
    models = list(dict.fromkeys(model for model, _ in distinct))
    return sorted(distinct, key=lambda row: (models.index(row[0]), row[1]))


def fewest(grid: Iterable[Scenario]) -> Scenario:
    """Return the first scenario with the fewest agents, added up over all crews that vary."""
    return min(grid, key=lambda scenario: scenario.all_agents)


@dataclass(frozen=True)
class Seconds:
    """The completion time of a scenario in seconds: mean and percentiles.

    standard_error : standard error of `mean`
    p50_low, p50_high, … : ends of the 95% interval of each percentile; None if there are too few samples
    """

    mean: float
    p50: float
    p90: float
    p95: float
    standard_error: float
    p50_low: float | None
    p50_high: float | None
    p90_low: float | None
    p90_high: float | None
    p95_low: float | None
    p95_high: float | None

    @classmethod
    def of(cls, samples: Values) -> Seconds:
        p50, p90, p95 = map(samples.quantile, (0.5, 0.9, 0.95))
        error, interval = samples.standard_error, samples.known_interval
        return cls(samples.mean, p50, p90, p95, error, *interval(0.5), *interval(0.9), *interval(0.95))


@dataclass(frozen=True)
class Usd:
    """The cost of a scenario in US dollars: mean and percentiles, and the two parts of the mean.

    standard_error : standard error of `mean`
    p50_low, p50_high, … : ends of the 95% interval of each percentile; None if there are too few samples
    models : the part of `mean` for tokens, and for machines that serve models
    people_and_machines : the part of `mean` for people, tools and crews
    models_standard_error, people_and_machines_standard_error : standard errors of the two parts
    """

    mean: float
    p50: float
    p90: float
    p95: float
    standard_error: float
    p50_low: float | None
    p50_high: float | None
    p90_low: float | None
    p90_high: float | None
    p95_low: float | None
    p95_high: float | None
    models: float
    people_and_machines: float
    models_standard_error: float
    people_and_machines_standard_error: float

    @classmethod
    def of(cls, samples: ScenarioSamples) -> Usd | None:
        """Return the cost of a scenario, or None if it is unknown."""
        total = samples.usd
        if total is None:
            return None
        p50, p90, p95 = map(total.quantile, (0.5, 0.9, 0.95))
        error = total.standard_error
        (p50_low, p50_high), (p90_low, p90_high), (p95_low, p95_high) = map(total.known_interval, (0.5, 0.9, 0.95))
        models, others = Mean(total.mean, error), Mean(0.0, 0.0)
        if samples.usd_parts is not None:
            models, others = (Mean(values.mean, values.standard_error) for values in samples.usd_parts)
        return cls(
            total.mean, p50, p90, p95, error, p50_low, p50_high, p90_low, p90_high, p95_low, p95_high,
            models.mean, others.mean, models.standard_error, others.standard_error,
        )  # fmt: skip


@dataclass(frozen=True)
class Tokens:
    """Mean numbers of tokens in a scenario.

    input : input tokens that the model prefills
    cache_read : input tokens that are read from a cache
    output : output tokens
    """

    input: float
    cache_read: float
    output: float

    @classmethod
    def of(cls, billed: Billing) -> Tokens:
        return cls(float(billed.prompt), float(billed.cache_read), float(billed.output))


@dataclass(frozen=True)
class Accepted:
    """The chance that a result is accepted, and the time and cost per accepted result.

    chance : share of samples in which no failure remains at the end
    standard_error : standard error of `chance`
    seconds : `mean completion time / chance`; None if `chance` is 0
    usd : `mean cost / chance` in US dollars; None if `chance` is 0 or the cost is unknown
    """

    chance: float
    standard_error: float
    seconds: float | None
    usd: float | None

    @classmethod
    def of(cls, accepted: Values, seconds: Seconds, usd: Usd | None) -> Accepted:
        chance = accepted.mean
        error = math.sqrt(chance * (1 - chance) / accepted.count)
        if not chance:
            return cls(chance, error, None, None)
        return cls(chance, error, seconds.mean / chance, None if usd is None else usd.mean / chance)


@dataclass(frozen=True)
class Result:
    """The result of one scenario.

    speedup : `p50 of the baseline / p50 of this scenario`
    efficiency : speedup per agent: `p50 with one agent in each crew of agents / (agents * p50 of this scenario)`. Both
        p50 are for the model and speed of this scenario. `agents` is the mean number of agents in a crew of agents, so
        crews of people and of tools do not count. None if there is no crew of agents
    coordination_share : `mean seconds of coordination on the critical path / mean completion time`
    price_multiplier : assumed factor on the declared prices, because of the speed; 1 for speeds up to 1x
    standard_errors : standard errors of `speedup`, `efficiency`, `coordination_share` and `tokens`
    """

    scenario: Scenario
    seconds: Seconds
    usd: Usd | None
    tokens: Tokens
    speedup: float
    efficiency: float | None
    coordination_share: float
    accepted: Accepted
    price_multiplier: float
    standard_errors: StandardErrors

    @classmethod
    def of(
        cls, scenario: Scenario, samples: ScenarioSamples, baseline: ScenarioSamples, alone: ScenarioSamples,
        agents: float | None,
    ) -> Result:  # fmt: skip
        """Return the result of a scenario.

        samples : samples of the scenario
        baseline : samples of the baseline
        alone : samples of the baseline's agents with the model and the speed of the scenario
        agents : mean number of agents of the crews of agents in the scenario; None if there is no crew of agents

        `samples`, `baseline` and `alone` must have the same number of samples and the same random draws.
        """
        time = Seconds.of(samples.seconds)
        cost = Usd.of(samples)
        return cls(
            scenario,
            time,
            cost,
            Tokens.of(samples.billed),
            _over(baseline.seconds.quantile(0.5), time.p50),
            None if agents is None else _over(alone.seconds.quantile(0.5), time.p50) / agents,
            samples.coordination.mean / time.mean if time.mean else 0.0,
            Accepted.of(samples.accepted, time, cost),
            samples.price_multiplier,
            StandardErrors.of(samples, baseline, alone, agents),
        )


@dataclass(frozen=True)
class StandardErrors:
    """Standard errors of some fields of a `Result`.

    speedup, efficiency : computed from the variation between groups of samples; None if there are too few samples.
        `efficiency` is also None if there are no crews of agents
    coordination_share, tokens : standard errors of means over samples
    """

    speedup: float | None
    efficiency: float | None
    coordination_share: float
    tokens: Tokens

    @classmethod
    def of(
        cls, samples: ScenarioSamples, baseline: ScenarioSamples, alone: ScenarioSamples, agents: float | None
    ) -> StandardErrors:
        """Return the standard errors of a `Result`. The arguments are those of `Result.of`."""
        scale = math.sqrt(len(samples.seconds.first) / samples.seconds.count)
        medians = samples.seconds.group_medians()

        def speedup(over: Values) -> float | None:
            base = over.group_medians()
            if base is None or medians is None:
                return None
            return scale * standard_error(base / np.where(medians > 0, medians, 1.0)) if medians.any() else 0.0

        alone_error = speedup(alone.seconds)
        return cls(
            speedup(baseline.seconds),
            None if alone_error is None or agents is None else alone_error / agents,
            scale * Mean.ratio(samples.coordination.first, samples.seconds.first).standard_error,
            Tokens(*samples.token_errors),
        )


def _over(base: float, seconds: float) -> float:
    """Return `base` / `seconds`, or 1 if `seconds` is 0."""
    return base / seconds if seconds else 1.0
