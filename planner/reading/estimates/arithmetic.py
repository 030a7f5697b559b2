"""Arithmetic in place of a number: `= 24k / agents` in, a `Formula` out, which is a number once its names have values.

Text is divided into numbers, names and operators here, and anything else refused; what is left is evaluated by
simpleeval, of which only these operators and functions are let through. It is imported where a file has an `=`.
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

from planner.errors import did_you_mean, nearest
from planner.reading.hints import NUMBER
from planner.reading.units import (
    LONGEST_TEXT,
    BadValueError,
    Quantity,
    count,
    duration,
)

AGENTS: Final = "agents"
"""The number of agents of the crew that a step runs on; no parameter may have this name."""

DEEPEST = 20
"""Most brackets within each other."""


def _rounded(number: float) -> float:
    return float(math.floor(number + 0.5))


FUNCTIONS: dict[str, Callable[..., float]] = {
    "min": min,
    "max": max,
    "round": _rounded,
    "floor": lambda number: float(math.floor(number)),
    "ceil": lambda number: float(math.ceil(number)),
}
"""What may be called: `min` and `max` with two numbers or more, the others with one; `round` rounds half up."""

_OF_ANYNUMBER = ("min", "max")
_TOKEN = re.compile(rf"\s*(?:({NUMBER}(?:[^\W_]|[.:%×])*)|([A-Za-z_]\w*)|(\*\*|//|[-+*/(),])|(\S))", re.ASCII)
_PLAIN = re.compile(NUMBER)
_ALLOWED = f"only numbers, parameters, '{AGENTS}', + - * / ( ) and {', '.join(FUNCTIONS)} are"


@dataclass(frozen=True)
class Formula:
    """A number that is computed.

    text : as written, without `=`
    plain : the same with every number without its unit
    names : parameters, and `agents`, that it takes
    unit : of its number where it is shown
    """

    text: str
    plain: str
    names: tuple[str, ...]
    unit: str = ""

    def value(self, values: Mapping[str, float]) -> float:
        """Its number, in the unit of the quantity, from 0. Raises `BadValueError`."""
        for name in self.names:
            if name not in values:
                unknown_parameter(name, values)
        where = f" with {AGENTS} = {values[AGENTS]:,.15g}" if AGENTS in self.names else ""
        try:
            number = _evaluated(self.plain, {name: float(values[name]) for name in self.names})
        except ZeroDivisionError:
            hint = "max(…, 1) keeps what it divides by from 0"
            raise BadValueError(f"'= {self.text}' divides by 0{where}", hint) from None
        except (OverflowError, ValueError):  # floor and the like of what is not finite
            number = math.nan
        if not math.isfinite(number):
            raise BadValueError(f"'= {self.text}' is not a finite number{where}", "write smaller numbers")
        if number < 0:
            message = f"'= {self.text}' is {self.shown(number)}{where}, and must not be negative"
            raise BadValueError(message, "max(…, 0) keeps a number from falling below 0")
        return number + 0.0

    def shown(self, number: float) -> str:
        """Its number for a reader."""
        return f"{number:,.{15 if number.is_integer() else 7}g}{self.unit}"


def is_arithmetic(value: Any) -> bool:
    """Whether a value is text that begins with `=`."""
    return isinstance(value, str) and value.lstrip().startswith("=")


def parse_formulas(value: str, quantity: Quantity, parameters: Iterable[str] | None) -> tuple[Formula, ...]:
    """The formula of `= a`, or both of `= a to b`. Raises `BadValueError`.

    parameters : names that it may have beside `agents`; None if they are not known
    """
    text = " ".join(value.strip().removeprefix("=").split())
    if len(value) > LONGEST_TEXT:
        raise bad_expression(f"arithmetic takes at most {LONGEST_TEXT} characters", "make a parameter of a part of it")
    if not text:
        raise bad_expression("nothing follows '='", "as in = 24k / agents")
    parts = text.split(" to ")
    if len(parts) > 2:
        raise bad_expression(
            f"'= {text}' has more than one 'to'", "a range has two bounds: = 10k / agents to 30k / agents"
        )
    return tuple(_formula(part.strip(), quantity, parameters) for part in parts)


def bad_expression(message: str, hint: str | None = None) -> BadValueError:
    """A mistake in what follows `=`."""
    return BadValueError(message, hint, code="bad-expression")


def unknown_parameter(name: str, known: Iterable[str]) -> NoReturn:
    """Refuse a name that is no parameter."""
    names = {*known, AGENTS}
    hint = did_you_mean(name, names) if len(names) > 1 or nearest(name, names) else None
    hint = hint or f"declare it: parameters: {{{name}: 10}}"
    raise BadValueError(f"unknown parameter '{name}'", hint, code="unknown-parameter")


def _formula(text: str, quantity: Quantity, parameters: Iterable[str] | None) -> Formula:
    timed = quantity.parse is duration
    tokens = _tokens(text)
    if len(tokens) == 1 and tokens[0][0] == "number":
        number = quantity.parse(text) if timed else _number(text, quantity)  # the time 0 needs no unit
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
        hint = f"write ({text}) * 1s" if len(text) < LONGEST_TEXT // 2 else "multiply it by 1s, 1min or 1h"
        raise BadValueError("a time needs a unit", hint)
    if timed and power not in (1, None):
        hint = "of what is multiplied one has a unit, and what is divided by has none"
        raise BadValueError(f"'= {text}' is not a time", hint)
    return Formula(text, plain.strip(), tuple(dict.fromkeys(names)), "s" if timed else "")


def _tokens(text: str) -> list[tuple[str, str]]:
    """Numbers, names and operators, and which of these each is."""
    found: list[tuple[str, str]] = []
    depth = 0
    for match in _TOKEN.finditer(text):
        number, name, operator, other = match.groups()
        if other:
            raise bad_expression(f"{other!r} cannot stand in arithmetic", f"{_ALLOWED} allowed")
        token = number or name or operator
        if operator in ("**", "//"):
            hint = "write a * a for a power" if operator == "**" else "write floor(a / b)"
            raise bad_expression(f"'{operator}' cannot stand in arithmetic", hint)
        if name and keyword.iskeyword(name):
            raise bad_expression(f"'{name}' cannot stand in arithmetic", f"{_ALLOWED} allowed")
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth > DEEPEST:
            raise bad_expression(f"brackets are over {DEEPEST} deep", "make a parameter of a part of it")
        after_value = bool(found) and (found[-1][0] != "operator" or found[-1][1] == ")")
        if after_value and (not operator or (operator == "(" and found[-1][0] != "name")):
            hint = "put an operator between them; a unit follows its number without a space"
            raise bad_expression(f"'{found[-1][1]}' and '{token}' stand side by side", hint)
        found.append(("number" if number else "name" if name else "operator", token))
    return found


def _number(token: str, quantity: Quantity) -> float:
    """A number of arithmetic; one without a unit is a plain one, also among times."""
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
        hint = "is a bracket, a number or an operator missing?"
        if text.count("(") > text.count(")"):
            hint = "close the bracket; within { } and [ ], text with a comma needs quotes"
        raise bad_expression(f"'= {text}' cannot be read", hint) from None
    return tree


def _power_of_time(node: ast.AST, times: Iterable[int], text: str) -> int | None:
    """The power of time in what a node computes, None for any; refuses all but arithmetic.

    times : where numbers with a unit of time begin
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
            return _same([power(node.left), power(node.right)], text)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            left, right = power(node.left), power(node.right)
            if left is None or right is None:
                return None
            return left + right if isinstance(node.op, ast.Mult) else left - right
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise bad_expression(f"unknown function '{name}'", did_you_mean(name, FUNCTIONS))
            several = name in _OF_ANYNUMBER
            if (len(arguments) < 2) if several else (len(arguments) != 1):
                takes = "two numbers or more" if several else "one number"
                raise bad_expression(
                    f"'{name}' takes {takes}", f"as in {name}(a, b)" if several else f"as in {name}(a)"
                )
            return _same([power(argument) for argument in arguments], text)
    raise bad_expression(f"'= {text}' is not arithmetic", f"{_ALLOWED} allowed")


