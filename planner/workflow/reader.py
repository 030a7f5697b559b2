"""A workflow file in, the validated workflow with all used files out, or the problems of all files."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any

from planner.errors import (
    MOST_PROBLEMS,
    InputError,
    Problem,
    did_you_mean,
)
from planner.reading.estimates.context import FileContext, context_of
from planner.reading.files.referenced_file import read_referenced
from planner.reading.files.text_file import read_text
from planner.reading.units import BadValueError
from planner.reading.validation import validate
from planner.reading.yaml.parse import MOST_NODES, parse_yaml
from planner.reading.yaml.source_map import Document
from planner.workflow.backlog import Backlog, Columns, read_backlog
from planner.workflow.bodies import argument_value
from planner.workflow.checks.names import CheckContext, check_names
from planner.workflow.checks.needs import (
    Path,
    as_mapping,
    group_can_fail,
    raw_steps,
)
from planner.workflow.declaration import Workflow
from planner.workflow.inlining import bind_crews, inline, inlining_problems

MOST_DEPTH = 10
"""Most files in a chain. Each file of a chain uses the next file."""

MOST_FILES = 100
"""Most files of one workflow. A file that is used with different parameters counts several times."""

_WORKFLOW_KEYS = ("workflow", "steps")
"""Keys of every workflow. Messages do not quote a file without these keys, because it may contain secrets."""

MOST_STEPS = MOST_NODES
"""Most steps of a workflow. If a file is used several times, its steps count at every use."""


@dataclass
class _ReadFile:
    """Result of reading a workflow file.

    workflow : the workflow; None if there are problems
    problems : problems of the file and of the files that it uses
    more : whether there may be problems that are not in `problems`
    unknown : name of each undeclared parameter that the caller sets → a hint
    can_fail : whether the file has a step that may fail and has no `otherwise`
    depth : number of files in the longest chain that begins with this file; each file of a chain uses the next file
    steps : number of steps, including the steps of used files
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
    """Chain of files from the outermost file to the current file. Each file uses the next file.

    shown : path of each file, as shown in messages
    real : path of each file, with links resolved
    """

    shown: tuple[str, ...] = ()
    real: tuple[str, ...] = ()

    def to(self, shown: str) -> _Files:
        """Return the chain of files with the file `shown` added at its end."""
        return _Files((*self.shown, shown), (*self.real, _real(shown)))


