"""The advice of a comparison by rule: more agents, fewer, a faster model, both, or nothing. docs/model.md, "Advice"."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

from planner.planning.decisions.holders import Holder
from planner.planning.results import Others, Row, Scenario

WORTH = 0.05
"""Default of the least share of the declared scenario's p50 that a change must save to be worth it."""

HOUR = 3600.0

Code = Literal["more-agents", "fewer-agents", "rebalance", "faster", "both", "keep"]

AVAILABILITY = ("", "limited", "hypothetical", "retired")
"""Availabilities, easiest to buy first. The empty text is the availability of what everybody can buy."""


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

    saved : seconds of p50 that the change saves; negative if `after` is slower
    share : `saved / p50 of before`
    usd : mean US dollars that the change adds; negative if it saves money; None if a price is unknown
    usd_per_hour : US dollars added per hour saved; None unless the change saves time and costs money
    availability : availability of `after`, one of `AVAILABILITY`; empty if the change keeps the model and the speed
    worth : whether the change is worth it: whether it saves enough time, or more than it costs if time has a value
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
    """The advice of a comparison: how to change the declared scenario.

    verdict : ``more-agents``, ``fewer-agents``, ``rebalance`` (more agents of some crews, fewer of others), ``faster``,
        ``both`` or ``keep``
    threshold : a change is worth it if it saves at least this share of the declared scenario's p50
    usd_per_hour : value of an hour for all people who wait, in US dollars; None: not given. If all costs are known, it
        replaces `threshold`: a change is worth it if the saved hours are worth more than the added cost
    crew : name of the crew whose number of agents varies; if several vary, the first of these crews
    chosen : whether the planner chose `crew`; if not, the user named it, or there is only one crew
    crew_drag : share of the declared scenario's p50 that unlimited agents of `crew` would save
    other_crew : the crew with the largest drag among the crews that do not vary. None if there is no such crew, or if
        its drag is too small to compare it next
    other_agents : declared number of agents of `other_crew`; None if `other_crew` is None
    most : largest number of agents of `crew` that can be busy simultaneously
    limited : whether the workflow limits the number of agents in the declared scenario
    declared : the declared scenario
    declared_seconds : p50 of its completion time
    declared_usd : its mean cost in US dollars; None if a price is unknown
    recommended : the scenario to change to; the declared scenario if no change is worth it
    enough : the fewest agents of `crew` that are about as quick as the best number, at the declared model and speed
    others : the same for each further crew that varies
    change : the change from the declared to the recommended scenario; None if they are equal
    over_one : the change from one agent of `crew` to the recommended scenario; None if it has one agent
    more : the change from the recommended scenario to about twice the agents; None if no larger number was simulated
    faster : the change from the recommended scenario to another model or speed; None if there is none
    levers : for the verdict ``both``: the change of the agents alone, and the change from there to the recommended
        model and speed. Otherwise empty
    availability : availability of the declared model, as in `AVAILABILITY`
    holders : the steps, crews, queues and limits that delay the declared scenario most
    """

    verdict: Code
    threshold: float
    usd_per_hour: float | None
    crew: str
    chosen: bool
    crew_drag: float
    other_crew: str | None
    other_agents: int | None
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
    levers: tuple[Change, ...]
    availability: str
    holders: tuple[Holder, ...]


def availability(scenario: Scenario, restricted: Mapping[str, str]) -> str:
    """Return ``hypothetical`` for a speed that nobody offers, unless the model is retired.

    Otherwise return the availability of the model.

    restricted : availability of each model that not everybody can buy
    """
    of_model = restricted.get(scenario.model, "")
    return of_model if scenario.speed == 1 or of_model == "retired" else "hypothetical"


@dataclass(frozen=True)
class Choice:
    """The recommended scenario and the kind of change that leads to it.

    enough : the scenario with the fewest agents that is about as good as the best one, at the declared model and speed
    """

    verdict: Code
    recommended: Scenario
    enough: Scenario


