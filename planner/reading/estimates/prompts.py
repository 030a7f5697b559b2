"""Numbers of tokens that are counted: `{text: …}`, and `{file: …}` without a column."""

from __future__ import annotations

from typing import Any

from planner.errors import printable
from planner.reading.estimates.context import FileContext
from planner.reading.estimates.distributions import Estimate
from planner.reading.files.text_file import named_text
from planner.reading.units import BadValueError, Quantity, within

_EXCERPT = 24
"""Most characters of a text that stand for it."""


def prompt_text(value: dict[str, Any], quantity: Quantity, around: FileContext) -> Estimate:
    """The tokens of `{text: …}`. Raises `BadValueError`."""
    text = value["text"]
    with within("text"):
        if not isinstance(text, str):
            raise BadValueError("expected a text", "as in text: You are a reviewer; quote what is no text to YAML: '5'")
        shown = printable(" ".join(text.split()))
        excerpt = shown if len(shown) <= _EXCERPT else f"{shown[:_EXCERPT].rstrip()}…"
        return _counted(text, quantity, f'"{excerpt}"', "")


def prompt_file(value: dict[str, Any], quantity: Quantity, around: FileContext) -> Estimate:
    """The tokens of `{file: …}`. Raises `BadValueError`."""
    name = value["file"]
    if isinstance(name, str) and name.lower().endswith(".csv"):
        hint = "give both file and column; rename a prompt that ends in .csv, to .txt"
        raise BadValueError("the key 'column' is missing", hint, code="missing-key", on_key=True)
    with within("file"):
        if not isinstance(name, str) or not name.strip():
            raise BadValueError("expected the name of a text file", "as in file: prompts/system.md")
        missing = "name a text file by its path from the folder of the workflow file"
        text = named_text(name, around.folder / name, "*", missing, "count it with 'planner tokens'")
        return _counted(text, quantity, name, name)


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
