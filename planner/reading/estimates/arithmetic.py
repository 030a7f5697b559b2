"""Parse an expression such as `= 24k / agents` into a `Formula`, which computes a number from the values of its names.

This module splits the text into numbers, names and operators, and refuses everything else. The library simpleeval
evaluates the checked expression, and allows no other operators and functions. simpleeval is imported only if a file
contains an expression.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

from planner.errors import did_you_mean, listed, nearest
from planner.reading.hints import NUMBER
from planner.reading.units import (
    LONGEST_TEXT,
    BadValueError,
    Quantity,
    count,
    duration,
)

AGENTS: Final = "agents"
"""In expressions, this name is the number of agents of the step's crew. No parameter may have this name."""

MOST_BRACKETS = 20
"""Deepest nesting of brackets."""


def _rounded(number: float) -> float:
    return float(math.floor(number + 0.5))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "round": _rounded,
    "floor": lambda number: float(math.floor(number)),
    "ceil": lambda number: float(math.ceil(number)),
}
"""Allowed functions. `min` and `max` take at least two numbers; the other functions take one number. `round` rounds
half up."""

_VARIADIC = ("min", "max")
_TOKEN = re.compile(rf"\s*(?:({NUMBER}(?:[^\W_]|[.:%×])*)|([A-Za-z_]\w*)|(\*\*|//|[-+*/(),])|(\S))", re.ASCII)
_PLAIN = re.compile(NUMBER)
_TIME = rf"{NUMBER}\s*(?:ms|sec|min|s|m|h|d)"
_SPACED = re.compile(rf"(?<![\w.])(?:{_TIME}(?:\s*{_TIME})*|{NUMBER}\s*[kKM])(?![\w.]|\s*\()")
"""A number with its unit, perhaps with spaces, such as `1 h 30 min`."""

_ALLOWED = (
    f"write only numbers, parameters, '{AGENTS}', the operators + - * /, brackets ( ), and the functions "
    + listed(FUNCTIONS)
)


@dataclass(frozen=True)
class Formula:
    """A checked expression for a number, such as `24k / agents`.

    text : the expression as written, without `=`
    plain : the expression with converted numbers, such as `24000.0 / agents`; times are in seconds
    names : names that the expression uses: parameters and `agents`
    unit : unit that messages show after a value of the expression
    """

    text: str
    plain: str
    names: tuple[str, ...]
    unit: str = ""

    def value(self, values: Mapping[str, float]) -> float:
        """Return the value of the formula. A time is in seconds.

        values : value of each name in `names`

        Raises `BadValueError` if a name is unknown, or if the value is negative, infinite or undefined.
        """
        for name in self.names:
            if name not in values:
                unknown_parameter(name, values)
        condition = self.agents_clause(values)
        try:
            number = _evaluated(self.plain, {name: float(values[name]) for name in self.names})
        except ZeroDivisionError:
            hint = "put the divisor into 'max(…, 1)', so that it is never 0"
            raise BadValueError(f"'= {self.text}' divides by 0{condition}", hint) from None
        except (OverflowError, ValueError):  # floor, ceil or round of an infinite number
            number = math.nan
        if not math.isfinite(number):
            raise BadValueError(f"'= {self.text}' is not a finite number{condition}", "use smaller numbers")
        if number < 0:
            message = f"'= {self.text}' is {self.shown(number)}{condition}, but must not be negative"
            raise BadValueError(message, f"write '= max({self.text}, 0)' to avoid negative numbers")
        return number + 0.0

    def agents_clause(self, values: Mapping[str, float]) -> str:
        """Return the number of agents as text for messages, such as ` if agents = 4`.

        If the expression does not contain `agents`, return "".
        """
        return f" if {AGENTS} = {values[AGENTS]:,.15g}" if AGENTS in self.names else ""

    def shown(self, number: float) -> str:
        """Return a value of the formula as text for messages, with its unit."""
        return f"{number:,.{15 if number.is_integer() else 7}g}{self.unit}"


def is_arithmetic(value: Any) -> bool:
    """Whether a value is an expression, that is, a text that begins with `=`."""
    return isinstance(value, str) and value.lstrip().startswith("=")


def parse_formulas(value: str, quantity: Quantity, parameters: Iterable[str] | None) -> tuple[Formula, ...]:
    """Parse `= a` into one formula, and `= a to b` into two formulas.

    parameters : names that the expression can use in addition to `agents`; None allows any name

    Raises `BadValueError` if the expression is invalid.
    """
    text = " ".join(value.strip().removeprefix("=").split())
    if len(value) > LONGEST_TEXT:
        raise bad_expression(
            f"an expression has at most {LONGEST_TEXT} characters", "move a part of the expression into a parameter"
        )
    if not text:
        raise bad_expression("the expression after '=' is missing", "write for example '= 24k / agents'")
    parts = text.split(" to ")
    if parts[-1].endswith(" to"):
        raise bad_expression("the upper bound after 'to' is missing", "write for example '= 10k to 30k / agents'")
    if len(parts) > 2:
        raise bad_expression(
            f"'= {text}' has more than one 'to'",
            "write a range with two bounds, for example '= 10k to 30k / agents'",
        )
    return tuple(_formula(part.strip(), quantity, parameters) for part in parts)