def _same(powers: Iterable[int | None], text: str) -> int | None:
    """The power of all of these; times and plain numbers have no sum and no order."""
    known = {power for power in powers if power is not None}
    if len(known) > 1:
        hint = "give the plain one a unit: 5s for 5, modules * 1s for modules"
        raise BadValueError(f"'= {text}' adds or compares a time and a plain number", hint)
    return known.pop() if known else None


def _evaluated(plain: str, names: Mapping[str, float]) -> float:
    """Evaluate what `_formula` has let through. Raises ZeroDivisionError, OverflowError and ValueError."""
    simple_eval, operators, nodes = _evaluator()
    evaluator = simple_eval(operators=operators, functions=FUNCTIONS, names=dict(names))
    evaluator.nodes = {kind: handler for kind, handler in evaluator.nodes.items() if kind in nodes}
    evaluator.nodes[ast.Constant] = _constant
    return float(evaluator.eval(plain))


def _constant(node: ast.Constant) -> float:
    """A number; `_formula` writes all of them as floats."""
    if not isinstance(node.value, float):
        raise TypeError("no number")
    return node.value


@lru_cache(maxsize=1)
def _evaluator() -> tuple[Any, dict[type[ast.AST], Callable[..., float]], frozenset[type[ast.AST]]]:
    """The evaluator's class, the operators that it gets, and the kinds of nodes that it is left with."""
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
