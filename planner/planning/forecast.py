"""The forecast of one scenario: completion time, cost, and the critical path by part and step."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.engine.moments import Mean
from planner.measures.critical_path import WorkDetail
from planner.measures.moments import Distribution
from planner.measures.typical_run import replay, typical_run
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    paid_by_the_hour,
    restricted_notes,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.results import Result, Scenario, Tokens
from planner.planning.sizing import Sizing
from planner.sampling.accumulator import Accumulator, ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import (
    Progress,
    Stopping,
    quiet,
    reached,
    sample,
)
from planner.timing.cost import Billing, pay_usd, usd_of_step
from planner.workflow.declaration import Workflow


def forecast(workflow: Workflow, *, speed: float = 1.0, agents: int | Mapping[str, int] | None = None,
             crew: str | None = None,
             premium: Premium = FITTED, seed: int = 1, samples: int | None = None, precision: float | None = None,
             max_time: float | None = None, backend: Backend | None = None,
             progress: Progress = quiet) -> Forecast:  # fmt: skip
    """Forecast one scenario of a workflow.

    speed : factor on every output speed
    agents : number of agents of the crew `crew`, or numbers of agents by name of crew; None: the declared numbers
    crew : name of the crew whose number of agents is `agents`; None: the only crew
    premium : assumed price of speeds other than 1x
    samples, precision, max_time : rule for when to stop, as in `Stopping`
    backend : where samples are simulated; None: threads on all cores

    Raises InputError if the workflow is too large or a crew is unknown. Also raises InputError if `agents` is a number,
    `crew` is None, and the workflow has several crews.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing, sizes = Sizing.at(workflow, agents, crew)
    model, multiplier = workflow.model or "", premium.of(speed)
    scenario = Scenario(model, speed, sizing.agents(sizes))
    alone = [GridPoint(other, sizing.alone(), premium.of(other)) for other in dict.fromkeys((1.0, speed))]
    batches = [
        Batch.of(workflow, [GridPoint(speed, sizes, multiplier)], seed, stopping.most, backend.at_once, detailed=True),
        Batch.of(workflow, alone, seed, stopping.most, backend.at_once),
    ]
    accumulator, alone_accumulator = sample(batches, stopping, backend, progress)
    main = ScenarioSamples(accumulator, 0)
    baseline, alone_at_speed = (ScenarioSamples(alone_accumulator, point) for point in (0, len(alone) - 1))
    result = Result.of(scenario, main, baseline, alone_at_speed)
    collector, models = accumulator.collector, accumulator.batch.models
    assert collector is not None
    precision_reached = reached([accumulator], stopping)
    remarks = (
        *imprecise(precision_reached, accumulator.count),
        *declaration_notes(workflow, sizes, models),
        *restricted_notes({name: models[name] for name in models if workflow.written("models", name) is not None}),
        *other_tokenizers(workflow, models),
        *notes(models, accumulator.over_context, [speed], premium),
        *concurrency(batches),
        *paid_by_the_hour(models),
    )
    breakdown = collector.detail.breakdown()
    typical = int(np.argmin(np.abs(main.seconds.first - result.seconds.p50)))
    return Forecast(
        workflow.workflow,
        seed,
        accumulator.count,
        precision_reached,
        Scenario(model, 1.0, 1),
        sizes,
        result,
        {part: value.mean for part, value in breakdown.items()},
        {part: value.standard_error for part, value in breakdown.items()},
        Distribution.of(main.seconds),
        collector.usage.results(priced=result.usd is not None),
        step_results(accumulator),
        min(accumulator.count, collector.drag.limit),
        typical_run(replay(workflow, collector.expanded, seed, typical, speed, multiplier), typical),
        remarks,
    )


def step_results(accumulator: Accumulator) -> tuple[StepResult, ...]:
    """Return the result of each step. The accumulator's batch must be created with `detailed=True`."""
    collector, models = accumulator.collector, accumulator.batch.models_of(0)
    assert collector is not None
    priced = accumulator.usd(0) is not None
    return tuple(
        _step_result(detail, drag, accumulator.count, models, priced)
        for detail, drag in zip(collector.detail.works, collector.drag.means(), strict=True)
    )


def _step_result(
    detail: WorkDetail, drag: Mean, samples: int, models: Mapping[str, Profile], priced: bool
) -> StepResult:
    means = {work: billed / samples for work, billed in detail.billed.items()}
    usd = usd_of_step(means, models) if priced else None
    pay = sum(float(pay_usd(work, billed)) for work, billed in means.items())
    pay_error = 0.0 if detail.pay is None else detail.pay.mean().standard_error
    done, seconds, critical = detail.done.mean(), detail.seconds.mean(), detail.critical.mean()
    return StepResult(
        detail.step,
        detail.kind,
        done.mean,
        seconds.mean,
        critical.mean,
        usd,
        Tokens.of(sum(means.values(), Billing.zeros())),
        critical.standard_error,
        detail.critical_in.mean(),
        drag,
        done.standard_error,
        seconds.standard_error,
        None if usd is None else detail.usd.mean().standard_error,
        Tokens(*detail.tokens.standard_errors),
        pay if priced else None,
        pay_error if priced else None,
    )
