"""The advice of a comparison by rule: more agents, fewer, a faster model, both, or nothing. docs/model.md, "Advice"."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from planner.planning.decisions.holders import Holder
from planner.planning.decisions.verdict import Row
from planner.planning.results import Scenario

WORTH = 0.05
"""Default share of the declared scenario's p50 that a change must save."""

HOUR = 3600.0

Code = Literal["more-agents", "fewer-agents", "faster", "both", "keep"]

AVAILABILITY = ("", "limited", "hypothetical", "retired")
"""Availabilities in the order of preference. The empty text is the availability of what everybody can buy."""


class Point(NamedTuple):
    """The time and cost of a scenario.

    seconds : p50 of the completion time
    usd : mean cost in US dollars; None if a price is unknown
    """

    seconds: float
    usd: float | None


@dataclass(frozen=True)
class Change:
    """The change from one scenario to another.

    saved : seconds of p50 that the change saves; negative if the other scenario is slower
    share : `saved / p50 of the declared scenario`; for a change from one agent, `saved / p50 of one agent`
    usd : mean US dollars that the change adds; negative if it saves money; None if a price is unknown
    usd_per_hour : `usd / hours saved`; None unless the change saves time and costs money
    availability : ``limited``, ``hypothetical`` or ``retired`` if the new model or speed is; otherwise an empty text
    worth : whether the change is worth it, by the rule
    """

    before: Scenario
    after: Scenario
    saved: float
    share: float
    usd: float | None
    usd_per_hour: float | None
    availability: str
    worth: bool


@dataclass(frozen=True)
class Advice:
    """The answer to the question of a comparison. All is measured from the declared scenario.

    verdict : ``more-agents``, ``fewer-agents``, ``faster``, ``both`` or ``keep``
    threshold : share of the declared p50 that a change must save
    usd_per_hour : value of an hour for all people who wait, in US dollars; None if it is not given. Then a change is
        worth it if the hours saved are worth more than they cost
    crew : name of the crew whose number of agents varies
    chosen : whether the planner chose the crew, because the workflow has several crews
    crew_drag : drag of the crew in the declared scenario, as a share of the mean completion time
    other_crew : another crew that holds the workflow up more; None if there is none
    most : largest number of agents of the crew that can be busy simultaneously
    limited : whether the workflow limits the number of agents in the declared scenario
    declared : the declared scenario, its p50 and its mean cost
    recommended : the recommended scenario; the declared scenario if nothing is worth it
    enough : the named number of agents: the fewest that do about as well as any number, at the declared speed
    change : from the declared to the recommended scenario; None if they are the same
    over_one : from one agent to the agents of the recommended scenario, at its speed; None if it has one agent, or if
        one agent was not simulated
    more : from the recommended scenario to the next larger number of agents; None if there is none
    faster : from the recommended scenario to the best faster model or speed; None if no other was simulated
    holders : what holds the declared scenario up, the largest drag first
    """

    verdict: Code
    threshold: float
    usd_per_hour: float | None
    crew: str
    chosen: bool
    crew_drag: float
    other_crew: str | None
    most: int
    limited: bool
    declared: Scenario
    declared_seconds: float
    declared_usd: float | None
    recommended: Scenario
    enough: int
    change: Change | None
    over_one: Change | None
    more: Change | None
    faster: Change | None
    holders: tuple[Holder, ...]


def availability(scenario: Scenario, restricted: Mapping[str, str]) -> str:
    """Return ``hypothetical`` for a speed that nobody offers. Otherwise return the availability of the model.

    restricted : availability of each model that not everybody can buy
    """
    return restricted.get(scenario.model, "") if scenario.speed == 1 else "hypothetical"


@dataclass(frozen=True)
class Choice:
    """The recommended scenario and the reason for it, as in `Advice`."""

    verdict: Code
    recommended: Scenario
    enough: int


