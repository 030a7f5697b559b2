"""A step in; its scopes, its outcome and its work out. All of this is alike inside and outside of held items."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from planner.expansion.build.pools import Crews
from planner.expansion.build.scope import Scope
from planner.expansion.graph.conditions import (
    Attempt,
    ChanceHolds,
    Loop,
    Loops,
    Outcome,
    Round,
    StepFailed,
)
from planner.expansion.graph.fragments import NO_POOL
from planner.expansion.graph.order import (
    Steps,
    between,
    needs,
    sorted_by_name,
    waits_for,
)
from planner.expansion.graph.segments import ItemSegment
from planner.expansion.graph.work import Conversation, Work
from planner.workflow.declaration import Step


class StepBuilder:
    """Builds the scopes, outcomes and work of single steps.

    outcomes : outcome of each expanded step, by the full name of the step
    """

    def __init__(self, crews: Crews) -> None:
        self.crews = crews
        self.outcomes: dict[str, Outcome] = {}

    def enter(self, group: Scope, name: str, steps: Steps, in_turn: bool = False) -> Scope:
        """Return the `Scope` of the step `name` of a group.

        A fallback (`otherwise`) runs only in samples in which the step that names it fails.

        group : scope of the group
        steps : steps of the group
        in_turn : whether the steps of the group run one after another
        """
        crew = steps[name].crew
        scope = group.step(name, steps, self.crews.pool(crew) if crew else None, in_turn)
        failing = next((other for other in steps if steps[other].otherwise == name), None)
        if failing is None:
            return scope
        return scope.under(StepFailed(scope.loops, scope.guard, self.outcomes[scope.sibling(failing)]))

    def in_rounds(self, scope: Scope, step: Step) -> Scope:
        """Return the `Scope` of a step inside the loop of its rounds (`repeat`)."""
        assert step.repeat is not None
        inside = replace(scope.in_loop(Loop(self.crews.count(step.repeat.most, scope))), repeats=scope.name)
        if step.repeat.until is None:
            return inside
        guard = Round(inside.loops, scope.guard, scope.name, step.repeat.until)
        return replace(inside.under(guard), round=guard)

    def in_copies(self, scope: Scope, step: Step) -> Scope:
        """Return the `Scope` of a step inside the loop of its copies. If the step has no copies, return `scope`."""
        count = step.best_of or step.first_of
        if count is None:
            return scope
        race = step.first_of is not None
        together = not any(loop.in_one_array for loop in scope.loops)
        inside = scope.in_loop(Loop(self.crews.count(count, scope), "copies", race=race, together=together))
        return replace(inside, own_tasks=scope.own_tasks or race)

    def branches(self, scope: Scope, step: Step) -> list[tuple[str, Step, Scope]]:
        """Return the name, the step and the scope of each branch of a choice.

        Each branch has an interval of numbers between 0 and 1. Each time the choice is made, a number is drawn. The
        branch whose interval contains the number runs.

        Intervals follow the alphabetical order of the branches. So the order in the file has no effect.
        """
        declared = step.choose or {}
        intervals, low = {}, 0.0
        for name, branch in sorted_by_name(declared).items():
            intervals[name] = low, low + (branch.chance or 0.0)
            low = intervals[name][1]
        branches = []
        steps = self.crews.runtime.ordered(declared)
        for name, branch in steps.items():
            without_chance = {**steps, name: branch.model_copy(update={"chance": None})}
            guard = ChanceHolds(scope.loops, scope.guard, f"{scope.name}/choice", *intervals[name])
            inside = self.enter(scope.inside("choose"), name, without_chance).under(guard)
            branches.append((name, branch, inside))
        return branches

    def finish(self, scope: Scope, step: Step, steps: Steps, attempt: Attempt | None = None) -> None:
        """Record the outcome of a step. Call this method after the body of the step is expanded.

        scope : scope inside the loops of the step
        steps : steps inside the step; empty if there are none
        attempt : condition of the step's attempts; None: the step has no `retry`
        """
        inner = self.unhandled(f"{scope.name}.", steps)
        outcome = Outcome(
            path=scope.name,
            around=scope.loops[: scope.depth],
            own=scope.loops[scope.depth :],
            race=step.first_of is not None,
            guard=scope.guard,
            round=scope.round,
            attempt=attempt,
            success=1.0 if step.success is None else step.success,
            inner=inner,
        )
        self.outcomes[scope.name] = outcome
        if scope.round is not None and (outcome.success < 1 or inner or attempt):
            scope.round.body.append(outcome)

    def unhandled(self, prefix: str, steps: Steps) -> tuple[Outcome, ...]:
        """Return the outcomes of those steps that may fail and have no fallback.

        prefix : start of the full name of each step, for example ``group.``
        """
        outcomes = [self.outcomes[prefix + name] for name, step in steps.items() if step.otherwise is None]
        return tuple(outcome for outcome in outcomes if outcome.possible)

    def attempts(self, scope: Scope, step: Step, pool: int) -> list[ItemSegment]:
        """Return one `ItemSegment` for each attempt at a step. The step must not contain other steps.

        pool : pool of the agent that each segment needs, or `NO_POOL`
        """
        inside, attempt, count = scope, None, 1
        rounds: Loops = ()
        if step.retry is not None:
            count = self.crews.count(step.retry.at_most, scope)
            loop = Loop(count)
            attempt = Attempt((*scope.loops, loop), scope.guard, scope.name, step.retry.chance, step.retry.timeout)
            inside, rounds = scope.in_loop(loop).under(attempt), (loop,)
        work = self.work(inside, step)
        context_switch = step.human is not None and step.human.leaves is not None
        self.finish(scope, step, {}, attempt)
        return [
            ItemSegment(
                pool,
                work,
                inside.guard,
                rounds,
                (number,) if rounds else (),
                own_task=scope.own_tasks or context_switch,
                context_switch=context_switch,
            )
            for number in range(count)
        ]

    def work(self, scope: Scope, step: Step) -> Work:
        body = step.llm or step.agent or step.tool or step.human
        assert body is not None
        requests = step.kind in ("llm", "agent")
        agents = self.crews.agents(scope.pool)
        siblings = scope.siblings.values()
        return Work(
            step=scope.name,
            kind=step.kind,
            body=scope.bind(body, agents),
            model=scope.model if requests else None,
            loops=scope.loops,
            guard=scope.guard,
            reads=scope.briefing if requests else None,
            retry=step.retry and scope.bind(step.retry, agents),
            conversation=_conversation(scope, step),
            continued=any(other.llm is not None and other.llm.continues == scope.names[-1] for other in siblings),
            ratio=self.crews.ratio(scope) if requests else 1.0,
        )

    def held_pool(self, step: Step, scope: Scope) -> int:
        """Return the pool of the agent that a step inside an item needs, or `NO_POOL` if the step needs no agent.

        A step with `hold: false` needs no agent. A person's step needs an agent only if the step names a crew.
        """
        if scope.held or step.hold is False or (step.kind == "human" and step.crew is None):
            return NO_POOL
        return scope.pool


def inner_steps(scope: Scope, step: Step) -> tuple[Scope, Steps] | None:
    """Return the steps inside a step, with their scope. Return None if the step has neither `steps` nor `use`."""
    if step.steps is not None:
        return scope.inside("steps"), step.steps
    if step.used is None:
        return None
    inside = scope.inside("use")
    model, values = step.used.model, step.used.parameters
    inside = replace(inside, model=model or scope.model, written_for=model or scope.written_for, values=values)
    return inside, step.used.steps


def _may_still_run(scope: Scope) -> Iterator[str]:
    """Yield the full names of the steps that may still run when the step of `scope` starts in a round (`repeat`).

    These are the steps inside the same `repeat` that it does not wait for. They are searched in its own group and in
    the groups around it, except in groups whose steps run one after another.
    """
    for depth in reversed(range(len(scope.names))):
        around, name = scope.names[:depth], scope.names[depth]
        if ".".join((*around, name)) == scope.repeats:
            return
        if not scope.in_turn[depth]:
            needed = waits_for(scope.groups[depth], name)
            yield from (".".join((*around, other)) for other in scope.groups[depth] if other not in {*needed, name})


def _conversation(scope: Scope, step: Step) -> Conversation | None:
    """Return the conversation that a step continues (`continues`), or None if the step continues no conversation."""
    continues, name = step.llm.continues if step.llm is not None else None, scope.names[-1]
    if continues is None:
        return None
    if continues == name:
        return Conversation(scope.name, True, ((scope.repeats, ()),), True, tuple(_may_still_run(scope)))
    steps = between(scope.siblings, continues, name)
    needed = needs(scope.siblings)
    inner = (
        (scope.sibling(other), tuple(scope.sibling(need) for need in needed[other] if need in steps)) for other in steps
    )
    return Conversation(scope.sibling(continues), False, tuple(inner), scope.in_turn[-1])