class _Reader:
    """Reader of a workflow and the files that it uses.

    If a file is used several times with the same parameters, it is read once.
    """

    def __init__(self) -> None:
        self.cache: dict[Any, _ReadFile] = {}

    def outermost(self, document: Document, parameters: Mapping[str, float], known_models: frozenset[str]) -> Workflow:
        """Return the workflow of the outermost file.

        Raises `InputError` if there are problems. The error has the problems of all files.
        """
        read = self.read(document, parameters, CheckContext(known_models), _Files().to(document.file))
        unset = [
            Problem("unknown-parameter", f"unknown parameter '{name}'", None, hint, "parameters")
            for name, hint in read.unknown.items()
        ]
        if read.workflow is None or unset:
            raise InputError([*unset, *read.problems], more=read.more)
        return read.workflow

    def read(
        self, document: Document, parameters: Mapping[str, float], inherited: CheckContext, files: _Files
    ) -> _ReadFile:
        """Validate the document of a file, and read the files that it uses.

        inherited : declarations of the files that use this file
        files : chain of files that ends with this file
        """
        read = _ReadFile(unknown=_set_parameters(document, parameters))
        used, use_problems = self.uses(document, inherited, files, read)
        backlogs, backlog_problems = _backlogs(document)
        fails = {path: file.can_fail for path, file in used.items()}
        workflow, shape_problems = validate(Workflow, document, inherited.models)
        name_problems = check_names(document, inherited, {(*path, "use"): can for path, can in fails.items()})
        problems = [*use_problems, *backlog_problems, *document.problems, *shape_problems, *name_problems]
        inner = {path: file.workflow for path, file in used.items() if file.workflow is not None}
        if workflow is not None and not problems and len(inner) == len(used):
            problems += inlining_problems(workflow.read_from(document), inner)
            read.workflow = inline(workflow, inner, backlogs) if not problems else None
        used_problems = [problem for file in used.values() for problem in file.problems]
        read.problems = list(dict.fromkeys([*_distinct(problems, document), *used_problems[:MOST_PROBLEMS]]))
        lists = (document.problems, shape_problems, name_problems, used_problems, use_problems, backlog_problems)
        read.more = read.more or max(map(len, lists)) >= MOST_PROBLEMS
        read.can_fail = group_can_fail(as_mapping(document.data).get("steps"), ("steps",), fails)
        return read

    def uses(
        self, document: Document, inherited: CheckContext, files: _Files, read: _ReadFile
    ) -> tuple[dict[Path, _ReadFile], list[Problem]]:
        """Read the files that the steps of a document use.

        Returns two values:

        - a mapping from the path of each step with `use` to the used file;
        - the problems of all keys `use`.

        read : result of reading the document; this method updates its attributes `steps`, `depth` and `more`
        """
        data = as_mapping(document.data)
        passed_on = replace(
            inherited,
            models=inherited.models.union(as_mapping(data.get("models"))),
            crews=inherited.crews.union(as_mapping(data.get("crews"))),
            file=inherited.file or document.file,
            coordination_model=inherited.coordination_model if inherited.file else "model" in data,
        )
        context = FileContext(**context_of(document, None))
        used: dict[Path, _ReadFile] = {}
        problems: list[Problem] = []
        for path, step, model in raw_steps(data):
            read.steps += 1
            use = step.get("use")
            name, values = (use, {}) if isinstance(use, str) else (as_mapping(use).get("file"), as_mapping(use))
            if not isinstance(name, str) or not name.strip():
                continue
            parameters = _arguments(as_mapping(values.get("parameters")), context)
            place = document.value(*path, "use", "file")
            try:
                step_inherits = replace(passed_on, model=inherited.model or model)
                file = self.use(document, name, parameters, step_inherits, files)
                if read.steps + file.steps > MOST_STEPS:
                    message = f"the workflow has over {MOST_STEPS:,} steps, counting those of '{name}'"
                    raise BadValueError(message, code="too-large")
            except BadValueError as mistake:
                if len(problems) < MOST_PROBLEMS:
                    problems.append(Problem(mistake.code, str(mistake), place, mistake.hint))
                continue
            used[path] = file
            read.steps += file.steps
            read.depth = max(read.depth, file.depth + 1)
            read.more = read.more or file.more
            for unknown, hint in file.unknown.items():
                message = f"unknown parameter '{unknown}' of '{name}'"
                key = document.key(*path, "use", "parameters", unknown)
                problems.append(Problem("unknown-parameter", message, key, hint))
        return used, problems

    def use(
        self, document: Document, name: str, parameters: Mapping[str, float], inherited: CheckContext, files: _Files
    ) -> _ReadFile:
        """Read the file `name`, which a step of the document uses.

        Raises `BadValueError` if the file cannot be used, for example because it is not a workflow.
        """
        path = FilePath(document.file).parent / name
        chain = files.to(str(path))
        if chain.real[-1] in files.real:
            cycle = [FilePath(shown).name for shown in chain.shown[files.real.index(chain.real[-1]) :]]
            if chain.real[-1] == files.real[-1]:
                raise BadValueError("the file uses itself", "remove this 'use'", code="cycle")
            hint = "remove 'use' in one of these files"
            raise BadValueError(f"files use each other: {' → '.join(cycle)}", hint, code="cycle")
        key = (chain.real[-1], tuple(sorted(parameters.items())), inherited)
        cached = self.cache.get(key)
        if len(files.real) + (cached.depth if cached else 1) > MOST_DEPTH:
            hint = "use fewer files with more steps each"
            raise BadValueError(f"over {MOST_DEPTH} files use each other in a chain", hint, code="too-large")
        if cached is not None:
            return cached
        if len(self.cache) >= MOST_FILES - 1:
            hint = "use fewer files with more steps each"
            raise BadValueError(f"the workflow uses over {MOST_FILES} files", hint, code="too-large")
        text = read_referenced(name, path, f"*{path.suffix}", None, "plan a part of it")
        alien = BadValueError(f"'{name}' is not a workflow", "a workflow is YAML with the keys 'workflow' and 'steps'")
        try:
            inner = parse_yaml(text, str(path))
        except InputError as error:
            if not all(re.search(rf"^{word}\s*:", text, re.MULTILINE) for word in _WORKFLOW_KEYS):
                raise alien from None
            read = self.cache[key] = _ReadFile(problems=list(error.problems))
        else:
            if not all(word in as_mapping(inner.data) for word in _WORKFLOW_KEYS):
                raise alien
            read = self.cache[key] = self.read(inner, parameters, inherited, chain)
            if read.workflow is not None:
                read.workflow = bind_crews(read.workflow)
        return read