@dataclass(frozen=True, eq=False)
class Rule:
    """The rule that chooses a scenario among measured ones.

    points : time and cost of each measured scenario, the declared one among them
    declared : the declared scenario
    restricted : availability of each model that not everybody can buy
    worth : share of the declared p50 that a change must save
    usd_per_hour : as in `Advice`
    asked : numbers of agents to choose from; None: all measured numbers
    named : named number of agents of some rows, from an earlier search; in other rows it follows from the points
    """

    points: Mapping[Scenario, Point]
    declared: Scenario
    restricted: Mapping[str, str]
    worth: float = WORTH
    usd_per_hour: float | None = None
    asked: Collection[int] | None = None
    named: Mapping[Row, int] = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """The declared model and speed."""
        return self.declared.model, self.declared.speed

    @property
    def rows(self) -> list[Row]:
        """All other models and speeds."""
        rows = dict.fromkeys((scenario.model, scenario.speed) for scenario in self.points)
        return [row for row in rows if row != self.row]

    @property
    def least(self) -> float:
        """Seconds that a change must save without a value of time."""
        return self.worth * self.points[self.declared].seconds

    def choose(self) -> Choice:
        """Choose a scenario. See docs/model.md, "Advice"."""
        declared, enough = self.declared, self.enough(self.row)
        named = Scenario(*self.row, enough)
        agents = named if self.adds(declared, named) else None
        faster = self.fastest(self.at(self.rows, declared.agents))
        single = self._better(agents, faster)
        wide = [Scenario(*row, count) for row in self.rows if (count := self.enough(row)) != declared.agents]
        both = self.fastest(scenario for scenario in wide if scenario in self.points)
        if both is not None and self.adds(single or declared, both):
            return Choice("both", both, enough)
        if single is not None and single == faster:
            return Choice("faster", single, enough)
        if single is not None or enough < declared.agents:
            return Choice("more-agents" if enough > declared.agents else "fewer-agents", named, enough)
        return Choice("keep", declared, enough)

    def enough(self, row: Row) -> int:
        """Return the fewest measured agents of a row whose loss is within `worth` of the row's least loss."""
        if row in self.named:
            return self.named[row]
        numbers = self.numbers(row)
        loss = {count: self.loss(Scenario(*row, count)) for count in numbers}
        quickest = min(self.points[Scenario(*row, count)].seconds for count in numbers)
        return min(count for count in numbers if loss[count] <= min(loss.values()) + self.worth * quickest)

    def numbers(self, row: Row) -> list[int]:
        """Return the numbers of agents of a row to choose from, in rising order."""
        measured = sorted(scenario.agents for scenario in self.points if (scenario.model, scenario.speed) == row)
        return [count for count in measured if self.asked is None or count in self.asked]

    def at(self, rows: Iterable[Row], agents: int) -> list[Scenario]:
        """Return the measured scenarios of several rows with a number of agents."""
        return [scenario for row in rows if (scenario := Scenario(*row, agents)) in self.points]

    def loss(self, scenario: Scenario) -> float:
        """Return the completion time of a scenario, plus its cost as time if time has a value, in seconds."""
        seconds, usd = self.points[scenario]
        if not self._priced:
            return seconds
        assert usd is not None
        assert self.usd_per_hour is not None
        return seconds + usd / self.usd_per_hour * HOUR

    def fastest(self, scenarios: Iterable[Scenario]) -> Scenario | None:
        """Return the best scenario of those that are worth it; None if there is none.

        What can be bought comes first. With a value of time, the least loss is best. Otherwise, the cheapest scenario
        within `worth` of the quickest is best.
        """
        worth = self._worth(scenarios)
        first = min((self._rank(scenario) for scenario in worth), default=0)
        return self._cheapest([scenario for scenario in worth if self._rank(scenario) == first])

    def next_faster(self, scenario: Scenario) -> Scenario | None:
        """Return the best quicker scenario with the same agents and another row; None if there is none.

        If no other row is quicker than the declared one, return the best other row.
        """
        others = self.at(self.rows, scenario.agents)
        candidates = [other for other in others if self.points[other].seconds < self.points[scenario].seconds]
        if (scenario.model, scenario.speed) == self.row:
            candidates = candidates or others
        first = min(map(self._rank, candidates), default=0)
        return self._cheapest([other for other in candidates if self._rank(other) == first])

    def next_more(self, scenario: Scenario, most: int) -> Scenario | None:
        """Return the scenario with about twice the agents; None if no larger number is measured.

        most : largest useful number of agents
        """
        row, twice = (scenario.model, scenario.speed), min(most, 2 * scenario.agents)
        more = [count for count in self.numbers(row) if scenario.agents < count <= most]
        return Scenario(*row, min(more, key=lambda count: abs(math.log(count / twice)))) if more else None

    def change(self, before: Scenario, after: Scenario, base: Scenario | None = None) -> Change:
        """Return the change between two measured scenarios.

        base : scenario whose p50 is 100%; None: the declared one
        """
        one, other = self.points[before], self.points[after]
        saved = one.seconds - other.seconds
        usd = None if one.usd is None or other.usd is None else other.usd - one.usd
        per_hour = usd / saved * HOUR if usd is not None and usd > 0 and saved > 0 else None
        whole = self.points[base or self.declared].seconds
        share = saved / whole if whole else 0.0
        new_row = (before.model, before.speed) != (after.model, after.speed)
        availability = self.availability(after) if new_row else ""
        return Change(before, after, saved, share, usd, per_hour, availability, self.adds(before, after))

    def availability(self, scenario: Scenario) -> str:
        """Return the availability of the scenario, as in `availability`."""
        return availability(scenario, self.restricted)

    @property
    def _priced(self) -> bool:
        return self.usd_per_hour is not None and all(point.usd is not None for point in self.points.values())

    def adds(self, before: Scenario, after: Scenario) -> bool:
        """Return whether the change between two scenarios is worth it."""
        gain = self.loss(before) - self.loss(after)
        return gain > 0 if self._priced else gain >= self.least and gain > 0

    def _worth(self, scenarios: Iterable[Scenario]) -> list[Scenario]:
        return [scenario for scenario in scenarios if self.adds(self.declared, scenario)]

    def _rank(self, scenario: Scenario) -> int:
        return AVAILABILITY.index(self.availability(scenario))

    def _cheapest(self, scenarios: list[Scenario]) -> Scenario | None:
        if not scenarios:
            return None
        if self._priced:
            return min(scenarios, key=lambda scenario: (self.loss(scenario), self._dear(scenario)))
        limit = min(self.points[scenario].seconds for scenario in scenarios) * (1 + self.worth)
        return min(
            (scenario for scenario in scenarios if self.points[scenario].seconds <= limit),
            key=lambda scenario: (self._dear(scenario), self.points[scenario].seconds),
        )

    def _dear(self, scenario: Scenario) -> tuple[float, float]:
        """Return a sort key: the mean cost, then the speed."""
        usd = self.points[scenario].usd
        return 0.0 if usd is None else usd, scenario.speed

    def _better(self, agents: Scenario | None, faster: Scenario | None) -> Scenario | None:
        """Return the better one of two scenarios. If they are about equal, the cheaper one is better."""
        if agents is None or faster is None:
            return agents or faster
        if self.adds(agents, faster):
            return faster
        if self.adds(faster, agents):
            return agents
        return min((agents, faster), key=lambda scenario: self._dear(scenario)[0])


def advise(
    rule: Rule,
    *,
    crew: str,
    chosen: bool,
    crew_drag: float,
    other_crew: str | None,
    most: int,
    limited: bool,
    holders: Iterable[Holder],
) -> Advice:
    """Apply the rule, and add what each step saves and costs. The other arguments are fields of `Advice`."""
    choice, declared = rule.choose(), rule.declared
    recommended, row = choice.recommended, (choice.recommended.model, choice.recommended.speed)
    one = Scenario(*row, 1)
    more, faster = rule.next_more(recommended, most), rule.next_faster(recommended)
    return Advice(
        choice.verdict, rule.worth, rule.usd_per_hour, crew, chosen, crew_drag, other_crew, most, limited,
        declared, *rule.points[declared], recommended, choice.enough,
        None if recommended == declared else rule.change(declared, recommended),
        rule.change(one, recommended, one) if one in rule.points and recommended.agents > 1 else None,
        None if more is None else rule.change(recommended, more),
        None if faster is None else rule.change(recommended, faster),
        tuple(holders),
    )  # fmt: skip
