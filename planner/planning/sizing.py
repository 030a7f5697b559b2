"""Which crew `agents` sizes, and what a scenario makes of all crews."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from planner.errors import InputError, Problem, did_you_mean
from planner.expansion.graph.task_graph import crew_sizes
from planner.workflow.declaration import Workflow


@dataclass(frozen=True)
class Sizing:
    """`crew` is the crew that scenarios size, or None: all crews at once, as declared or of one agent each."""

    crew: str | None
    declared: Mapping[str, int]

    @classmethod
    def of(cls, workflow: Workflow, crew: str | None = None) -> Sizing:
        """The crew named, else the only one. Raises InputError for a crew that is not declared."""
        declared = crew_sizes(workflow)
        if crew is not None and crew not in declared:
            raise InputError(
                [Problem("unknown-crew", f"--agents: unknown crew '{crew}'", None, did_you_mean(crew, declared))]
            )
        return cls(crew if crew or len(declared) > 1 else next(iter(declared)), declared)

    @classmethod
    def at(
        cls, workflow: Workflow, agents: int | Mapping[str, int] | None, crew: str | None
    ) -> tuple[Sizing, dict[str, int]]:
        """The crews of one scenario: what it sizes, and the agents of every crew.

        agents : of the crew that is sized, of each crew that is named, or None: as declared
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
        """The crew to size. Raises InputError where several are declared and none is named."""
        if self.crew is None:
            hint = " or ".join(f"--agents {name}=1,2,4" for name in self.declared)
            raise InputError(
                [Problem("unknown-crew", "--agents: the workflow has several crews; name the one to size", None, hint)]
            )
        return self.crew

    def agents(self, sizes: Mapping[str, int]) -> int:
        """Agents of the crew, else of all crews together."""
        return sizes[self.crew] if self.crew else sum(sizes.values())

    def sizes(self, agents: int) -> dict[str, int]:
        """Agents of every crew when the sized one has `agents`."""
        return {**self.declared, self.choose(): agents}

    def alone(self) -> dict[str, int]:
        """The baseline's crews: one agent in the sized crew, or in each."""
        return dict.fromkeys(self.declared, 1) if self.crew is None else self.sizes(1)
