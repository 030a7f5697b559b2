"""Arithmetic after `=`: what Python computes, in the units of the quantity, and nothing else of what Python does."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from planner.errors import InputError
from planner.reading import (
    CALLS,
    DURATION,
    SIZE,
    TOKENS,
    TURNS,
    BadValueError,
    FileContext,
    Quantity,
    parse_estimate,
    parse_item_count,
)
from planner.reading.estimates.arithmetic import FUNCTIONS, is_arithmetic, parse_formulas
from planner.reading.units import count
from planner.workflow import read_workflow

ROOT = Path(__file__).resolve().parents[2]
NUMBERS = Quantity("number", count, "5", "5 to 9")
VALUES = {"agents": 4.0, "modules": 40.0, "x": 0.5}
AROUND = FileContext(parameters={"modules": 40.0, "x": 0.5})


def value(text: str, quantity: Quantity = NUMBERS) -> float:
    (formula,) = parse_formulas(text, quantity, AROUND.parameters)
    return formula.value(VALUES)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("= 24k / agents", 6000), ("=24k/agents", 6000), ("= 1.5M", 1.5e6), ("= 12_000 + 1", 12_001), ("= 2 * (3 + 4)", 14),
        ("= -3 + 5", 2), ("= +5 - -2", 7), ("= 7 / 2 / 2", 1.75), ("= min(modules, 9, agents)", 4), ("= max(1, 2)", 2),
        ("= round(2.5)", 3), ("= round(3.5)", 4), ("= floor(2.9)", 2), ("= ceil(2.1)", 3), ("= 1e3", 1000), ("= .5 * 4", 2),
        ("= ceil(modules / 3) * 1k", 14_000), ("= 0 * agents", 0), ("= 900", 900),
        ("= 24 k / agents", 6000), ("= min(2 M, 1 k * 3)", 3000),
    ],
)  # fmt: skip
def test_arithmetic_over_numbers_parameters_and_agents(text: str, number: float) -> None:
    assert value(text, TOKENS) == pytest.approx(number, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("= 30s", 30), ("= 30s * modules", 1200), ("= 1h30m / agents", 1350), ("= modules * (5s + 1min / agents)", 800),
        ("= max(30s, 1min / agents)", 30), ("= 2min - 30s", 90), ("= 1h * (30s / 1min)", 1800), ("= 0", 0), ("= 0 + 5s", 5),
        ("= round(90s / agents)", 23), ("= 2 * 1min * 30s / 1s", 3600),
        ("= 5 min + 3 s", 303), ("= 2 h 30 min", 9000), ("= max(1 h 30min / agents, 4 s)", 1350), ("= 2 min * min(3, 5)", 360),
    ],
)  # fmt: skip
def test_a_time_has_the_power_one_of_a_unit_of_time(text: str, seconds: float) -> None:
    assert value(text, DURATION) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["= 5 h", "= 5 h + 1s", "= 1 h 30 min", "= 5 min(1, 2)"])
def test_a_parameter_is_no_unit(text: str) -> None:
    """Otherwise `5 h`, in which an operator is missing, would be 5 hours."""
    with pytest.raises(BadValueError, match="an operator is missing"):
        parse_formulas(text, DURATION, {"h": 3.0})


def test_a_factor_is_computed_from_factors() -> None:
    assert value("= 1.5x * 2", SIZE) == 3


def test_a_result_is_an_estimate_by_the_rules_of_plain_numbers() -> None:
    for text, number in (("= 10 / agents", 3), ("= 0.3 * agents / agents", 1), ("= agents - agents", 0)):
        estimate = parse_estimate(text, TOKENS, AROUND).bind(VALUES, None)
        assert (estimate.shape, estimate.scale, estimate.least, estimate.text) == ("constant", number, number, text)


def test_two_results_are_a_range() -> None:
    estimate = parse_estimate("= 10k / agents  to 30k / agents", TOKENS, AROUND)
    assert str(estimate) == "= 10k / agents to 30k / agents"
    found, plain = estimate.bind(VALUES, None), parse_estimate("2.5k to 7.5k", TOKENS)
    assert (found.shape, found.scale, found.sigma) == (plain.shape, plain.scale, plain.sigma)
    assert parse_estimate("= 0 to 5s * agents", DURATION, AROUND).bind(VALUES, None).shape == "exponential"
    assert parse_estimate("= 8 / agents to 2", TOKENS).bind(VALUES, None).shape == "constant"


def test_it_is_tried_with_one_agent_and_with_two() -> None:
    for text in ("= 24k / (agents - 1)", "= 24k / (agents - 2)", "= 1 - agents", "= 5 to 9 / agents"):
        with pytest.raises(BadValueError):
            parse_estimate(text, TOKENS, AROUND)
        parse_estimate(text, TOKENS)  # nothing is known of its parameters


def test_a_parameter_that_cannot_be_read_is_not_tried() -> None:
    around = FileContext(parameters={"modules": None})
    assert parse_estimate("= 5 / modules", TOKENS, around).shape == "unbound"
    with pytest.raises(BadValueError, match="unknown parameter 'moduls'"):
        parse_estimate("= 5 / moduls", TOKENS, around)


def test_parameters_may_be_named_like_functions() -> None:
    (formula,) = parse_formulas("= min * min(min, 3)", NUMBERS, ["min"])
    assert formula.value({"min": 5}) == 15


# Nothing else.

UNSAFE = [
    "__import__('os').system('x')", "agents.__class__", "9**9**9", "[1]*9", "(1,)*9", "{1: 2}", "lambda: 1", "agents[0]", "1 if 1 else 2",
    "1 < 2", "not 1", "1 and 2", "1 or 2", "~1", "1 << 9", "7 // 2", "7 % 2", "7 @ 2", "1 | 2", "'a'", '"a"', "f'{1}'", "b'a'", "...", "None",
    "True", "1j", "0x10", "exec(1)", "eval(1)", "open(1)", "print(1)", "abs(1)", "int(1)", "str(1)", "rand()", "randint(5)", "min", "min(1)",
    "min()", "max(*modules)", "max(**modules)", "round(1, 2)", "floor()", "modules()", "modules(1)", "(min)(1, 2)", "min(1, 2)(3)", "x := 5",
    "x = 5", "x; 5", "import os", "del x", "yield", "await x", "[x for x in x]", "5 5", "modules agents", "(5)(5)", ")(", "((5)", "", "+", "*5",
    "5*", "min(5,)", "1 to 2 to 3", "\\", "#", "5 # 6", "1_", "é", "٣", "x\u200b", "a" * 200, "(" * 21 + "1" + ")" * 21,
]  # fmt: skip


@pytest.mark.parametrize("text", [one for one in UNSAFE if one not in ("min(5,)", "1_")])
def test_all_else_is_refused(text: str) -> None:
    for quantity in (TOKENS, DURATION):
        with pytest.raises(BadValueError) as error:
            parse_estimate(f"= {text}", quantity, AROUND)
        assert error.value.code in ("bad-expression", "unknown-parameter", "bad-value")
        assert error.value.hint or error.value.code == "bad-value"


def test_the_evaluator_itself_lets_nothing_else_through() -> None:
    """Were the check of the tree to miss something, simpleeval would still refuse it."""
    from planner.reading.estimates.arithmetic import _evaluated

    for text in UNSAFE:
        if text == "(min)(1, 2)":
            continue  # to a parser of Python that is min(1, 2)
        with pytest.raises(Exception) as error:  # noqa: PT011
            _evaluated(text, {"x": 1.0, "modules": 2.0, "agents": 1.0})
        assert not isinstance(error.value, SystemExit | OSError)


def test_brackets_may_be_20_deep() -> None:
    assert value("= " + "(" * 20 + "5" + ")" * 20) == 5


def test_what_is_arithmetic() -> None:
    assert is_arithmetic(" = 5")
    assert not any(map(is_arithmetic, [5, None, "5", "a = 5", ["= 5"]]))


# Random expressions.


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Python that is arithmetic of ours as well."""
    if depth == 0 or draw(st.booleans()):
        return draw(
            st.one_of(
                st.sampled_from(["agents", "modules", "x"]), st.integers(0, 99).map(str), st.floats(0, 99).map(repr)
            )
        )
    inner = expressions(depth - 1)
    match draw(st.sampled_from(["infix", "infix", "minus", "brackets", "several", "one"])):
        case "infix":
            return f"{draw(inner)} {draw(st.sampled_from('+-*/'))} {draw(inner)}"
        case "minus":
            return f"-{draw(inner)}"
        case "brackets":
            return f"({draw(inner)})"
        case "several":
            return f"{draw(st.sampled_from(['min', 'max']))}({draw(inner)}, {draw(inner)})"
        case _:
            return f"{draw(st.sampled_from(['round', 'floor', 'ceil']))}({draw(inner)})"


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_it_computes_what_python_computes(text: str) -> None:
    assume(len(text) <= 95)
    try:
        expected = eval(text, {"__builtins__": {}}, {**FUNCTIONS, **VALUES})
    except (ZeroDivisionError, OverflowError):
        expected = -1.0
    if math.isfinite(expected) and expected >= 0:
        assert value(f"= {text}") == expected
    else:
        with pytest.raises(BadValueError):
            value(f"= {text}")


