"""A workflow in; notes on declarations that nothing uses, and on keys of a file without effect, out."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from planner.catalogue.profile import token_ratio
from planner.errors import Note
from planner.planning.notes.crews import unused_crews
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.fields import Declared
from planner.workflow.crews import Coordination, preset_of
from planner.workflow.declaration import Step, Workflow

_TEXTS = frozenset(
    (
        *("workflow", "description", "model", "runtime", "based_on", "note", "provider", "available", "preset", "paid"),
        *("needs", "crew", "otherwise", "continues", "file", "column", "id", "text"),
    )
)
"""Keys with a text or a name of something else than a parameter as their value."""

_WITHOUT_ERROR = ("turns", "calls", "retry")
"""Keys with estimates to which the key `uncertainty` of a file does not apply."""

_NAME = re.compile(r"\b[A-Za-z_]\w*")


def unused_notes(workflow: Workflow, models: Collection[str]) -> tuple[Note, ...]:
    """Return the notes on declarations that nothing uses.

    models : names of the models of simulated requests
    """
    return (
        *unused_crews(workflow),
        *_note("unused-parameter", "parameters", unused_parameters(workflow)),
        *_note("unused-model", "models", unused_models(workflow, models)),
        *(() if _default_model_is_used(workflow) else (Note("unused-default-model", {}),)),
        *(() if _uncertainty_is_used(workflow) else (Note("unused-uncertainty", {}),)),
        *_note("overridden-key", "places", keys_of_used_files(workflow)),
        *_note("default-declared", "places", declared_defaults(workflow)),
    )


def _note(code: str, key: str, values: Iterable[Any]) -> tuple[Note, ...]:
    """Return one note on all of `values`. Return no note if there are none."""
    values = tuple(values)
    return (Note(code, {key: values}),) if values else ()


def unused_parameters(workflow: Workflow) -> Iterator[str]:
    """Yield the parameters that a file declares but does not use.

    The workflow's file is checked, and each file that it uses, directly or indirectly.
    """
    names: dict[str, None] = {}
    for other in _files(workflow):
        used = set(_names(other.written())) if other.parameters else set()
        names |= dict.fromkeys(name for name in other.parameters if other.written() and name not in used)
    yield from sorted(names)


def _names(data: Any, key: str = "") -> Iterator[str]:
    """Search a part of a file for names. Yield the names that may be parameters.

    data : the part, as read from YAML
    key : key of the part; empty for a whole file
    """
    if isinstance(data, dict):
        texts = {"size", *_TEXTS} if "file" in data else _TEXTS
        for name, value in data.items():
            if name not in texts and (key, name) != ("", "parameters"):
                yield from _names(value, str(name) or " ")
    elif isinstance(data, list):
        for value in data:
            yield from _names(value, " ")
    elif isinstance(data, str) and (data.lstrip().startswith("=") or data.isidentifier()):
        yield from _NAME.findall(data)


def unused_models(workflow: Workflow, simulated: Collection[str]) -> Iterator[str]:
    """Yield the declared profiles that no request uses and no key refers to.

    A profile with the same base as a used profile is left out, because `compare` and `tier` may choose it.
    """
    declared: Mapping[str, Any] = workflow.written("models") or {}
    named = {*simulated, workflow.model, workflow.written_for}
    for other in _files(workflow):
        named |= {other.model, *_models_of_estimates([*other.steps.values(), *other.crews.values()])}
    named |= {step.model for _, step in workflow.walk()}
    related = {base for name in named if name is not None for base in _bases(name, workflow)}
    for name in sorted(declared):
        if name in workflow.models and related.isdisjoint(_bases(name, workflow)):
            yield name


def _models_of_estimates(declared: Iterable[Any]) -> Iterator[str]:
    """Search a list of declared values for estimates. Yield the models for which an estimate has a separate value."""
    for value in _values(declared, without=_WITHOUT_ERROR):
        if isinstance(value, ByModel):
            yield from (name for name, _ in value.models)


def _bases(name: str, workflow: Workflow) -> list[str]:
    """Return the name of a profile, and the names of the profiles that it is based on, directly or indirectly."""
    names = [name]
    while names[-1] in workflow.models:
        base = workflow.models[names[-1]].based_on
        if base is None or base in names:
            break
        names.append(base)
    return names


def _default_model_is_used(workflow: Workflow) -> bool:
    """Return false if a file has the key `model`, and the key has no effect. Otherwise return true."""
    name = workflow.written("model")
    coordinating = any(_asks(crew.coordination) for crew in workflow.crews.values())
    if name is None or name not in workflow.models or coordinating or _inherits_model(workflow.steps.values()):
        return True
    others = {step.model or (step.used.model if step.used else None) for _, step in workflow.walk()}
    models = workflow.models
    return any(token_ratio(other, name, models) != 1 for other in others if other is not None and other in models)


def _asks(coordination: Coordination) -> bool:
    """Whether a coordination mechanism makes requests."""
    merge = coordination.merge
    messages = (coordination.ramp_up, coordination.brief, coordination.report, coordination.sync)
    return any(messages) or (merge is not None and merge.asks)


def _inherits_model(steps: Iterable[Step]) -> bool:
    """Whether a request of `steps`, or of a step inside them, takes its model from outside of `steps`."""
    return any(
        step.model is None
        and (step.used is None or step.used.model is None)
        and (step.kind in ("llm", "agent") or _inherits_model(step.within.values()))
        for step in steps
    )


def _uncertainty_is_used(workflow: Workflow) -> bool:
    """Return false if a file has the key `uncertainty`, and the key has no effect. Otherwise return true.

    The key applies only to ranges. So it has an effect if a number of tokens or the time of a tool is a range.
    """
    if "uncertainty" not in workflow.model_fields_set:
        return True
    bodies = [body for _, step in workflow.walk() for body in (step.llm, step.agent, step.tool) if body is not None]
    coordinations = [crew.coordination for crew in workflow.crews.values()]
    values = _values([*bodies, *coordinations], without=_WITHOUT_ERROR)
    return any(isinstance(value, Estimate) and _is_range(value) for value in values)


def _is_range(estimate: Estimate) -> bool:
    if isinstance(estimate, ByModel):
        return any(_is_range(inner) for _, inner in estimate.models)
    return estimate.varies and not (isinstance(estimate, Arithmetic) and len(estimate.formulas) == 1)


def _values(declared: Iterable[Any], without: Collection[str] = ()) -> Iterator[Any]:
    """Yield all values inside declarations, such as the number of output tokens of a request.

    without : keys whose values are left out
    """
    for value in declared:
        if isinstance(value, Declared):
            names = (name for name in type(value).model_fields if name not in without)
            yield from _values((getattr(value, name) for name in names), without)
        elif isinstance(value, dict):
            yield from _values(value.values(), without)
        else:
            yield value


def keys_of_used_files(workflow: Workflow) -> Iterator[Mapping[str, str]]:
    """Yield the keys of used files that the outermost file overrides.

    Each is a dict: ``step`` is the path of the step that uses the file, and ``key`` is the key.
    """
    for path, step in _sorted_steps(workflow):
        used = step.used
        if used is None:
            continue
        for key in ("runtime", "max_concurrency", "uncertainty"):
            if key in used.model_fields_set and getattr(used, key) != getattr(workflow, key):
                yield {"step": ".".join(path), "key": key}
        for section in ("crews", "models"):
            own, outer = getattr(used, section), getattr(workflow, section)
            for name in own:
                if used.written(section, name) is not None and own[name] != outer.get(name):
                    yield {"step": ".".join(path), "key": f"{section}.{name}"}


def declared_defaults(workflow: Workflow) -> Iterator[Mapping[str, str]]:
    """Yield the switches that a file sets to their default value.

    Each is a dict: ``key`` is the switch, ``value`` is the default, and ``step`` is the path of the step or the name of
    the crew. ``step`` is empty for switches of the whole file.
    """
    if workflow.written("runtime") == "dataflow" == workflow.runtime:
        yield {"step": "", "key": "runtime", "value": "dataflow"}
    for name, crew in sorted(workflow.crews.items()):
        written: Mapping[str, Any] = workflow.written("crews", name) or {}
        preset = preset_of(written.get("coordination"))
        if written.get("lockstep") is False and not (preset is not None and preset.lockstep):
            yield {"step": name, "key": "lockstep", "value": "false"}
        if written.get("paid") == crew.paid == "busy":
            yield {"step": name, "key": "paid", "value": "busy"}
    for path, step in _sorted_steps(workflow):
        if step.tool is not None and step.tool.sized is False and "sized" in step.tool.model_fields_set:
            yield {"step": ".".join(path), "key": "sized", "value": "false"}
        if step.hold is True:
            yield {"step": ".".join(path), "key": "hold", "value": "true"}


def _sorted_steps(workflow: Workflow) -> list[tuple[tuple[str, ...], Step]]:
    """Return all steps with their paths, in an order that does not depend on the order of the file."""
    return sorted(workflow.walk(), key=lambda item: item[0])


def _files(workflow: Workflow) -> Iterator[Workflow]:
    """Yield a workflow and all workflows that it uses."""
    yield workflow
    yield from (step.used for _, step in workflow.walk() if step.used is not None)
