"""A workflow and a place in its files in; the workflow with a changed value at that place out.

Steps and declarations that do not change are the same objects as before, so that all changed workflows share draws.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from planner.reading.estimates.context import FileContext
from planner.reading.units import BadValueError
from planner.workflow.bodies import argument_value
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True)
class StepPlace:
    """The place of a step in a workflow file. If a file is used several times, all uses of a step have the same place.

    file : path of the file
    names : names that lead from an outermost step of the file to this step
    """

    file: str
    names: tuple[str, ...]


ChangeStep = Callable[[StepPlace, Step], Step]


def each_step(workflow: Workflow, change: ChangeStep) -> Workflow:
    """Return the workflow with `change` applied to all its steps, and to the steps of all files that it uses.

    The steps inside a step change before the step itself.
    """

    def group(steps: Mapping[str, Step], names: tuple[str, ...]) -> Mapping[str, Step]:
        changed = {name: one(step, (*names, name)) for name, step in steps.items()}
        return changed if any(changed[name] is not step for name, step in steps.items()) else steps

    def one(step: Step, names: tuple[str, ...]) -> Step:
        if step.used is not None:
            used = each_step(step.used, change)
            step = step if used is step.used else step.using(used)
        for key, inside in (("steps", step.steps), ("choose", step.choose)):
            steps = group(inside, names) if inside else inside
            step = step if steps is inside else step.model_copy(update={key: steps})
        return change(StepPlace(workflow.file, names), step)

    steps = group(workflow.steps, ())
    return workflow if steps is workflow.steps else workflow.model_copy(update={"steps": steps})


def with_step(workflow: Workflow, place: StepPlace, change: Callable[[Step], Step]) -> Workflow:
    """Return the workflow with a changed step. If its file is used several times, the step changes in every use."""
    return each_step(workflow, lambda other, step: change(step) if other == place else step)


def with_model(workflow: Workflow, name: str, profile: Any) -> Workflow:
    """Return the workflow with `profile` as the declaration of the profile `name`."""
    models: Any = workflow.models  # a catalogue reads its profiles on first use, so they are not copied
    return workflow.model_copy(update={"models": ChainMap({name: profile}, models)})


def own_models(workflow: Workflow) -> Mapping[str, Any]:
    """Return the profiles that the files of a workflow declare. Profiles of the catalogue are left out."""
    models: Any = workflow.models
    return dict(models.maps[0]) if isinstance(models, ChainMap) else workflow.models


def with_parameters(workflow: Workflow, values: Mapping[str, float]) -> Workflow:
    """Return the workflow with other values of its parameters, as with the option `--set`.

    If a parameter is passed on to a used file, the file gets the new value too.
    """
    context = FileContext(parameters=values)

    def group(steps: Mapping[str, Step], path: tuple[str, ...]) -> dict[str, Step]:
        return {name: one(step, (*path, name)) for name, step in steps.items()}

    def one(step: Step, path: tuple[str, ...]) -> Step:
        for key, inside in (("steps", step.steps), ("choose", step.choose)):
            if inside:
                step = step.model_copy(update={key: group(inside, (*path, key))})
        if step.used is None or step.use is None or not step.use.parameters:
            return step
        passed = {
            name: _argument(workflow.written(*path, "use", "parameters", name), context, number)
            for name, number in step.use.parameters.items()
        }
        return step if passed == step.use.parameters else with_arguments(step, passed)

    steps = group(workflow.steps, ("steps",))
    return workflow.model_copy(update={"parameters": dict(values), "steps": steps})


def with_arguments(step: Step, passed: Mapping[str, float]) -> Step:
    """Return a copy of a step with `use`, with new values for some parameters of the used file."""
    assert step.used is not None
    assert step.use is not None
    inner = with_parameters(step.used, {**step.used.parameters, **passed})
    use = step.use.model_copy(update={"parameters": {**step.use.parameters, **passed}})
    return step.model_copy(update={"use": use}).using(inner)


def _argument(written: Any, context: FileContext, before: float) -> float:
    """Compute the value that a step passes to a parameter of a used file. If that fails, return `before`.

    written : the value as written in the file
    before : the previous value
    """
    try:
        number = argument_value(written, context)
    except BadValueError:
        return before
    return before if number is None else number
