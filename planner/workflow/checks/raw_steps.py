"""Steps as read from YAML, before validation: their paths, and whether they can fail.

Checks use these instead of validated declarations, so that one run shows mistakes of shape and of meaning together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
"""Keys of a step in the file: ``steps``, a name, ``steps`` or ``choose``, a name, and so on."""


def as_mapping(value: Any) -> dict[str, Any]:
    """Return a mapping unchanged, and {} for anything else."""
    return value if isinstance(value, dict) else {}


def raw_steps(data: Any) -> Iterator[tuple[Path, dict[str, Any], bool]]:
    """Yield every step of a file with its path, and whether it or an outer step or the file names a model."""
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
    """Whether a step may fail: by itself, or because an inner step may fail and has no `otherwise`.

    A malformed step counts as fallible, so that only its shape is reported.

    used : path of each `use` → whether that file can fail; missing if unknown
    """
    if not isinstance(step, dict):
        return True
    if "retry" in step or "success" in step or "until" in as_mapping(step.get("repeat")):
        return True  # even at 100%, which may be temporary
    if "use" in step and used.get((*path, "use"), True):
        return True
    return any(group_can_fail(step[group], (*path, group), used) for group in ("steps", "choose") if group in step)


def group_can_fail(steps: Any, path: Path, used: Mapping[Path, bool]) -> bool:
    """Whether a step of a group may fail without having an `otherwise`."""
    if not isinstance(steps, dict):
        return True
    return any(
        can_fail(step, (*path, name), used) for name, step in steps.items() if "otherwise" not in as_mapping(step)
    )
