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
    """Return the number of tokens of the text in `{text: …}`, as an estimate.

    Raises `BadValueError` if the value of `text` is not text.
    """
    text = value["text"]
    with within("text"):
        if not isinstance(text, str):
            raise BadValueError("expected text", "put the text in quotes, for example {text: 'You are a reviewer.'}")
        shown = printable(" ".join(text.split()))
        excerpt = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT].rstrip()}…"
        return _counted(text, quantity, f'"{excerpt}"', "")


def prompt_file(value: dict[str, Any], quantity: Quantity, context: FileContext) -> Estimate:
    """Return the number of tokens of the file in `{file: …}`, as an estimate.

    Raises `BadValueError` if the file is unreadable, or if it is a CSV file.
    """
    name = value["file"]
    if isinstance(name, str) and name.lower().endswith(".csv"):
        hint = "add for example 'column: tokens'; if the file is a prompt, give the file a name that ends in '.txt'"
        raise BadValueError("the key 'column' is missing", hint, code="missing-key", on_key=True)
    with within("file"):
        if not isinstance(name, str) or not name.strip():
            raise BadValueError("expected the name of a text file", "write for example {file: prompts/system.md}")
        missing = "give the path of a text file, relative to the folder of the workflow file"
        text = read_referenced(name, context.folder / name, "*", missing, "count it with 'planner tokens'")
        return _counted(text, quantity, name, name)


def _counted(text: str, quantity: Quantity, label: str, file: str) -> Estimate:
    """Return the number of tokens of `text`, as an estimate.

    label : description of the text for readers
    file : name of the text's file; "" if the text is not from a file
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
