"""Where a step stands: what is around it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from planner.errors import InputError, Position
from planner.expansion.graph.conditions import ChanceHolds, Guard, Round
from planner.expansion.graph.loops import Loop, Loops
from planner.expansion.graph.work import Briefing
from planner.reading.bind import Model, bind
from planner.workflow.declaration import Step

StepPath = tuple[str, ...]
"""Keys of the file: ``steps``, a name, ``steps``, ``choose`` or ``use``, a name, and so on."""


@dataclass(frozen=True, eq=False)
class Scope:
    """Where a step stands.

    path : of the step, or of the keys that hold the steps of a group
    pool : of the crew around it; −1: the lead, or the default crew
    model : named for it
    written_for : the model in whose tokens its numbers of tokens are
    values : of the parameters of its file
    loops, guard : around it
    depth : how many of the loops are around the step, before its own
    round : of the step itself, if its rounds may be rejected
    briefing : of the item
    apart : everything is a task of its own, because it may be cancelled on its way
    locate : tells where something at a path of the file stands
    siblings : the steps of its group, itself included
    repeats : name of the innermost step around it, or itself, that has rounds
    """

    path: StepPath
    pool: int
    model: str | None
    written_for: str | None
    values: Mapping[str, float]
    loops: Loops = ()
    guard: Guard | None = None
    depth: int = 0
    round: Round | None = None
    briefing: Briefing | None = None
    apart: bool = False
    locate: Callable[..., Position | None] = lambda *path: None
    siblings: Mapping[str, Step] = field(default_factory=dict)
    repeats: str = ""

    @property
    def name(self) -> str:
        """Names of the steps on the path, joined by dots: they stand at every second place."""
        return ".".join(self.path[1::2])

    def inside(self, key: str) -> Scope:
        """Of the steps that stand under a key of this one."""
        return replace(self, path=(*self.path, key))

    def within(self, loop: Loop) -> Scope:
        return replace(self, loops=(*self.loops, loop))

    def only(self, guard: Guard) -> Scope:
        return replace(self, guard=guard)

    def beside(self, name: str) -> str:
        """The name of a step of the same group."""
        return ".".join((*self.path[1:-1:2], name))

    def bound(self, declared: Model, agents: int) -> Model:
        """What is declared, with the values of parameters, `agents` and the model put in."""
        try:
            return bind(declared, {**self.values, "agents": agents}, self.model)
        except InputError as error:
            raise self.placed(error) from None

    def placed(self, error: InputError) -> InputError:
        """A mistake in what is declared here, with its place."""
        position = self.locate(*self.path)
        return InputError(replace(problem, position=problem.position or position) for problem in error.problems)

    def step(self, name: str, steps: Mapping[str, Step], pool: int | None) -> Scope:
        """A step of this group, with what it says of crew, model and chance. `pool`: of the crew it names."""
        step = steps[name]
        here = replace(
            self,
            path=(*self.path, name),
            pool=self.pool if pool is None else pool,
            model=step.model or self.model,
            depth=len(self.loops),
            round=None,
            siblings=steps,
        )
        if step.chance is None:
            return here
        return here.only(ChanceHolds(here.loops, here.guard, here.name, 0.0, step.chance))
