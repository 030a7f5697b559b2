"""A grid of speeds × agents on common random draws, against one agent at the declared speed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from planner.planning.notes import notes, unused_crews
from planner.planning.results import Comparison, Result, Scenario
from planner.planning.sampling import Cell, Progress, sample
from planner.planning.scenarios import Sizing
from planner.planning.verdict import verdict
from planner.workflow.declaration import Workflow


def compare(workflow: Workflow, speeds: Sequence[float], agents: Sequence[int], *, crew: str | None = None,
            seed: int = 1, samples: int = 1000, progress: Progress = lambda done: None) -> Comparison:  # fmt: skip
    """Compare every speed with every number of agents.

    speeds : factors on every output speed
    agents : sizes of the crew `crew`, of the only crew, or of the default crew
    samples : Monte-Carlo samples, at least 1; all scenarios share them

    Raises InputError where the workflow is too large, or the crew unknown or not named among several.
    """
    sizing = Sizing.of(workflow, crew)
    sized = sizing.choose()
    grid = [(speed, count) for speed in dict.fromkeys(speeds) for count in dict.fromkeys(agents)]
    alone = [(speed, 1) for speed in dict.fromkeys((1.0, *speeds))]
    points = list(dict.fromkeys([*grid, *alone]))
    cells = [Cell(speed, sizing.sizes(count)) for speed, count in points]
    found = sample(workflow, cells, seed, samples, progress)
    model = workflow.model or ""
    p50 = {point: float(np.median(row)) for point, row in zip(points, found.seconds, strict=True)}
    results = []
    for index, point in enumerate(grid):
        results.append(
            Result.of(
                Scenario(model, *point), found.seconds[index], found.cost(index), found.tokens_of(index),
                found.accepted[index], found.coordination[index], p50[1.0, 1], p50[point[0], 1],
            )
        )  # fmt: skip
    answer = verdict(grid, dict(zip(points, found.seconds, strict=True)))
    remarks = (*unused_crews(workflow), *notes(found.models, found.over_context, speeds))
    return Comparison(workflow.workflow, seed, samples, sized, Scenario(model, 1.0, 1), tuple(results), answer, remarks)
