"""What steps of one group name of each other: raw data in, problems out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from planner.errors import (
    MOST,
    Position,
    Problem,
    did_you_mean,
)
from planner.reading.yaml.source_map import Document

Path = tuple[str, ...]
"""Keys of the file: ``steps``, a name, ``steps`` or ``choose``, a name, and so on."""


def as_mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is, anything else as an empty one."""
    return value if isinstance(value, dict) else {}


def raw_steps(data: Any) -> Iterator[tuple[Path, dict[str, Any], bool]]:
    """Every step of a file with its path, and whether it or something around it in the file names a model."""
    file = as_mapping(data)

    def inside(steps: Mapping[str, Any], path: Path, model: bool) -> Iterator[tuple[Path, dict[str, Any], bool]]:
        for name, step in steps.items():
            if isinstance(step, dict):
                here, named = (*path, name), model or "model" in step
                yield here, step, named
                for group in ("steps", "choose"):
                    yield from inside(as_mapping(step.get(group)), (*here, group), named)

    return inside(as_mapping(file.get("steps")), ("steps",), "model" in file)


def can_fail(step: Any, here: Path, used: Mapping[Path, bool]) -> bool:
    """Whether a step may fail: by itself, or because a step within it may, and has no `otherwise`.

    used : for a step with `use` at a path, whether something in that file may; left out where that is unknown

    What has the wrong shape may fail, so that nothing is said of it beside that.
    """
    if not isinstance(step, dict):
        return True
    if "retry" in step or "success" in step or "until" in as_mapping(step.get("repeat")):
        return True  # whatever the chances are: they may be set to 100% for a while
    if "use" in step and used.get((*here, "use"), True):
        return True
    return any(group_can_fail(step[group], (*here, group), used) for group in ("steps", "choose") if group in step)


def group_can_fail(steps: Any, path: Path, used: Mapping[Path, bool]) -> bool:
    """Whether a step of a group may fail, and nothing is done then."""
    if not isinstance(steps, dict):
        return True
    return any(
        can_fail(step, (*path, name), used) for name, step in steps.items() if "otherwise" not in as_mapping(step)
    )


Needs = dict[str, dict[str, Position | None]]
"""Step → those that it needs, and where that is said."""

_STAND_ALONE = "put it into 'steps:' of a group with its 'otherwise'"


@dataclass(frozen=True)
class Group:
    """The steps of a group.

    path : of the group, in the file
    steps : its steps
    file : those of the whole file
    """

    document: Document
    path: Path
    steps: Mapping[str, Any]
    file: Mapping[str, Any]

    @property
    def branches(self) -> bool:
        """Whether it is a choice."""
        return self.path[-1] == "choose"

    def unknown(self, name: str, step: str, place: Position | None, remedy: str | None = None) -> Problem:
        """A `step` names what is not in the group: a step elsewhere, or none.

        remedy : in the place of a need
        """
        here = (*self.path[1::2], step)
        there = next((path for path in _paths(self.file) if path[-1] == name or ".".join(path) == name), None)
        if there is None:
            listed = re.split(r"[,\s]+", name.strip())
            hint = did_you_mean(name, self.steps.keys() - {step})
            if len(listed) > 1:
                hint = remedy or f"write a list: [{', '.join(listed)}]"
            return Problem("unknown-step", f"unknown step '{name}'", place, hint)
        if there == here[: len(there)]:
            hint = remedy or "a group begins and ends with its steps"
            return Problem("unknown-step", f"'{name}' is the group around this step", place, hint)
        if here == there[: len(here)]:
            hint = remedy or "a group begins and ends with its steps"
            return Problem("unknown-step", f"'{name}' is a step within this one", place, hint)
        common = next(index for index, (one, other) in enumerate(zip(here, there, strict=False)) if one != other)
        hint = remedy or f"a step needs steps of its own group: let '{here[common]}' need '{there[common]}'"
        return Problem("unknown-step", f"the step '{'.'.join(there)}' is in another group", place, hint)


