"""Combine a workflow and the workflows that it uses into a single workflow."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from planner.errors import Problem
from planner.reading.estimates.arithmetic import AGENTS, Formula
from planner.reading.estimates.counts import ComputedCount, count_of
from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import Arithmetic, ByModel
from planner.reading.fields import Declared
from planner.workflow.backlog import Backlog
from planner.workflow.checks.needs import Path
from planner.workflow.declaration import Step, Workflow

_Declaration = TypeVar("_Declaration", bound=Declared)


def inline(workflow: Workflow, used: Mapping[Path, Workflow], backlogs: Mapping[Path, Backlog]) -> Workflow:
    """Return a copy of `workflow` that contains all workflows and CSV files to which its steps refer.

    A step contains the workflow that it uses. A fan-out contains the rows of its CSV file. The crews and profiles of
    the used workflows are added, unless `workflow` declares the same name.

    used : path of each step with `use` → the used workflow, as returned by `bind_crews`
    backlogs : path of each fan-out with a file → the rows of that file
    """

    def group(steps: Mapping[str, Step], path: Path) -> dict[str, Step]:
        return {name: attached(step, (*path, name)) for name, step in steps.items()}

    def attached(step: Step, path: Path) -> Step:
        changes: dict[str, Any] = {}
        for key, inner in (("steps", step.steps), ("choose", step.choose)):
            if inner is not None:
                changes[key] = group(inner, (*path, key))
        if step.for_each is not None and path in backlogs:
            changes["for_each"] = step.for_each.over(backlogs[path])
        step = _changed(step, **changes)
        return step.using(used[path]) if path in used else step

    if not used and not backlogs:
        return workflow
    workflows = [workflow, *used.values()]
    return workflow.model_copy(
        update={
            "steps": group(workflow.steps, ("steps",)),
            "crews": _first_declared([other.crews for other in workflows]),
            "models": _first_declared([other.models for other in workflows]),
        }
    )


def bind_crews(workflow: Workflow) -> Workflow:
    """Return the workflow with numbers instead of parameters in its crews.

    The crews can then be used in a workflow with other parameters.
    """
    crews = {name: _bound(crew, workflow.parameters) for name, crew in workflow.crews.items()}
    return workflow.model_copy(update={"crews": crews})


def _bound(declared: _Declaration, parameters: Mapping[str, float]) -> _Declaration:
    changes: dict[str, Any] = {}
    for name in type(declared).model_fields:
        value = getattr(declared, name)
        if isinstance(value, Declared):
            bound = _bound(value, parameters)
            if bound is not value:  # else an undeclared key would become a declared one
                changes[name] = bound
        elif isinstance(value, Arithmetic | ByModel):
            changes[name] = _bound_estimate(value, parameters)
        elif isinstance(value, ComputedCount):
            formula = _bound_formula(value.formula, parameters)
            computed = replace(value, formula=formula)
            changes[name] = computed if formula.names else computed.value({})
        elif isinstance(value, str) and name in ("agents", "every"):
            changes[name] = count_of(value, parameters)
    return _changed(declared, **changes)


def _bound_estimate(estimate: Estimate, parameters: Mapping[str, float]) -> Estimate:
    if isinstance(estimate, Arithmetic):
        return replace(estimate, formulas=tuple(_bound_formula(formula, parameters) for formula in estimate.formulas))
    if isinstance(estimate, ByModel):
        return replace(
            estimate, models=tuple((name, _bound_estimate(inner, parameters)) for name, inner in estimate.models)
        )
    return estimate


def _bound_formula(formula: Formula, parameters: Mapping[str, float]) -> Formula:
    """Return the formula with numbers instead of parameters. The name `agents` remains in the formula."""
    plain = formula.plain
    for name in {*formula.names} - {AGENTS}:
        plain = re.sub(rf"\b{name}\b(?!\s*\()", f"({float(parameters[name])!r})", plain)
    return replace(formula, plain=plain, names=tuple(name for name in formula.names if name == AGENTS))


def inlining_problems(workflow: Workflow, used: Mapping[Path, Workflow]) -> Iterator[Problem]:
    """Yield the reasons why `workflow` cannot be combined with the workflows that it uses.

    There are two possible reasons:

    - Two used workflows declare a crew or profile differently, and `workflow` does not declare it.
    - A used workflow names an incomplete profile.
    """
    yield from _conflicts("crew", workflow, {path: other.crews for path, other in used.items()}, workflow.crews)
    yield from _conflicts("profile", workflow, {path: other.models for path, other in used.items()}, workflow.models)
    models = _first_declared([workflow.models, *(other.models for other in used.values())])
    for path, other in used.items():
        for name in sorted(_models_named(other) & models.keys()):
            chain = [models[name]]
            while chain[-1].based_on in models and len(chain) <= len(models):
                chain.append(models[str(chain[-1].based_on)])
            for key in ("ttft", "output_speed"):
                if chain[-1].based_on is None and all(getattr(profile, key) is None for profile in chain):
                    message = f"the profile '{name}', which '{other.workflow}' uses, has no '{key}'"
                    place = workflow.place(*path, "use", "file")
                    yield Problem(
                        "bad-profile",
                        message,
                        place,
                        f"add '{key}' to that profile, or to the profile that its 'based_on' names",
                    )


def _conflicts(
    kind: str,
    workflow: Workflow,
    declared: Mapping[Path, Mapping[str, Declared]],
    overriding: Mapping[str, Declared],
) -> Iterator[Problem]:
    """Yield a problem for each crew, or for each profile, that two used workflows declare differently.

    A declaration in `workflow` itself replaces those of used workflows. So there is then no problem.

    kind : "crew" or "profile"
    declared : for the path of each step with `use`, the crews or profiles that the used workflow declares, by name
    overriding : the crews or profiles that `workflow` itself declares, by name
    """
    first: dict[str, tuple[Path, Declared]] = {}
    for path, declarations in declared.items():
        for name, declaration in declarations.items():
            first_path, other = first.setdefault(name, (path, declaration))
            if name not in overriding and declaration != other:
                steps = f"'{'.'.join(first_path[1::2])}' and '{'.'.join(path[1::2])}'"
                message = f"the files that {steps} use declare the {kind} '{name}' differently"
                hint = f"declare the {kind} in this file; this declaration then replaces the other two"
                yield Problem("bad-value", message, workflow.place(*path, "use", "file"), hint)


def _models_named(workflow: Workflow) -> set[str]:
    """Return the names of all models in a workflow: its default model and the models of its steps."""
    names = {workflow.model}
    for _, step in workflow.walk():
        names |= {step.model, step.used.model if step.used else None}
    return {name for name in names if name is not None}


def _first_declared(mappings: Sequence[Mapping[str, _Declaration]]) -> dict[str, _Declaration]:
    """Merge mappings from names to declarations. If several mappings have the same key, the first value is kept."""
    merged: dict[str, _Declaration] = {}
    for mapping in mappings:
        for name, declaration in mapping.items():
            merged.setdefault(name, declaration)
    return merged


def _changed(declared: _Declaration, **changes: Any) -> _Declaration:
    """Return a copy of `declared` with changed values. Private attributes are copied too.

    Without changes, `declared` itself is returned.
    """
    return declared.model_copy(update=changes) if changes else declared
