"""Declarations of crews, of their coordination and its presets (docs/reference/workflow.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from planner.errors import did_you_mean, for_example, listed, nearest
from planner.reading.estimates.estimate import NOTHING
from planner.reading.fields import (
    Agents,
    Chance,
    Count,
    Declared,
    Duration,
    Flag,
    MappingField,
    ParsedBy,
    PayValue,
    Seconds,
    Tokens,
    validation_error,
)
from planner.reading.units import BadValueError
from planner.workflow.bodies import as_time

LEAD = "lead"
"""Name of the lead, an agent that exists in every workflow. The lead writes briefs, reads reports, and does the steps
that name the crew `lead`, one thing at a time.
"""

_SCALING = "turns of arXiv 2512.08296, table 5"
_TEAMS = "output tokens of the teams of arXiv 2603.12229"


@dataclass(frozen=True)
class Preset:
    """Predefined values for the key `coordination` of a crew.

    parts : the predefined keys of `coordination` and their values
    source : publication with the measurements behind the values
    lockstep : default for the crew's key `lockstep`
    """

    parts: Mapping[str, Any]
    source: str
    lockstep: bool = False


_LEAD = {"brief": {"output": 170}, "report": {"output": 170}, "merge": {"output": 170}}

PRESETS = {
    "independent": Preset({"redundancy": 0.29}, _SCALING),
    "centralized": Preset({**_LEAD, "redundancy": 0.22}, _SCALING),
    "decentralized": Preset({"sync": {"output": 180, "every": 2}, "redundancy": 0.62}, _SCALING),
    "hybrid": Preset(
        {
            **{key: {"output": 110} for key in _LEAD},
            "sync": {"output": 110, "every": 2},
            "redundancy": 0.43,
        },
        _SCALING,
    ),
    "lockstep-preassigned": Preset({"redundancy": 0.09}, _TEAMS, lockstep=True),
    "lockstep-decentralized": Preset({"redundancy": 0.96}, _TEAMS, lockstep=True),
}


def preset_name(value: Any) -> str:
    """Return `value` unchanged. Raises `BadValueError` if `value` is not the name of a preset."""
    if isinstance(value, str) and value in PRESETS:
        return value
    hint = did_you_mean(value, PRESETS, "preset") if isinstance(value, str) else None
    raise BadValueError("expected the name of a preset", hint or f"write {listed(PRESETS, 'or')}")


def preset_of(coordination: object) -> Preset | None:
    """Return the preset that `coordination` names; None if there is no such preset.

    coordination : value of a crew's key `coordination`, as read from YAML
    """
    name = coordination.get("preset") if isinstance(coordination, dict) else None
    return PRESETS.get(name) if isinstance(name, str) else None


def with_preset(crew: Any) -> Any:
    """Return the mapping of a crew, completed with the values of its preset. Keys in the mapping are kept.

    crew : mapping as read from YAML. Without a preset, it is returned unchanged
    """
    preset = preset_of(crew.get("coordination")) if isinstance(crew, dict) else None
    if preset is None:
        return crew
    return {"lockstep": preset.lockstep, **crew, "coordination": {**preset.parts, **crew["coordination"]}}


class Message(Declared):
    """A request that an agent makes for coordination, such as a report. Input and output are in tokens."""

    example: ClassVar[str] = "{output: 300 to 800}"

    input: Tokens = NOTHING
    output: Tokens


class Merge(Declared):
    """Merging of an item's work with the work on other items. Items are merged one after the other.

    time : seconds per item
    input, output : tokens of the request that the merge makes. If both numbers are 0, the merge makes no request
    """

    example: ClassVar[str] = "{time: 20s to 90s}"

    time: Duration = NOTHING
    input: Tokens = NOTHING
    output: Tokens = NOTHING

    @model_validator(mode="after")
    def _takes_something(self) -> Self:
        if not self.asks and self.time.scale == 0:
            raise validation_error(
                BadValueError("a merge needs a time above 0, a request, or both", for_example("merge", self.example))
            )
        return self

    @property
    def asks(self) -> bool:
        """Whether the merge makes a request to a model."""
        return self.input.scale != 0 or self.output.scale != 0


class Sync(Declared):
    """An exchange of messages between the agents of a crew.

    output : tokens of each agent's message; every other agent reads this message
    every : number of items that the crew finishes between two exchanges
    """

    example: ClassVar[str] = "{output: 150, every: 5}"

    output: Tokens
    every: Count


class Conflict(Declared):
    """A conflict between the work on an item and the work of another agent.

    A conflict is found when the item is merged. A part of the item's work is then repeated and merged again.

    chance : probability of a conflict with one particular agent. With more agents in the crew, conflicts are more
        likely
    rework : share of the item's work that is repeated
    """

    example: ClassVar[str] = "{chance: 0.4%, rework: 30%}"

    chance: Chance
    rework: Chance


class Coordination(Declared):
    """Coordination between the agents of a crew.

    stagger : seconds between the arrivals of two successive agents
    redundancy : share of the items that every agent of the crew does. All other items are done by one agent each
    preset : name of the preset whose values are used for undeclared keys
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
            raise validation_error(
                BadValueError(message, "add for example 'merge: 20s to 90s'", at=("conflict",), on_key=True)
            )
        return self


PAID = ("busy", "always")


def paid_when(value: Any) -> str:
    """Return `value` unchanged. Raises `BadValueError` if `value` is neither ``busy`` nor ``always``."""
    if isinstance(value, str) and value in PAID:
        return value
    near = nearest(value, PAID) if isinstance(value, str) else None
    hint = f"did you mean '{near}'?" if near else "write for example 'paid: always'"
    raise BadValueError("expected 'busy' or 'always'", hint)


class Crew(Declared):
    """A pool of identical agents.

    lockstep : whether the agents work in rounds. In a round, each agent does one item. The next round begins when all
        these items have ended
    usd : pay of each agent: for each time that the agent is seized, or for each hour
    paid : when a rate per hour is paid: ``busy`` (while the agent is held) or ``always`` (during the whole workflow)
    """

    example: ClassVar[str] = "{agents: 4}"

    agents: Agents
    lockstep: Flag = False
    coordination: Annotated[Coordination, MappingField] = Coordination()
    usd: PayValue | None = None
    paid: Annotated[str, ParsedBy(paid_when)] = "busy"

    @model_validator(mode="before")
    @classmethod
    def _with_its_preset(cls, value: Any) -> Any:
        return with_preset(value)

    @model_validator(mode="after")
    def _paid_needs_a_rate(self) -> Self:
        if "paid" in self.model_fields_set and (self.usd is None or not self.usd.hourly):
            message = "'paid' needs a rate per hour in 'usd'"
            hint = "add for example 'usd: $80/h'" if self.usd is None else "remove 'paid', or write a rate in 'usd'"
            raise validation_error(BadValueError(message, hint, at=("paid",), on_key=True))
        return self
