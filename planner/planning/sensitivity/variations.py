"""The numbers of a workflow file in; the completion time and cost if each of them is off, on the same draws, out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from planner.engine.statistics import Z975, Values, standard_error
from planner.errors import InputError
from planner.planning.sensitivity.base import Base
from planner.planning.sensitivity.stated import NumberOfFile, StatedNumber
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import ENOUGH, Progress, Stopping, extend, quiet
from planner.workflow.declaration import Workflow

TOGETHER = 16
"""Most changed workflows that are simulated together, so that they share their draws."""

TOGETHER_IF_TIMED = 4
"""The same as `TOGETHER`, if there is a time limit."""

MOST_NUMBERS = 250
"""Most numbers of a file that are changed. Each of them is simulated twice."""

PART = 0.1
"""If the effect of a change is known to this share of itself (95%), more samples are not needed."""

SWING = 0.005
"""If the effect of a change is known to this share of the p50 (95%), more samples are not needed.

Both shares are for the precision `ENOUGH`. If another precision is requested, they change in proportion.
"""

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

    Two changed workflows are simulated: in one, the number is divided by the factor; in the other, it is multiplied.

    low : time and cost of the workflow with the divided number
    high : time and cost of the workflow with the multiplied number
    effect : the larger of the two changes of the p90 in seconds, as an absolute value; None if none was simulated
    effect_error : half the width of the 95% interval of `effect`; None if there are too few samples
    """

    low: Changed
    high: Changed
    effect: float | None
    effect_error: float | None


@dataclass(frozen=True, eq=False)
class Change:
    """A number of the file, and the factor by which it is multiplied in a changed workflow.

    index : position in the list of all numbers
    """

    number: StatedNumber
    index: int
    factor: float

    @property
    def key(self) -> tuple[int, float]:
        return self.index, self.factor

    @property
    def value(self) -> float | None:
        """The changed number; None if the number is not a plain chance or count."""
        return None if self.number.value is None else float(self.number.value(self.factor))

    @property
    def same(self) -> bool:
        """Whether the factor leaves a chance or a count unchanged."""
        return self.number.value is not None and self.number.value(self.factor) == self.number.value(1.0)


@dataclass(eq=False)
class Variations:
    """Simulates changed workflows on the draws of a scenario.

    First, each changed workflow is simulated with few samples. It gets more samples, at most as many as the scenario,
    until its effect on the p90 is known to the share `PART` of itself or `SWING` of the p50. If a number of samples
    was requested without a precision, each workflow gets all of them.

    base : the scenario
    point_of : function that returns the scenario of a changed workflow
    until : stopping rule of the scenario. After its time limit, no workflow is simulated
    cut : whether changed workflows were left out because of the time limit
    refused : changed workflows that could not be simulated, for example because they are too large
    """

    base: Base
    point_of: Callable[[Workflow], GridPoint]
    backend: Backend
    until: Stopping
    cut: bool = False
    refused: set[tuple[int, float]] = field(default_factory=set)
    _sampled: dict[tuple[int, float], Accumulator] = field(default_factory=dict)

    def effects(self, numbers: Sequence[StatedNumber], off: float, progress: Progress) -> tuple[Effect, ...]:
        """Return the effect of each number, the largest first.

        Numbers that are counted or decided before the run come after all estimates.

        off : factor by which each number is divided and multiplied
        """
        pairs = [(Change(number, at, 1 / off), Change(number, at, off)) for at, number in enumerate(numbers)]
        self._simulate([each for pair in pairs[:MOST_NUMBERS] for each in pair if not each.same], progress)
        return tuple(sorted((self._effect(*pair) for pair in pairs), key=_rank))

    def _simulate(self, changes: Sequence[Change], progress: Progress) -> None:
        looks = list(self.base.looks(self.until))
        for number, look in enumerate(looks):
            low, high = 1 - 0.5**number, 1.0 if look == looks[-1] else 1 - 0.5 ** (number + 1)
            pending = [change for change in changes if change.key not in self.refused and not self._known(change)]
            for first, part in self.until.parts(pending, TOGETHER, TOGETHER_IF_TIMED):

                def share(done: float, first: int = first, count: int = len(part)) -> None:
                    progress(low + (high - low) * (first + done * count) / len(pending))  # noqa: B023

                self._together(part, look, share)
        self.cut = any(change.key not in self.refused and change.key not in self._sampled for change in changes)
        progress(1.0)

    def _known(self, change: Change) -> bool:
        """Return whether the effect of a change is already known well enough."""
        _, effect, error = self._result(change)
        if effect is None or error is None:
            return False
        least = max(PART * effect, SWING * self.base.all.seconds.quantile(0.5))
        return error <= least * self.until.target / ENOUGH

    def _together(self, changes: Sequence[Change], samples: int, progress: Progress) -> None:
        """Simulate changed workflows until each has `samples` samples. After an InputError, simulate each alone."""
        sampled = {change.key: accumulator for change in changes if (accumulator := self._accumulator(change))}
        if not sampled:
            return
        try:
            extend(list(sampled.values()), samples, self.backend, progress)
        except InputError:
            if len(sampled) == 1:
                self.refused |= sampled.keys()
                return
            for number, change in enumerate(changes):
                if change.key in sampled:
                    self._together([change], samples, quiet)
                progress((number + 1) / len(changes))
            return
        self._sampled |= sampled

    def _accumulator(self, change: Change) -> Accumulator | None:
        """Return the results of a changed workflow so far. Return None if the workflow cannot be simulated."""
        if change.key in self._sampled:
            return self._sampled[change.key]
        base = self.base
        try:
            changed = change.number.changed(change.factor)
            batch = Batch.of(changed, [self.point_of(changed)], base.seed, base.count, self.backend.at_once)
        except InputError:
            self.refused.add(change.key)
            return None
        return Accumulator(replace(batch, width=min(batch.width, base.width), base_draws=base.draws))

    def _effect(self, low: Change, high: Change) -> Effect:
        changes = [self._result(change) for change in (low, high)]
        effect, error = max((each[1:] for each in changes), key=lambda change: -1.0 if change[0] is None else change[0])
        number = low.number
        return Effect(
            number.step, number.kind, number.key, number.estimate, number.measure, number.decided,
            changes[0][0], changes[1][0], effect, error,
        )  # fmt: skip

    def _result(self, change: Change) -> tuple[Changed, float | None, float | None]:
        """Return the time and cost of a changed workflow, its effect on the p90 in seconds, and the effect's error.

        The effect is the absolute difference from the p90 of the scenario. The error is half the width of its 95%
        interval. If the workflow has fewer samples than the scenario, the two are compared on these samples.
        """
        whole = self.base.all
        p50, p90 = (whole.seconds.quantile(q) for q in (0.5, Q))
        usd = None if whole.usd is None else whole.usd.quantile(0.5)
        if change.same:
            return Changed(change.value, p50, p90, usd), 0.0, 0.0
        accumulator = self._sampled.get(change.key)
        if accumulator is None:
            return Changed(change.value), None, None
        changed, first = ScenarioSamples(accumulator, 0), self.base.first(accumulator.count)
        new_p50, _ = _carried(whole.seconds, changed.seconds, first.seconds, 0.5)
        new_p90, error = _carried(whole.seconds, changed.seconds, first.seconds, Q)
        if whole.usd is None or first.usd is None or changed.usd is None:
            usd = None if changed.usd is None else changed.usd.quantile(0.5)
        else:
            usd, _ = _carried(whole.usd, changed.usd, first.usd, 0.5)
        return Changed(change.value, new_p50, new_p90, usd), abs(new_p90 - p90), error


