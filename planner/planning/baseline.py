"""The baseline of speedups and efficiencies: one agent in each crew of agents, at the declared speed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.expansion.graph.task_graph import DEFAULT_CREW, crew_sizes
from planner.workflow.checks.agents import depends_on_agents
from planner.workflow.declaration import Step, Workflow

SPEED = 1.0
"""Speed of the baseline."""


@dataclass(frozen=True)
class Baseline:
    """The scenario to which speedups and efficiencies refer.

    It has the declared model and one agent in each crew of agents. Crews of people, crews of tools and the lead have
    their declared numbers. The baseline of a workflow without crews makes one request at a time.

    model : the declared model
    speed : always 1
    sizes : number of agents of each crew; for a workflow without crews, one agent of `DEFAULT_CREW`
    crews : names of the crews of agents
    """

    model: str
    speed: float
    sizes: Mapping[str, int]
    crews: tuple[str, ...]

    @classmethod
    def of(cls, workflow: Workflow) -> Baseline:
        """Return the baseline of a workflow, with the declared model even if the workflow's model was changed."""
        crews = agent_crews(workflow)
        sizes = {**crew_sizes(workflow), **dict.fromkeys(crews, 1)} if workflow.crews else {DEFAULT_CREW: 1}
        return cls(workflow.written_for or "", SPEED, sizes, crews)

    def agents(self, sizes: Mapping[str, int]) -> float | None:
        """Return the mean number of agents of all crews of agents. Return None if there is no crew of agents.

        sizes : number of agents of each crew
        """
        return sum(sizes[crew] for crew in self.crews) / len(self.crews) if self.crews else None


def agent_crews(workflow: Workflow) -> tuple[str, ...]:
    """Return the names of the crews of agents, in the order of their declarations.

    A crew of agents does at least one `llm` or `agent` step. Requests for coordination do not count.

    For a workflow without crews, return `DEFAULT_CREW` if a step makes requests or depends on the number of agents.
    """
    crews = {step_crew for step, step_crew in _steps_with_crews(workflow.steps, None) if step.kind in ("llm", "agent")}
    if not workflow.crews:
        return (DEFAULT_CREW,) if None in crews or depends_on_agents(workflow) else ()
    return tuple(name for name in workflow.crews if name in crews)


def _steps_with_crews(steps: Mapping[str, Step], outer_crew: str | None) -> list[tuple[Step, str | None]]:
    """Return a pair for each step: the step, and the name of its crew. The name is None for a step without a crew.

    There is also a pair for each step inside another step.

    outer_crew : crew of the step that contains `steps`; None: no crew
    """
    pairs = []
    for step in steps.values():
        crew = step.crew or outer_crew
        pairs += [(step, crew), *_steps_with_crews(step.within, crew)]
    return pairs
