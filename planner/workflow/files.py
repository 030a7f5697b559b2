"""Files that a workflow file names: its folder and a name in, their text out."""

from __future__ import annotations

from pathlib import Path

from planner.errors import InputError, nearest
from planner.reading.document import Document
from planner.reading.text_file import BYTES, read_text
from planner.reading.units import BadValueError


def beside(document: Document, name: str) -> Path:
    """The path of a file that another names: relative to that one's folder."""
    return Path(document.file).parent / name


def text_of(path: Path, name: str) -> str:
    """The text of a file that is called `name` where it is named. Raises BadValueError, with the code of the cause."""
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _misspelt(path, name)
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {BYTES:,} bytes", "plan a part of it"
        else:
            line = problem.position.line if problem.position else 0
            message = f"'{name}', line {line}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _misspelt(path: Path, name: str) -> str | None:
    """A hint at a file of that kind beside the one that is not there."""
    try:
        if path.exists() or not path.parent.is_dir():
            return None
        near = nearest(path.name, (other.name for other in path.parent.glob("*" + path.suffix)))
    except (OSError, ValueError):
        return None
    return f"did you mean '{name.removesuffix(path.name)}{near}'?" if near and name.endswith(path.name) else None
