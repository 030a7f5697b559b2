"""Names and graph of a workflow file: raw data in, problems out.

These checks read the data as it stands in the file, not the validated declaration, so that one run shows
mistakes of shape and mistakes of meaning together. They skip what has the wrong shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from planner.errors import (
    MOST,
    Note,
    Problem,
    did_you_mean,
    model_hint,
    nearest,
)
from planner.reading.profiles import profile_problems
from planner.reading.units import BadValueError, count, whole
from planner.reading.validation import MOST_AGENTS, MOST_ITEMS
from planner.reading.yaml.parse import resolve
from planner.reading.yaml.source_map import Document
from planner.workflow.checks.modifiers import continues_problems, modifier_problems
from planner.workflow.checks.needs import Group, Path, need_problems, raw_steps
from planner.workflow.checks.needs import as_mapping as _mapping
from planner.workflow.crews import filled
from planner.workflow.declaration import BODIES, Step

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = {"lead": "the lead of all crews", "agents": "the crew of a workflow that declares none"}
"""Names of crews that are always there."""
_STEPS = f"as in steps: {{plan: {Step.example}}}"
_BRANCHES = "as in choose: {easy: {chance: 70%, tool: 5s}, hard: {chance: 30%, human: 5min}}"
_NO_MODEL = "name one with 'model:' at the top of the file"


@dataclass(frozen=True)
class CheckContext:
    """What a file need not declare, because files that use it do.

    models, crews : names
    model : whether a model is named for its steps
    file : the outermost one; None: this one is
    requests : whether that one names a model, for requests of coordination
    """

    models: frozenset[str] = frozenset()
    crews: frozenset[str] = frozenset()
    model: bool = False
    file: str | None = None
    requests: bool = False


def check_names(document: Document, around: CheckContext, used: Mapping[Path, bool]) -> list[Problem]:
    """Unknown, doubtful or circular names in a workflow file: all, or the first `MOST`.

    used : for a step with `use` at a path, whether something in that file may fail; left out where that is unknown
    """
    return list(islice(_Checks(document, around, used).all(), MOST))


class _Checks:
    def __init__(self, document: Document, around: CheckContext, used: Mapping[Path, bool]) -> None:
        self.document = document
        self.around = around
        self.used = used
        self.data = _mapping(document.data)
        self.model = self.data.get("model")
        self.models = _mapping(self.data.get("models"))
        self.known_models = around.models | set(self.models)
        self.crews = _mapping(self.data.get("crews"))
        self.known_crews = around.crews | set(self.crews)
        self.parameters = _mapping(self.data.get("parameters"))
        self.steps = _mapping(self.data.get("steps"))

    def all(self) -> Iterator[Problem]:
        yield from self.declared_names()
        if self.told("models"):
            used = {str(self.model), *(str(step.get("model")) for _, step, _ in raw_steps(self.data))}
            yield from profile_problems(self.document, self.models, self.known_models, used)
        yield from self.model_name("model", name=self.model)
        yield from self.count("max_concurrency", value=self.data.get("max_concurrency"))
        for crew, declared in self.crews.items():
            agents = _mapping(declared).get("agents")
            yield from self.count("crews", crew, "agents", value=agents, most=MOST_AGENTS)
            sync = _mapping(_mapping(_mapping(declared).get("coordination")).get("sync"))
            yield from self.count("crews", crew, "coordination", "sync", "every", value=sync.get("every"))
        if self.data.get("steps") == {}:
            yield Problem("step-body", "the workflow has no steps", self.document.key("steps"), _STEPS)
        yield from self.group(("steps",), self.steps, self.around.model or "model" in self.data, rounds=False)
        yield from self.coordination_models()

    def told(self, section: str) -> bool:
        """Whether the names of a section can be known: it is left out, or has the right shape."""
        return isinstance(self.data.get(section, {}), dict)

    def declared_names(self) -> Iterator[Problem]:
        for name in self.parameters:
            yield from self.name(_PARAMETER, name, "parameters")
        for name in self.crews:
            yield from self.name(_NAME, name, "crews")
            if name in _TAKEN:
                message = f"'{name}' cannot be the name of a crew: it is {_TAKEN[name]}"
                yield Problem("bad-name", message, self.document.key("crews", name), "choose another name")

    def name(self, pattern: re.Pattern[str], name: str, *path: str) -> Iterator[Problem]:
        """Names are of letters and digits, so that messages, commands and arithmetic can hold them."""
        if name.startswith("\0"):
            return  # made up where no text is
        if not pattern.fullmatch(name):
            others = "digits and '_'" if pattern is _PARAMETER else "digits, '_' and '-'"
            hint: str | None = f"begin with a letter from a to z; then letters, {others}"
        elif not isinstance(resolve(name), str):
            hint = f"choose another name: as a value YAML reads {name} as something else than text"
        else:
            return
        yield Problem("bad-name", f"'{name}' cannot be a name here", self.document.key(*path, name), hint)

    def model_name(self, *path: str, name: Any) -> Iterator[Problem]:
        if isinstance(name, str) and name not in self.known_models and self.told("models"):
            hint = model_hint(name, self.known_models) if self.known_models else "declare it under 'models:'"
            yield Problem("unknown-model", f"unknown model '{name}'", self.document.value(*path), hint)

    def count(self, *path: str, value: Any, most: int = MOST_ITEMS) -> Iterator[Problem]:
        """A count may be a parameter, whose value must then be a whole number from 1."""
        if not isinstance(value, str) or not value.isidentifier() or not self.told("parameters"):
            return
        place = self.document.value(*path)
        if value not in self.parameters:
            hint = did_you_mean(value, self.parameters) or f"declare it: parameters: {{{value}: 10}}"
            yield Problem("unknown-parameter", f"unknown parameter '{value}'", place, hint)
            return
        try:
            number = count(self.parameters[value])
        except BadValueError:
            return  # a problem of its own
        try:
            whole(number, most)
        except BadValueError as mistake:
            message = f"the parameter '{value}' is {number:.15g}, and as a count it {mistake}"
            if self.around.file:
                yield Problem("bad-value", message, place, "give it another value, here or where the file is used")
            else:
                yield Problem("bad-value", message, place, remedy=Note("set-parameter", {"name": value, "value": 10}))

    def group(self, path: Path, steps: Mapping[str, Any], model: bool, rounds: bool) -> Iterator[Problem]:
        """All of a group.

        model : whether one is named for it
        rounds : whether it is repeated, within the item around it
        """
        group = Group(self.document, path, steps, self.steps)
        yield from need_problems(group)
        yield from continues_problems(group, rounds)
        for name, step in steps.items():
            yield from self.name(_NAME, name, *path)
            if isinstance(step, dict):
                yield from self.step((*path, name), step, model, rounds)

    def step(self, here: Path, step: dict[str, Any], model: bool, rounds: bool) -> Iterator[Problem]:
        yield from self.body(here, step)
        yield from modifier_problems(self.document, here, step, self.used)
        crew = step.get("crew")
        if isinstance(crew, str) and crew not in self.known_crews and self.told("crews"):
            hint = did_you_mean(crew, self.known_crews) or f"declare it: crews: {{{crew}: {{agents: 4}}}}"
            yield Problem("unknown-crew", f"unknown crew '{crew}'", self.document.value(*here, "crew"), hint)
        items = step.get("for_each")
        if isinstance(items, dict):
            yield from self.count(*here, "for_each", "count", value=items.get("count"))
        else:
            yield from self.count(*here, "for_each", value=items)
        for limit in ("times", "at_most"):
            yield from self.count(*here, "repeat", limit, value=_mapping(step.get("repeat")).get(limit))
        for copies in ("best_of", "first_of"):
            yield from self.count(*here, copies, value=step.get(copies))
        yield from self.count(*here, "retry", "at_most", value=_mapping(step.get("retry")).get("at_most"))
        yield from self.model_name(*here, "model", name=step.get("model"))
        model = model or "model" in step
        if not model and ("llm" in step or "agent" in step):
            message = f"the step '{here[-1]}' makes requests, and no model is named"
            yield Problem("unknown-model", message, self.document.key(*here), f"{_NO_MODEL} or on the step")
        rounds = "repeat" in step or (rounds and "for_each" not in step)
        yield from self.group((*here, "steps"), _mapping(step.get("steps")), model, rounds)
        branches = _mapping(step.get("choose"))
        for name, branch in branches.items():
            if "needs" in _mapping(branch):
                message = f"'{name}' is a branch: one of them runs, and none after another"
                place = self.document.key(*here, "choose", name, "needs")
                yield Problem("bad-value", message, place, "let the choice need it")
        without = {
            name: {key: value for key, value in _mapping(branch).items() if key != "needs"}
            for name, branch in branches.items()
        }
        yield from self.group((*here, "choose"), without, model, rounds)

    def body(self, here: Path, step: dict[str, Any]) -> Iterator[Problem]:
        """A step does exactly one thing."""
        bodies = [body for body in BODIES if body in step]
        place = self.document.key(*here)
        if len(bodies) > 1:
            message = f"a step does one thing, and this one has {', '.join(bodies[:-1])} and {bodies[-1]}"
            yield Problem("step-body", message, place, "make a step of each, or put them into 'steps:' of a group")
        misspelt = (nearest(key, Step.model_fields) for key in step.keys() - Step.model_fields.keys())
        if not bodies and not any(near in BODIES for near in misspelt) and here not in self.document.unreadable:
            hint = f"give it one of {', '.join(BODIES)}, as in {here[-1]}: {Step.example}"
            yield Problem("step-body", "the step does nothing", place, hint)
        if step.get("steps") == {}:
            yield Problem("step-body", "the group has no steps", self.document.key(*here, "steps"), _STEPS)
        if step.get("choose") == {}:
            yield Problem("step-body", "the choice has no branches", self.document.key(*here, "choose"), _BRANCHES)
        for body in bodies:
            if step.get("hold") is False and body != "tool":
                reason = "releases its agent anyway" if body == "human" else "cannot go on without its agent"
                message = f"'hold: false' is for tools; a step with '{body}' {reason}"
                yield Problem("bad-value", message, self.document.key(*here, "hold"), "take 'hold' away")
            if step.get("hold") is False and body == "tool" and "crew" in step:
                message = "'crew' takes an agent for this tool, and 'hold: false' lets it go"
                yield Problem("bad-value", message, self.document.key(*here, "hold"), "take one of them away")
            if body in ("tool", "human") and "model" in step:
                message = f"a step with '{body}' makes no requests, and needs no model"
                yield Problem("bad-value", message, self.document.key(*here, "model"), "take 'model' away")

    def coordination_models(self) -> Iterator[Problem]:
        """Coordination requests run on the workflow's model."""
        if "model" in self.data if self.around.file is None else self.around.requests:
            return
        hint = _NO_MODEL if self.around.file is None else f"name one with 'model:' at the top of {self.around.file}"
        for crew, declared in self.crews.items():
            if crew in self.around.crews:
                continue  # that of the file around counts
            for name, mechanism in _mapping(_mapping(filled(declared)).get("coordination")).items():
                asks = isinstance(mechanism, dict) and ("output" in mechanism or "input" in mechanism)
                if asks:
                    place = self.document.key("crews", crew, "coordination", name)
                    yield Problem("unknown-model", f"'{name}' makes requests, and no model is named", place, hint)
