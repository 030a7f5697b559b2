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

    All of them use the first model of the grid. Each is a pair of a speed and a number of agents of the crew that
    varies.

    widest : largest number of agents of the crew that can be busy simultaneously
    points : scenarios of the workflow as declared
    uncoordinated_points : scenarios without coordination in the crew, in which requests do not slow each other down
    uncoordinated_workflow : a copy of the workflow without coordination in the crew; None if the declared workflow has
        none
    load_dependent : whether concurrent requests slow each other down in the workflow as declared
    """

    widest: int
    points: tuple[tuple[float, int], ...]
    uncoordinated_workflow: Workflow | None
    uncoordinated_points: tuple[tuple[float, int], ...]
    load_dependent: bool = False

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
        uncoordinated = None
        if declared is not None and most > 1 and (declared.lockstep or declared.coordination != Coordination()):
            without = declared.model_copy(update={"coordination": Coordination(), "lockstep": False})
            uncoordinated = workflow.model_copy(update={"crews": {**workflow.crews, crew: without}})
        load_dependent = _is_load_dependent(workflow)
        declared_is_enough = uncoordinated is None and not (load_dependent and most > 1)
        numbers = range(1, most + 1) if every_n else (most,) if declared_is_enough else ()
        points = tuple((speed, count) for count in numbers)
        uncoordinated_points: tuple[tuple[float, int], ...] = ()
        if not declared_is_enough:
            one_agent_differs = load_dependent or (declared is not None and declared.lockstep)
            uncoordinated_points = ((speed, most), (speed, 1)) if one_agent_differs else ((speed, most),)
        return cls(most, ((INSTANT, 1), *points), uncoordinated, uncoordinated_points, load_dependent)


def _is_load_dependent(workflow: Workflow) -> bool:
    """Return whether concurrent requests slow down any model that the workflow uses."""
    names = dict.fromkeys((workflow.model, *(step.model for _, step in workflow.walk())))
    return any(resolve(name, workflow.models).by_concurrency for name in names if name is not None)
