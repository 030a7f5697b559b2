"""Scenarios beyond a grid that decisions need: few, so that they cost little beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.catalogue.profile import resolve
from planner.expansion.build.size_limits import most_busy_agents
from planner.planning.decisions.verdict import Row
from planner.planning.sizing import Sizing
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Workflow

INSTANT = math.inf
"""A speed at which output takes no time."""


@dataclass(frozen=True, eq=False)
class ExtraScenarios:
    """Of the first row of a grid.

    widest : agents of the sized crew that could be busy at once
    points : further speeds and agents of the workflow itself
    plain : the workflow without the sized crew's coordination; None: it has none
    plain_points : speeds and agents of that, or of the workflow itself, with each request served as if it were alone
    curved : the more requests there are at a time, the slower each of them is
    """

    widest: int
    points: tuple[tuple[float, int], ...]
    plain: Workflow | None
    plain_points: tuple[tuple[float, int], ...]
    curved: bool = False

    @classmethod
    def of(cls, workflow: Workflow, sizing: Sizing, first: Row, every_n: bool) -> ExtraScenarios:
        """For a workflow on the model of the first row."""
        crew, speed = sizing.choose(), first[1]
        most = most_busy_agents(workflow, sizing.sizes(2), crew)
        declared = workflow.crews.get(crew)
        plain = None
        if declared is not None and most > 1 and (declared.lockstep or declared.coordination != Coordination()):
            without = declared.model_copy(update={"coordination": Coordination(), "lockstep": False})
            plain = workflow.model_copy(update={"crews": {**workflow.crews, crew: without}})
        curved = _curved(workflow)
        bare = plain is None and not (curved and most > 1)
        numbers = range(1, most + 1) if every_n else (most,) if bare else ()
        points = tuple((speed, count) for count in numbers)
        plain_points: tuple[tuple[float, int], ...] = ()
        if not bare:
            alone = curved or (declared is not None and declared.lockstep)
            plain_points = ((speed, most), (speed, 1)) if alone else ((speed, most),)
        return cls(most, ((INSTANT, 1), *points), plain, plain_points, curved)


def _curved(workflow: Workflow) -> bool:
    """Whether requests on the workflow's model or a step's are slower, the more of them there are."""
    named = dict.fromkeys((workflow.model, *(step.model for _, step in workflow.walk())))
    return any(resolve(name, workflow.models).by_concurrency for name in named if name is not None)
