"""Explain an error of the YAML parser in words about the file: message, place and hint."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import yaml

from planner.errors import Position
from planner.reading.hints import without_commas

_CLOSING = {"{": "}", "[": "]"}
_QUOTED = "inside single quotes, write a single quote twice, for example 'it''s'"
_ESCAPE = "write the backslash twice, or use single quotes"
_NOT_A_KEY = r"expected key|<block end>"


@dataclass(frozen=True)
class SyntaxMistake:
    """A syntax mistake in a YAML file.

    line, column : position of the mistake; both count from 0
    """

    message: str
    hint: str | None
    line: int
    column: int


class _Rule(NamedTuple):
    """A message for certain syntax errors. The rule applies if all its regular expressions match.

    The texts can contain these fields:

    - `{line}` and `{column}`: position of the start of the faulty construct, such as a list;
    - `{closing}`: text of the group `closing` in one of the regular expressions;
    - `{character}`: the character at the error;
    - `{opener}`: the first character of the faulty construct;
    - `{problem}`: the first part of the YAML parser's message.

    message, hint : texts for the user
    problem, context : regular expressions for the two parts of the YAML parser's message
    character : regular expression for the character at the error, which is "" at the end of a line
    before : regular expression for the text before the error in the same line
    opener : regular expression for the first character of the faulty construct
    above : regular expression for the lines above the error
    place : place to report: the error, the start of the faulty construct, or the last backslash before the error
    """

    message: str
    hint: str | None = None
    problem: str = ""
    context: str = ""
    character: str = ""
    before: str = ""
    opener: str = ""
    above: str = ""
    place: Literal["error", "start", "backslash"] = "error"


_RULES = (
    _Rule("tabs cannot be used for indentation", "indent with spaces", problem="tab character"),
    _Rule(
        "tabs cannot be used for indentation", "indent with spaces",
        problem="cannot start any token", character="\t",
    ),
    _Rule("a value is missing here", problem="node content", character=r"^[,\]}]?$"),
    _Rule(
        "a value cannot begin with '{character}'", "put the value in quotes",
        problem="cannot start any token|node content",
    ),
    _Rule(
        "a value cannot begin with '{opener}'",
        "put the value in quotes; without quotes, '{opener}' begins an alias such as {opener}name",
        problem="alphabetic or numeric", opener=r"\*", place="start",
    ),
    _Rule(
        "a value cannot begin with '{opener}'",
        "put the value in quotes; without quotes, '{opener}' begins an anchor such as {opener}name",
        problem="alphabetic or numeric", place="start",
    ),
    _Rule(
        "a key is not allowed here",
        "put braces around a mapping, for example {{key: value}}, or quotes around text that contains ': '",
        problem="(values|keys) are not allowed", before=r":\s",
    ),
    _Rule(
        "a key is not allowed here",
        "add ': ' after the key on the line above, or indent this line less",
        problem="(values|keys) are not allowed",
    ),
    _Rule(
        "a list cannot begin here", "begin the list on its own line, or write it in brackets, for example [one, two]",
        problem="sequence entries are not allowed",
    ),
    _Rule(
        "this is neither a key followed by ': ' nor part of the value above",
        problem="could not find expected ':'", place="start",
    ),
    _Rule(
        "expected '{closing}', not '{character}'",
        "'{closing}' closes the bracket that was opened on line {line}, column {column}",
        problem=r"expected ',' or '(?P<closing>[\]}])'", character=r"[\]}]",
    ),
    _Rule(
        "expected ',' or '{closing}' before this",
        "close the bracket that was opened on line {line}, column {column}",
        problem=r"expected ',' or '(?P<closing>[\]}])'",
    ),
    _Rule(
        "this quote is never closed", f"close the quote; {_QUOTED}",
        problem="end of stream|document", context="quoted scalar", opener="'", place="start",
    ),
    _Rule(
        "this quote is never closed",
        problem="end of stream|document", context="quoted scalar", place="start",
    ),
    _Rule("unknown escape sequence in double quotes", _ESCAPE, context="quoted scalar", place="backslash"),
    _Rule(
        "expected a list item, like those above", "begin this line with '- ', or indent it like the key of the list",
        problem="'-' indicator",
    ),
    _Rule(
        "expected a list item, like those above", "begin this line with '- ', or indent it like the key of the list",
        problem="<block end>", context="block collection",
    ),
    _Rule("no open bracket matches this '{character}'", problem=_NOT_A_KEY, character=r"[}\]]"),
    _Rule("unexpected text after a closing quote", _QUOTED, problem=_NOT_A_KEY, before=r"^(?=.*').*['\"]\s*$"),
    _Rule("unexpected text after a closing quote", problem=_NOT_A_KEY, before=r"['\"]\s*$"),
    _Rule("unexpected text here", problem=_NOT_A_KEY, before=r"\S"),
    _Rule(
        "a list item is not allowed among keys", "indent the list item more than the key of the list",
        problem=_NOT_A_KEY, character="-",
    ),
    _Rule("a key is missing before ':'", problem=_NOT_A_KEY, character=":"),
    _Rule(
        "this line is indented differently from the lines above", "begin all keys of a mapping in the same column",
        problem=_NOT_A_KEY,
    ),
    _Rule("this directive is not supported", "remove the line that begins with '%'", problem="directive"),
    _Rule("this directive is not supported", "remove the line that begins with '%'", problem="incompatible YAML"),
    _Rule("this directive is not supported", "remove the line that begins with '%'", context="directive"),
    _Rule("this tag is not supported", "remove the tag", problem="tag", place="start"),
    _Rule("this tag is not supported", "remove the tag", context="tag", place="start"),
    _Rule("text after '|' or '>' must begin on the next line", context="block scalar"),
    _Rule(
        "expected a line '---' between directives and the document", "remove the lines that begin with '%'",
        problem="<document start>", above="(?m)^%",
    ),
    _Rule("unexpected text after the end of the document", problem="<document start>"),
    _Rule("a space is missing after ':'", problem="unexpected ':'"),
    _Rule("unexpected text here", "the YAML parser says: {problem}"),
)  # fmt: skip
"""Rules in order of precedence. The last rule always applies."""


def explain(error: yaml.MarkedYAMLError, lines: Sequence[str], inside: Position | None) -> SyntaxMistake:
    """Return an explanation of an error from the YAML parser.

    lines : lines of the file
    inside : start of the innermost mapping or list that is incomplete; None if there is none
    """
    problem, context = str(error.problem), str(error.context)
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return SyntaxMistake(problem, None, 0, 0)
    start = error.context_mark or mark
    row, column = mark.line, mark.column
    at_end = not any(map(str.strip, [lines[row][column:], *lines[row + 1 :]] if row < len(lines) else []))
    if at_end:  # point at the end of the last text
        row = max((index for index, text in enumerate(lines) if text.strip()), default=0)
        column = len(lines[row].rstrip())
    opening = inside.text[inside.column - 1 : inside.column] if inside else ""
    if at_end and inside and opening and opening in "{[" and "quoted scalar" not in context:
        hint = f"close it with '{_CLOSING[opening]}'"
        return SyntaxMistake(f"this '{opening}' is never closed", hint, inside.line - 1, inside.column - 1)
    before = lines[row][:column]
    texts = {
        "problem": problem,
        "context": context,
        "character": lines[row][column : column + 1],
        "before": before,
        "opener": lines[start.line][start.column : start.column + 1] if start.line < len(lines) else "",
        "above": "\n".join(lines[:row]),
    }
    rule, closing = next((rule, match) for rule in _RULES if (match := _matched(rule, texts)) is not None)
    fields = {**texts, "closing": closing, "line": start.line + 1, "column": start.column + 1}
    message = rule.message.format(**fields)
    advice = rule.hint.format(**fields) if rule.hint else None
    if rule.place == "start":
        return SyntaxMistake(message, advice, start.line, start.column)
    if rule.place == "backslash":
        column = max(lines[row].rfind("\\", 0, column + 1), 0)
    return SyntaxMistake(message, advice, row, column)


def _matched(rule: _Rule, texts: dict[str, str]) -> str | None:
    """Return the text of the group `closing` if the rule applies, and None if it does not apply.

    The text is "" if the rule has no such group.

    texts : name of each regular expression in the rule → the text that it must match
    """
    closing = ""
    for name, text in texts.items():
        match = re.search(getattr(rule, name), text)
        if match is None:
            return None
        closing = match.groupdict().get("closing") or closing
    return closing


_NUMBER = re.compile(r"\d+(?:,\d+)+\w*")
_NUMBER_START = re.compile(r"\d[\d,]*,$")
_NEARBY = 40
"""A number with commas is searched only in this many columns on each side of a key, because the line may be long."""


def comma_in_number(line: str, start: int, end: int) -> tuple[int, str, str] | None:
    """Find a number with a comma, after the YAML parser has read a part of the number as a key.

    For example, the parser reads the `5` in `{time: 1,5}` as a key. Return the first column of the number, the number
    as text, and a hint. Return None if the key is a real key.

    start, end : columns of the key in the line, from 0
    """
    low = max(0, start - _NEARBY)
    number_start = _NUMBER_START.search(line[low:start]) if line[start : start + 1].isdecimal() else None
    if not number_start or not line[end : end + _NEARBY].lstrip().startswith((",", "}")):
        return None  # a real key is followed by its value
    number = _NUMBER.match(line, low + number_start.start(), end + _NEARBY)
    hint = without_commas(number[0]) if number else None
    return (number.start(), number[0], hint) if number and hint else None
