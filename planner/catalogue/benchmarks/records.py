"""The path of a result file in, its JSON objects out. Each object can locate its keys in the file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.errors import (
    MOST_PROBLEMS,
    Position,
    Problem,
    printable,
)
from planner.reading.files.access import read_regular, unreadable

MOST_RESULT_BYTES = 50_000_000
"""Size limit of a result file."""

MOST_BRACKETS = 500_000
"""Most objects and lists in a file. Even empty objects and lists take memory."""

FORMATS = "vLLM bench, SGLang, InferenceX, AIPerf (profile_export.jsonl) or LLMPerf"
_SHOWN_LINE = 100_000
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Problems:
    """Problems of result files. Only the first `MOST_PROBLEMS` problems are kept.

    more : whether there were further problems
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.more = False

    @property
    def full(self) -> bool:
        """Whether the limit on the number of problems is reached."""
        return len(self.problems) >= MOST_PROBLEMS

    def add(self, code: str, message: str, place: Position | None, hint: str | None = None) -> None:
        """Add a problem. If the limit is reached, only set `more`."""
        if self.full:
            self.more = True
        else:
            self.problems.append(Problem(code, message, place, hint))


@dataclass
class Source:
    """A result file.

    file : path of the file
    text : text of the file
    """

    file: str
    text: str = field(repr=False)

    def place(self, offset: int, width: int = 1) -> Position:
        """Return the position of a character in the file.

        The position includes the text of the line, unless the line is too long.

        offset : offset of the character
        width : number of characters to mark
        """
        number = self.text.count("\n", 0, offset) + 1
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        end = end if end >= 0 else len(self.text)
        line = self.text[start:end].rstrip("\r") if end - start <= _SHOWN_LINE else ""
        return Position(self.file, number, offset - start + 1, width, line)


@dataclass(frozen=True)
class Record:
    """One JSON object in a result file.

    number : number of the record in the file, from 1
    start, end : offsets of the record in the text of the file
    """

    source: Source
    number: int
    data: dict[str, Any]
    start: int
    end: int

    def place(self, *keys: str) -> Position:
        """Return the position of a nested key in the file.

        If the key does not exist, return the position of the innermost existing key, or else of the record.

        keys : path to the key, from the outermost key
        """
        offset, width = self.start, 1
        for key in keys:
            quoted = json.dumps(key, ensure_ascii=False)
            start = self.source.text.find(quoted, offset, self.end)
            if start < 0:
                break
            offset, width = start, len(quoted)
        return self.source.place(offset, width)


def read_records(path: Path, problems: Problems) -> list[Record]:
    """Return the JSON objects in a result file.

    The file has one object, a list of objects, or one object after another, as in JSON lines. Invalid JSON, values that
    are not objects, and a file that is too large are reported as problems.
    """
    text = _text(path, problems)
    if text is None:
        return []
    source = Source(str(path), text)
    start = _skip(text, 0)
    if start == len(text):
        problems.add("bad-value", "the file is empty", Position(source.file), f"expected a result of {FORMATS}")
    elif text[start] not in "{[":
        shown = printable(text[start : start + 30].split("\n")[0])
        message = f"the file is not JSON: it begins with '{shown}'"
        problems.add("bad-value", message, source.place(start), f"expected a result of {FORMATS}")
    elif text.count("{") + text.count("[") > MOST_BRACKETS:
        message = f"the file has over {MOST_BRACKETS:,} objects and lists"
        problems.add("too-large", message, Position(source.file), "split the file, and give one part")
    elif text[start] == "[":
        return _list(source, start + 1, problems)
    else:
        return _sequence(source, start, problems)
    return []


def _text(path: Path, problems: Problems) -> str | None:
    place = Position(str(path))
    try:
        content = read_regular(path, MOST_RESULT_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = unreadable(path, error, None)
        problems.add(problem.code, problem.message, place, problem.hint)
        return None
    if len(content) > MOST_RESULT_BYTES:
        hint = "give the summary of the run, or a part of its requests"
        problems.add("too-large", f"the file is over the limit of {MOST_RESULT_BYTES:,} bytes", place, hint)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        hint = f"expected a result of {FORMATS}: JSON in UTF-8"
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        problems.add("not-utf-8", f"byte 0x{wrong:02x} is not UTF-8", Position(place.file, line, column), hint)
        return None


def _sequence(source: Source, offset: int, problems: Problems) -> list[Record]:
    """Return the records of a text with one JSON object after another.

    After an unreadable object, continue at the next line that begins with '{'.

    offset : offset of the first object
    """
    records: list[Record] = []
    number = 0
    while offset < len(source.text) and not problems.full:
        number += 1
        record, end = _record(source, offset, number, problems)
        if record is not None:
            records.append(record)
        if end is None:
            next_line = source.text.find("\n{", offset)
            if next_line < 0:
                break
            end = next_line + 1
        offset = _skip(source.text, end)
    return records


def _list(source: Source, offset: int, problems: Problems) -> list[Record]:
    """Return the records of a JSON list.

    offset : offset of the text after '['
    """
    text, records = source.text, list[Record]()
    offset = _skip(text, offset)
    number = 0
    while not problems.full:
        if offset < len(text) and text[offset] == "]" and not number:
            problems.add("bad-value", "the list is empty", source.place(offset), f"expected a result of {FORMATS}")
            break
        number += 1
        record, end = _record(source, offset, number, problems)
        if record is not None:
            records.append(record)
        if end is None:
            break
        offset = _skip(text, end)
        if offset < len(text) and text[offset] == ",":
            offset = _skip(text, offset + 1)
            continue
        rest = _skip(text, offset + 1)
        if offset >= len(text):
            problems.add(
                "bad-value", "the file ends within a list", source.place(offset), "copy the complete file again"
            )
        elif text[offset] != "]":
            problems.add("bad-value", "not JSON: expected ',' or ']'", source.place(offset))
        elif rest < len(text):
            problems.add("bad-value", "not JSON: there is text after the list", source.place(rest))
        break
    return records


def _record(source: Source, offset: int, number: int, problems: Problems) -> tuple[Record | None, int | None]:
    """Return the record at `offset`, and the offset at which it ends.

    The record is None if the value at `offset` is not an object. The record and the offset are None if the value is
    unreadable.

    number : number of the record in the file, from 1
    """
    try:
        value, end = _DECODER.raw_decode(source.text, offset)
    except json.JSONDecodeError as error:
        offset = min(error.pos, len(source.text))
        cut = not source.text[offset:].strip() or error.msg.startswith("Unterminated")
        message = f"record {number} is incomplete" if cut else f"record {number} is not JSON: {error.msg.lower()}"
        hint = "copy the complete file again, or remove the record" if cut else None
        problems.add("bad-value", message, source.place(offset), hint)
        return None, None
    except RecursionError:
        problems.add(
            "bad-value", f"record {number} is nested too deep", source.place(offset), f"expected a result of {FORMATS}"
        )
        return None, None
    except ValueError:  # an integer of over 4300 digits
        problems.add("bad-value", f"record {number} has a number that is too long", source.place(offset))
        return None, None
    if not isinstance(value, dict):
        message = f"record {number} is not an object"
        problems.add("bad-value", message, source.place(offset), f"expected a result of {FORMATS}")
        return None, end
    return Record(source, number, value, offset, end), end


def _skip(text: str, offset: int) -> int:
    """Return the offset of the next character that is not white space."""
    match = _SPACE.match(text, offset)
    return match.end() if match else offset
