"""The advice of a comparison by rule: more agents, fewer, a faster model, both, or nothing. docs/model.md, "Advice"."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from planner.planning.decisions.holders import Holder
from planner.planning.results import Others, Row, Scenario

WORTH = 0.05
"""Default share of the declared scenario's p50 that a change must save."""

HOUR = 3600.0

Code = Literal["more-agents", "fewer-agents", "rebalance", "faster", "both", "keep"]

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

    verdict : ``more-agents``, ``fewer-agents``, ``rebalance`` (more agents of some crews, fewer of others), ``faster``,
        ``both`` or ``keep``
    threshold : share of the declared p50 that a change must save
    usd_per_hour : value of an hour for all people who wait, in US dollars; None if it is not given. Then a change is
        worth it if the hours saved are worth more than they cost
    crew : name of the crew whose number of agents varies; of several, the first
    chosen : whether the planner chose the crew, because the workflow has several crews
    crew_drag : drag of the crew in the declared scenario, as a share of the mean completion time
    other_crew : another crew that holds the workflow up more; if the planner chose the crew, the crew with the next
        largest drag; None if there is none
    most : largest number of agents of the crew that can be busy simultaneously
    limited : whether the workflow limits the number of agents in the declared scenario
    declared : the declared scenario, its p50 and its mean cost
    recommended : the recommended scenario; the declared scenario if nothing is worth it
    enough : the named number of agents: the fewest that do about as well as any number, at the declared speed
    others : the named numbers of further crews that vary, with the fewest agents in all crews together
    change : from the declared to the recommended scenario; None if they are the same
    over_one : from one agent of the crew to its agents in the recommended scenario, all else as there; None if that is
        one, or if one agent was not simulated
    more : from the recommended scenario to the next larger number of agents; of several crews, the step that is the
        quickest; None if there is none
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
    others: Others
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
    """The recommended scenario and the reason for it, as in `Advice`.

    named : scenario with the named numbers of agents, at the declared speed
    """

    verdict: Code
    recommended: Scenario
    named: Scenario

    @property
    def enough(self) -> int:
        return self.named.agents


