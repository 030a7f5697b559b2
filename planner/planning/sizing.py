"""The sized crew, whose number of agents differs between scenarios, and the agents of every crew in a scenario."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.errors import InputError, Note, Problem
from planner.expansion.build.size_limits import check_agents, most_busy_agents
from planner.expansion.graph.task_graph import DEFAULT_CREW, crew_sizes
from planner.planning.crew_numbers import check_names
from planner.workflow.declaration import Workflow


@dataclass(frozen=True)
class Sizing:
    """The crew whose number of agents varies between scenarios, and the declared sizes of all crews.

    A workflow without crews is treated as if it had one crew, `DEFAULT_CREW`, which makes all requests. The
    number of agents of this crew is unlimited unless a scenario limits it.

    crew : name of the crew that varies; None if the workflow has several crews and none was chosen
    declared : declared number of agents of each crew; empty if the workflow has no crews
    """

    workflow: Workflow
    crew: str | None
    declared: Mapping[str, int]

    @classmethod
    def of(cls, workflow: Workflow, crew: str | None = None) -> Sizing:
        """Return a `Sizing` in which the number of agents of the crew `crew` varies.

        crew : name of a crew; None: the only crew, or no crew if the workflow has several crews

        Raises InputError if `crew` is not declared. Also raises InputError if a step without a crew uses the number of
        agents, because it is unclear which number is meant.
        """
        declared = crew_sizes(workflow)
        names = list(declared) or [DEFAULT_CREW]
        if workflow.crews:
            check_agents(workflow, declared)
        if crew is not None:
            check_names(workflow, [crew])
        return cls(workflow, crew if crew or len(names) > 1 else names[0], declared)

    @classmethod
    def at(
        cls, workflow: Workflow, agents: int | Mapping[str, int] | None, crew: str | None
    ) -> tuple[Sizing, dict[str, int]]:
        """Return the `Sizing` for one scenario, and the number of agents of every crew.

        agents : number of agents of the crew `crew`, or numbers of agents by name of crew; None: the declared numbers
        crew : name of a crew; None: the only crew

        Raises InputError if a crew is unknown. Also raises InputError if a quantity depends on a number of agents that
        is neither declared nor given.
        """
        sizing, sizes = cls._at(workflow, agents, crew)
        check_agents(workflow, sizes)
        return sizing, sizes

    @classmethod
    def _at(
        cls, workflow: Workflow, agents: int | Mapping[str, int] | None, crew: str | None
    ) -> tuple[Sizing, dict[str, int]]:
        if isinstance(agents, Mapping):
            if len(agents) == 1:
                ((crew, agents),) = agents.items()
            else:
                check_names(workflow, agents)
                sizing = cls.of(workflow)
                return sizing, {**sizing.declared, **agents}
        sizing = cls.of(workflow, crew)
        return sizing, dict(sizing.declared) if agents is None else sizing.sizes(agents)

    def choose(self) -> str:
        """Return the name of the crew that varies.

        Raises InputError if the workflow has several crews and none was chosen.
        """
        if self.crew is None:
            message = "the workflow has several crews; name the one to size"
            remedy = Note("name-crew", {"crews": tuple(self.declared)})
            raise InputError([Problem("unknown-crew", message, argument="crew", remedy=remedy)])
        return self.crew

    def agents(self, sizes: Mapping[str, int]) -> int:
        """Return the number of agents of the crew that varies.

        If nothing limits the agents, return the largest number that can be busy.

        sizes : number of agents of each crew
        """
        crew = self.choose()
        return sizes[crew] if crew in sizes else most_busy_agents(self.workflow, sizes, crew)

    def total(self, sizes: Mapping[str, int]) -> int:
        """Return the number of agents of all crews together, whichever crew varies.

        If the workflow has no crews and nothing limits the agents, return the largest number that can be busy.

        sizes : number of agents of each crew
        """
        return sum(sizes.values()) if sizes else self.agents(sizes)

    def sizes(self, agents: int, others: Iterable[tuple[str, int]] = ()) -> dict[str, int]:
        """Return the number of agents of every crew, by name.

        agents : number of agents of the crew that varies
        others : (name, number of agents) of each further crew that varies. All remaining crews have their declared
            numbers
        """
        return {**self.declared, self.choose(): agents, **dict(others)}
