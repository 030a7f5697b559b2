"""A step in; the keys that have no effect on it, or on the steps inside it, out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from planner.reading.estimates.estimate import Estimate
from planner.workflow.declaration import Step, Workflow


def group_keys_without_effect(step: Step) -> Iterator[str]:
    """Yield `model` and `size` if a step declares this key without effect.

    The key `model` is checked only if the step contains other steps. The key `size` is checked only for a fan-out.
    """
    if step.within and step.model is not None and not _uses_model(step):
        yield "model"
    if step.for_each is not None and _declares_sizes(step) and not (has_sizes(step) and _scales(step)):
        yield "size"


def has_sizes(step: Step) -> bool:
    """Whether the items of a step have different sizes. Each size is divided by the mean, so equal sizes are all 1."""
    items = step.for_each
    if items is None:
        return False
    return (items.size is not None and items.size.varies) or len(set(_sizes(step))) > 1


def _declares_sizes(step: Step) -> bool:
    items = step.for_each
    return items is not None and (items.size is not None or bool(_sizes(step)))


def _sizes(step: Step) -> Sequence[float]:
    """Return the sizes of a fan-out's items from a CSV file; an empty sequence if there are none."""
    backlog = step.for_each.backlog if step.for_each is not None else None
    return backlog.sizes or () if backlog is not None else ()


def keys_between_turns(step: Step) -> Iterator[str]:
    """Yield `tool` and `compaction` if a step declares them for an agent loop that has only one turn."""
    if step.agent is None or step.agent.turns.varies or step.agent.turns.scale > 1:
        return
    if step.agent.tool is not None:
        yield "tool"
    if step.agent.compaction is not None:
        yield "compaction"


def caches_more_than_input(step: Step) -> bool:
    """Whether a step is a single request with more `cached` tokens than `input` tokens, both plain numbers."""
    request = step.llm
    if request is None or request.continues is not None or request.cached.varies or request.input.varies:
        return False
    return request.cached.scale > request.input.scale


def reads_cached(step: Step) -> bool:
    """Whether a step is a single request that declares tokens which are read from a cache."""
    cached = step.llm.cached if step.llm is not None else None
    return isinstance(cached, Estimate) and (cached.varies or bool(cached.scale))


def _uses_model(step: Step) -> bool:
    """Whether a step, or a step inside it, makes requests to the model that the key `model` of the step names.

    Steps inside that name another model do not count.
    """
    if step.used is not None and step.used.model is not None:
        return False
    inner = step.within.values()
    return step.kind in ("llm", "agent") or any(other.model is None and _uses_model(other) for other in inner)


def _scales(step: Step) -> bool:
    """Whether the size of an item multiplies a quantity of a step, or of a step inside it."""
    if step.tool is not None:
        return step.tool.sized
    return step.kind in ("llm", "agent") or any(map(_scales, step.within.values()))


def crew_keys_without_effect(workflow: Workflow) -> Iterator[tuple[str, str]]:
    """Yield `(crew, key)` for each key `coordination` or `lockstep` that has no effect.

    These keys have an effect only if several agents of the crew hold several items.
    """
    coordinated = {crew for crew in workflow.crews if workflow.count(workflow.crews[crew].agents) > 1}
    coordinated &= set(_crews_of_items(workflow.steps, None, workflow.parameters))
    for name, crew in workflow.crews.items():
        for key in ("coordination", "lockstep"):
            if name not in coordinated and key in crew.model_fields_set and getattr(crew, key):
                yield name, key


def _crews_of_items(steps: Mapping[str, Step], around: str | None, values: Mapping[str, float]) -> Iterator[str]:
    """Yield the crews of those fan-outs with several items in which one agent does all steps of an item.

    around : crew of the step that contains `steps`; None: no crew
    values : values of the parameters of the file that contains `steps`
    """
    for step in steps.values():
        crew = step.crew or around
        if step.for_each is not None and step.is_held(around) and crew is not None:
            count = step.for_each.count
            if (values.get(count) if isinstance(count, str) else count) != 1:
                yield crew
        yield from _crews_of_items(step.within, crew, step.used.parameters if step.used is not None else values)
