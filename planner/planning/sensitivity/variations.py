"""The numbers of a workflow file in; the completion time and cost if each of them is off, on the same draws, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from planner.engine.statistics import Z975, Values, in_groups, standard_error
from planner.errors import InputError
from planner.planning.sensitivity.stated import NumberOfFile, StatedNumber
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import Progress, Stopping, sample
from planner.workflow.declaration import Workflow

TOGETHER = 16
"""Most changed workflows that are simulated together, so that they share their draws."""

TOGETHER_IF_TIMED = 4
"""The same as `TOGETHER`, if there is a time limit."""

MOST_NUMBERS = 250
"""Most numbers of a file that are changed. Each of them is simulated twice."""

Q = 0.9
"""The percentile whose change ranks the numbers."""


@dataclass(frozen=True)
class Changed:
    """The results of a workflow in which one number is divided or multiplied by a factor.

    value : the changed number; None if the number is not a plain chance or count
    p50, p90 : percentiles of the completion time in seconds; None if the changed workflow was not simulated
    usd : p50 of the cost in US dollars; None if it is unknown
    """

    value: float | None
    p50: float | None = None
    p90: float | None = None
    usd: float | None = None


@dataclass(frozen=True)
class Effect(NumberOfFile):
    """The effect of dividing or multiplying a number of the file by a factor.

    low : results with the number divided by the factor
    high : results with the number multiplied by the factor
    effect : the larger change of the p90 in seconds, as an absolute value; None if neither workflow was simulated
    effect_error : half the width of the 95% interval of `effect`; None if there are too few samples
    """

    low: Changed
    high: Changed
    effect: float | None
    effect_error: float | None


@dataclass(eq=False)
class Variations:
    """Simulates changed workflows on the draws of a scenario.

    base : samples of the scenario itself; every changed workflow has the same number of samples
    sizes_of : function that returns the numbers of agents of a changed workflow
    until : stopping rule. After its time limit, no workflow is simulated
    cut : whether changed workflows were left out because of the time limit
    refused : whether a changed workflow could not be simulated, for example because it is too large
    """

    workflow: Workflow
    base: ScenarioSamples
    speed: float
    sizes_of: Callable[[Workflow], Mapping[str, int]]
    seed: int
    backend: Backend
    until: Stopping
    cut: bool = False
    refused: bool = False
    _found: dict[tuple[int, float], ScenarioSamples] = field(default_factory=dict)

    def effects(
        self, numbers: Sequence[StatedNumber], off: float, smoothed: Values, progress: Progress
    ) -> tuple[Effect, ...]:
        """Return the effect of each number, the largest first. Numbers that somebody decides come last.

        off : factor by which each number is divided and multiplied
        smoothed : completion times of the unchanged scenario, smoothed by `SeriesWait.smoothed` if possible
        """
        factors = (1 / off, off)
        changes = [(number, index, factor) for index, number in enumerate(numbers) for factor in factors]
        self._simulate([change for change in changes[: 2 * MOST_NUMBERS] if not _same(*change)], progress)
        effects = [self._effect(number, index, factors, smoothed) for index, number in enumerate(numbers)]
        return tuple(sorted(effects, key=_rank))

    def _simulate(self, changes: Sequence[tuple[StatedNumber, int, float]], progress: Progress) -> None:
        simulated = 0
        for start, part in self.until.parts(changes, TOGETHER, TOGETHER_IF_TIMED):

            def share(done: float, first: int = start, count: int = len(part)) -> None:
                progress((first + done * count) / len(changes))

            self._found |= dict(self._together(part, share))
            simulated = start + len(part)
        self.cut = self.cut or simulated < len(changes)

    def _together(
        self, changes: Sequence[tuple[StatedNumber, int, float]], progress: Progress
    ) -> Iterator[tuple[tuple[int, float], ScenarioSamples]]:
        """Simulate changed workflows together, and yield their samples. After an InputError, simulate each alone."""
        try:
            batches = list(self._batches(changes))
            accumulators = sample(
                [batch for _, batch in batches], Stopping(self.base.seconds.count), self.backend, progress
            )
        except InputError:
            if len(changes) == 1:
                self.refused = True
                return
            for change in changes:
                yield from self._together([change], progress)
            return
        for (keys, _), accumulator in zip(batches, accumulators, strict=True):
            for point, key in enumerate(keys):
                yield key, ScenarioSamples(accumulator, point)

    def _batches(
        self, changes: Sequence[tuple[StatedNumber, int, float]]
    ) -> Iterator[tuple[list[tuple[int, float]], Batch]]:
        """Yield batches of changed workflows, each with a list of the changes in the batch.

        A change is a pair: index of the changed number, and factor. A workflow with `own_batch` is alone in its batch.
        """
        shared = [change for change in changes if not change[0].own_batch]
        if shared:
            points = [self._point(number.changed(factor)) for number, _, factor in shared]
            yield [(index, factor) for _, index, factor in shared], self._batch(self.workflow, points)
        for number, index, factor in changes:
            if number.own_batch:
                changed = number.changed(factor)
                yield [(index, factor)], self._batch(changed, [self._point(changed)])

    def _point(self, changed: Workflow) -> GridPoint:
        return GridPoint(self.speed, self.sizes_of(changed), workflow=changed)

    def _batch(self, workflow: Workflow, points: Sequence[GridPoint]) -> Batch:
        return Batch.of(workflow, points, self.seed, self.base.seconds.count, self.backend.at_once)

    def _effect(self, number: StatedNumber, index: int, factors: tuple[float, float], smoothed: Values) -> Effect:
        (low, low_change), (high, high_change) = (self._result(number, index, factor, smoothed) for factor in factors)
        effect, error = max((low_change, high_change), key=lambda change: -1.0 if change[0] is None else change[0])
        return Effect(
            number.step, number.kind, number.key, number.estimate, number.measure, number.decided, low, high, effect,
            error,
        )  # fmt: skip

    def _result(
        self, number: StatedNumber, index: int, factor: float, smoothed: Values
    ) -> tuple[Changed, tuple[float | None, float | None]]:
        """Return the results of a changed workflow, and the change of its p90 with the error of this change."""
        value = None if number.value is None else float(number.value(factor))
        same = _same(number, index, factor)
        samples = self.base if same else self._found.get((index, factor))
        if samples is None:
            return Changed(value), (None, None)
        seconds = smoothed if same else samples.seconds
        usd = None if samples.usd is None else samples.usd.quantile(0.5)
        effect = abs(seconds.quantile(Q) - smoothed.quantile(Q))
        error = 0.0 if same else _error(samples.seconds, self.base.seconds)
        return Changed(value, seconds.quantile(0.5), seconds.quantile(Q), usd), (effect, error)


def _same(number: StatedNumber, index: int, factor: float) -> bool:
    """Return whether a factor leaves a chance or a count unchanged."""
    return number.value is not None and number.value(factor) == number.value(1.0)


def _error(changed: Values, base: Values) -> float | None:
    """Return half the width of the 95% interval of a change of the p90. Return None if there are too few samples.

    The width is estimated from the changes in several groups of samples.
    """
    groups = [in_groups(values.first) for values in (changed, base)]
    if groups[0] is None or groups[1] is None:
        return None
    after, before = (np.quantile(group, Q, axis=1) for group in groups if group is not None)
    scale = math.sqrt(len(base.first) / base.count)
    return Z975 * scale * standard_error(np.asarray(after - before))


def _rank(effect: Effect) -> tuple[bool, bool, float, float, float]:
    """Return a sort key. Estimates come first.

    Otherwise, larger effects come first: on the p90; if these are equal, on the p50; if these are equal, on the cost.
    """
    spans = [_span(effect.low.p50, effect.high.p50), _span(effect.low.usd, effect.high.usd)]
    return effect.decided, effect.effect is None, -(effect.effect or 0.0), -spans[0], -spans[1]


def _span(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else abs(high - low)


def first_to_get_right(effects: Iterable[Effect]) -> Effect | None:
    """Return the estimate with the largest effect on the p90.

    Return None if no estimate has an effect that is larger than the error of the simulation.

    effects : in the order of `Variations.effects`
    """
    return next((effect for effect in effects if not effect.decided and significant(effect)), None)


def significant(effect: Effect) -> bool:
    """Return whether an effect is larger than the error of the simulation."""
    return bool(effect.effect) and (effect.effect or 0.0) > (effect.effect_error or 0.0)
