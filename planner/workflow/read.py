"""Reads a workflow file: path in, `Workflow` out, or every problem at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.errors import InputError, Problem, did_you_mean
from planner.reading.validation import validate
from planner.reading.yaml_file import Document, read_yaml
from planner.workflow.checks import check_names
from planner.workflow.declaration import Workflow


def read_workflow(
    path: Path, parameters: Mapping[str, float] | None = None, known_models: Collection[str] = ()
) -> Workflow:
    """The workflow that a file declares.

    parameters : values that replace those of the file
    known_models : profiles that the file need not declare

    Raises InputError with every problem of the file.
    """
    document = read_yaml(path)
    problems = _set(document, parameters or {})
    workflow, mistakes = validate(Workflow, document)
    problems += mistakes
    problems += _new(check_names(document, known_models), mistakes)
    if problems or workflow is None:
        raise InputError(problems)
    return workflow.read_from(document)


def _set(document: Document, parameters: Mapping[str, float]) -> list[Problem]:
    """Give parameters the values asked for; the file must declare them."""
    data: Any = document.data
    declared = data.get("parameters") if isinstance(data, dict) else None
    declared = declared if isinstance(declared, dict) else {}
    problems = []
    for name, value in parameters.items():
        if name in declared:
            declared[name] = int(value) if float(value).is_integer() else value
        else:
            hint = did_you_mean(name, declared) or "the file declares no parameters"
            problems.append(Problem("unknown-parameter", f"--set: unknown parameter '{name}'", None, hint))
    return problems


def _new(found: list[Problem], known: list[Problem]) -> list[Problem]:
    """Leave out what is already reported at the same place, or twice (an alias is read wherever it stands)."""
    places = {problem.position for problem in known if problem.position}
    seen: set[Problem] = set()
    new = []
    for problem in found:
        bare = replace(problem, hint=None)
        if problem.position not in places and bare not in seen:
            new.append(problem)
            seen.add(bare)
    return new
