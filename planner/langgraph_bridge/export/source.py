"""Write Python source of at most 88 columns, formatted like the output of Black and Ruff."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Iterator, Sequence

from planner.reading.estimates.estimate import Estimate
from planner.reading.estimates.forms import ByModel
from planner.reading.fields import Declared
from planner.workflow.bodies import (
    AgentLoop,
    Call,
    Llm,
    Wait,
)
from planner.workflow.declaration import Step

WIDTH = 88


def call(start: str, arguments: Sequence[str], end: str = ")") -> list[str]:
    """Return the source lines of a call or a literal.

    If the whole call fits on one line, return one line. Otherwise, put all arguments on the next line if they fit
    there. If they do not fit, put each argument on its own line.
    """
    line = f"{start}{', '.join(arguments)}{end}"
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= WIDTH or not arguments:
        return [line]
    inner = f"{indent}    {', '.join(arguments)}"
    literal = end[0] in "]}" and len(arguments) > 1
    if len(inner) <= WIDTH and not literal:
        return [start, inner, f"{indent}{end}"]
    return [start, *(f"{indent}    {argument}," for argument in arguments), f"{indent}{end}"]


def comment(text: str) -> list[str]:
    """Return a comment as wrapped source lines."""
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)


def docstring(text: str, lines: Sequence[str] = (), indent: str = "    ") -> list[str]:
    """Return the source lines of a docstring: the summary `text`, a blank line, and `lines`."""
    summary = _docstring_text(text)
    if not lines and len(summary) + len(indent) + 6 <= WIDTH:
        return [f'{indent}"""{summary}"""']
    wrapped = textwrap.wrap(summary, WIDTH - len(indent) - 3, break_long_words=False)
    result = [f'{indent}"""{wrapped[0]}', *(indent + line for line in wrapped[1:])]
    if lines:
        result.append("")
    for line in lines:
        result += textwrap.wrap(
            _docstring_text(line), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
        )
    return [*result, f'{indent}"""']


def _docstring_text(text: str) -> str:
    """Return the text without the characters that would end or break a docstring."""
    clean = " ".join(text.split()).replace("\\", "/").replace('"""', "'''")
    return f"{clean[:-1]}'" if clean.endswith('"') else clean


def text(value: str) -> str:
    """Return a string as a Python literal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Names:
    """Identifiers of a module, each used once. An identifier `NAME` also reserves `NAME_graph` for a function."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)

    def unique(self, *words: str) -> str:
        """Return an unused identifier.

        If the last word is unused, return it. Otherwise put the words before it in front, one by one, and finally add a
        number.
        """
        clean = [re.sub(r"\W", "_", word).lower().strip("_") or "step" for word in words]
        clean = [f"step_{word}" if word[0].isdigit() else word for word in clean]
        candidates = ["_".join(clean[first:]) for first in reversed(range(len(clean)))]
        candidates += [f"{candidates[-1]}_{number}" for number in range(2, len(self.taken) + 3)]
        for name in candidates:
            safe = f"{name}_" if keyword.iskeyword(name) or not name.isidentifier() else name
            both = {safe, f"{safe}_graph"}
            if safe.isidentifier() and not both & self.taken:
                self.taken |= both
                return safe
        raise AssertionError("there is always another number")


def estimates(step: Step, model: str | None) -> Iterator[str]:
    """Yield a line of text for each estimate of a step, such as ``output: 2k to 6k tokens``."""
    body = step.llm or step.agent or step.tool or step.human
    if isinstance(body, Llm | AgentLoop) and model is not None:
        yield f"model: {model}"
    if body is not None:
        yield from _fields(body, "")
    if step.chance is not None:
        yield f"chance that it runs: {step.chance:.3g}"
    if step.success is not None:
        yield f"chance that it succeeds: {step.success:.3g}"
    if step.retry is not None:
        yield f"chance that an attempt fails: {step.retry.chance:.3g}, at most {step.retry.at_most} attempts"
        yield from _fields(step.retry, "retry ", ("wait",))


def _fields(body: Declared, prefix: str, only: tuple[str, ...] = ()) -> Iterator[str]:
    for name in only or type(body).model_fields:
        value = getattr(body, name)
        if isinstance(value, Declared):
            yield from _fields(value, f"{prefix}{name} ")
        elif isinstance(value, Estimate | ByModel) or (only and value is not None):
            text = str(value)
            if text != "0" and not (name == "calls" and text == "1"):
                yield f"{prefix}{name}: {text}{_unit(body, name)}"
        elif value is not None:
            yield f"{prefix}{name}: {value}"


def _unit(body: Declared, name: str) -> str:
    """Return the unit to add to an estimate, or an empty text.

    Only numbers of tokens need a unit: times have units in the file, and counts have no unit.
    """
    counted = name in ("turns", "calls") or isinstance(body, Call | Wait)
    return "" if counted or name in ("time", "after", "back", "wait") else " tokens"
