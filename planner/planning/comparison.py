"""A grid of speeds × agents, compared with one agent at the declared speed on the same random draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from planner.catalogue.premium import FITTED, Premium
from planner.planning.comparison_result import Comparison
from planner.planning.decisions.chances import ScenarioValues
from planner.planning.decisions.decide import DecisionInputs, DecisionOptions, decide
from planner.planning.decisions.extra_scenarios import INSTANT, ExtraScenarios
from planner.planning.decisions.verdict import Row, rows, verdict
from planner.planning.grid import Grid, Uncoordinated
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
from planner.sampling.sample import Precision, Progress, Stopping, quiet
from planner.workflow.declaration import Workflow

if TYPE_CHECKING:
    from planner.planning.barriers import Barriers

NOTHING_MORE = DecisionOptions()


def compare(workflow: Workflow, speeds: Sequence[float], agents: Sequence[int], *, models: Sequence[str] = (),
            crew: str | None = None, premium: Premium = FITTED, seed: int = 1, samples: int | None = None,
            precision: float | None = None, max_time: float | None = None, backend: Backend | None = None,
            progress: Progress = quiet, wishes: DecisionOptions = NOTHING_MORE) -> Comparison:  # fmt: skip
    """Simulate all combinations of the given models, speeds and numbers of agents, and compare them.

    speeds : factors on every output speed
    agents : numbers of agents of the crew that varies
    crew : name of the crew that varies; None if the workflow has at most one crew
    models : names of profiles; if empty, only the workflow's own model is used
    premium : assumed prices at speeds other than 1x
    samples, precision, max_time : rule for when to stop, as in `Stopping`. All scenarios have the same number of
        samples.
    backend : where samples are simulated; None: threads on all cores
    wishes : options for the decisions in the result

    Raises InputError if the workflow is too large or `crew` is unknown. Also raises InputError if `crew` is None and
    the workflow has several crews.
    """
    stopping, backend = Stopping(samples, precision, max_time), backend or ThreadBackend()
    sizing = Sizing.of(workflow, crew)
    sized = sizing.choose()
    models = list(dict.fromkeys(models)) or [workflow.model or ""]
    first_row = (models[0], min(speeds))
    requested = [
        Scenario(model, speed, count)
        for model in models
        for speed in dict.fromkeys(speeds)
        for count in dict.fromkeys(agents)
    ]
    alone = [Scenario(model, speed, 1) for model in models for speed in dict.fromkeys((1.0, *speeds))]
    baseline = Scenario(workflow.model or "", 1.0, 1)
    extra = ExtraScenarios.of(workflow.on(models[0]), sizing, first_row, wishes.every_n)
    grid = Grid(workflow, sizing, premium, seed, backend, cached=False)
    grid.take(
        [*requested, *alone, baseline], stopping, progress,
        extra=[Scenario(models[0], *point) for point in extra.points],
        uncoordinated=Uncoordinated(
            [Scenario(models[0], *point) for point in extra.plain_points], extra.plain, extra.curved
        ),
    )  # fmt: skip
    simulated = grid.found
    results = tuple(
        Result.of(
            scenario, simulated[scenario], simulated[baseline], simulated[Scenario(scenario.model, scenario.speed, 1)]
        )
        for scenario in requested
    )
    used = grid.models(requested)
    reached = Precision.of(stopping.target, (simulated[scenario].seconds for scenario in requested))
    remarks = (
        *imprecise(reached, grid.samples),
        *declaration_notes(workflow), *other_tokenizers(workflow, used),
        *notes(used, grid.over_context(requested), speeds, premium), *concurrency(grid.batches),
    )  # fmt: skip
    ends = verdict(requested, {scenario: simulated[scenario].seconds.first for scenario in requested})
    best = ends.best
    return Comparison(
        workflow.workflow, seed, grid.samples, reached, sized, baseline, results, ends,
        decide(_decision_inputs(grid, requested, baseline, extra), ends, wishes),
        restricted(used), remarks,
        _barriers(workflow.on(best.model), sizing.sizes(best.agents), best.speed, seed, grid.samples),
    )  # fmt: skip


def _decision_inputs(
    grid: Grid, requested: Sequence[Scenario], baseline: Scenario, extra: ExtraScenarios
) -> DecisionInputs:
    """Return the inputs of `decide`: the samples of all simulated scenarios."""
    samples = {scenario: _samples(found) for scenario, found in grid.found.items()}
    uncoordinated = {scenario.agents: _samples(found) for scenario, found in grid.uncoordinated.items()}
    by_agents: dict[Row, dict[int, ScenarioValues]] = {}
    for scenario, of_scenario in samples.items():
        by_agents.setdefault((scenario.model, scenario.speed), {})[scenario.agents] = of_scenario
    first = rows(requested)[0]
    return DecisionInputs(
        {scenario: samples[scenario] for scenario in requested},
        (baseline, samples[baseline]),
        by_agents,
        samples[Scenario(first[0], INSTANT, 1)],
        extra.widest,
        uncoordinated[extra.widest] if extra.widest in uncoordinated else by_agents[first][extra.widest],
        uncoordinated[1] if 1 in uncoordinated else by_agents[first][1],
        extra.curved,
        any(step.kind == "human" for _, step in grid.workflow.walk()),
    )


def _samples(samples: ScenarioSamples) -> ScenarioValues:
    return ScenarioValues(samples.seconds, samples.usd, samples.accepted)


def _barriers(workflow: Workflow, sizes: Mapping[str, int], speed: float, seed: int, samples: int) -> Barriers | None:
    if workflow.runtime != "langgraph":
        return None
    from planner.planning.barriers import barriers  # only LangGraph has barriers

    return barriers(workflow, sizes, speed, seed, samples)
