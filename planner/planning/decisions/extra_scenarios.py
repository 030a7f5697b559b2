"""The few scenarios that decisions need in addition to the grid."""

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
"""Speed at which output takes no time."""


@dataclass(frozen=True, eq=False)
class ExtraScenarios:
    """Scenarios to simulate for the first row of a grid.

    widest : most agents of the sized crew that can be busy simultaneously
    points : further (speed, agents) of the workflow itself
    plain : the workflow without coordination of the sized crew; None if it has none
    plain_points : (speed, agents) of `plain`, or of the workflow itself, with each request served as if it were alone
    curved : whether concurrent requests slow each other down
    """

    widest: int
    points: tuple[tuple[float, int], ...]
    plain: Workflow | None
    plain_points: tuple[tuple[float, int], ...]
    curved: bool = False

    @classmethod
    def of(cls, workflow: Workflow, sizing: Sizing, first: Row, every_n: bool) -> ExtraScenarios:
        """Choose them for a workflow on the model of the first row."""
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
    """Whether a model of the workflow or of a step slows down with concurrent requests."""
    names = dict.fromkeys((workflow.model, *(step.model for _, step in workflow.walk())))
    return any(resolve(name, workflow.models).by_concurrency for name in names if name is not None)
