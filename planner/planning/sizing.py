"""The crew that scenarios size, and the agents of every crew in a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import InputError, Note, Problem, did_you_mean
from planner.expansion.graph.task_graph import crew_sizes
from planner.workflow.declaration import Workflow


@dataclass(frozen=True)
class Sizing:
    """The crew that scenarios size, and the agents of all crews as declared.

    crew : None if scenarios size all crews together
    """

    crew: str | None
    declared: Mapping[str, int]

    @classmethod
    def of(cls, workflow: Workflow, crew: str | None = None) -> Sizing:
        """Size the crew `crew`, or the only one. Raises InputError for a crew that is not declared."""
        declared = crew_sizes(workflow)
        if crew is not None and crew not in declared:
            hint = did_you_mean(crew, declared)
            raise InputError([Problem("unknown-crew", f"unknown crew '{crew}'", None, hint, "crew")])
        return cls(crew if crew or len(declared) > 1 else next(iter(declared)), declared)

    @classmethod
    def at(
        cls, workflow: Workflow, agents: int | Mapping[str, int] | None, crew: str | None
    ) -> tuple[Sizing, dict[str, int]]:
        """The sizing of one scenario and the agents of every crew.

        agents : of the crew that is sized; a mapping has those of each crew it names; None: all as declared
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
        """Return the crew to size. Raises InputError if several are declared and none is named."""
        if self.crew is None:
            message = "the workflow has several crews; name the one to size"
            remedy = Note("name-crew", {"crews": tuple(self.declared)})
            raise InputError([Problem("unknown-crew", message, argument="crew", remedy=remedy)])
        return self.crew

    def agents(self, sizes: Mapping[str, int]) -> int:
        """Agents of the sized crew, else of all crews together."""
        return sizes[self.crew] if self.crew else sum(sizes.values())

    def sizes(self, agents: int) -> dict[str, int]:
        """Agents of every crew when the sized one has `agents`."""
        return {**self.declared, self.choose(): agents}

    def alone(self) -> dict[str, int]:
        """Agents of every crew in the baseline: one in the sized crew, or one in each."""
        return dict.fromkeys(self.declared, 1) if self.crew is None else self.sizes(1)
