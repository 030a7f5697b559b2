"""A file that another file names: its text, or what is wrong in the words of the place that names it."""

from __future__ import annotations

from pathlib import Path

from planner.errors import InputError, nearest
from planner.reading.files.text_file import BYTES, read_text
from planner.reading.units import BadValueError


def named_text(name: str, path: Path, kind: str, missing: str | None, too_large: str) -> str:
    """The text of the file at `path` that is called `name`. Raises `BadValueError` with the code of the cause.

    kind : of files that may have been meant, as in ``*.csv``
    missing, too_large : what to do where it cannot be read, or is over the limit
    """
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _meant(name, path, kind) or missing
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {BYTES:,} bytes", too_large
        else:
            message = f"'{name}', line {problem.position.line if problem.position else 0}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _meant(name: str, path: Path, kind: str) -> str | None:
    """A hint at a file beside the one that is not there."""
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.glob(kind) if other.is_file())
    except (OSError, ValueError):
        return None
    near = nearest(path.name, others)
    return f"did you mean '{name.removesuffix(path.name)}{near}'?" if near and name.endswith(path.name) else None
