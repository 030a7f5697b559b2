"""The text of a YAML file in, plain data and the position of every key and value out. YAML runs no code here.

Scalars follow the YAML 1.2 core schema: `no` and `12:30` are text. A mapping may have each key only once. Size, depth
and the expansion of aliases are limited. The file is read as a stream of events, so that deep nesting cannot exhaust
the call stack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

import yaml

from planner.errors import (
    MOST_PROBLEMS,
    InputError,
    Position,
    Problem,
    did_you_mean,
)
from planner.reading.files.text_file import check_characters, split_lines
from planner.reading.yaml.source_map import Document, KeyPath, Span
from planner.reading.yaml.syntax_errors import comma_in_number, explain

MOST_NODES = 100_000
"""Most values in a file, with aliases expanded."""
MOST_DEPTH = 50
"""Deepest nesting, with aliases expanded."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,30}|0x[0-9a-fA-F]{1,16}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_SPACES = dict.fromkeys(map(ord, "\x85\u2028\u2029"), " ")
"""Characters that end a line in YAML 1.1, but neither in YAML 1.2 nor in an editor. They are read as spaces."""
_STANDARD_TAG = "tag:yaml.org,2002:"


def parse_yaml(text: str, file: str = "<text>") -> Document:
    """Parse the text of a YAML file.

    file : name of the file in positions

    Raises `InputError` if a mistake makes the rest of the file unreadable. Other mistakes are in `Document.problems`.
    """
    check_characters(text, file)
    builder = _Builder(text, file)
    try:
        for event in yaml.parse(text.translate(_SPACES), Loader=_LOADER):
            if isinstance(event, yaml.DocumentStartEvent) and builder.document.values:
                builder.add_problem(
                    "a second document begins here", event, "remove '---'; a file contains only one document"
                )
                break
            builder.handle(event)
    except yaml.MarkedYAMLError as error:
        builder.refuse_syntax(error)
    builder.document.values.setdefault((), Position(file, 1, 1, 1, builder.lines[0]))
    return builder.document


@dataclass
class _Node:
    """A YAML value that has been read completely. An alias can refer to this value.

    text : text of a scalar as written; None for a mapping or a sequence
    nodes : number of values inside this value, plus 1 for the value itself
    height : levels of nesting in this value; 0 for a scalar
    """

    value: Any
    text: str | None
    nodes: int
    height: int
    span: Span


@dataclass
class _Collection:
    """A YAML mapping or sequence that is being read.

    key : for a mapping, the key whose value comes next; None if a key comes next
    merging : whether `key` is the merge key `<<`
    is_key : whether the collection is used as a key of a mapping, which is a mistake
    merged : mappings that the key `<<` merges into this mapping, each with its position
    """

    value: dict[str, Any] | list[Any]
    path: KeyPath
    place: Position
    anchor: str | None
    is_key: bool
    nodes: int = 1
    height: int = 1
    key: str | None = None
    merging: bool = False
    merged: list[tuple[dict[str, Any], Position]] = field(default_factory=list)

    @property
    def wants_key(self) -> bool:
        return isinstance(self.value, dict) and self.key is None


