"""Errors in options: repeated options are refused, and errors of pydantic are reworded."""

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

EXPECTED = {
    "greater_than_equal": "expected at least {ge:,}",
    "less_than_equal": "expected at most {le:,}",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
}
"""Type of a pydantic error → message. The error's context fills the placeholders."""

SEVERAL = ("agents", "model", "speed")
"""Options that take several values, comma-separated."""


def _once(command: TyperCommand | TyperGroup, context: Any, args: list[str]) -> None:
    """Refuse options that are given twice. Without this check, their first value would be ignored silently."""
    _, _, given = command.make_parser(context).parse_args(args=args)
    for option, times in Counter(given).items():
        if isinstance(option, TyperOption) and times > 1 and not option.is_flag and not option.multiple:
            remedy = "give it once" + (", with commas between values" * (option.name in SEVERAL))
            raise typer.BadParameter(f"{option.opts[0]}: given twice; {remedy}", context)


class Once(TyperCommand):
    """A command that refuses repeated options."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _once(self, ctx, list(args))
        return rest


class Commands(TyperGroup):
    """A group of commands that refuses repeated options, and rewords errors of pydantic, which name Python types."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _once(self, ctx, list(args))
        return rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = _worded(error)
            raise


def _worded(error: typer.BadParameter) -> str:
    mistakes: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if not mistakes:
        return error.message
    kind, context = mistakes[0]["type"], mistakes[0].get("ctx", {})
    if kind in EXPECTED:
        return f"'{mistakes[0]['input']}': {EXPECTED[kind].format(**context)}"
    return error.message.removeprefix("Value error, ")
