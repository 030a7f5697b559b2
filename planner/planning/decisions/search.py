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
from planner.planning.grid import NOBODY, NOTHING, Alone, Grid, Uncoordinated
from planner.planning.notes.assumptions import restricted
from planner.planning.results import Others, Row, Scenario
from planner.sampling.sample import Progress, Stopping, quiet

FEW = 64
"""Most samples of the search for numbers of agents. Their savings and costs are then simulated with all samples."""

SPREAD = 0.03
"""Usual error of a number of agents that few samples name, as a share of the number."""

WIDE = 32
"""Numbers of agents in a wide range. In a narrower one, the expected result is usually right or almost right."""

GUESSES = 2
"""Rounds of a search that try only the expected result. Later rounds also halve the range."""


@dataclass(frozen=True)
class Search:
    """A search for the numbers of agents to simulate, so that a `Rule` can give advice.

    grid : simulates the scenarios
    declared : the declared scenario
    rows : pairs of a model and a speed to simulate; the first is the declared pair
    most : largest useful number of agents
    worth, usd_per_hour, asked, named : as in `Rule`
    scout : an earlier search with few samples. It tells which numbers to try; None: there was none
    stopping : decides the number of samples of the first scenarios; all later scenarios have the same number
    """

    grid: Grid
    declared: Scenario
    rows: Sequence[Row]
    most: int
    worth: float
    usd_per_hour: float | None
    asked: Collection[tuple[int, Others]] | None
    stopping: Stopping
    progress: Progress = quiet
    named: Mapping[Row, int] = field(default_factory=dict)
    scout: Search | None = None

    def first(
        self, requested: Iterable[Scenario], extra: Sequence[Scenario] = (), uncoordinated: Uncoordinated = NOTHING,
        alone: Alone = NOBODY,
    ) -> None:  # fmt: skip
        """Simulate the first scenarios, which decide the number of samples.

        extra, uncoordinated, alone : as in `Grid.take`
        """
        self.grid.take(requested, self.stopping, self.progress, extra=extra, uncoordinated=uncoordinated, alone=alone)

    def take(self, scenarios: Iterable[Scenario]) -> None:
        """Simulate further scenarios with the same number of samples, on the same draws."""
        self.grid.take(scenarios, Stopping(self.grid.samples), self.progress)

    def scouted(self) -> tuple[Search, list[Scenario]]:
        """Search for good numbers of agents, with few samples.

        Return a copy of the search with these numbers in `named`, and a list of scenarios to simulate with all samples.
        The list has these scenarios:
        - the default grid, without the recommended number if it is large, because it may change with all samples
        - about twice the recommended number of agents
        - for the declared and for the recommended model and speed: two numbers, with the result of `Rule.enough`
          probably between them
        - for the declared and for the recommended model and speed: the scenario with the least expected loss
        """
        if self.most == 1:
            return self, self.default_scenarios()
        grid = Grid(self.grid.workflow, self.grid.sizing, self.grid.premium, self.grid.seed, self.grid.backend)
        scout = replace(self, grid=grid, stopping=Stopping(min(FEW, self.stopping.most)), progress=self._waiting)
        scout.first(scout.default_scenarios())
        scout.find_numbers()
        rule = scout.measured()
        best = rule.choose().recommended
        columns = scout._columns(best.agents, sure=not round(SPREAD * best.agents))
        scenarios = [Scenario(*row, number) for row in self.rows for number in columns]
        for row in dict.fromkeys((self.rows[0], best.row)):
            enough = rule.enough(row).agents
            spread = round(SPREAD * enough)
            ends = max(1, enough - max(1, spread)), min(self.most, enough + spread)
            scenarios += [*(Scenario(*row, number) for number in ends), scout._least(row)]
        if not any(each == replace(best, agents=each.agents) and _about_twice(best.agents, each) for each in scenarios):
            scenarios.append(replace(best, agents=max(best.agents, min(self.most, 2 * best.agents))))
        named = {row: rule.enough(row).agents for row in self.rows}
        return replace(self, named=named, scout=scout), list(dict.fromkeys(scenarios))

    def _waiting(self, done: float) -> None:
        """Report progress of 0 instead of `done`, because the search is only a small first part of the work."""
        self.progress(0.0)

    def default_scenarios(self) -> list[Scenario]:
        """Return the scenarios to begin with if no numbers of agents are requested.

        For the declared model and speed, the numbers of agents are those of `ladder`.
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

    def measured(self) -> Rule:
        """Return a rule that chooses among all scenarios simulated so far."""
        points = {}
        for scenario, samples in self.grid.found.items():
            if scenario.row in self.rows:
                usd = samples.usd
                points[scenario] = Point(samples.seconds.quantile(0.5), None if usd is None else usd.mean)
        available = restricted(self.grid.models(points))
        return Rule(points, self.declared, available, self.worth, self.usd_per_hour, self.asked, self.named)

    def find_numbers(self) -> None:
        """Simulate numbers of agents until `Rule.enough` is exact for each model and speed that may be recommended.

        What is easier to buy is searched first. A speed that nobody sells is then often not searched at all.
        """
        self._find_least(self.rows[0])
        self._refine(self.rows[0])
        for row in sorted(self.rows[1:], key=self.measured().rank):
            best = self.measured().choose().recommended
            if self._may_be_best(row):
                self.take(Scenario(*row, count) for count in self.ladder())
                self._find_least(row)
                self._refine(row)
            elif best.row == row:
                self._refine(row)

    def complete(self) -> Search:
        """Simulate the rest of the default grid, and correct the named numbers with all samples.

        A search with few samples may name a number that is too low or too high. So the numbers of the declared and of
        the recommended model and speed are searched again, beginning with the numbers around the named ones. Return a
        copy of the search in which these two are no longer in `named`.
        """
        search = replace(self, named={row: n for row, n in self.named.items() if row != self.rows[0]})
        if self.rows[0] in self.named:
            search._refine(self.rows[0], self.rows)
        while True:
            while missing := [scenario for scenario in search.grid_scenarios() if scenario not in search.grid.found]:
                search.take(missing)
            best = search.measured().choose().recommended
            if best.row not in search.named:
                return search
            search = replace(search, named={row: n for row, n in search.named.items() if row != best.row})
            search._refine(best.row, self.rows)

    def grid_scenarios(self) -> list[Scenario]:
        """Return the default grid: each model and speed in `rows` with each number of agents in `columns`."""
        return [Scenario(*row, count) for row in self.rows for count in self.columns()]

    def _refine(self, row: Row, rows: Sequence[Row] = ()) -> None:
        """Simulate more numbers of agents of a row until the result of `Rule.enough` is exact.

        A row is a model at one speed. The exact result lies between two simulated numbers. Each round tries the number
        that is expected to be the result, and one less, or in a wide range `SPREAD` less. Later rounds also halve the
        range. At the end, about twice the result is simulated, because it may be quicker than all others.

        rows : further rows in which to simulate the expected results
        """
        for tried in count():
            rule = self.measured()
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
        """Return the number of agents above `below` and up to `enough` that is expected to be the exact result.

        Losses are interpolated in 1/n. The search with few samples tells the shape of the curve between the numbers
        that `rule` has.
        """
        scout = rule if self.scout is None else self.scout.measured()
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
        """Simulate two more numbers of agents next to the best one of a row, if larger numbers are worse."""
        rule, best = self.measured(), self._least(row)
        more = [number for number in rule.numbers(row) if number > best.agents]
        if more and rule.loss(Scenario(*row, more[0])) > rule.loss(best):
            fewer = [number for number in rule.numbers(row) if number < best.agents]
            self.take(Scenario(*row, round(math.sqrt(side * best.agents))) for side in (*fewer[-1:], more[0]))

    def _least(self, row: Row) -> Scenario:
        """Return the scenario of a row with the least mean loss. Of few samples, the mean is less noisy than p50."""
        rule = self.measured()
        means = {each: Point(self.grid.found[each].seconds.mean, point.usd) for each, point in rule.points.items()}
        smooth = replace(rule, points=means)
        return min(smooth.scenarios(row), key=lambda each: (smooth.loss(each), each.agents))

    def columns(self) -> list[int]:
        """Return the numbers of agents of the default grid, at most four.

        These are 1, the declared number n and the recommended number r.
        If r is at most n, n / 2 is added.
        If r is at least n, 2 n is added, or the largest useful number if 2 n exceeds it.
        """
        return self._columns(self.measured().choose().recommended.agents)

    def _columns(self, recommended: int, sure: bool = True) -> list[int]:
        """Return the numbers of agents of the default grid, as in `columns`.

        sure : whether to include `recommended` even if it is none of the other numbers
        """
        declared = self.declared.agents
        double = 2 * declared if 2 * declared <= self.most else max(declared, self.most)
        half = {max(1, declared // 2)} if recommended <= declared else set()
        larger = {double} if recommended >= declared else set()
        return sorted({1, declared, *({recommended} if sure else set()), *half, *larger})

    def _may_be_best(self, row: Row) -> bool:
        """Return whether any simulated scenario of a row improves on `Rule.rival`, so that it may be recommended."""
        rule = self.measured()
        rival = rule.rival(row)
        return rival is not None and any(rule.adds(rival, Scenario(*row, count)) for count in rule.numbers(row))


def _about_twice(agents: int, scenario: Scenario) -> bool:
    """Return whether the number of agents of a scenario is 1.5 to 3 times `agents`."""
    return 3 * agents <= 2 * scenario.agents <= 6 * agents