class _Builder:
    """Builder that makes a `Document` from the events of a YAML parser."""

    def __init__(self, text: str, file: str) -> None:
        self.lines = split_lines(text)
        self.document = Document(file)
        self.stack: list[_Collection] = []
        self.anchors: dict[str, _Node | None] = {}

    def place(self, start: Any, end: Any) -> Position:
        if start.line >= len(self.lines):  # after a comment at the end, the parser counts one more line
            text = self.lines[-1]
            return Position(self.document.file, len(self.lines), len(text) + 1, 1, text)
        text = self.lines[start.line]
        width = end.column - start.column if end.line == start.line else len(text) - start.column
        return Position(self.document.file, start.line + 1, start.column + 1, max(1, width), text)

    def add_problem(self, message: str, event: Any, hint: str | None = None, code: str = "yaml-syntax") -> None:
        """Add a problem to the document. The reading continues.

        event : parser event at which the problem is reported
        """
        if len(self.document.problems) < MOST_PROBLEMS:
            self.document.problems.append(Problem(code, message, self.place(event.start_mark, event.end_mark), hint))

    def refuse(self, message: str, event: Any) -> NoReturn:
        """Stop reading, because the file exceeds a limit. Always raises `InputError`.

        event : parser event at which the problem is reported
        """
        place = self.place(event.start_mark, event.end_mark)
        raise InputError([*self.document.problems, Problem("too-large", message, place)])

    def refuse_syntax(self, error: yaml.MarkedYAMLError) -> NoReturn:
        """Stop reading, because the rest of the file is unreadable. Always raises `InputError`.

        error : error of the YAML parser
        """
        mistake = explain(error, self.lines, self.stack[-1].place if self.stack else None)
        place = Position(self.document.file, mistake.line + 1, mistake.column + 1, 1, self.lines[mistake.line])
        problem = Problem("yaml-syntax", mistake.message, place, mistake.hint)
        raise InputError([*self.document.problems, problem]) from None

    def handle(self, event: Any) -> None:
        parent = self.stack[-1] if self.stack else None
        if isinstance(event, yaml.ScalarEvent):
            self.check_tag(event)
            value = resolve_scalar(event.value) if event.implicit[0] else event.value
            anchor = _Node(value, event.value, 1, 0, _span(event.start_mark, event.end_mark))
            if parent and parent.wants_key:
                self.key(parent, event.value, event, plain=event.implicit[0])
            else:
                self.add(anchor, event)
            if event.anchor:
                self.anchors[event.anchor] = anchor
        elif isinstance(event, yaml.AliasEvent):
            self.alias(parent, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.open(parent, event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.close(event)

    def check_tag(self, event: Any) -> None:
        if event.tag in (None, "!") or (isinstance(event, yaml.ScalarEvent) and event.tag == f"{_STANDARD_TAG}str"):
            return
        shown = event.tag.replace(_STANDARD_TAG, "!!", 1)
        self.add_problem(f"the tag {shown} is not supported", event, "remove the tag")
        self.document.unreadable.add(self.path())

    def alias(self, parent: _Collection | None, event: Any) -> None:
        target = self.anchors.get(event.anchor)
        if target is None:
            if event.anchor in self.anchors:
                message, hint = f"the value of '&{event.anchor}' cannot contain the alias '*{event.anchor}'", None
            else:
                message, hint = (
                    f"unknown alias '*{event.anchor}'",
                    did_you_mean(f"*{event.anchor}", (f"*{anchor}" for anchor in self.anchors), "alias"),
                )
            self.add_problem(message, event, hint)
        if parent and parent.wants_key:
            if target is None or target.text is None:
                if target is not None:
                    self.add_problem("a key must be plain text", event)
                self.skip_key(parent, self.place(event.start_mark, event.end_mark))
            else:
                self.key(parent, target.text, event)
        elif target is None:
            self.document.unreadable.add(self.path())
            self.add(_Node(None, None, 1, 0, _span(event.start_mark, event.end_mark)), event)
        else:
            self.document.aliases[event.start_mark.line + 1, event.start_mark.column + 1] = target.span
            self.add(target, event)

    def key(self, parent: _Collection, name: str, event: Any, plain: bool = False) -> None:
        place = self.place(event.start_mark, event.end_mark)
        number = comma_in_number(place.text, event.start_mark.column, event.end_mark.column) if plain else None
        if number is not None:
            name = self.number_with_comma(parent, place, *number)
        path = (*parent.path, name)
        parent.key, parent.merging = name, plain and name == "<<"
        if name in parent.value:
            hint = f"remove one of the two keys; the first is on line {self.document.keys[path].line}"
            self.add_problem(f"duplicate key '{name}'", event, hint, "duplicate-key")
        self.document.keys[path] = place

    def number_with_comma(self, parent: _Collection, place: Position, column: int, number: str, hint: str) -> str:
        """Report a number with a comma in a mapping, and return a substitute key.

        For example, the YAML parser reads `{time: 1,5}` as two keys: `time` and `5`. The substitute key replaces the
        key `5`. The values of `time` and of the substitute key are marked as unreadable.

        column : first column of the number, from 0
        """
        marked = replace(place, column=column + 1, width=len(number))
        problem = Problem("bad-value", "a number cannot contain a comma", marked, hint)
        if problem not in self.document.problems and len(self.document.problems) < MOST_PROBLEMS:
            self.document.problems.append(problem)
        made_up = f"\0{len(self.document.unreadable)}"
        assert isinstance(parent.value, dict)
        first = next(reversed(parent.value), made_up)
        self.document.unreadable |= {(*parent.path, first), (*parent.path, made_up)}
        return made_up

    def skip_key(self, parent: _Collection, place: Position) -> None:
        """Use a substitute for an unusable key of a mapping. The value of the key is then still checked.

        place : position of the unusable key
        """
        parent.key = f"\0{len(self.document.unreadable)}"
        path = (*parent.path, parent.key)
        self.document.keys[path] = place
        self.document.unreadable |= {path, parent.path} - {()}

    def open(self, parent: _Collection | None, event: Any) -> None:
        is_key = parent is not None and parent.wants_key
        if is_key:
            template = "templates with '{{ }}' are not supported; write a value, or an expression such as '= tokens'"
            line = self.lines[event.start_mark.line]
            hint = template if line[: event.start_mark.column].rstrip().endswith("{") else None
            self.add_problem("a key must be plain text", event, hint)
        self.check_tag(event)
        if len(self.stack) >= MOST_DEPTH:
            self.refuse(f"values are nested more than {MOST_DEPTH} levels deep", event)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path, place = self.path(), self.place(event.start_mark, event.end_mark)
        self.document.values[path] = place
        if event.anchor:
            self.anchors[event.anchor] = None  # an alias cannot refer to a value that is incomplete
        self.stack.append(_Collection(value, path, place, event.anchor, is_key))

    def close(self, event: Any) -> None:
        closed = self.stack.pop()
        for mapping, place in closed.merged:
            assert isinstance(closed.value, dict)
            for key, value in mapping.items():
                if key not in closed.value:
                    closed.value[key] = value
                    self.document.keys[*closed.path, key] = self.document.values[*closed.path, key] = place
        start = (closed.place.line, closed.place.column)
        end = (event.end_mark.line + 1, event.end_mark.column + 1)
        anchor = _Node(closed.value, None, closed.nodes, closed.height, (start, end))
        if closed.anchor:
            self.anchors[closed.anchor] = anchor
        if closed.is_key:
            self.skip_key(self.stack[-1], closed.place)
        else:
            self.add(anchor, event, closed.place)

    def path(self) -> KeyPath:
        if not self.stack:
            return ()
        parent = self.stack[-1]
        return (*parent.path, len(parent.value) if parent.key is None else parent.key)

    def add(self, node: _Node, event: Any, place: Position | None = None) -> None:
        """Add a complete value to the mapping or sequence that is being read."""
        path = self.path()
        place = self.document.values[path] = place or self.place(event.start_mark, event.end_mark)
        if not self.stack:
            self.document.data = node.value
            return
        parent = self.stack[-1]
        parent.nodes += node.nodes
        parent.height = max(parent.height, node.height + 1)
        if parent.nodes > MOST_NODES:
            self.refuse(f"the file has over {MOST_NODES:,} values if each alias is replaced by its contents", event)
        if len(self.stack) + node.height > MOST_DEPTH:
            self.refuse(
                f"values are nested more than {MOST_DEPTH} levels deep if each alias is replaced by its contents", event
            )
        if parent.merging:
            mappings = node.value if isinstance(node.value, list) else [node.value]
            if all(isinstance(mapping, dict) for mapping in mappings):
                places = [self.document.value(*path, index) or place for index in range(len(mappings))]
                parent.merged += zip(mappings, places, strict=True)
            else:
                if path not in self.document.unreadable:
                    self.add_problem("'<<' needs a mapping or a list of mappings", event)
                self.document.unreadable.add(parent.path)
        else:
            if (
                node.value is None
                and path not in self.document.unreadable
                and not any(collection.is_key for collection in self.stack)
            ):
                self.document.nothing[path] = self.document.keys.get(path, place)
            if isinstance(parent.value, list):
                parent.value.append(node.value)
            elif parent.key is not None:
                parent.value[parent.key] = node.value
        parent.key, parent.merging = None, False


def _span(start: Any, end: Any) -> Span:
    return (start.line + 1, start.column + 1), (end.line + 1, end.column + 1)


def resolve_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar by the YAML 1.2 core schema.

    Octal numbers such as `0o17` remain text.
    """
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return text[0] in "tT"
    if _INTEGER.fullmatch(text):
        return int(text, 16) if text.startswith("0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return text
