"""What a step does: a request, an agent loop, a tool, a person, another file (docs/reference/workflow.md)."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from planner.reading.estimates.arithmetic import (
    AGENTS,
    is_arithmetic,
    parse_formulas,
    unknown_parameter,
)
from planner.reading.estimates.context import FileContext
from planner.reading.estimates.estimate import NOTHING, constant
from planner.reading.units import BadValueError, Quantity, count
from planner.reading.validation import (
    Calls,
    Context,
    Declared,
    Duration,
    Mapping,
    Name,
    ParsedHere,
    Text,
    Tokens,
    Turns,
    Usd,
    raised,
)

ONCE = constant(1.0)

PLAIN = Quantity("number", count, "12", "8 to 20")


def as_time(value: Any) -> Any:
    """A bare time stands for a mapping with that time; a mapping that is an estimate is a time too."""
    return value if isinstance(value, dict) and not set(value) & ESTIMATE_KEYS else {"time": value}


ESTIMATE_KEYS = {"p50", "p95", "low", "likely", "high", "values", "file", "column", "by_model"}
"""Keys of estimates that are written as mappings."""


class Llm(Declared):
    """One request. Tokens.

    continues : the step whose context this request appends to
    """

    example: ClassVar[str] = "{output: 500 to 2k}"

    input: Tokens = NOTHING
    cached: Tokens = NOTHING
    thinking: Tokens = NOTHING
    output: Tokens
    continues: Text | None = None


class Tool(Declared):
    """Calls without tokens, all at the same time; `result` tokens of each come back to the agent.

    time : seconds of one call
    calls : in one go
    usd : US dollars of one call
    """

    example: ClassVar[str] = "{time: 2s to 25s, result: 500 to 4k}"

    time: Duration
    result: Tokens = NOTHING
    calls: Calls = ONCE
    usd: Usd | None = None


class Compaction(Declared):
    """A request that puts a summary in the place of all but the prompt. Tokens."""

    example: ClassVar[str] = "{output: 2k}"

    output: Tokens


class AgentLoop(Declared):
    """`turns` requests with a tool call after each but the last; every turn reads all that came before.

    context_limit : tokens above which a turn is preceded by a compaction
    """

    example: ClassVar[str] = "{turns: 6 to 14, output: 200 to 900}"

    turns: Turns
    prompt: Tokens = NOTHING
    output: Tokens
    thinking: Tokens = NOTHING
    tool: Annotated[Tool, BeforeValidator(as_time)] | None = None
    context_limit: Context | None = None
    compaction: Annotated[Compaction, Mapping] | None = None

    @model_validator(mode="after")
    def _limit_and_compaction(self) -> Self:
        if (self.context_limit is None) != (self.compaction is None):
            given, other = "context_limit", "compaction"
            if self.context_limit is None:
                given, other = other, given
            shown = {"compaction": "compaction: {output: 2k}", "context_limit": "context_limit: 150k"}[other]
            raise raised(
                BadValueError(f"'{given}' needs '{other}' beside it", f"as in {shown}", at=(given,), on_key=True)
            )
        return self


class Call(Declared):
    """A tool on a step of its own: `calls` at the same time. Seconds; US dollars of one call."""

    example: ClassVar[str] = "30s to 4min"

    time: Duration
    calls: Calls = ONCE
    usd: Usd | None = None


class Leaves(Declared):
    """Somebody who has waited for longer than `after` has walked away, and is `back` so long after being needed."""

    example: ClassVar[str] = "{after: 60s, back: 2min to 20min}"

    after: Duration
    back: Duration


class Wait(Declared):
    """A person at work: seconds."""

    example: ClassVar[str] = "5min to 4h"

    time: Duration
    leaves: Annotated[Leaves, Mapping] | None = None


def given(value: Any, around: FileContext) -> float | None:
    """The value of a parameter of another file: a number, a parameter of this file, or arithmetic of such.

    None, if what it is made of cannot be read, which is a problem of its own. Raises `BadValueError`.
    """
    if is_arithmetic(value):
        formulas = parse_formulas(value, PLAIN, around.parameters)
        if len(formulas) > 1 or AGENTS in formulas[0].names:
            what = "be a range" if len(formulas) > 1 else f"depend on '{AGENTS}'"
            raise BadValueError(
                f"the value of a parameter cannot {what}", "as in parameters: {modules: = 2 * services}"
            )
        return next((formulas[0].value(values) for values in around.trials(formulas[0].names)), None)
    if isinstance(value, str) and value.isidentifier() and around.parameters is not None:
        if value not in around.parameters:
            unknown_parameter(value, around.parameters)
        return around.parameters[value]
    return count(value)


def _given(value: Any, around: FileContext) -> float:
    return given(value, around) or 0.0


class Use(Declared):
    """The steps of another workflow file, with values for its parameters."""

    example: ClassVar[str] = "{file: other.yaml, parameters: {modules: 12}}"

    file: Name
    parameters: Annotated[dict[str, Annotated[float, ParsedHere(_given)]], Mapping] = {}


def as_file(value: Any) -> Any:
    """A bare text stands for a mapping with that file."""
    return {"file": value} if isinstance(value, str) else value
