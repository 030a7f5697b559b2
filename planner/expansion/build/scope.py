"""The scope of a step: the context in which the step is expanded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from planner.errors import InputError, Position
from planner.expansion.graph.conditions import ChanceHolds, Guard, Loop, Loops, Round
from planner.expansion.graph.work import Briefing
from planner.reading.bind import Model, bind
from planner.reading.estimates.arithmetic import AGENTS
from planner.workflow.declaration import Step

StepPath = tuple[str, ...]
"""Keys in the file that lead to a step: ``steps``, a name, then ``steps``, ``choose`` or ``use``, a name, …"""


@dataclass(frozen=True, eq=False)
class Scope:
    """The context in which a step or a group of steps is expanded.

    path : keys in the file that lead to the step
    pool : pool of the crew to which the step belongs; `NO_POOL`: the step belongs to no crew
    held : whether the item around the step already holds an agent. Then the step must not seize another agent
    model : profile that serves the step's requests
    written_for : model whose tokenizer counted the step's declared tokens
    values : values of the parameters in the step's file
    names : names of the steps on the path, from the outermost step to the step itself
    loops : loops around the step. While the body of the step is expanded, they include the step's own loops
    guard : condition that a sample must meet for the step to run; None: the step always runs
    depth : number of loops around the step, without the step's own loops
    round : condition under which a round of the step takes place; None: the step has no `repeat` with `until`
    briefing : the lead's message to the agent of the item that contains the step; None: there is no such message
    own_tasks : whether each piece of work has its own task, so that a race can cancel it
    locate : function that returns the position of a path in the file
    groups : for each name in `names`, the steps of the group that contains this step
    in_turn : for each group in `groups`, whether one agent does its steps, one after another
    repeats : full name of the innermost step with `repeat`, which may be the step itself; empty: there is none
    """

    path: StepPath
    pool: int
    model: str | None
    written_for: str | None
    values: Mapping[str, float]
    names: tuple[str, ...] = ()
    loops: Loops = ()
    guard: Guard | None = None
    depth: int = 0
    round: Round | None = None
    briefing: Briefing | None = None
    own_tasks: bool = False
    held: bool = False
    locate: Callable[..., Position | None] = lambda *path: None
    groups: tuple[Mapping[str, Step], ...] = ()
    in_turn: tuple[bool, ...] = ()
    repeats: str = ""

    @property
    def name(self) -> str:
        """Full name of the step: the names of all steps on its path, joined by dots."""
        return ".".join(self.names)

    @property
    def siblings(self) -> Mapping[str, Step]:
        """All steps of the step's group."""
        return self.groups[-1]

    def sibling(self, name: str) -> str:
        """Return the full name of the step `name` in the same group."""
        return ".".join((*self.names[:-1], name))

    def inside(self, key: str) -> Scope:
        """Return the `Scope` of the steps inside this step.

        key : key of these steps in the file: ``steps``, ``choose`` or ``use``
        """
        return replace(self, path=(*self.path, key))

    def in_loop(self, loop: Loop) -> Scope:
        return replace(self, loops=(*self.loops, loop))

    def under(self, guard: Guard) -> Scope:
        return replace(self, guard=guard)

    def step(self, name: str, steps: Mapping[str, Step], pool: int | None, in_turn: bool) -> Scope:
        """Return the `Scope` of the step `name` in this group.

        steps : steps of the group
        pool : pool of the crew that the step names; None: the step names no crew
        in_turn : whether the steps of the group run one after another
        """
        step = steps[name]
        scope = replace(
            self,
            path=(*self.path, name),
            names=(*self.names, name),
            pool=self.pool if pool is None else pool,
            model=step.model or self.model,
            depth=len(self.loops),
            round=None,
            groups=(*self.groups, steps),
            in_turn=(*self.in_turn, in_turn),
        )
        if step.chance is None:
            return scope
        return scope.under(ChanceHolds(scope.loops, scope.guard, scope.name, 0.0, step.chance))

    def bind(self, declared: Model, agents: int | None) -> Model:
        """Return a copy of a declaration with parameters, the number of agents and the model filled in.

        Raises `InputError` with the position in the file if a value is invalid.
        """
        try:
            values = self.values if agents is None else {**self.values, AGENTS: agents}
            return bind(declared, values, self.model)
        except InputError as error:
            raise self.located(error) from None

    def located(self, error: InputError) -> InputError:
        """Return a copy of the error in which each problem without a position gets the position of this scope."""
        position = self.locate(*self.path)
        return InputError(replace(problem, position=problem.position or position) for problem in error.problems)
