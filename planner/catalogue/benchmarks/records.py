"""A result file in, its JSON objects out, each with the place of every key."""

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

MOST_RESULT_BYTES = 50_000_000
"""Largest result file that is read."""

BRACKETS = 500_000
"""Most objects and lists of a file; each takes memory however short it is written."""

KNOWN = "vLLM bench, SGLang, InferenceX, AIPerf (profile_export.jsonl) or LLMPerf"
_SHOWN_LINE = 100_000
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class Complaints:
    """The problems found so far: the first `MOST_PROBLEMS`.

    more : there were others
    """

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.more = False

    @property
    def full(self) -> bool:
        """Whether there is no room for another."""
        return len(self.problems) >= MOST_PROBLEMS

    def add(self, code: str, message: str, place: Position | None, hint: str | None = None) -> None:
        if self.full:
            self.more = True
        else:
            self.problems.append(Problem(code, message, place, hint))


@dataclass
class Source:
    """The text of a file."""

    file: str
    text: str = field(repr=False)

    def place(self, offset: int, width: int = 1) -> Position:
        """The place of a character; of a very long line the text is left out."""
        number = self.text.count("\n", 0, offset) + 1
        start = self.text.rfind("\n", 0, offset) + 1
        end = self.text.find("\n", offset)
        end = end if end >= 0 else len(self.text)
        line = self.text[start:end].rstrip("\r") if end - start <= _SHOWN_LINE else ""
        return Position(self.file, number, offset - start + 1, width, line)


@dataclass(frozen=True)
class Record:
    """One JSON object of a file. number : 1-based; start, end : offsets in the text of the file"""

    source: Source
    number: int
    data: dict[str, Any]
    start: int
    end: int

    def place(self, *keys: str) -> Position:
        """Where the innermost of these nested keys stands; of keys that are not there, the one around them."""
        at, width = self.start, 1
        for key in keys:
            quoted = json.dumps(key, ensure_ascii=False)
            found = self.source.text.find(quoted, at, self.end)
            if found < 0:
                break
            at, width = found, len(quoted)
        return self.source.place(at, width)


def read_records(path: Path, complaints: Complaints) -> list[Record]:
    """The objects of a JSON file: one object, a list of them, or one after the other as in JSON lines.

    What cannot be read is complained about: what is no JSON, no object, over a limit, or nested too deep.
    """
    text = _text(path, complaints)
    if text is None:
        return []
    source = Source(str(path), text)
    start = _skip(text, 0)
    if start == len(text):
        complaints.add("bad-value", "the file is empty", Position(source.file), f"expected a result of {KNOWN}")
    elif text[start] not in "{[":
        shown = printable(text[start : start + 30].split("\n")[0])
        message = f"the file is not JSON: it begins with '{shown}'"
        complaints.add("bad-value", message, source.place(start), f"expected a result of {KNOWN}")
    elif text.count("{") + text.count("[") > BRACKETS:
        message = f"the file has over {BRACKETS:,} objects and lists"
        complaints.add("too-large", message, Position(source.file), "give a part of it")
    elif text[start] == "[":
        return _listed(source, start + 1, complaints)
    else:
        return _in_a_row(source, start, complaints)
    return []


def _text(path: Path, complaints: Complaints) -> str | None:
    place = Position(str(path))
    try:
        with path.open("rb") as stream:
            content = stream.read(MOST_RESULT_BYTES + 1)
    except (OSError, ValueError) as error:
        complaints.add("unreadable", f"cannot read the file: {getattr(error, 'strerror', None) or error}", place)
        return None
    if len(content) > MOST_RESULT_BYTES:
        hint = "give the summary of the run, or a part of its requests"
        complaints.add("too-large", f"the file is over the limit of {MOST_RESULT_BYTES:,} bytes", place, hint)
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        wrong = error.object[error.start]
        hint = f"expected a result of {KNOWN}: JSON in UTF-8"
        line = error.object.count(b"\n", 0, error.start) + 1
        column = error.start - error.object.rfind(b"\n", 0, error.start)
        complaints.add("not-utf-8", f"byte 0x{wrong:02x} is not UTF-8", Position(place.file, line, column), hint)
        return None


def _in_a_row(source: Source, at: int, complaints: Complaints) -> list[Record]:
    """Objects one after the other; where one cannot be read, the next line that begins one goes on."""
    records: list[Record] = []
    number = 0
    while at < len(source.text) and not complaints.full:
        number += 1
        record, end = _one(source, at, number, complaints)
        if record is not None:
            records.append(record)
        if end is None:
            next_line = source.text.find("\n{", at)
            if next_line < 0:
                break
            end = next_line + 1
        at = _skip(source.text, end)
    return records


def _listed(source: Source, at: int, complaints: Complaints) -> list[Record]:
    """The objects of a list."""
    text, records = source.text, list[Record]()
    at = _skip(text, at)
    number = 0
    while not complaints.full:
        if at < len(text) and text[at] == "]" and not number:
            complaints.add("bad-value", "the list is empty", source.place(at), f"expected a result of {KNOWN}")
            break
        number += 1
        record, end = _one(source, at, number, complaints)
        if record is not None:
            records.append(record)
        if end is None:
            break
        at = _skip(text, end)
        if at < len(text) and text[at] == ",":
            at = _skip(text, at + 1)
            continue
        rest = _skip(text, at + 1)
        if at >= len(text):
            complaints.add("bad-value", "the file breaks off within a list", source.place(at), "copy it anew, whole")
        elif text[at] != "]":
            complaints.add("bad-value", "not JSON: expected ',' or ']'", source.place(at))
        elif rest < len(text):
            complaints.add("bad-value", "not JSON: something follows the list", source.place(rest))
        break
    return records


def _one(source: Source, at: int, number: int, complaints: Complaints) -> tuple[Record | None, int | None]:
    """The record that begins at `at`, if it is one, and where it ends, if it can be read at all."""
    try:
        value, end = _DECODER.raw_decode(source.text, at)
    except json.JSONDecodeError as error:
        offset = min(error.pos, len(source.text))
        cut = not source.text[offset:].strip() or error.msg.startswith("Unterminated")
        message = f"record {number} breaks off" if cut else f"record {number} is not JSON: {error.msg.lower()}"
        hint = "copy the file anew, whole; or take the record away" if cut else None
        complaints.add("bad-value", message, source.place(offset), hint)
        return None, None
    except RecursionError:
        complaints.add("bad-value", f"record {number} is nested too deep", source.place(at), f"expected {KNOWN}")
        return None, None
    except ValueError:  # a whole number of over 4300 digits
        complaints.add("bad-value", f"record {number} has a number that is too long", source.place(at))
        return None, None
    if not isinstance(value, dict):
        message = f"record {number} is not an object"
        complaints.add("bad-value", message, source.place(at), f"expected a result of {KNOWN}")
        return None, end
    return Record(source, number, value, at, end), end


def _skip(text: str, at: int) -> int:
    """Where the next character stands that is no space."""
    match = _SPACE.match(text, at)
    return match.end() if match else at