def _carried(whole: Values, changed: Values, first: Values, q: float) -> tuple[float, float | None]:
    """Return a percentile of a changed workflow, as if it had as many samples as the scenario, and an error.

    Either the difference or the ratio between changed and unchanged samples is applied to the percentile of the
    scenario, whichever has the smaller error. The error is half the width of the 95% interval of the change. It is
    estimated from several groups of samples, and is None if there are too few samples.

    whole : all samples of the scenario
    changed, first : the same samples of the changed workflow and of the scenario
    """
    after, before, base = (values.quantile(q) for values in (changed, first, whole))
    groups, groups_before = (values.group_quantiles(q) for values in (changed, first))
    difference = after if before == base else max(0.0, base + after - before)
    if groups is None or groups_before is None:
        return difference, None
    scale = Z975 * math.sqrt(len(first.first) / first.count)
    error = scale * standard_error(groups - groups_before)
    if before <= 0 or groups_before.min() <= 0:
        return difference, error
    low, high = whole.interval(q)
    of_ratio = base * scale * standard_error(groups / groups_before)
    ratio_error = math.hypot(of_ratio, abs(after / before - 1) * (high - low) / 2)
    if error <= ratio_error:
        return difference, error
    return (after if before == base else base * after / before), ratio_error


def _rank(effect: Effect) -> tuple[bool, bool, float, float, float]:
    """Return a sort key: estimates come before all other numbers, then larger effects before smaller ones.

    Effects are compared by the p90. If these are equal, they are compared by the p50, then by the cost.
    """
    spans = [_span(effect.low.p50, effect.high.p50), _span(effect.low.usd, effect.high.usd)]
    return effect.decided, effect.effect is None, -(effect.effect or 0.0), -spans[0], -spans[1]


def _span(low: float | None, high: float | None) -> float:
    return 0.0 if low is None or high is None else abs(high - low)


def first_to_get_right(effects: Iterable[Effect]) -> Effect | None:
    """Return the estimate with the largest effect on the p90.

    Return None if no estimate has an effect that is larger than the error of the simulation.

    effects : effects of all numbers, the largest first
    """
    return next((effect for effect in effects if not effect.decided and significant(effect)), None)


def significant(effect: Effect) -> bool:
    """Return whether an effect is larger than the error of the simulation."""
    return bool(effect.effect) and (effect.effect or 0.0) > (effect.effect_error or 0.0)
