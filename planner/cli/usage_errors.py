"""What the library of the command line finds wrong with an option, in words of the planner."""

from collections import Counter
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

WANTED = {
    "greater_than_equal": "expected at least {ge:,}",
    "less_than_equal": "expected at most {le:,}",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
}
"""By the kind of a mistake what was expected instead, with what pydantic tells of it."""


SEVERAL = ("agents", "model", "speed")
"""Options whose value may be several with commas between them."""


def _once(command: TyperCommand | TyperGroup, context: Any, args: list[str]) -> None:
    """Refuse an option that is given twice, of which the first would go unread."""
    _, _, given = command.make_parser(context).parse_args(args=args)
    for option, times in Counter(given).items():
        if isinstance(option, TyperOption) and times > 1 and not option.is_flag and not option.multiple:
            remedy = "give it once" + (", with commas where it takes several values" * (option.name in SEVERAL))
            raise typer.BadParameter(f"{option.opts[0]}: given twice; {remedy}", context)


class Once(TyperCommand):
    """A command whose options are given once."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        rest = super().parse_args(ctx, list(args))
        _once(self, ctx, list(args))
        return rest


class Commands(TyperGroup):
    """A group of commands. Options are checked by pydantic, whose words are about Python."""

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
    found: list[dict[str, Any]] = getattr(error.__cause__, "errors", list)()
    if not found:
        return error.message
    kind, context = found[0]["type"], found[0].get("ctx", {})
    if kind in WANTED:
        return f"'{found[0]['input']}': {WANTED[kind].format(**context)}"
    return error.message.removeprefix("Value error, ")
