"""The data of a file, with the position of every key and value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.errors import Position, Problem

KeyPath = tuple[str | int, ...]
Span = tuple[tuple[int, int], tuple[int, int]]
"""Start and end of a value. Each is a pair of line and column, which count from 1."""


@dataclass
class Document:
    """Data of a YAML file, with the position of every key and value.

    data : mappings with text keys, sequences and scalars
    problems : mistakes after which the reading continued
    unreadable : paths of unreadable values; `data` has placeholders for these values
    nothing : path of each missing value → position of its key or list item
    aliases : line and column of each alias → start and end of the value that the alias refers to
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
        """Return the position of the key at `path`.

        If there is no such key, return the position of the innermost existing value on the path.
        """
        return self.keys.get(path) or self.value(*path)

    def value(self, *path: str | int) -> Position | None:
        """Return the position of the value at `path`.

        If there is no such value, return the position of the innermost existing value on the path.
        """
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path)
