"""Modifiers of steps that exclude each other or mean nothing where they stand: raw data in, problems out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from planner.errors import Problem
from planner.reading.yaml.source_map import Document
from planner.workflow.checks.needs import Group, Path, as_mapping, can_fail, needs_of
from planner.workflow.declaration import BODIES

RETRIED = ("llm", "agent", "tool", "human")
"""Bodies that a `retry` makes sense of."""


def modifier_problems(
    document: Document, here: Path, step: Mapping[str, Any], used: Mapping[Path, bool]
) -> Iterator[Problem]:
    """What is wrong with one step's copies, attempts and `otherwise`.

    used : for a step with `use` at a path, whether something in that file may fail
    """
    if "best_of" in step and "first_of" in step:
        message = "copies are waited for all, or for the first, not both"
        yield Problem("bad-value", message, document.key(*here, "first_of"), "take 'best_of' or 'first_of' away")
    group = next((body for body in ("steps", "choose", "use") if body in step), None)
    if "retry" in step and group and not any(body in step for body in RETRIED):
        message = f"a retry is for a single request, loop, tool or person, not for '{group}'"
        yield Problem("bad-value", message, document.key(*here, "retry"), "as in repeat: {until: 90%, at_most: 3}")
    in_choice = here[-2] == "choose"  # a branch has none anyway
    bodies = any(body in step for body in BODIES)
    if isinstance(step.get("otherwise"), str) and bodies and not in_choice and not can_fail(step, here, used):
        message = f"'{here[-1]}' cannot fail, so that its 'otherwise' is never done"
        hint = f"give it a 'success'{', or a step within it' if group else ''}"
        yield Problem("bad-value", message, document.key(*here, "otherwise"), hint)


def continues_problems(group: Group, rounds: bool) -> Iterator[Problem]:
    """What is wrong with the contexts that requests of a group continue.

    rounds : whether the group is repeated, within the item around it
    """
    needs: dict[str, set[str]] = {}
    waits: _Waits | None = None
    for name, step in group.steps.items():
        other = as_mapping(as_mapping(step).get("llm")).get("continues")
        if not isinstance(other, str):
            continue
        place = group.document.value(*group.path, name, "llm", "continues")
        if other not in group.steps:
            yield group.unknown(other, name, place, "a request continues the context of a step of its own group")
            continue
        needs = needs or needs_of(group)
        mistake = _not_continued(other, as_mapping(group.steps[other]))
        if mistake is None and other == name and not rounds and "repeat" not in step:
            mistake = "continues itself, and is done once", "repeat it, as in repeat: {times: 3}, or name another step"
        if mistake is None and other != name and other not in needs[name]:
            waits = waits or _Waits(needs)
            if waits.for_(name, other):
                continue
            remedy = "branches stand apart: continue within one" if group.branches else f"let '{name}' need '{other}'"
            mistake = f"continues '{other}', and does not wait for it", remedy
        if mistake is not None:
            yield Problem("bad-value", f"'{name}' {mistake[0]}", place, mistake[1])


def _not_continued(name: str, step: Mapping[str, Any]) -> tuple[str, str] | None:
    """Why a step has no context that could be continued, with a remedy."""
    if not step:
        return None  # a problem of its own
    if "for_each" in step:
        hint = f"put both into 'steps:' of a step with the 'for_each' of '{name}'"
        return f"continues '{name}', which has a context for each item", hint
    if "llm" not in step and "agent" not in step:
        what = next((body for body in ("steps", "choose", "use") if body in step), None)
        if what:
            return f"continues '{name}', which is no single request", "continue one step, from within its group"
        return f"continues '{name}', which makes no requests", "name a step with 'llm' or 'agent'"
    return None


class _Waits:
    """Which steps of a group wait for which others, directly or not. As sets of bits: groups may be large."""

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
            self.behind = None  # a problem of its own

    def for_(self, name: str, other: str) -> bool:
        """Whether a step waits for another; so it is said of all where they wait in a circle."""
        return self.behind is None or bool(self.behind[name] & self.bit[other])
