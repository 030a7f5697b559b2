"""Python source, laid out as its usual formatters do at 88 columns."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Sequence

WIDTH = 88


def call(start: str, arguments: Sequence[str], end: str = ")") -> list[str]:
    """A call on one line, or with its arguments on one line, or on a line each."""
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
    """Lines of a comment."""
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="#   ", break_long_words=False)


def docstring(text: str, lines: Sequence[str] = (), indent: str = "    ") -> list[str]:
    """A docstring: a sentence, then lines."""
    said = _plain(text)
    if not lines and len(said) + len(indent) + 6 <= WIDTH:
        return [f'{indent}"""{said}"""']
    wrapped = textwrap.wrap(said, WIDTH - len(indent) - 3, break_long_words=False)
    found = [f'{indent}"""{wrapped[0]}', *(indent + line for line in wrapped[1:])]
    if lines:
        found.append("")
    for line in lines:
        found += textwrap.wrap(
            _plain(line), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_long_words=False
        )
    return [*found, f'{indent}"""']


def _plain(text: str) -> str:
    """Text that may stand in a docstring."""
    said = " ".join(text.split()).replace("\\", "/").replace('"""', "'''")
    return f"{said[:-1]}'" if said.endswith('"') else said


def text(value: str) -> str:
    """A string literal."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Names:
    """Identifiers of a module, each given out once, with that of the graph that may belong to it."""

    def __init__(self, taken: Sequence[str]) -> None:
        self.taken = set(taken)

    def of(self, *words: str) -> str:
        """From the last of some names, with those before it where it is taken already."""
        clean = [re.sub(r"\W", "_", word).lower().strip("_") or "step" for word in words]
        clean = [f"step_{word}" if word[0].isdigit() else word for word in clean]
        candidates = ["_".join(clean[at:]) for at in reversed(range(len(clean)))]
        candidates += [f"{candidates[-1]}_{number}" for number in range(2, len(self.taken) + 3)]
        for name in candidates:
            safe = f"{name}_" if keyword.iskeyword(name) or not name.isidentifier() else name
            both = {safe, f"{safe}_graph"}
            if safe.isidentifier() and not both & self.taken:
                self.taken |= both
                return safe
        raise AssertionError("there is always another number")
