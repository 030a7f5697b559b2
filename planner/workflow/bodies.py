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
    Flag,
    MappingField,
    Name,
    ParsedInFile,
    PayValue,
    Seconds,
    Text,
    Tokens,
    Turns,
    validation_error,
)
from planner.reading.units import BadValueError, Quantity, count

ONCE = constant(1.0)

PLAIN = Quantity("number", count, "12", "8 to 20")


def as_time(value: Any) -> Any:
    """Return `{"time": value}` for a bare time, such as `30s` or `{p50: 30s, p95: 2min}`.

    Return any other mapping unchanged.
    """
    return value if isinstance(value, dict) and not set(value) & ESTIMATE_KEYS else {"time": value}


ESTIMATE_KEYS = {"p50", "p95", "low", "likely", "high", "values", "file", "column", "by_model"}
"""Keys of estimates that are written as mappings."""


class Llm(Declared):
    """One request to a language model. All lengths are in tokens.

    continues : name of the step whose conversation the request continues
    """

    example: ClassVar[str] = "{output: 500 to 2k}"

    input: Tokens = NOTHING
    cached: Tokens = NOTHING
    thinking: Tokens = NOTHING
    output: Tokens
    continues: Text | None = None


class Tool(Declared):
    """Tool calls of an agent loop. All calls of one turn run concurrently.

    time : seconds per call
    result : tokens that each call returns to the agent
    calls : number of calls per turn
    usd : pay for each call, or for each hour that the calls of a turn take
    """

    example: ClassVar[str] = "{time: 2s to 25s, result: 500 to 4k}"

    time: Duration
    result: Tokens = NOTHING
    calls: Calls = ONCE
    usd: PayValue | None = None


class Compaction(Declared):
    """A request of an agent loop that replaces the context by a summary. The prompt is kept.

    output : tokens of the summary
    """

    example: ClassVar[str] = "{output: 2k}"

    output: Tokens


class AgentLoop(Declared):
    """An agent that makes one request per turn. The tool is called after every turn except the last.

    turns : number of turns. Each turn reads all previous context
    prompt : tokens at the beginning of the context
    output, thinking : tokens per turn
    context_limit : largest number of tokens that a turn reads. If a turn would read more, a compaction replaces the
        context by a summary first
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
    """A step that makes `calls` concurrent calls of a tool.

    time : seconds per call
    usd : pay for each call, or for each hour that the calls take
    sized : in a fan-out, whether `time` is multiplied by the size of the item
    """

    example: ClassVar[str] = "30s to 4min"

    time: Duration
    calls: Calls = ONCE
    usd: PayValue | None = None
    sized: Flag = False


class Leaves(Declared):
    """Absence of a person who has waited too long for work.

    after : seconds of waiting after which the person leaves
    back : seconds until the person is back, after new work has arrived
    """

    example: ClassVar[str] = "{after: 60s, back: 2min to 20min}"

    after: Duration
    back: Duration


class Wait(Declared):
    """Work of a person.

    time : seconds of work
    usd : pay for each time that the work is done, or for each hour of work
    """

    example: ClassVar[str] = "5min to 4h"

    time: Duration
    leaves: Annotated[Leaves, MappingField] | None = None
    usd: PayValue | None = None


def argument_value(value: Any, context: FileContext) -> float | None:
    """Return the number that a step with `use` gives to a parameter of the used file.

    Returns None if the number depends on a parameter with an unreadable value. The unreadable value is reported
    elsewhere.

    value : a number, an expression, or the name of a parameter of the file that contains the step

    Raises `BadValueError` if `value` is invalid.
    """
    if is_arithmetic(value):
        formulas = parse_formulas(value, PLAIN, context.parameters)
        if len(formulas) > 1 or AGENTS in formulas[0].names:
            fault = "be a range" if len(formulas) > 1 else f"depend on '{AGENTS}'"
            raise BadValueError(
                f"the value of a parameter cannot {fault}",
                "write an expression for one number, for example 'parameters: {modules: = 2 * services}'",
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
    """Body of a step that runs another workflow file.

    parameters : values for the parameters of that file
    """

    example: ClassVar[str] = "{file: other.yaml, parameters: {modules: 12}}"

    file: Name
    parameters: Annotated[dict[str, Annotated[float, ParsedInFile(_argument)]], MappingField] = {}


def as_file(value: Any) -> Any:
    """Return `{"file": value}` for a bare file name, and any other value unchanged."""
    return {"file": value} if isinstance(value, str) else value


class Repeat(Declared):
    """Repetition of a step in consecutive rounds.

    times : number of rounds
    until : probability that a round is accepted. An accepted round is the last round
    at_most : largest number of rounds, required with `until`
    """

    example: ClassVar[str] = "{times: 3} or {until: 70%, at_most: 3}"

    times: Count | None = None
    until: Chance | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.times is None and (self.until is None or self.at_most is None):
            raise validation_error(
                BadValueError(
                    "'repeat' needs either 'times', or both 'until' and 'at_most'", for_example("repeat", self.example)
                )
            )
        if self.times is not None and (self.until is not None or self.at_most is not None):
            raise validation_error(
                BadValueError(
                    "'repeat' cannot have 'times' together with 'until' or 'at_most'",
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
        """Largest number of rounds of the repetition."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class Retry(Declared):
    """Attempts at a step. The first successful attempt is the last attempt.

    chance : probability that an attempt fails
    at_most : largest number of attempts, including the first
    wait : seconds before each attempt except the first
    timeout : seconds after which an attempt is stopped and counts as failed
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
        if self.at_most == 1 and "wait" in self.model_fields_set:
            message = "'wait' has no effect: there is only one attempt"
            raise validation_error(
                BadValueError(message, "remove 'wait', or raise 'at_most'", at=("wait",), on_key=True)
            )
        if self.timeout == 0:
            raise validation_error(
                BadValueError("a timeout must be above 0", "write for example 'timeout: 2min'", at=("timeout",))
            )
        return self
