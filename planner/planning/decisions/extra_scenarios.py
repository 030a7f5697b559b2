"""The few scenarios that decisions need in addition to the grid."""

from __future__ import annotations

import math
from dataclasses import dataclass

from planner.catalogue.profile import resolve
from planner.expansion.build.size_limits import most_busy_agents
from planner.planning.results import Row
from planner.planning.sizing import Sizing
from planner.workflow.crews import Coordination
from planner.workflow.declaration import Workflow

INSTANT = math.inf
"""The speed at which output takes no time."""


@dataclass(frozen=True, eq=False)
class ExtraScenarios:
    """Scenarios that decisions need in addition to a grid.

    All scenarios use the first model of the grid. A point is a speed and a number of agents.

    widest : largest number of agents of the crew that can be busy simultaneously
    points : additional points for the workflow as declared
    plain : a copy of the workflow without coordination in the crew; None if the workflow would not change
    plain_points : additional points without coordination. Requests do not slow each other down there
    curved : whether concurrent requests slow each other down in the workflow as declared
    """

    widest: int
    points: tuple[tuple[float, int], ...]
    plain: Workflow | None
    plain_points: tuple[tuple[float, int], ...]
    curved: bool = False

    @classmethod
    def of(cls, workflow: Workflow, sizing: Sizing, first: Row, every_n: bool) -> ExtraScenarios:
        """Choose the scenarios that decisions need in addition to a grid.

        workflow : a workflow that uses the first model of the grid
        first : the first model of the grid and its lowest speed
        every_n : whether to add all numbers of agents from 1 to the largest useful number
        """
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
    """Return whether concurrent requests slow down any model that the workflow uses."""
    names = dict.fromkeys((workflow.model, *(step.model for _, step in workflow.walk())))
    return any(resolve(name, workflow.models).by_concurrency for name in names if name is not None)
