"""Check the names (of models, crews, parameters and steps) and the bodies in a workflow file as read from YAML.

Values of the wrong shape are skipped, because validation reports them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from planner.errors import (
    MOST_PROBLEMS,
    Note,
    Problem,
    did_you_mean,
    model_hint,
    nearest,
)
from planner.reading.fields import MOST_AGENTS, MOST_ITEMS
from planner.reading.key_hints import means_group, misspelt_key
from planner.reading.profiles import profile_problems
from planner.reading.units import BadValueError, count, whole
from planner.reading.yaml.parse import resolve_scalar
from planner.reading.yaml.source_map import Document
from planner.workflow.checks.modifiers import continues_problems, modifier_problems
from planner.workflow.checks.needs import NAME, Group, Path, as_mapping, need_problems, raw_steps
from planner.workflow.crews import LEAD, with_preset
from planner.workflow.declaration import BODIES, Step

_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = {LEAD: "the lead, an agent that exists in every workflow", "agents": "the agents of a workflow without crews"}
"""Names of crews that always exist."""
_STEPS = f"add a step, for example 'steps: {{plan: {Step.example}}}'"
_BRANCHES = "add branches, for example 'choose: {easy: {chance: 70%, tool: 5s}, hard: {chance: 30%, human: 5min}}'"
_ADD_MODEL = "add 'model:' at the top of the file"


@dataclass(frozen=True)
class CheckContext:
    """Declarations that a file inherits from the files that use it.

    models, crews : names of the models and crews that the using files declare
    model : whether the steps of this file inherit a model from the using files
    file : path of the outermost file; None if this is the outermost file
    coordination_model : whether the outermost file names a model, which serves the requests of coordination
    """

    models: frozenset[str] = frozenset()
    crews: frozenset[str] = frozenset()
    model: bool = False
    file: str | None = None
    coordination_model: bool = False


def check_names(document: Document, inherited: CheckContext, used: Mapping[Path, bool]) -> list[Problem]:
    """Return the problems with names and steps in a workflow file, at most `MOST_PROBLEMS`.

    used : for each path to a key `use`, whether the steps of the used file can fail. Unreadable files have no entry
    """
    return list(islice(_Checks(document, inherited, used).all(), MOST_PROBLEMS))


class _Checks:
    def __init__(self, document: Document, inherited: CheckContext, used: Mapping[Path, bool]) -> None:
        self.document = document
        self.inherited = inherited
        self.used = used
        self.data = as_mapping(document.data)
        self.model = self.data.get("model")
        self.models = as_mapping(self.data.get("models"))
        self.known_models = inherited.models | set(self.models)
        self.crews = as_mapping(self.data.get("crews"))
        self.known_crews = inherited.crews | {*self.crews, LEAD}
        self.parameters = as_mapping(self.data.get("parameters"))
        self.steps = as_mapping(self.data.get("steps"))

    def all(self) -> Iterator[Problem]:
        yield from self.declared_names()
        if self.well_formed("models"):
            used = {str(self.model), *(str(step.get("model")) for _, step, _ in raw_steps(self.data))}
            yield from profile_problems(self.document, self.models, self.known_models, used)
        yield from self.model_name("model", name=self.model)
        yield from self.count("max_concurrency", value=self.data.get("max_concurrency"))
        for crew, declared in self.crews.items():
            agents = as_mapping(declared).get("agents")
            yield from self.count("crews", crew, "agents", value=agents, most=MOST_AGENTS)
            sync = as_mapping(as_mapping(as_mapping(declared).get("coordination")).get("sync"))
            yield from self.count("crews", crew, "coordination", "sync", "every", value=sync.get("every"))
        if self.data.get("steps") == {}:
            yield Problem("step-body", "the workflow has no steps", self.document.key("steps"), _STEPS)
        yield from self.group(("steps",), self.steps, self.inherited.model or "model" in self.data, repeated=False)
        yield from self.coordination_models()

    def well_formed(self, section: str) -> bool:
        """Whether the section `section` of the file is a mapping or is missing.

        If the section is anything else, its names cannot be read.
        """
        return isinstance(self.data.get(section, {}), dict)

    def declared_names(self) -> Iterator[Problem]:
        for name in self.parameters:
            yield from self.name(_PARAMETER, name, "parameters")
        for name in self.crews:
            yield from self.name(NAME, name, "crews")
            if name in _TAKEN:
                message = f"'{name}' cannot be the name of a crew: the name is reserved for {_TAKEN[name]}"
                yield Problem("bad-name", message, self.document.key("crews", name), "choose another name")

    def name(self, pattern: re.Pattern[str], name: str, *path: str) -> Iterator[Problem]:
        """Yield a problem if `name` is not a valid name.

        A valid name matches `pattern`, and YAML reads it as text.

        path : path of the mapping that has the name as a key
        """
        if name.startswith("\0"):
            return  # made up for an unreadable key
        if not pattern.fullmatch(name):
            others = "digits and '_'" if pattern is _PARAMETER else "digits, '_' and '-'"
            hint: str | None = f"begin with a letter, and use only letters from a to z, {others}"
        elif not isinstance(resolve_scalar(name), str):
            hint = f"choose another name, because YAML does not read '{name}' as text"
        else:
            return
        yield Problem("bad-name", f"'{name}' is not a valid name", self.document.key(*path, name), hint)

    def model_name(self, *path: str, name: Any) -> Iterator[Problem]:
        if isinstance(name, str) and name not in self.known_models and self.well_formed("models"):
            hint = model_hint(name, self.known_models) if self.known_models else "declare the model under 'models:'"
            yield Problem("unknown-model", f"unknown model '{name}'", self.document.value(*path), hint)

    def count(self, *path: str, value: Any, most: int = MOST_ITEMS) -> Iterator[Problem]:
        """Check a count that is the name of a parameter. Any other count is checked elsewhere.

        Yield a problem if the parameter is not declared, or if its value is not a whole number from 1 to `most`.

        path : path of the count in the file
        value : the count, as read from YAML
        """
        if not isinstance(value, str) or not value.isidentifier() or not self.well_formed("parameters"):
            return
        place = self.document.value(*path)
        if value not in self.parameters:
            hint = did_you_mean(value, self.parameters, "parameter")
            hint = hint or f"declare the parameter, for example with 'parameters: {{{value}: 10}}'"
            yield Problem("unknown-parameter", f"unknown parameter '{value}'", place, hint)
            return
        try:
            number = count(self.parameters[value])
        except BadValueError:
            return  # reported elsewhere
        try:
            whole(number, most)
        except BadValueError as mistake:
            message = f"the parameter '{value}' is {number:.15g}, but a count {mistake}"
            if self.inherited.file:
                yield Problem(
                    "bad-value", message, place, "change the value of the parameter, here or where the file is used"
                )
            else:
                yield Problem("bad-value", message, place, remedy=Note("set-parameter", {"name": value, "value": 10}))

    def group(self, path: Path, steps: Mapping[str, Any], model: bool, repeated: bool) -> Iterator[Problem]:
        """Yield the problems with a group of steps, and with all steps in the group.

        model : whether the steps inherit a model from an outer step or from the file
        repeated : whether the group runs several times for the same item
        """
        group = Group(self.document, path, steps, self.steps)
        yield from need_problems(group)
        yield from continues_problems(group, repeated)
        for name, step in steps.items():
            yield from self.name(NAME, name, *path)
            if isinstance(step, dict):
                yield from self.step((*path, name), step, model, repeated)

    def step(self, path: Path, step: dict[str, Any], model: bool, repeated: bool) -> Iterator[Problem]:
        yield from self.body(path, step)
        yield from modifier_problems(self.document, path, step, self.used)
        crew = step.get("crew")
        if isinstance(crew, str) and crew not in self.known_crews and self.well_formed("crews"):
            declared = self.known_crews != {LEAD} or nearest(crew, {LEAD})
            hint = did_you_mean(crew, self.known_crews if declared else (), "crew")
            hint = hint or f"declare the crew, for example with 'crews: {{{crew}: {{agents: 4}}}}'"
            yield Problem("unknown-crew", f"unknown crew '{crew}'", self.document.value(*path, "crew"), hint)
        items = step.get("for_each")
        if isinstance(items, dict):
            yield from self.count(*path, "for_each", "count", value=items.get("count"))
        else:
            yield from self.count(*path, "for_each", value=items)
        for limit in ("times", "at_most"):
            yield from self.count(*path, "repeat", limit, value=as_mapping(step.get("repeat")).get(limit))
        for copies in ("best_of", "first_of"):
            yield from self.count(*path, copies, value=step.get(copies))
        yield from self.count(*path, "retry", "at_most", value=as_mapping(step.get("retry")).get("at_most"))
        yield from self.model_name(*path, "model", name=step.get("model"))
        model = model or "model" in step
        if not model and ("llm" in step or "agent" in step):
            message = f"the step '{path[-1]}' makes requests but has no model"
            yield Problem("unknown-model", message, self.document.key(*path), f"{_ADD_MODEL}, or to this step")
        repeated = "repeat" in step or (repeated and "for_each" not in step)
        yield from self.group((*path, "steps"), as_mapping(step.get("steps")), model, repeated)
        branches = as_mapping(step.get("choose"))
        for name, branch in branches.items():
            if "needs" in as_mapping(branch):
                message = f"the branch '{name}' cannot have 'needs': only one branch of a choice runs"
                place = self.document.key(*path, "choose", name, "needs")
                yield Problem("bad-value", message, place, "remove 'needs', or move it to the step with 'choose'")
        independent = {
            name: {key: value for key, value in as_mapping(branch).items() if key != "needs"}
            for name, branch in branches.items()
        }
        yield from self.group((*path, "choose"), independent, model, repeated)

    def body(self, path: Path, step: dict[str, Any]) -> Iterator[Problem]:
        """Yield the problems with the body of a step.

        A step must have exactly one body. Some modifiers are only valid with certain bodies.
        """
        bodies = [body for body in BODIES if body in step]
        place = self.document.key(*path)
        if len(bodies) > 1:
            quoted = [f"'{body}'" for body in bodies]
            message = f"a step does one thing, but this step has {', '.join(quoted[:-1])} and {quoted[-1]}"
            hint = "write a separate step for each of these keys"
            yield Problem("step-body", message, place, hint)
        unknown = step.keys() - Step.model_fields.keys()
        meant = any(misspelt_key(key, Step.model_fields) in BODIES or means_group(key, step[key]) for key in unknown)
        if not bodies and not meant and path not in self.document.unreadable:
            keys = ", ".join(f"'{body}'" for body in BODIES[:-1])
            hint = f"add one of the keys {keys} or '{BODIES[-1]}', for example '{path[-1]}: {Step.example}'"
            yield Problem("step-body", "the step does nothing", place, hint)
        if step.get("steps") == {}:
            yield Problem("step-body", "the group has no steps", self.document.key(*path, "steps"), _STEPS)
        if step.get("choose") == {}:
            yield Problem("step-body", "the choice has no branches", self.document.key(*path, "choose"), _BRANCHES)
        for body in bodies:
            if "hold" in step and body != "tool":
                message = f"'hold' is only for tools, but this step has '{body}'"
                yield Problem("bad-value", message, self.document.key(*path, "hold"), "remove 'hold'")
            if step.get("hold") is False and body == "tool" and "crew" in step:
                message = "'crew' assigns an agent to this tool, but 'hold: false' releases the agent"
                yield Problem("bad-value", message, self.document.key(*path, "hold"), "remove 'crew' or 'hold'")
            if body in ("tool", "human") and "model" in step:
                message = f"a step with '{body}' makes no requests, so it cannot have a model"
                yield Problem("bad-value", message, self.document.key(*path, "model"), "remove 'model'")

    def coordination_models(self) -> Iterator[Problem]:
        """Yield a problem for each coordination request in the file that has no model.

        Coordination requests use the model of the outermost file.
        """
        if "model" in self.data if self.inherited.file is None else self.inherited.coordination_model:
            return
        hint = _ADD_MODEL if self.inherited.file is None else f"add 'model:' at the top of {self.inherited.file}"
        for crew, declared in self.crews.items():
            if crew in self.inherited.crews:
                continue  # the outer file's declaration counts
            written = as_mapping(as_mapping(declared).get("coordination"))
            for name, mechanism in as_mapping(as_mapping(with_preset(declared)).get("coordination")).items():
                if isinstance(mechanism, dict) and ("output" in mechanism or "input" in mechanism):
                    place = self.document.key("crews", crew, "coordination", name)
                    preset = "" if name in written else f" of the preset '{written.get('preset')}'"
                    message = f"the mechanism '{name}'{preset} makes requests but has no model"
                    yield Problem("unknown-model", message, place, hint)
