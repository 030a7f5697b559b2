"""What of a plan an exported application does not do, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from planner.workflow.declaration import Step, Workflow


def left_out(workflow: Workflow, sizes: Mapping[str, int]) -> Iterator[str]:
    """Each as something that is left out; crews of one agent coordinate nothing."""
    for name, crew in workflow.crews.items():
        declared = crew.coordination
        if sizes[name] > 1:
            for what, there in (
                (f"the lockstep of '{name}'", crew.lockstep),
                (f"the stagger of '{name}'", declared.stagger > 0),
                (f"the redundancy of '{name}'", declared.redundancy > 0),
                (f"rework after conflicts in '{name}'", declared.conflict is not None),
            ):
                if there:
                    yield what
    for path, step in workflow.walk():
        fan_out = step.for_each
        if fan_out is None:
            continue
        if fan_out.backlog is not None and any(fan_out.backlog.needs):
            yield f"what rows of '{'.'.join(path)}' need of each other"
        if sum(_takes_agent(inner) for inner in _leaves(step)) > 1:
            yield f"that an item of '{'.'.join(path)}' keeps its agent from step to step"


def _leaves(step: Step) -> Iterator[Step]:
    """What is done in a step, outside of fan-outs within."""
    for inner in step.within.values():
        if inner.for_each is None:
            yield from _leaves(inner) if inner.within else (inner,)


def _takes_agent(step: Step) -> bool:
    return step.kind in ("llm", "agent") or (step.kind == "tool" and step.hold)
