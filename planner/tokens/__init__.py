"""Texts in, token counts out, offline. Only this package imports tiktoken, and only to count."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.tokens.counting import approximate as approximate
    from planner.tokens.counting import count as count
    from planner.tokens.counting import tally as tally
    from planner.tokens.text_kind import Kind as Kind
    from planner.tokens.text_kind import kind_of as kind_of

export(
    __name__,
    {
        "counting": ["approximate", "count", "tally"],
        "text_kind": ["Kind", "kind_of"],
    },
)
