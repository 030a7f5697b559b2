"""Scenarios of several models, speeds and numbers of agents, simulated on demand on the same draws."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isinf

from planner.catalogue.premium import Premium
from planner.catalogue.profile import Profile
from planner.expansion.expand import expand
from planner.planning.results import Scenario
from planner.planning.sizing import Sizing
from planner.reading.fields import MOST_AGENTS
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.draws import MOST, DrawCache
from planner.sampling.sample import Progress, Stopping, quiet, sample
from planner.workflow.declaration import Workflow


@dataclass(frozen=True, eq=False)
class Uncoordinated:
    """Scenarios to simulate without coordination between agents.

    workflow : a copy of the grid's workflow without coordination; None: the grid's workflow itself has none
    uncontended : whether concurrent requests are as fast as a single request
    """

    scenarios: Sequence[Scenario] = ()
    workflow: Workflow | None = None
    uncontended: bool = False


NOTHING = Uncoordinated()


@dataclass(frozen=True, eq=False)
class BaselineAgents:
    """The few agents to which speedups and efficiencies refer, and the models and speeds at which to simulate them.

    sizes : number of agents of each crew
    rows : pairs of a model and a speed
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    rows: Sequence[tuple[str, float]] = ()


NOBODY = BaselineAgents()


@dataclass(frozen=True, eq=False)
class _ModelBatch:
    """A batch that simulates the scenarios of one model.

    The batch has one point for each scenario, in this order:
    - the scenarios in `uncoordinated`
    - the baseline's agents, with each model and speed in `baseline_rows`
    - the scenarios in `scenarios`
    """

    batch: Batch
    uncoordinated: Sequence[Scenario]
    baseline_rows: Sequence[tuple[str, float]]
    scenarios: Sequence[Scenario]


