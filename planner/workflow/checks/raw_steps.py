"""The steps of a workflow file as they stand in it, not validated: what is not a mapping is passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
