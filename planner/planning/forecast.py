"""The forecast of one scenario: completion time, cost, and the critical path by part and step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.engine.moments import Mean
from planner.expansion.graph.task_graph import DEFAULT_CREW
from planner.measures.critical_path import WorkDetail
from planner.measures.drag import Drag
from planner.measures.moments import Distribution
from planner.measures.typical_run import replay, typical_run
from planner.planning.baseline import Baseline
from planner.planning.decisions.holders import Drags, drags
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
from planner.planning.notes.crews import limit_without_effect
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
    samples : largest number of samples
    precision : relative error of p50 and p90 at which the simulation stops, such as 0.01
    max_time : time limit of the simulation, in seconds
    backend : where samples are simulated; None: threads on all cores

    Raises InputError if the workflow is too large or a crew is unknown. Also raises InputError if it is unclear to
    which of several crews a number applies.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing, sizes = Sizing.at(workflow, agents, crew)
    model, multiplier = workflow.model or "", premium.of(speed)
    scenario = Scenario(model, speed, sizing.total(sizes))
    baseline = Baseline.of(workflow)
    rows = list(dict.fromkeys(((model, speed), (baseline.model, baseline.speed))))
    batches = [
        Batch.of(workflow, [GridPoint(speed, sizes, multiplier)], seed, stopping.most, backend.at_once, detailed=True),
        *_of_baseline(workflow, baseline, rows, premium, seed, stopping.most, backend.at_once),
    ]
    accumulator, *others = sample(batches, stopping, backend, progress)
    main = ScenarioSamples(accumulator, 0)
    alone = [ScenarioSamples(other, point) for other in others for point in range(len(other.batch.points))]
    mean_agents = baseline.agents({DEFAULT_CREW: scenario.agents, **sizes})
    result = Result.of(scenario, main, alone[-1], alone[0], mean_agents)
    collector, models = accumulator.collector, accumulator.batch.models
    assert collector is not None
    precision_reached = reached([accumulator], stopping)
    remarks = (
        *imprecise(precision_reached, accumulator.count),
        *limit_without_effect(workflow, sizes),
        *declaration_notes(workflow, sizes, models),
        *restricted_notes({name: models[name] for name in models if workflow.written("models", name) is not None}),
        *other_tokenizers(workflow, models),
        *notes(models, accumulator.over_context, [speed], premium),
        *concurrency(batches[:2]),
        *paid_by_the_hour(models),
    )
    held = drags(workflow, sizes, seed, stopping.most, progress, speed)
    breakdown = collector.detail.breakdown()
    typical = int(np.argmin(np.abs(main.seconds.first - result.seconds.p50)))
    return Forecast(
        workflow.workflow,
        seed,
        accumulator.count,
        precision_reached,
        baseline,
        sizes,
        result,
        {part: value.mean for part, value in breakdown.items()},
        {part: value.standard_error for part, value in breakdown.items()},
        Distribution.of(main.seconds),
        collector.usage.results(priced=result.usd is not None),
        step_results(accumulator, held),
        held.samples,
        held.largest(),
        typical_run(replay(workflow, collector.expanded, seed, typical, speed, multiplier), typical),
        remarks,
    )


def _of_baseline(
    workflow: Workflow, baseline: Baseline, rows: Sequence[tuple[str, float]], premium: Premium, seed: int,
    samples: int, at_once: int,
) -> list[Batch]:  # fmt: skip
    """Return one batch for each model, to simulate the baseline's agents with the given models and speeds.

    rows : pairs of a model and a speed, in the order of the results. Pairs of the same model must be adjacent
    samples : largest number of samples
    at_once : number of blocks of samples that are simulated in parallel
    """
    points: dict[str, list[GridPoint]] = {}
    for model, speed in rows:
        points.setdefault(model, []).append(GridPoint(speed, baseline.sizes, premium.of(speed)))
    return [Batch.of(workflow.on(model), each, seed, samples, at_once) for model, each in points.items()]


def step_results(accumulator: Accumulator, held: Drags) -> tuple[StepResult, ...]:
    """Return the result of each step. The accumulator's batch must be created with `detailed=True`.

    held : drags in the same scenario
    """
    collector, models = accumulator.collector, accumulator.batch.models_of(0)
    assert collector is not None
    priced = accumulator.usd(0) is not None
    return tuple(
        _step_result(detail, *held.step(detail.step, detail.kind), accumulator.count, models, priced)
        for detail in collector.detail.works
    )


def _step_result(
    detail: WorkDetail, drag: Drag, saved: Mean, samples: int, models: Mapping[str, Profile], priced: bool
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
        saved,
        done.standard_error,
        seconds.standard_error,
        None if usd is None else detail.usd.mean().standard_error,
        Tokens(*detail.tokens.standard_errors),
        pay if priced else None,
        pay_error if priced else None,
    )
