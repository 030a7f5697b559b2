"""Raw steps in, problems out: modifiers that exclude each other or have no effect, and mistakes in `continues`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from planner.errors import Problem
from planner.reading.yaml.source_map import Document
from planner.workflow.checks.needs import Group, Path, as_mapping, can_fail, needs_of
from planner.workflow.declaration import BODIES

RETRIED = ("llm", "agent", "tool", "human")
"""Bodies that may have a `retry`."""


def modifier_problems(
    document: Document, path: Path, step: Mapping[str, Any], used: Mapping[Path, bool]
) -> Iterator[Problem]:
    """Yield the problems with the keys `best_of`, `first_of`, `retry`, `otherwise` and `model` of a step.

    path : path of the step in the file
    used : for each path to a key `use`, whether the steps of the used file can fail
    """
    if "best_of" in step and "first_of" in step:
        message = "a step has either 'best_of' or 'first_of', not both"
        yield Problem("bad-value", message, document.key(*path, "first_of"), "remove one of them")
    group = next((body for body in ("steps", "choose", "use") if body in step), None)
    if "retry" in step and group and not any(body in step for body in RETRIED):
        message = f"a step with '{group}' cannot have 'retry'"
        yield Problem(
            "bad-value",
            message,
            document.key(*path, "retry"),
            "use 'repeat' instead, for example 'repeat: {until: 90%, at_most: 3}'",
        )
    if group and "model" in step and not _may_make_requests(step):
        message = f"no step of '{path[-1]}' makes requests, so it cannot have a model"
        yield Problem("bad-value", message, document.key(*path, "model"), "remove 'model'")
    in_choice = path[-2] == "choose"  # an `otherwise` of a branch is reported elsewhere
    has_body = any(body in step for body in BODIES)
    if isinstance(step.get("otherwise"), str) and has_body and not in_choice and not can_fail(step, path, used):
        message = f"'{path[-1]}' cannot fail, so its 'otherwise' would never run"
        within = f" or to a step without 'otherwise' inside '{path[-1]}'" if group else ""
        hint = f"remove 'otherwise', or add for example 'success: 90%' to '{path[-1]}'{within}"
        yield Problem("bad-value", message, document.key(*path, "otherwise"), hint)


def _may_make_requests(step: Any) -> bool:
    """Whether a step, or a step inside it, may make requests.

    The result is also True for a malformed step, and for a step that uses another file. The other file is not read
    here.
    """
    if not isinstance(step, dict) or any(body in step for body in ("llm", "agent", "use")):
        return True
    groups = [step[group] for group in ("steps", "choose") if group in step]
    if any(not isinstance(group, dict) or not group for group in groups):
        return True  # reported elsewhere
    inner = [other for group in groups for other in group.values()]
    return any(map(_may_make_requests, inner)) or not any(body in step for body in BODIES)


def continues_problems(group: Group, repeated: bool) -> Iterator[Problem]:
    """Yield the problems with the key `continues` in the steps of a group.

    repeated : whether the group runs several times for the same item. A step can then continue its own previous run
    """
    needs: dict[str, set[str]] = {}
    waiting: _WaitsFor | None = None
    for name, step in group.steps.items():
        other = as_mapping(as_mapping(step).get("llm")).get("continues")
        if not isinstance(other, str):
            continue
        place = group.document.value(*group.path, name, "llm", "continues")
        if other not in group.steps:
            yield group.unknown(other, name, place, f"'continues' must name a step in the same group as '{name}'")
            continue
        needs = needs or needs_of(group)
        mistake = _not_continued(other, as_mapping(group.steps[other]))
        if mistake is None and other == name and not repeated and "repeat" not in step:
            mistake = (
                "continues itself but is not repeated",
                "name another step, or add for example 'repeat: {times: 3}'",
            )
        if mistake is None and other != name and other not in needs[name]:
            waiting = waiting or _WaitsFor(needs)
            if waiting.waits(name, other):
                continue
            in_branch = "only one branch of a choice runs; name a step of the same branch"
            mistake = (
                f"continues '{other}' but does not wait for '{other}'",
                in_branch if group.branches else f"add '{other}' to the needs of '{name}'",
            )
        if mistake is not None:
            yield Problem("bad-value", f"'{name}' {mistake[0]}", place, mistake[1])


def _not_continued(name: str, step: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the reason why no request can continue the step, and a hint.

    Returns None if a request can continue the step.

    name : name of the step
    """
    if not step:
        return None  # reported elsewhere
    if "for_each" in step:
        hint = f"put both steps into a group, and move 'for_each' from '{name}' to the group"
        return f"continues '{name}', which has a separate conversation for each item", hint
    if "llm" not in step and "agent" not in step:
        if any(body in step for body in ("steps", "choose", "use")):
            return (
                f"continues '{name}', but '{name}' consists of steps",
                f"move this step into '{name}', and name a step of '{name}' in 'continues'",
            )
        return f"continues '{name}', which makes no requests", "name a step with 'llm' or 'agent'"
    return None


class _WaitsFor:
    """Table of the steps that each step of a group waits for, directly or through other steps.

    The table consists of bit sets, because groups may be large.
    """

    def __init__(self, needs: Mapping[str, Collection[str]]) -> None:
        self.bit = {name: 1 << index for index, name in enumerate(needs)}
        self.behind: dict[str, int] | None = {}
        try:
            for name in TopologicalSorter(needs).static_order():
                bits = 0
                for need in needs[name]:
                    bits |= self.bit[need] | self.behind[need]
                self.behind[name] = bits
        except CycleError:
            self.behind = None  # reported elsewhere

    def waits(self, name: str, other: str) -> bool:
        """Whether the step `name` waits for the step `other`, directly or indirectly.

        Always True if the needs of the group form a cycle. The cycle is reported elsewhere.
        """
        return self.behind is None or bool(self.behind[name] & self.bit[other])