PIECES = st.sampled_from(
    ["agents", "modules", "x", "min(", "max(", "round(", "(", ")", ",", "+", "-", "*", "/", "**", ".", "5", "24k", "30s", "1.5x", "1h30m",
     "12:30", "30%", " ", " to ", "0", "1e400", "1e308", "'", '"', "[", "]", "{", "}", "__class__", "lambda", "if", "else", ":", "=", ";", "\n",
     "\0", "\\", "#", "é", "²", "\u2028", "_"]
)  # fmt: skip


@settings(max_examples=500, deadline=5000)
@given(
    st.one_of(
        st.text(max_size=30), st.lists(PIECES, max_size=12).map("".join), st.lists(PIECES, max_size=9).map(" ".join)
    )
)
def test_any_text_after_the_equals_sign_is_computed_or_refused(text: str) -> None:
    for quantity in (TOKENS, DURATION, TURNS, CALLS, SIZE):
        try:
            estimate = parse_estimate(f"= {text}", quantity, AROUND).bind(VALUES, None)
        except BadValueError:
            continue
        assert math.isfinite(estimate.mean)
        assert quantity.bounded(estimate.quantile(0.5)) >= 0
    with contextlib.suppress(BadValueError):
        parse_item_count(f"= {text}", AROUND)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_arithmetic_in_a_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    quoted = "'= " + text.replace("'", "''").replace("\n", " ").replace("\0", "").replace("\u2028", " ") + "'"
    path = tmp_path_factory.getbasetemp() / "arithmetic.yaml"
    path.write_text(
        "workflow: w\nmodel: m\nparameters: {modules: 40, x: 0.5}\nmodels: {m: {ttft: 1s, output_speed: 50}}\n"
        f"crews: {{c: {{agents: {quoted}}}}}\nsteps: {{a: {{for_each: {quoted}, tool: {quoted}}}}}\n",
        encoding="utf-8",
    )
    with contextlib.suppress(InputError):
        read_workflow(path)


# Start-up.


def imported(code: str) -> Iterator[str]:
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    yield from subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()


def test_the_library_is_imported_only_where_a_file_has_arithmetic() -> None:
    read = "from planner.reading.estimates.forms import parse_estimate; from planner.reading.units import TOKENS; import planner.workflow.reader\n"
    assert "simpleeval" not in imported(f"{read}parse_estimate('5 to 9', TOKENS)")
    used = f"{read}parse_estimate('= 5 / agents', TOKENS).bind({{'agents': 2}}, None)"
    assert "simpleeval" in imported(used)
