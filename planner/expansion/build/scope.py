"""The scope of a step: everything around it that its expansion depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from planner.errors import InputError, Position
from planner.expansion.graph.conditions import ChanceHolds, Guard, Loop, Loops, Round
from planner.expansion.graph.work import Briefing
from planner.reading.bind import Model, bind
from planner.workflow.declaration import Step

StepPath = tuple[str, ...]
"""Keys of the file: ``steps``, a name, ``steps``, ``choose`` or ``use``, a name, and so on."""


@dataclass(frozen=True, eq=False)
class Scope:
    """Everything around a step, or around the steps of a group, that its expansion depends on.

    path : keys of the file, for the positions of errors
    pool : of the crew that does it; −1: the lead, or the default crew
    model : profile of its requests
    written_for : the model whose tokenizer its declared tokens refer to
    values : of the parameters of its file
    names : of the steps on the path, from the outside in
    loops, guard : around it
    depth : number of loops around the step, without its own
    round : condition of the step's own rounds, if they may be rejected
    briefing : of its item
    own_tasks : work shares no tasks, because a race may cancel it midway
    locate : position of a path in the file
    siblings : steps of its group, itself included
    repeats : name of the innermost step with rounds, itself included
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
    locate: Callable[..., Position | None] = lambda *path: None
    siblings: Mapping[str, Step] = field(default_factory=dict)
    repeats: str = ""

    @property
    def name(self) -> str:
        """Names of the steps on the path, joined by dots."""
        return ".".join(self.names)

    def sibling(self, name: str) -> str:
        """The full name of a step of the same group."""
        return ".".join((*self.names[:-1], name))

    def inside(self, key: str) -> Scope:
        """The scope of the steps under a key of this step."""
        return replace(self, path=(*self.path, key))

    def in_loop(self, loop: Loop) -> Scope:
        return replace(self, loops=(*self.loops, loop))

    def under(self, guard: Guard) -> Scope:
        return replace(self, guard=guard)

    def step(self, name: str, steps: Mapping[str, Step], pool: int | None) -> Scope:
        """The scope of a step of this group. `pool`: of the crew that the step names; None: it names none."""
        step = steps[name]
        scope = replace(
            self,
            path=(*self.path, name),
            names=(*self.names, name),
            pool=self.pool if pool is None else pool,
            model=step.model or self.model,
            depth=len(self.loops),
            round=None,
            siblings=steps,
        )
        if step.chance is None:
            return scope
        return scope.under(ChanceHolds(scope.loops, scope.guard, scope.name, 0.0, step.chance))

    def bind(self, declared: Model, agents: int) -> Model:
        """A declaration with the values of parameters, the number of agents and the model filled in.

        Raises InputError with a position.
        """
        try:
            return bind(declared, {**self.values, "agents": agents}, self.model)
        except InputError as error:
            raise self.located(error) from None

    def located(self, error: InputError) -> InputError:
        """The error with the position of this scope wherever a problem has none."""
        position = self.locate(*self.path)
        return InputError(replace(problem, position=problem.position or position) for problem in error.problems)
