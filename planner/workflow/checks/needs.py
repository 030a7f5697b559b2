"""Raw steps of one group in, problems with `needs` and `otherwise` out: unknown names and cycles."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from planner.errors import (
    MOST_PROBLEMS,
    Position,
    Problem,
    did_you_mean,
)
from planner.reading.yaml.source_map import Document

# Names are limited to characters that messages, commands and expressions can contain.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

Path = tuple[str, ...]
"""Keys of a step in the file: ``steps``, a name, ``steps`` or ``choose``, a name, and so on."""


def as_mapping(value: Any) -> dict[str, Any]:
    """Return `value` if it is a dict, otherwise an empty dict."""
    return value if isinstance(value, dict) else {}


def raw_steps(data: Any) -> Iterator[tuple[Path, dict[str, Any], bool]]:
    """Yield three values for every step of a file: its path, its mapping, and whether it has a model.

    A step has a model if the step itself, an outer step or the file names a model.
    """
    file = as_mapping(data)

    def inside(steps: Mapping[str, Any], path: Path, model: bool) -> Iterator[tuple[Path, dict[str, Any], bool]]:
        for name, step in steps.items():
            if isinstance(step, dict):
                step_path, has_model = (*path, name), model or "model" in step
                yield step_path, step, has_model
                for group in ("steps", "choose"):
                    yield from inside(as_mapping(step.get(group)), (*step_path, group), has_model)

    return inside(as_mapping(file.get("steps")), ("steps",), "model" in file)


def can_fail(step: Any, path: Path, used: Mapping[Path, bool]) -> bool:
    """Whether a step may fail, either by itself or because a step inside it fails.

    A malformed step counts as a step that may fail. The mistake is reported elsewhere.

    used : for each path to a key `use`, whether the steps of the used file can fail. Unreadable files have no entry
    """
    if not isinstance(step, dict):
        return True
    if "retry" in step or "success" in step or "until" in as_mapping(step.get("repeat")):
        return True  # even at 100%, which may be temporary
    if "use" in step and used.get((*path, "use"), True):
        return True
    return any(group_can_fail(step[group], (*path, group), used) for group in ("steps", "choose") if group in step)


def group_can_fail(steps: Any, path: Path, used: Mapping[Path, bool]) -> bool:
    """Whether a group contains a step that may fail and has no `otherwise`.

    used : for each path to a key `use`, whether the steps of the used file can fail. Unreadable files have no entry
    """
    if not isinstance(steps, dict):
        return True
    return any(
        can_fail(step, (*path, name), used) for name, step in steps.items() if "otherwise" not in as_mapping(step)
    )


Needs = dict[str, dict[str, Position | None]]
"""Step → step that it needs → position of this need in the file."""

_BRANCH_GROUP = "put the step and its 'otherwise' into a group, and make this group the branch"


@dataclass(frozen=True)
class Group:
    """A group of steps, as read from YAML.

    path : path of the group in the file
    steps : name of each step → its mapping
    file : the steps at the top level of the file, in the same form as `steps`
    """

    document: Document
    path: Path
    steps: Mapping[str, Any]
    file: Mapping[str, Any]

    @property
    def branches(self) -> bool:
        """Whether the steps of the group are branches of a choice."""
        return self.path[-1] == "choose"

    def unknown(self, name: str, step: str, place: Position | None, remedy: str | None = None) -> Problem:
        """Return the problem for a name that is not the name of a step in this group.

        name : the unknown name
        step : name of the step that contains the unknown name
        place : position of the unknown name in the file
        remedy : hint of the problem; if None, the hint is about `needs`
        """
        source = (*self.path[1::2], step)
        target = next((path for path in _paths(self.file) if path[-1] == name or ".".join(path) == name), None)
        if target is None:
            listed = re.split(r"[,\s]+", name.strip())
            known = [other for other in self.steps if other != step and NAME.fullmatch(other)]
            hint = did_you_mean(name, known, "step")
            if len(listed) > 1:
                hint = remedy or f"write a list, for example 'needs: [{', '.join(listed)}]'"
            return Problem("unknown-step", f"unknown step '{name}'", place, hint)
        if target == source[: len(target)]:
            hint = remedy or "remove this need: a step cannot wait for its own group"
            return Problem("unknown-step", f"'{name}' is the group that contains this step", place, hint)
        if source == target[: len(source)]:
            hint = remedy or "remove this need: a group cannot wait for its own steps"
            return Problem("unknown-step", f"'{name}' is a step inside this group", place, hint)
        fork = next(index for index, pair in enumerate(zip(source, target, strict=False)) if pair[0] != pair[1])
        other, waiting = target[fork], source[fork]
        if fork == len(source) - 1:
            change = f"replace '{name}' by '{other}' in the needs of '{step}'"
        elif fork == len(target) - 1:
            change = f"move '{name}' from the needs of '{step}' to the needs of '{waiting}'"
        else:
            change = f"remove '{name}' from the needs of '{step}', and add '{other}' to the needs of '{waiting}'"
        hint = remedy or f"'needs' must name a step of the same group: {change}"
        return Problem("unknown-step", f"the step '{'.'.join(target)}' is in another group", place, hint)


def need_problems(group: Group) -> Iterator[Problem]:
    """Yield the problems with the keys `needs` and `otherwise` in the steps of a group."""
    graph: Needs = {name: {} for name in group.steps}
    for name, step in group.steps.items():
        value = as_mapping(step).get("needs")
        for index, need in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(need, str):
                continue
            place = group.document.value(*group.path, name, "needs", index)
            if need == name:
                yield Problem("cycle", f"the step '{name}' needs itself", place, "remove this need")
            elif need in group.steps:
                graph[name].setdefault(need, place)
            else:
                yield group.unknown(need, name, place)
    replaces: dict[str, str] = {}
    yield from _otherwise(group, graph, replaces)
    otherwise = {step: other for other, step in replaces.items()}
    for name, needs in graph.items():
        for need in list(needs):  # a step also waits for the `otherwise` of a step that it needs
            other = otherwise.get(need)
            while other is not None and other != name and other not in needs:
                needs[other] = needs[need]
                other = otherwise.get(other)
    yield from _cycles(graph, replaces)


def needs_of(group: Group) -> dict[str, set[str]]:
    """Return a mapping: name of each step in a group → names of the steps that this step waits for.

    A step waits for the steps in its `needs`. If step `a` has `otherwise: b`, step `b` also waits for step `a`.
    """
    graph: dict[str, set[str]] = {name: set() for name in group.steps}
    for name, step in group.steps.items():
        value = as_mapping(step).get("needs")
        listed = value if isinstance(value, list) else [value]
        graph[name] |= {need for need in listed if isinstance(need, str) and need in graph}
        other = as_mapping(step).get("otherwise")
        if isinstance(other, str) and other in graph:
            graph[other].add(name)
    return graph


def _otherwise(group: Group, graph: Needs, replaces: dict[str, str]) -> Iterator[Problem]:
    """Yield the problems with the keys `otherwise` in a group, and record the valid keys.

    For a valid `otherwise: b` in step `a`, this function adds to `graph` that `b` needs `a`. It also adds `b` → `a` to
    `replaces`.
    """
    for name, step in group.steps.items():
        other = as_mapping(step).get("otherwise")
        if not isinstance(other, str):
            continue
        place = group.document.value(*group.path, name, "otherwise")
        if group.branches:
            message = f"the branch '{name}' cannot have 'otherwise': only one branch of a choice runs"
            yield Problem("bad-value", message, group.document.key(*group.path, name, "otherwise"), _BRANCH_GROUP)
        elif other == name:
            yield Problem(
                "cycle", f"the step '{name}' is its own 'otherwise'", place, "name another step of the same group"
            )
        elif other not in group.steps:
            yield group.unknown(other, name, place, f"'otherwise' must name a step in the same group as '{name}'")
        elif other in replaces:
            message = f"'{other}' is already the 'otherwise' of '{replaces[other]}'"
            hint = f"put '{replaces[other]}' and '{name}' into a group, and move 'otherwise' to the group"
            yield Problem("bad-value", message, place, hint)
        else:
            replaces[other] = name
            graph[other].setdefault(name, place)


def _paths(steps: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the path of every step, such as `("build", "test")` for the step `test` in the group `build`.

    A group comes before its steps.
    """
    for name, step in steps.items():
        yield (*path, name)
        inner = step.get("steps") if isinstance(step, dict) else None
        if isinstance(inner, dict):
            yield from _paths(inner, (*path, name))


