"""Reads a workflow file: path in, `Workflow` out, or every problem at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from planner.errors import MOST, InputError, Problem, did_you_mean
from planner.reading.document import Document
from planner.reading.validation import validate
from planner.reading.yaml_file import read_yaml
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
    settings = _set(document, parameters or {})
    workflow, mistakes = validate(Workflow, document)
    names = check_names(document, known_models)
    problems = [*settings, *document.problems, *mistakes, *names]
    if problems or workflow is None:
        raise InputError(
            _distinct(problems, document), more=max(map(len, (document.problems, mistakes, names))) >= MOST
        )
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
            document.nothing.pop(("parameters", name), None)
        else:
            hint = did_you_mean(name, declared) or "the file declares no parameters"
            problems.append(Problem("unknown-parameter", f"--set: unknown parameter '{name}'", None, hint))
    return problems


def _distinct(problems: Sequence[Problem], document: Document) -> list[Problem]:
    """Leave out what is said twice: a mistake in what an alias stands for shows wherever the alias stands."""
    same = defaultdict(list)
    for problem in problems:
        if problem.position:
            same[problem.code, problem.message].append((problem.position.line, problem.position.column))
    distinct: dict[Problem, None] = {}
    for problem in problems:
        place = (problem.position.line, problem.position.column) if problem.position else None
        span = document.aliases.get(place) if place else None
        if span is None or not any(span[0] <= other < span[1] for other in same[problem.code, problem.message]):
            distinct[problem] = None
    return list(distinct)
