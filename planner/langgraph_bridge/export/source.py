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

    The first layout that fits is used:

    - all code on one line;
    - all arguments on a second line (not for literals with several entries);
    - each argument on its own line.
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
    """Return the source lines of a comment, wrapped at `WIDTH` columns."""
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)


def docstring(text: str, lines: Sequence[str] = (), indent: str = "    ") -> list[str]:
    """Return the source lines of a docstring. It consists of a summary and, after a blank line, further lines.

    text : the summary
    lines : the further lines
    """
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
    """Return a text for a docstring. Quotes and backslashes that would end or break the docstring are replaced."""
    clean = " ".join(text.split()).replace("\\", "/").replace('"""', "'''")
    return f"{clean[:-1]}'" if clean.endswith('"') else clean


def text(value: str) -> str:
    """Return the Python literal of a string, in double quotes."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def tuple_of(literals: Sequence[str]) -> str:
    """Return the Python source of a tuple. Only a tuple with one entry has a comma at its end, as formatters want."""
    return f"({literals[0]},)" if len(literals) == 1 else f"({', '.join(literals)})"


class Names:
    """The identifiers that a module already uses. With an identifier `NAME`, `NAME_graph` is reserved too."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)

    def unique(self, *words: str) -> str:
        """Return an identifier that the module does not use yet, and reserve it.

        For example, the words "a", "b" give `b`. If `b` is used, they give `a_b`, then `a_b_2`, `a_b_3` and so on.
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
        elif value is not None and value is not False:
            yield f"{prefix}{name}: {value}"


def _unit(body: Declared, name: str) -> str:
    """Return the unit that follows the text of an estimate: " tokens" or an empty text.

    Texts of times already contain a unit, and counts have no unit.
    """
    counted = name in ("turns", "calls") or isinstance(body, Call | Wait)
    return "" if counted or name in ("time", "after", "back", "wait") else " tokens"
