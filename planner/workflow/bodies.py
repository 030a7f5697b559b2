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
from planner.reading.estimates.counts import CountValue
from planner.reading.estimates.estimate import NOTHING, constant
from planner.reading.units import BadValueError, Quantity, count
from planner.reading.validation import (
    Calls,
    Chance,
    Context,
    Count,
    Declared,
    Duration,
    MappingField,
    Name,
    ParsedHere,
    Seconds,
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
    compaction: Annotated[Compaction, MappingField] | None = None

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
    leaves: Annotated[Leaves, MappingField] | None = None


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
    parameters: Annotated[dict[str, Annotated[float, ParsedHere(_given)]], MappingField] = {}


def as_file(value: Any) -> Any:
    """A bare text stands for a mapping with that file."""
    return {"file": value} if isinstance(value, str) else value


class Repeat(Declared):
    """Rounds of a step, one after another: `times` of them, or `until` one is accepted, `at_most` so many."""

    example: ClassVar[str] = "{times: 3} or {until: 70%, at_most: 3}"

    times: Count | None = None
    until: Chance | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.times is None and (self.until is None or self.at_most is None):
            raise raised(BadValueError("a repeat takes times, or until and at_most", f"as in repeat: {self.example}"))
        if self.times is not None and (self.until is not None or self.at_most is not None):
            raise raised(BadValueError("a repeat takes times, or until and at_most, not both", "take 'times' away"))
        if self.until == 0:
            message = "a round that is accepted in 0% of cases never ends it"
            raise raised(BadValueError(message, "raise 'until', or write times", at=("until",)))
        return self

    @property
    def most(self) -> CountValue:
        """The largest number of rounds."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class Retry(Declared):
    """Attempts of a step, until one does not fail: by `chance`, or because it takes longer than `timeout`.

    at_most : attempts, the first included
    wait : seconds before each attempt but the first
    timeout : seconds after which an attempt is given up
    """

    example: ClassVar[str] = "{chance: 5%, at_most: 3, wait: 2s}"

    chance: Chance = 0.0
    at_most: Count
    wait: Duration = NOTHING
    timeout: Seconds | None = None

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.chance == 0 and self.timeout is None:
            message = "a retry takes the chance that an attempt fails, or a timeout, or both"
            raise raised(BadValueError(message, f"as in retry: {self.example}"))
        if self.timeout == 0:
            raise raised(BadValueError("a timeout must be above 0", "as in timeout: 2min", at=("timeout",)))
        return self
