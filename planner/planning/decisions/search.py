"""The scenarios that advice needs: numbers of agents by doubling and bisection, at the declared and at other speeds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from planner.planning.decisions.advice import Point, Rule
from planner.planning.decisions.verdict import Row
from planner.planning.grid import NOTHING, Grid, Uncoordinated
from planner.planning.notes.assumptions import restricted
from planner.planning.results import Scenario
from planner.sampling.sample import NEVER, Progress, Stopping, quiet

FEW = 128
"""Most samples of a search for numbers of agents. The numbers that it finds are simulated again with all samples."""

PARTS = 4
"""Parts into which a range of numbers of agents is divided. A simulation of three scenarios takes about as long as two
simulations of one."""


def allowed_gap(agents: int) -> int:
    """Return the largest difference between the named number and the next smaller number that is simulated.

    Up to 31 agents it is 1, so that the named number is the fewest. Above, it is a sixteenth.
    """
    return max(1, agents // 16)


@dataclass(frozen=True)
class Search:
    """A search for the scenarios that the rule of the advice needs.

    grid : simulates the scenarios
    declared : the declared scenario
    rows : models and speeds, the declared ones first
    most : largest useful number of agents
    worth, usd_per_hour, asked : as in `Rule`
    exact : whether all rows are searched, until the named numbers are exact. Otherwise an earlier search is confirmed
    stopping, progress : for the first scenarios; later scenarios have the same number of samples
    """

    grid: Grid
    declared: Scenario
    rows: Sequence[Row]
    most: int
    worth: float
    usd_per_hour: float | None
    asked: Collection[int] | None
    stopping: Stopping
    exact: bool = False
    progress: Progress = quiet

    def first(
        self, requested: Iterable[Scenario], extra: Sequence[Scenario] = (), uncoordinated: Uncoordinated = NOTHING
    ) -> None:
        """Simulate the first scenarios, which decide the number of samples.

        extra, uncoordinated : as in `Grid.take`
        """
        self.grid.take(requested, self.stopping, self.progress, extra=extra, uncoordinated=uncoordinated)

    def take(self, scenarios: Iterable[Scenario]) -> None:
        """Simulate further scenarios with as many samples, on the same draws."""
        again = replace(
            self.stopping, samples=self.grid.samples, precision=NEVER if self.stopping.may_stop else None, seconds=None
        )
        self.grid.take(scenarios, again, self.progress)

    def scouted(self) -> list[Scenario]:
        """Search with few samples. Return the scenarios to simulate with all samples."""
        if self.most == 1:
            return self.default_scenarios()
        grid = Grid(self.grid.workflow, self.grid.sizing, self.grid.premium, self.grid.seed, self.grid.backend)
        scout = replace(self, grid=grid, stopping=Stopping(min(FEW, self.stopping.most)), exact=True, progress=quiet)
        scout.first(scout.default_scenarios())
        scout.default_agents()
        return scout.needed()

    def default_scenarios(self) -> list[Scenario]:
        """Return the scenarios to begin with if no numbers of agents are requested.

        At the declared speed, these are 1, half of the declared number, the declared number, and then twice as many
        again and again, up to the largest useful number. At other speeds, only the default grid and the largest number.
        """
        row, others = self.rows[0], self.rows[1:]
        columns = self._columns(self.declared.agents)
        return [
            *(Scenario(*row, count) for count in self.ladder()),
            *(Scenario(*other, count) for other in others for count in sorted({*columns, self.most})),
        ]

    def ladder(self) -> list[int]:
        """Return the numbers of agents to begin with: 1, half of the declared one, and doubled ones up to `most`."""
        numbers, count = {*self._columns(self.declared.agents), self.most}, self.declared.agents
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
        available = restricted(self.grid.models(points))
        return Rule(points, self.declared, available, self.worth, self.usd_per_hour, self.asked)

    def refine(self, row: Row) -> None:
        """Simulate further numbers of agents of a row, until the named number is known.

        The named number lies between two simulated numbers. In each round, this range is divided into `PARTS` parts.
        """
        while not self.stopping.late:
            rule = self.measured()
            enough = rule.enough(row)
            below = max((count for count in rule.numbers(row) if count < enough), default=enough - 1)
            parts = min(PARTS, enough - below)
            if enough - below <= (1 if self.exact else allowed_gap(enough)):
                return
            self.take(Scenario(*row, below + (enough - below) * part // parts) for part in range(1, parts))

    def default_agents(self) -> Rule:
        """Search for the numbers of agents that the rule names. Return the rule for all simulated scenarios.

        The default grid and the next step up are simulated too. If that changes the recommended scenario, the search
        continues with the new one.
        """
        while True:
            self.refine(self.rows[0])
            for other in self.rows[1:]:
                best = self.measured().choose().recommended
                if self.exact and self._may_be_best(other):
                    self.take(Scenario(*other, count) for count in self.ladder())
                    self.refine(other)
                elif (best.model, best.speed) == other:
                    self.refine(other)
            wanted = self.shown() if self.exact else self._grid()
            missing = [scenario for scenario in wanted if scenario not in self.grid.found]
            if not missing:
                return self.measured()
            self.take(missing)

    def shown(self) -> list[Scenario]:
        """Return the default grid and the next step up from the recommended scenario."""
        best = self.measured().choose().recommended
        return [*self._grid(), Scenario(best.model, best.speed, min(self.most, 2 * best.agents))]

    def _grid(self) -> list[Scenario]:
        return [Scenario(*row, count) for row in self.rows for count in self.columns()]

    def needed(self) -> list[Scenario]:
        """Return the scenarios that prove the advice with more samples, after a search with few samples.

        These are the default grid and, in the declared and the recommended row, the quickest number, the named number,
        and some numbers next to it, because more samples may move it.
        """
        rule = self.measured()
        best = rule.choose().recommended
        scenarios = self.shown()
        for row in dict.fromkeys((self.rows[0], (best.model, best.speed))):
            enough = rule.enough(row)
            quickest = min(rule.numbers(row), key=lambda count: (rule.loss(Scenario(*row, count)), count))
            gap = allowed_gap(enough)
            near = {enough, enough - gap, min(enough + gap, self.most), quickest, *([enough - 2] if gap == 1 else [])}
            scenarios += [Scenario(*row, count) for count in sorted(near) if count > 0]
        return list(dict.fromkeys(scenarios))

    def columns(self) -> list[int]:
        """Return the numbers of agents of the default grid, at most four.

        These are 1, the declared and the recommended number, half of the declared number unless more are recommended,
        and double of it unless fewer are recommended.
        """
        return self._columns(self.measured().choose().recommended.agents)

    def _columns(self, recommended: int) -> list[int]:
        declared = self.declared.agents
        double = 2 * declared if 2 * declared <= self.most else max(declared, self.most)
        half = {max(1, declared // 2)} if recommended <= declared else set()
        return sorted({1, declared, recommended, *half, *({double} if recommended >= declared else set())})

    def _may_be_best(self, row: Row) -> bool:
        """Return whether more agents at another speed may be worth more than either alone."""
        rule = self.measured()
        best = rule.choose().recommended
        return any(rule.adds(best, Scenario(*row, count)) for count in rule.numbers(row))
