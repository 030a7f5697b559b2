"""The forecast of one scenario as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import Note
from planner.measures.moments import Distribution, Mean
from planner.measures.typical_run import TypicalRun
from planner.measures.utilisation import Utilisation
from planner.planning.results import Result, Scenario, Tokens
from planner.sampling.sample import Precision


@dataclass(frozen=True)
class StepResult:
    """All occurrences of a step, or of one coordination mechanism of its crew. Numbers are means over samples.

    occurrences : number of occurrences that are done
    seconds : seconds of work; the seconds of parallel work are added up
    critical : seconds on the critical path
    usd : cost of its tokens and tool calls; None if a price is unknown, or if rented machines serve the step
    criticality : share of samples in which the step is on the critical path
    drag : seconds by which the workflow would end sooner if the step took no time. It is the mean of the first
        `Forecast.drag_samples` samples.
    critical_standard_error, … : standard error of the field whose name comes before ``_standard_error``
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
    breakdown : mean seconds of each part of the critical path; all parts add up to the mean completion time
    breakdown_standard_error : standard error of each mean in `breakdown`
    crews : utilisation of the agents of each crew
    drag_samples : number of samples from which the drag of steps is computed
    typical : the sample whose completion time is nearest to the p50
    notes : assumptions and limits that a reader should know
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