def bad_expression(message: str, hint: str | None = None) -> BadValueError:
    """Return the error for a malformed expression."""
    return BadValueError(message, hint, code="bad-expression")


def unknown_parameter(name: str, parameters: Iterable[str]) -> NoReturn:
    """Always raise `BadValueError`: `name` is not the name of a parameter.

    parameters : names of all parameters, for the hint
    """
    names = {*parameters, AGENTS}
    hint = did_you_mean(name, names) if len(names) > 1 or nearest(name, names) else None
    hint = hint or f"declare the parameter, for example with 'parameters: {{{name}: 10}}'"
    raise BadValueError(f"unknown parameter '{name}'", hint, code="unknown-parameter")


def _formula(text: str, quantity: Quantity, parameters: Iterable[str] | None) -> Formula:
    timed = quantity.parse is duration
    tokens = _tokens(_without_spaces(text, parameters or ()))
    if len(tokens) == 1 and tokens[0][0] == "number":
        number = quantity.parse(text) if timed else _number(text, quantity)  # as a time, 0 needs no unit
        return Formula(text, repr(number), (), "s" if timed else "")
    plain, names, times = "", [], set()
    for index, (kind, token) in enumerate(tokens):
        if kind == "number":
            if timed and not _PLAIN.fullmatch(token):
                times.add(len(plain))
            plain += f"{_number(token, quantity)!r} "
        elif kind == "name" and tokens[index + 1 : index + 2] != [("operator", "(")]:
            names.append(token)
            plain += f"{token} "
        else:
            plain += f"{token} "
    tree = _tree(plain.strip(), text)
    power = _power_of_time(tree, times, text)
    for name in names:
        if parameters is not None and name not in parameters and name != AGENTS:
            unknown_parameter(name, parameters)
    if timed and power == 0:
        hint = (
            f"write '= ({text}) * 1s'" if len(text) < LONGEST_TEXT // 2 else "multiply the expression by 1s, 1min or 1h"
        )
        raise BadValueError("a time needs a unit", hint)
    if timed and power not in (1, None):
        hint = "multiply or divide a time by a plain number, for example '= 30s * 2'"
        raise BadValueError(f"'= {text}' is not a time", hint)
    return Formula(text, plain.strip(), tuple(dict.fromkeys(names)), "s" if timed else "")