@dataclass(eq=False)
class Grid:
    """Simulates scenarios when they are needed, and keeps their samples.

    cached : whether to keep random draws, so that later scenarios are simulated faster
    found : samples of each simulated scenario
    uncoordinated : samples of each scenario that was simulated without coordination
    baseline : samples of the baseline's agents, by model and speed
    """

    workflow: Workflow
    sizing: Sizing
    premium: Premium
    seed: int
    backend: Backend
    cached: bool = True
    found: dict[Scenario, ScenarioSamples] = field(default_factory=dict)
    uncoordinated: dict[Scenario, ScenarioSamples] = field(default_factory=dict)
    baseline: dict[tuple[str, float], ScenarioSamples] = field(default_factory=dict)
    _workflows: dict[str, Workflow] = field(default_factory=dict)
    _draw_caches: dict[str, DrawCache] = field(default_factory=dict)

    def take(
        self,
        scenarios: Iterable[Scenario],
        stopping: Stopping,
        progress: Progress = quiet,
        *,
        extra: Sequence[Scenario] = (),
        uncoordinated: Uncoordinated = NOTHING,
        baseline: BaselineAgents = NOBODY,
    ) -> None:
        """Simulate those of `scenarios` that the grid has not simulated yet, and the additional scenarios below.

        An additional scenario is left out if none of the new scenarios has its model.

        stopping : rule for when to stop sampling
        extra : additional scenarios, which do not affect when sampling stops
        uncoordinated : additional scenarios without coordination, which do not affect when sampling stops either
        baseline : additional scenarios with the baseline's agents. Sampling stops only when they are precise enough too
        """
        missing: dict[str, list[Scenario]] = {}
        for scenario in dict.fromkeys(scenarios):
            if scenario not in self.found:
                missing.setdefault(scenario.model, []).append(scenario)
        if not missing:
            return
        if self.cached:
            for model in missing:
                self._draw_caches.setdefault(model, DrawCache(MOST // len(missing)))
        batches = [
            self._batch(model, requested, extra, uncoordinated, baseline, stopping.most)
            for model, requested in missing.items()
        ]
        accumulators = sample([each.batch for each in batches], stopping, self.backend, progress)
        for each, accumulator in zip(batches, accumulators, strict=True):
            samples = [ScenarioSamples(accumulator, point) for point in range(len(accumulator.batch.points))]
            self.uncoordinated |= zip(each.uncoordinated, samples, strict=False)
            del samples[: len(each.uncoordinated)]
            self.baseline |= zip(each.baseline_rows, samples, strict=False)
            self.found |= zip(each.scenarios, samples[len(each.baseline_rows) :], strict=True)

    def in_detail(self, scenario: Scenario, stopping: Stopping, progress: Progress = quiet) -> Accumulator:
        """Simulate a scenario, and return its samples with details of each step."""
        batch = Batch.of(self._on(scenario.model), [self._point(scenario)], self.seed, stopping.most,
                         self.backend.at_once, detailed=True,
                         draw_cache=self._draw_caches.get(scenario.model))  # fmt: skip
        (accumulator,) = sample([batch], stopping, self.backend, progress)
        return accumulator

    @property
    def samples(self) -> int:
        """Number of samples of each scenario in the grid."""
        return next(iter(self.found.values())).seconds.count

    @property
    def batches(self) -> list[Batch]:
        """All batches that the grid has simulated."""
        return [accumulator.batch for accumulator in self._accumulators(self.found)]

    def models(self, scenarios: Iterable[Scenario] | None = None) -> dict[str, Profile]:
        """Return the profiles that serve the given scenarios, by name.

        scenarios : scenarios to consider; None: all scenarios that the grid has simulated
        """
        used: dict[str, Profile] = {}
        for accumulator in self._accumulators(self.found if scenarios is None else scenarios):
            used |= accumulator.batch.models
        return used

    def over_context(self, scenarios: Iterable[Scenario] | None = None) -> dict[str, float]:
        """Return for each model the share of samples in which a request exceeds the model's context.

        Models without such requests are left out.

        scenarios : scenarios to consider; None: all scenarios that the grid has simulated
        """
        shares: dict[str, float] = {}
        for accumulator in self._accumulators(self.found if scenarios is None else scenarios):
            shares |= accumulator.over_context
        return shares

    def widest(self, models: Sequence[str]) -> int:
        """Return the largest number of agents that can have work simultaneously, at most `MOST_AGENTS`.

        models : models on which the workflow may run
        """
        return min(MOST_AGENTS, max(map(self._widest, models)))

    def _batch(
        self,
        model: str,
        requested: Sequence[Scenario],
        extra: Sequence[Scenario],
        uncoordinated: Uncoordinated,
        baseline: BaselineAgents,
        samples: int,
    ) -> _ModelBatch:
        apart = [scenario for scenario in uncoordinated.scenarios if scenario.model == model]
        more = [scenario for scenario in extra if scenario.model == model and scenario not in requested]
        rows = [row for row in baseline.rows if row[0] == model]
        points = [
            *(
                GridPoint(scenario.speed, self.sizing.sizes(scenario.agents, scenario.others), requested=False,
                          workflow=uncoordinated.workflow, uncontended=uncoordinated.uncontended)
                for scenario in apart
            ),
            *(GridPoint(speed, baseline.sizes, self.premium.of(speed)) for _, speed in rows),
            *(self._point(scenario, requested=False) for scenario in more),
            *map(self._point, requested),
        ]  # fmt: skip
        batch = Batch.of(
            self._on(model), points, self.seed, samples, self.backend.at_once, draw_cache=self._draw_caches.get(model)
        )
        return _ModelBatch(batch, apart, rows, [*more, *requested])

    def _accumulators(self, scenarios: Iterable[Scenario]) -> list[Accumulator]:
        return list(dict.fromkeys(self.found[scenario].accumulator for scenario in scenarios))

    def _widest(self, model: str) -> int:
        graph = expand(self.workflow.on(model), self.sizing.sizes(2))
        widths: dict[str, int] = {}
        for mark in graph.works:
            parallel = [loop for loop in mark.subject.loops if loop.kind != "rounds"]
            if mark.subject.coordination:
                continue
            width = 1
            for loop in parallel:
                width *= loop.count
            fan_out = next((loop.path for loop in parallel if loop.items), mark.subject.step)
            widths[fan_out] = max(widths.get(fan_out, 1), width)
        return sum(widths.values())

    def _on(self, model: str) -> Workflow:
        return self._workflows.setdefault(model, self.workflow.on(model))

    def _point(self, scenario: Scenario, requested: bool = True) -> GridPoint:
        """Return the point of a batch that simulates `scenario`. At infinite speed, the price multiplier is 1.

        requested : whether the precision of this scenario decides when sampling stops
        """
        multiplier = 1.0 if isinf(scenario.speed) else self.premium.of(scenario.speed)
        return GridPoint(scenario.speed, self.sizing.sizes(scenario.agents, scenario.others), multiplier, requested)