def _real(shown: str) -> str:
    """Return the path of a file with all links resolved."""
    try:
        return os.path.realpath(shown)
    except (OSError, ValueError):
        return shown  # such a file cannot be opened either


def _set_parameters(document: Document, parameters: Mapping[str, float]) -> dict[str, str]:
    """Set the values of parameters in the document.

    Returns a mapping: name of each parameter that the document does not declare → a hint.
    """
    declared = as_mapping(as_mapping(document.data).get("parameters"))
    unknown = {}
    for name, value in parameters.items():
        if name in declared:
            declared[name] = int(value) if float(value).is_integer() else value
            document.nothing.pop(("parameters", name), None)
        else:
            unknown[name] = did_you_mean(name, declared, "parameter") or "the file declares no parameters"
    return unknown


def _arguments(declared: Mapping[str, Any], context: FileContext) -> dict[str, float]:
    """Return the values that a step with `use` gives to the parameters of the used file.

    Invalid values are left out here. Validation reports them.
    """
    values = {}
    for name, declaration in declared.items():
        try:
            number = argument_value(declaration, context)
        except BadValueError:
            continue
        if number is not None:
            values[name] = number
    return values


def _backlogs(document: Document) -> tuple[dict[Path, Backlog], list[Problem]]:
    """Read the CSV files of all fan-outs in the document.

    Returns two values:

    - a mapping from the path of each fan-out to its backlog;
    - the problems of all these files.
    """
    backlogs: dict[Path, Backlog] = {}
    problems: list[Problem] = []
    cache: dict[Any, tuple[Backlog | None, list[BadValueError]]] = {}
    for path, step, _ in raw_steps(document.data):
        declared = as_mapping(step.get("for_each"))
        name = declared.get("file")
        if (
            not isinstance(name, str) or not name.strip() or "column" in declared
        ):  # with a column, `for_each` is an estimate of the count
            continue
        columns = {key: value for key in ("size", "needs", "id") if isinstance(value := declared.get(key), str)}
        key = (name, *columns.items())
        if key not in cache:
            cache[key] = read_backlog(FilePath(document.file).parent, name, Columns(**columns))
        backlog, mistakes = cache[key]
        if backlog is not None:
            backlogs[path] = backlog
        for mistake in mistakes[: MOST_PROBLEMS - len(problems)]:
            place = document.value(*path, "for_each", *(mistake.at or ("file",)))
            problems.append(Problem(mistake.code, str(mistake), place, mistake.hint))
    return backlogs, problems


def _distinct(problems: Sequence[Problem], document: Document) -> list[Problem]:
    """Return the problems without duplicates.

    A mistake in a YAML anchor is found again at each alias. Only the problem at the anchor is kept.
    """
    positions = defaultdict(list)
    for problem in problems:
        if problem.position:
            positions[problem.code, problem.message].append((problem.position.line, problem.position.column))
    distinct: dict[Problem, None] = {}
    for problem in problems:
        place = (problem.position.line, problem.position.column) if problem.position else None
        span = document.aliases.get(place) if place else None
        if span is None or not any(span[0] <= other < span[1] for other in positions[problem.code, problem.message]):
            distinct[problem] = None
    return list(distinct)


def read_workflow(
    source: FilePath | str,
    parameters: Mapping[str, float] | None = None,
    known_models: Collection[str] = (),
    file: str = "<text>",
) -> Workflow:
    """Read a workflow and the files that it uses.

    The result has the steps, crews and profiles of all files, and the `uncertainty` of the outermost file.

    source : path of a file, or the text of a workflow
    parameters : name → value; these values replace the values in the file
    known_models : names of profiles that are declared elsewhere, for example in the catalogue
    file : path to show in messages if `source` is a text. Paths in the text are relative to the folder of `file`

    Raises `InputError` if there are problems. The error has the problems of all files.
    """
    text, file = (read_text(source), str(source)) if isinstance(source, FilePath) else (source, file)
    return _Reader().outermost(parse_yaml(text, file), parameters or {}, frozenset(known_models))
