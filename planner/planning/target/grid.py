"""Points of speed × agents of several models, simulated when they are asked for, all on the same draws."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from planner.catalogue.premium import Premium
from planner.catalogue.profile import Profile
from planner.expansion.expand import expand
from planner.planning.results import Scenario
from planner.planning.sizing import Sizing
from planner.reading.validation import MOST_AGENTS
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.draw_cache import MOST, DrawCache
from planner.sampling.sample import Progress, Stopping, quiet, sample
from planner.workflow.declaration import Workflow


@dataclass(eq=False)
class Grid:
    """Scenarios that were simulated so far.

    models, over_context : what their requests use; model → share of samples in which one exceeds its context
    """

    workflow: Workflow
    sizing: Sizing
    premium: Premium
    seed: int
    backend: Backend
    found: dict[Scenario, ScenarioSamples] = field(default_factory=dict)
    models: dict[str, Profile] = field(default_factory=dict)
    over_context: dict[str, float] = field(default_factory=dict)
    _workflows: dict[str, Workflow] = field(default_factory=dict)
    _kept: dict[str, DrawCache] = field(default_factory=dict)

    def take(self, points: Iterable[Scenario], stopping: Stopping, progress: Progress = quiet) -> None:
        """Simulate those that were not yet."""
        by_model: dict[str, list[Scenario]] = {}
        for point in dict.fromkeys(points):
            if point not in self.found:
                by_model.setdefault(point.model, []).append(point)
        if not by_model:
            return
        for model in by_model:
            self._kept.setdefault(model, DrawCache(MOST // len(by_model)))
        plans = [
            Batch.of(self._served(model), list(map(self._cell, chosen)), self.seed, stopping.most,
                    self.backend.at_once, kept=self._kept[model])
            for model, chosen in by_model.items()
        ]  # fmt: skip
        for chosen, sampled in zip(by_model.values(), sample(plans, stopping, self.backend, progress), strict=True):
            self.found |= {point: ScenarioSamples(sampled, at) for at, point in enumerate(chosen)}
            self.models |= sampled.plan.models
            self.over_context |= sampled.over_context

    def in_detail(self, point: Scenario, stopping: Stopping, progress: Progress = quiet) -> Accumulator:
        """One of them, and where its time goes."""
        plan = Batch.of(self._served(point.model), [self._cell(point)], self.seed, stopping.most, self.backend.at_once,
                       detailed=True, kept=self._kept.get(point.model))  # fmt: skip
        (found,) = sample([plan], stopping, self.backend, progress)
        return found

    @property
    def samples(self) -> int:
        """Of each scenario."""
        return next(iter(self.found.values())).seconds.count

    def widest(self, models: Sequence[str]) -> int:
        """Agents beyond which more cannot be of use: as many as there may be pieces of work side by side."""
        return min(MOST_AGENTS, max(map(self._widest, models)))

    def _widest(self, model: str) -> int:
        graph = expand(self.workflow.on(model), self.sizing.sizes(2))
        widths: dict[str, int] = {}
        for mark in graph.works:
            side_by_side = [loop for loop in mark.subject.loops if loop.kind != "rounds"]
            if mark.subject.coordination:
                continue
            width = 1
            for loop in side_by_side:
                width *= loop.count
            fan_out = next((loop.path for loop in side_by_side if loop.items), mark.subject.step)
            widths[fan_out] = max(widths.get(fan_out, 1), width)
        return sum(widths.values())

    def _served(self, model: str) -> Workflow:
        return self._workflows.setdefault(model, self.workflow.on(model))

    def _cell(self, point: Scenario) -> GridPoint:
        return GridPoint(point.speed, self.sizing.sizes(point.agents), self.premium.of(point.speed))
