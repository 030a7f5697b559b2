"""The name of a file that a workflow refers to in, its text out: prompts, CSV files, used workflows."""

from __future__ import annotations

from pathlib import Path

from planner.errors import InputError, nearest
from planner.reading.files.text_file import MOST_BYTES, read_text
from planner.reading.units import BadValueError


def read_referenced(name: str, path: Path, pattern: str, missing: str | None, too_large: str) -> str:
    """Return the text of the file at `path`, which the workflow calls `name`.

    pattern : of similar files that a hint may suggest, as in ``*.csv``
    missing, too_large : hints for a file that cannot be read, or is over the size limit

    Raises `BadValueError`, with the code of the cause.
    """
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _suggestion(name, path, pattern) or missing
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {MOST_BYTES:,} bytes", too_large
        else:
            message = f"'{name}', line {problem.position.line if problem.position else 0}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _suggestion(name: str, path: Path, pattern: str) -> str | None:
    """A hint at a file with a similar name in the same folder, if `path` does not exist."""
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.glob(pattern) if other.is_file())
    except (OSError, ValueError):
        return None
    similar = nearest(path.name, others)
    if not similar or not name.endswith(path.name):
        return None
    return f"did you mean '{name.removesuffix(path.name)}{similar}'?"
