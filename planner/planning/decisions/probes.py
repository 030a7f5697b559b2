"""Scenarios beyond a grid that decisions need: few, so that they cost little beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.expansion.width import widest
from planner.planning.scenarios import Sizing
from planner.planning.verdict import Row
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Workflow

INSTANT = math.inf
"""A speed at which output takes no time."""


@dataclass(frozen=True, eq=False)
class Probes:
    """Of the first row of a grid.

    widest : agents of the sized crew that could be busy at once
    points : further speeds and agents of the workflow itself
    plain : the workflow without the sized crew's coordination, where it has any
    plain_points : speeds and agents of that
    """

    widest: int
    points: tuple[tuple[float, int], ...]
    plain: Workflow | None
    plain_points: tuple[tuple[float, int], ...]

    @classmethod
    def of(cls, workflow: Workflow, sizing: Sizing, first: Row, every_n: bool) -> Probes:
        """For a workflow on the model of the first row."""
        crew, speed = sizing.choose(), first[1]
        most = widest(workflow, sizing.sizes(2), crew)
        declared = workflow.crews.get(crew)
        plain = None
        if declared is not None and most > 1 and (declared.lockstep or declared.coordination != Coordination()):
            without = declared.model_copy(update={"coordination": Coordination(), "lockstep": False})
            plain = workflow.model_copy(update={"crews": {**workflow.crews, crew: without}})
        numbers = range(1, most + 1) if every_n else () if plain else (most,)
        points = tuple((speed, count) for count in numbers)
        plain_points: tuple[tuple[float, int], ...] = ()
        if plain is not None and declared is not None:
            plain_points = ((speed, most), (speed, 1)) if declared.lockstep else ((speed, most),)
        return cls(most, ((INSTANT, 1), *points), plain, plain_points)
