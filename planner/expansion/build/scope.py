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
"""Keys in the file that lead to a step: ``steps``, a name, then ``steps``, ``choose`` or ``use``, a name, …"""


@dataclass(frozen=True, eq=False)
class Scope:
    """Everything around a step, or around the steps of a group, that its expansion depends on.

    path : keys in the file, for the positions of errors
    pool : pool of the crew that does the step; −1: the lead, or the default crew
    model : profile that serves its requests
    written_for : the model whose tokenizer its declared tokens refer to
    values : values of the parameters of its file
    names : names of the steps on the path, from the outermost to the step itself
    loops, guard : loops and condition around the step
    depth : number of loops around the step, without its own loops
    round : condition of the step's own rounds; None: no round can be rejected
    briefing : briefing of its item; None: there is none
    own_tasks : whether works must not share tasks, because a race may cancel them midway
    locate : function that returns the position of a path in the file
    siblings : steps of its group, including the step itself
    repeats : full name of the step whose `repeat` is the innermost around the step; it may be the step itself
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
        """Full name of the step `name` of the same group."""
        return ".".join((*self.names[:-1], name))

    def inside(self, key: str) -> Scope:
        """Return the scope of the steps under `key` in this step: ``steps``, ``choose`` or ``use``."""
        return replace(self, path=(*self.path, key))

    def in_loop(self, loop: Loop) -> Scope:
        return replace(self, loops=(*self.loops, loop))

    def under(self, guard: Guard) -> Scope:
        return replace(self, guard=guard)

    def step(self, name: str, steps: Mapping[str, Step], pool: int | None) -> Scope:
        """Return the scope of the step `name` of this group.

        steps : steps of the group
        pool : pool of the crew that the step names; None: the step names no crew
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
            siblings=steps,
        )
        if step.chance is None:
            return scope
        return scope.under(ChanceHolds(scope.loops, scope.guard, scope.name, 0.0, step.chance))

    def bind(self, declared: Model, agents: int) -> Model:
        """Return a declaration with the values of parameters, the number of agents and the model filled in.

        Raises InputError with a position.
        """
        try:
            return bind(declared, {**self.values, "agents": agents}, self.model)
        except InputError as error:
            raise self.located(error) from None

    def located(self, error: InputError) -> InputError:
        """Return the error with the position of this scope added to each problem that has no position."""
        position = self.locate(*self.path)
        return InputError(replace(problem, position=problem.position or position) for problem in error.problems)
