"""Names and graph of a workflow file: raw data in, problems out.

These checks read the data as it stands in the file, not the validated declaration, so that one run shows
mistakes of shape and mistakes of meaning together. They skip what has the wrong shape.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from planner.errors import Problem, did_you_mean
from planner.reading.profiles import profile_problem
from planner.reading.yaml_file import Document, KeyPath
from planner.workflow.declaration import BODIES

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check_names(document: Document, known_models: Collection[str]) -> list[Problem]:
    """Every unknown, doubtful or circular name in a workflow file."""
    return list(_Checks(document, known_models).all())


class _Checks:
    def __init__(self, document: Document, known_models: Collection[str]) -> None:
        self.document = document
        data = document.data if isinstance(document.data, dict) else {}
        self.model = data.get("model")
        self.models = _mapping(data.get("models"))
        self.known_models = frozenset(known_models) | set(self.models)
        self.crews = _mapping(data.get("crews"))
        self.parameters = _mapping(data.get("parameters"))
        self.steps = _mapping(data.get("steps"))
        self.empty = data.get("steps") == {}

    def all(self) -> Iterator[Problem]:
        yield from self.declared_names()
        yield from self.profiles()
        yield from self.model_name("model", name=self.model)
        for crew, declared in self.crews.items():
            yield from self.count("crews", crew, "agents", value=_mapping(declared).get("agents"))
        if self.empty:
            yield Problem("step-body", "the workflow has no steps", self.document.key("steps"))
        yield from self.group(("steps",), self.steps, self.model)
        yield from self.coordination_models()

    def declared_names(self) -> Iterator[Problem]:
        for section, names in (("models", self.models), ("crews", self.crews), ("parameters", self.parameters)):
            for name in names:
                good = name.isidentifier() if section == "parameters" else _NAME.fullmatch(name) or section == "models"
                if not good or not name:
                    yield self.bad_name(name, section, name)

    def bad_name(self, name: str, *path: str) -> Problem:
        hint = "start with a letter; then letters, digits, '_' and '-'"
        return Problem("bad-name", f"'{name}' cannot be a name here", self.document.key(*path), hint)

    def profiles(self) -> Iterator[Problem]:
        for name in self.models:
            problem = profile_problem(name, self.models, self.known_models)
            if problem:
                key, message = problem
                unknown = message.startswith("unknown")
                hint = did_you_mean(str(self.models[name]["based_on"]), self.known_models - {name}) if unknown else None
                place = self.document.value("models", name, key) if key else self.document.key("models", name)
                yield Problem("unknown-model" if unknown else "bad-profile", message, place, hint)

    def model_name(self, *path: str, name: Any) -> Iterator[Problem]:
        if isinstance(name, str) and name not in self.known_models:
            hint = did_you_mean(name, self.known_models) or "declare it under 'models:'"
            yield Problem("unknown-model", f"unknown model '{name}'", self.document.value(*path), hint)

    def count(self, *path: str, value: Any) -> Iterator[Problem]:
        """A count may be a parameter, whose value must then be a whole number from 1."""
        if not isinstance(value, str) or not value.isidentifier():
            return
        place = self.document.value(*path)
        if value not in self.parameters:
            hint = did_you_mean(value, self.parameters) or f"declare it: parameters: {{{value}: 10}}"
            yield Problem("unknown-parameter", f"unknown parameter '{value}'", place, hint)
            return
        number = self.parameters[value]
        if isinstance(number, int | float) and not (number >= 1 and float(number).is_integer()):
            yield Problem("bad-value", f"'{value}' is {number:g}, and this needs a whole number from 1", place)

    def group(self, path: KeyPath, steps: Mapping[str, Any], model: Any) -> Iterator[Problem]:
        needs: dict[str, list[str]] = {}
        for name, step in steps.items():
            here = (*path, name)
            if not _NAME.fullmatch(name):
                yield self.bad_name(name, *map(str, here))
            if not isinstance(step, dict):
                continue
            needs[name] = []
            for problem_or_need in self.needs(here, name, step.get("needs"), steps):
                if isinstance(problem_or_need, Problem):
                    yield problem_or_need
                else:
                    needs[name].append(problem_or_need)
            yield from self.step(here, step, model)
        yield from self.cycle(path, needs)

    def needs(self, here: KeyPath, name: str, value: Any, siblings: Mapping[str, Any]) -> Iterator[Problem | str]:
        listed = value if isinstance(value, list) else [value]
        for index, need in enumerate(listed):
            if not isinstance(need, str):
                continue
            place = self.document.value(*here, "needs", index)
            if need == name:
                yield Problem("cycle", f"the step '{name}' needs itself", place)
            elif need in siblings:
                yield need
            else:
                elsewhere = [".".join(other) for other in _paths(self.steps) if other[-1] == need]
                if elsewhere:
                    hint: str | None = (
                        f"a step needs steps beside it; '{elsewhere[0]}' is in another group: need the group"
                    )
                else:
                    hint = did_you_mean(need, set(siblings) - {name})
                yield Problem("unknown-step", f"unknown step '{need}'", place, hint)

    def cycle(self, path: KeyPath, needs: dict[str, list[str]]) -> Iterator[Problem]:
        try:
            TopologicalSorter(needs).prepare()
        except CycleError as error:
            circle = error.args[1][:-1]
            first = min(range(len(circle)), key=lambda index: list(needs).index(circle[index]))
            circle = [*circle[first:], *circle[:first], circle[first]]  # the same message whatever the search order
            place = self.document.value(*path, circle[-2], "needs")
            yield Problem(
                "cycle", "steps wait for each other: " + " → ".join(circle), place, "take one of these needs away"
            )

    def step(self, here: KeyPath, step: dict[str, Any], model: Any) -> Iterator[Problem]:
        crew = step.get("crew")
        if isinstance(crew, str) and crew not in self.crews:
            hint = did_you_mean(crew, self.crews) or f"declare it: crews: {{{crew}: {{agents: 4}}}}"
            yield Problem("unknown-crew", f"unknown crew '{crew}'", self.document.value(*here, "crew"), hint)
        yield from self.count(*map(str, here), "for_each", value=step.get("for_each"))
        yield from self.count(*map(str, here), "repeat", "times", value=_mapping(step.get("repeat")).get("times"))
        yield from self.model_name(*map(str, here), "model", name=step.get("model"))
        model = step.get("model", model)
        requests = [body for body in ("llm", "agent") if body in step]
        if requests and model is None:
            hint = "name one with 'model:' at the top of the file or on the step"
            yield Problem(
                "unknown-model",
                f"the step '{here[-1]}' makes requests, and no model is named",
                self.document.key(*here),
                hint,
            )
        for body in BODIES:
            if step.get("hold") is False and body in step and body != "tool":
                reason = "releases its agent anyway" if body == "human" else "cannot go on without its agent"
                yield Problem(
                    "bad-value",
                    f"'hold: false' is for tools; a step with '{body}' {reason}",
                    self.document.key(*here, "hold"),
                )
        yield from self.group((*here, "steps"), _mapping(step.get("steps")), model)

    def coordination_models(self) -> Iterator[Problem]:
        """Coordination requests run on the workflow's model."""
        for crew, declared in self.crews.items():
            for name, mechanism in _mapping(_mapping(declared).get("coordination")).items():
                asks = isinstance(mechanism, dict) and ("output" in mechanism or "input" in mechanism)
                if asks and self.model is None:
                    place = self.document.key("crews", crew, "coordination", name)
                    yield Problem(
                        "unknown-model",
                        f"'{name}' is a request, and no model is named",
                        place,
                        "name one with 'model:' at the top of the file",
                    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _paths(steps: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, step in steps.items():
        yield (*path, name)
        yield from _paths(_mapping(_mapping(step).get("steps")), (*path, name))
