"""The data of a file and where all of it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.errors import Position, Problem

KeyPath = tuple[str | int, ...]
Span = tuple[tuple[int, int], tuple[int, int]]
"""Line and column of a beginning and of an end."""


@dataclass
class Document:
    """The data of a file: mappings with text keys, sequences and scalars, and where each stands.

    problems : what is wrong, and did not stop the reading
    unreadable : paths at which `data` holds a stand-in for what could not be read
    nothing : where the key of each value that is left out stands
    aliases : line and column of each alias → where what it stands for begins and ends
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
        """Where the key at `path` stands, else the nearest thing around it."""
        return self.keys.get(path) or self.value(*path)

    def value(self, *path: str | int) -> Position | None:
        """Where the value at `path` stands, else the nearest thing around it."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path)