def _without_spaces(text: str, parameters: Iterable[str]) -> str:
    """Return an expression without spaces between a number and its unit. A parameter is never read as a unit."""

    def joined(match: re.Match[str]) -> str:
        words = re.findall(r"(?<=\s)[A-Za-z]+", match[0])
        return match[0] if any(word in parameters for word in words) else "".join(match[0].split())

    return _SPACED.sub(joined, text)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Split an expression into numbers, names and operators. Return pairs of kind and text.

    The kind is "number", "name" or "operator".

    Raises `BadValueError` if the expression contains anything else.
    """
    tokens: list[tuple[str, str]] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        number, name, operator, other = match.groups()
        if other:
            raise bad_expression(f"{other!r} is not allowed in an expression", _ALLOWED)
        token = number or name or operator
        if operator in ("**", "//"):
            hint = (
                "write 'a * a' instead of 'a ** 2'" if operator == "**" else "write 'floor(a / b)' instead of 'a // b'"
            )
            raise bad_expression(f"'{operator}' is not allowed in an expression", hint)
        if name and keyword.iskeyword(name):
            raise bad_expression(f"'{name}' is not allowed in an expression", _ALLOWED)
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth > MOST_BRACKETS:
            raise bad_expression(
                f"brackets are nested more than {MOST_BRACKETS} levels deep",
                "move a part of the expression into a parameter",
            )
        before_kind, before = tokens[-1] if tokens else ("operator", "")
        after_value = before_kind != "operator" or before == ")"
        if after_value and (not operator or (operator == "(" and before_kind != "name")):
            raise bad_expression(
                f"an operator is missing between '{before}' and '{token}'", "add an operator, for example '*'"
            )
        tokens.append(("number" if number else "name" if name else "operator", token))
    return tokens


def _number(token: str, quantity: Quantity) -> float:
    """Return the number that is written in an expression. For example, `24k` means 24000 tokens.

    token : the number as written
    quantity : quantity that determines the allowed units. Plain numbers are always allowed

    Raises `BadValueError` if the unit is not allowed.
    """
    if _PLAIN.fullmatch(token):
        return count(token)
    try:
        return float(quantity.parse(token))
    except BadValueError as mistake:
        number, unit = _PLAIN.match(token), token[-1]
        hint = mistake.hint
        if number and unit in "%x×":
            hint = f"write {count(number[0]) / (100 if unit == '%' else 1):.15g}"
        raise BadValueError(f"'{token}': {mistake}", hint) from None


def _tree(plain: str, text: str) -> ast.expr:
    try:
        tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        hint = "check whether a bracket, a number or an operator is missing"
        if text.count("(") > text.count(")"):
            hint = "close the bracket"
            if re.search(r"\b(min|max)\s*\(", text):  # in brackets of YAML, the expression ends at a comma
                hint += "; if the expression contains a comma, put the whole expression in quotes"
        raise bad_expression(f"'= {text}' is not a valid expression", hint) from None
    return tree


def _power_of_time(node: ast.AST, times: Iterable[int], text: str) -> int | None:
    """Return the power of time in the value of a node: 1 for a time, 0 for a plain number.

    For example, `2s * 3s` has the power 2. The power is None if any power fits, as for the number 0.

    times : column offsets of the numbers that have a unit of time

    Raises `BadValueError` if the node is not arithmetic, or if it adds or compares a time and a plain number.
    """

    def power(inner: ast.AST) -> int | None:
        return _power_of_time(inner, times, text)

    match node:
        case ast.Constant(value=float()):
            return None if node.value == 0 else int(node.col_offset in times)
        case ast.Name():
            return 0
        case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
            return power(node.operand)
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            verb = "adds" if isinstance(node.op, ast.Add) else "takes the difference of"
            return _common_power([power(node.left), power(node.right)], text, verb)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            left, right = power(node.left), power(node.right)
            if left is None or right is None:
                return None
            return left + right if isinstance(node.op, ast.Mult) else left - right
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise bad_expression(f"unknown function '{name}'", did_you_mean(name, FUNCTIONS, "function"))
            several = name in _VARIADIC
            if (len(arguments) < 2) if several else (len(arguments) != 1):
                needs = "at least two numbers" if several else "one number"
                raise bad_expression(
                    f"'{name}' needs {needs}",
                    f"write for example '{name}(a, b)'" if several else f"write for example '{name}(a)'",
                )
            return _common_power([power(argument) for argument in arguments], text, "compares")
    raise bad_expression(f"'= {text}' is not a valid expression", _ALLOWED)


def _common_power(powers: Iterable[int | None], text: str, verb: str) -> int | None:
    """Check that all operands are times or all are plain numbers. Return their power of time: 1 for times, otherwise 0.

    powers : power of each operand. None fits any other power, as for the number 0. If all are None, the result is None

    verb : word in messages for what the expression does, such as "compares"

    Raises `BadValueError` if the powers differ. For example, a time and a plain number cannot be added.
    """
    definite = {power for power in powers if power is not None}
    if len(definite) > 1:
        hint = "give the number a unit, for example '5s' or 'modules * 1s'"
        raise BadValueError(f"'= {text}' {verb} a time and a number without a unit", hint)
    return definite.pop() if definite else None


def _evaluated(plain: str, names: Mapping[str, float]) -> float:
    """Return the value of an expression that has been checked.

    plain : the expression with converted numbers, such as `24000.0 / agents`
    names : value of each name in the expression

    Raises `ZeroDivisionError`, `OverflowError` or `ValueError` if the value cannot be computed.
    """
    simple_eval, operators, nodes = _evaluator()
    evaluator = simple_eval(operators=operators, functions=FUNCTIONS, names=dict(names))
    evaluator.nodes = {kind: handler for kind, handler in evaluator.nodes.items() if kind in nodes}
    evaluator.nodes[ast.Constant] = _constant
    return float(evaluator.eval(plain))


def _constant(node: ast.Constant) -> float:
    """Return the value of a constant in an expression. Raises `TypeError` if the value is not a float."""
    if not isinstance(node.value, float):
        raise TypeError("not a number")
    return node.value


@lru_cache(maxsize=1)
def _evaluator() -> tuple[Any, dict[type[ast.AST], Callable[..., float]], frozenset[type[ast.AST]]]:
    """Return the evaluator class of simpleeval, the allowed operators, and the allowed kinds of nodes."""
    import operator

    from simpleeval import SimpleEval

    operators: dict[type[ast.AST], Callable[..., float]] = {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.USub: operator.neg,
        ast.UAdd: operator.pos,
    }
    nodes = frozenset({ast.Expr, ast.Name, ast.UnaryOp, ast.BinOp, ast.Call})
    return SimpleEval, operators, nodes
