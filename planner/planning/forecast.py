"""One scenario in detail: when it ends, what it costs, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.measures.critical_path import WorkDetail
from planner.measures.distribution import Distribution
from planner.measures.moments import Mean
from planner.measures.typical_run import replay, typical_run
from planner.planning.forecast_result import Forecast, StepResult
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    paid_by_the_hour,
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
from planner.timing.cost import usd_of_step
from planner.workflow.declaration import Workflow


def forecast(workflow: Workflow, *, speed: float = 1.0, agents: int | Mapping[str, int] | None = None,
             crew: str | None = None,
             premium: Premium = FITTED, seed: int = 1, samples: int | None = None, precision: float | None = None,
             max_time: float | None = None, backend: Backend | None = None,
             progress: Progress = quiet) -> Forecast:  # fmt: skip
    """Forecast a workflow with its crews as declared, or `agents` in one of them or, as a mapping, in several.

    speed : factor on every output speed
    crew : the crew that `agents` sizes, if several are declared
    premium : what a speed other than 1x costs
    samples, precision, max_time : when to stop, as `Stopping`
    backend : where samples are simulated; None: on all cores of this machine

    Raises InputError where the workflow is too large or the crew unknown.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing, sizes = Sizing.at(workflow, agents, crew)
    count = sizing.agents(sizes)
    model = workflow.model or ""
    cell, multiplier = GridPoint(speed, sizes, premium.of(speed)), premium.of(speed)
    bases = [GridPoint(other, sizing.alone(), premium.of(other)) for other in dict.fromkeys((1.0, speed))]
    plan = Batch.of(workflow, [cell], seed, stopping.most, backend.at_once, detailed=True)
    plans = [plan, Batch.of(workflow, bases, seed, stopping.most, backend.at_once)]
    found, alone = sample(plans, stopping, backend, progress)
    main = ScenarioSamples(found, 0)
    result = Result.of(
        Scenario(model, speed, count), main, ScenarioSamples(alone, 0), ScenarioSamples(alone, len(bases) - 1)
    )
    findings = found.findings
    assert findings is not None
    known = reached([found], stopping)
    remarks = (
        *imprecise(known, found.count),
        *declaration_notes(workflow),
        *other_tokenizers(workflow, plan.models),
        *notes(plan.models, found.over_context, [speed], premium),
        *concurrency(plans),
        *paid_by_the_hour(plan.models),
    )
    breakdown = findings.detail.breakdown()
    middle = int(np.argmin(np.abs(main.seconds.first - result.seconds.p50)))
    taken = replay(workflow, findings.expanded, seed, middle, speed, multiplier)
    return Forecast(
        workflow.workflow,
        seed,
        found.count,
        known,
        Scenario(model, 1.0, 1),
        sizes,
        result,
        {part: value.mean for part, value in breakdown.items()},
        {part: value.standard_error for part, value in breakdown.items()},
        Distribution.of(main.seconds),
        findings.usage.results(),
        step_results(found),
        min(found.count, findings.drag.limit),
        typical_run(taken, middle, speed),
        remarks,
    )


def step_results(found: Accumulator) -> tuple[StepResult, ...]:
    """What each step takes, of a plan of one scenario in detail."""
    findings, models = found.findings, found.plan.paid(0)
    assert findings is not None
    priced = found.usd(0) is not None
    return tuple(
        _step(detail, drag, found.count, models, priced)
        for detail, drag in zip(findings.detail.works, findings.drag.means(), strict=True)
    )


def _step(detail: WorkDetail, drag: Mean, samples: int, models: Mapping[str, Profile], priced: bool) -> StepResult:
    means = {work: billed / samples for work, billed in detail.billed.items()}
    tokens = sum((amounts[:4] for amounts in means.values()), np.zeros(4))
    usd = usd_of_step(means, models) if priced else None
    done, seconds, critical = detail.done.mean(), detail.seconds.mean(), detail.critical.mean()
    return StepResult(
        detail.step,
        detail.kind,
        done.mean,
        seconds.mean,
        critical.mean,
        usd,
        Tokens.of(tokens.tolist()),
        critical.standard_error,
        detail.critical_in.mean(),
        drag,
        done.standard_error,
        seconds.standard_error,
        None if usd is None else detail.usd.mean().standard_error,
        Tokens(*detail.tokens.standard_errors),
    )
