"""Bodies of steps: a request, an agent loop, a tool, a person, another file (docs/reference/workflow.md).

The modifiers `repeat` and `retry` are declared here too.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from planner.errors import for_example
from planner.reading.estimates.arithmetic import (
    AGENTS,
    is_arithmetic,
    parse_formulas,
    unknown_parameter,
)
from planner.reading.estimates.context import FileContext
from planner.reading.estimates.counts import CountValue
from planner.reading.estimates.estimate import NOTHING, constant
from planner.reading.fields import (
    Calls,
    Chance,
    Context,
    Count,
    Declared,
    Duration,
    MappingField,
    Name,
    ParsedInFile,
    Seconds,
    Text,
    Tokens,
    Turns,
    Usd,
    validation_error,
)
from planner.reading.units import BadValueError, Quantity, count

ONCE = constant(1.0)

PLAIN = Quantity("number", count, "12", "8 to 20")


def as_time(value: Any) -> Any:
    """Return `{"time": value}` for a bare time, even if the time is an estimate that is written as a mapping.

    Any other mapping is returned unchanged.
    """
    return value if isinstance(value, dict) and not set(value) & ESTIMATE_KEYS else {"time": value}


ESTIMATE_KEYS = {"p50", "p95", "low", "likely", "high", "values", "file", "column", "by_model"}
"""Keys of estimates that are written as mappings."""


class Llm(Declared):
    """One request. All lengths are in tokens.

    continues : name of the step whose conversation the request continues
    """

    example: ClassVar[str] = "{output: 500 to 2k}"

    input: Tokens = NOTHING
    cached: Tokens = NOTHING
    thinking: Tokens = NOTHING
    output: Tokens
    continues: Text | None = None


class Tool(Declared):
    """The tool of an agent loop. The calls of one turn run concurrently.

    time : seconds per call
    result : tokens that each call returns to the agent
    calls : number of calls per turn
    usd : US dollars per call
    """

    example: ClassVar[str] = "{time: 2s to 25s, result: 500 to 4k}"

    time: Duration
    result: Tokens = NOTHING
    calls: Calls = ONCE
    usd: Usd | None = None


class Compaction(Declared):
    """A request that replaces the context, except the prompt, by a summary of `output` tokens."""

    example: ClassVar[str] = "{output: 2k}"

    output: Tokens


class AgentLoop(Declared):
    """A loop of `turns` requests. Tool calls follow each request but the last. Every turn reads all previous context.

    prompt : tokens that every turn reads first
    output, thinking : tokens per turn
    context_limit : if the context has more tokens than this, the next turn begins with a compaction
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
            raise validation_error(
                BadValueError(f"'{given}' also needs '{other}'", f"add for example '{shown}'", at=(given,), on_key=True)
            )
        return self


class Call(Declared):
    """A tool as a step: `calls` concurrent calls.

    time : seconds per call
    usd : US dollars per call
    """

    example: ClassVar[str] = "30s to 4min"

    time: Duration
    calls: Calls = ONCE
    usd: Usd | None = None


class Leaves(Declared):
    """A person who leaves while there is nothing to do.

    after : seconds that the person waits before leaving
    back : seconds until the person is back when needed
    """

    example: ClassVar[str] = "{after: 60s, back: 2min to 20min}"

    after: Duration
    back: Duration


class Wait(Declared):
    """Work of a person.

    time : seconds of work
    """

    example: ClassVar[str] = "5min to 4h"

    time: Duration
    leaves: Annotated[Leaves, MappingField] | None = None


def argument_value(value: Any, context: FileContext) -> float | None:
    """Return the number that `use` passes to a parameter of the used file. Raises `BadValueError`.

    Returns None if the number depends on an unreadable parameter, which is reported elsewhere.

    value : a number, the name of a parameter of the file with `use`, or an expression
    """
    if is_arithmetic(value):
        formulas = parse_formulas(value, PLAIN, context.parameters)
        if len(formulas) > 1 or AGENTS in formulas[0].names:
            fault = "be a range" if len(formulas) > 1 else f"depend on '{AGENTS}'"
            raise BadValueError(
                f"the value of a parameter cannot {fault}",
                "write a single number, for example 'parameters: {modules: = 2 * services}'",
            )
        return next((formulas[0].value(values) for values in context.trials(formulas[0].names)), None)
    if isinstance(value, str) and value.isidentifier() and context.parameters is not None:
        if value not in context.parameters:
            unknown_parameter(value, context.parameters)
        return context.parameters[value]
    return count(value)


def _argument(value: Any, context: FileContext) -> float:
    return argument_value(value, context) or 0.0


class Use(Declared):
    """The steps of another workflow file, and values for the parameters of that file."""

    example: ClassVar[str] = "{file: other.yaml, parameters: {modules: 12}}"

    file: Name
    parameters: Annotated[dict[str, Annotated[float, ParsedInFile(_argument)]], MappingField] = {}


def as_file(value: Any) -> Any:
    """Return `{"file": value}` for a bare file name, and any other value unchanged."""
    return {"file": value} if isinstance(value, str) else value


class Repeat(Declared):
    """Consecutive rounds of a step.

    times : number of rounds
    until : chance that a round is accepted; no round follows an accepted round
    at_most : most rounds if `until` is given
    """

    example: ClassVar[str] = "{times: 3} or {until: 70%, at_most: 3}"

    times: Count | None = None
    until: Chance | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.times is None and (self.until is None or self.at_most is None):
            raise validation_error(
                BadValueError("a repeat needs 'times', or 'until' and 'at_most'", for_example("repeat", self.example))
            )
        if self.times is not None and (self.until is not None or self.at_most is not None):
            raise validation_error(
                BadValueError(
                    "a repeat has either 'times', or 'until' and 'at_most', not both",
                    "remove 'times', or remove 'until' and 'at_most'",
                )
            )
        if self.until == 0:
            message = "with 'until: 0%', no round is ever accepted"
            raise validation_error(
                BadValueError(message, "write a higher chance, or use 'times' instead of 'until'", at=("until",))
            )
        return self

    @property
    def most(self) -> CountValue:
        """Largest number of rounds."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class Retry(Declared):
    """Attempts of a step until one succeeds.

    chance : probability that an attempt fails
    at_most : most attempts, including the first
    wait : seconds before each attempt but the first
    timeout : seconds after which an attempt is abandoned and counts as failed
    """

    example: ClassVar[str] = "{chance: 5%, at_most: 3, wait: 2s}"

    chance: Chance = 0.0
    at_most: Count
    wait: Duration = NOTHING
    timeout: Seconds | None = None

    @model_validator(mode="after")
    def _can_fail(self) -> Self:
        if self.chance == 0 and self.timeout is None:
            message = "a retry needs a 'chance' of failure, a 'timeout', or both"
            raise validation_error(BadValueError(message, for_example("retry", self.example)))
        if self.timeout == 0:
            raise validation_error(
                BadValueError("a timeout must be above 0", "write for example 'timeout: 2min'", at=("timeout",))
            )
        return self
