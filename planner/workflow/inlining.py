"""A workflow and those that it uses in, one workflow out that holds them all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from planner.errors import Problem
from planner.reading.estimates.arithmetic import AGENTS, Formula
from planner.reading.estimates.counts import ComputedCount, count_of
from planner.reading.estimates.estimate import Arithmetic, ByModel, Estimate
from planner.reading.validation import Declared
from planner.workflow.backlog import Backlog
from planner.workflow.checks.needs import Path
from planner.workflow.declaration import Step, Workflow

_Declaration = TypeVar("_Declaration", bound=Declared)


def inlined(workflow: Workflow, used: Mapping[Path, Workflow], backlogs: Mapping[Path, Backlog]) -> Workflow:
    """The workflow with the files that its steps name, and with the crews and profiles of used files after its own.

    used : path of a step with `use` → its workflow, with its crews `bound`
    backlogs : path of a step with a file of items → its rows
    """

    def group(steps: Mapping[str, Step], path: Path) -> dict[str, Step]:
        return {name: step(one, (*path, name)) for name, one in steps.items()}

    def step(old: Step, here: Path) -> Step:
        changes: dict[str, Any] = {}
        for key, inner in (("steps", old.steps), ("choose", old.choose)):
            if inner is not None:
                changes[key] = group(inner, (*here, key))
        if old.for_each is not None and here in backlogs:
            changes["for_each"] = old.for_each.of(backlogs[here])
        new = _changed(old, **changes)
        return new.using(used[here]) if here in used else new

    if not used and not backlogs:
        return workflow
    inner = list(used.values())
    return workflow.model_copy(
        update={
            "steps": group(workflow.steps, ("steps",)),
            "crews": _all([workflow.crews, *(one.crews for one in inner)]),
            "models": _all([workflow.models, *(one.models for one in inner)]),
        }
    )


def bound(workflow: Workflow) -> Workflow:
    """The workflow with crews that name none of its parameters: their values stand in place of the names."""
    crews = {name: _bound(crew, workflow.parameters) for name, crew in workflow.crews.items()}
    return workflow.model_copy(update={"crews": crews})


def _bound(declared: _Declaration, values: Mapping[str, float]) -> _Declaration:
    changes: dict[str, Any] = {}
    for name in type(declared).model_fields:
        value = getattr(declared, name)
        if isinstance(value, Declared):
            changes[name] = _bound(value, values)
        elif isinstance(value, Arithmetic | ByModel):
            changes[name] = _estimate(value, values)
        elif isinstance(value, ComputedCount):
            formula = _formula(value.formula, values)
            computed = replace(value, formula=formula)
            changes[name] = computed if formula.names else computed.value({})
        elif isinstance(value, str) and name in ("agents", "every"):
            changes[name] = count_of(value, values)
    return _changed(declared, **changes)


def _estimate(estimate: Estimate, values: Mapping[str, float]) -> Estimate:
    if isinstance(estimate, Arithmetic):
        return replace(estimate, formulas=tuple(_formula(one, values) for one in estimate.formulas))
    if isinstance(estimate, ByModel):
        return replace(estimate, models=tuple((name, _estimate(one, values)) for name, one in estimate.models))
    return estimate


def _formula(formula: Formula, values: Mapping[str, float]) -> Formula:
    """The formula with numbers for names; the number of agents stays open."""
    plain = formula.plain
    for name in {*formula.names} - {AGENTS}:
        plain = re.sub(rf"\b{name}\b(?!\s*\()", f"({float(values[name])!r})", plain)
    return replace(formula, plain=plain, names=tuple(name for name in formula.names if name == AGENTS))


def joining_problems(workflow: Workflow, used: Mapping[Path, Workflow]) -> Iterator[Problem]:
    """What used workflows declare under one name and not alike, where this one, whose word counts, declares nothing.

    And profiles that they use, and that lack something here.
    """
    for kind, own in (("crew", workflow.crews), ("profile", workflow.models)):
        first: dict[str, tuple[Path, Any]] = {}
        for path, inner in used.items():
            theirs: Mapping[str, Any] = inner.crews if kind == "crew" else inner.models
            for name, declared in theirs.items():
                there, other = first.setdefault(name, (path, declared))
                if name not in own and declared != other:
                    message = f"'{'.'.join(there[1::2])}' and '{'.'.join(path[1::2])}' use different {kind}s '{name}'"
                    hint = f"declare the {kind} in this file: that is then taken for both"
                    yield Problem("bad-value", message, workflow.place(*path, "use", "file"), hint)
    models = _all([workflow.models, *(inner.models for inner in used.values())])
    for path, inner in used.items():
        for name in sorted(_models(inner) & models.keys()):
            chain = [models[name]]
            while chain[-1].based_on in models and len(chain) <= len(models):
                chain.append(models[str(chain[-1].based_on)])
            for key in ("ttft", "output_speed"):
                if chain[-1].based_on is None and all(getattr(one, key) is None for one in chain):
                    message = f"the profile '{name}', which '{inner.workflow}' uses, has no '{key}'"
                    place = workflow.place(*path, "use", "file")
                    yield Problem("bad-profile", message, place, "give it there, or in one that it is based on")


def _models(workflow: Workflow) -> set[str]:
    """The profiles that a workflow names."""
    named = {workflow.model}
    for _, step in workflow.walk():
        named |= {step.model, step.used.model if step.used else None}
    return {name for name in named if name is not None}


def _all(declared: list[dict[str, _Declaration]]) -> dict[str, _Declaration]:
    """Everything under the name that is first in its order."""
    found: dict[str, _Declaration] = {}
    for one in declared:
        for name, value in one.items():
            found.setdefault(name, value)
    return found


def _changed(old: _Declaration, **changes: Any) -> _Declaration:
    """A copy with other values, which keeps what was attached to it; itself, if there are none."""
    return old.model_copy(update=changes) if changes else old
