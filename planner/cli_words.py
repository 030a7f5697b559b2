"""What the library of the command line finds wrong with an option, in words of the planner."""

from typing import Any

import typer
from typer.core import TyperGroup

WANTED = {
    "greater_than_equal": "expected at least {ge:,}",
    "less_than_equal": "expected at most {le:,}",
    "int_parsing": "expected a whole number",
    "float_parsing": "expected a number",
}
"""By the kind of a mistake what was expected instead, with what pydantic tells of it."""


class Commands(TyperGroup):
    """A group of commands. Options are checked by pydantic, whose words are about Python."""

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
