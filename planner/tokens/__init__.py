"""Texts in, token counts out, offline. Only this package imports tiktoken, when something is counted."""

from typing import TYPE_CHECKING

from planner._lazy import export

if TYPE_CHECKING:
    from planner.tokens.counting import approximate as approximate
    from planner.tokens.counting import count as count
    from planner.tokens.kinds import Kind as Kind
    from planner.tokens.kinds import kind_of as kind_of
    from planner.tokens.tally import tally as tally

export(
    __name__,
    {
        "counting": ["approximate", "count"],
        "kinds": ["Kind", "kind_of"],
        "tally": ["tally"],
    },
)
