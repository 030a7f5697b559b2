"""Declarations of crews and of their coordination (docs/reference/workflow.md)."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from planner.reading.estimates.estimate import NOTHING
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Agents,
    Chance,
    Count,
    Declared,
    Duration,
    Flag,
    MappingField,
    ParsedBy,
    Seconds,
    Tokens,
    validation_error,
)
from planner.workflow.bodies import as_time
from planner.workflow.presets import preset_name, with_preset


class Message(Declared):
    """A request of a coordination mechanism; input and output in tokens."""

    example: ClassVar[str] = "{output: 300 to 800}"

    input: Tokens = NOTHING
    output: Tokens


class Merge(Declared):
    """Merging an item's work with the rest, one item at a time: seconds, a request, or both."""

    example: ClassVar[str] = "{time: 20s to 90s}"

    time: Duration = NOTHING
    input: Tokens = NOTHING
    output: Tokens = NOTHING

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.asks and self.time.scale == 0:
            raise validation_error(
                BadValueError("a merge needs a time, a request, or both", f"as in merge: {self.example}")
            )
        return self

    @property
    def asks(self) -> bool:
        """Whether it makes a request."""
        return self.input.scale != 0 or self.output.scale != 0


class Sync(Declared):
    """After every `every` items of the crew, each agent writes `output` tokens to all others, and reads theirs."""

    example: ClassVar[str] = "{output: 150, every: 5}"

    output: Tokens
    every: Count


class Conflict(Declared):
    """A conflict found at merge, with a chance per other agent. A share of the item's work is redone and merged."""

    example: ClassVar[str] = "{chance: 0.4%, rework: 30%}"

    chance: Chance
    rework: Chance


class Coordination(Declared):
    """Coordination of a crew of several agents.

    stagger : seconds between the starts of its agents
    redundancy : share of the items that every agent does separately
    preset : name of the preset that supplies undeclared mechanisms
    """

    example: ClassVar[str] = "{brief: {output: 300 to 800}}"

    preset: Annotated[str, ParsedBy(preset_name)] | None = None
    ramp_up: Annotated[Message, MappingField] | None = None
    stagger: Seconds = 0.0
    brief: Annotated[Message, MappingField] | None = None
    sync: Annotated[Sync, MappingField] | None = None
    report: Annotated[Message, MappingField] | None = None
    merge: Annotated[Merge, BeforeValidator(as_time)] | None = None
    conflict: Annotated[Conflict, MappingField] | None = None
    redundancy: Chance = 0.0

    @model_validator(mode="after")
    def _conflicts_are_found_at_merge(self) -> Self:
        if self.conflict is not None and self.merge is None:
            message = "'conflict' needs 'merge': conflicts are found when work is merged"
            raise validation_error(BadValueError(message, "as in merge: 20s to 90s", at=("conflict",), on_key=True))
        return self


class Crew(Declared):
    """A pool of identical agents.

    lockstep : whether they work in rounds of one item each, and wait for the slowest
    """

    example: ClassVar[str] = "{agents: 4}"

    agents: Agents
    lockstep: Flag = False
    coordination: Annotated[Coordination, MappingField] = Coordination()

    @model_validator(mode="before")
    @classmethod
    def _with_its_preset(cls, value: Any) -> Any:
        return with_preset(value)
