"""A text or a text file in, its number of tokens out: `{text: …}`, and `{file: …}` without a column."""

from __future__ import annotations

from typing import Any

from planner.errors import printable
from planner.reading.estimates.context import FileContext
from planner.reading.estimates.estimate import Estimate
from planner.reading.files.referenced_file import read_referenced
from planner.reading.units import BadValueError, Quantity, within

_EXCERPT = 24
"""Most characters shown of a text."""


def prompt_text(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    """Count the tokens of `{text: …}`. Raises `BadValueError`."""
    text = value["text"]
    with within("text"):
        if not isinstance(text, str):
            raise BadValueError("expected a text", "write it in quotes, as in text: 'You are a reviewer.'")
        shown = printable(" ".join(text.split()))
        excerpt = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT].rstrip()}…"
        return _counted(text, quantity, f'"{excerpt}"', "")


def prompt_file(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    """Count the tokens of the file in `{file: …}`. Raises `BadValueError`."""
    name = value["file"]
    if isinstance(name, str) and name.lower().endswith(".csv"):
        hint = "add 'column'; if the file is a prompt, rename it to .txt instead"
        raise BadValueError("the key 'column' is missing", hint, code="missing-key", on_key=True)
    with within("file"):
        if not isinstance(name, str) or not name.strip():
            raise BadValueError("expected the name of a text file", "as in file: prompts/system.md")
        missing = "give the path of a text file, relative to the folder of the workflow file"
        text = read_referenced(name, context.folder / name, "*", missing, "count it with 'planner tokens'")
        return _counted(text, quantity, name, name)


def _counted(text: str, quantity: Quantity, label: str, file: str) -> Estimate:
    """Count the tokens of `text`, which messages show as `label`.

    file : name of the file, which tells the kind of text; "" if the text is not from a file
    """
    from planner.tokens.counting import count  # loads tiktoken, which takes half a second

    counted = count(text, name=file)
    number = quantity.bounded(float(counted.tokens))
    return Estimate(
        "constant",
        number,
        whole=quantity.whole,
        least=number,
        text=f"{label}, {counted}",
        counted=True,
        approximate=counted.approximate,
    )
