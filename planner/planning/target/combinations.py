"""The crews and numbers of agents that a search for a target tries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from planner.planning.crew_numbers import CrewNumbers
from planner.planning.decisions.holders import drags, most_dragging
from planner.planning.sizing import Sizing
from planner.planning.target.solve import Numbers
from planner.sampling.sample import Progress, Stopping
from planner.workflow.declaration import Workflow

NUMBERS = (1, 2, 4, 8, 16)
"""Default numbers of agents to try. The declared number is added."""

AgentCounts = Sequence[int] | Mapping[str, Sequence[int]] | None
"""Requested numbers of agents: of one crew, or of several crews by name. None: the default numbers of one crew."""


@dataclass(frozen=True, eq=False)
class Crews:
    """The crews whose numbers of agents vary, and the requested numbers.

    sizing : sizing of the first crew
    requested : the requested numbers
    chosen : whether the first crew was chosen because of its drag
    drag : share of the declared scenario's p50 that unlimited agents of the first crew would save; 0 if `chosen` is
        false
    """

    sizing: Sizing
    requested: CrewNumbers
    chosen: bool = False
    drag: float = 0.0

    @classmethod
    def of(
        cls, workflow: Workflow, crew: str | None, agents: AgentCounts, seed: int, stopping: Stopping,
        progress: Progress,
    ) -> Crews:  # fmt: skip
        """Return the crews whose numbers of agents the search varies.

        These are the crews that the user names, or the only crew of the workflow. If there are several crews and the
        user names none, it is the crew with the largest drag: the one that would save the most time if it had unlimited
        agents.

        crew : name of the crew to which `agents` applies; None: not named
        agents : requested numbers of agents; None: the default numbers

        Raises InputError if a crew is unknown, or if there are too many combinations. Also raises InputError if it is
        unclear to which of several crews the numbers apply.
        """
        requested = CrewNumbers.of(workflow, agents, crew)
        sizing = Sizing.of(workflow, requested.crew)
        if requested.agents is not None:
            sizing.choose()
        if sizing.crew is not None:
            return cls(sizing, requested)
        found = drags(workflow, sizing.declared, seed, stopping.most, progress)
        name = most_dragging(found, sizing.declared)
        return cls(Sizing.of(workflow, name), requested, chosen=True, drag=found.share(name))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the crews. The first is the crew of `Scenario.agents`."""
        return (self.sizing.choose(), *(name for name, _ in self.requested.others[0]))

    def combinations(self, widest: int) -> list[Numbers]:
        """Return all combinations of the requested numbers.

        widest : largest useful number of agents; default numbers above it are left out
        """
        numbers = self.requested.agents
        if numbers is None:
            declared = self.sizing.declared.get(self.sizing.choose(), 1)
            numbers = tuple(sorted({*(count for count in NUMBERS if count <= widest), declared}))
        return [(count, *(other for _, other in others)) for others in self.requested.others for count in numbers]
