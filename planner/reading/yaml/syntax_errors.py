"""What the YAML parser says in, what a user should read out: a message, its place and a remedy."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from planner.errors import Position
from planner.reading.hints import without_commas

_CLOSING = {"{": "}", "[": "]"}
_QUOTED = "in single quotes a quote is written twice, as in 'it''s'"
_ESCAPE = "write a backslash as \\\\, or use single quotes"


@dataclass(frozen=True)
class Syntax:
    """A mistake of syntax. `line` and `column` count from 0."""

    message: str
    hint: str | None
    line: int
    column: int


def explain(error: yaml.MarkedYAMLError, lines: Sequence[str], inside: Position | None) -> Syntax:
    """A parser's error, whose own words are about the inside of parsers, in words about the file.

    inside : where the innermost mapping or list begins that is not complete
    """
    problem, context = str(error.problem), str(error.context)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return Syntax(problem, None, 0, 0)
    start = error.context_mark or mark
    row, column = mark.line, mark.column
    ended = not any(map(str.strip, [lines[row][column:], *lines[row + 1 :]] if row < len(lines) else []))
    if ended:  # show the end of what there is
        row = max((index for index, text in enumerate(lines) if text.strip()), default=0)
        column = len(lines[row].rstrip())
    before, character = lines[row][:column], lines[row][column : column + 1]

    def here(message: str, hint: str | None = None) -> Syntax:
        return Syntax(message, hint, row, column)

    def there(message: str, hint: str | None = None) -> Syntax:
        return Syntax(message, hint, start.line, start.column)

    opening = inside.text[inside.column - 1 : inside.column] if inside else ""
    if ended and inside and opening and opening in "{[" and "quoted scalar" not in context:
        hint = f"close it with '{_CLOSING[opening]}'"
        return Syntax(f"this '{opening}' is never closed", hint, inside.line - 1, inside.column - 1)
    if "tab character" in problem or (character == "\t" and "cannot start any token" in problem):
        return here("a tab cannot indent", "indent with spaces")
    if "node content" in problem and character in ("", ",", "]", "}"):
        return here("a value is missing here")
    if "cannot start any token" in problem or "node content" in problem:
        return here(f"a value cannot begin with '{character}'", "put it in quotes")
    if "alphabetic or numeric" in problem:
        sign = lines[start.line][start.column : start.column + 1]
        return there(f"a value cannot begin with '{sign}'", f"put it in quotes; only a name may follow '{sign}'")
    if "values are not allowed" in problem or "keys are not allowed" in problem:
        if re.search(r":\s", before):
            hint = "a value that contains ': ' needs quotes; keys inside a value go on lines of their own, or in {…}"
        else:
            hint = "a line above holds a value that this line continues: is ': ' missing there, or is this too deep?"
        return here("a key cannot stand here", hint)
    if "sequence entries are not allowed" in problem:
        return here("a list cannot begin here", "begin it on a line of its own, or write [one, two]")
    if "could not find expected ':'" in problem:
        return there("this is neither a key with ': ' after it nor part of the value above")
    closing = re.search(r"expected ',' or '([\]}])'", problem)
    if closing:
        opened = f"bracket in line {start.line + 1}, column {start.column + 1}"
        if character and character in "]}":
            return here(f"expected '{closing[1]}', not '{character}'", f"it closes the {opened}")
        return here(f"expected ',' or '{closing[1]}' before this", f"the {opened} is not closed yet")
    if "quoted scalar" in context and ("end of stream" in problem or "document" in problem):
        single = lines[start.line][start.column : start.column + 1] == "'"
        return there("this quote is never closed", _QUOTED if single else None)
    if "quoted scalar" in context:
        column = max(lines[row].rfind("\\", 0, column + 1), 0)
        return here("this is no escape that text in double quotes knows", _ESCAPE)
    if "'-' indicator" in problem or ("block collection" in context and "<block end>" in problem):
        return here("this is no list item, and those above are", "begin it with '- ', or indent it like their key")
    if "expected key" in problem or "<block end>" in problem:
        return here(*_out_of_place(before, character))
    if "directive" in problem or "incompatible YAML" in problem or "directive" in context:
        return here("this directive is not supported", "take the line that begins with '%' away")
    if "tag" in problem or "tag" in context:
        return there("this tag is not supported", "take it away")
    if "block scalar" in context:
        return here("text after '|' or '>' begins on the next line")
    if "<document start>" in problem and any(line.startswith("%") for line in lines[:row]):
        return here(
            "expected a line '---' between directives and the document", "take the lines that begin with '%' away"
        )
    if "<document start>" in problem:
        return here("nothing may follow here: the document has ended above")
    if "unexpected ':'" in problem:
        return here("a ':' after a key is followed by a space")
    return here("this cannot stand here", f"the YAML parser says: {problem}")


_NUMBER = re.compile(r"\d+(?:,\d+)+\w*")
_BEGUN = re.compile(r"\d[\d,]*,$")
_NEAR = 40
"""Columns before and after a key in which a number with commas is looked for: lines may be long."""


def comma_in_number(line: str, start: int, end: int) -> tuple[int, str, str] | None:
    """Where a number begins whose digits after a comma were read as a key, the number, and how to write it.

    start, end : columns of the key, from 0
    """
    low = max(0, start - _NEAR)
    begun = _BEGUN.search(line[low:start]) if line[start : start + 1].isdecimal() else None
    if not begun or not line[end : end + _NEAR].lstrip().startswith((",", "}")):
        return None  # what has a value is a key
    found = _NUMBER.match(line, low + begun.start(), end + _NEAR)
    hint = without_commas(found[0]) if found else None
    return (found.start(), found[0], hint) if found and hint else None


def _out_of_place(before: str, character: str) -> tuple[str, str | None]:
    """Why something in a block of keys or list items is neither."""
    if character and character in "}]":
        return f"this '{character}' closes nothing", None
    if before.rstrip().endswith(("'", '"')):
        return "nothing may follow a closing quote", _QUOTED if "'" in before else None
    if before.strip():
        return "this cannot stand here", None
    if character == "-":
        return "a list item cannot stand beside keys", "indent it under the key whose list it is in"
    if character == ":":
        return "a key is missing before ':'", None
    return "this line is not indented like those that it continues", "keys of one mapping begin in the same column"
