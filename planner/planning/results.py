"""Answers as frozen data: one scenario, a forecast of it, a comparison of many. Seconds, US dollars, tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers

Floats = NDArray[np.float64]


@dataclass(frozen=True, order=True)
class Scenario:
    """What is varied. `speed` multiplies every output speed; `agents` sizes the crew that is sized."""

    model: str
    speed: float
    agents: int


@dataclass(frozen=True)
class Seconds:
    """Completion time. Percentiles interpolate linearly between samples; the standard error is that of the mean."""

    mean: float
    p50: float
    p90: float
    p95: float
    standard_error: float

    @classmethod
    def of(cls, samples: Floats) -> Seconds:
        p50, p90, p95 = map(float, np.quantile(samples, (0.5, 0.9, 0.95)))
        error = float(samples.std(ddof=1) / np.sqrt(len(samples))) if len(samples) > 1 else 0.0
        return cls(float(samples.mean()), p50, p90, p95, error)


@dataclass(frozen=True)
class Usd:
    """Cost. Percentiles interpolate linearly between samples."""

    mean: float
    p50: float
    p90: float

    @classmethod
    def of(cls, samples: Floats) -> Usd:
        p50, p90 = map(float, np.quantile(samples, (0.5, 0.9)))
        return cls(float(samples.mean()), p50, p90)


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
    def of(cls, accepted: NDArray[np.bool_], seconds: Seconds, usd: Usd | None) -> Accepted:
        chance = float(accepted.mean())
        error = float(np.sqrt(chance * (1 - chance) / len(accepted)))
        if not chance:
            return cls(chance, error, None, None)
        return cls(chance, error, seconds.mean / chance, None if usd is None else usd.mean / chance)


@dataclass(frozen=True)
class Result:
    """One scenario.

    speedup : p50 of the baseline over this p50
    efficiency : p50 at this speed with one agent over (agents × this p50)
    coordination_share : seconds of coordination on the critical path over the mean completion time
    """

    scenario: Scenario
    seconds: Seconds
    usd: Usd | None
    tokens: Tokens
    speedup: float
    efficiency: float
    coordination_share: float
    accepted: Accepted

    @classmethod
    def of(
        cls,
        scenario: Scenario,
        seconds: Floats,
        usd: Floats | None,
        tokens: Floats,
        accepted: NDArray[np.bool_],
        coordination: Floats,
        baseline: float,
        alone: float,
    ) -> Result:
        """From (N,) samples and (4, N) tokens. `baseline`, `alone`: p50 of the baseline, of one agent at this speed."""
        time = Seconds.of(seconds)
        cost = None if usd is None else Usd.of(usd)
        return cls(
            scenario,
            time,
            cost,
            Tokens.of(tokens.mean(1).tolist()),
            baseline / time.p50 if time.p50 else 1.0,
            alone / (scenario.agents * time.p50) if time.p50 else 1.0 / scenario.agents,
            float(coordination.mean()) / time.mean if time.mean else 0.0,
            Accepted.of(accepted, time, cost),
        )


@dataclass(frozen=True)
class Verdict:
    """Which end of a grid gains more.

    more : in the first row, the fewest agents that are about as quick as any number
    faster : with the fewest agents, the first row that is about as quick as any
    gains : ``agents`` or ``speed``, ``same`` where the paired difference does not tell, empty where only one is varied
    difference : 95 % interval of the median of (more − faster), seconds, paired by sample
    best : of the least p50; among equals, of fewest agents, then of the first row
    """

    more: Scenario
    faster: Scenario
    gains: str
    difference: tuple[float, float]
    best: Scenario


@dataclass(frozen=True)
class StepResult:
    """All occurrences of a step, or of one mechanism of its crew; means over samples.

    occurrences : how often it is done
    seconds : of work, whoever did it in parallel
    critical : seconds of it on the critical path
    """

    step: str
    kind: str
    occurrences: float
    seconds: float
    critical: float
    usd: float | None
    tokens: Tokens


@dataclass(frozen=True)
class Forecast:
    """One scenario in detail.

    sizes : agents of each crew
    breakdown : mean seconds of the critical path by what they were spent on; they sum to the mean completion time
    typical : the sample, from 0, whose completion time is nearest to the p50
    notes : what the numbers rest on that the reader should know
    """

    workflow: str
    seed: int
    samples: int
    baseline: Scenario
    sizes: Mapping[str, int]
    result: Result
    breakdown: Mapping[str, float]
    steps: tuple[StepResult, ...]
    typical: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """A grid of scenarios, models and speeds outermost.

    crew : whose agents vary
    restricted : models that not everybody can buy → ``limited`` or ``retired``
    barriers : what LangGraph's supersteps cost in the best scenario of the verdict, where it is the runtime
    """

    workflow: str
    seed: int
    samples: int
    crew: str
    baseline: Scenario
    results: tuple[Result, ...]
    verdict: Verdict
    restricted: Mapping[str, str]
    notes: tuple[str, ...]
    barriers: Barriers | None = None