@dataclass(frozen=True, eq=False)
class Rule:
    """The rule that chooses a scenario among measured ones.

    points : time and cost of each measured scenario, including the declared one
    declared : the declared scenario
    restricted : availability of each model that not everybody can buy
    worth : a change is worth it if it saves at least this share of the declared scenario's p50
    usd_per_hour : value of an hour for all people who wait, in US dollars; None: not given. If all costs are known, it
        replaces `worth`: a change is worth it if the saved hours are worth more than the added cost
    requested : combinations of numbers of agents to choose from, as pairs: agents of the first crew, and of the other
        crews; None: all measured combinations
    enough_agents : (model, speed) → fewest agents that are about as good as the best number, from a search with few
        samples. For models and speeds that are missing here, the method `enough` finds the number in `points`
    """

    points: Mapping[Scenario, Point]
    declared: Scenario
    restricted: Mapping[str, str]
    worth: float = WORTH
    usd_per_hour: float | None = None
    requested: Collection[tuple[int, Others]] | None = None
    enough_agents: Mapping[Row, int] = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """The declared model and speed."""
        return self.declared.row

    @property
    def rows(self) -> list[Row]:
        """The measured pairs of a model and a speed, without the declared pair."""
        rows = dict.fromkeys(scenario.row for scenario in self.points)
        return [row for row in rows if row != self.row]

    @property
    def least(self) -> float:
        """Seconds that a change must save to be worth it, if the value of time is not given."""
        return self.worth * self.points[self.declared].seconds

    def choose(self) -> Choice:
        """Return the recommended scenario, and the kind of change that leads to it.

        It is a scenario with other agents, with another model or speed, or with both, if the change is worth it.
        Scenarios that are harder to buy are recommended only if no scenario that is easier to buy is worth the change.
        If no change is worth it, the declared scenario is recommended.
        """
        ranks = sorted({0, *map(self.rank, self.rows)})
        choices = (self._choose([row for row in self.rows if self.rank(row) <= rank]) for rank in ranks)
        keep = Choice("keep", self.declared, self.enough(self.row))
        return next((choice for choice in choices if choice.verdict != "keep"), keep)

    def rival(self, row: Row) -> Scenario | None:
        """Return the scenario that a scenario of `row` must beat to be recommended.

        A row is a model at one speed. Return None if no scenario of the row can be recommended, because a scenario that
        is easier to buy is worth the change.
        """
        rank = self.rank(row)
        easier = [other for other in self.rows if self.rank(other) < rank]
        if rank > 0 and self._choose(easier).verdict != "keep":
            return None
        return self._choose([other for other in self.rows if self.rank(other) <= rank]).recommended

    def rank(self, row: Row) -> int:
        """Return how hard it is to buy a model at one speed: an index in `AVAILABILITY`."""
        return AVAILABILITY.index(self.availability(Scenario(*row, *self.declared.crews)))

    def _choose(self, rows: Sequence[Row]) -> Choice:
        """Choose among the scenarios of `rows` and of the declared row. A row is a model at one speed."""
        declared, enough = self.declared, self.enough(self.row)
        agents = enough if self.is_worth(declared, enough) else None
        faster = self.best(self.at(rows, declared))
        single = self._better(agents, faster)
        wide = [scenario for row in rows if (scenario := self.enough(row)).crews != declared.crews]
        both = self.best(scenario for scenario in wide if scenario in self.points)
        if both is not None and self.is_worth(single or declared, both):
            return Choice("both", both, enough)
        if single is not None and single == faster:
            return Choice("faster", single, enough)
        if single is not None or enough.all_agents < declared.all_agents:
            return Choice(_verdict_on_agents(declared, enough), enough, enough)
        return Choice("keep", declared, enough)

    def enough(self, row: Row) -> Scenario:
        """Return the scenario with the fewest agents that is about as good as the best one, at one model and speed.

        "Good" means a small loss. The loss is the p50, plus the cost in seconds if a value of time is given. "About as
        good" means that the loss is larger by at most 5% (`worth`) of the least p50 at this model and speed.

        Agents of all crews are added up. Of scenarios with equally many agents, return the one that costs least.
        """
        if row in self.enough_agents:
            return Scenario(*row, self.enough_agents[row])
        most = self.most_loss(row)
        return min(
            (scenario for scenario in self.scenarios(row) if self.loss(scenario) <= most),
            key=lambda scenario: (scenario.all_agents, self._cost_order(scenario), scenario.crews),
        )

    def most_loss(self, row: Row) -> float:
        """Return the largest loss with which a scenario of a row is about as good as the best scenario of the row."""
        scenarios = self.scenarios(row)
        return min(map(self.loss, scenarios)) + self.worth * min(self.points[each].seconds for each in scenarios)

    def scenarios(self, row: Row) -> list[Scenario]:
        """Return the scenarios to choose from in a row, which is a model at one speed."""
        measured = [scenario for scenario in self.points if scenario.row == row]
        return [scenario for scenario in measured if self.requested is None or scenario.crews in self.requested]

    def numbers(self, row: Row) -> list[int]:
        """Return the numbers of agents to choose from in a row (a model at one speed), in rising order."""
        return sorted({scenario.agents for scenario in self.scenarios(row)})

    def at(self, rows: Iterable[Row], like: Scenario) -> list[Scenario]:
        """Return the measured scenarios of `rows` (models at one speed) with the same numbers of agents as `like`."""
        return [scenario for row in rows if (scenario := Scenario(*row, *like.crews)) in self.points]

    def loss(self, scenario: Scenario) -> float:
        """Return the p50 of a scenario in seconds, plus its cost converted to seconds by the value of time.

        The cost is left out if no value of time is given, or if the cost of any scenario is unknown.
        """
        seconds, usd = self.points[scenario]
        if not self._priced:
            return seconds
        assert usd is not None
        assert self.usd_per_hour is not None
        return seconds + usd / self.usd_per_hour * HOUR

    def best(self, scenarios: Iterable[Scenario]) -> Scenario | None:
        """Return the best of those `scenarios` that are worth the change from the declared one; None if none is.

        If the value of time is given and all costs are known, the best scenario has the least `loss`.
        Otherwise, it is the cheapest of the scenarios that are about as quick as the quickest one.
        """
        return self._best([scenario for scenario in scenarios if self.is_worth(self.declared, scenario)])

    def next_speed(self, scenario: Scenario) -> Scenario | None:
        """Return the best quicker scenario that differs from `scenario` only by the model or the speed.

        Only models and speeds that are easiest to buy are compared. Return None if no scenario is quicker. There is one
        exception: if `scenario` has the declared model and speed, return the best of the slower scenarios instead.
        """
        others = self.at(self.rows, scenario)
        candidates = [other for other in others if self.points[other].seconds < self.points[scenario].seconds]
        if scenario.row == self.row:
            candidates = candidates or others
        first = min((self.rank(other.row) for other in candidates), default=0)
        return self._best([other for other in candidates if self.rank(other.row) == first])

    def next_agents(self, scenario: Scenario, most: int) -> Scenario | None:
        """Return the scenario in which one crew has about twice its agents; None if no larger number is measured.

        If several crews vary, each of them is tried, and the quickest scenario is returned.

        most : largest useful number of agents of the first crew
        """
        larger = {count: each for count, each in self._larger(scenario, None).items() if count <= most}
        steps = _nearest(larger, min(most, 2 * scenario.agents))
        for crew, count in scenario.others:
            steps += _nearest(self._larger(scenario, crew), 2 * count)
        return min(steps, key=lambda each: self.points[each].seconds, default=None)

    def _larger(self, scenario: Scenario, crew: str | None) -> dict[int, Scenario]:
        """Return a dict: larger number of agents of one crew → scenario that differs only by this number.

        crew : name of a further crew in `Scenario.others`; None: the first crew, whose number is `Scenario.agents`
        """
        larger = {}
        for each in self.scenarios(scenario.row):
            count = each.agents_of(crew)
            if count > scenario.agents_of(crew) and each == scenario.with_agents(crew, count):
                larger[count] = each
        return larger

    def change(self, before: Scenario, after: Scenario) -> Change:
        """Return the change between two measured scenarios."""
        one, other = self.points[before], self.points[after]
        saved = one.seconds - other.seconds
        usd = None if one.usd is None or other.usd is None else other.usd - one.usd
        per_hour = usd / saved * HOUR if usd is not None and usd > 0 and saved > 0 else None
        share = saved / one.seconds if one.seconds else 0.0
        availability = self.availability(after) if before.row != after.row else ""
        return Change(before, after, saved, share, usd, per_hour, availability, self.is_worth(before, after))

    def levers(self, choice: Choice) -> tuple[Change, ...]:
        """Return the changes of a choice one after the other: first the agents, then the model and speed.

        Return an empty tuple unless the verdict is ``both``, or if the agents alone are not among the points.
        """
        agents = Scenario(*self.row, *choice.recommended.crews)
        if choice.verdict != "both" or agents not in self.points:
            return ()
        return self.change(self.declared, agents), self.change(agents, choice.recommended)

    def availability(self, scenario: Scenario) -> str:
        """Return the availability of a scenario, one of `AVAILABILITY`."""
        return availability(scenario, self.restricted)

    @property
    def _priced(self) -> bool:
        return self.usd_per_hour is not None and all(point.usd is not None for point in self.points.values())

    def is_worth(self, before: Scenario, after: Scenario) -> bool:
        """Return whether the change from one scenario to another is worth it.

        If the value of time is given and all costs are known, the change must save more than it costs.
        Otherwise, it must save at least the share `worth` of the declared scenario's p50.
        """
        gain = self.loss(before) - self.loss(after)
        return gain > 0 if self._priced else gain >= self.least and gain > 0

    def _best(self, scenarios: list[Scenario]) -> Scenario | None:
        if not scenarios:
            return None
        if self._priced:
            return min(scenarios, key=lambda scenario: (self.loss(scenario), self._cost_order(scenario)))
        limit = min(self.points[scenario].seconds for scenario in scenarios) * (1 + self.worth)
        return min(
            (scenario for scenario in scenarios if self.points[scenario].seconds <= limit),
            key=lambda scenario: (self._cost_order(scenario), self.points[scenario].seconds),
        )

    def _cost_order(self, scenario: Scenario) -> tuple[float, float]:
        """Return a sort key: the mean cost, then the speed. A cost that is unknown counts as 0."""
        usd = self.points[scenario].usd
        return 0.0 if usd is None else usd, scenario.speed

    def _better(self, agents: Scenario | None, faster: Scenario | None) -> Scenario | None:
        """Return the better one of two scenarios. If one is None, return the other one.

        Return a scenario if the change from the other one to it is worth it. If neither change is worth it, return the
        cheaper scenario.

        agents : a scenario with other numbers of agents than the declared ones
        faster : a scenario with another model or speed than the declared one
        """
        if agents is None or faster is None:
            return agents or faster
        if self.is_worth(agents, faster):
            return faster
        if self.is_worth(faster, agents):
            return agents
        return min((agents, faster), key=lambda scenario: self._cost_order(scenario)[0])


