"""The cheapest of several scenarios that meet a target: what can be bought first, then the least cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from planner.engine.intervals import mean_difference
from planner.planning.grid import Grid
from planner.planning.results import ALIKE, Scenario
from planner.planning.target.goal import Candidate, Target

WIDE = 8
"""Most numbers between a crew's number of agents and twice that number that are tried."""


class Cost(NamedTuple):
    """Sort key of scenarios. The fields are compared in their order.

    usd : mean cost in US dollars; 0 if it is unknown
    price_multiplier : factor on the declared prices that is assumed for the scenario's speed
    agents : number of agents of all crews that vary
    """

    usd: float
    price_multiplier: float
    agents: int

    @classmethod
    def of(cls, candidate: Candidate) -> Cost:
        usd = 0.0 if candidate.usd is None else candidate.usd.mean
        return cls(usd, candidate.price_multiplier, candidate.scenario.all_agents)


@dataclass(frozen=True, eq=False)
class Candidates:
    """All simulated scenarios, compared with a target.

    grid : simulates the scenarios
    """

    grid: Grid
    target: Target
    _compared: dict[Scenario, Candidate] = field(default_factory=dict)

    def of(self, scenario: Scenario) -> Candidate:
        """Return a simulated scenario, compared with the target."""
        if scenario not in self._compared:
            self._compared[scenario] = Candidate.of(scenario, self.grid.found[scenario], self.target)
        return self._compared[scenario]

    def all(self) -> list[Candidate]:
        """Return all scenarios that the grid has simulated, in the order of their simulation."""
        return [self.of(scenario) for scenario in self.grid.found]

    def cheapest(self, some: Iterable[Candidate]) -> Candidate | None:
        """Return the cheapest of the candidates that surely meet the target; None if there is none.

        Candidates that are easier to buy come first, in the order of `AVAILABILITY`. If several candidates cost about
        the same, return the one with the fewest agents.
        """
        meeting = [candidate for candidate in some if candidate.standing == "meets"]
        first = min((candidate.rank for candidate in meeting), default=0)
        available = [candidate for candidate in meeting if candidate.rank == first]
        least = min(available, key=Cost.of, default=None)
        if least is None:
            return None
        return min(
            (each for each in available if each is least or self.about_as_cheap(each, least)),
            key=lambda each: (each.scenario.all_agents, each.price_multiplier, each.seconds.p90, Cost.of(each)),
        )

    def is_cheaper(self, candidate: Candidate, than: Candidate) -> bool:
        """Return whether `candidate` costs clearly less than `than`, or has fewer agents and does not cost more."""
        fewer = candidate.scenario.all_agents < than.scenario.all_agents
        return Cost.of(candidate) < Cost.of(than) and (fewer or not self.about_as_cheap(than, candidate))

    def about_as_cheap(self, one: Candidate, least: Candidate) -> bool:
        """Return whether `one` costs about as much as `least`: at most 1% more, or not significantly more."""
        usd, other = self.grid.found[one.scenario].usd, self.grid.found[least.scenario].usd
        if usd is None or other is None or not other.mean:
            return (usd is None or not usd.mean) and one.price_multiplier == least.price_multiplier
        more = mean_difference(usd, other)
        return more.value <= ALIKE * other.mean or (more.low is not None and not more.above)

    def closest(self) -> Candidate:
        """Return the scenario that comes closest to the target, for the case that none surely meets it.

        Only the scenarios that are easiest to buy are compared, by the order of `AVAILABILITY`.
        Return the quickest scenario within the budget. If several are about as quick, return the one with the fewest
        agents.
        If no scenario is within the budget, return the cheapest one.
        """
        within = [candidate for candidate in self.all() if candidate.in_budget != "misses"]
        some = within or self.all()
        first = min(candidate.rank for candidate in some)
        some = [candidate for candidate in some if candidate.rank == first]
        if not within:
            return min(some, key=Cost.of)
        best = min(_STANDINGS.index(candidate.standing) for candidate in some)
        some = [candidate for candidate in some if _STANDINGS.index(candidate.standing) == best]
        least = min(candidate.quantile(self.target) for candidate in some)
        return min(
            (candidate for candidate in some if candidate.quantile(self.target) <= (1 + ALIKE) * least),
            key=lambda candidate: (candidate.scenario.all_agents, candidate.quantile(self.target), Cost.of(candidate)),
        )


_STANDINGS = ("meets", "limit", "misses")


def neighbours(numbers: Sequence[int], most: int, wide: bool) -> Iterator[tuple[int, ...]]:
    """Yield combinations of numbers of agents near a given combination.

    In each, one crew has one agent more or less, or one agent moves to another crew. For example, (3, 5) has the
    neighbours (2, 5), (4, 5), (3, 4), (3, 6), (4, 4) and (2, 6).

    numbers : the given number of agents of each crew
    most : largest number of agents of a crew
    wide : whether to also yield combinations in which one crew has up to twice its agents. For each crew, these are at
        most `WIDE` (8) combinations
    """
    steps = [(index, change) for index in range(len(numbers)) for change in (-1, 1)]
    pairs = [((more, 1), (less, -1)) for more in range(len(numbers)) for less in range(len(numbers)) if more != less]
    if wide:
        for index, count in enumerate(numbers):
            steps += [(index, change) for change in range(2, count + 1) if change % math.ceil(count / WIDE) == 0]
    for changes in (*((step,) for step in steps), *pairs):
        near = list(numbers)
        for index, change in changes:
            near[index] += change
        if all(1 <= count <= most for count in near):
            yield tuple(near)
