"""Numbers of tokens that are counted: `{text: …}`, and `{file: …}` without a column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from planner.errors import InputError, nearest, printable
from planner.reading.distributions import Estimate
from planner.reading.surroundings import Surroundings
from planner.reading.text_file import BYTES, read_text
from planner.reading.units import BadValueError, Quantity, within

_EXCERPT = 24
"""Most characters of a text that stand for it."""


def prompt_text(value: dict[str, Any], quantity: Quantity, around: Surroundings) -> Estimate:
    """The tokens of `{text: …}`. Raises `BadValueError`."""
    text = value["text"]
    with within("text"):
        if not isinstance(text, str):
            raise BadValueError("expected a text", "as in text: You are a reviewer; quote what is no text to YAML: '5'")
        shown = printable(" ".join(text.split()))
        excerpt = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT].rstrip()}…"
        return _counted(text, quantity, f'"{excerpt}"', "")


def prompt_file(value: dict[str, Any], quantity: Quantity, around: Surroundings) -> Estimate:
    """The tokens of `{file: …}`. Raises `BadValueError`."""
    name = value["file"]
    if isinstance(name, str) and name.lower().endswith(".csv"):
        hint = "give both file and column; rename a prompt that ends in .csv, to .txt"
        raise BadValueError("the key 'column' is missing", hint, code="missing-key", on_key=True)
    with within("file"):
        if not isinstance(name, str) or not name.strip():
            raise BadValueError("expected the name of a text file", "as in file: prompts/system.md")
        return _counted(_text(name, around.folder / name), quantity, name, name)


def _counted(text: str, quantity: Quantity, called: str, file: str) -> Estimate:
    """The tokens of a text that is shown as `called`."""
    from planner.tokens.counting import count  # loads tiktoken, which takes half a second

    found = count(text, name=file)
    number = quantity.bounded(float(found.tokens))
    return Estimate(
        "constant",
        number,
        whole=quantity.whole,
        least=number,
        text=f"{called}, {found}",
        counted=True,
        approximate=found.approximate,
    )


def _text(name: str, path: Path) -> str:
    """The text of a file that is called `name`. Raises `BadValueError` with the code of the cause."""
    try:
        return read_text(path)
    except InputError as error:
        (problem,) = error.problems
        message, hint = problem.message, problem.hint
        if problem.code == "unreadable":
            message, hint = message.replace("the file", f"'{name}'", 1), _misspelt(name, path)
        elif problem.code == "too-large":
            message, hint = f"'{name}' is over the limit of {BYTES:,} bytes", "count it with 'planner tokens'"
        else:
            message = f"'{name}', line {problem.position.line if problem.position else 0}: {message}"
        raise BadValueError(message, hint, code=problem.code) from None


def _misspelt(name: str, path: Path) -> str:
    """A hint at the file that was meant, or at where files are looked for."""
    try:
        others = [] if path.exists() else sorted(other.name for other in path.parent.iterdir() if other.is_file())
    except (OSError, ValueError):
        others = []
    near = nearest(path.name, others)
    if near and name.endswith(path.name):
        return f"did you mean '{name.removesuffix(path.name)}{near}'?"
    return "name a text file by its path from the folder of the workflow file"