def each_alone(declared: Scenario, recommended: Scenario) -> list[Scenario]:
    """Return copies of the declared scenario, each with the recommended number of agents of one crew.

    There is a copy for each crew that would change. If only one crew would change, return an empty list.
    """
    crews = (None, *(name for name, _ in declared.others))
    alone = [declared.with_agents(crew, recommended.agents_of(crew)) for crew in crews]
    changed = [scenario for scenario in alone if scenario != declared]
    return changed if len(changed) > 1 else []


def _verdict_on_agents(declared: Scenario, recommended: Scenario) -> Code:
    """Return ``more-agents`` or ``fewer-agents``; ``rebalance`` if some crews get more agents and others fewer."""
    before, after = ((each.agents, *(count for _, count in each.others)) for each in (declared, recommended))
    pairs = [*zip(before, after, strict=True)]
    if any(new > old for old, new in pairs):
        return "rebalance" if any(new < old for old, new in pairs) else "more-agents"
    return "fewer-agents"


def _nearest(scenarios: Mapping[int, Scenario], agents: int) -> list[Scenario]:
    """Return the scenario whose number of agents is nearest to `agents`, in a list; an empty list if there is none.

    scenarios : number of agents → scenario
    """
    nearest = min(scenarios, key=lambda count: abs(math.log(count / agents)), default=None)
    return [] if nearest is None else [scenarios[nearest]]


def advise(
    rule: Rule,
    *,
    crew: str,
    chosen: bool,
    crew_drag: float,
    other_crew: str | None,
    other_agents: int | None,
    most: int,
    limited: bool,
    holders: Iterable[Holder],
) -> Advice:
    """Return the advice that follows from a rule. All other arguments become fields of the advice."""
    choice, declared = rule.choose(), rule.declared
    recommended = choice.recommended
    one = replace(recommended, agents=1)
    more, faster = rule.next_agents(recommended, most), rule.next_speed(recommended)
    return Advice(
        choice.verdict, rule.worth, rule.usd_per_hour, crew, chosen, crew_drag, other_crew,
        other_agents, most, limited,
        declared, *rule.points[declared], recommended, *choice.enough.crews,
        None if recommended == declared else rule.change(declared, recommended),
        rule.change(one, recommended) if one in rule.points and recommended.agents > 1 else None,
        None if more is None else rule.change(recommended, more),
        None if faster is None else rule.change(recommended, faster),
        rule.levers(choice), rule.availability(declared), tuple(holders),
    )  # fmt: skip
