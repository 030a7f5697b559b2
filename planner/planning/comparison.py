"""A grid of speeds × agents on common random draws, against one agent at the declared speed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.planning.barriers import barriers
from planner.planning.comparison_result import Comparison
from planner.planning.decisions.decide import DecisionInputs, DecisionOptions, decide
from planner.planning.decisions.extra_scenarios import INSTANT, ExtraScenarios
from planner.planning.decisions.interval import ScenarioValues
from planner.planning.decisions.verdict import Row, rows, verdict
from planner.planning.notes.assumptions import (
    declaration_notes,
    imprecise,
    notes,
    other_tokenizers,
    restricted,
)
from planner.planning.notes.concurrency import concurrency
from planner.planning.results import Result, Scenario
from planner.planning.sizing import Sizing
from planner.sampling.accumulator import ScenarioSamples
from planner.sampling.backends import Backend, ThreadBackend
from planner.sampling.batch import Batch, GridPoint
from planner.sampling.sample import Precision, Progress, Stopping, quiet, sample
from planner.workflow.declaration import Workflow

NOTHING_MORE = DecisionOptions()


def compare(workflow: Workflow, speeds: Sequence[float], agents: Sequence[int], *, models: Sequence[str] = (),
            crew: str | None = None, premium: Premium = FITTED, seed: int = 1, samples: int | None = None,
            precision: float | None = None, max_time: float | None = None, backend: Backend | None = None,
            progress: Progress = quiet, wishes: DecisionOptions = NOTHING_MORE) -> Comparison:  # fmt: skip
    """Compare every model at every speed with every number of agents.

    speeds : factors on every output speed
    agents : sizes of the crew `crew`, of the only crew, or of the default crew
    models : profiles in the place of the workflow's; none: its own
    premium : what a speed other than 1x costs
    samples, precision, max_time : when to stop, as `Stopping`; all scenarios share their samples
    backend : where samples are simulated; None: on all cores of this machine
    wishes : what decisions need to know

    Raises InputError where the workflow is too large, or the crew unknown or not named among several.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing = Sizing.of(workflow, crew)
    sized = sizing.choose()
    own = workflow.model or ""
    wanted = list(dict.fromkeys(models)) or [own]
    points = [(speed, count) for speed in dict.fromkeys(speeds) for count in dict.fromkeys(agents)]
    alone = [(speed, 1) for speed in dict.fromkeys((1.0, *speeds))]
    every = {model: list(dict.fromkeys([*points, *alone])) for model in wanted}
    every.setdefault(own, [(1.0, 1)])
    first_row = (wanted[0], min(speeds))
    probes = ExtraScenarios.of(workflow.on(wanted[0]), sizing, first_row, wishes.every_n)
    besides = [point for point in probes.points if point not in every[wanted[0]]]
    plans = []
    for model, chosen in every.items():
        cells = [GridPoint(speed, sizing.sizes(count), premium.of(speed)) for speed, count in chosen]
        if model == wanted[0]:
            chosen[:0] = besides
            cells[:0] = [
                *(
                    GridPoint(speed, sizing.sizes(count), asked=False, other=probes.plain, unhindered=probes.curved)
                    for speed, count in probes.plain_points
                ),
                *(
                    GridPoint(speed, sizing.sizes(count), _price(premium, speed), asked=False)
                    for speed, count in besides
                ),
            ]
        plans.append(Batch.of(workflow.on(model), cells, seed, stopping.most, backend.at_once))
    found = sample(plans, stopping, backend, progress)
    simulated = {
        Scenario(model, *point): ScenarioSamples(sampled, len(sampled.plan.cells) - len(chosen) + at)
        for (model, chosen), sampled in zip(every.items(), found, strict=True)
        for at, point in enumerate(chosen)
    }
    plain = [ScenarioSamples(found[0], at) for at in range(len(probes.plain_points))]
    baseline = Scenario(own, 1.0, 1)
    grid = [Scenario(model, *point) for model in wanted for point in points]
    results = tuple(
        Result.of(point, simulated[point], simulated[baseline], simulated[Scenario(point.model, point.speed, 1)])
        for point in grid
    )
    used: dict[str, Profile] = {}
    over: dict[str, float] = {}
    for sampled in dict.fromkeys(simulated[point].sampled for point in grid):
        used |= sampled.plan.models
        over |= sampled.over_context
    known = Precision.of(stopping.target, (simulated[point].seconds for point in grid))
    remarks = (
        *imprecise(known, found[0].count),
        *declaration_notes(workflow), *other_tokenizers(workflow, used),
        *notes(used, over, speeds, premium), *concurrency(sampled.plan for sampled in found),
    )  # fmt: skip
    said = verdict(grid, {point: simulated[point].seconds.first for point in grid})
    return Comparison(
        workflow.workflow, seed, found[0].count,
        known, sized, baseline, results,
        said, decide(_known(simulated, plain, grid, baseline, probes, workflow), said, wishes),
        restricted(used), remarks,
    )  # fmt: skip


def _price(premium: Premium, speed: float) -> float:
    """What a speed costs; infinite speed has no price, and none is shown."""
    return 1.0 if speed == INSTANT else premium.of(speed)


def _known(
    simulated: Mapping[Scenario, ScenarioSamples], plain: Sequence[ScenarioSamples],
    grid: Sequence[Scenario], baseline: Scenario,
    probes: ExtraScenarios, workflow: Workflow,
) -> DecisionInputs:  # fmt: skip
    """What decisions are taken from."""
    cells = {scenario: ScenarioValues(one.seconds, one.usd, one.accepted) for scenario, one in simulated.items()}
    without = [ScenarioValues(one.seconds, one.usd, one.accepted) for one in plain]
    numbers: dict[Row, dict[int, ScenarioValues]] = {}
    for scenario, samples in cells.items():
        numbers.setdefault((scenario.model, scenario.speed), {})[scenario.agents] = samples
    first = rows(grid)[0]
    return DecisionInputs(
        {scenario: cells[scenario] for scenario in grid},
        (baseline, cells[baseline]),
        numbers,
        cells[Scenario(first[0], INSTANT, 1)],
        probes.widest,
        without[0] if without else numbers[first][probes.widest],
        without[1] if len(without) > 1 else numbers[first][1],
        probes.curved,
        any(step.kind == "human" for _, step in workflow.walk()),
    )


def with_barriers(comparison: Comparison, workflow: Workflow, crew: str | None) -> Comparison:
    """The comparison with what barriers cost in the best scenario of its verdict."""
    best = comparison.verdict.best
    sizes = Sizing.of(workflow, crew).sizes(best.agents)
    found = barriers(workflow.on(best.model), sizes, best.speed, comparison.seed, comparison.samples)
    return comparison if found is None else replace(comparison, barriers=found)
