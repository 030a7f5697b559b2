"""The forecast of one scenario as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.engine.moments import Mean
from planner.errors import Note
from planner.measures.drag import Drag
from planner.measures.moments import Distribution
from planner.measures.typical_run import TypicalRun
from planner.measures.utilisation import Utilisation
from planner.planning.baseline import Baseline
from planner.planning.decisions.holders import Holder
from planner.planning.results import Result, Tokens
from planner.sampling.sample import Precision


@dataclass(frozen=True)
class StepResult:
    """The time and cost of a step, or of one kind of coordination in the step's crew.

    All numbers are means over samples. An occurrence is one execution of the step, for example for one item.

    occurrences : number of executed occurrences
    seconds : seconds of all occurrences, added up even if they run in parallel
    critical : seconds on the critical path
    usd : cost of tokens, tools and people in US dollars; None if a price is unknown or the model is paid per hour
    criticality : share of samples in which the step is on the critical path
    drag : by how much the p50 of the completion time would fall if the step took no time, computed from the first
        samples. It may be 0 for a step that is done in fewer than half of the samples
    saved : mean seconds that a sample would save if the step took no time, from the same samples
    critical_standard_error, … : standard errors of `critical`, `occurrences`, `seconds`, `usd` and `tokens`
    usd_people_and_machines : the part of `usd` that is not for tokens: the pay of people, and of tools such as rented
        machines; None if a price is unknown
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
    drag: Drag
    saved: Mean
    occurrences_standard_error: float
    seconds_standard_error: float
    usd_standard_error: float | None
    tokens_standard_error: Tokens
    usd_people_and_machines: float | None
    usd_people_and_machines_standard_error: float | None


@dataclass(frozen=True)
class Forecast:
    """The forecast of one scenario.

    sizes : number of agents of each crew
    breakdown : mean seconds of each part of the critical path; their sum is the mean completion time
    breakdown_standard_error : standard error of each mean in `breakdown`
    crews : utilisation and pay of the agents of each crew
    drag_samples : number of samples from which drags are computed. A drag is by how much the p50 would fall if a step
        took no time, or if a crew, queue or limit were unlimited
    holders : the steps, crews, queues and limits with the largest drags, the largest first
    typical : the sample whose completion time is nearest to the p50
    notes : assumptions and limits that a reader should know
    """

    workflow: str
    seed: int
    samples: int
    precision: Precision
    baseline: Baseline
    sizes: Mapping[str, int]
    result: Result
    breakdown: Mapping[str, float]
    breakdown_standard_error: Mapping[str, float]
    distribution: Distribution
    crews: tuple[Utilisation, ...]
    steps: tuple[StepResult, ...]
    drag_samples: int
    holders: tuple[Holder, ...]
    typical: TypicalRun
    notes: tuple[Note, ...]
