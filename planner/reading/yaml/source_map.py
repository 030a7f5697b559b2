"""The data of a file, with the position of every key and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.errors import Position, Problem

KeyPath = tuple[str | int, ...]
Span = tuple[tuple[int, int], tuple[int, int]]
"""Start and end, each as line and column, both from 1."""


@dataclass
class Document:
    """The data of a file: mappings with text keys, sequences and scalars, and the positions of all of them.

    problems : mistakes that did not stop the reading
    unreadable : paths at which `data` holds a placeholder for an unreadable value
    nothing : path of each missing value → position of its key, or of the list item
    aliases : line and column of each alias → span of the value that the alias refers to
    """

    file: str
    data: Any = None
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: set[KeyPath] = field(default_factory=set)
    nothing: dict[KeyPath, Position] = field(default_factory=dict)
    aliases: dict[tuple[int, int], Span] = field(default_factory=dict)

    def key(self, *path: str | int) -> Position | None:
        """Position of the key at `path`; if there is no such key, that of the innermost value on the path."""
        return self.keys.get(path) or self.value(*path)

    def value(self, *path: str | int) -> Position | None:
        """Position of the value at `path`; if there is no such value, that of the innermost value on the path."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path)
