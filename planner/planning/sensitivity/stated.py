"""A workflow in; all numbers that its files state, each with the changed workflow in which it is off, out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from planner.planning.sensitivity import off
from planner.planning.sensitivity.edits import (
    StepPlace,
    each_step,
    own_models,
    with_arguments,
    with_model,
    with_parameters,
    with_step,
)
from planner.planning.sensitivity.leaves import Leaf, Measure, in_estimates, leaves, of_profile, percent, replaced
from planner.reading.units import is_number
from planner.workflow.declaration import Step, Workflow


@dataclass(frozen=True)
class NumberOfFile:
    """A number as a workflow file states it.

    step : path of a step, or name of a crew, a model or a parameter; empty for `uncertainty`
    kind : kind of the step, or ``crew``, ``model``, ``parameter`` or ``uncertainty``
    key : key of the number, such as `time` or `tool.result`
    estimate : the number as written in the file
    measure : how a factor changes the number: it multiplies the number, its odds or its spread; counts are rounded
    decided : whether the number is counted or decided before the run; False: the number is an estimate
    """

    step: str
    kind: str
    key: str
    estimate: str
    measure: Measure
    decided: bool


@dataclass(frozen=True, eq=False)
class StatedNumber(NumberOfFile):
    """A number of a workflow file, and how to change it.

    changed : function from a factor to the workflow in which the number is off by that factor
    value : function from a factor to the changed number; None unless the number is a plain chance or count
    """

    changed: Callable[[float], Workflow]
    value: Callable[[float], float] | None = None


def stated_numbers(workflow: Workflow, models: Iterable[str]) -> list[StatedNumber]:
    """Return all numbers that the files of a workflow state.

    If several steps use one file, each number of that file is returned once.

    models : names of the profiles that the workflow uses
    """
    return [
        *_of_parameters(workflow),
        *_of_steps(workflow),
        *_of_crews(workflow),
        *_of_models(workflow, models),
        *_of_uncertainty(workflow),
    ]


def _number(leaf: Leaf, step: str, kind: str, key: str, changed: Callable[[float], Workflow]) -> StatedNumber:
    return StatedNumber(step, kind, key, leaf.text, leaf.measure, leaf.decided, changed, leaf.value)


def _of_steps(workflow: Workflow) -> Iterator[StatedNumber]:
    seen: set[StepPlace] = set()

    def group(
        owner: Workflow, steps: Mapping[str, Step], around: StepPlace, path: str, keys: tuple[str, ...]
    ) -> Iterator[StatedNumber]:
        for name, step in steps.items():
            place, shown = StepPlace(owner.file, (*around.names, name)), f"{path}.{name}" if path else name
            if place not in seen:
                seen.add(place)
                yield from _of_step(workflow, place, step, shown, keys[-1] == "choose")
                yield from _of_arguments(workflow, place, step, shown, owner.written(*keys, name, "use", "parameters"))
            if step.used is None:
                inner = "steps" if step.choose is None else "choose"
                yield from group(owner, step.within, place, shown, (*keys, name, inner))
                continue
            if StepPlace(step.used.file, ()) not in seen:
                seen.add(StepPlace(step.used.file, ()))
                yield from _of_used_file(workflow, step.used, shown)
            yield from group(step.used, step.used.steps, StepPlace(step.used.file, ()), shown, ("steps",))

    return group(workflow, workflow.steps, StepPlace(workflow.file, ()), "", ("steps",))


def _of_step(workflow: Workflow, place: StepPlace, step: Step, path: str, is_branch: bool) -> Iterator[StatedNumber]:
    for leaf in leaves(step):
        if not (is_branch and leaf.at == ("chance",)):  # the chance of a branch is a number of the choice
            key = ".".join(leaf.written_at).removeprefix(f"{step.kind}.")
            yield _number(leaf, path, step.kind, key, partial(_with_leaf, workflow, place, leaf))
    chances = {name: branch.chance or 0.0 for name, branch in (step.choose or {}).items()}
    for name, chance in chances.items():
        leaf = Leaf(("chance",), percent(chance), "odds", False, off.odds_times, partial(off.odds_times, chance))
        changed = partial(_with_branch, workflow, place, chances, name)
        yield _number(leaf, f"{path}.{name}", "choose", "chance", changed)


def _with_leaf(workflow: Workflow, place: StepPlace, leaf: Leaf, factor: float) -> Workflow:
    return with_step(workflow, place, lambda step: replaced(step, leaf.at, lambda old: leaf.change(old, factor)))


def _with_branch(
    workflow: Workflow, place: StepPlace, chances: Mapping[str, float], name: str, factor: float
) -> Workflow:
    changed = off.choice_odds_times(chances, name, factor)

    def change(step: Step) -> Step:
        branches = (step.choose or {}).items()
        choose = {other: branch.model_copy(update={"chance": changed[other]}) for other, branch in branches}
        return step.model_copy(update={"choose": choose})

    return with_step(workflow, place, change)


def _of_arguments(
    workflow: Workflow, place: StepPlace, step: Step, path: str, written: object
) -> Iterator[StatedNumber]:
    """Yield the plain numbers that a step passes to the parameters of a used file.

    written : the parameters of the key `use`, as they are written in the file
    """
    if step.used is None or step.use is None or not isinstance(written, dict):
        return
    for name, number in step.use.parameters.items():
        if number and is_number(written.get(name)):
            leaf = _parameter(step.used, name, number)
            yield _number(leaf, path, "use", f"parameters.{name}", partial(_with_argument, workflow, place, leaf))


def _with_argument(workflow: Workflow, place: StepPlace, leaf: Leaf, factor: float) -> Workflow:
    def change(step: Step) -> Step:
        assert step.use is not None
        (name,) = leaf.at
        return with_arguments(step, {name: leaf.change(step.use.parameters[name], factor)})

    return with_step(workflow, place, change)


# Parameters


def _of_parameters(workflow: Workflow) -> Iterator[StatedNumber]:
    """Yield the parameters of the outermost file."""
    for name, number in workflow.parameters.items():
        if number:
            leaf = _parameter(workflow, name, number)
            yield _number(leaf, name, "parameter", name, partial(_with_parameter, workflow, name, leaf))


def _with_parameter(workflow: Workflow, name: str, leaf: Leaf, factor: float) -> Workflow:
    return with_parameters(workflow, {**workflow.parameters, name: leaf.change(workflow.parameters[name], factor)})


def _of_used_file(workflow: Workflow, used: Workflow, path: str) -> Iterator[StatedNumber]:
    """Yield the default values of a used file's parameters. A value that every use of the file replaces is left out."""
    places: dict[tuple[str, bool], list[StepPlace]] = {}

    def collect(place: StepPlace, step: Step) -> Step:
        if step.used is not None and step.used.file == used.file and step.use is not None:
            for name in used.parameters:
                places.setdefault((name, name in step.use.parameters), []).append(place)
        return step

    each_step(workflow, collect)
    for name, number in used.parameters.items():
        if number and (name, False) in places:
            leaf = _parameter(used, name, number)
            yield _number(leaf, path, "parameter", name, partial(_with_default, workflow, used.file, name, leaf))


