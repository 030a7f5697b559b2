"""Crews, and what they do beside their work (docs/reference/workflow.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from planner.errors import did_you_mean
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
    Parsed,
    Seconds,
    Tokens,
    raised,
)
from planner.workflow.bodies import as_time

_SCALING = "turns of arXiv 2512.08296, table 5"
_TEAMS = "output tokens of the teams of arXiv 2603.12229"


@dataclass(frozen=True)
class Preset:
    """Keys of `coordination`, and whether the crew works in lockstep."""

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
    """The name of a preset."""
    if isinstance(value, str) and value in PRESETS:
        return value
    hint = did_you_mean(value, PRESETS) if isinstance(value, str) else None
    raise BadValueError("expected the name of a preset", hint or f"one of {', '.join(PRESETS)}")


def preset_of(coordination: object) -> Preset | None:
    """The preset that a `coordination` names as it stands in a file."""
    name = coordination.get("preset") if isinstance(coordination, dict) else None
    return PRESETS.get(name) if isinstance(name, str) else None


def filled(crew: Any) -> Any:
    """A crew as it stands in a file, with the parts of its preset that it does not declare itself."""
    preset = preset_of(crew.get("coordination")) if isinstance(crew, dict) else None
    if preset is None:
        return crew
    return {"lockstep": preset.lockstep, **crew, "coordination": {**preset.parts, **crew["coordination"]}}


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
    coordination: Annotated[Coordination, MappingField] = Coordination()

    @model_validator(mode="before")
    @classmethod
    def _with_its_preset(cls, value: Any) -> Any:
        return filled(value)
