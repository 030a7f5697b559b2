"""The sized crew, whose number of agents differs between scenarios, and the agents of every crew in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import InputError, Note, Problem, did_you_mean
from planner.expansion.graph.task_graph import crew_sizes
from planner.workflow.declaration import Workflow


@dataclass(frozen=True)
class Sizing:
    """The sized crew, whose number of agents differs between scenarios, and the declared agents of all crews.

    crew : name of the sized crew; None if there are several crews and none was chosen
    declared : agents of each crew as declared
    """

    crew: str | None
    declared: Mapping[str, int]

    @classmethod
    def of(cls, workflow: Workflow, crew: str | None = None) -> Sizing:
        """Return the sizing of the crew `crew`, or of the only crew. Raises InputError if `crew` is not declared."""
        declared = crew_sizes(workflow)
        if crew is not None and crew not in declared:
            hint = did_you_mean(crew, declared)
            raise InputError([Problem("unknown-crew", f"unknown crew '{crew}'", None, hint, "crew")])
        return cls(crew if crew or len(declared) > 1 else next(iter(declared)), declared)

    @classmethod
    def at(
        cls, workflow: Workflow, agents: int | Mapping[str, int] | None, crew: str | None
    ) -> tuple[Sizing, dict[str, int]]:
        """Return the sizing of one scenario, and the agents of every crew in it.

        agents : number of agents of the sized crew. A mapping has the numbers of one or more crews, by name. None: all
            crews as declared
        """
        if isinstance(agents, Mapping):
            if len(agents) == 1:
                ((crew, agents),) = agents.items()
            else:
                for name in agents:
                    cls.of(workflow, name)
                sizing = cls.of(workflow)
                return sizing, {**sizing.declared, **agents}
        sizing = cls.of(workflow, crew)
        return sizing, dict(sizing.declared) if agents is None else sizing.sizes(agents)

    def choose(self) -> str:
        """Return the name of the sized crew. Raises InputError if there are several crews and none was chosen."""
        if self.crew is None:
            message = "the workflow has several crews; name the one to size"
            remedy = Note("name-crew", {"crews": tuple(self.declared)})
            raise InputError([Problem("unknown-crew", message, argument="crew", remedy=remedy)])
        return self.crew

    def agents(self, sizes: Mapping[str, int]) -> int:
        """Return the number of agents of the sized crew or, without a sized crew, of all crews together."""
        return sizes[self.crew] if self.crew else sum(sizes.values())

    def sizes(self, agents: int) -> dict[str, int]:
        """Return the agents of every crew if the sized crew has `agents` and the other crews are as declared."""
        return {**self.declared, self.choose(): agents}

    def alone(self) -> dict[str, int]:
        """Return the agents of every crew in the baseline: one in the sized crew; without a sized crew, one in each."""
        return dict.fromkeys(self.declared, 1) if self.crew is None else self.sizes(1)
