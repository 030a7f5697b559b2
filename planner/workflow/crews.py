"""Crews, and what they do beside their work (docs/reference/workflow.md)."""

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
    Mapping,
    Parsed,
    Seconds,
    Tokens,
    raised,
)
from planner.workflow.bodies import as_time
from planner.workflow.presets import filled, preset_name


class Message(Declared):
    """A request of a coordination mechanism. Tokens."""

    example: ClassVar[str] = "{output: 300 to 800}"

    input: Tokens = NOTHING
    output: Tokens


class Merge(Declared):
    """Joining an item's work with the rest, one at a time: a time, a request, or both."""

    example: ClassVar[str] = "{time: 20s to 90s}"

    time: Duration = NOTHING
    input: Tokens = NOTHING
    output: Tokens = NOTHING

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.asks and self.time.scale == 0:
            raise raised(BadValueError("a merge takes a time, a request, or both", f"as in merge: {self.example}"))
        return self

    @property
    def asks(self) -> bool:
        """Whether it makes a request."""
        return self.input.scale != 0 or self.output.scale != 0


class Sync(Declared):
    """After `every` items of the crew each agent writes a message of `output` tokens to all, and reads the others'."""

    example: ClassVar[str] = "{output: 150, every: 5}"

    output: Tokens
    every: Count


class Conflict(Declared):
    """Found at merge, with this chance for each peer; a share of the item's work is then done again, and merged."""

    example: ClassVar[str] = "{chance: 0.4%, rework: 30%}"

    chance: Chance
    rework: Chance


class Coordination(Declared):
    """What a crew of several agents does beside its work.

    stagger : seconds between the starts of its agents
    redundancy : share of the items that every agent does, each for itself
    preset : whose mechanisms fill in what is not declared
    """

    example: ClassVar[str] = "{brief: {output: 300 to 800}}"

    preset: Annotated[str, Parsed(preset_name)] | None = None
    ramp_up: Annotated[Message, Mapping] | None = None
    stagger: Seconds = 0.0
    brief: Annotated[Message, Mapping] | None = None
    sync: Annotated[Sync, Mapping] | None = None
    report: Annotated[Message, Mapping] | None = None
    merge: Annotated[Merge, BeforeValidator(as_time)] | None = None
    conflict: Annotated[Conflict, Mapping] | None = None
    redundancy: Chance = 0.0

    @model_validator(mode="after")
    def _conflicts_are_found_at_merge(self) -> Self:
        if self.conflict is not None and self.merge is None:
            message = "a conflict is found at merge, and there is no 'merge'"
            raise raised(BadValueError(message, "as in merge: 20s to 90s", at=("conflict",), on_key=True))
        return self


class Crew(Declared):
    """A pool of identical agents.

    lockstep : they work in rounds of an item each, which wait for the slowest
    """

    example: ClassVar[str] = "{agents: 4}"

    agents: Agents
    lockstep: Flag = False
    coordination: Annotated[Coordination, Mapping] = Coordination()

    @model_validator(mode="before")
    @classmethod
    def _with_its_preset(cls, value: Any) -> Any:
        return filled(value)
