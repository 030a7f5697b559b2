"""Mistakes in options that Typer and pydantic find, in the planner's words."""

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
"""pydantic's kind of mistake → what was expected, filled from pydantic's context."""

SEVERAL = ("agents", "model", "speed")
"""Options that take several values, comma-separated."""


def _check_values(command: TyperCommand | TyperGroup, context: Any, args: list[str]) -> None:
    """Refuse an option that is given twice, as the first value would be ignored, and values that are empty, as they
    would be taken as not given.
    """
    values, _, given = command.make_parser(context).parse_args(args=args)
    for option, times in Counter(given).items():
        if isinstance(option, TyperOption) and times > 1 and not option.is_flag and not option.multiple:
            remedy = "give it once" + (", with commas where it takes several values" * (option.name in SEVERAL))
            raise typer.BadParameter(f"{option.opts[0]}: given twice; {remedy}", context)
    for parameter in given:
        value = values.get(str(parameter.name))
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str) and not text.strip() for text in texts):
            is_option = isinstance(parameter, TyperOption)
            name = parameter.opts[0] if is_option else str(parameter.name).upper()
            remedy = "give it one, or leave the option away" if is_option else "give it one"
            raise typer.BadParameter(f"{name}: its value is empty; {remedy}", context)


class Once(TyperCommand):
    """A command that refuses repeated options and empty values."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _check_values(self, ctx, list(args))
        return rest


class Commands(TyperGroup):
    """A group of commands with errors in the planner's words; pydantic's are about Python."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _check_values(self, ctx, list(args))
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
