"""One scenario in detail: when it ends, what it costs, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.planning.backends import Backend, Threads
from planner.planning.concurrency import concurrency
from planner.planning.detail import WorkDetail
from planner.planning.distribution import Distribution
from planner.planning.moments import Mean
from planner.planning.notes import declaration_notes, imprecise, notes, other_tokenizers, paid_by_the_hour
from planner.planning.plan import Cell, Plan
from planner.planning.precision import Stopping
from planner.planning.results import Forecast, Result, Scenario, StepResult, Tokens
from planner.planning.sampled import Sampled, Simulated
from planner.planning.sampling import Progress, quiet, reached, sample
from planner.planning.scenarios import Sizing
from planner.planning.timing import usd_of_step
from planner.planning.typical import retake, typical
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
    stopping, backend = Stopping(samples, precision, max_time), backend or Threads()
    sizing, sizes = Sizing.at(workflow, agents, crew)
    count = sizing.agents(sizes)
    model = workflow.model or ""
    cell, multiplier = Cell(speed, sizes, premium.of(speed)), premium.of(speed)
    bases = [Cell(other, sizing.alone(), premium.of(other)) for other in dict.fromkeys((1.0, speed))]
    plan = Plan.of(workflow, [cell], seed, stopping.most, backend.at_once, detailed=True)
    plans = [plan, Plan.of(workflow, bases, seed, stopping.most, backend.at_once)]
    found, alone = sample(plans, stopping, backend, progress)
    main = Simulated(found, 0)
    result = Result.of(Scenario(model, speed, count), main, Simulated(alone, 0), Simulated(alone, len(bases) - 1))
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
    taken = retake(workflow, findings.expanded, seed, middle, speed, multiplier)
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
        typical(taken, middle, speed),
        remarks,
    )


def step_results(found: Sampled) -> tuple[StepResult, ...]:
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
