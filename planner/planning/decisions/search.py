"""The scenarios that advice needs: numbers of agents by doubling and bisection, at the declared and at other speeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

import numpy as np

from planner.engine.arrays import Floats
from planner.engine.simulation import TICK
from planner.planning.decisions.advice import Point, Rule
from planner.planning.grid import NOBODY, NOTHING, BaselineAgents, Grid, Uncoordinated
from planner.planning.notes.assumptions import restricted
from planner.planning.results import Others, Row, Scenario
from planner.sampling.sample import Progress, Stopping, quiet

FEW = 64
"""Most samples of the first search for numbers of agents. The numbers found are then simulated with all samples."""

SPREAD = 0.03
"""Usual error of a number of agents that a search with few samples finds, as a share of the number."""

WIDE = 32
"""Numbers of agents in a wide range. In a narrower range, the expected number is usually right or almost right."""

GUESSES = 2
"""Rounds of a search that try only the expected number. Later rounds also halve the range."""


@dataclass(frozen=True)
class Search:
    """A search for the numbers of agents to simulate, so that advice can be given.

    A row is a model at one speed. The search finds for each row the fewest agents that are good enough: about as good
    as the best number of agents of the row.

    grid : simulates the scenarios
    declared : the declared scenario
    rows : pairs of a model and a speed to simulate; the first is the declared pair
    most : largest useful number of agents
    worth : a change is worth it if it saves at least this share of the declared scenario's p50
    usd_per_hour : value of an hour for all people who wait, in US dollars; None: not given
    requested : combinations of numbers of agents that may be recommended; None: all simulated combinations
    stopping : decides the number of samples of the first scenarios; all later scenarios have the same number
    enough_agents : row → fewest agents that are good enough according to `scout`, for rows that are not yet searched
        with all samples
    scout : an earlier search with few samples, which shows what numbers to try; None: there was none
    """

    grid: Grid
    declared: Scenario
    rows: Sequence[Row]
    most: int
    worth: float
    usd_per_hour: float | None
    requested: Collection[tuple[int, Others]] | None
    stopping: Stopping
    progress: Progress = quiet
    enough_agents: Mapping[Row, int] = field(default_factory=dict)
    scout: Search | None = None

    def first(
        self, scenarios: Iterable[Scenario], extra: Sequence[Scenario] = (), uncoordinated: Uncoordinated = NOTHING,
        baseline: BaselineAgents = NOBODY,
    ) -> None:  # fmt: skip
        """Simulate the first scenarios, which decide the number of samples.

        scenarios : scenarios of the workflow as declared
        extra : additional scenarios, which do not affect the number of samples
        uncoordinated : additional scenarios without coordination, which do not affect it either
        baseline : additional scenarios with the baseline's agents, which affect the number of samples
        """
        self.grid.take(
            scenarios, self.stopping, self.progress, extra=extra, uncoordinated=uncoordinated, baseline=baseline
        )

    def take(self, scenarios: Iterable[Scenario]) -> None:
        """Simulate further scenarios with the same number of samples, on the same draws."""
        self.grid.take(scenarios, Stopping(self.grid.samples), self.progress)

    def scouted(self) -> tuple[Search, list[Scenario]]:
        """Search for good numbers of agents with few samples, to know what to simulate with all samples.

        Return a copy of the search that knows these numbers, and the scenarios to simulate with all samples. These are:
        - the default grid, without the recommended number if it is large, because it may change with all samples
        - about twice the recommended number of agents
        - for the declared and for the recommended row: two numbers around the fewest agents that are good enough
        - for the declared and for the recommended row: the number that is expected to be best
        """
        if self.most == 1:
            return self, self.default_scenarios()
        grid = Grid(self.grid.workflow, self.grid.sizing, self.grid.premium, self.grid.seed, self.grid.backend)
        scout = replace(self, grid=grid, stopping=Stopping(min(FEW, self.stopping.most)), progress=self._waiting)
        scout.first(scout.default_scenarios())
        scout.find_numbers()
        rule = scout.rule()
        best = rule.choose().recommended
        columns = scout._columns(best.agents, sure=not round(SPREAD * best.agents))
        scenarios = [Scenario(*row, number) for row in self.rows for number in columns]
        for row in dict.fromkeys((self.rows[0], best.row)):
            enough = rule.enough(row).agents
            spread = round(SPREAD * enough)
            ends = [max(1, enough - max(1, spread)), min(self.most, enough + spread)]
            if spread > 1 and any(each.row == row and ends[1] <= each.agents <= ends[1] + spread for each in scenarios):
                del ends[1]  # a number that is simulated anyway is close enough
            scenarios += [*(Scenario(*row, number) for number in ends), scout._least(row)]
        if not any(each == replace(best, agents=each.agents) and _about_twice(best.agents, each) for each in scenarios):
            scenarios.append(replace(best, agents=max(best.agents, min(self.most, 2 * best.agents))))
        enough_agents = {row: rule.enough(row).agents for row in self.rows}
        return replace(self, enough_agents=enough_agents, scout=scout), list(dict.fromkeys(scenarios))

    def _waiting(self, done: float) -> None:
        """Report progress of 0 instead of `done`, because scouting is only a small first part of the work."""
        self.progress(0.0)

    def default_scenarios(self) -> list[Scenario]:
        """Return the scenarios to begin with if no numbers of agents are requested.

        For the declared model and speed, the numbers of agents double step by step.
        For all other models and speeds, they are those of the default grid, and the largest useful number.
        """
        row, others = self.rows[0], self.rows[1:]
        columns = self._columns(self.declared.agents)
        return [
            *(Scenario(*row, count) for count in self.ladder()),
            *(Scenario(*other, count) for other in others for count in sorted({*columns, self.most})),
        ]

    def ladder(self) -> list[int]:
        """Return numbers of agents to begin with: 1, n / 2, n, 2 n, 4 n, … and `most`, for n declared agents."""
        numbers, count = {*self._columns(self.declared.agents), self.most}, self.declared.agents
        while count < self.most:
            numbers.add(count)
            count *= 2
        return sorted(numbers)

    def rule(self) -> Rule:
        """Return a `Rule`, which recommends one of the scenarios that are simulated so far."""
        points = {}
        for scenario, samples in self.grid.found.items():
            if scenario.row in self.rows:
                usd = samples.usd
                points[scenario] = Point(samples.seconds.quantile(0.5), None if usd is None else usd.mean)
        available = restricted(self.grid.models(points))
        return Rule(points, self.declared, available, self.worth, self.usd_per_hour, self.requested, self.enough_agents)

    def find_numbers(self) -> None:
        """Simulate numbers of agents until the fewest that are good enough are known for each row.

        A row is a model at one speed. Rows that cannot be recommended are left out. Rows that are easier to buy are
        searched first, so a speed that nobody sells is often left out.
        """
        self._find_least(self.rows[0])
        self._refine(self.rows[0])
        for row in sorted(self.rows[1:], key=self.rule().rank):
            best = self.rule().choose().recommended
            if self._may_be_best(row):
                self.take(Scenario(*row, count) for count in self.ladder())
                self._find_least(row)
                self._refine(row)
            elif best.row == row:
                self._refine(row)

    def complete(self) -> Search:
        """Simulate the rest of the default grid, and correct the numbers of the search with few samples.

        That search may have found a number of agents that is too low or too high. So the number is searched again for
        the declared row and for the recommended row, with all samples. Return a copy of the search in which
        `enough_agents` no longer has these two rows.
        """
        search = self._without_enough_agents(self.rows[0])
        if self.rows[0] in self.enough_agents:
            search._refine(self.rows[0], self.rows)
        while True:
            while missing := [scenario for scenario in search.grid_scenarios() if scenario not in search.grid.found]:
                search.take(missing)
            best = search.rule().choose().recommended
            if best.row not in search.enough_agents:
                return search
            search = search._without_enough_agents(best.row)
            search._refine(best.row, self.rows)

    def _without_enough_agents(self, row: Row) -> Search:
        """Return a copy of the search in which `enough_agents` does not have `row`."""
        return replace(self, enough_agents={other: n for other, n in self.enough_agents.items() if other != row})

    def grid_scenarios(self) -> list[Scenario]:
        """Return the scenarios of the default grid: all models and speeds with the same numbers of agents."""
        return [Scenario(*row, count) for row in self.rows for count in self.columns()]

    def _refine(self, row: Row, rows: Sequence[Row] = ()) -> None:
        """Simulate numbers of agents of a row (a model at one speed) until the fewest that are good enough are known.

        This number lies in a range between two simulated numbers. Each round simulates the expected number and a
        slightly smaller one. Later rounds also halve the range. At the end, about twice the number that was found is
        simulated, because more agents may be even better.

        rows : further rows in which to simulate the last expected numbers too
        """
        for tried in count():
            rule = self.rule()
            enough = rule.enough(row).agents
            below = max((number for number in rule.numbers(row) if number < enough), default=enough - 1)
            if enough - below > 1:
                expected = self._expected(rule, row, below, enough)
                step = 1 if enough - below <= WIDE else round(SPREAD * expected)
                numbers = {expected, max(below + 1, expected - step)}
                numbers |= {(below + enough) // 2} if tried >= GUESSES else set()
                self.take([
                    *(Scenario(*row, number) for number in sorted(numbers)),
                    *(Scenario(*other, expected) for other in rows if step == 1),
                ])  # fmt: skip
                continue
            double = Scenario(*row, min(self.most, 2 * enough))
            if double in self.grid.found or any(_about_twice(enough, each) for each in rule.scenarios(row)):
                return
            self.take([double])

    def _expected(self, rule: Rule, row: Row, below: int, enough: int) -> int:
        """Return the expected fewest agents that are good enough: above `below`, and at most `enough`.

        Losses between simulated numbers n are interpolated in 1/n. The search with few samples gives the shape of the
        curve. All samples give its height.

        below : largest simulated number that is not good enough
        enough : smallest simulated number that is good enough
        """
        scout = rule if self.scout is None else self.scout.rule()
        between = np.arange(below + 1, enough)

        def curve(of: Rule) -> tuple[Floats, Floats]:
            numbers = of.numbers(row)
            return np.array(numbers), np.array([of.loss(Scenario(*row, number)) for number in numbers])

        few, shape = curve(scout)
        many, loss = curve(rule)
        ratio = loss / np.fmax(np.interp(-1 / many, -1 / few, shape), TICK)  # a plan may take no time
        expected = np.interp(-1 / between, -1 / few, shape) * np.interp(-1 / between, -1 / many, ratio)
        return int(max(between[expected > rule.most_loss(row)], default=below)) + 1

    def _find_least(self, row: Row) -> None:
        """Simulate two more numbers of agents next to the best one of a row, if the next larger number is worse."""
        rule, best = self.rule(), self._least(row)
        more = [number for number in rule.numbers(row) if number > best.agents]
        if more and rule.loss(Scenario(*row, more[0])) > rule.loss(best):
            fewer = [number for number in rule.numbers(row) if number < best.agents]
            self.take(Scenario(*row, round(math.sqrt(side * best.agents))) for side in (*fewer[-1:], more[0]))

    def _least(self, row: Row) -> Scenario:
        """Return the best scenario of a row, by mean times: with few samples, they are less noisy than the p50."""
        rule = self.rule()
        means = {each: Point(self.grid.found[each].seconds.mean, point.usd) for each, point in rule.points.items()}
        smooth = replace(rule, points=means)
        return min(smooth.scenarios(row), key=lambda each: (smooth.loss(each), each.agents))

    def columns(self) -> list[int]:
        """Return the numbers of agents of the default grid, at most four.

        These are 1, the declared number n and the recommended number r.
        If r is at most n, n / 2 is added.
        If r is at least n, 2 n is added, or the largest useful number if 2 n exceeds it.
        """
        return self._columns(self.rule().choose().recommended.agents)

    def _columns(self, recommended: int, sure: bool = True) -> list[int]:
        """Return the numbers of agents of the default grid for a recommended number.

        sure : whether to include the recommended number even if it is none of the other numbers
        """
        declared = self.declared.agents
        double = 2 * declared if 2 * declared <= self.most else max(declared, self.most)
        half = {max(1, declared // 2)} if recommended <= declared else set()
        larger = {double} if recommended >= declared else set()
        return sorted({1, declared, *({recommended} if sure else set()), *half, *larger})

    def _may_be_best(self, row: Row) -> bool:
        """Return whether at least one simulated scenario of a row may be recommended: it beats the row's rival."""
        rule = self.rule()
        rival = rule.rival(row)
        return rival is not None and any(rule.is_worth(rival, Scenario(*row, count)) for count in rule.numbers(row))


def _about_twice(agents: int, scenario: Scenario) -> bool:
    """Return whether the number of agents of a scenario is 1.5 to 3 times `agents`."""
    return 3 * agents <= 2 * scenario.agents <= 6 * agents
