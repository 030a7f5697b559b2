"""The files of a workflow: a document in, the workflow with all that it uses out, or every problem of all files."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from planner.errors import (
    MOST,
    InputError,
    Problem,
    did_you_mean,
)
from planner.reading.estimates.context import FileContext, context_of
from planner.reading.files.text_file import named_text, read_text
from planner.reading.units import BadValueError
from planner.reading.validation import validate
from planner.reading.yaml.parse import NODES, parse_yaml
from planner.reading.yaml.source_map import Document
from planner.workflow.backlog import Backlog, Columns, read_backlog
from planner.workflow.bodies import given
from planner.workflow.checks.names import CheckContext, check_names
from planner.workflow.checks.needs import (
    Path,
    as_mapping,
    group_can_fail,
    raw_steps,
)
from planner.workflow.declaration import Workflow
from planner.workflow.inlining import bound, inlined, joining_problems

DEPTH = 10
"""Most files of which each uses the next."""

FILES = 100
"""Most files that are read for one workflow, counting one with other parameters again."""

STEPS = NODES
"""Most steps of a workflow, counting those of a used file wherever it is used."""


@dataclass
class Read:
    """What a file holds.

    workflow : None, if there are problems
    problems : of the file and those that it uses, with their places
    more : there may be more problems than these
    unknown : parameters that were set and that it does not declare → a hint
    can_fail : one of its steps may fail, and nothing is done then
    depth : files of which each uses the next, from this one
    steps : its own, and those of the files that it uses
    """

    workflow: Workflow | None = None
    problems: list[Problem] = field(default_factory=list)
    more: bool = False
    unknown: dict[str, str] = field(default_factory=dict)
    can_fail: bool = True
    depth: int = 1
    steps: int = 0


@dataclass(frozen=True)
class _Files:
    """The files on the way to one, the outermost first: as they are shown, and what identifies them."""

    shown: tuple[str, ...] = ()
    real: tuple[str, ...] = ()

    def to(self, shown: str) -> _Files:
        return _Files((*self.shown, shown), (*self.real, _real(shown)))


class Reader:
    """Reads one workflow; a file that is used twice with the same parameters is read once."""

    def __init__(self) -> None:
        self.found: dict[Any, Read] = {}

    def outermost(self, document: Document, parameters: Mapping[str, float], known_models: frozenset[str]) -> Workflow:
        """The workflow of a document. Raises InputError with every problem."""
        read = self.read(document, parameters, CheckContext(known_models), _Files().to(document.file))
        unset = [
            Problem("unknown-parameter", f"unknown parameter '{name}'", None, hint, "parameters")
            for name, hint in read.unknown.items()
        ]
        if read.workflow is None or unset:
            raise InputError([*unset, *read.problems], more=read.more)
        return read.workflow

    def read(self, document: Document, parameters: Mapping[str, float], around: CheckContext, files: _Files) -> Read:
        """A document that was read before it is validated."""
        read = Read(unknown=_set(document, parameters))
        used, told = self.uses(document, around, files, read)
        backlogs, unreadable = _backlogs(document)
        fails = {path: one.can_fail for path, one in used.items()}
        workflow, mistakes = validate(Workflow, document, around.models)
        names = check_names(document, around, {(*path, "use"): one for path, one in fails.items()})
        problems = [*told, *unreadable, *document.problems, *mistakes, *names]
        inner = {path: one.workflow for path, one in used.items() if one.workflow is not None}
        if workflow is not None and not problems and len(inner) == len(used):
            problems += joining_problems(workflow.read_from(document), inner)
            read.workflow = inlined(workflow, inner, backlogs) if not problems else None
        theirs = [problem for one in used.values() for problem in one.problems]
        read.problems = list(dict.fromkeys([*_distinct(problems, document), *theirs[:MOST]]))
        lists = (document.problems, mistakes, names, theirs, told, unreadable)
        read.more = read.more or max(map(len, lists)) >= MOST
        read.can_fail = group_can_fail(as_mapping(document.data).get("steps"), ("steps",), fails)
        return read

    def uses(
        self, document: Document, around: CheckContext, files: _Files, read: Read
    ) -> tuple[dict[Path, Read], list[Problem]]:
        """The files that steps use, by the path of the step, and what is wrong with how they are named."""
        data = as_mapping(document.data)
        within = replace(
            around,
            models=around.models.union(as_mapping(data.get("models"))),
            crews=around.crews.union(as_mapping(data.get("crews"))),
            file=around.file or document.file,
            requests=around.requests if around.file else "model" in data,
        )
        here = FileContext(**context_of(document, None))
        used: dict[Path, Read] = {}
        problems: list[Problem] = []
        for path, step, model in raw_steps(data):
            read.steps += 1
            use = step.get("use")
            name, values = (use, {}) if isinstance(use, str) else (as_mapping(use).get("file"), as_mapping(use))
            if not isinstance(name, str) or not name.strip():
                continue
            parameters = _numbers(as_mapping(values.get("parameters")), here)
            place = document.value(*path, "use", "file")
            try:
                one = self.use(document, name, parameters, replace(within, model=around.model or model), files)
                if read.steps + one.steps > STEPS:
                    raise BadValueError(
                        f"the workflow has over {STEPS:,} steps with those of '{name}'", code="too-large"
                    )
            except BadValueError as mistake:
                if len(problems) < MOST:
                    problems.append(Problem(mistake.code, str(mistake), place, mistake.hint))
                continue
            used[path] = one
            read.steps += one.steps
            read.depth = max(read.depth, one.depth + 1)
            read.more = read.more or one.more
            for unknown, hint in one.unknown.items():
                message = f"unknown parameter '{unknown}' of '{name}'"
                key = document.key(*path, "use", "parameters", unknown)
                problems.append(Problem("unknown-parameter", message, key, hint))
        return used, problems

    def use(
        self, document: Document, name: str, parameters: Mapping[str, float], around: CheckContext, files: _Files
    ) -> Read:
        """What a step uses. Raises BadValueError where that cannot be read, or leads back to a file on the way."""
        path = FilePath(document.file).parent / name
        way = files.to(str(path))
        if way.real[-1] in files.real:
            circle = [FilePath(one).name for one in way.shown[files.real.index(way.real[-1]) :]]
            hint = "take one of these uses away"
            raise BadValueError(f"files use each other: {' → '.join(circle)}", hint, code="cycle")
        key = (way.real[-1], tuple(sorted(parameters.items())), around)
        known = self.found.get(key)
        if len(files.real) + (known.depth if known else 1) > DEPTH:
            raise BadValueError(f"over {DEPTH} files use one another", "use fewer, of more steps", code="too-large")
        if known is not None:
            return known
        if len(self.found) >= FILES - 1:
            hint = "use fewer, of more steps"
            raise BadValueError(f"the workflow uses over {FILES} files", hint, code="too-large")
        text = named_text(name, path, f"*{path.suffix}", None, "plan a part of it")
        found = self.found[key] = Read()
        try:
            inner = parse_yaml(text, str(path))
        except InputError as error:
            found.problems = list(error.problems)
        else:
            found = self.found[key] = self.read(inner, parameters, around, way)
            if found.workflow is not None:
                found.workflow = bound(found.workflow)
        return found


def _real(shown: str) -> str:
    """What identifies a file, whatever path leads to it."""
    try:
        return os.path.realpath(shown)
    except (OSError, ValueError):
        return shown  # it cannot be opened either


def _set(document: Document, parameters: Mapping[str, float]) -> dict[str, str]:
    """Give parameters the values asked for; returns those that the file does not declare, with a hint."""
    declared = as_mapping(as_mapping(document.data).get("parameters"))
    unknown = {}
    for name, value in parameters.items():
        if name in declared:
            declared[name] = int(value) if float(value).is_integer() else value
            document.nothing.pop(("parameters", name), None)
        else:
            unknown[name] = did_you_mean(name, declared) or "the file declares no parameters"
    return unknown


def _numbers(declared: Mapping[str, Any], around: FileContext) -> dict[str, float]:
    """Values of parameters; those that are no numbers are problems of their own."""
    found = {}
    for name, value in declared.items():
        try:
            number = given(value, around)
        except BadValueError:
            continue
        if number is not None:
            found[name] = number
    return found


def _backlogs(document: Document) -> tuple[dict[Path, Backlog], list[Problem]]:
    """The rows of fan-outs over files, by the path of the step."""
    backlogs: dict[Path, Backlog] = {}
    problems: list[Problem] = []
    known: dict[Any, tuple[Backlog | None, list[BadValueError]]] = {}
    for path, step, _ in raw_steps(document.data):
        declared = as_mapping(step.get("for_each"))
        name = declared.get("file")
        if not isinstance(name, str) or not name.strip() or "column" in declared:  # an estimate of the count
            continue
        given = {key: value for key in ("size", "needs", "id") if isinstance(value := declared.get(key), str)}
        key = (name, *given.items())
        if key not in known:
            known[key] = read_backlog(FilePath(document.file).parent, name, Columns(**given))
        found, mistakes = known[key]
        if found is not None:
            backlogs[path] = found
        for mistake in mistakes[: MOST - len(problems)]:
            place = document.value(*path, "for_each", *(mistake.at or ("file",)))
            problems.append(Problem(mistake.code, str(mistake), place, mistake.hint))
    return backlogs, problems


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


def read_workflow(
    path: FilePath, parameters: Mapping[str, float] | None = None, known_models: Collection[str] = ()
) -> Workflow:
    """The workflow that a file declares, with the crews and profiles of the files that it uses.

    parameters : values that replace those of the file
    known_models : profiles that the file need not declare

    The `uncertainty` of this file holds for all; that of used files is not used.

    Raises InputError with every problem of the file, and of those that it uses.
    """
    return parse_workflow(read_text(path), parameters, known_models, str(path))


def parse_workflow(
    text: str,
    parameters: Mapping[str, float] | None = None,
    known_models: Collection[str] = (),
    file: str = "<text>",
) -> Workflow:
    """The same of the text of `file`; files that it names are looked for in its folder."""
    return Reader().outermost(parse_yaml(text, file), parameters or {}, frozenset(known_models))
