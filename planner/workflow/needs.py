"""The needs of one group of steps: raw data in, problems out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from planner.errors import MOST, Position, Problem, did_you_mean
from planner.reading.document import Document

Path = tuple[str, ...]


def need_problems(
    document: Document, path: Path, group: Mapping[str, Any], steps: Mapping[str, Any]
) -> Iterator[Problem]:
    """What is wrong with the needs of a group.

    path : of the group, in the file
    steps : of the whole workflow
    """
    graph: dict[str, dict[str, Position | None]] = {name: {} for name in group}
    for name, step in group.items():
        value = step.get("needs") if isinstance(step, dict) else None
        for index, need in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(need, str):
                continue
            place = document.value(*path, name, "needs", index)
            if need == name:
                yield Problem("cycle", f"the step '{name}' needs itself", place, "take this need away")
            elif need in group:
                graph[name].setdefault(need, place)
            else:
                yield _unknown(need, place, (*path[1::2], name), group, steps)
    yield from _circles(graph)


def _unknown(
    need: str, place: Position | None, here: Path, group: Mapping[str, Any], steps: Mapping[str, Any]
) -> Problem:
    """A need of what is not in the group: of a step elsewhere, or of none."""
    there = next((path for path in _paths(steps) if path[-1] == need or ".".join(path) == need), None)
    if there is None:
        listed = re.split(r"[,\s]+", need.strip())
        if len(listed) > 1:
            return Problem("unknown-step", f"unknown step '{need}'", place, f"write a list: [{', '.join(listed)}]")
        return Problem("unknown-step", f"unknown step '{need}'", place, did_you_mean(need, group.keys() - {here[-1]}))
    if there == here[: len(there)]:
        hint = "a group begins and ends with its steps"
        return Problem("unknown-step", f"'{need}' is the group around this step", place, hint)
    common = next(index for index, (one, other) in enumerate(zip(here, there, strict=False)) if one != other)
    mine, its = here[common], there[common]
    hint = f"a step needs steps of its own group: let '{mine}' need '{its}'"
    return Problem("unknown-step", f"the step '{'.'.join(there)}' is in another group", place, hint)


def _paths(steps: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """The path of every step, outer ones first."""
    for name, step in steps.items():
        yield (*path, name)
        inner = step.get("steps") if isinstance(step, dict) else None
        if isinstance(inner, dict):
            yield from _paths(inner, (*path, name))


def _circles(graph: dict[str, dict[str, Position | None]]) -> Iterator[Problem]:
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
        yield Problem("cycle", message, place, "take one of these needs away")