@dataclass(frozen=True, eq=False)
class Rule:
    """The rule that chooses a scenario among measured ones.

    points : time and cost of each measured scenario, the declared one among them
    declared : the declared scenario
    restricted : availability of each model that not everybody can buy
    worth : share of the declared p50 that a change must save
    usd_per_hour : as in `Advice`
    asked : numbers of agents to choose from, as in `Scenario.crews`; None: all measured numbers
    named : named number of agents of some rows, from an earlier search of one crew; in other rows it follows from the
        points
    """

    points: Mapping[Scenario, Point]
    declared: Scenario
    restricted: Mapping[str, str]
    worth: float = WORTH
    usd_per_hour: float | None = None
    asked: Collection[tuple[int, Others]] | None = None
    named: Mapping[Row, int] = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """The declared model and speed."""
        return self.declared.row

    @property
    def rows(self) -> list[Row]:
        """All other models and speeds."""
        rows = dict.fromkeys(scenario.row for scenario in self.points)
        return [row for row in rows if row != self.row]

    @property
    def least(self) -> float:
        """Seconds that a change must save without a value of time."""
        return self.worth * self.points[self.declared].seconds

    def choose(self) -> Choice:
        """Choose a scenario. See docs/model.md, "Advice"."""
        declared, named = self.declared, self.enough(self.row)
        agents = named if self.adds(declared, named) else None
        faster = self.fastest(self.at(self.rows, declared))
        single = self._better(agents, faster)
        wide = [scenario for row in self.rows if (scenario := self.enough(row)).crews != declared.crews]
        both = self.fastest(scenario for scenario in wide if scenario in self.points)
        if both is not None and self.adds(single or declared, both):
            return Choice("both", both, named)
        if single is not None and single == faster:
            return Choice("faster", single, named)
        if single is not None or named.all_agents < declared.all_agents:
            return Choice(_lever(declared, named), named, named)
        return Choice("keep", declared, named)

    def enough(self, row: Row) -> Scenario:
        """Return the scenario of a row with the fewest agents whose loss is within `worth` of the row's least loss.

        Agents are those of all crews that vary. If several scenarios have the fewest, the cheapest one is returned; if
        they cost the same, the one with the fewest agents of the first crew.
        """
        if row in self.named:
            return Scenario(*row, self.named[row])
        scenarios = self.scenarios(row)
        loss = {scenario: self.loss(scenario) for scenario in scenarios}
        most = min(loss.values()) + self.worth * min(self.points[scenario].seconds for scenario in scenarios)
        return min(
            (scenario for scenario in scenarios if loss[scenario] <= most),
            key=lambda scenario: (scenario.all_agents, self._dear(scenario), scenario.crews),
        )

    def scenarios(self, row: Row) -> list[Scenario]:
        """Return the scenarios of a row to choose from."""
        measured = [scenario for scenario in self.points if scenario.row == row]
        return [scenario for scenario in measured if self.asked is None or scenario.crews in self.asked]

    def numbers(self, row: Row) -> list[int]:
        """Return the numbers of agents of a row to choose from, in rising order."""
        return sorted({scenario.agents for scenario in self.scenarios(row)})

    def at(self, rows: Iterable[Row], like: Scenario) -> list[Scenario]:
        """Return the measured scenarios of several rows with the agents of the scenario `like`."""
        return [scenario for row in rows if (scenario := Scenario(*row, *like.crews)) in self.points]

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
        others = self.at(self.rows, scenario)
        candidates = [other for other in others if self.points[other].seconds < self.points[scenario].seconds]
        if scenario.row == self.row:
            candidates = candidates or others
        first = min(map(self._rank, candidates), default=0)
        return self._cheapest([other for other in candidates if self._rank(other) == first])

    def next_more(self, scenario: Scenario, most: int) -> Scenario | None:
        """Return the scenario with about twice the agents of one crew; None if no larger number is measured.

        If several crews vary, the quickest of these scenarios is returned.

        most : largest useful number of agents of the first crew
        """
        larger = {count: each for count, each in self._larger(scenario, None).items() if count <= most}
        steps = _nearest(larger, min(most, 2 * scenario.agents))
        for crew, count in scenario.others:
            steps += _nearest(self._larger(scenario, crew), 2 * count)
        return min(steps, key=lambda each: self.points[each].seconds, default=None)

    def _larger(self, scenario: Scenario, crew: str | None) -> dict[int, Scenario]:
        """Return the scenarios that differ from another one only by more agents of a crew, by their number.

        crew : name of a further crew; None: the first crew
        """
        larger = {}
        for each in self.scenarios(scenario.row):
            count = each.agents_of(crew)
            if count > scenario.agents_of(crew) and each == scenario.with_agents(crew, count):
                larger[count] = each
        return larger

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
        availability = self.availability(after) if before.row != after.row else ""
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


def each_alone(declared: Scenario, recommended: Scenario) -> list[Scenario]:
    """Return declared scenarios in which a single crew has its recommended agents, for each crew that changes.

    Return an empty list if fewer than two crews change.
    """
    crews = (None, *(name for name, _ in declared.others))
    alone = [declared.with_agents(crew, recommended.agents_of(crew)) for crew in crews]
    changed = [scenario for scenario in alone if scenario != declared]
    return changed if len(changed) > 1 else []


def _lever(declared: Scenario, named: Scenario) -> Code:
    """Return the code of the verdict to have the agents of the scenario `named`."""
    before, after = ((each.agents, *(count for _, count in each.others)) for each in (declared, named))
    pairs = [*zip(before, after, strict=True)]
    if any(new > old for old, new in pairs):
        return "rebalance" if any(new < old for old, new in pairs) else "more-agents"
    return "fewer-agents"


def _nearest(scenarios: Mapping[int, Scenario], wanted: int) -> list[Scenario]:
    """Return the scenario whose number of agents is nearest to `wanted`, in a list; an empty list if there is none."""
    nearest = min(scenarios, key=lambda count: abs(math.log(count / wanted)), default=None)
    return [] if nearest is None else [scenarios[nearest]]


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
    recommended = choice.recommended
    one = replace(recommended, agents=1)
    more, faster = rule.next_more(recommended, most), rule.next_faster(recommended)
    return Advice(
        choice.verdict, rule.worth, rule.usd_per_hour, crew, chosen, crew_drag, other_crew, most, limited,
        declared, *rule.points[declared], recommended, *choice.named.crews,
        None if recommended == declared else rule.change(declared, recommended),
        rule.change(one, recommended, one) if one in rule.points and recommended.agents > 1 else None,
        None if more is None else rule.change(recommended, more),
        None if faster is None else rule.change(recommended, faster),
        tuple(holders),
    )  # fmt: skip
