"""A grid of speeds × agents on common random draws, against one agent at the declared speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.catalogue.premium import FITTED, Premium
from planner.catalogue.profile import Profile
from planner.planning.notes import approximate_counts, notes, other_tokenizers, restricted, unused_crews
from planner.planning.results import Comparison, Result, Scenario
from planner.planning.sampling import Cell, Progress, Sampled, sample
from planner.planning.scenarios import Sizing
from planner.planning.verdict import verdict
from planner.workflow.declaration import Workflow


def compare(workflow: Workflow, speeds: Sequence[float], agents: Sequence[int], *, models: Sequence[str] = (),
            crew: str | None = None, premium: Premium = FITTED, seed: int = 1, samples: int = 1000,
            progress: Progress = lambda done: None) -> Comparison:  # fmt: skip
    """Compare every model at every speed with every number of agents.

    speeds : factors on every output speed
    agents : sizes of the crew `crew`, of the only crew, or of the default crew
    models : profiles in the place of the workflow's; none: its own
    premium : what a speed other than 1x costs
    samples : Monte-Carlo samples, at least 1; all scenarios share them

    Raises InputError where the workflow is too large, or the crew unknown or not named among several.
    """
    sizing = Sizing.of(workflow, crew)
    sized = sizing.choose()
    own = workflow.model or ""
    wanted = list(dict.fromkeys(models)) or [own]
    points = [(speed, count) for speed in dict.fromkeys(speeds) for count in dict.fromkeys(agents)]
    alone = [(speed, 1) for speed in dict.fromkeys((1.0, *speeds))]
    simulated: dict[Scenario, tuple[Sampled, int]] = {}
    every = wanted if own in wanted else [own, *wanted]
    for number, model in enumerate(every):
        chosen = list(dict.fromkeys([*points, *alone])) if model in wanted else [(1.0, 1)]
        cells = [Cell(speed, sizing.sizes(count)) for speed, count in chosen]

        def told(done: float, before: int = number) -> None:
            progress((before + done) / len(every))

        found = sample(workflow.on(model), cells, seed, samples, told)
        simulated |= {Scenario(model, *point): (found, at) for at, point in enumerate(chosen)}
    seconds = {point: found.seconds[at] for point, (found, at) in simulated.items()}
    p50 = {point: float(np.median(row)) for point, row in seconds.items()}
    baseline = Scenario(own, 1.0, 1)
    grid = [Scenario(model, *point) for model in wanted for point in points]
    results = tuple(
        Result.of(
            point, seconds[point], found.cost(at, multiplier), found.tokens_of(at), found.accepted[at],
            found.coordination[at], p50[baseline], p50[Scenario(point.model, point.speed, 1)], multiplier,
        )
        for point in grid
        for (found, at), multiplier in [(simulated[point], premium.of(point.speed))]
    )  # fmt: skip
    used: dict[str, Profile] = {}
    over: dict[str, float] = {}
    for found in {id(found): found for point in grid for found, _ in [simulated[point]]}.values():
        used |= found.models
        over |= found.over_context
    remarks = (
        *unused_crews(workflow), *approximate_counts(workflow), *other_tokenizers(workflow, used),
        *notes(used, over, speeds, premium),
    )  # fmt: skip
    return Comparison(
        workflow.workflow, seed, samples, sized, baseline, results, verdict(grid, seconds), restricted(used), remarks
    )
