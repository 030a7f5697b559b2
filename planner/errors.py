"""What is wrong with an input: a `Problem` with its place, reason and remedy; an `InputError` with all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file: 1-based line and column, the width of what is meant, and the whole line."""

    file: str
    line: int
    column: int
    width: int = 1
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One mistake. `code` names its section in docs/reference/errors.md; `hint` says what to write instead."""

    code: str
    message: str
    position: Position | None = None
    hint: str | None = None

    def __str__(self) -> str:
        place = f"{self.position}: " if self.position else ""
        lines = [f"{place}{self.message} [{self.code}]"]
        if self.position and self.position.text:
            number = str(self.position.line)
            text, before = self.position.text[:200], self.position.text[: self.position.column - 1]
            indent = "".join("\t" if character == "\t" else " " for character in before)
            width = max(1, min(self.position.width, len(text) - len(before)))
            lines += [f"  {number} | {text}", f"  {' ' * len(number)} | {indent}{'^' * width}"]
        if self.hint:
            lines.append(f"  help: {self.hint}")
        return "\n".join(lines)


class InputError(Exception):
    """The input is wrong; the message shows every problem, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.position is None, problem.position or 0)))
        count = len(self.problems)
        summary = f"{count} problem{'s' if count != 1 else ''}"
        super().__init__("\n\n".join([*map(str, self.problems), summary]))


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint for a misspelt name: the nearest known one, else all of them."""
    names = sorted(set(known))
    near = get_close_matches(name, names, 1, 0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"known: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}" if names else None