def need_problems(group: Group) -> Iterator[Problem]:
    """What is wrong with the needs of a group, and with what it does in the place of steps that fail."""
    graph: Needs = {name: {} for name in group.steps}
    for name, step in group.steps.items():
        value = as_mapping(step).get("needs")
        for index, need in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(need, str):
                continue
            place = group.document.value(*group.path, name, "needs", index)
            if need == name:
                yield Problem("cycle", f"the step '{name}' needs itself", place, "take this need away")
            elif need in group.steps:
                graph[name].setdefault(need, place)
            else:
                yield group.unknown(need, name, place)
    of: dict[str, str] = {}
    yield from _otherwise(group, graph, of)
    instead = {step: other for other, step in of.items()}
    for name, needs in graph.items():
        for need in list(needs):  # what is done in the place of a step that is needed is waited for as well
            other = instead.get(need)
            while other is not None and other != name and other not in needs:
                needs[other] = needs[need]
                other = instead.get(other)
    yield from _circles(graph, of)


def needs_of(group: Group) -> dict[str, set[str]]:
    """Step → those that it starts after: what it needs, and the one that it is the `otherwise` of."""
    graph: dict[str, set[str]] = {name: set() for name in group.steps}
    for name, step in group.steps.items():
        value = as_mapping(step).get("needs")
        listed = value if isinstance(value, list) else [value]
        graph[name] |= {need for need in listed if isinstance(need, str) and need in graph}
        other = as_mapping(step).get("otherwise")
        if isinstance(other, str) and other in graph:
            graph[other].add(name)
    return graph


def _otherwise(group: Group, graph: Needs, of: dict[str, str]) -> Iterator[Problem]:
    """What is done where a step fails is a step beside it, which then needs it: that is added to the graph.

    of : a step → the one in whose place it is done; to be filled
    """
    for name, step in group.steps.items():
        other = as_mapping(step).get("otherwise")
        if not isinstance(other, str):
            continue
        place = group.document.value(*group.path, name, "otherwise")
        if group.branches:
            message = f"'{name}' is a branch: one of them runs, and none in the place of another"
            yield Problem("bad-value", message, group.document.key(*group.path, name, "otherwise"), _STAND_ALONE)
        elif other == name:
            yield Problem("cycle", f"the step '{name}' is its own 'otherwise'", place, "name a step beside it")
        elif other not in group.steps:
            yield group.unknown(other, name, place, "'otherwise' names a step of the same group")
        elif other in of:
            message = f"'{other}' is the 'otherwise' of '{of[other]}' already"
            hint = f"put '{of[other]}' and '{name}' into 'steps:' of a group with this 'otherwise'"
            yield Problem("bad-value", message, place, hint)
        else:
            of[other] = name
            graph[other].setdefault(name, place)


def _paths(steps: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The path of every step, outer ones first."""
    for name, step in steps.items():
        yield (*path, name)
        inner = step.get("steps") if isinstance(step, dict) else None
        if isinstance(inner, dict):
            yield from _paths(inner, (*path, name))


def _circles(graph: Needs, of: Mapping[str, str]) -> Iterator[Problem]:
    """A circle of needs, then one that is left without the need that was told, and so on."""
    order = {name: index for index, name in enumerate(graph)}
    for _ in range(MOST):
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = error.args[1][:0:-1]  # from a step to what it needs
        else:
            return
        first = circle.index(min(circle, key=order.__getitem__))
        circle = [*circle[first:], *circle[:first], circle[first]]
        place = graph[circle[0]].pop(circle[1])
        message = "steps need each other: " + " → ".join(circle)
        hint = "take one of these needs away"
        implied = next((name for name, need in pairwise(circle) if of.get(name) == need), None)
        behind = next(((one, of[need]) for one, need in pairwise(circle) if of.get(need) in graph[one]), None)
        if implied is None and behind is not None:
            one, step = behind
            hint += f"; '{one}' needs '{step}', and so waits for its 'otherwise' too"
        if implied is not None:
            hint += f"; '{implied}' is the 'otherwise' of '{of[implied]}', and comes after it"
        yield Problem("cycle", message, place, hint)
