"""One scenario in detail: when it ends, what it costs, and where the time goes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.engine.simulation import TICK
from planner.planning.detail import WorkDetail
from planner.planning.distribution import Distribution
from planner.planning.moments import Mean
from planner.planning.notes import approximate_counts, notes, other_tokenizers, unused_crews
from planner.planning.results import Forecast, Result, Scenario, StepResult, Tokens
from planner.planning.sampling import Cell, Progress, Sampled, sample
from planner.planning.scenarios import Sizing
from planner.planning.timing import usd_of
from planner.planning.typical import retake, typical
from planner.workflow.declaration import Workflow


def forecast(workflow: Workflow, *, speed: float = 1.0, agents: int | None = None, crew: str | None = None,
             premium: Premium = FITTED, seed: int = 1, samples: int = 1000,
             progress: Progress = lambda done: None) -> Forecast:  # fmt: skip
    """Forecast a workflow with its crews as declared, or `agents` in one of them.

    speed : factor on every output speed
    crew : the crew that `agents` sizes, if several are declared
    premium : what a speed other than 1x costs
    samples : Monte-Carlo samples, at least 1

    Raises InputError where the workflow is too large or the crew unknown.
    """
    sizing = Sizing.of(workflow, crew)
    sizes = dict(sizing.declared) if agents is None else sizing.sizes(agents)
    count = sizing.agents if agents is None else agents
    model = workflow.model or ""
    baseline = Scenario(model, 1.0, 1)
    found = sample(workflow, [Cell(speed, sizes)], seed, samples, lambda done: progress(done * 0.6), True)
    alone = _alone(workflow, found, Cell(speed, sizes), sizing.alone(), seed, samples, progress)
    multiplier = premium.of(speed)
    cost = found.cost(0, multiplier)
    result = Result.of(
        Scenario(model, speed, count),
        found.seconds[0],
        cost,
        found.tokens_of(0),
        found.accepted[0],
        found.coordination[0],
        alone[1.0],
        alone[speed],
        multiplier,
    )
    findings = found.findings
    assert findings is not None
    models = {name: profile.priced(multiplier) for name, profile in found.models.items()}
    steps = tuple(
        _step(detail, drag, samples, models, cost is not None)
        for detail, drag in zip(findings.detail.works, findings.drag.means(), strict=True)
    )
    remarks = (
        *unused_crews(workflow),
        *approximate_counts(workflow),
        *other_tokenizers(workflow, found.models),
        *notes(found.models, found.over_context, [speed], premium),
    )
    breakdown = findings.detail.breakdown()
    middle = int(np.argmin(np.abs(found.seconds[0] - result.seconds.p50)))
    taken = retake(workflow, findings.expanded, seed, middle, speed, multiplier)
    return Forecast(
        workflow.workflow,
        seed,
        samples,
        baseline,
        sizes,
        result,
        {part: value.mean for part, value in breakdown.items()},
        {part: value.standard_error for part, value in breakdown.items()},
        Mean.ratio(found.coordination[0], found.seconds[0]),
        Distribution.of(found.seconds[0]),
        findings.usage.results(findings.expanded.pools, sizes),
        steps,
        min(samples, findings.drag.limit),
        typical(taken, middle, speed),
        remarks,
    )


def _step(detail: WorkDetail, drag: Mean, samples: int, models: Mapping[str, Profile], priced: bool) -> StepResult:
    cost, tokens, critical = 0.0, np.zeros(4), detail.critical.mean()
    for work, billed in detail.billed.items():
        amounts = billed / samples
        if priced:
            cost += float(usd_of(work, amounts, models[work.model].price if work.model else None))
        tokens += amounts[:4]
    return StepResult(
        detail.step,
        detail.kind,
        detail.done / samples,
        detail.ticks * TICK / samples,
        critical.mean,
        cost if priced else None,
        Tokens.of(tokens.tolist()),
        critical.standard_error,
        detail.critical_in.mean(),
        drag,
    )


def _alone(
    workflow: Workflow,
    found: Sampled,
    cell: Cell,
    sizes: Mapping[str, int],
    seed: int,
    samples: int,
    progress: Progress,
) -> dict[float, float]:
    """p50 with one agent, by speed: at 1× and at the speed of the cell."""
    wanted = [
        Cell(speed, sizes) for speed in dict.fromkeys((1.0, cell.speed)) if (speed, sizes) != (cell.speed, cell.sizes)
    ]
    p50 = {cell.speed: float(np.median(found.seconds[0]))} if dict(cell.sizes) == dict(sizes) else {}
    if wanted:
        more = sample(workflow, wanted, seed, samples, lambda done: progress(0.6 + done * 0.4))
        p50 |= {one.speed: float(np.median(row)) for one, row in zip(wanted, more.seconds, strict=True)}
    return p50