def _cycles(graph: Needs, replaces: Mapping[str, str]) -> Iterator[Problem]:
    """Yield a problem for each cycle of needs.

    After each problem, one need of the cycle is removed from `graph`. Then the next cycle is searched.
    """
    order = {name: index for index, name in enumerate(graph)}
    for _ in range(MOST_PROBLEMS):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycle = error.args[1][:0:-1]  # each step is followed by a step that it needs
        else:
            return
        first = cycle.index(min(cycle, key=order.__getitem__))
        cycle = [*cycle[first:], *cycle[:first], cycle[first]]
        place = graph[cycle[0]].pop(cycle[1])
        verb, hint = "need", "remove one of these needs"
        implied = next((name for name, need in pairwise(cycle) if replaces.get(name) == need), None)
        indirect = next(
            ((name, replaces[need]) for name, need in pairwise(cycle) if replaces.get(need) in graph[name]), None
        )
        if implied is None and indirect is not None:
            name, step = indirect
            verb = "wait for"
            hint = (
                f"'{name}' needs '{step}', so '{name}' also waits for the 'otherwise' of '{step}'; remove this "
                "'otherwise', or one of the needs"
            )
        if implied is not None:
            verb = "wait for"
            hint = (
                f"'{implied}' is the 'otherwise' of '{replaces[implied]}', so '{implied}' waits for "
                f"'{replaces[implied]}'; remove this 'otherwise', or one of the needs"
            )
        yield Problem("cycle", f"steps {verb} each other: {' → '.join(cycle)}", place, hint)
