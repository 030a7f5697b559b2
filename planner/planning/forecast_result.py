"""The forecast of one scenario as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import Note
from planner.measures.distribution import Distribution
from planner.measures.moments import Mean
from planner.measures.typical_run import TypicalRun
from planner.measures.utilisation import Utilisation
from planner.planning.results import Result, Scenario, Tokens
from planner.sampling.sample import Precision


@dataclass(frozen=True)
class StepResult:
    """All occurrences of a step, or of one mechanism of its crew; means over samples.

    occurrences : how often it is done
    seconds : of work, whoever did it in parallel
    critical : seconds of it on the critical path
    critical_standard_error, … : of `critical`, and so on
    criticality : share of samples in which a part of the critical path is its own
    drag : seconds that completion would lose if it took no time, on the first `Forecast.drag_samples`
    usd : of its tokens and calls; None where that is unknown, or machines paid by the hour serve it
    """

    step: str
    kind: str
    occurrences: float
    seconds: float
    critical: float
    usd: float | None
    tokens: Tokens
    critical_standard_error: float
    criticality: Mean
    drag: Mean
    occurrences_standard_error: float
    seconds_standard_error: float
    usd_standard_error: float | None
    tokens_standard_error: Tokens


@dataclass(frozen=True)
class Forecast:
    """One scenario in detail.

    sizes : agents of each crew
    breakdown : mean seconds of the critical path by what they were spent on; they sum to the mean completion time
    breakdown_standard_error : of each of them
    crews : how busy agents are
    typical : the sample whose completion time is nearest to the p50
    notes : what the numbers rest on that the reader should know
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    baseline: Scenario
    sizes: Mapping[str, int]
    result: Result
    breakdown: Mapping[str, float]
    breakdown_standard_error: Mapping[str, float]
    distribution: Distribution
    crews: tuple[Utilisation, ...]
    steps: tuple[StepResult, ...]
    drag_samples: int
    typical: TypicalRun
    notes: tuple[Note, ...]
