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

    occurrences : how often it is done
    seconds : of work; parallel work adds up
    critical : seconds on the critical path
    critical_standard_error, … : of `critical`, and so on
    criticality : share of samples in which it is on the critical path
    drag : seconds by which the workflow would end sooner without it, on the first `Forecast.drag_samples` samples
    usd : of its tokens and tool calls; None if unknown, or if rented machines serve it
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
    breakdown : mean seconds of each part of the critical path; they add up to the mean completion time
    breakdown_standard_error : of each part
    crews : how busy their agents are
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
