"""Answers as frozen data: one scenario, a forecast of it, a comparison of many. Seconds, US dollars, tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planner.engine.statistics import Values, standard_error
from planner.measures.moments import Mean
from planner.sampling.accumulator import ScenarioSamples

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, order=True)
class Scenario:
    """What is varied. `speed` multiplies every output speed; `agents` sizes the crew that is sized."""

    model: str
    speed: float
    agents: int


@dataclass(frozen=True)
class Seconds:
    """Completion time, with percentiles as `Values` and `Smoothed` have them.

    standard_error : of the mean
    p50_low, … : ends of the 95 % intervals of the percentiles; None: too few samples to tell
    """

    mean: float
    p50: float
    p90: float
    p95: float
    standard_error: float
    p50_low: float | None
    p50_high: float | None
    p90_low: float | None
    p90_high: float | None
    p95_low: float | None
    p95_high: float | None

    @classmethod
    def of(cls, samples: Values) -> Seconds:
        p50, p90, p95 = map(samples.quantile, (0.5, 0.9, 0.95))
        error, interval = samples.standard_error, samples.known_interval
        return cls(samples.mean, p50, p90, p95, error, *interval(0.5), *interval(0.9), *interval(0.95))


@dataclass(frozen=True)
class Usd:
    """Cost; fields as those of `Seconds`."""

    mean: float
    p50: float
    p90: float
    standard_error: float
    p50_low: float | None
    p50_high: float | None
    p90_low: float | None
    p90_high: float | None

    @classmethod
    def of(cls, samples: Values) -> Usd:
        p50, p90 = map(samples.quantile, (0.5, 0.9))
        interval = samples.known_interval
        return cls(samples.mean, p50, p90, samples.standard_error, *interval(0.5), *interval(0.9))


@dataclass(frozen=True)
class Tokens:
    """Mean tokens. `input` is what is prefilled, `cache_read` what is read from a cache instead."""

    input: float
    cache_read: float
    output: float

    @classmethod
    def of(cls, billed: Sequence[float]) -> Tokens:
        """From tokens as billed: input, input written to a cache, read from a cache, output."""
        plain, written, read, output = billed
        return cls(plain + written, read, output)


@dataclass(frozen=True)
class Accepted:
    """Samples in which no failure is left over.

    chance : their share; `standard_error` is its own
    seconds, usd : mean time and cost of all samples over that share, None where it is 0 or the cost unknown
    """

    chance: float
    standard_error: float
    seconds: float | None
    usd: float | None

    @classmethod
    def of(cls, accepted: Values, seconds: Seconds, usd: Usd | None) -> Accepted:
        chance = accepted.mean
        error = math.sqrt(chance * (1 - chance) / accepted.count)
        if not chance:
            return cls(chance, error, None, None)
        return cls(chance, error, seconds.mean / chance, None if usd is None else usd.mean / chance)


@dataclass(frozen=True)
class Result:
    """One scenario.

    speedup : p50 of the baseline over this p50
    efficiency : p50 at this speed with one agent over (agents × this p50)
    coordination_share : seconds of coordination on the critical path over the mean completion time
    price_multiplier : how many times the price at 1x its hypothetical speed is taken to cost
    standard_errors : of what has no error of its own
    """

    scenario: Scenario
    seconds: Seconds
    usd: Usd | None
    tokens: Tokens
    speedup: float
    efficiency: float
    coordination_share: float
    accepted: Accepted
    price_multiplier: float
    standard_errors: StandardErrors

    @classmethod
    def of(
        cls, scenario: Scenario, found: ScenarioSamples, baseline: ScenarioSamples, alone: ScenarioSamples
    ) -> Result:
        """`alone`: one agent at this speed. All are of the same samples."""
        seconds, usd = found.seconds, found.usd
        time = Seconds.of(seconds)
        cost = None if usd is None else Usd.of(usd)
        return cls(
            scenario,
            time,
            cost,
            Tokens.of(found.sampled.tokens(found.cell).tolist()),
            _over(baseline.seconds.quantile(0.5), time.p50),
            _over(alone.seconds.quantile(0.5), time.p50) / scenario.agents,
            found.coordination.mean / time.mean if time.mean else 0.0,
            Accepted.of(found.sampled.accepted(found.cell), time, cost),
            found.sampled.plan.cells[found.cell].price_multiplier,
            StandardErrors.of(scenario, found, baseline, alone),
        )


@dataclass(frozen=True)
class StandardErrors:
    """Of mean tokens, and of ratios: of medians from how they vary between groups of samples, None where there are too
    few to tell."""

    speedup: float | None
    efficiency: float | None
    coordination_share: float
    tokens: Tokens

    @classmethod
    def of(
        cls, scenario: Scenario, found: ScenarioSamples, baseline: ScenarioSamples, alone: ScenarioSamples
    ) -> StandardErrors:
        scale = math.sqrt(len(found.seconds.first) / found.seconds.count)
        medians = found.seconds.group_medians()

        def speedup(over: Values) -> float | None:
            base = over.group_medians()
            if base is None or medians is None:
                return None
            return scale * standard_error(base / np.where(medians > 0, medians, 1.0)) if medians.any() else 0.0

        alone_error = speedup(alone.seconds)
        return cls(
            speedup(baseline.seconds),
            None if alone_error is None else alone_error / scenario.agents,
            scale * Mean.ratio(found.coordination.first, found.seconds.first).standard_error,
            Tokens(*found.sampled.token_errors(found.cell)),
        )


def _over(base: float, seconds: float) -> float:
    """How many times as long; 1 of nothing."""
    return base / seconds if seconds else 1.0
