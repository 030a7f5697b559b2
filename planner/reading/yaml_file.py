"""A YAML file in, plain data and the position of every key and value out. YAML runs no code here.

Scalars follow the YAML 1.2 core schema (`no` and `12:30` are text), a key may appear once, and size, depth and
what aliases expand to are limited. The file is read as a stream of events, so that no nesting exhausts a stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from planner.errors import InputError, Position, Problem, did_you_mean

KeyPath = tuple[str | int, ...]

BYTES = 1_000_000
"""Largest file that is read."""
NODES = 100_000
"""Most values a file may hold, with aliases expanded."""
DEPTH = 50
"""Deepest nesting."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass
class Document:
    """The data of a file: mappings with text keys, sequences and scalars, and where each stands."""

    file: str
    data: Any
    keys: dict[KeyPath, Position] = field(default_factory=dict)
    values: dict[KeyPath, Position] = field(default_factory=dict)

    def key(self, *path: str | int) -> Position | None:
        """Where the key at `path` stands, else the nearest thing around it."""
        return self.keys.get(path) or self.value(*path)

    def value(self, *path: str | int) -> Position | None:
        """Where the value at `path` stands, else the nearest thing around it."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path)


def read_text(path: Path) -> str:
    """The text of a file of at most `BYTES` bytes of UTF-8. Raises InputError."""
    place = Position(str(path), 1, 1)
    try:
        with path.open("rb") as file:
            content = file.read(BYTES + 1)
    except OSError as error:
        hint = None
        if isinstance(error, FileNotFoundError) and path.parent.is_dir():
            near = did_you_mean(path.name, (other.name for other in path.parent.glob("*.y*ml")))
            hint = near if near and near.startswith("did") else None
        raise InputError([Problem("unreadable", f"cannot read the file: {error.strerror}", place, hint)]) from None
    if len(content) > BYTES:
        hint = "is this a workflow? Large data belongs in a file of its own"
        raise InputError([Problem("too-large", f"the file is over the limit of {BYTES:,} bytes", place, hint)])
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8-sig")
        place = Position(str(path), good.count("\n") + 1, len(good) - (good.rfind("\n") + 1) + 1)
        hint = "save the file as UTF-8"
        raise InputError(
            [Problem("not-utf-8", f"byte 0x{content[error.start]:02x} is not UTF-8", place, hint)]
        ) from None


def read_yaml(path: Path) -> Document:
    """Read a YAML file. Raises InputError with the first syntax error, or every duplicate key."""
    return parse_yaml(read_text(path), str(path))


def parse_yaml(text: str, file: str = "<text>") -> Document:
    """Parse the text of a YAML file; `file` names it in positions. Raises InputError."""
    builder = _Builder(text, file)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        builder.refuse_syntax(error)
    except yaml.reader.ReaderError as error:
        good = text[: error.position]
        place = Position(file, good.count("\n") + 1, len(good) - (good.rfind("\n") + 1) + 1)
        raise InputError([Problem("yaml-syntax", f"YAML: {error.reason}", place)]) from None
    if builder.problems:
        raise InputError(builder.problems)
    return builder.document


@dataclass
class _Open:
    """A mapping or sequence that is being read."""

    value: dict[str, Any] | list[Any]
    path: KeyPath
    anchor: str | None
    nodes: int = 1
    key: str | None = None
    merged: list[Any] = field(default_factory=list)


class _Builder:
    """Builds a `Document` from parser events, with a stack of its own."""

    def __init__(self, text: str, file: str) -> None:
        self.lines = text.splitlines()
        self.document = Document(file, None)
        self.problems: list[Problem] = []
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[Any, int] | None] = {}
        self.documents = 0

    def place(self, start: Any, end: Any) -> Position:
        text = self.lines[start.line] if start.line < len(self.lines) else ""
        width = end.column - start.column if end.line == start.line else len(text) - start.column
        return Position(self.document.file, start.line + 1, start.column + 1, max(1, width), text)

    def refuse(self, code: str, message: str, event: Any, hint: str | None = None) -> None:
        """Stop at what makes the rest unreadable."""
        raise InputError([*self.problems, Problem(code, message, self.place(event.start_mark, event.end_mark), hint)])

    def refuse_syntax(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line = self.lines[mark.line] if mark and mark.line < len(self.lines) else ""
        place = self.place(mark, mark) if mark else None
        hint = None
        if mark and "\t" in line[: mark.column + 1]:
            hint = "indent with spaces: YAML allows no tabs there"
        elif line.count(": ") > 1:
            hint = "a value that contains ': ' needs quotes"
        raise InputError(
            [*self.problems, Problem("yaml-syntax", f"YAML: {error.problem or error.context}", place, hint)]
        ) from None

    def take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.refuse(
                    "yaml-syntax", "a second YAML document begins here", event, "one workflow a file: remove '---'"
                )
        elif isinstance(event, yaml.ScalarEvent):
            self.scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            target = self.anchors.get(event.anchor)
            if target is None:
                self.refuse(
                    "yaml-syntax", f"alias '*{event.anchor}' points to nothing before it, or into itself", event
                )
            else:
                self.add(target[0], target[1], event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.close(event)

    def scalar(self, event: yaml.ScalarEvent) -> None:
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            self.refuse("yaml-syntax", f"the tag {event.tag} is not supported", event, "remove it")
        parent = self.stack[-1] if self.stack else None
        if parent and isinstance(parent.value, dict) and parent.key is None:
            self.key(parent, event)
            return
        value = resolve(event.value) if event.implicit[0] else event.value
        self.add(value, 1, event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)

    def key(self, parent: _Open, event: yaml.ScalarEvent) -> None:
        place = self.place(event.start_mark, event.end_mark)
        path = (*parent.path, event.value)
        if event.value in parent.value and event.value != "<<":
            first = self.document.keys[path].line
            self.problems.append(
                Problem(
                    "duplicate-key",
                    f"the key '{event.value}' is here twice",
                    place,
                    f"it was first given in line {first}",
                )
            )
        parent.key = event.value
        self.document.keys[path] = place

    def open(self, event: Any) -> None:
        if event.tag not in (None, "!"):
            self.refuse("yaml-syntax", f"the tag {event.tag} is not supported", event, "remove it")
        if len(self.stack) >= DEPTH:
            self.refuse("too-large", f"nested over {DEPTH} deep", event)
        parent = self.stack[-1] if self.stack else None
        if parent and isinstance(parent.value, dict) and parent.key is None:
            self.refuse("yaml-syntax", "a key must be plain text", event)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self.path()
        self.document.values[path] = self.place(event.start_mark, event.end_mark)
        if event.anchor:
            self.anchors[event.anchor] = None  # not to be used until it is complete
        self.stack.append(_Open(value, path, event.anchor))

    def close(self, event: Any) -> None:
        done = self.stack.pop()
        if isinstance(done.value, dict):
            for mapping in done.merged:
                for key, value in mapping.items():
                    done.value.setdefault(key, value)
        if done.anchor:
            self.anchors[done.anchor] = (done.value, done.nodes)
        self.add(done.value, done.nodes, event, placed=True)

    def path(self) -> KeyPath:
        if not self.stack:
            return ()
        parent = self.stack[-1]
        return (*parent.path, len(parent.value) if parent.key is None else parent.key)

    def add(self, value: Any, nodes: int, event: Any, placed: bool = False) -> None:
        """Put a finished value into what is open."""
        if not placed:
            self.document.values[self.path()] = self.place(event.start_mark, event.end_mark)
        if not self.stack:
            self.document.data = value
            return
        parent = self.stack[-1]
        parent.nodes += nodes
        if parent.nodes > NODES:
            self.refuse("too-large", f"over {NODES:,} values, counting what aliases stand for", event)
        if isinstance(parent.value, list):
            parent.value.append(value)
        elif parent.key is None:
            self.refuse("yaml-syntax", "a key must be plain text", event)
        else:
            if parent.key == "<<":
                mappings = value if isinstance(value, list) else [value]
                if not all(isinstance(mapping, dict) for mapping in mappings):
                    self.refuse("yaml-syntax", "'<<' takes a mapping or a list of mappings", event)
                parent.merged += mappings
            else:
                parent.value[parent.key] = value
            parent.key = None


def resolve(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by the YAML 1.2 core schema, less octal numbers."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text[0] in "tT"
    if _INTEGER.fullmatch(text):
        return int(text, 16) if text.startswith("0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
