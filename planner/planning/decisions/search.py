"""The scenarios that advice needs: numbers of agents by doubling and bisection, at the declared and at other speeds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from planner.planning.decisions.advice import Point, Rule
from planner.planning.decisions.verdict import Row
from planner.planning.grid import NOTHING, Grid, Uncoordinated
from planner.planning.results import Scenario
from planner.sampling.sample import NEVER, Progress, Stopping, quiet

FIRST = 0.6
"""Share of the progress that the first scenarios take."""

COLUMNS = 5
"""Most numbers of agents in the default grid."""


@dataclass(frozen=True)
class Search:
    """A search for the scenarios that the rule of the advice needs.

    grid : simulates the scenarios
    declared : the declared scenario
    rows : models and speeds, the declared ones first
    most : largest useful number of agents
    rule : function that returns the rule for measured points
    stopping, progress : for the first scenarios; later scenarios have as many samples
    """

    grid: Grid
    declared: Scenario
    rows: Sequence[Row]
    most: int
    rule: Callable[[dict[Scenario, Point]], Rule]
    stopping: Stopping
    progress: Progress = quiet

    def first(
        self, requested: Iterable[Scenario], extra: Sequence[Scenario] = (), uncoordinated: Uncoordinated = NOTHING
    ) -> None:
        """Simulate the first scenarios, which decide the number of samples.

        extra, uncoordinated : as in `Grid.take`
        """
        self.grid.take(requested, self.stopping.half, lambda done: self.progress(FIRST * done),
                       extra=extra, uncoordinated=uncoordinated)  # fmt: skip

    def take(self, scenarios: Iterable[Scenario]) -> None:
        """Simulate further scenarios with as many samples, on the same draws."""
        again = replace(
            self.stopping, samples=self.grid.samples, precision=NEVER if self.stopping.may_stop else None, seconds=None
        )
        self.grid.take(scenarios, again, lambda done: self.progress(FIRST + (1 - FIRST) * done))

    def ladder(self) -> list[int]:
        """Return the numbers of agents to begin with: 1, 2, 4, …, the largest useful one, and the declared one."""
        numbers = {1, self.most, self.declared.agents}
        count = 2
        while count < self.most:
            numbers.add(count)
            count *= 2
        return sorted(numbers)

    def measured(self) -> Rule:
        """Return the rule for all scenarios of the search that are simulated so far."""
        points = {}
        for scenario, samples in self.grid.found.items():
            if (scenario.model, scenario.speed) in self.rows:
                usd = samples.usd
                points[scenario] = Point(samples.seconds.quantile(0.5), None if usd is None else usd.mean)
        return self.rule(points)

    def refine(self, row: Row) -> None:
        """Simulate further numbers of agents of a row, by bisection, until the named number is known."""
        while not self.stopping.late:
            rule = self.measured()
            enough = rule.enough(row)
            below = max((count for count in rule.numbers(row) if count < enough), default=enough - 1)
            if enough - below <= 1:
                return
            self.take([Scenario(*row, (below + enough) // 2)])

    def default_agents(self) -> Rule:
        """Search for the numbers of agents that the rule names. Return the rule for all measured scenarios."""
        row, others = self.rows[0], self.rows[1:]
        self.refine(row)
        enough = self.measured().enough(row)
        wide = dict.fromkeys((enough, self.most))
        self.take(Scenario(*other, count) for other in others for count in wide)
        for other in others:
            if self._may_be_best(other):
                self.take([Scenario(*other, count) for count in self.ladder()])
                self.refine(other)
        return self._completed()

    def columns(self) -> list[int]:
        """Return the numbers of agents of the default grid: 1, the declared and recommended ones, half and double."""
        declared, recommended = self.declared.agents, self.measured().choose().recommended.agents
        double = 2 * declared if 2 * declared <= self.most else max(declared, self.most)
        return sorted({1, declared, recommended, max(1, declared // 2), double})

    def _completed(self) -> Rule:
        """Simulate the default grid and the next step up. Return the rule for all measured scenarios.

        If that changes the recommended scenario, continue with the new one.
        """
        while True:
            self.refine(self.rows[0])
            best = self.measured().choose().recommended
            wanted = [Scenario(*row, count) for row in self.rows for count in self.columns()]
            wanted.append(Scenario(best.model, best.speed, min(self.most, 2 * best.agents)))
            missing = [scenario for scenario in wanted if scenario not in self.grid.found]
            if not missing:
                return self.measured()
            self.take(missing)

    def _may_be_best(self, row: Row) -> bool:
        """Return whether more agents at another speed may be worth more than either alone."""
        rule = self.measured()
        best = rule.choose().recommended
        return any(rule.adds(best, Scenario(*row, count)) for count in rule.numbers(row))
