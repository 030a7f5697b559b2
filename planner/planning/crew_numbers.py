"""The requested numbers of agents of one crew or of several crews, checked, and their combinations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from planner.errors import InputError, Note, Problem, did_you_mean
from planner.expansion.graph.task_graph import DEFAULT_CREW, crew_sizes
from planner.planning.results import Others
from planner.workflow.declaration import Workflow

MOST_COMBINATIONS = 256
"""Most combinations of the numbers of several crews."""


@dataclass(frozen=True)
class CrewNumbers:
    """The requested numbers of agents of the crews that vary.

    crew : name of the first crew; None if no crew is named
    agents : requested numbers of the first crew; None if no numbers are requested
    others : combinations of the requested numbers of the other crews that vary. If no other crew varies: one empty
        combination
    """

    crew: str | None
    agents: tuple[int, ...] | None
    others: tuple[Others, ...] = ((),)

    @classmethod
    def of(
        cls, workflow: Workflow, agents: Sequence[int] | Mapping[str, Sequence[int]] | None, crew: str | None = None
    ) -> CrewNumbers:
        """Return the requested numbers of a workflow's crews. Repeated numbers are left out.

        agents : numbers of the crew `crew`, or a mapping: name of crew → numbers
        crew : name of the crew, unless `agents` is a mapping; None: not named

        Raises InputError if a crew is unknown, or if there are more than `MOST_COMBINATIONS` combinations of numbers.
        """
        if agents is None or not isinstance(agents, Mapping):
            return cls(crew, None if agents is None else tuple(dict.fromkeys(agents)))
        check_names(workflow, agents)
        numbers = {name: tuple(dict.fromkeys(counts)) for name, counts in agents.items()}
        total = prod(map(len, numbers.values()))
        if len(numbers) > 1 and total > MOST_COMBINATIONS:
            message = f"{total:,} combinations of agents; at most {MOST_COMBINATIONS:,} are compared"
            raise InputError([Problem("too-large", message, argument="agents", remedy=Note("fewer-agents-of-crews"))])
        first, *rest = numbers
        others = product(*([(name, count) for count in numbers[name]] for name in rest))
        return cls(first, numbers[first], tuple(others))


def check_names(workflow: Workflow, crews: Iterable[str]) -> None:
    """Raise InputError if any of the named crews is not declared. The error lists all unknown crews."""
    declared = list(crew_sizes(workflow)) or [DEFAULT_CREW]
    problems = [
        Problem("unknown-crew", f"unknown crew '{name}'", None, did_you_mean(name, declared), "crew")
        for name in crews
        if name not in declared
    ]
    if problems:
        raise InputError(problems)
