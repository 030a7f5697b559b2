"""The shape of a workflow file (docs/reference/workflow.md)."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, PrivateAttr, model_validator

from planner.errors import Position
from planner.reading.document import Document
from planner.reading.estimates import NOTHING
from planner.reading.profiles import ProfileDeclaration
from planner.reading.units import BadValueError
from planner.reading.validation import (
    Agents,
    Chance,
    Count,
    Declared,
    Duration,
    Flag,
    Mapping,
    Name,
    Number,
    Parsed,
    Size,
    Text,
    Tokens,
    Turns,
    Widening,
    raised,
)

BODIES = ("llm", "agent", "tool", "human", "steps", "choose")


def _as_time(value: Any) -> Any:
    """A bare time stands for a mapping with that time; a mapping of percentiles is a time too."""
    return value if isinstance(value, dict) and not set(value) & {"p50", "p95"} else {"time": value}


class Llm(Declared):
    """One request. Tokens."""

    example: ClassVar[str] = "{output: 500 to 2k}"

    input: Tokens = NOTHING
    cached: Tokens = NOTHING
    thinking: Tokens = NOTHING
    output: Tokens


class Tool(Declared):
    """Time without tokens; `result` tokens come back to the agent that called it."""

    example: ClassVar[str] = "{time: 2s to 25s, result: 500 to 4k}"

    time: Duration
    result: Tokens = NOTHING


class AgentLoop(Declared):
    """`turns` requests with a tool call after each but the last; every turn reads all that came before."""

    example: ClassVar[str] = "{turns: 6 to 14, output: 200 to 900}"

    turns: Turns
    prompt: Tokens = NOTHING
    output: Tokens
    thinking: Tokens = NOTHING
    tool: Annotated[Tool, BeforeValidator(_as_time)] | None = None


class Wait(Declared):
    """A tool or a person at work on a step of their own: seconds."""

    example: ClassVar[str] = "30s to 4min"

    time: Duration


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
    def most(self) -> int | str:
        """The largest number of rounds."""
        most = self.at_most if self.times is None else self.times
        assert most is not None
        return most


class ForEach(Declared):
    """A fan-out: so many items, each of its own size, 1 on average."""

    example: ClassVar[str] = "{count: 120, size: 0.4x to 2.5x}"

    count: Count
    size: Size | None = None


def _as_count(value: Any) -> Any:
    """A bare count stands for a mapping with that count."""
    return value if isinstance(value, dict) else {"count": value}


class Uncertainty(Declared):
    """How far estimates may be off: factors whose logarithms are normal, 1 in the median, larger in 5 cases of 100.

    per_step : drawn once per sample and step
    overall : drawn once per sample, for all steps
    """

    example: ClassVar[str] = "{per_step: 1.3x, overall: 1.2x}"

    per_step: Widening = 1.0
    overall: Widening = 1.0


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
        return self.input.scale > 0 or self.output.scale > 0


class Sync(Declared):
    """After `every` items of the crew each agent writes a message of `output` tokens to all, and reads the others'."""

    example: ClassVar[str] = "{output: 150, every: 5}"

    output: Tokens
    every: Count


class Coordination(Declared):
    """What a crew of several agents does beside its work."""

    example: ClassVar[str] = "{brief: {output: 300 to 800}}"

    ramp_up: Annotated[Message, Mapping] | None = None
    brief: Annotated[Message, Mapping] | None = None
    sync: Annotated[Sync, Mapping] | None = None
    report: Annotated[Message, Mapping] | None = None
    merge: Annotated[Merge, BeforeValidator(_as_time)] | None = None


class Crew(Declared):
    """A pool of identical agents."""

    example: ClassVar[str] = "{agents: 4}"

    agents: Agents
    coordination: Annotated[Coordination, Mapping] = Coordination()


def _names(value: Any) -> list[str]:
    """Names of steps, or a single one."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise BadValueError("expected the name of a step, or a list of names", "as in needs: [plan, survey]")
    for index, name in enumerate(value):
        if not isinstance(name, str):
            raise BadValueError("expected the name of a step", at=(index,))
    return value


class Step(Declared):
    """One step: exactly one body (`llm`, `agent`, `tool`, `human`, `steps`, `choose`) and its modifiers."""

    example: ClassVar[str] = "{llm: {output: 500 to 2k}}"

    needs: Annotated[list[str], Parsed(_names)] = []
    chance: Chance | None = None
    for_each: Annotated[ForEach, BeforeValidator(_as_count)] | None = None
    repeat: Annotated[Repeat, Mapping] | None = None
    crew: Text | None = None
    hold: Flag = True
    model: Text | None = None
    llm: Annotated[Llm, Mapping] | None = None
    agent: Annotated[AgentLoop, Mapping] | None = None
    tool: Annotated[Wait, BeforeValidator(_as_time)] | None = None
    human: Annotated[Wait, BeforeValidator(_as_time)] | None = None
    steps: Annotated[dict[str, Annotated["Step", Mapping]], Mapping] | None = None
    choose: Annotated[dict[str, Annotated["Step", Mapping]], Mapping] | None = None

    @model_validator(mode="after")
    def _branches_are_all(self) -> Self:
        if not self.choose:
            return self
        for name, branch in self.choose.items():
            if branch.chance is None:
                raise raised(
                    BadValueError(
                        "a branch of a choice needs a chance", "as in chance: 30%", at=("choose", name), on_key=True
                    )
                )
        total = sum(branch.chance or 0.0 for branch in self.choose.values())
        if abs(total - 1) > 1e-9:
            message = f"the chances of a choice must add up to 100%, and these make {100 * total:.6g}%"
            raise raised(
                BadValueError(message, "a branch that does nothing may be a tool of 0s", at=("choose",), on_key=True)
            )
        return self

    @property
    def kind(self) -> str:
        return next(body for body in BODIES if getattr(self, body) is not None)


class Workflow(Declared):
    """A validated workflow file. `parameters` hold what `--set` made of them."""

    example: ClassVar[str] = "at least {workflow: its-name, steps: {plan: {human: 5min}}}"

    workflow: Name
    description: Text = ""
    parameters: Annotated[dict[str, Number], Mapping] = {}
    model: Text | None = None
    uncertainty: Annotated[Uncertainty, Mapping] = Uncertainty()
    models: Annotated[dict[str, Annotated[ProfileDeclaration, Mapping]], Mapping] = {}
    crews: Annotated[dict[str, Annotated[Crew, Mapping]], Mapping] = {}
    steps: Annotated[dict[str, Annotated[Step, Mapping]], Mapping]
    _document: Document | None = PrivateAttr(None)

    def read_from(self, document: Document) -> Self:
        """Remember where everything stands."""
        self._document = document
        return self

    def place(self, *path: str | int) -> Position | None:
        """Where the value at a path of the file stands."""
        return self._document.value(*path) if self._document else None

    def count(self, declared: int | str) -> int:
        """A count that is a number or the name of a parameter."""
        return declared if isinstance(declared, int) else int(self.parameters[declared])

    def walk(self) -> Iterator[tuple[tuple[str, ...], Step]]:
        """Every step with its path, a group before its steps, in the order of the file."""

        def inside(steps: dict[str, Step], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Step]]:
            for name, step in steps.items():
                yield (*path, name), step
                yield from inside(step.steps or step.choose or {}, (*path, name))

        return inside(self.steps, ())