def _with_default(workflow: Workflow, file: str, name: str, leaf: Leaf, factor: float) -> Workflow:
    def change(place: StepPlace, step: Step) -> Step:
        if step.used is None or step.use is None or step.used.file != file or name in step.use.parameters:
            return step
        return with_arguments(step, {name: leaf.change(step.used.parameters[name], factor)})

    return each_step(workflow, change)


def _parameter(workflow: Workflow, name: str, number: float) -> Leaf:
    """Return a parameter as a `Leaf`. Changes of a whole number are rounded, because it may be a count."""
    if not float(number).is_integer():
        return Leaf((name,), f"{number:g}", "factor", False, lambda old, factor: old * factor)
    decided = not in_estimates(workflow, name)
    return Leaf(
        (name,), f"{number:,.15g}", "count", decided, off.count_times, partial(off.count_times, int(number))
    )  # fmt: skip


# Crews, models and layers of uncertainty


def _of_crews(workflow: Workflow) -> Iterator[StatedNumber]:
    for name, crew in workflow.crews.items():
        for leaf in leaves(crew.coordination):
            yield _number(leaf, name, "crew", ".".join(leaf.at), partial(_with_coordination, workflow, name, leaf))


def _with_coordination(workflow: Workflow, name: str, leaf: Leaf, factor: float) -> Workflow:
    crew = replaced(workflow.crews[name], ("coordination", *leaf.at), lambda old: leaf.change(old, factor))
    return workflow.model_copy(update={"crews": {**workflow.crews, name: crew}})


def _of_models(workflow: Workflow, models: Iterable[str]) -> Iterator[StatedNumber]:
    """Yield estimates of the profiles that the workflow uses. For a catalogue profile, yield only `output_speed`."""
    own, chain = own_models(workflow), list(dict.fromkeys(models))
    for name in chain:
        profile = workflow.models[name]
        inherits = name in own or profile.output_speed is None
        if profile.based_on is not None and profile.based_on not in chain and inherits:
            chain.append(profile.based_on)
        for leaf in of_profile(profile):
            if name in own or leaf.at == ("output_speed",):
                yield _number(leaf, name, "model", leaf.at[0], partial(_with_profile, workflow, name, leaf))


def _with_profile(workflow: Workflow, name: str, leaf: Leaf, factor: float) -> Workflow:
    profile = replaced(workflow.models[name], leaf.at, lambda old: leaf.change(old, factor))
    return with_model(workflow, name, profile)


def _of_uncertainty(workflow: Workflow) -> Iterator[StatedNumber]:
    for key in ("per_step", "overall"):
        widening = getattr(workflow.uncertainty, key)
        if widening != 1:
            leaf = Leaf(("uncertainty", key), f"{widening:g}x", "spread", False, pow)
            yield _number(leaf, "", "uncertainty", key, partial(_with_uncertainty, workflow, leaf))


def _with_uncertainty(workflow: Workflow, leaf: Leaf, factor: float) -> Workflow:
    return replaced(workflow, leaf.at, lambda old: leaf.change(old, factor))
